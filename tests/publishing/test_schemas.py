"""The committed JSON schemas: everything that is published fits its own, exactly."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from callflow.adapters.mqtt.session import Status
from callflow.core.assist.actions import Refusal
from callflow.core.assist.facts import Outcome as PromptOutcome
from callflow.core.assist.steps import StepKind
from callflow.core.assist.wrap_up import EndedBy
from callflow.core.callbacks import attempt as attempts
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.states import LIVE, State
from callflow.core.cases import CaseKind, CaseStep
from callflow.core.heard import Heard
from callflow.core.profile import Mode
from callflow.core.publishing.alert_rules import AlertRules
from callflow.core.publishing.alerts import AlertWatch
from callflow.core.publishing.envelope import Envelope, with_seq
from callflow.core.publishing.retained import RetainedMessages
from callflow.core.publishing.states import StateBoard, StateMaker, callback_states
from callflow.core.publishing.window import Windows
from callflow.core.rating.record import Ending, NotAsked
from callflow.core.rings.current_states import AgentState, LineState, QueueState
from callflow.core.rings.records import (
    AgentInterval,
    AgentWork,
    AnswerClass,
    HeldBy,
    Outcome,
    TransferKind,
)
from callflow.core.screening.states import Result
from callflow.core.service.targets import QueueTarget, Targets
from callflow.records.kind import Record
from tests.publishing import samples

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
TARGETS = Targets(queues={"default": QueueTarget()})
T0 = samples.T0


def check(name: str, payload: str) -> None:
    """Raise unless the payload fits the schema."""
    schema = json.loads((SCHEMAS / f"{name}.json").read_text("utf-8"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(json.loads(payload))


def check_event(envelope: Envelope) -> str:
    """Check an event against the schema that its topic names; returns that name."""
    group, kind = envelope.topic.split("/")[-2:]
    check(f"event.{group}.{kind}", with_seq(envelope.body(), 1))
    return f"event.{group}.{kind}"


def every_record() -> list[Record]:
    """Every closed set run through, and every value that may be missing, missing once."""
    records: list[Any] = [samples.call(result=result) for result in Result]
    records += [replace(samples.call(), heard=heard, level_dbov=-41.5, gain_db=6.0) for heard in Heard]
    records += [replace(samples.call(), mode=mode, would=Result.SILENT, heard_at_ms=T0) for mode in Mode]
    records += [replace(samples.call(), caller_number="", caller_name="")]
    records += [samples.stay(outcome=outcome) for outcome in Outcome]
    records += [replace(samples.stay(), outcome=None, left_ms=None, wait_ms=None, marks=("interrupted",))]
    for answer in AnswerClass:
        records += [samples.offer(answer=answer), samples.leg(answer=answer)]
    unknown: dict[str, Any] = {"ring_start_ms": None, "ring_source": None, "ended_ms": None, "answer_class": None}
    records += [replace(samples.offer(), **unknown), replace(samples.leg(), **unknown, end=None), samples.line_offer()]
    records += [samples.talk(), replace(samples.talk(), ended_ms=None, talk_ms=None, queue="", line="1001")]
    records += [samples.hold_in_progress(), *(samples.hold(held_by=party) for party in HeldBy)]
    records += [samples.rating(not_asked=why) for why in (None, *NotAsked)]
    records += [replace(samples.rating(), ending=ending, attitude=None, queue="", line="12") for ending in Ending]
    records += [samples.case_change(step, kind) for step in CaseStep for kind in CaseKind]
    records += [samples.callback_change(state=state) for state in State]
    records += [samples.callback_change(reasons=tuple(Reason), before=state.value) for state in State]
    records += [samples.callback_attempt(outcome) for outcome in attempts.Outcome]
    records += [replace(samples.callback_attempt(), placed_ms=None, accepted_ms=None, agent_ring_ms=None)]
    records += [samples.assist_step(outcome=outcome.value) for outcome in PromptOutcome]
    records += [samples.assist_step(kind, "") for kind in StepKind]
    records += [AgentInterval("201", T0, end_ms, work, "lunch") for work in AgentWork for end_ms in (None, T0 + 5)]
    records += [samples.assist_step(StepKind.ACTION, outcome) for outcome in ("done", *Refusal)]
    records += [samples.transfer(kind) for kind in TransferKind]
    records += [samples.wrap_up(ended_by) for ended_by in (None, *EndedBy)]
    return records


def test_every_event_fits_its_schema() -> None:
    maker = replace(samples.MAKER, collector=True)
    seen = {check_event(event) for record in every_record() if (event := maker.event_of(record))}
    names = (
        "screened",
        "stay",
        "offer",
        "leg",
        "talk",
        "hold",
        "rating",
        "callback",
        "callback_attempt",
        "case",
        "assist",
        "interval",
        "transfer",
        "wrap_up",
    )
    assert seen == {f"event.call.{name}" for name in names}


def test_every_alert_fits_its_schema() -> None:
    rules = AlertRules(trunk_min_calls=2, service_min_calls=2, short_calls=2)
    watch = AlertWatch(rules, samples.TOPICS, "main", samples.HIDDEN, TARGETS)
    records: list[Any] = [samples.call(1, Result.QUIET), *(samples.call(n, at_ms=T0 + n) for n in range(2, 9))]
    records += [samples.stay(n, wait_ms=25_000, at_ms=T0 + n) for n in range(9)]
    records += [samples.case_change(CaseStep.OVERDUE)]
    records += [samples.stay(n, Outcome.ABANDONED_QUEUE, 3_000, T0 + n) for n in range(20, 29)]
    seen = {check_event(alert) for record in records for alert in watch.receive(record)}
    assert seen == {path.stem for path in SCHEMAS.glob("event.alert.*.json")}


def test_states_and_status_fit_their_schemas() -> None:
    board = StateBoard()
    windows = Windows(3_600_000, TARGETS)
    for record in (samples.stay(), samples.offer()):
        windows.receive(record)
    members = dict.fromkeys(AgentWork, 1)
    queues = [QueueState("support", T0, 1, T0 - 5000, members), QueueState("idle", T0, 0, None)]
    agents = [AgentState(str(1000 + n), T0, work, T0) for n, work in enumerate((*AgentWork, None))]
    lines = [LineState("1001", T0, 0, 1)]
    lists = callback_states(T0, {state.value: 1 for state in LIVE}, {"open": 2, "overdue": 1})
    board.replace(StateMaker(samples.HIDDEN).states(queues, agents, lines, windows.by_queue) | lists)
    taken = RetainedMessages(board, samples.TOPICS).take(100, complete=True)
    assert len(taken) == len(queues) + len(agents) + 2
    for topic, payload in taken:
        check(f"state.{topic.split('/')[3]}", payload)
    for state in ("online", "offline"):
        check("status", Status("5d3f", 1_769_864_703_120, "0.1.0").payload(state))


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.stem)
def test_a_schema_knows_everything_and_allows_nothing_else(path: Path) -> None:
    schema = json.loads(path.read_text("utf-8"))
    assert schema["$id"] == path.stem
    assert schema["additionalProperties"] is False
    if "data" in schema["properties"]:
        assert schema["properties"]["data"]["additionalProperties"] is False
