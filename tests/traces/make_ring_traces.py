"""Records the captures in `rings` anew, one for each ring scenario: python -m tests.traces.make_ring_traces

Beside each capture stands, as JSON, what must be recorded of it; look at the differences before you commit them.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from callflow.adapters.ami.framing import parse
from callflow.adapters.ami.translate_rings import RINGS_WANTED
from callflow.captures.capture_file import Block, CaptureWriter
from callflow.captures.ring_replay import KeptRings
from callflow.lab.rings.judge import judge, record, records_of
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.run import SCENARIOS, Placed, ring_lab
from callflow.lab.rings.scenario import read_ring_scenarios
from callflow.scenarios.site import VERSIONS, Version

FOLDER = Path(__file__).parent / "rings"
TRIES = 6


async def make(version: Version) -> None:
    """Place all calls at once until every one agrees with the wire, then write each into a capture of its own."""
    async with ring_lab(version, read_ring_scenarios(SCENARIOS)) as rings:
        left, asterisk = list(rings.scenarios), await rings.lab.asterisk.ami.action("CoreSettings")
        for _ in range(TRIES):
            placed = await rings.place(left)
            kept = record(placed)
            good = [one for one in left if not judge(one, records_of(kept, one), placed)]
            for one in good:
                write(version, asterisk["AsteriskVersion"], one, placed, kept)
            left = [one for one in left if one not in good]
            if not left:
                return
        raise SystemExit(f"not as it should be: {[one.scenario.name for one in left]}")


def write(version: Version, asterisk: str, one: Numbered, placed: Placed, kept: KeptRings) -> None:
    """One scenario's own events, and what is recorded of them."""
    folder = FOLDER / version
    folder.mkdir(parents=True, exist_ok=True)
    mine = set(own_messages(one, placed))
    own = [arrival for arrival in placed.arrivals if arrival.raw in mine]
    header = {
        "purpose": one.scenario.purpose,
        "asterisk": asterisk,
        "recorded": f"{datetime.now(UTC):%Y-%m-%d}",
        "numbers": "made up",
        "cadence": one.scenario.cadence,
    }
    writer = CaptureWriter.create(folder / f"{one.scenario.name}.txt", header, own[0].at_s)
    for arrival in own:
        lines = tuple(arrival.raw.decode().strip().split("\r\n"))
        writer.write(Block(arrival.at_s - own[0].at_s, "ami", "<", lines))
    writer.close()
    records = records_of(kept, one)
    expected = expected_of([*records.stays, *records.second, *records.offers, *records.legs])
    (folder / f"{one.scenario.name}.json").write_text(json.dumps(expected, indent=1) + "\n")


def expected_of(records: list[Any]) -> list[dict[str, Any]]:
    """Records as JSON has them."""
    plain: list[dict[str, Any]] = json.loads(json.dumps([asdict(record) for record in records]))
    return plain


def own_messages(one: Numbered, placed: Placed) -> Iterator[bytes]:
    """The messages of a scenario: of its callers, its queue, and every channel these are linked with."""
    messages = [(arrival.raw, parse(arrival.raw)) for arrival in placed.arrivals]
    groups: dict[str, str] = {}

    def group(uniqueid: str) -> str:
        while groups.setdefault(uniqueid, uniqueid) != uniqueid:
            uniqueid = groups[uniqueid]
        return uniqueid

    for _, message in messages:
        first, *more = _ids(message) or [""]
        for uniqueid in more:
            groups[group(uniqueid)] = group(first)
    numbers = {one.caller, f"4{one.caller}", *one.numbers.values()}
    mine = {group(m["Uniqueid"]) for _, m in messages if m.get("CallerIDNum") in numbers and m.get("Uniqueid")}
    for raw, message in messages:
        ours = message.get("Queue") in (one.queue, one.second_queue) or any(
            group(uniqueid) in mine for uniqueid in _ids(message)
        )
        if ours and message.get("Event", "").encode() in RINGS_WANTED:
            yield raw


def _ids(message: dict[str, str]) -> list[str]:
    ends = ("niqueid", "inkedid")
    return [value for name, value in message.items() if name.endswith(ends) and "Bridge" not in name and value]


if __name__ == "__main__":
    for wanted in sys.argv[1:] or VERSIONS:
        asyncio.run(make(wanted))  # type: ignore[arg-type]  # a version that is not there says so itself
