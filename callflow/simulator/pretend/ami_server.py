"""AMI: one port, its sessions, and how a session reads actions, logs in and answers."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.world import LOOPBACK

MAX_LINE_BYTES = 1024
WRITE_TIMEOUT_S = 5.0
"""`writetimeout = 5000` in manager_callflow.conf."""
MOST_UNREAD_BYTES = 16_000_000
AUTH_TIMEOUT_S = 30.0
REFUSAL_S = 1.0

Message = list[tuple[str, str]]
Handler = Callable[["AmiSession", str, "Request"], None]


@dataclass(frozen=True, slots=True)
class User:
    """One section of manager.conf."""

    secret: str
    read: frozenset[str] = frozenset({"call", "agent", "dtmf", "user"})
    write: frozenset[str] = frozenset({"call", "agent", "originate", "reporting"})


Users = Mapping[str, User]


@dataclass(slots=True)
class Request:
    """The headers of one action, in order; names are looked up as Asterisk does, whatever their case."""

    headers: Message = field(default_factory=list)
    too_long: bool = False

    def get(self, name: str) -> str:
        """The first header of this name, "" when there is none."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")

    def all(self, name: str) -> list[str]:
        """Every header of this name."""
        wanted = name.lower()
        return [value for key, value in self.headers if key.lower() == wanted]


class AmiSession(asyncio.Protocol):
    """A peer of the manager interface."""

    def __init__(
        self,
        ami_version: str,
        users: Users,
        handle: Handler,
        on_open: Callable[["AmiSession"], None],
        on_close: Callable[["AmiSession"], None],
        on_login: Callable[["AmiSession"], None],
    ) -> None:
        self._ami_version, self._users, self._handle = ami_version, users, handle
        self._on_open, self._on_close, self._on_login = on_open, on_close, on_login
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._buffer = b""
        self._request = Request()
        self.user: User | None = None
        self.listens_to: frozenset[str] = frozenset()
        self.was_cut_off = False

    # -- the connection -------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a TCP connection is a Transport
        self._on_open(self)
        self._timer = asyncio.get_running_loop().call_later(AUTH_TIMEOUT_S, self.drop)
        self.send(f"Asterisk Call Manager/{self._ami_version}\r\n".encode())

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel_timer()
        self.listens_to = frozenset()
        self.user = None
        self._on_close(self)

    def send(self, data: bytes) -> None:
        """Write; drops a peer that has left too much unread."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        transport.write(data)
        if transport.get_write_buffer_size() > MOST_UNREAD_BYTES:
            self._cut_off()

    def pause_writing(self) -> None:
        self._cancel_timer()
        self._timer = asyncio.get_running_loop().call_later(WRITE_TIMEOUT_S, self._cut_off)

    def resume_writing(self) -> None:
        self._cancel_timer()

    def drop(self) -> None:
        """Close at once, without sending the rest."""
        if self._transport is not None:
            self._transport.abort()

    def _cut_off(self) -> None:
        self.was_cut_off = True
        self.drop()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- what comes in --------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"))
        if len(self._buffer) > MAX_LINE_BYTES:
            self._buffer = self._buffer[:0]
            self._request.too_long = True

    def _take(self, line: bytes) -> None:
        if line:
            if len(line) > MAX_LINE_BYTES:
                self._request.too_long = True
                return
            name, colon, value = line.decode("utf-8", "surrogateescape").partition(":")
            if colon:
                self._request.headers.append((name.strip(), value.strip()))
            else:
                self._request.headers.append(("", name))
        elif self._request.headers or self._request.too_long:
            request, self._request = self._request, Request()
            self._act(request)

    def _act(self, request: Request) -> None:
        action = request.get("Action")
        if request.too_long:
            self.error(request, "Failed to parse message: line too long")
        elif not action:
            self.error(request, "Missing action in request")
        elif action.lower() == "login":
            self._login(request)
        elif action.lower() not in ("challenge", "logoff") and self.user is None:
            self.error(request, "Permission denied")
        else:
            self._handle(self, action, request)

    def _login(self, request: Request) -> None:
        if self.user is not None:
            self.success(request, "Message: Already authenticated")
            return
        user = self._users.get(request.get("Username"))
        if user is None or not request.get("Secret") or request.get("Secret") != user.secret:
            asyncio.get_running_loop().call_later(REFUSAL_S, self._refuse, request)
            return
        self._cancel_timer()
        self.user = user
        self.success(request, "Message: Authentication accepted")
        self.listen(request.get("Events") or "on")
        self._on_login(self)

    def _refuse(self, request: Request) -> None:
        self.error(request, "Authentication failed")
        self.close()

    def listen(self, mask: str) -> bool:
        """Take events of these classes: on, off, or names; returns whether there are any."""
        allowed = self.user.read if self.user else frozenset()
        match mask.strip().lower():
            case "off" | "no" | "false" | "0":
                self.listens_to = frozenset()
            case "on" | "yes" | "true" | "all" | "":
                self.listens_to = allowed
            case names:
                self.listens_to = allowed & {name.strip() for name in names.split(",")}
        return bool(self.listens_to)

    # -- what goes out --------------------------------------------------------------------------------------------

    def success(self, request: Request, *lines: str) -> None:
        """`Response: Success` with the action's id and further headers."""
        self.answer(request, "Success", *lines)

    def error(self, request: Request, message: str) -> None:
        """`Response: Error` with a sentence."""
        self.answer(request, "Error", f"Message: {message}")

    def answer(self, request: Request, response: str, *lines: str) -> None:
        """A response."""
        self.send(_message(f"Response: {response}", request, lines))

    def entry(self, name: str, request: Request, headers: str) -> None:
        """One event of a list; it has no Privilege and no Timestamp."""
        self.send(_message(f"Event: {name}", request, (headers.rstrip("\r\n"),)))

    def close(self) -> None:
        """Close when everything has been sent."""
        if self._transport is not None:
            self._transport.close()


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
        """Send one event, stamped now, to every session that takes its class."""
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


def _message(first: str, request: Request, lines: tuple[str, ...]) -> bytes:
    action_id = request.get("ActionID")
    named = (f"ActionID: {action_id}",) if action_id else ()
    return ("\r\n".join((first, *named, *lines)) + "\r\n\r\n").encode("utf-8", "surrogateescape")
