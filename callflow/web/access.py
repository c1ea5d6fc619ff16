"""Who a visitor is and what they may see: bearer tokens, session cookies, a proxy's header."""

import time
from collections import OrderedDict
from dataclasses import dataclass, replace

import structlog
from itsdangerous import BadSignature, SignatureExpired, TimestampSigner
from starlette.requests import Request
from starlette.responses import Response

from callflow.web.errors import Forbidden, NotSignedIn, TooManyAttempts
from callflow.web.options import WebOptions
from callflow.web.tokens import Role, Token, TokenFile

COOKIE = "callflow_session"
MOST_WRONG = 10
WINDOW_S = 60.0
ADDRESSES = 10_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
FROM_THE_PAGE = "x-callflow"
"""Every change from a session must carry this header: another site's form cannot send it."""
ORDER = (Role.AGENT, Role.VIEWER, Role.SUPERVISOR, Role.ADMIN)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Visitor:
    """A signed-in person or program."""

    name: str
    role: Role
    queues: tuple[str, ...] = ()
    agent: str = ""
    token_id: str = ""
    in_session: bool = False
    """By the session's cookie, and so no longer than the session."""

    def at_least(self, role: Role) -> bool:
        """The visitor's role is this one or a higher one."""
        return ORDER.index(self.role) >= ORDER.index(role)

    def need(self, role: Role) -> None:
        """Raises Forbidden for a lower role."""
        if not self.at_least(role):
            raise Forbidden(f"this needs the role {role}; yours is {self.role}", "ask an administrator for a token")

    def need_administrator(self) -> None:
        """Raises Forbidden; who is limited to queues could create tokens without limits."""
        self.need(Role.ADMIN)
        if self.queues:
            raise Forbidden("this needs an administrator who is not limited to queues", "ask for another token")

    def sees_queue(self, queue: str) -> bool:
        """Tokens may be limited to queues."""
        return not self.queues or queue in self.queues


class Attempts:
    """Counts wrong tokens by address; memory is bounded, the oldest address goes first."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()

    def check(self, address: str, now_s: float) -> None:
        """Raises TooManyAttempts for an address that has guessed too often."""
        wrong = [at for at in self._wrong.get(address, ()) if now_s - at < WINDOW_S]
        if len(wrong) >= MOST_WRONG:
            raise TooManyAttempts(max(1, round(WINDOW_S - (now_s - wrong[0]))))

    def wrong(self, address: str, now_s: float) -> None:
        """A wrong token came from here; the log says when the address must wait."""
        recent = [at for at in self._wrong.pop(address, ()) if now_s - at < WINDOW_S]
        self._wrong[address] = [*recent, now_s][-MOST_WRONG:]
        if len(recent) + 1 == MOST_WRONG:
            log.warning("an address has sent too many wrong tokens and must wait", address=address, tokens=MOST_WRONG)
        while len(self._wrong) > ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Forget earlier mistakes."""
        self._wrong.pop(address, None)


class Access:
    """Finds the visitor of a request. A session's cookie is signed with its token's hash, so it ends with the token."""

    def __init__(self, options: WebOptions, tokens: TokenFile) -> None:
        self._options = options
        self._tokens = tokens
        self._attempts = Attempts()

    def visitor(self, request: Request) -> Visitor:
        """Who makes this request; raises NotSignedIn, TooManyAttempts, or Forbidden for a change without its header."""
        bearer = request.headers.get("authorization", "")
        if bearer.lower().startswith("bearer "):
            return self._of(self._checked(request, bearer[7:].strip()))
        found = self._by_proxy(request) or self._by_cookie(request)
        if found is None:
            raise NotSignedIn
        if request.method not in SAFE and FROM_THE_PAGE not in request.headers:
            raise Forbidden("this request does not come from the page", f"send the header {FROM_THE_PAGE}: 1")
        return found

    def sign_in(self, request: Request, secret: str, response: Response) -> Visitor:
        """Open a session with a token's secret; raises NotSignedIn or TooManyAttempts."""
        token = self._checked(request, secret)
        response.set_cookie(
            COOKIE,
            _signer(token).sign(token.id).decode(),
            max_age=self._lifetime_s(token),
            httponly=True,
            samesite="strict",
            secure=self._options.secure_cookie,
        )
        return self._of(token)

    def still(self, request: Request, visitor: Visitor) -> bool:
        """Whether the visitor of this request may go on: their token is valid, and a session has not ended."""
        if visitor.in_session:
            return self._by_cookie(request) is not None
        return self._tokens.find(visitor.token_id) is not None

    def sign_out(self, response: Response) -> None:
        """Close the session in this browser."""
        response.delete_cookie(COOKIE, httponly=True, samesite="strict", secure=self._options.secure_cookie)

    def _lifetime_s(self, token: Token) -> int:
        """A token without an end opens sessions without one: a wall display stays on for months."""
        return 400 * 86_400 if token.expires_ms is None else int(3600 * self._options.session_h)

    def _checked(self, request: Request, secret: str) -> Token:
        address, now_s = self._address(request), time.monotonic()
        self._attempts.check(address, now_s)
        token = self._tokens.check(secret)
        if token is None:
            self._attempts.wrong(address, now_s)
            raise NotSignedIn("this token is wrong, expired or revoked")
        self._attempts.right(address)
        return token

    def _address(self, request: Request) -> str:
        """Where a request comes from; behind a trusted proxy the last address that it has added."""
        peer = request.client.host if request.client else ""
        forwarded = request.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
        return forwarded[:64] if forwarded and self._options.proxy_user_header and self._trusts(peer) else peer

    def _trusts(self, peer: str) -> bool:
        return peer in self._options.proxy_addresses

    def _by_cookie(self, request: Request) -> Visitor | None:
        cookie = request.cookies.get(COOKIE, "")
        token = self._tokens.find(cookie.partition(".")[0])
        if token is None:
            return None
        try:
            _signer(token).unsign(cookie, max_age=self._lifetime_s(token))
        except (SignatureExpired, BadSignature):
            return None
        return replace(self._of(token), in_session=True)

    def _by_proxy(self, request: Request) -> Visitor | None:
        """The proxy names a token by `name`; it has checked the person itself."""
        header, peer = self._options.proxy_user_header, request.client.host if request.client else ""
        if not header or not self._trusts(peer):
            return None
        user = _as_sent(request.headers.get(header, ""))
        named = [token for token in self._tokens.all() if token.name == user and self._tokens.find(token.id)]
        return self._of(named[-1]) if user and named else None

    @staticmethod
    def _of(token: Token) -> Visitor:
        return Visitor(token.name, token.role, token.queues, token.agent, token.id)


def _as_sent(value: str) -> str:
    """A header's value as UTF-8, in which proxies send names; Starlette takes it for Latin-1."""
    try:
        return value.encode("latin-1").decode()
    except UnicodeError:
        return value


def _signer(token: Token) -> TimestampSigner:
    return TimestampSigner(token.secret_sha256, salt="callflow session")
