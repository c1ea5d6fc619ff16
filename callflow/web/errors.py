"""Errors of the page: each knows the HTTP status that it becomes.

WebError
├── NotSignedIn      401
├── Forbidden        403
├── NotFound         404
├── Conflict         409
├── Unfit            422
├── TooManyAttempts  429
├── TooManyViewers   503
├── QueryTooSlow     503
└── NotReachable     504
"""

from typing import ClassVar

from callflow.errors import CallflowError


class WebError(CallflowError):
    """A request that cannot be served; `problem` and `remedy` are sentences for the person who made it."""

    status: ClassVar[int] = 500
    retry_after_s: int | None = None


class NotSignedIn(WebError):
    """No valid token or session came with the request."""

    status = 401

    def __init__(self, problem: str = "you are not signed in") -> None:
        super().__init__(problem, "sign in with a token; `callflow web token` creates one")


class Forbidden(WebError):
    """The role may not do this."""

    status = 403


class NotFound(WebError):
    """There is no such thing."""

    status = 404


class Conflict(WebError):
    """Things are no longer as they were when the visitor looked."""

    status = 409


class Unfit(WebError):
    """What was sent does not fit together."""

    status = 422


class TooManyAttempts(WebError):
    """Too many wrong tokens came from one address."""

    status = 429

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("too many wrong tokens from this address", f"try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class TooManyViewers(WebError):
    """All live streams are taken."""

    status = 503
    retry_after_s = 10

    def __init__(self, most: int) -> None:
        super().__init__(f"all {most} live streams are in use", "close other tabs, or raise web.max_viewers")


class QueryTooSlow(WebError):
    """The database did not answer in time."""

    status = 503
    retry_after_s = 5

    def __init__(self, timeout_s: float) -> None:
        super().__init__(f"the database did not answer within {timeout_s:g} s", "ask for a shorter period")


class NotReachable(WebError):
    """The node that would have to act has not answered."""

    status = 504
