"""What must hold of every call of a chaos run, judged from its packets and from the database."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from callflow.lab.prompts import Burst
from callflow.lab.wire import Packet, WireCall
from callflow.sound import mulaw

LONGEST_SILENCE_S = 5.0
SLACK_S = 0.35
"""A sound needs 0.2 s to be one; the machine, and Asterisk's frames, take the rest."""
AUDIBLE_DBOV = -50.0
FRAME_S = 0.02
LATE_S = 0.2
"""A phone that sends so much too late is late: the machine does not give the callers their time."""


@dataclass(frozen=True)
class Struck:
    """When the fault began and when it was over, epoch seconds, and what it does to calls."""

    began_at: float
    over_at: float
    asterisk_dies: bool = False


@dataclass
class Verdict:
    """The result of one fault."""

    calls: int = 0
    harmed: list[str] = field(default_factory=list)
    silences: list[str] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    results: Counter[str] = field(default_factory=Counter)
    longest_silence_s: float = 0.0
    late: list[str] = field(default_factory=list)
    """Callers who heard nothing for too long, by no more than their own phone was late: no fault of the product."""
    late_phones: int = 0
    latest_s: float = 0.0
    """By how much the latest phone was late."""
    exit_codes: list[int] = field(default_factory=list)
    """Of the daemon's lives that ended meanwhile."""
    processors: str = ""
    """Who took them."""
    unscreened: int = 0
    """Callers who were let on without a greeting."""
    recovered_s: float | None = 0.0
    """From the strike to the arrival of the first caller after whom every caller was greeted; None if there is none."""

    @property
    def violations(self) -> list[str]:
        return [*self.harmed, *self.silences, *self.accounts]


def audit(
    calls: Sequence[tuple[WireCall, Sequence[Burst]]], rows: Mapping[str, Sequence[Mapping[str, Any]]], struck: Struck
) -> Verdict:
    """`rows` are the records of the database by the caller's number."""
    verdict = Verdict()
    for call, bursts in calls:
        if call.answered_at is None or _cut_off(call, struck):
            continue
        verdict.calls += 1
        verdict.harmed += _harmed(call, bursts)
        silence_s = longest_silence_s(call, bursts)
        verdict.longest_silence_s = max(verdict.longest_silence_s, silence_s)
        late_s = late_by_s(call)
        verdict.late_phones += late_s > LATE_S
        verdict.latest_s = max(verdict.latest_s, late_s)
        if silence_s > LONGEST_SILENCE_S + SLACK_S:
            problem = f"{call.number} heard nothing for {silence_s:.1f} s"
            if silence_s - late_s > LONGEST_SILENCE_S + SLACK_S:
                verdict.silences.append(problem)
            else:
                verdict.late.append(f"{problem}, and the phone itself was {late_s:.1f} s late")
        verdict.accounts += _accounted(call, rows.get(call.number, ()))
    for found in rows.values():
        verdict.results.update(str(row["result"]) for row in found)
    verdict.accounts += [f"{number} is in the database, and never called" for number in rows.keys() - _numbers(calls)]
    verdict.unscreened, verdict.recovered_s = _recovery(calls, struck)
    return verdict


def _recovery(calls: Sequence[tuple[WireCall, Sequence[Burst]]], struck: Struck) -> tuple[int, float | None]:
    """How many callers were let on without a greeting from the strike on, and when that was over."""
    arrivals = sorted(
        (call.answered_at, any(burst.prompt == "greeting" for burst in bursts))
        for call, bursts in calls
        if call.answered_at is not None
    )
    missed = [at for at, greeted in arrivals if not greeted and at >= struck.began_at - SLACK_S]
    if not missed:
        return 0, 0.0
    again = [at - struck.began_at for at, greeted in arrivals if greeted and at > missed[-1]]
    return len(missed), max(0.0, min(again)) if again else None


def last_sign_of_life(call: WireCall, before: float) -> float | None:
    """The caller's last sound or key that began before a moment."""
    signs = [at for at, _ in call.keys if at < before]
    for packet in reversed(call.sent):
        if packet.at < before and _audible(packet.payload):
            return max([packet.at, *signs])
    return max(signs, default=None)


def longest_silence_s(call: WireCall, bursts: Sequence[Burst]) -> float:
    """The longest time for which the caller heard nothing, until an agent's phone rang or the call ended."""
    ends = [at for at in (call.agent_rang_at, call.bye_at) if at is not None]
    if call.answered_at is None or not ends:
        return 0.0
    end = min(ends)
    heard = [(burst.started_at, burst.ended_at) for burst in bursts if burst.started_at < end]
    edges = [(call.answered_at, call.answered_at), *heard, (end, end)]
    return max(after[0] - before[1] for before, after in pairwise(edges))


def late_by_s(call: WireCall) -> float:
    """By how much the caller's phone was late at worst: two packets in a row that it sent too far apart."""
    pairs = ((before, after) for before, after in pairwise(call.sent) if _follows(after, before))
    return max((after.at - before.at - FRAME_S for before, after in pairs), default=0.0)


def _follows(after: Packet, before: Packet) -> bool:
    return (after.sequence - before.sequence) & 0xFFFF == 1


def _harmed(call: WireCall, bursts: Sequence[Burst]) -> Iterator[str]:
    """Hung up on by us, without an agent, although the caller gave a sign of life since the last prompt began."""
    if call.ended_by != "asterisk" or call.agent_rang_at is not None or call.bye_at is None:
        return
    prompts = [burst for burst in bursts if burst.prompt]
    rung_at = prompts[-1].started_at if prompts else call.answered_at or 0.0
    sign_at = last_sign_of_life(call, call.bye_at - SLACK_S)
    if sign_at is not None and sign_at >= rung_at:
        yield f"{call.number} was there {call.bye_at - sign_at:.2f} s before the hang-up"
    if not prompts or prompts[-1].prompt != "goodbye":
        yield f"{call.number} was hung up on without a goodbye"


def _accounted(call: WireCall, rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if len(rows) > 1:
        yield f"{call.number} is in the database {len(rows)} times"
    if not rows:
        yield f"{call.number} is not in the database"
    for row in rows:
        if row["ended_ms"] is None:
            yield f"{call.number} has no end in the database"


def _cut_off(call: WireCall, struck: Struck) -> bool:
    """The call died with Asterisk."""
    if not struck.asterisk_dies or call.answered_at is None:
        return False
    return call.answered_at < struck.over_at and (call.bye_at is None or call.bye_at > struck.began_at)


def _numbers(calls: Sequence[tuple[WireCall, Sequence[Burst]]]) -> set[str]:
    return {call.number for call, _ in calls}


def _audible(payload: bytes) -> bool:
    samples = mulaw.decode(payload).astype(np.float64)
    return bool(samples.size) and float(np.sqrt(np.mean(np.square(samples)))) > 10 ** (AUDIBLE_DBOV / 20) * 32768
