"""Each scenario on real Asterisk: what must be recorded, measured against the wire, and what the daemon stored."""

from pathlib import Path
from typing import Any

import pytest

from callflow.captures.ring_replay import KeptRings
from callflow.core.rings.records import Hold, Leg, Offer, Stay, Talk
from callflow.lab.rings.judge import judge, records_of
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.run import Placed

NAMES = sorted(path.parent.name for path in Path(__file__).parent.glob("*/scenario.toml"))

FIGURES = (
    *("outcome", "end", "answer_class", "agent", "ring_ms", "ring_source", "talk_ms", "wait_ms"),
    *("hold_count", "hold_ms", "longest_hold_ms", "held_by"),
)

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]  # the first test waits for a root directory and all calls


def last(rung: Any, scenario: str) -> tuple[Numbered, Placed, KeptRings]:
    """The scenario with its numbers, and its last run."""
    for placed, kept in reversed(rung.runs):
        for one in placed.scenarios:
            if one.scenario.name == scenario:
                return one, placed, kept
    raise LookupError(f"{scenario} was not placed on Asterisk {rung.version}")


@pytest.mark.parametrize("scenario", NAMES)
def test_scenario(rung: Any, scenario: str) -> None:
    one, placed, kept = last(rung, scenario)
    disagreements = judge(one, records_of(kept, one), placed)
    assert not disagreements, f"{one.scenario.purpose} (stall: {placed.stall_s:.3f} s)"


@pytest.mark.parametrize("scenario", NAMES)
def test_the_daemon_has_stored_it(rung: Any, scenario: str) -> None:
    one, _, kept = last(rung, scenario)
    records = records_of(kept, one)
    kept_records: list[Any] = [*records.stays, *records.offers, *records.legs, *records.talks, *records.holds]
    for record in kept_records:
        table, key = TABLES[type(record)]
        rows = [row for row in rung.stored[table] if row[key] == getattr(record, key)]
        assert len(rows) == 1, f"{getattr(record, key)} is stored {len(rows)} times"
        for name in FIGURES:
            if name in rows[0]:
                assert rows[0][name] == getattr(record, name), name


def test_everything_is_told_to_its_end_once(rung: Any) -> None:
    for _, kept in rung.runs:
        assert {key: n for key, n in kept.finals.items() if n != 1 and key[0] != "spell"} == {}
        tracker = kept.tracker
        assert (dict(tracker.unexpected), dict(tracker.unresolved)) == ({}, {})
        assert (tracker.live, tracker.channels) == (0, 0)
        assert all(record.timing == "stamped" for record in kept.legs)


def test_every_phone_did_what_its_scenario_says(rung: Any) -> None:
    assert [repr(failure) for placed, _ in rung.runs for failure in placed.failures] == []


def test_what_agents_did_has_no_gaps(rung: Any) -> None:
    rows = rung.stored["spells"]
    for agent in {row["agent"] for row in rows}:
        own = [row for row in rows if row["agent"] == agent]
        assert [row["ended_ms"] for row in own[:-1]] == [row["began_ms"] for row in own[1:]], agent
    assert {"available", "ringing", "talking", "paused"} <= {row["work"] for row in rows}


TABLES: dict[type[Any], tuple[str, str]] = {
    Stay: ("stays", "entry_id"),
    Offer: ("offers", "offer_id"),
    Leg: ("legs", "leg_id"),
    Talk: ("talks", "talk_id"),
    Hold: ("holds", "hold_id"),
}
