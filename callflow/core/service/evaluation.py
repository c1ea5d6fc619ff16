"""The evaluation of agents: their figures, and hints from rules that are printed with them. No score, no ranking.

A rule compares only from `min_cases` cases on; with fewer it says nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from pydantic import Field

from callflow.core.rating.states import Scale
from callflow.core.section import Section
from callflow.core.service.grouping import Counted, total
from callflow.core.service.level import share
from callflow.core.service.tallies import Ratings, Rings, Tally


class EvaluationRules(Section):
    """When an agent's evaluation has a hint; each rule is printed with its numbers."""

    min_cases: int = Field(20, ge=5, le=100_000, description="Cases that a rule needs; with fewer it gives no hint.")
    within_three_percent: float = Field(
        90.0, ge=0, le=100, description="Hint if a smaller share of ringing calls is answered within three rings."
    )
    early_percent: float = Field(
        20.0, ge=0, le=100, description="Hint if a larger share of answers comes before the first ring has ended."
    )
    unanswered_percent: float = Field(
        10.0, ge=0, le=100, description="Hint if a larger share of ringing calls is not answered."
    )
    hold_s: float = Field(60.0, ge=1, le=3600, description="Hint if the mean hold is longer, in seconds.")
    below_team: float = Field(
        0.5, gt=0, le=4, description="Hint if a mean rating is lower than the team's by this much or more."
    )
    praise_from: float = Field(4.5, ge=1, le=5, description="Praise for a mean rating from this on.")


@dataclass(frozen=True, slots=True)
class Holds(Tally):
    """An agent's own holds, within talks."""

    talks: int = 0
    held_talks: int = 0
    holds: int = 0
    hold_ms: int = 0
    longest_hold_ms: int = 0

    @property
    def mean_ms(self) -> float | None:
        """Mean length of a hold."""
        return share(self.hold_ms, self.holds)


@dataclass(frozen=True, slots=True)
class AgentFigures:
    """What was counted of one agent in a period."""

    agent: str
    """Work number."""
    counted: Counted
    holds: Holds = Holds()


@dataclass(frozen=True, slots=True)
class Hint:
    """What stands out, and the rule that says so."""

    text: str
    rule: str
    praise: bool = False


Rule = Callable[[AgentFigures, Ratings, EvaluationRules], Iterator[Hint]]


def team(agents: Iterable[AgentFigures]) -> AgentFigures:
    """All agents added up."""
    known = list(agents)
    return AgentFigures("", total(one.counted for one in known), sum((one.holds for one in known), Holds()))


def hints(figures: AgentFigures, of_team: AgentFigures, rules: EvaluationRules) -> list[Hint]:
    """What the rules say of one agent, beside the whole team."""
    ratings = of_team.counted.ratings or Ratings()
    return [hint for rule in RULES for hint in rule(figures, ratings, rules)]


def _late(figures: AgentFigures, team_ratings: Ratings, rules: EvaluationRules) -> Iterator[Hint]:
    rings = figures.counted.rings or Rings()
    rang = rings.answered + rings.unanswered
    if rang < rules.min_cases or rings.within_three is None or 100 * rings.within_three >= rules.within_three_percent:
        return
    yield Hint(
        f"answered {100 * rings.within_three:.1f} % of {rang} ringing calls within three rings",
        f"below {rules.within_three_percent:g} % within three rings, from {rules.min_cases} calls on",
    )


def _early(figures: AgentFigures, team_ratings: Ratings, rules: EvaluationRules) -> Iterator[Hint]:
    rings = figures.counted.rings or Rings()
    early = share(rings.early, rings.answered)
    if rings.answered < rules.min_cases or early is None or 100 * early <= rules.early_percent:
        return
    yield Hint(
        f"picked up {100 * early:.1f} % of {rings.answered} answered calls before the first ring had ended",
        f"above {rules.early_percent:g} % early answers, from {rules.min_cases} answers on",
    )


def _unanswered(figures: AgentFigures, team_ratings: Ratings, rules: EvaluationRules) -> Iterator[Hint]:
    rings = figures.counted.rings or Rings()
    rang = rings.answered + rings.unanswered
    missed = share(rings.unanswered, rang)
    if rang < rules.min_cases or missed is None or 100 * missed <= rules.unanswered_percent:
        return
    yield Hint(
        f"did not answer {100 * missed:.1f} % of {rang} ringing calls",
        f"above {rules.unanswered_percent:g} % not answered, from {rules.min_cases} calls on",
    )


def _long_holds(figures: AgentFigures, team_ratings: Ratings, rules: EvaluationRules) -> Iterator[Hint]:
    holds = figures.holds
    if holds.holds < rules.min_cases or holds.mean_ms is None or holds.mean_ms <= 1000 * rules.hold_s:
        return
    yield Hint(
        f"held callers for {holds.mean_ms / 1000:.0f} s on average, {holds.holds} times",
        f"mean hold above {rules.hold_s:g} s, from {rules.min_cases} holds on",
    )


def _rated(figures: AgentFigures, team_ratings: Ratings, rules: EvaluationRules) -> Iterator[Hint]:
    ratings = figures.counted.ratings or Ratings()
    for scale in Scale:
        answers, mean = getattr(ratings, f"{scale}_n"), getattr(ratings, scale.value)
        of_team = getattr(team_ratings, scale.value)
        if answers < rules.min_cases or mean is None or of_team is None:
            continue
        if of_team - mean >= rules.below_team:
            yield Hint(
                f"callers rate {scale} {mean:.2f} ({answers} answers), the whole team {of_team:.2f}",
                f"a mean {rules.below_team:g} or more below the team's, from {rules.min_cases} answers on",
            )
        elif mean >= rules.praise_from:
            yield Hint(
                f"callers rate {scale} {mean:.2f} ({answers} answers)",
                f"a mean of {rules.praise_from:g} or more, from {rules.min_cases} answers on",
                praise=True,
            )


RULES: tuple[Rule, ...] = (_late, _early, _unanswered, _long_holds, _rated)


def rules_in_words(rules: EvaluationRules) -> list[str]:
    """Every rule with its numbers, whether it has given a hint or not."""
    n = rules.min_cases
    return [
        f"a hint if less than {rules.within_three_percent:g} % of ringing calls is answered in three rings ({n} calls)",
        f"a hint if more than {rules.early_percent:g} % of answers comes before the first ring has ended ({n} answers)",
        f"a hint if more than {rules.unanswered_percent:g} % of ringing calls is not answered ({n} calls)",
        f"a hint if the mean hold is longer than {rules.hold_s:g} s ({n} holds)",
        f"a hint if a mean rating is {rules.below_team:g} or more below the whole team's ({n} answers)",
        f"praise for a mean rating of {rules.praise_from:g} or more ({n} answers)",
        "the number in brackets is how many cases a rule needs; with fewer it says nothing",
        "agents are listed by work number: there is no score and no ranking",
    ]
