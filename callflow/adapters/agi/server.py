"""The FastAGI server: lets callers in, and nothing else."""

import asyncio
import errno
import hmac
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from panoramisk.fast_agi import Application

from callflow.adapters.agi.arrival import parse_variables
from callflow.adapters.agi.options import Admission, AgiOptions
from callflow.adapters.agi.session import AgiSession
from callflow.errors import SettingError

SCRIPT = "screen"


class AgiServer(Application):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's application with a handler that no peer can hold up.

    `on_call` is called, synchronously, for each accepted call, before anything of it is read: set the callbacks there.
    """

    def __init__(
        self,
        options: AgiOptions,
        on_call: Callable[[AgiSession], None],
        log: Any,
        admission: Admission = Admission(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(default_encoding="utf-8", loop=asyncio.get_running_loop())
        self._options = options
        self._admission = admission
        self._on_call = on_call
        self._log = log
        self._server: asyncio.Server | None = None
        self._strangers: dict[asyncio.StreamWriter, None] = {}
        self._handlers: set[asyncio.Task[Any]] = set()
        self.sessions: set[AgiSession] = set()
        self.refused: Counter[str] = Counter()
        """Connections closed without a call, by reason."""
        self.counts: Counter[str] = Counter()
        """Calls, failed callbacks, and what sessions found odd."""

    @property
    def port(self) -> int:
        """The port in use, which the system chose if the options say 0."""
        if self._server is None or not self._server.sockets:
            return self._options.port
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self) -> None:
        """Listen; raises SettingError when the address cannot be had."""
        options = self._options
        try:
            self._server = await asyncio.start_server(
                self.handler, options.host, options.port, limit=self._admission.max_header_bytes, backlog=1024
            )
        except (OSError, ValueError) as error:
            raise _unusable(options, error) from error

    async def stop(self) -> None:
        """Stop listening and give every channel back to the dialplan."""
        if self._server is not None:
            self._server.close()
        for writer in list(self._strangers):
            writer.transport.abort()
        for session in list(self.sessions):
            session.close()
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=1.0)

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its first byte to its last; never raises."""
        if task := asyncio.current_task():
            self._handlers.add(task)
            task.add_done_callback(self._handlers.discard)
        try:
            variables = await self._introduction(reader, writer)
            await self._serve(AgiSession(self, variables, reader, writer, self.counts))
        except _Refused as refusal:
            self._refuse(refusal.reason, writer)
        finally:
            writer.close()

    # -- letting in -----------------------------------------------------------------------------------------------

    async def _introduction(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, str]:
        """What a peer says about itself; raises _Refused unless it is a call for us."""
        if len(self.sessions) >= self._admission.max_sessions:
            raise _Refused("too many calls")
        self._make_room()
        self._strangers[writer] = None
        try:
            async with asyncio.timeout(self._admission.header_timeout_s):
                raw = await reader.readuntil(b"\n\n")
        except TimeoutError:
            raise _Refused("no whole header in time") from None
        except asyncio.LimitOverrunError:
            raise _Refused("header too long") from None
        except (asyncio.IncompleteReadError, OSError):
            raise _Refused("closed before its header was whole") from None
        finally:
            self._strangers.pop(writer, None)
        if raw.count(b"\n") > self._admission.max_headers:
            raise _Refused("too many header lines")
        variables = parse_variables(raw)
        self._check(variables)
        return variables

    def _make_room(self) -> None:
        """Asterisk introduces itself within a millisecond: of too many strangers the oldest is no call."""
        while len(self._strangers) >= self._admission.max_strangers:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.transport.abort()

    def _check(self, variables: Mapping[str, str]) -> None:
        if "agi_network_script" not in variables:
            raise _Refused("not FastAGI")
        path = variables["agi_network_script"].partition("?")[0].strip("/")
        token = self._options.token.get_secret_value()
        expected = f"{token}/{SCRIPT}" if token else SCRIPT
        if not hmac.compare_digest(path.encode(), expected.encode()):
            raise _Refused("wrong path or token")
        if not variables.get("agi_uniqueid") or not variables.get("agi_channel"):
            raise _Refused("no channel named")

    def _refuse(self, reason: str, writer: asyncio.StreamWriter) -> None:
        """First one of a kind warned, repeats told at debug."""
        self.refused[reason] += 1
        tell = self._log.warning if self.refused[reason] == 1 else self._log.debug
        tell("FastAGI connection refused", reason=reason, peer=writer.get_extra_info("peername"))
        writer.transport.abort()

    async def _serve(self, session: AgiSession) -> None:
        """From acceptance to the end of one call."""
        self.sessions.add(session)
        self.counts["calls"] += 1
        try:
            self._on_call(session)
            await session.run()
        except Exception:  # noqa: BLE001 - one call's fault must not reach the others
            self.counts["callback_failures"] += 1
            self._log.exception("FastAGI call could not be handled", uniqueid=session.variables["agi_uniqueid"])
        finally:
            self.sessions.discard(session)
            session.close()


class _Refused(Exception):
    """A connection that is not let in, and why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _unusable(options: AgiOptions, error: Exception) -> SettingError:
    """The sentence for an address that cannot be listened on."""
    where = f"{options.host}:{options.port}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return SettingError("[agi] port", f"{where} is in use", "end the other program, or choose another port")
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return SettingError("[agi] port", f"{where} needs root", "choose a port above 1023")
    return SettingError("[agi] host", f"cannot listen on {where}: {error}", "use an address of this machine")
