"""Describes how the events of another Asterisk differ from those of real ones in the same calls."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from callflow.captures.capture_file import Block, Capture
from callflow.simulator.conformance import Call, ChannelEvent, calls_of, value_class

TOLERANCE_S = 0.1
"""Of any event's time: the project's own figure for times on the wire. Two runs of the same calls on real Asterisk
differ by 4 ms at the median and 51 ms at p99: a caller's frame is 20 ms long, TALK_DETECT counts in whole frames, the
clock of SIPp ticks in milliseconds, and forty calls share two processors. The pretend one is as near: 10 and 50 ms."""
_ENDPOS = re.compile(r"endpos=\d+")
_RANDOM = re.compile(r"\b[0-9a-f]{16}\b")
"""The daemon's random tokens: a marker after the FastAGI header, and the proof that AMI wrote to the channel."""
_RATE = 8000
RACING = frozenset({"Newstate", "DialBegin", "DialState", "NewConnectedLine", "AgentCalled", "HangupRequest"})
"""Made by two threads while an agent's phone begins to ring, or while one half of a Local channel ends before the other
has answered: their order varies on a real Asterisk. The comparison checks their number, and that no two come in an
order that was never seen."""
RACE_S = 0.04
LATE = "AgentComplete"
"""May come so late that a channel has gone: then it names only the other one, or none, and belongs to no call."""
FLOATING = frozenset(
    {("caller", "AgentComplete"), ("agent", "AgentComplete"), ("caller", "DTMFEnd")}
    | {("agent", "DTMFBegin"), ("agent", "DTMFEnd")}
)
"""Events whose times do not depend on the events around them: Queue reports the end from a thread of its own, and a key
lasts as long as it is pressed. The comparison checks their number and their times."""
_HALVES = (";1", ";2")
OF_EITHER = "HangupRequest"
"""The half of a Local channel that ends first asks the other to hang up, and either may be first."""
BY_CHANCE = "TransferTarget"
"""Headers of AttendedTransfer that begin with this are present or absent, on any release, as threads race."""
LISTED = "event CoreShowChannel"
ANYWHERE = frozenset(f"event {name}" for _, name in FLOATING) | {LISTED}
WHERE = frozenset({"Context", "Exten", "Priority", "ChannelState", "ChannelStateDesc"}) | {
    f"ConnectedLine{part}" for part in ("Num", "Name")
}
"""Such an event may come at any step of the dialplan: every place that a real Asterisk has named is right."""
Shapes = dict[str, set[tuple[str, ...]]]
Values = dict[tuple[str, str], set[str]]


def differences(
    same: Capture,
    real: Sequence[Capture],
    other_versions: Sequence[Capture],
    other: Capture,
    tolerance_s: float = TOLERANCE_S,
) -> list[str]:
    """Every difference of `other` from the real ones.

    `same` has the same calls: it gives calls, order and times. `real` are all captures of that version: they give the
    headers. `other_versions` show further values and orders of racing events that a real Asterisk can produce.
    """
    calls = [calls_of(capture) for capture in (same, *real, *other_versions)]
    found = _calls(calls[0], theirs := calls_of(other), _nameless(other), tolerance_s)
    return [*found, *_orders(calls, theirs), *_formats(real, other_versions, other)]


# -- calls, order, times ----------------------------------------------------------------------------------------------


def _calls(real: dict[str, Call], other: dict[str, Call], nameless: int, tolerance_s: float) -> Iterator[str]:
    """`nameless` late events of the other capture name no channel: each may be the one that is missing in a call."""
    callers = [number for number in real if not number.startswith("check")]
    yield from (f"{number}: there is no such call" for number in callers if number not in other)
    yield from (f"{number}: no such call on the real one" for number in other if number not in real)
    for number in real:
        if number in other:
            lacks = _late(real[number]) - _late(other[number])
            excused = lacks in (-1, 0) or 0 < lacks <= nameless
            nameless -= max(0, lacks) if excused else 0
            yield from (f"{number}: {line}" for line in _call(real[number], other[number], excused, tolerance_s))


def _call(real: Call, other: Call, late_excused: bool, tolerance_s: float) -> Iterator[str]:
    if real.results != other.results:
        yield f"results {other.results}, really {real.results}"
    if sorted(real.roles) != sorted(other.roles):
        yield f"channels {other.roles}, really {real.roles}"
    asked, theirs_asked = (sum(map(_is_of_either, call.events)) for call in (real, other))
    if asked != theirs_asked:
        yield f"{OF_EITHER} of a Local channel {theirs_asked} times, really {asked}"
    for role in real.roles:
        mine, theirs = (_settled([one for one in call.of(role) if not _is_of_either(one)]) for call in (real, other))
        names, their_names = ([event.name for event in events] for events in (mine, theirs))
        if names != their_names and late_excused and _without_late(names) == _without_late(their_names):
            continue
        if names != their_names:
            yield f"{role}: {_first_difference(their_names, names)}"
            continue
        yield from _times(role, mine, theirs, tolerance_s)
    yield from _agi(real.agi, other.agi, tolerance_s)


def _is_of_either(event: ChannelEvent) -> bool:
    return event.name == OF_EITHER and event.role.endswith(_HALVES)


def _without_late(names: Sequence[str]) -> list[str]:
    return [name for name in names if name != LATE]


def _late(call: Call) -> int:
    """How many such events the call has, whichever of its channels they name."""
    return len({id(event.block) for event in call.events if event.name == LATE})


def _nameless(capture: Capture) -> int:
    """How many such events name no channel: both had gone when Queue reported the end."""
    return sum(block.name == LATE and not block.headers.keys() & {"Channel", "DestChannel"} for block in capture.events)


def _times(role: str, real: Sequence[ChannelEvent], other: Sequence[ChannelEvent], tolerance_s: float) -> Iterator[str]:
    """An event is on time by the call's clock or by the event before it: a ladder adds up its delays."""
    before_s = their_before_s = 0.0
    for event, told in zip(real, other, strict=True):
        off_s = told.at_s - event.at_s
        off_step_s = (told.at_s - their_before_s) - (event.at_s - before_s)
        if min(abs(off_s), abs(off_step_s)) > tolerance_s:
            yield f"{role}: {event.name} at {told.at_s:.3f} s, really {event.at_s:.3f}"
            return  # what follows is as late
        before_s, their_before_s = event.at_s, told.at_s


def _settled(events: Sequence[ChannelEvent]) -> list[ChannelEvent]:
    """The same events, those that race each other put in the order of their names."""
    found: list[ChannelEvent] = []
    race: list[ChannelEvent] = []
    floating = [event for event in events if (event.role, event.name) in FLOATING]
    for event in events:
        if (event.role, event.name) in FLOATING:
            continue
        if event.name not in RACING or (race and event.at_s - race[0].at_s > RACE_S):
            found += sorted(race, key=lambda one: one.name)
            race = []
        (race if event.name in RACING else found).append(event)
    return found + sorted(race, key=lambda one: one.name) + floating


def _orders(real: Sequence[dict[str, Call]], other: dict[str, Call]) -> Iterator[str]:
    """Racing events may come in every order that a real Asterisk has shown, and in no other."""
    shown = {pair for calls in real for call in calls.values() for pair in _races(call)}
    unknown = {(*pair, number) for number, call in other.items() for pair in set(_races(call)) - shown}
    told: set[tuple[str, str, str]] = set()
    for role, first, second, number in sorted(unknown):
        if (role, first, second) not in told:
            told.add((role, first, second))
            yield f"{number}: {role}: {first} before {second}, an order that no real Asterisk has shown"


def _races(call: Call) -> Iterator[tuple[str, str, str]]:
    """Each two racing events of one channel, as they came."""
    for role in call.roles:
        events = [event for event in call.of(role) if event.name in RACING]
        for number, event in enumerate(events):
            for later in events[number + 1 :]:
                if later.at_s - event.at_s <= RACE_S and later.name != event.name:
                    yield role, event.name, later.name


def _first_difference(names: list[str], really: list[str]) -> str:
    same = next((n for n, pair in enumerate(zip(names, really, strict=False)) if pair[0] != pair[1]), None)
    at = min(len(names), len(really)) if same is None else same
    return (
        f"after {', '.join(really[:at][-3:])}: {', '.join(names[at : at + 4])}; really {', '.join(really[at : at + 4])}"
    )


def _agi(real: Sequence[Block], other: Sequence[Block], tolerance_s: float) -> Iterator[str]:
    real, other = _until_hangup(real), _until_hangup(other)
    texts, their_texts = ([_agi_text(block) for block in blocks] for blocks in (real, other))
    if texts != their_texts:
        yield f"FastAGI: {_first_difference(their_texts, texts)}"
        return
    for block, told in zip(real, other, strict=True):
        end, their_end = (_endpos(one) for one in (block, told))
        if abs(end - their_end) > tolerance_s * _RATE:
            yield f"FastAGI: a prompt ended at sample {their_end}, really {end}"


def _until_hangup(blocks: Sequence[Block]) -> list[Block]:
    """Without the answers that come after HANGUP: the daemon closes at once, and reads one of them or does not."""
    end = next((n for n, block in enumerate(blocks) if block.lines == ("HANGUP",)), len(blocks))
    return [*blocks[: end + 1], *(block for block in blocks[end + 1 :] if block.what != "<")]


def _agi_text(block: Block) -> str:
    """What is the same in every run."""
    if block.lines and block.lines[0].startswith("agi_"):
        return f"{block.what} environment"
    return f"{block.what} {_RANDOM.sub('WORD', _ENDPOS.sub('endpos=N', ' | '.join(block.lines)))}"


def _endpos(block: Block) -> int:
    found = _ENDPOS.search(" ".join(block.lines))
    return int(found[0].partition("=")[2]) if found else 0


# -- formats ----------------------------------------------------------------------------------------------------------


def _formats(real: Sequence[Capture], other_versions: Sequence[Capture], other: Capture) -> Iterator[str]:
    """Headers and their order, classes of values: each of the other's must be one that a real one has shown."""
    shapes, _ = _seen(block for capture in real for block in _messages(capture))
    _, values = _seen(block for capture in (*real, *other_versions) for block in _messages(capture))
    their_shapes, their_values = _seen(_messages(other))
    for kind, shapes_of_theirs in their_shapes.items():
        if kind not in shapes:
            yield f"{kind}: the real one never sends it"
        for shape in shapes_of_theirs - shapes.get(kind, shapes_of_theirs):
            yield f"{kind}: {_shape_difference(shape, shapes[kind])}"
    for (kind, header), theirs in their_values.items():
        allowed = values.get((kind, header), theirs)
        if kind.removesuffix(" (Local)") in ANYWHERE and header.removeprefix("Dest") in WHERE:
            allowed = set().union(*(seen for (_, name), seen in values.items() if name == header))
        if kind.removesuffix(" (Local)") == LISTED and header in ("Application", "ApplicationData"):
            allowed = allowed | {""}  # half of a Local channel that runs nothing, and a channel between two steps
        if unknown := theirs - allowed:
            yield f"{kind}: {header} is {sorted(unknown)[:3]}, really {sorted(allowed)[:6]}"


def _shape_difference(shape: tuple[str, ...], really: set[tuple[str, ...]]) -> str:
    nearest = max(really, key=lambda one: len(set(one) & set(shape)))
    extra, missing = [h for h in shape if h not in nearest], [h for h in nearest if h not in shape]
    if extra or missing:
        return f"headers {extra} are too many, {missing} missing"
    return f"headers in the order {list(shape)}, really {list(nearest)}"


def _seen(messages: Iterable[tuple[str, Block]]) -> tuple[Shapes, Values]:
    shapes: defaultdict[str, set[tuple[str, ...]]] = defaultdict(set)
    values: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for kind, block in messages:
        pairs = [line.partition(": ")[::2] if ": " in line else line.partition(":")[::2] for line in block.lines]
        shapes[kind].add(tuple(header for header, _ in pairs if not header.startswith(BY_CHANCE)))
        for header, value in pairs:
            if header != "ActionID":
                values[kind, header].add(value_class(header, value))
    return shapes, values


def _messages(capture: Capture) -> Iterator[tuple[str, Block]]:
    """What came from Asterisk, each with its kind."""
    asked: dict[tuple[str, str], str] = {}
    for block in capture.blocks:
        if block.what == ">" and block.name:
            asked[block.wire, block.headers.get("ActionID", "")] = _question(block)
        elif block.what != "<":
            continue
        elif block.wire.startswith("agi-"):
            if block.lines[0].startswith("agi_"):
                yield "FastAGI's environment", block
        elif block.is_event:
            yield f"event {_event(block)}", block
        elif ": " in block.lines[0]:
            yield f"answer to {asked.get((block.wire, block.headers.get('ActionID', '')), 'nothing')}", block


def _event(block: Block) -> str:
    """UserEvents have headers of their own, and a Local channel values of its own."""
    headers = block.headers
    local = " (Local)" if headers.get("Channel", "").startswith("Local/") else ""
    return f"{block.name} {headers.get('UserEvent', '')}".strip() + local


def _question(block: Block) -> str:
    variable = block.headers.get("Variable", "") if block.name == "Setvar" else ""
    return f"{block.name} {variable}".strip()
