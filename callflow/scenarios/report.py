"""The report of a run as JSON, with stable names for programs."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.tally import KEPT, GroupTally, Tally


def report(scenario: Scenario, tally: Tally, asterisk: str, began: datetime) -> dict[str, Any]:
    """Everything known of a run; `calls` is left out if there are more than a thousand."""
    made: dict[str, Any] = {
        "scenario": scenario.name,
        "purpose": scenario.purpose,
        "seed": scenario.seed,
        "asterisk": asterisk,
        "began_utc": began.astimezone(UTC).isoformat(timespec="milliseconds"),
        "lasted_s": round(tally.lasted_s, 3),
        "placed": tally.placed,
        "ended": tally.ended,
        "lost": tally.lost,
        "as_expected": tally.passed,
        "unjudged": tally.unjudged,
        "passed": tally.succeeded,
        "calls_per_s": round(tally.placed / tally.lasted_s, 3) if tally.lasted_s else 0.0,
        "results": dict(tally.results),
        "groups": {name: _group(group) for name, group in tally.groups.items()},
        "disagreeing": [asdict(call) for call in tally.disagreeing],
        "callbacks": [asdict(entry) for entry in tally.aftercare.callbacks],
        "ratings": [asdict(rating) for rating in tally.aftercare.ratings],
        "disagreeing_afterwards": tally.wrong_after,
    }
    if tally.ended <= KEPT:
        made["calls"] = [asdict(call) for call in tally.calls]
    return made


def _group(group: GroupTally) -> dict[str, Any]:
    return {
        "calls": group.calls,
        "as_expected": group.passed,
        "unjudged": group.unjudged,
        "agent_reached": group.agent,
        "results": dict(group.results),
        "first_disagreement": group.first_disagreement or None,
    }


def write_report(path: Path, content: dict[str, Any]) -> None:
    """Write it. Raises SimulationFailed."""
    try:
        path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", "utf-8")
    except OSError as error:
        raise SimulationFailed(f"the report {path} cannot be written: {error.strerror}", "name another file") from None
