"""Assistance from a start at every event of every capture with a consultation: a talk is one from the transfer on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callflow.adapters.ami.translate_assist import talks_of
from callflow.captures.ring_replay import pass_time
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkParties
from tests.traces.ring_snapshots import channels_after
from tests.traces.test_ring_mutants import TRANSFERS, Life, Message, messages_of

Pair = tuple[str, str]
"""Uniqueids of caller and agent."""
SETTLED_MS = 100
"""So long after an event the others of the same thread's have come."""


class Assisted:
    """Which talks assistance would be in, as Assisting finds and follows them."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.found: set[Pair] = set()
        """That the tracker does not know."""
        self.told: set[Pair] = set()
        self._taken = 0

    def find(self, before: list[Message]) -> None:
        tracker = self.life.tracker
        self.told = set(map(_pair, tracker.talks_under_way))
        self.found = set(map(_pair, talks_of(channels_after(before), tracker))) - self.told

    def hear(self, message: Message) -> None:
        self.life.hear([message])
        if message[1]["Event"] == "BridgeLeave":
            self.found = {pair for pair in self.found if message[1]["Uniqueid"] not in pair}
        self.follow()

    def follow(self) -> None:
        talks = self.life.kept.talks
        for talk in talks[self._taken :]:
            pair = _pair(talk.parties)
            if isinstance(talk, TalkBegan):
                self.told.add(pair)
            elif isinstance(talk, TalkEnded):
                self.told.discard(pair)
                self.found.discard(pair)
        self._taken = len(talks)

    @property
    def now(self) -> set[Pair]:
        return self.found | self.told


def _pair(parties: TalkParties) -> Pair:
    return parties.caller_uniqueid, parties.agent_uniqueid


def lives(messages: list[Message], first: int) -> Iterator[tuple[int, set[Pair]]]:
    """What is assisted after each event from this one on."""
    life = Life.begin(messages[first][0])
    assisted = Assisted(life)
    if first:
        life.see(messages[:first], life.now_ms)
        assisted.find(messages[:first])
        assisted.follow()
    for at in range(first, len(messages)):
        assisted.hear(messages[at])
        yield at, assisted.now
    pass_time(life.tracker, life.kept, life.now_ms + 60_000)


@pytest.mark.parametrize("file", TRANSFERS, ids=lambda file: f"{file.parent.name}-{file.stem}")
def test_a_consultation_is_assisted_from_the_transfer_on_and_not_before(file: Path) -> None:
    messages = messages_of(file)
    whole = dict(lives(messages, 0))
    transferred = next(at for at, (_, message) in enumerate(messages) if message["Event"] == "AttendedTransfer")
    caller = messages[transferred][1]["TransfereeUniqueid"]
    settled = next(at for at in range(len(messages)) if messages[at][0] > messages[transferred][0] + SETTLED_MS)
    last = next(pairs for pairs in reversed(whole.values()) if pairs)
    left = min(last_leave(messages, uniqueid) for pair in last for uniqueid in pair)
    problems = []
    for first in range(1, len(messages)):
        for at, now in lives(messages, first):
            if {one for one, _ in now} - {caller}:
                problems.append(f"from event {first}, at {at}: {now} is assisted")
                break
        if is_within_a_dial(messages, first):
            continue
        after = dict(lives(messages, first))
        for at in range(settled, left):
            if messages[at][0] <= messages[first][0] + SETTLED_MS:
                continue
            if whole[at] and after[at] != whole[at]:
                problems.append(f"from event {first}, at {at}: {after[at]} instead of {whole[at]}")
                break
    assert not problems, "\n".join(problems)


def last_leave(messages: list[Message], uniqueid: str) -> int:
    """When this channel leaves its last bridge; Asterisk moves it before, if it removes a Local channel."""
    leaves = [
        at for at, (_, one) in enumerate(messages) if (one["Event"], one.get("Uniqueid")) == ("BridgeLeave", uniqueid)
    ]
    return leaves[-1]


def is_within_a_dial(messages: list[Message], first: int) -> bool:
    """In the millisecond between the dialling of a member's Local channel and that of the phone behind it."""
    before = messages[first - 1][1]
    return before["Event"] == "DialBegin" and before["DestChannel"].startswith("Local/")
