"""The captures of every ring scenario: recorded as beside them, also by two lives of the daemon."""

import json
from pathlib import Path
from typing import Any

import pytest

from callflow.adapters.ami.translate_rings import RingTranslator
from callflow.captures.capture_file import Capture, read_capture
from callflow.captures.ring_replay import LAST_MS, KeptRings, capture_messages, pass_time, replay_rings, take_messages
from callflow.core.rings.facts import StaysLeftOpen
from callflow.core.rings.records import Transfer
from callflow.core.rings.rules import RingRules
from callflow.core.rings.tracker import Tracker
from callflow.core.service.targets import QueueTarget, Targets
from tests.traces.make_ring_traces import FOLDER, expected_of

CAPTURES = sorted(FOLDER.glob("*/*.txt"))
by_file = pytest.mark.parametrize("file", CAPTURES, ids=lambda file: f"{file.parent.name}-{file.stem}")


def rules(capture: Capture) -> RingRules:
    cadence = capture.header["cadence"]
    return RingRules(queue_cadences={f"ring-{capture.name}": cadence})


def replayed(capture: Capture) -> KeptRings:
    return replay_rings(capture_messages(capture), rules(capture))


def calls(kept: KeptRings) -> list[Any]:
    return [*kept.stays, *kept.offers, *kept.legs]


@by_file
def test_it_is_recorded_as_it_was(file: Path) -> None:
    kept = replayed(read_capture(file))
    expected = json.loads(file.with_suffix(".json").read_text())
    own = {record["call_id"] for record in expected}
    assert [record for record in expected_of(calls(kept)) if record["call_id"] in own] == expected
    assert {kept.finals[key] for key in kept.records if key[0] != "spell"} == {1}


@by_file
def test_a_transfer_is_the_same_if_asterisk_does_not_name_its_target(file: Path) -> None:
    """Asterisk 22 leaves it out of about one attended transfer by feature code in ten."""
    messages = list(capture_messages(read_capture(file)))
    nameless = [
        (at_ms, {name: value for name, value in message.items() if not name.startswith("TransferTarget")})
        for at_ms, message in messages
    ]
    named = transfers(replay_rings(messages, RingRules()))
    found = transfers(replay_rings(nameless, RingRules()))
    assert [each for each in found if each.target] == [each for each in named if each.target]


def transfers(kept: KeptRings) -> list[Transfer]:
    return [record for record in kept.records.values() if isinstance(record, Transfer)]


@by_file
def test_a_restart_at_any_point_costs_no_stay_and_makes_none(file: Path) -> None:
    capture = read_capture(file)
    messages = list(capture_messages(capture))
    whole = sorted((stay.queue, stay.joined_ms) for stay in replayed(capture).stays)
    for at in range(1, len(messages)):
        kept = restarted(messages, at, rules(capture))
        assert sorted((stay.queue, stay.joined_ms) for stay in kept.stays) == whole, f"at event {at}"
        assert all(kept.finals["stay", stay.entry_id] == 1 for stay in kept.stays), f"at event {at}"


def restarted(messages: list[tuple[int, dict[str, str]]], at: int, rules: RingRules) -> KeptRings:
    """What two lives keep, the second of which begins with this event: none is missed."""
    kept, translate, now_ms = KeptRings(), RingTranslator(), messages[0][0]
    for first, last in ((0, at), (at, len(messages))):
        tracker = Tracker(rules, Targets(queues={"default": QueueTarget()}))
        open_stays = tuple(stay for stay in kept.stays if not kept.finals["stay", stay.entry_id])
        kept.take(tracker.receive(StaysLeftOpen(open_stays), now_ms))
        now_ms = take_messages(tracker, kept, translate, messages[first:last], now_ms)
    pass_time(tracker, kept, now_ms + LAST_MS)
    return kept
