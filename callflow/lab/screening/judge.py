"""Compares what the wire shows with what a scenario expects."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from callflow.lab.prompts import Burst
from callflow.lab.screening.scenario import LADDER, Scenario
from callflow.lab.wire import WireCall

TOLERANCE_S = 0.1
LEVEL_TOLERANCE_DB = 2.0
_LISTEN_S: dict[tuple[str | None, str | None], float] = {
    (before, after): listen_s for (before, listen_s), (after, _) in pairwise(LADDER)
}
_PAUSE_S = LADDER[-1][1]


@dataclass(frozen=True)
class Observed:
    """One scenario's call: what the wire shows, and what the lab's dialplan reported."""

    call: WireCall
    spoken: list[Burst]
    result: str | None = None
    traces: frozenset[str] = field(default_factory=frozenset)

    @property
    def prompts(self) -> list[Burst]:
        """The bursts that are the project's prompts."""
        return [burst for burst in self.spoken if burst.prompt]

    @property
    def sign_of_life_at(self) -> float | None:
        """The caller's first sound or key on the wire."""
        signs = [at for at, _ in self.call.keys]
        if (sound := self.call.first_sound_at()) is not None:
            signs.append(sound)
        return min(signs, default=None)


def judge(scenario: Scenario, seen: Observed) -> list[str]:
    """Every disagreement, in words; empty if the scenario passed."""
    if seen.call.answered_at is None:
        return ["the call was not answered"]
    checks = (_outcome, _prompts, _silences, _pause, _reaction, _handover, _agent_hears)
    return [line for check in checks for line in check(scenario, seen)]


def _outcome(scenario: Scenario, seen: Observed) -> Iterator[str]:
    expect = scenario.expect
    if seen.result != expect.result:
        yield f"result {seen.result}, expected {expect.result}"
    if seen.call.agent_reached != expect.agent:
        yield f"agent {'reached' if seen.call.agent_reached else 'not reached'}"
    if seen.call.ended_by != expect.ended_by:
        yield f"ended by {seen.call.ended_by}, expected {expect.ended_by}"
    if missing := set(expect.traces) - seen.traces:
        yield f"the caller's own context was not reached at {', '.join(sorted(missing))}"


def _prompts(scenario: Scenario, seen: Observed) -> Iterator[str]:
    expect = scenario.expect
    heard = [burst.prompt for burst in seen.prompts]
    if expect.prompts is not None and heard != list(expect.prompts):
        yield f"prompts {heard}, expected {list(expect.prompts)}"
    for burst in seen.prompts[:-1]:
        if burst.was_cut:
            yield f"{burst.prompt} was cut at {burst.cut_at_ms} ms, yet the ladder went on"
    if seen.prompts and expect.last_cut not in (None, seen.prompts[-1].was_cut):
        yield f"the last prompt was {'cut' if seen.prompts[-1].was_cut else 'not cut'}"


def _silences(scenario: Scenario, seen: Observed) -> Iterator[str]:
    for before, after in pairwise(seen.prompts):
        silence_s = after.started_at - before.ended_at
        ladders_s = _LISTEN_S.get((before.prompt, after.prompt))
        wanted_s = scenario.expect.silence_s.get(before.prompt or "", ladders_s)
        if wanted_s is not None and abs(silence_s - wanted_s) > TOLERANCE_S:
            yield f"{silence_s:.3f} s of silence after {before.prompt}, expected {wanted_s:.1f}"


def _pause(scenario: Scenario, seen: Observed) -> Iterator[str]:
    if scenario.expect.result not in ("silent", "quiet") or not seen.prompts or seen.call.bye_at is None:
        return
    pause_s = seen.call.bye_at - seen.prompts[-1].ended_at
    if abs(pause_s - _PAUSE_S) > TOLERANCE_S:
        yield f"{pause_s:.3f} s from the end of {seen.prompts[-1].prompt} to the BYE, expected {_PAUSE_S:.1f}"


def _reaction(scenario: Scenario, seen: Observed) -> Iterator[str]:
    reaction_s = reaction(seen)
    if scenario.expect.agent and reaction_s is not None and reaction_s > scenario.expect.reaction_s:
        yield f"{reaction_s:.3f} s from the first sign of life to the end of the prompt"


def _handover(scenario: Scenario, seen: Observed) -> Iterator[str]:
    if not scenario.expect.agent or seen.call.agent_rang_at is None:
        return
    waits = scenario.expect.result in ("spoke", "key", "rescued")
    since = seen.sign_of_life_at if waits and seen.sign_of_life_at is not None else seen.call.answered_at
    took_s = seen.call.agent_rang_at - (since or 0.0)
    if not 0 <= took_s <= scenario.expect.agent_within_s:
        yield f"the agent rang {took_s:.3f} s later, expected within {scenario.expect.agent_within_s:.1f}"


def _agent_hears(scenario: Scenario, seen: Observed) -> Iterator[str]:
    wanted_dbov, found_dbov = scenario.expect.agent_hears_dbov, seen.call.agent_hears_dbov
    if wanted_dbov is not None and (found_dbov is None or abs(found_dbov - wanted_dbov) > LEVEL_TOLERANCE_DB):
        heard = "nothing" if found_dbov is None else f"{found_dbov:.1f} dBov"
        yield f"the agent's phone received {heard}, expected {wanted_dbov:g} dBov"


def reaction(seen: Observed) -> float | None:
    """Seconds from the first sign of life to the end of the prompt it cut short; None if it cut none."""
    last = seen.prompts[-1] if seen.prompts else None
    if last is None or not last.was_cut or seen.sign_of_life_at is None or last.ended_at < seen.sign_of_life_at:
        return None
    return last.ended_at - seen.sign_of_life_at
