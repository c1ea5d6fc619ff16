"""One simulated call as seen from outside the daemon, and whether it agrees with its scenario."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from callflow.scenarios.behaviour import Expected

CUT = "✂"
RUNGS = {"greeting": "S1", "can_you_hear": "S2", "goodbye": "S3"}
RUNGS |= {"a_little_louder": "Q2", "still_faint": "Q3", "too_faint": "Q4"}


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """One prompt the caller heard; `cut`: not to its end."""

    name: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call that has ended; `index` counts the calls of a run from 0.

    None: it could not be seen. `disagreements` are sentences; `judged` is False if nothing could be compared.
    """

    caller: str
    number: str
    index: int = 0
    result: str | None = None
    prompts: tuple[HeardPrompt, ...] | None = None
    ended_by: str | None = None
    agent: bool | None = None
    reaction_s: float | None = None
    disagreements: tuple[str, ...] = ()
    judged: bool = True

    @property
    def passed(self) -> bool:
        return self.judged and not self.disagreements

    def judge(self, expect: Expected) -> "SeenCall":
        """The same call with its disagreements with `expect`."""
        return self.with_disagreements(_disagreements(expect, self))

    def with_disagreements(self, disagreements: Iterable[str]) -> "SeenCall":
        """The same call with more disagreements."""
        return replace(self, disagreements=(*self.disagreements, *disagreements))


def _disagreements(expect: Expected, seen: SeenCall) -> Iterator[str]:
    """What differs from the expectation; a result that cannot be seen differs too."""
    if expect.result is not None and seen.result != expect.result:
        yield f"result {seen.result}, expected {expect.result}"
    if None not in (expect.agent, seen.agent) and seen.agent != expect.agent:
        yield f"agent {'reached' if seen.agent else 'not reached'}"
    if None not in (expect.ended_by, seen.ended_by) and seen.ended_by != expect.ended_by:
        yield f"ended by {seen.ended_by}, expected {expect.ended_by}"
    if seen.prompts is None:
        return
    heard = [prompt.name for prompt in seen.prompts]
    if expect.prompts is not None and heard != list(expect.prompts):
        yield f"prompts {heard}, expected {list(expect.prompts)}"
    if heard and expect.last_cut not in (None, seen.prompts[-1].cut):
        yield f"the last prompt was {'cut' if seen.prompts[-1].cut else 'not cut'}"


def in_words(heard: str) -> str:
    """What was heard, in words."""
    return heard.replace("_", " ")
