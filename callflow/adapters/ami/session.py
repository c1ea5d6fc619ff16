"""One AMI connection from login to end; it never reconnects, so no action is sent twice."""

import asyncio
import ssl
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from panoramisk.manager import Manager

from callflow.adapters.ami.framing import Answer, HeaderValue, PendingAction, checked
from callflow.adapters.ami.options import AmiOptions
from callflow.adapters.ami.protocol import GatedProtocol
from callflow.errors import ActionRefused, LoginRefused, NotConnected


class AmiSession(Manager):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's manager, cut down to one connection: `open`, `ask`, `watch` until it has `ended`."""

    def __init__(
        self,
        options: AmiOptions,
        wanted: frozenset[bytes],
        on_event: Callable[[dict[str, str]], None],
        log: Any,
        counts: Counter[str],
        *,
        events: str,
        login_timeout_s: float,
    ) -> None:
        self.counts = counts
        super().__init__(
            host=options.host,
            port=options.port,
            loop=asyncio.get_running_loop(),
            protocol_factory=partial(GatedProtocol, wanted, self),
            log=log,
        )
        self._options = options
        self._events = events
        self._login_timeout_s = login_timeout_s
        self._on_event = on_event
        self.protocol: GatedProtocol | None = None
        self.ended: asyncio.Future[str] = self.loop.create_future()
        """Resolves to the reason as soon as the connection has failed or closed."""

    async def open(self, tls: ssl.SSLContext | None) -> None:
        """Connect and log in; raises OSError, TimeoutError, LoginRefused or NotConnected."""
        try:
            async with asyncio.timeout(self._login_timeout_s):
                _, self.protocol = await self.loop.create_connection(
                    self.config["protocol_factory"], self.config["host"], self.config["port"], ssl=tls
                )
                await self._login()
        except BaseException:
            self.close()
            raise

    async def _login(self) -> None:
        options = self._options
        secret = options.secret.get_secret_value()
        headers: dict[str, HeaderValue] = {"Username": options.username, "Secret": secret, "Events": self._events}
        try:
            await self.ask("Login", headers, self._login_timeout_s)
        except ActionRefused as error:
            raise LoginRefused(options.username, error.message) from None
        self.authenticated = True

    @property
    def protocol_version(self) -> str:
        """As the banner says it; "" before it has come."""
        return "" if self.protocol is None else self.protocol.version or ""

    async def ask(
        self, name: str, headers: dict[str, HeaderValue], timeout_s: float, *, as_list: bool = False
    ) -> Answer:
        """Send one action and wait for its whole answer; raises NotConnected, ActionTimeout, ActionRefused."""
        if self.protocol is None:
            raise NotConnected("not connected yet")
        action = PendingAction(checked(name, headers), as_list=as_list)
        too_late = self.loop.call_later(timeout_s, action.time_out, timeout_s)
        try:
            return await self.protocol.send(action)
        finally:
            too_late.cancel()
            self.protocol.forget(action)
            del action, too_late  # an error holds this frame, and the action's future holds the error

    def tell(self, name: str, headers: dict[str, HeaderValue]) -> None:
        """Send one action and ignore its answer; raises NotConnected."""
        if self.protocol is None:
            raise NotConnected("not connected yet")
        self.protocol.send(PendingAction(checked(name, headers)))

    async def watch(self) -> str:
        """Wait for the end and return the reason; ping a silent peer, and drop it if it does not answer."""
        protocol = self.protocol
        if protocol is None:
            raise NotConnected("not connected yet")
        while not self.ended.done():
            idle_s = self.loop.time() - protocol.last_byte_at
            if idle_s < self._options.ping_interval_s:
                await self._ended_within(self._options.ping_interval_s - idle_s)
            elif not await self._alive(protocol):
                protocol.abort(f"no sign of life for {self.loop.time() - protocol.last_byte_at:.1f} s")
        return self.ended.result()

    async def _alive(self, protocol: GatedProtocol) -> bool:
        """One ping: True if any byte has arrived since, however late this loop runs."""
        before = protocol.last_byte_at
        ping = PendingAction(checked("Ping", {}))
        try:
            protocol.send(ping)
            await self._ended_within(self._options.ping_timeout_s, ping.future)
        except NotConnected:
            return False
        finally:
            protocol.forget(ping)
        await asyncio.sleep(0)
        return self.ended.done() or protocol.last_byte_at > before

    async def _ended_within(self, timeout_s: float, *others: "asyncio.Future[Any]") -> None:
        await asyncio.wait({self.ended, *others}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)

    # -- panoramisk's hooks ---------------------------------------------------------------------------------------

    def dispatch(self, event: dict[str, str]) -> None:
        """Pass one wanted event on; the protocol catches and counts what it raises."""
        self._on_event(event)

    def connection_lost(self, reason: str) -> None:
        """The connection has ended; the link decides whether to reconnect."""
        self._connected = self.authenticated = False
        if not self.ended.done():
            self.ended.set_result(reason)

    def connect(self, *_: Any, **__: Any) -> None:
        """Not used: panoramisk would connect and reconnect by itself."""
        raise NotImplementedError("use open()")
