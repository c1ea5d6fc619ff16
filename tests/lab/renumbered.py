"""Callers whose RTP is renumbered in mid-call: every change, at every moment, with and without the tap.

`python -m tests.lab.renumbered 22` places all of them and prints each result; the tests place a part of them.
"""

import asyncio
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from callflow.installed import SOUNDS
from callflow.lab.prompts import prompt_durations
from callflow.lab.screening.run import Outcome, run_scenarios, screened_lab
from callflow.lab.screening.scenario import Expectation, Scenario, ladder_anchors
from callflow.scenarios.site import Version

CHANGES: dict[str, dict[str, Any]] = {
    "back-60": {"rtp_jump": -60},
    "back-8000": {"rtp_jump": -8000},
    "ahead-3000": {"rtp_jump": 3000},
    "ahead-40000": {"rtp_jump": 40000},
    "wrap": {},
    "ssrc-same": {"new_ssrc": True},
    "ssrc-lower": {"new_ssrc": True, "rtp_jump": -20011},
    "ssrc-higher": {"new_ssrc": True, "rtp_jump": 12345},
}
HARMLESS = ("ahead-3000", "wrap", "ssrc-same", "ssrc-higher")
"""After these every Asterisk still hears the caller."""
BRIEF = ("back-60",)
"""After these an Asterisk 22 may hear the caller again before anything is decided."""
MOMENTS = {"greeting": 1.0, "listen1": 1.0, "can_you_hear": 1.0, "goodbye": 1.0, "pause": -0.1}
SPEAKS_AFTER_S = 0.8
_FIRST_SEQUENCE = 30_000
_QUIET = Expectation(result="silent", agent=False)
_ANCHORS = ladder_anchors(
    Scenario(name="silent", purpose="a silent caller", expect=_QUIET), prompt_durations(SOUNDS / "zh" / "callflow")
)


@dataclass(frozen=True)
class Case:
    """One caller: what changes, when, whether they speak afterwards, and the profile that screens them."""

    change: str
    moment: str
    speaks: bool
    profile: str

    @property
    def name(self) -> str:
        return f"{self.change} {self.moment} {'speaks' if self.speaks else 'silent'} {self.profile}"

    @property
    def at_s(self) -> float:
        return _ANCHORS[self.moment] + MOMENTS[self.moment]

    def scenario(self) -> Scenario:
        """Its scenario; it expects what happens if no ear goes deaf."""
        caller: list[dict[str, Any]] = []
        if change := CHANGES[self.change]:
            caller.append({"at": self.at_s, **change})
        if self.speaks:
            caller.append({"at": self.at_s + SPEAKS_AFTER_S, "sound": "speech", "for_s": 12})
        result = "silent" if not self.speaks else "rescued" if self.moment in ("goodbye", "pause") else "spoke"
        return Scenario.model_validate({
            "name": self.name,
            "purpose": "RTP is renumbered in mid-call.",
            "profile": self.profile,
            "caller": caller,
            "first_sequence": 65536 - round(self.at_s * 50) if self.change == "wrap" else _FIRST_SEQUENCE,
            "expect": {"result": result, "agent": self.speaks},
        })  # fmt: skip

    def problems(self, outcome: Outcome, version: Version) -> list[str]:
        """What is wrong with its end. A caller who cannot be judged must reach an agent, as `unavailable`."""
        seen = outcome.seen
        if seen is None or version != "22" or self.change in HARMLESS:
            return outcome.disagreements
        if (seen.result, seen.call.agent_reached) == ("unavailable", True):
            return []
        told = f"{seen.result}, agent {'reached' if seen.call.agent_reached else 'not reached'}"
        return outcome.disagreements if self.change in BRIEF else [told]


def all_cases(version: Version) -> Iterator[Case]:
    """Every combination; on 16, which has no tap, one profile."""
    for profile in ("support", "untapped") if version == "22" else ("support",):
        for moment in MOMENTS:
            for change in CHANGES:
                yield from (Case(change, moment, speaks, profile) for speaks in (True, False))


def some_cases(version: Version) -> list[Case]:
    """Every change at every moment once; `speaks` and the tap alternate, so that all pairs occur."""
    made = []
    for row, moment in enumerate(MOMENTS):
        for column, change in enumerate(CHANGES):
            untapped = version == "22" and (row + column // 2) % 2 == 1
            made.append(Case(change, moment, (row + column) % 2 == 0, "untapped" if untapped else "support"))
    return made


async def place(version: Version, cases: list[Case]) -> dict[Case, Outcome]:
    """Place these calls at the same time."""
    async with screened_lab(version) as lab:
        outcomes = await run_scenarios(lab, [case.scenario() for case in cases])
        return dict(zip(cases, outcomes, strict=True))


def main() -> None:
    version: Version = "16" if sys.argv[1] == "16" else "22"
    only = sys.argv[2] if len(sys.argv) > 2 else ""
    cases = [case for case in all_cases(version) if only in case.name]
    told: Counter[tuple[str, bool, str]] = Counter()
    for case, outcome in asyncio.run(place(version, cases)).items():
        result = outcome.seen.result if outcome.seen else "none"
        wrong = case.problems(outcome, version)
        told[case.change, case.speaks, str(result)] += 1
        print(f"{case.name:40} {result!s:12} {'WRONG: ' + '; '.join(wrong) if wrong else ''}")
    for (change, speaks, result), calls in sorted(told.items()):
        print(f"{change:12} {'speaks' if speaks else 'silent'} {result:12} {calls}")


if __name__ == "__main__":
    main()
