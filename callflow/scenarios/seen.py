"""What was seen of one simulated call from outside the daemon, and whether it agrees with its scenario."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from callflow.scenarios.deeds import Expected


@dataclass(frozen=True, slots=True)
class HeardPrompt:
    """One prompt the caller heard; `cut`: not to its end."""

    name: str
    cut: bool = False


@dataclass(frozen=True, slots=True)
class SeenCall:
    """One call that has ended; `index` counts a run's calls from 0.

    None is what could not be seen; `disagreements` are in words; `judged` is False where nobody could tell.
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
        """The same call, with what disagrees with `expect`."""
        return self.blamed(_disagreements(expect, self))

    def blamed(self, disagreements: Iterable[str]) -> "SeenCall":
        """The same call, with more that is wrong with it."""
        return replace(self, disagreements=(*self.disagreements, *disagreements))


def _disagreements(expect: Expected, seen: SeenCall) -> Iterator[str]:
    """What is expected and can be seen, but differs; a result that cannot be seen is one too."""
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
