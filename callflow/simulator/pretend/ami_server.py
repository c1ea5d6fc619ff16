"""The manager interface: listens, and hands every event to every session that wants it."""

import asyncio
from collections.abc import Callable

from callflow.simulator.pretend.ami_session import AmiSession, Handler, Users
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.world import LOOPBACK


class AmiServer:
    """One AMI port and its sessions."""

    def __init__(self, clock: Clock, ami_version: str, users: Users, handle: Handler) -> None:
        self._clock, self._ami_version, self._users, self._handle = clock, ami_version, users, handle
        self._server: asyncio.Server | None = None
        self.sessions: set[AmiSession] = set()
        self.on_login: Callable[[AmiSession], None] = lambda session: None
        self.cut_off = 0
        """Sessions dropped because they did not read."""

    @property
    def port(self) -> int:
        """The port in use; 0 while closed."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server and self._server.sockets else 0

    @property
    def logged_in(self) -> int:
        return sum(session.user is not None for session in self.sessions)

    async def start(self, port: int) -> None:
        """Listen on loopback. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, LOOPBACK, port)

    def close(self) -> None:
        """Stop listening and drop every session."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in list(self.sessions):
            session.drop()

    def emit(self, kind: str, name: str, headers: str) -> None:
        """One event, stamped now, to whoever wants its class."""
        wanting = [session for session in self.sessions if kind in session.listens_to]
        if not wanting:
            return
        text = f"Event: {name}\r\nPrivilege: {kind},all\r\nTimestamp: {self._clock.stamp()}\r\n{headers}\r\n"
        data = text.encode()
        for session in wanting:
            session.send(data)

    def _session(self) -> AmiSession:
        return AmiSession(self._ami_version, self._users, self._handle, self._opened, self._closed, self._logged_in)

    def _opened(self, session: AmiSession) -> None:
        self.sessions.add(session)

    def _closed(self, session: AmiSession) -> None:
        self.sessions.discard(session)
        self.cut_off += session.was_cut_off

    def _logged_in(self, session: AmiSession) -> None:
        self.on_login(session)
