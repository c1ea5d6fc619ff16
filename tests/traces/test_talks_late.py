"""A start at every moment of every capture: a talk that a whole life knows is found, with the same agent."""

from collections.abc import Iterator
from pathlib import Path

from callflow.adapters.ami.translate_assist import talks_of
from callflow.core.rings.talk_events import TalkParties
from tests.traces.ring_snapshots import channels_after
from tests.traces.test_consulting_late import SETTLED_MS
from tests.traces.test_ring_mutants import Life, Message, by_file, messages_of, open_talks

AT_NO_AGENTS_DESK = ("forward", "pickup-race", "blind-from-local-member")
"""A phone that is no agent's has answered: nobody can tell whether the member sits there today."""
BEHIND_LOCAL = ("originate-local-into-queue",)
"""The caller is behind a Local channel: such talks are not looked for."""


def talks_after_each(messages: list[Message]) -> list[list[TalkParties]]:
    """The talks of a whole life, after each event."""
    life, after = Life.begin(messages[0][0]), []
    for message in messages:
        life.hear([message])
        after.append(open_talks(life.kept))
    return after


def together(channels: list[dict[str, str]], talk: TalkParties) -> bool:
    """Both are in one bridge, or each in one with half of a Local channel: nobody consults."""
    at = {one["Uniqueid"]: one.get("BridgeId") for one in channels}
    caller, agent = at.get(talk.caller_uniqueid), at.get(talk.agent_uniqueid)
    with_local = {one.get("BridgeId") for one in channels if one["Channel"].startswith("Local/")}
    return caller == agent or {caller, agent} <= with_local


def moments(messages: list[Message]) -> Iterator[int]:
    """The last of the events that come together."""
    yield from (at for at in range(len(messages) - 1) if messages[at + 1][0] - messages[at][0] >= SETTLED_MS)


@by_file
def test_a_talk_is_found(file: Path) -> None:
    messages, problems = messages_of(file), []
    known = talks_after_each(messages)
    for at in moments(messages):
        before = messages[: at + 1]
        life, channels = Life.begin(messages[at][0]), channels_after(before)
        life.see(before, life.now_ms)
        found = {one.agent_uniqueid: one for one in (*talks_of(channels, life.tracker), *life.tracker.talks_under_way)}
        right = {one.agent_uniqueid: one for one in known[at] if not one.originated}
        for agent in right.keys() | found.keys():
            talk, ours = right.get(agent), found.get(agent)
            if talk is not None and (file.stem in BEHIND_LOCAL or not together(channels, talk)):
                continue
            if talk is None or ours is None or talk.caller_uniqueid != ours.caller_uniqueid:
                problems.append(f"after event {at}: {ours} instead of {talk}")
            elif file.stem not in AT_NO_AGENTS_DESK and talk.agent != ours.agent:
                problems.append(f"after event {at}: {ours.agent} at {ours.agent_channel} instead of {talk.agent}")
    assert not problems, "\n".join(problems)
