"""Every error that callflow raises on purpose, in one tree.

CallflowError
├── SettingError          a setting is wrong: the user's mistake, exit code 2
├── LinkError             the link to Asterisk's manager interface (AMI)
│   ├── NotConnected      no session, or it ended before the answer came
│   ├── ActionTimeout     Asterisk did not answer in time; whether it acted is unknown
│   ├── ActionRefused     Asterisk answered "Error"
│   ├── ActionUnsafe      an action that could carry a second one, or that Asterisk would cut (also a ValueError)
│   └── LoginRefused      wrong username or secret
├── AgiError              one caller's FastAGI connection
│   ├── AgiHangup         the caller hung up
│   ├── AgiClosedEarly    the connection ended without a hang-up
│   ├── AgiRefused        Asterisk did not accept or could not do a command
│   ├── AgiTimeout        Asterisk did not answer a command in time
│   └── AgiUnsafe         a command that could carry a second one (also a ValueError)
├── TapFailed             a caller's audio is not available
├── HearingFailed         the voice detector cannot be loaded
├── InstallError          callflow cannot be installed or removed here
├── StoreError            the database of calls
│   ├── StoreAway         it is away, or not ready yet, and may come by itself
│   └── DatabaseMissing   its file was deleted or moved away while in use
└── LabError              the lab: the real Asterisk used for tests and the demo
"""


class CallflowError(Exception):
    """Base of all errors; `problem` and `remedy` are one sentence each, without a full stop."""

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(f"{problem}; {remedy}" if remedy else problem)
        self.problem = problem
        self.remedy = remedy


class SettingError(CallflowError):
    """A setting is wrong; `setting` names it as in the file, e.g. `[agi] port`."""

    def __init__(self, setting: str, problem: str, remedy: str) -> None:
        super().__init__(f"{setting}: {problem}", remedy)
        self.setting = setting


class LinkError(CallflowError):
    """AMI did not do what callflow asked."""


class NotConnected(LinkError):
    """There is no AMI session, or it ended before the answer came."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"AMI is not connected ({reason})", "check that Asterisk runs, and that [ami] host and port are right"
        )
        self.reason = reason


class ActionTimeout(LinkError):
    """Asterisk did not answer `action` within `after_s`; whether it acted is unknown."""

    def __init__(self, action: str, after_s: float) -> None:
        super().__init__(f"AMI did not answer {action} within {after_s:g} s", "check the load of Asterisk")
        self.action = action
        self.after_s = after_s


class ActionRefused(LinkError):
    """Asterisk answered `action` with an error; `message` is its own text."""

    def __init__(self, action: str, message: str) -> None:
        super().__init__(f"AMI refused {action}: {message}", "compare the user's read= and write= in manager.conf")
        self.action = action
        self.message = message


class ActionUnsafe(LinkError, ValueError):
    """A header could carry a second action, or is longer than Asterisk reads; nothing was sent."""

    def __init__(self, action: str, header: str, problem: str) -> None:
        super().__init__(f"{action} not sent: header {header!r} {problem}")
        self.action = action
        self.header = header


class LoginRefused(LinkError):
    """Asterisk refused the login `in_a_row` times; `fatal`: callflow will not try again."""

    def __init__(self, username: str, message: str, *, in_a_row: int = 1, fatal: bool = False) -> None:
        remedy = "correct [ami] username and secret, or the user's secret, permit and deny in manager.conf"
        super().__init__(f"AMI refused the login of user {username!r}: {message}", remedy)
        self.username = username
        self.message = message
        self.in_a_row = in_a_row
        self.fatal = fatal


class AgiError(CallflowError):
    """A caller's FastAGI connection did not do what callflow asked."""


class AgiHangup(AgiError):
    """The caller hung up."""


class AgiClosedEarly(AgiError):
    """The FastAGI connection ended without a hang-up: the call moved elsewhere, or callflow closed it."""


class AgiRefused(AgiError):
    """Asterisk did not accept `command`, or could not do it; `answer` is its own text."""

    def __init__(self, command: str, answer: str) -> None:
        super().__init__(f"Asterisk answered {command!r} with {answer!r}")
        self.command = command
        self.answer = answer


class AgiTimeout(AgiError):
    """Asterisk did not answer `command` within `after_s`."""

    def __init__(self, command: str, after_s: float) -> None:
        super().__init__(f"Asterisk did not answer {command!r} within {after_s:g} s")
        self.command = command
        self.after_s = after_s


class AgiUnsafe(AgiError, ValueError):
    """A text could carry a second command; nothing was sent."""


class TapFailed(CallflowError):
    """A caller's audio is not available; callflow uses TALK_DETECT alone."""


class HearingFailed(CallflowError):
    """The voice detector cannot be loaded, so no audio can be judged."""


class StoreError(CallflowError):
    """The database of calls cannot be read or written."""


class StoreAway(StoreError):
    """The database cannot be reached, or another program has yet to make it ready: it may come by itself."""


class DatabaseMissing(StoreError):
    """The database file was deleted or moved away while in use."""


class InstallError(CallflowError):
    """callflow cannot be installed on this system, or removed from it."""


class LabError(CallflowError):
    """The lab is not available, or one of its programs did not start."""


def first_of(error: BaseException) -> BaseException:
    """The error itself, or the first in a group, at any depth."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
