"""What a report counts, in whole numbers that can be added up: shares and means are made of sums, never of shares."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Self

from callflow.core.rings.records import Outcome
from callflow.core.service.level import Waiting, share

ABANDONED = (
    Outcome.ABANDONED_QUEUE,
    Outcome.ABANDONED_RINGING,
    Outcome.ABANDONED_POST_PICKUP,
    Outcome.SHORT_ABANDON,
    Outcome.AGENT_DUMP_RETRY,
)
"""The caller gave up. Whether that counts as short depends on the time waited and the queue's standard."""
SENT_ON = (Outcome.TIMEOUT, Outcome.LEAVE_EMPTY, Outcome.EXIT_KEY)
"""Waited, and left the queue unanswered without hanging up."""
TURNED_AWAY = (Outcome.FULL, Outcome.JOIN_EMPTY)
"""The caller never got into the queue, so the call counts as not offered."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Counts and sums; `a + b` adds field by field, a `longest` takes the greater."""

    def __add__(self, other: Self) -> Self:
        values = {}
        for name in (each.name for each in fields(self)):
            mine, theirs = getattr(self, name), getattr(other, name)
            values[name] = max(mine, theirs) if name.startswith("longest") else mine + theirs
        return type(self)(**values)


@dataclass(frozen=True, slots=True)
class Rings(Tally):
    """Offers, or an agent's legs, by how they were answered; those not measured with certainty are only `uncertain`."""

    early: int = 0
    acceptable: int = 0
    ideal: int = 0
    late: int = 0
    unanswered: int = 0
    excluded: int = 0
    uncertain: int = 0
    ring_ms: int = 0
    """Of the answered ones, in all."""
    rings: int = 0

    @property
    def answered(self) -> int:
        """Answered, early or late."""
        return self.early + self.acceptable + self.ideal + self.late

    @property
    def within_three(self) -> float | None:
        """Share of all that rang that was answered within three rings, early answers included (row P1)."""
        return share(self.answered - self.late, self.answered + self.unanswered)

    @property
    def mean_ring_ms(self) -> float | None:
        """Mean ring time until the answer."""
        return share(self.ring_ms, self.answered)

    @property
    def mean_rings(self) -> float | None:
        """Mean number of rings completed at the answer."""
        return share(self.rings, self.answered)


@dataclass(frozen=True, slots=True)
class Service(Tally):
    """Stays in queues; those not measured with certainty count as `uncertain` only."""

    answered: int = 0
    answered_in_time: int = 0
    abandoned: int = 0
    abandoned_in_time: int = 0
    short: int = 0
    sent_on: int = 0
    turned_away: int = 0
    withdrawn: int = 0
    """Removed from the queue or redirected by somebody else; left out of every share."""
    uncertain: int = 0
    wait_ms: int = 0
    """Of the answered ones, in all."""
    longest_wait_ms: int = 0
    """Of all who waited."""

    @property
    def offered(self) -> int:
        """All who waited in the queue until they were answered, gave up or were sent on."""
        return self.answered + self.abandoned + self.sent_on

    @property
    def waiting(self) -> Waiting:
        """What a service level is made of."""
        return Waiting(
            self.offered, self.answered, self.answered_in_time, self.abandoned, self.abandoned_in_time, self.short
        )

    @property
    def asa_ms(self) -> float | None:
        """Average speed of answer: the mean wait of those who were answered."""
        return share(self.wait_ms, self.answered)

    @property
    def abandonment(self) -> float | None:
        """Share of the offered calls that were abandoned, short ones included."""
        return share(self.abandoned, self.offered)


@dataclass(frozen=True, slots=True)
class Talk(Tally):
    """Talks of agents with callers of a queue."""

    talks: int = 0
    talk_ms: int = 0

    @property
    def mean_ms(self) -> float | None:
        """Mean talk time."""
        return share(self.talk_ms, self.talks)


@dataclass(frozen=True, slots=True)
class Screened(Tally):
    """Screened calls by result; the silent and quiet ones also by what was heard."""

    results: Counter[str] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    """By name of a `Heard`; "" if nothing could be judged."""

    @property
    def calls(self) -> int:
        """All of them."""
        return self.results.total()


@dataclass(frozen=True, slots=True)
class Ratings(Tally):
    """Callers who came to rate their call. A scale counts only where it was answered: no answer is no zero."""

    asked: int = 0
    answered: int = 0
    """At least one scale."""
    efficiency_n: int = 0
    efficiency_sum: int = 0
    attitude_n: int = 0
    attitude_sum: int = 0
    correctness_n: int = 0
    correctness_sum: int = 0
    not_asked: Counter[str] = field(default_factory=Counter)
    """By reason."""

    @property
    def response_rate(self) -> float | None:
        """Share of those asked who answered at least one question."""
        return share(self.answered, self.asked)

    @property
    def efficiency(self) -> float | None:
        """Mean of the answers, 1 to 5."""
        return share(self.efficiency_sum, self.efficiency_n)

    @property
    def attitude(self) -> float | None:
        """Mean of the answers, 1 to 5."""
        return share(self.attitude_sum, self.attitude_n)

    @property
    def correctness(self) -> float | None:
        """Mean of the answers, 1 to 5."""
        return share(self.correctness_sum, self.correctness_n)


@dataclass(frozen=True, slots=True)
class CallBacks(Tally):
    """Settled entries of the call-back list, by when they were raised."""

    settled: int = 0
    """Reached or given up; what is still open is left out."""
    reached: int = 0
    reach_ms: int = 0
    """From raising until the caller was reached, of the reached ones in all."""

    @property
    def reached_share(self) -> float | None:
        """Share of the settled entries whose caller was reached."""
        return share(self.reached, self.settled)

    @property
    def mean_reach_ms(self) -> float | None:
        """Mean time from raising until the caller was reached."""
        return share(self.reach_ms, self.reached)


@dataclass(frozen=True, slots=True)
class WrapUps(Tally):
    """Wrap-ups that have ended, by when the agent asked for them."""

    wrap_ups: int = 0
    wrap_up_ms: int = 0

    @property
    def mean_ms(self) -> float | None:
        """Mean length of a wrap-up."""
        return share(self.wrap_up_ms, self.wrap_ups)


@dataclass(frozen=True, slots=True)
class AgentTime(Tally):
    """What agents did, ms; what is not known for certain is left out."""

    available: int = 0
    ringing: int = 0
    talking: int = 0
    calling: int = 0
    paused: int = 0
    unavailable: int = 0

    @property
    def occupancy(self) -> float | None:
        """Share of the time on duty, without pauses, that was spent talking."""
        return share(self.talking, self.available + self.ringing + self.talking + self.calling)
