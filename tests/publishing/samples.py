"""Records as the core would tell them, for whatever publishes them. Numbers are from the range for fiction."""

from dataclasses import replace

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.assist.wrap_up import EndedBy, WrapUp
from callflow.core.call_record import CallRecord
from callflow.core.callbacks import attempt as attempts
from callflow.core.callbacks.entry import CallbackChange
from callflow.core.callbacks.states import State
from callflow.core.cases import CaseChange, CaseKind, CaseStep
from callflow.core.publishing.events import EventMaker
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.topics import Topics
from callflow.core.rating.record import Ending, NotAsked, Rating
from callflow.core.rings.records import (
    AnswerClass,
    HeldBy,
    Hold,
    Leg,
    LegEnd,
    Offer,
    Outcome,
    RingSource,
    Stay,
    Talk,
    TargetType,
    Timing,
    Transfer,
    TransferKind,
)
from callflow.core.screening.states import Result
from callflow.records import KINDS
from tests.store.samples import T0 as T0
from tests.store.samples import live_call

KEY = b"a key for tests"
HIDDEN = Pseudonymizer(KEY)
TOPICS = Topics("lab")
MAKER = EventMaker(TOPICS, "main", HIDDEN, {kind.record: kind.event for kind in KINDS if kind.event is not None})


def call(number: int = 1, result: Result = Result.SILENT, at_ms: int = T0, lasted_ms: int = 22_500) -> CallRecord:
    begun = live_call(f"1769864703.{number}-1", at_ms)
    channel = f"PJSIP/carrier-{number:08x}"
    return replace(begun, channel=channel, ended_ms=at_ms + lasted_ms, result=result, rung=3)


def stay(number: int = 1, outcome: Outcome = Outcome.ANSWERED, wait_ms: int = 9_000, at_ms: int = T0) -> Stay:
    answered = outcome is Outcome.ANSWERED
    left_ms = at_ms + wait_ms
    return Stay(
        entry_id=f"1769864703.{number}/support/1",
        call_id=f"1769864703.{number}",
        revision=3,
        queue="support",
        caller_number="+15550100",
        caller_name="Alice",
        dialled="1001",
        trunk="PJSIP/carrier",
        joined_ms=at_ms,
        left_ms=left_ms,
        outcome=outcome,
        wait_ms=wait_ms,
        offers=1,
        agent="1007" if answered else "",
        connect_ms=left_ms if answered else None,
        talk_end_ms=left_ms + 120_000 if answered else None,
        talk_ms=120_000 if answered else None,
        timing=Timing.STAMPED,
        partial=False,
    )


def offer(number: int = 1, answer: AnswerClass = AnswerClass.IDEAL, ring_ms: int = 7_000, at_ms: int = T0) -> Offer:
    answered = answer is not AnswerClass.UNANSWERED
    return Offer(
        offer_id=f"1769864703.{number}/offer/1",
        call_id=f"1769864703.{number}",
        revision=2,
        target_type=TargetType.QUEUE,
        target="support",
        agent="1007" if answered else "",
        began_ms=at_ms,
        ring_start_ms=at_ms + 20,
        ring_source=RingSource.RINGING,
        pickup_ms=at_ms + 20 + ring_ms if answered else None,
        connect_ms=at_ms + 30 + ring_ms if answered else None,
        ended_ms=at_ms + 30 + ring_ms,
        legs=1,
        ring_ms=ring_ms,
        rings=(ring_ms - 1000) // 5000 + 1 if ring_ms >= 1000 else 0,
        answer_class=answer,
        picked_up=False,
        cadence="cn",
        timing=Timing.STAMPED,
        partial=False,
    )


def leg(number: int = 1, answer: AnswerClass = AnswerClass.IDEAL, at_ms: int = T0) -> Leg:
    whole = offer(number, answer, at_ms=at_ms)
    return Leg(
        leg_id=f"1769864704.{number}",
        offer_id=whole.offer_id,
        call_id=whole.call_id,
        revision=4,
        interface="PJSIP/alice",
        agent="1007",
        queue="support",
        began_ms=whole.began_ms,
        ring_start_ms=whole.ring_start_ms,
        ring_source=whole.ring_source,
        pickup_ms=whole.pickup_ms,
        connect_ms=whole.connect_ms,
        ended_ms=whole.ended_ms,
        end=LegEnd.ANSWERED if answer is not AnswerClass.UNANSWERED else LegEnd.NO_ANSWER,
        ring_ms=whole.ring_ms,
        rings=whole.rings,
        answer_class=answer,
        auto_answer=False,
        timing=Timing.STAMPED,
        partial=False,
    )


def line_offer(number: int = 1, line: str = "1001") -> Offer:
    return replace(offer(number), target_type=TargetType.LINE, target=line)


def talk(number: int = 1, at_ms: int = T0, lasted_ms: int = 90_000) -> Talk:
    return Talk(
        talk_id=f"1769864704.{number}-{at_ms}",
        call_id=f"1769864703.{number}",
        revision=4,
        agent="1007",
        queue="support",
        line="",
        originated=False,
        began_ms=at_ms,
        ended_ms=at_ms + lasted_ms,
        talk_ms=lasted_ms,
        hold_count=1,
        hold_ms=20_000,
        longest_hold_ms=20_000,
        partial=False,
    )


def hold(number: int = 1, held_by: HeldBy = HeldBy.AGENT, at_ms: int = T0 + 10_000) -> Hold:
    within = talk(number)
    return Hold(
        hold_id=f"{within.talk_id}-1",
        talk_id=within.talk_id,
        call_id=within.call_id,
        revision=2,
        agent=within.agent,
        queue=within.queue,
        line=within.line,
        held_by=held_by,
        began_ms=at_ms,
        ended_ms=at_ms + 20_000,
        hold_ms=20_000,
        partial=False,
    )


def hold_in_progress(number: int = 1) -> Hold:
    return replace(hold(number), revision=1, ended_ms=None, hold_ms=None)


def transfer(kind: TransferKind = TransferKind.BLIND, at_ms: int = T0 + 10_000) -> Transfer:
    within = talk()
    return Transfer(
        f"{within.talk_id}-{at_ms}", within.call_id, within.agent, within.queue, within.line, kind, "8013", at_ms
    )


def wrap_up(ended_by: EndedBy | None = EndedBy.READY) -> WrapUp:
    within = talk()
    asked = WrapUp(
        f"{within.talk_id}-wrap-up", within.call_id, 1, within.agent, within.queue, "PJSIP/8012", "order", T0 + 10_000
    )
    return asked if ended_by is None else asked.begin(T0 + 12_000, "order").end(T0 + 40_000, ended_by)


def rating(number: int = 1, not_asked: NotAsked | None = None, at_ms: int = T0) -> Rating:
    return Rating(
        rating_id=f"1769864703.{number}",
        call_id=f"1769864703.{number}",
        profile="default",
        queue="support",
        line="",
        agent="1007",
        caller="h0123456789abcdef",
        language="en",
        talk_began_ms=at_ms - 120_000,
        came_ms=at_ms,
        ended_ms=at_ms + 12_000,
        not_asked=not_asked,
        ending=None if not_asked else Ending.COMPLETED,
        efficiency=None if not_asked else 5,
        attitude=None if not_asked else 4,
        wrong_keys=0 if not_asked else 1,
    )


def case_change(step: CaseStep = CaseStep.OPENED, kind: CaseKind = CaseKind.GENERAL) -> CaseChange:
    return CaseChange("T-2041", 3, T0, step, "8012", "13855550100", kind, T0, T0 + 86_400_000, "nothing new yet")


def callback_change(
    state: State = State.OPEN, reasons: tuple[str, ...] = ("silent",), before: str = ""
) -> CallbackChange:
    return CallbackChange(
        callback_id="cb-41",
        revision=2,
        at_ms=T0,
        state=state,
        actor="8012",
        why="the caller 13855550100 was hung up on as silent",
        number="13855550100",
        profile="default",
        reasons=reasons,
        queue="support" if before else "",
        raised_ms=T0,
        due_ms=T0 + 300_000,
        attempts=1,
        attempt_id="",
        before=before,
    )


def callback_attempt(outcome: attempts.Outcome = attempts.Outcome.REACHED) -> attempts.Attempt:
    reached = outcome is attempts.Outcome.REACHED
    return attempts.Attempt(
        attempt_id="cb-41-1",
        callback_id="cb-41",
        agent="8012",
        interface="PJSIP/8012",
        actor="8012",
        first="agent",
        began_ms=T0,
        placed_ms=T0 + 20,
        agent_ring_ms=4_000,
        customer_ring_ms=6_000 if reached else None,
        accepted_ms=T0 + 5_000,
        reached_ms=T0 + 12_000 if reached else None,
        ended_ms=T0 + 60_000,
        outcome=outcome,
        cause="ANSWER 16" if reached else "BUSY 17",
    )


def assist_step(kind: StepKind = StepKind.SAID, outcome: str = "reached") -> AssistStep:
    call_id = "1769864703.1"
    return AssistStep(
        step_id=f"{call_id}-{T0}-{kind.value}-{outcome}",
        talk_id=f"{call_id}-{T0}",
        call_id=call_id,
        seq=1,
        agent="8012",
        queue="support",
        profile="support",
        mode="act",
        at_ms=T0,
        kind=kind,
        what="can_you_hear to caller",
        outcome=outcome,
        why="the caller is not heard",
        lasted_ms=None if kind is StepKind.SAID else 3200,
        caller_number="+15550100" if kind is StepKind.CALLBACK_ACCEPTED else "",
    )
