"""Judges a replay: from the start it must repeat the daemon's decisions; from later blocks it must disturb no call."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import zip_longest

from callflow.captures.capture_file import Capture
from callflow.captures.facts import CallerArrived, FactReader
from callflow.captures.replay import Decision, Replayed, recorded
from callflow.core.screening.states import Result

LATE_MS = 50
"""The daemon acts when its loop gets to it, and the recorder sees it later: up to 17 ms were measured."""
SAVED_FIRST_MS = 60
"""Every result but a hang-up waits until its record is on the disk: the writer rests 50 ms between transactions."""
LATE_WITHOUT_AMI_MS = 350
"""Before a release the daemon waits up to 0.3 s for a prompt that AMI cannot stop."""
_HANG_UPS = (f"release {Result.SILENT}", f"release {Result.QUIET}")


@dataclass
class Verdict:
    """What is wrong, one sentence each; `right` says what was compared."""

    right: str
    wrong: list[str] = field(default_factory=list)


class Judge:
    """Judges replays of one capture."""

    def __init__(self, capture: Capture) -> None:
        self._has_wires = capture.has_wires
        self._decisions = recorded(capture)
        self._results = results_of(self._decisions)
        self._arrived_at = dict(_arrivals(capture))

    def judge(self, first: int, played: Replayed) -> Verdict:
        """The replay from block `first` on; 0 is the start."""
        return self._from(first, played) if first else self._whole(played)

    def _whole(self, played: Replayed) -> Verdict:
        """Every call must have the same decisions in the same order, at the same times."""
        if not self._has_wires:
            return Verdict("recorded beside the daemon, without FastAGI: there are no decisions to compare")
        then, now = _by_call(self._decisions), _by_call(played.decisions)
        verdict = Verdict(f"all {len(played.decisions)} decisions on {len(now)} calls are those of the daemon")
        for call_id in dict.fromkeys([*then, *now]):
            for before, after in zip_longest(then[call_id], now[call_id]):
                if problem := _difference(before, after):
                    verdict.wrong.append(f"{call_id}: {problem}")
                    break
        return verdict

    def _from(self, first: int, played: Replayed) -> Verdict:
        """Older calls must be left alone; only calls that the daemon ended as silent may end as silent."""
        then = self._results
        verdict = Verdict(f"{len(played.results)} calls were screened, all of them rightly")
        for decision in played.decisions:
            if self._arrived_at.get(decision.call_id, -1) < first:
                verdict.wrong.append(f"{decision.call_id} belonged to an earlier daemon: {decision.what}")
        for call_id, result in played.results.items():
            if result == Result.SILENT and then.get(call_id) != Result.SILENT:
                verdict.wrong.append(f"{call_id} was hung up on; the daemon had {then.get(call_id, 'no result')}")
            elif call_id in then and result not in (then[call_id], Result.UNAVAILABLE):
                verdict.wrong.append(f"{call_id} ended as {result}; the daemon had {then[call_id]}")
        verdict.wrong += [f"{call_id} has more than one final record" for call_id in played.saved_twice]
        verdict.wrong += [f"{call_id} has no final record" for call_id in sorted(played.open)]
        return verdict


def results_of(decisions: Iterable[Decision]) -> dict[str, str]:
    """The result with which each call was released."""
    words = ((decision.call_id, *decision.what.split(" ", 1)) for decision in decisions)
    return {word[0]: word[2] for word in words if word[1] == "release"}


def _difference(then: Decision | None, now: Decision | None) -> str:
    if then is None or now is None or then.what != now.what:
        return f"the daemon did {then.what if then else 'nothing'!r}, the core {now.what if now else 'nothing'!r}"
    late_ms = then.at_ms - now.at_ms
    if not -LATE_MS <= late_ms <= LATE_MS + excused_ms(now.what):
        return f"the daemon did {then.what!r} {late_ms} ms after the core"
    return ""


def excused_ms(what: str) -> int:
    """How much later than its core a daemon may do this, besides LATE_MS."""
    if what == f"release {Result.UNAVAILABLE}":
        return LATE_WITHOUT_AMI_MS - LATE_MS
    return SAVED_FIRST_MS if what.startswith("release ") and what not in _HANG_UPS else 0


def _arrivals(capture: Capture) -> Iterator[tuple[str, int]]:
    """Each call, and the block that opened its FastAGI connection."""
    reader = FactReader(capture)
    opened: dict[str, int] = {}
    for number, block in enumerate(capture.blocks):
        if block.what == "opened":
            opened[block.wire] = number
        for fact in reader.take(block):
            if isinstance(fact, CallerArrived):
                yield fact.arrived.call_id, opened[block.wire]


def _by_call(decisions: Iterable[Decision]) -> defaultdict[str, list[Decision]]:
    found: defaultdict[str, list[Decision]] = defaultdict(list)
    for decision in decisions:
        found[decision.call_id].append(decision)
    return found
