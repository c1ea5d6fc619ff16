"""Compares ring times of the same calls: callflow, Asterisk, readers of channel states and of queue events.

`states`: from the first Ringing of any dialled channel of the call to the caller's BridgeEnter, as readers of channel
states do. `events`: HoldTime of AgentConnect, as exporters of queue metrics do.
"""

import asyncio
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callflow.adapters.ami.framing import parse
from callflow.core.rings.records import LegEnd
from callflow.lab.rings.judge import pair_with_wire, record, records_of
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.run import SCENARIOS, Placed, ring_lab
from callflow.lab.rings.scenario import read_ring_scenarios
from callflow.scenarios.site import VERSIONS

Message = dict[str, str]


@dataclass(frozen=True)
class Row:
    """Seconds that a phone rang before it was picked up, by each reader; None if it has no figure."""

    scenario: str
    wire: float | None
    ours: float | None
    asterisk: float | None
    states: float | None
    events: float | None

    def __str__(self) -> str:
        figures = (self.wire, self.ours, self.asterisk, self.states, self.events)
        cells = [f"{figure:.3f}" if figure is not None else "-" for figure in figures]
        cells[2], cells[4] = cells[2].removesuffix(".000"), cells[4].removesuffix(".000")
        return f"| {self.scenario} | {' | '.join(cells)} |"


def rows(placed: Placed) -> Iterator[Row]:
    """One row for each scenario with an answered call."""
    kept, messages = record(placed), [parse(arrival.raw) for arrival in placed.arrivals]
    for one in placed.scenarios:
        records = records_of(kept, one)
        taken = [offer for offer in records.offers if offer.connect_ms is not None]
        if not taken:
            continue
        pairs = list(pair_with_wire(records, placed.legs_of(one), one))
        answered = next((pair for pair in pairs if pair[0].end is LegEnd.ANSWERED), None)
        picked = next((leg for leg in placed.legs_of(one) if taken[0].picked_up and leg.ringing_at), None)
        wire = answered[1].ring_s if answered else None
        if picked is not None and picked.ringing_at is not None and picked.cancelled_at is not None:
            wire = picked.cancelled_at - picked.ringing_at
        ours = taken[0].ring_ms if picked else answered[0].ring_ms if answered else None
        call = [
            message for message in messages if taken[0].call_id in (message.get("Linkedid"), message.get("Uniqueid"))
        ]
        connect = next((message for message in call if message["Event"] == "AgentConnect"), {})
        yield Row(
            one.scenario.name,
            wire,
            ours / 1000 if ours is not None else None,
            _figure(connect, "RingTime"),
            _by_states(call, taken[0].call_id),
            _figure(connect, "HoldTime"),
        )


def _figure(message: Message, name: str) -> float | None:
    return float(message[name]) if message.get(name) else None


def _by_states(call: Sequence[Message], caller: str) -> float | None:
    rang = [
        m for m in call if m["Event"] == "Newstate" and m["ChannelStateDesc"] == "Ringing" and m["Uniqueid"] != caller
    ]
    up = [m for m in call if m["Event"] == "BridgeEnter" and m["Uniqueid"] == caller]
    return float(up[0]["Timestamp"]) - float(rang[0]["Timestamp"]) if rang and up else None


def queue_show(placed: Placed, one: Numbered) -> str:
    """The line of `queue show` about a scenario's queue: its averages are in whole seconds and of the last calls."""
    return next((line for line in placed.queues.splitlines() if line.startswith(f"{one.queue} ")), "")


async def main(names: tuple[str, ...]) -> None:
    """Place the calls on each Asterisk and print a table of ring times."""
    for version in VERSIONS:
        async with ring_lab(version, read_ring_scenarios(SCENARIOS, names)) as rings:
            placed = await rings.place()
        print(f"Asterisk {version}, timers of this machine at most {placed.stall_s * 1000:.0f} ms late\n")
        print("| scenario | wire | callflow | RingTime | states | events |\n|---|---|---|---|---|---|")
        print(*rows(placed), "", sep="\n")
        print(*(queue_show(placed, one) for one in placed.scenarios if one.scenario.name == "round-robin"), sep="\n")


if __name__ == "__main__":
    asyncio.run(main(tuple(sys.argv[1:])))
