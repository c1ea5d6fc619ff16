"""The FastAGI server: accepts the calls of Asterisk and refuses everybody else."""

import asyncio
import errno
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from panoramisk.fast_agi import Application

from callflow.accepting import Acceptor
from callflow.adapters.agi.introduction import Introduction, Refused, Voucher, WrongToken, introduce
from callflow.adapters.agi.options import Admission, AgiOptions
from callflow.adapters.agi.session import AgiSession
from callflow.errors import SettingError


class AgiServer(Application):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's application with a handler that no peer can block.

    `on_call` is called, synchronously, with the script and the session of each accepted call, before anything of it is
    read: set the callbacks there.
    """

    def __init__(
        self,
        options: AgiOptions,
        on_call: Callable[[str, AgiSession], None],
        log: Any,
        admission: Admission = Admission(),  # noqa: B008 - frozen
        voucher: Voucher | None = None,
    ) -> None:
        super().__init__(default_encoding="utf-8", loop=asyncio.get_running_loop())
        self._options = options
        self._admission = admission
        self._on_call = on_call
        self._log = log
        self._voucher = voucher
        self._acceptor = Acceptor(options.host, options.port, self._protocol)
        self._strangers: dict[asyncio.StreamWriter, None] = {}
        self._handlers: set[asyncio.Task[Any]] = set()
        self._sessions: dict[str, _Live] = {}
        self.refused: Counter[str] = Counter()
        """Connections closed without a call, by reason."""
        self.counts: Counter[str] = Counter()
        """Calls, failed callbacks, and faults that sessions found in what Asterisk sent."""

    @property
    def live(self) -> int:
        """Calls that have been let in and have not ended."""
        return len(self._sessions)

    @property
    def port(self) -> int:
        """The port in use, which the system chose if the options say 0."""
        address = self._acceptor.address
        return self._options.port if address is None else address[1]

    async def start(self) -> None:
        """Take the address and listen; raises SettingError if the address cannot be used."""
        await self.bind()
        self.listen()

    async def bind(self) -> None:
        """Take the address, on which Asterisk is refused until `listen`; raises SettingError if it cannot be used."""
        try:
            await self._acceptor.bind()
        except OSError as error:
            raise _unusable(self._options, error) from error

    def listen(self) -> None:
        """Let calls in; raises SettingError if another program has begun to listen on the address since `bind`."""
        try:
            self._acceptor.listen()
        except OSError as error:
            raise _unusable(self._options, error) from error

    async def stop(self) -> None:
        """Stop listening, and return every channel to the dialplan."""
        self._acceptor.close()
        for writer in list(self._strangers):
            writer.transport.abort()
        for live in list(self._sessions.values()):
            live.session.close()
        if self._handlers:
            await asyncio.wait(self._handlers, timeout=1.0)

    async def handler(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection from its first byte to its last; never raises."""
        if task := asyncio.current_task():
            self._handlers.add(task)
            task.add_done_callback(self._handlers.discard)
        try:
            introduction = await self._introduced(reader, writer)
            self._release_earlier(introduction)
            await self._serve(introduction, AgiSession(self, introduction.variables, reader, writer, self.counts))
        except Refused as refusal:
            self._refuse(refusal, writer)
        finally:
            writer.close()

    def _protocol(self) -> asyncio.StreamReaderProtocol:
        """For one connection: calls `handler` as soon as it is made."""
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(self._admission.max_header_bytes), self.handler)

    # -- letting in -----------------------------------------------------------------------------------------------

    async def _introduced(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Introduction:
        """What a peer says about itself; raises Refused unless it is a call for us."""
        if len(self._sessions) >= self._admission.max_sessions:
            raise Refused("too many calls")
        self._make_room()
        self._strangers[writer] = None
        try:
            async with asyncio.timeout(self._admission.header_timeout_s):
                return await introduce(reader, writer, self._options.token.get_secret_value(), self._voucher)
        except TimeoutError:
            raise Refused("no whole header in time") from None
        except asyncio.LimitOverrunError:
            raise Refused("header too long") from None
        except (asyncio.IncompleteReadError, OSError):
            raise Refused("closed before its header was whole") from None
        finally:
            self._strangers.pop(writer, None)

    def _make_room(self) -> None:
        """Drop the oldest stranger when there are too many: Asterisk sends its header within a millisecond."""
        while len(self._strangers) >= self._admission.max_strangers:
            oldest = next(iter(self._strangers))
            del self._strangers[oldest]
            oldest.transport.abort()

    def _release_earlier(self, introduction: Introduction) -> None:
        """Close the earlier session of a channel that is screened again; raises Refused for anybody else's attempt."""
        earlier = self._sessions.get(introduction.uniqueid)
        if earlier is None or earlier.session.closed:
            return
        if not introduction.proven or earlier.call_id == introduction.call_id:
            raise Refused("its call is being served already")
        earlier.session.close()

    def _refuse(self, refusal: Refused, writer: asyncio.StreamWriter) -> None:
        """The first refusal of a kind is a warning, its repeats are debug."""
        reason = refusal.reason
        self.refused[reason] += 1
        log = self._log.warning if self.refused[reason] == 1 else self._log.debug
        log("FastAGI connection refused", reason=reason, peer=writer.get_extra_info("peername"))
        writer.transport.abort()
        if self._voucher is not None and isinstance(refusal, WrongToken):
            self._voucher.renew_token()

    async def _serve(self, introduction: Introduction, session: AgiSession) -> None:
        """From acceptance to the end of one call."""
        live = self._sessions[introduction.uniqueid] = _Live(introduction.call_id, session)
        self.counts["calls"] += 1
        try:
            self._on_call(introduction.script, session)
            await session.run(hung_up=introduction.hung_up)
        except Exception:  # noqa: BLE001 - one call's fault must not reach the others
            self.counts["callback_failures"] += 1
            self._log.exception("FastAGI call could not be handled", uniqueid=introduction.uniqueid)
        finally:
            if self._sessions.get(introduction.uniqueid) is live:
                del self._sessions[introduction.uniqueid]
            session.close()


@dataclass(frozen=True, slots=True)
class _Live:
    """An accepted call."""

    call_id: str
    session: AgiSession


def _unusable(options: AgiOptions, error: Exception) -> SettingError:
    """The error for an address that the server cannot listen on."""
    where = f"{options.host}:{options.port}"
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return SettingError("[agi] port", f"{where} is in use", "end the other program, or choose another port")
    if isinstance(error, OSError) and error.errno == errno.EACCES:
        return SettingError("[agi] port", f"{where} needs root", "choose a port above 1023")
    return SettingError("[agi] host", f"cannot listen on {where}: {error}", "use an address of this machine")
