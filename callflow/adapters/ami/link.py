"""The AMI link: reconnects when a session ends, and returns or raises the outcome of every action."""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal

from callflow.adapters.ami.framing import HeaderValue
from callflow.adapters.ami.options import LOGIN_TIMEOUT_S, AmiOptions
from callflow.adapters.ami.session import AmiSession
from callflow.core.backoff import Backoff
from callflow.errors import LinkError, LoginRefused, NotConnected

REFUSALS_IN_A_ROW = 5
"""A link that was up before gives up after so many refused logins in a row; one that never was, after the first."""


class AmiLink:
    """One AMI login, renewed whenever its session ends, until `stop` or a fatal refusal.

    Callbacks are synchronous and are called in the order in which things happen; what they raise is logged and counted.
    `on_down` is called once for every `on_up`, except after `stop`.
    """

    def __init__(
        self,
        options: AmiOptions,
        *,
        wanted: frozenset[bytes],
        on_event: Callable[[dict[str, str]], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        on_refused: Callable[[LoginRefused], None],
        log: Any,
        events: Literal["on", "off"] = "on",
        login_timeout_s: float = LOGIN_TIMEOUT_S,
    ) -> None:
        self._options = options
        self._events = events
        self._login_timeout_s = login_timeout_s
        self._wanted = wanted
        self._on_event = on_event
        self._on_up = on_up
        self._on_down = on_down
        self._on_refused = on_refused
        self._log = log
        self._session: AmiSession | None = None
        self._task: asyncio.Task[None] | None = None
        self._tls = options.tls_context()
        self._backoff = Backoff(options.reconnect_min_s, options.reconnect_max_s)
        self._refusals = 0
        self._was_up = False
        self._reason = "not started"
        self._warned = False
        self.counts: Counter[str] = Counter()
        """sessions, failed_connects, refused_logins, event_failures, callback_failures, unclaimed (late answers)."""

    @property
    def connected(self) -> bool:
        """Logged in, as far as the link knows."""
        return self._session is not None

    @property
    def protocol_version(self) -> str:
        """As the banner says it, `11.0.0`; "" without a connection."""
        return "" if self._session is None else self._session.protocol_version

    async def start(self) -> None:
        """Begin connecting; returns at once."""
        if self._task is None:
            self._reason = "connecting"
            self._task = asyncio.create_task(self._run(), name=f"ami-{self._events}")

    async def stop(self) -> None:
        """End the session and every wait; the link does not reconnect."""
        task, self._task = self._task, None
        self._reason = "stopped"
        if task is not None:
            task.cancel()
            await asyncio.wait({task})

    async def action(self, name: str, *, timeout_s: float | None = None, **headers: HeaderValue) -> dict[str, str]:
        """Send one action, return its response; raises NotConnected, ActionTimeout, ActionRefused, ActionUnsafe."""
        answer = await self._open_session().ask(name, headers, timeout_s or self._options.action_timeout_s)
        return answer[0]

    def tell(self, name: str, **headers: HeaderValue) -> None:
        """Send one action without waiting; Asterisk carries out later actions after it. Raises NotConnected."""
        self._open_session().tell(name, headers)

    async def action_list(
        self, name: str, *, timeout_s: float | None = None, **headers: HeaderValue
    ) -> list[dict[str, str]]:
        """Send an action that lists; returns the entries, without the first response and the closing event."""
        timeout_s = timeout_s or self._options.action_timeout_s
        answer = await self._open_session().ask(name, headers, timeout_s, as_list=True)
        return answer[1:-1]

    def _open_session(self) -> AmiSession:
        if self._session is None:
            raise NotConnected(self._reason)
        return self._session

    # -- the policy -----------------------------------------------------------------------------------------------

    async def _run(self) -> None:
        while True:
            session = AmiSession(
                self._options,
                self._wanted,
                self._on_event,
                self._log,
                self.counts,
                events=self._events,
                login_timeout_s=self._login_timeout_s,
            )
            try:
                await session.open(self._tls)
            except LoginRefused as error:
                if self._refused(error):
                    return
            except (OSError, LinkError, ValueError) as error:
                self._failed(error)
            else:
                await self._live(session)
            await asyncio.sleep(self._backoff.pause_s())

    async def _live(self, session: AmiSession) -> None:
        """From login to the end of one session."""
        began_at = session.loop.time()
        self._up(session)
        try:
            reason = await session.watch()
        finally:
            self._session = None
            session.close()
        self._backoff.session_ended(session.loop.time() - began_at)
        self._down(reason)

    def _up(self, session: AmiSession) -> None:
        self._session = session
        self._was_up = True
        self._refusals = 0
        self._warned = False
        self.counts["sessions"] += 1
        self._log.info("AMI connected", host=self._options.host, port=self._options.port, events=self._events)
        self._call(self._on_up)

    def _down(self, reason: str) -> None:
        self._reason = reason
        self._log.warning("AMI connection lost", reason=reason)
        self._call(self._on_down, reason)

    def _failed(self, error: Exception) -> None:
        """Log the first failure since the last session as a warning, its repeats at debug."""
        reason = str(error) or "no answer to the login"
        self.counts["failed_connects"] += 1
        tell = self._log.debug if self._warned else self._log.warning
        self._reason, self._warned = reason, True
        tell("AMI cannot be reached", host=self._options.host, port=self._options.port, reason=reason)

    def _refused(self, error: LoginRefused) -> bool:
        """True if the link gives up."""
        self._refusals += 1
        fatal = not self._was_up or self._refusals >= REFUSALS_IN_A_ROW
        self._reason = "login refused"
        self.counts["refused_logins"] += 1
        refusal = LoginRefused(error.username, error.message, in_a_row=self._refusals, fatal=fatal)
        self._log.error("AMI login refused", reason=refusal.message, remedy=refusal.remedy, fatal=fatal)
        self._call(self._on_refused, refusal)
        return fatal

    def _call(self, callback: Callable[..., None], *arguments: object) -> None:
        try:
            callback(*arguments)
        except Exception:  # noqa: BLE001 - a callback's mistake must not end the link
            self.counts["callback_failures"] += 1
            self._log.exception("AMI callback failed", callback=getattr(callback, "__qualname__", repr(callback)))
