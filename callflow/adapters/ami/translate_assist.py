"""AMI events of whispers and goodbyes, and talks found in a list of channels: pure functions."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from callflow.adapters.ami.actions import NAME_PREFIX
from callflow.adapters.ami.translate import AmiEvent, first, stamped_ms
from callflow.core.assist.facts import GoodbyeSpoken
from callflow.core.rings.channels import OTHER_HALF
from callflow.core.rings.names import interface_of, local_pair, safe_name
from callflow.core.rings.talk_events import TalkParties

SAY_PREFIX = "callflow-say-"
SPY_SUFFIX = ";spy"
GOODBYE_EVENT = "CallflowGoodbye"
ACTION_EVENT = "CallflowAction"
SAYING_EVENT, SAID_EVENT = "CallflowSaying", "CallflowSaid"
"""Of a prompt that the listener's own channel plays."""
_CALLERS = {"Queue": True, "Dial": False}
"""Applications of a caller who talks to an agent; whether the first argument is a queue."""


@dataclass(frozen=True, slots=True)
class WhisperAttached:
    """The spy of a whisper sits on its channel, or the listener's own channel begins to play."""

    say_id: str


@dataclass(frozen=True, slots=True)
class WhisperGone:
    """The half that plays has ended, or the listener's own channel has played."""

    say_id: str
    played: bool = True
    """False: Asterisk could not play the file."""


WhisperEvent = WhisperAttached | WhisperGone


def whisper_event(event: AmiEvent) -> WhisperEvent | None:
    """What an AMI event tells of a whisper; None for any other event."""
    match event.get("Event"):
        case "ChanSpyStart":
            say_id = first(event, "SpyerUniqueid")
            return WhisperAttached(say_id.removesuffix(SPY_SUFFIX)) if say_id.startswith(SAY_PREFIX) else None
        case "Hangup":
            say_id = first(event, "Uniqueid")
            is_ours = say_id.startswith(SAY_PREFIX) and not say_id.endswith(SPY_SUFFIX)
            return WhisperGone(say_id) if is_ours else None
        case "UserEvent" if first(event, "UserEvent") == SAYING_EVENT:
            return WhisperAttached(first(event, "Id"))
        case "UserEvent" if first(event, "UserEvent") == SAID_EVENT:
            return WhisperGone(first(event, "Id"), first(event, "Status") == "SUCCESS")
    return None


def recording_over(event: AmiEvent) -> str | None:
    """The id of a name whose recording has ended; None for any other event."""
    uniqueid = first(event, "Uniqueid") if event.get("Event") == "Hangup" else ""
    is_ours = uniqueid.startswith(NAME_PREFIX) and not uniqueid.endswith(SPY_SUFFIX)
    return uniqueid.removeprefix(NAME_PREFIX) if is_ours else None


def goodbye_spoken(event: AmiEvent, arrived_ms: int) -> GoodbyeSpoken | None:
    """The dialplan has played the goodbye, or could not; None for any other event."""
    if event.get("Event") != "UserEvent" or first(event, "UserEvent") != GOODBYE_EVENT:
        return None
    at_ms = stamped_ms(event)
    played = first(event, "Status") == "SUCCESS"
    return GoodbyeSpoken(first(event, "Uniqueid"), arrived_ms if at_ms is None else at_ms, played)


@dataclass(frozen=True, slots=True)
class CodeTyped:
    """A feature code, or a number dialled for the same, on this channel."""

    action: str
    uniqueid: str
    channel: str


def code_typed(event: AmiEvent) -> CodeTyped | None:
    """The action of a feature code; None for any other event."""
    if event.get("Event") != "UserEvent" or first(event, "UserEvent") != ACTION_EVENT:
        return None
    return CodeTyped(first(event, "Action"), first(event, "Uniqueid"), first(event, "Channel"))


def hold_event(event: AmiEvent, arrived_ms: int) -> tuple[str, bool, int] | None:
    """(uniqueid, on hold, when) of a phone that holds the other party or takes it back; None for any other event."""
    if (name := event.get("Event")) not in ("Hold", "Unhold"):
        return None
    at_ms = stamped_ms(event)
    return first(event, "Uniqueid"), name == "Hold", arrived_ms if at_ms is None else at_ms


class Known(Protocol):
    """What the ring tracker knows."""

    def agent_at(self, phone: str, called: str = "") -> str: ...
    def line_at(self, exten: str, interface: str) -> str: ...
    def is_no_talk(self, uniqueid: str) -> bool: ...


def talks_of(channels: Iterable[AmiEvent], known: Known) -> list[TalkParties]:
    """Talks of two in a list of channels (CoreShowChannels): a caller in Queue or Dial, and who answered."""
    seen = _Seen(channels)
    return [talk for one in seen.callers if (talk := _talk(one, seen, known)) is not None]


class _Seen:
    """The channels of a list that are up, with their bridges and the halves of Local channels."""

    def __init__(self, channels: Iterable[AmiEvent]) -> None:
        self._named: dict[str, AmiEvent] = {}
        self._bridges: dict[str, list[AmiEvent]] = defaultdict(list)
        for one in channels:
            if (bridge := first(one, "BridgeId")) and first(one, "ChannelStateDesc") == "Up":
                self._named[first(one, "Channel")] = one
                self._bridges[bridge].append(one)

    @property
    def callers(self) -> list[AmiEvent]:
        """Who waited in Queue or Dial; not the half of a Local channel, which dials on for somebody else."""
        calling = [one for one in self._named.values() if first(one, "Application") in _CALLERS]
        return [one for one in calling if local_pair(first(one, "Channel")) is None]

    def peer(self, one: AmiEvent) -> AmiEvent | None:
        """The other channel in a bridge of two."""
        others = [other for other in self._bridges[first(one, "BridgeId")] if other is not one]
        return others[0] if len(others) == 1 else None

    def party_behind(self, one: AmiEvent) -> AmiEvent | None:
        """Who speaks through a Local channel, or through several in a row; any other channel speaks for itself."""
        party: AmiEvent | None = one
        for _ in self._named:
            if party is None or (pair := local_pair(first(party, "Channel"))) is None:
                return party
            half = self._named.get(f"{pair[0]};{OTHER_HALF[pair[1]]}")
            party = self.peer(half) if half is not None else None
        return None


def _talk(caller: AmiEvent, seen: _Seen, known: Known) -> TalkParties | None:
    member = seen.peer(caller)
    agent = seen.party_behind(member) if member is not None else None
    if member is None or agent is None or first(agent, "Application") in _CALLERS:
        return None
    argument = first(caller, "ApplicationData").partition(",")[0]
    called, of_queue = interface_of(first(member, "Channel")), _CALLERS[first(caller, "Application")]
    line = "" if of_queue else known.line_at(first(caller, "Exten"), called)
    if known.is_no_talk(first(caller, "Uniqueid")) or not (of_queue or line):
        return None  # an agent consults, or calls out
    return TalkParties(
        call_id=first(caller, "Uniqueid"),
        caller_uniqueid=first(caller, "Uniqueid"),
        caller_channel=first(caller, "Channel"),
        agent_uniqueid=first(agent, "Uniqueid"),
        agent_channel=first(agent, "Channel"),
        agent=known.agent_at(interface_of(first(agent, "Channel")), called),
        queue=safe_name(argument) if of_queue else "",
        line=line,
        originated=False,
        caller_number=first(caller, "CallerIDNum"),
    )


ASSIST_WANTED: frozenset[bytes] = frozenset({b"ChanSpyStart", b"Hangup", b"UserEvent"})
"""Names of the events that assistance needs beside those of the ears and of the ring tracker."""
