"""A day of a contact centre, made up from a seed: the same records for the same seed, and all of one piece.

Two queues and some direct lines. Callers come at random, most in the late morning, and are screened. `support` offers
one agent at a time, `sales` rings up to three at once. Agents do one thing at a time; what they did covers their whole
shift. Rings are counted by the Chinese cadence: 1 s on, 4 s off.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from heapq import nsmallest

from callflow.core.call_record import CallRecord
from callflow.core.profile import Mode
from callflow.core.rating.record import Ending, NotAsked, Rating
from callflow.core.rating.states import Scale
from callflow.core.rings.records import (
    AgentInterval,
    AgentWork,
    AnswerClass,
    Leg,
    LegEnd,
    Offer,
    Outcome,
    RingSource,
    Stay,
    TargetType,
    Timing,
)
from callflow.core.screening.states import Result

MIDNIGHT = 1_769_788_800_000
"""2026-01-31 00:00 in Shanghai (+08:00), where this contact centre is."""
HOUR_MS = 3_600_000
OPEN_H, CLOSE_H = 8, 20
RESULTS = {
    Result.SPOKE: 86,
    Result.KEY: 4,
    Result.RESCUED: 2,
    Result.SILENT: 4,
    Result.HANGUP: 3,
    Result.UNAVAILABLE: 1,
}
GONE = (Result.SILENT, Result.HANGUP)
LINES = ("8001", "8002", "8003")
PATIENCE_MS, TIMEOUT_MS, NO_ANSWER_MS, SHORT_MS = 90_000, 300_000, 20_000, 5_000

Record = CallRecord | Stay | Offer | Leg | AgentInterval | Rating


@dataclass(slots=True)
class Agent:
    """One agent's day so far."""

    number: str
    free_ms: int
    spells: list[AgentInterval] = field(default_factory=list)

    def do(self, work: AgentWork, began_ms: int, ended_ms: int, reason: str = "") -> None:
        """Something from `began_ms` on; until then the agent was available."""
        if began_ms > self.free_ms:
            self.spells.append(AgentInterval(self.number, self.free_ms, began_ms, AgentWork.AVAILABLE))
        if ended_ms > began_ms:
            self.spells.append(AgentInterval(self.number, began_ms, ended_ms, work, reason))
        self.free_ms = max(self.free_ms, ended_ms)


@dataclass(slots=True)
class Day:
    """All records of a day."""

    calls: list[CallRecord] = field(default_factory=list)
    stays: list[Stay] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)
    legs: list[Leg] = field(default_factory=list)
    spells: list[AgentInterval] = field(default_factory=list)
    ratings: list[Rating] = field(default_factory=list)
    """None, unless `rate` is called."""

    def __iter__(self) -> Iterator[Record]:
        for records in (self.calls, self.stays, self.offers, self.legs, self.spells, self.ratings):
            yield from records

    def rate(self, seed: int = 1) -> None:
        """Let every caller who talked to an agent come to rate the call; every other one is asked."""
        dice = random.Random(seed)
        for number, stay in enumerate(stay for stay in self.stays if stay.talk_end_ms is not None):
            at_ms = stay.talk_end_ms or 0
            why = dice.choice([*NotAsked, *([None] * len(NotAsked))])
            scores = [None if why or dice.random() < 0.3 else dice.randint(1, 5) for _ in Scale]
            ending = None if why else dice.choice([Ending.COMPLETED, Ending.HUNG_UP])
            line = "8001" if number % 9 == 0 else ""
            self.ratings.append(
                Rating(
                    stay.call_id, stay.call_id, "default", "" if line else stay.queue, line, stay.agent, "h0", "zh",
                    stay.connect_ms, at_ms, at_ms + 9000, why, ending, scores[0], scores[1], scores[2],
                )
            )  # fmt: skip


def plausible_day(calls: int = 400, agents: int = 5, seed: int = 1, midnight_ms: int = MIDNIGHT) -> Day:
    """The day that begins at `midnight_ms`; with 80 calls for each agent some have to wait, and some give up."""
    return _Maker(random.Random(seed), calls, agents, midnight_ms).day()


def answer_class(ring_ms: int) -> AnswerClass:
    """The class of an answer, in rings of 1 s on and 4 s off."""
    if ring_ms < 1000:
        return AnswerClass.EARLY
    if ring_ms > 15_000:
        return AnswerClass.LATE
    return AnswerClass.IDEAL if 6000 <= ring_ms <= 10_000 else AnswerClass.ACCEPTABLE


def rings_completed(ring_ms: int) -> int:
    """Rings of 1 s on and 4 s off that have sounded to their end."""
    return (ring_ms - 1000) // 5000 + 1 if ring_ms >= 1000 else 0


class _Maker:
    def __init__(self, dice: random.Random, calls: int, agents: int, midnight_ms: int) -> None:
        self._dice = dice
        self._calls = calls
        self._open_ms = midnight_ms + OPEN_H * HOUR_MS
        self._close_ms = midnight_ms + CLOSE_H * HOUR_MS
        self._agents = [Agent(str(201 + n), self._open_ms) for n in range(agents)]
        half = max(1, agents * 2 // 3)
        self._members = {"support": self._agents[:half], "sales": self._agents[half:] or self._agents}
        self._made = Day()

    def day(self) -> Day:
        for number, arrived_ms in enumerate(sorted(self._arrivals())):
            self._one_call(number, arrived_ms)
        for agent in self._agents:
            agent.do(AgentWork.UNAVAILABLE, max(self._close_ms, agent.free_ms), 0)
            self._made.spells += agent.spells
        return self._made

    def _arrivals(self) -> Iterator[int]:
        """Most at 11 o'clock, fewer towards the evening."""
        for _ in range(self._calls):
            hour = self._dice.triangular(OPEN_H, CLOSE_H - 0.5, 11)
            yield self._open_ms + round((hour - OPEN_H) * HOUR_MS)

    def _one_call(self, number: int, arrived_ms: int) -> None:
        call_id = f"{arrived_ms // 1000}.{number}"
        caller = f"+1-555-{self._dice.randrange(100, 200):04}"
        to_line = self._dice.random() < 0.15
        dialled = self._dice.choice(LINES) if to_line else "1000"
        result = self._dice.choices(list(RESULTS), list(RESULTS.values()))[0]
        screened_ms = 20_000 if result is Result.SILENT else self._dice.randrange(800, 9000)
        self._screen(call_id, caller, dialled, arrived_ms, arrived_ms + screened_ms, result)
        if result in GONE:
            return
        if to_line:
            self._ring_line(call_id, dialled, arrived_ms + screened_ms)
        else:
            queue = "support" if self._dice.random() < 0.7 else "sales"
            self._queue(call_id, queue, caller, dialled, arrived_ms + screened_ms)

    def _screen(self, call_id: str, caller: str, dialled: str, arrived_ms: int, ended_ms: int, result: Result) -> None:
        heard = result in (Result.SPOKE, Result.KEY, Result.RESCUED)
        self._made.calls.append(
            CallRecord(
                call_id=f"{call_id}-1",
                uniqueid=call_id,
                channel=f"PJSIP/carrier-{len(self._made.calls):08x}",
                profile="support",
                mode=Mode.ACT,
                ladder="silent",
                ear="talk_detect",
                language="zh",
                caller_number=caller,
                caller_name="",
                dialled=dialled,
                arrived_ms=arrived_ms,
                ended_ms=ended_ms,
                result=result,
                would=None,
                rung=3 if result in (Result.SILENT, Result.RESCUED) else 1,
                heard_at_ms=ended_ms - 300 if heard else None,
                heard_after_would=False,
                partial=result is Result.UNAVAILABLE,
            )
        )

    # -- direct lines ---------------------------------------------------------------------------------------------

    def _ring_line(self, call_id: str, line: str, at_ms: int) -> None:
        rung_ms = self._ring_ms()
        answered = rung_ms < NO_ANSWER_MS
        offer = self._offer(call_id, TargetType.LINE, line, at_ms, min(rung_ms, NO_ANSWER_MS), answered, legs=1)
        self._made.offers.append(replace(offer, agent=f"9{line}" if answered else ""))
        end = LegEnd.ANSWERED if answered else LegEnd.NO_ANSWER
        self._made.legs.append(self._leg(offer, f"9{line}", "", end))

    # -- queues ---------------------------------------------------------------------------------------------------

    def _queue(self, call_id: str, queue: str, caller: str, dialled: str, joined_ms: int) -> None:
        """Wait for an agent, be offered until one picks up, patience ends, or the queue's own time is over."""
        patience_ms = min(TIMEOUT_MS, round(self._dice.expovariate(1 / PATIENCE_MS)))
        waited_ms, offers = 0, 0
        while True:
            free = nsmallest(3, self._members[queue], key=lambda agent: agent.free_ms)
            waited_ms = max(waited_ms, free[0].free_ms - joined_ms)
            if waited_ms >= patience_ms or offers == 5:
                self._gave_up(call_id, queue, caller, dialled, joined_ms, min(waited_ms, patience_ms), offers)
                return
            at_ms = joined_ms + waited_ms
            ringing = [agent for agent in free[: 3 if queue == "sales" else 1] if agent.free_ms <= at_ms]
            offers += 1
            rung_ms = self._ring_ms()
            lasted_ms = min(rung_ms, NO_ANSWER_MS, max(1, patience_ms - waited_ms))
            answered = lasted_ms == rung_ms
            offer = self._offered(call_id, queue, at_ms, lasted_ms, ringing, answered)
            waited_ms += lasted_ms
            if answered:
                self._talk(offer, queue, caller, dialled, joined_ms, waited_ms, offers, ringing[0])
                return
            if waited_ms >= patience_ms:
                self._gave_up(call_id, queue, caller, dialled, joined_ms, waited_ms, offers)
                return

    def _offered(
        self, call_id: str, queue: str, at_ms: int, lasted_ms: int, ringing: list[Agent], answered: bool
    ) -> Offer:
        """One round; the first of `ringing` picks up if anybody does."""
        offer = self._offer(call_id, TargetType.QUEUE, queue, at_ms, lasted_ms, answered, legs=len(ringing))
        offer = replace(offer, agent=ringing[0].number if answered else "")
        self._made.offers.append(offer)
        for agent in ringing:
            agent.do(AgentWork.RINGING, at_ms, at_ms + lasted_ms)
            lost = LegEnd.ELSEWHERE if answered else LegEnd.ABANDONED if lasted_ms < NO_ANSWER_MS else LegEnd.NO_ANSWER
            won = answered and agent is ringing[0]
            self._made.legs.append(self._leg(offer, agent.number, queue, LegEnd.ANSWERED if won else lost))
        return offer

    def _talk(
        self,
        offer: Offer,
        queue: str,
        caller: str,
        dialled: str,
        joined_ms: int,
        wait_ms: int,
        offers: int,
        agent: Agent,
    ) -> None:
        connect_ms = joined_ms + wait_ms
        talk_ms = round(self._dice.lognormvariate(math.log(150_000), 0.6))
        stay = self._stay(offer.call_id, queue, caller, dialled, joined_ms, wait_ms, Outcome.ANSWERED, offers)
        self._made.stays.append(
            replace(
                stay,
                agent=agent.number,
                connect_ms=connect_ms,
                talk_end_ms=connect_ms + talk_ms,
                talk_ms=talk_ms,
            )
        )
        agent.do(AgentWork.TALKING, connect_ms, connect_ms + talk_ms)
        if self._dice.random() < 0.1:
            agent.do(AgentWork.PAUSED, agent.free_ms, agent.free_ms + 60_000, "notes")

    def _gave_up(
        self, call_id: str, queue: str, caller: str, dialled: str, joined_ms: int, wait_ms: int, offers: int
    ) -> None:
        if wait_ms >= TIMEOUT_MS:
            outcome = Outcome.TIMEOUT
        elif wait_ms <= SHORT_MS:
            outcome = Outcome.SHORT_ABANDON
        else:
            other = Outcome.EXIT_KEY if self._dice.random() < 0.1 else Outcome.ABANDONED_QUEUE
            outcome = Outcome.ABANDONED_RINGING if offers else other
        self._made.stays.append(self._stay(call_id, queue, caller, dialled, joined_ms, wait_ms, outcome, offers))

    # -- records --------------------------------------------------------------------------------------------------

    def _ring_ms(self) -> int:
        """A few agents are not at their desks."""
        return 2 * NO_ANSWER_MS if self._dice.random() < 0.04 else max(300, round(self._dice.gauss(8000, 4500)))

    def _doubt(self) -> tuple[Timing, bool]:
        """A few records are timed by arrival, and a few are partial."""
        thrown = self._dice.random()
        return Timing.ARRIVAL if thrown < 0.003 else Timing.STAMPED, 0.003 <= thrown < 0.008

    def _offer(
        self, call_id: str, kind: TargetType, target: str, at_ms: int, lasted_ms: int, answered: bool, legs: int
    ) -> Offer:
        timing, partial = self._doubt()
        end_ms = at_ms + lasted_ms
        return Offer(
            offer_id=f"{call_id}/{len(self._made.offers)}",
            call_id=call_id,
            revision=4,
            target_type=kind,
            target=target,
            agent="",
            began_ms=at_ms,
            ring_start_ms=at_ms,
            ring_source=RingSource.RINGING,
            pickup_ms=end_ms if answered else None,
            connect_ms=end_ms if answered else None,
            ended_ms=end_ms,
            legs=legs,
            ring_ms=lasted_ms,
            rings=rings_completed(lasted_ms),
            answer_class=answer_class(lasted_ms) if answered else AnswerClass.UNANSWERED,
            picked_up=False,
            cadence="cn",
            timing=timing,
            partial=partial,
        )

    def _leg(self, offer: Offer, agent: str, queue: str, end: LegEnd) -> Leg:
        won = end is LegEnd.ANSWERED
        missed = AnswerClass.UNANSWERED if end is LegEnd.NO_ANSWER else AnswerClass.EXCLUDED
        return Leg(
            leg_id=f"{offer.call_id}.{len(self._made.legs)}",
            offer_id=offer.offer_id,
            call_id=offer.call_id,
            revision=4,
            interface=f"PJSIP/{agent}",
            agent=agent,
            queue=queue,
            began_ms=offer.began_ms,
            ring_start_ms=offer.ring_start_ms,
            ring_source=RingSource.RINGING,
            pickup_ms=offer.pickup_ms if won else None,
            connect_ms=offer.connect_ms if won else None,
            ended_ms=offer.ended_ms,
            end=end,
            ring_ms=offer.ring_ms,
            rings=offer.rings,
            answer_class=offer.answer_class if won else missed,
            auto_answer=False,
            timing=offer.timing,
            partial=offer.partial,
        )

    def _stay(
        self,
        call_id: str,
        queue: str,
        caller: str,
        dialled: str,
        joined_ms: int,
        wait_ms: int,
        outcome: Outcome,
        offers: int,
    ) -> Stay:
        timing, partial = self._doubt()
        return Stay(
            entry_id=f"{call_id}/{queue}",
            call_id=call_id,
            revision=4,
            queue=queue,
            caller_number=caller,
            caller_name="",
            dialled=dialled,
            trunk="PJSIP/carrier",
            joined_ms=joined_ms,
            left_ms=joined_ms + wait_ms,
            outcome=outcome,
            wait_ms=wait_ms,
            offers=offers,
            agent="",
            connect_ms=None,
            talk_end_ms=None,
            talk_ms=None,
            timing=timing,
            partial=partial,
        )
