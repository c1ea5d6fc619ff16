"""/api/v1/callbacks: the callers to call back, the reasons, the steps so far, a person's steps, and the call itself."""

import time
from collections.abc import Callable
from itertools import islice
from secrets import token_hex
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import CallbackQueries, NoSuchCallback, Wanting
from callflow.commands.callbacks_report import figures_of
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.entry import CallbackChange, Entry, Reason, claim_of
from callflow.core.callbacks.hours import UnknownHours, UnusableTime, usable, zone_of
from callflow.core.callbacks.numbers import UndialableNumber, dialable
from callflow.core.callbacks.permission import NotAllowed, may_dial
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import LIVE, TRANSITIONS, ByHand, IllegalStep, State, Step
from callflow.core.fleet.orders import ListStep
from callflow.privacy import mask_number
from callflow.web.access import Visitor
from callflow.web.callback_models import (
    AttemptShape,
    CallbackDetail,
    CallbackFigures,
    CallbackPage,
    CallbackRow,
    CallbackWanted,
    ChangeShape,
    DialWanted,
    ListedRow,
    StepWanted,
)
from callflow.web.callbacks_elsewhere import Whole, take_elsewhere
from callflow.web.errors import Conflict, Forbidden, NotFound
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(prefix="/callbacks", tags=["call-backs"])

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
Moment = Annotated[int | None, Query(ge=0, le=2**53, description="Epoch milliseconds.")]
Id = Annotated[str, Path(max_length=64, description="Id of the entry.")]


MOST = 10_000
"""Entries looked through for a visitor who sees some of them."""
WORDS = {
    ByHand.CLAIM: "claimed on the page",
    ByHand.RELEASE: "released on the page",
    ByHand.REOPEN: "reopened on the page",
    ByHand.DONE: "settled on the page",
}
OWN = (Step.RELEASE, Step.DONE, Step.GIVE_UP)
"""What an agent may do, with an entry that they have claimed."""


@router.get("", summary="The call-back list: what is due first comes first, then what is settled, the newest first")
async def entries(
    me: Me,
    site: Here,
    state: Annotated[list[State] | None, Query(description="Only these states; none: every live entry.")] = None,
    reason: Reason | None = None,
    since_ms: Moment = None,
    until_ms: Moment = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> CallbackPage:
    """Numbers are masked. An agent sees the entries that nobody has claimed, and their own."""
    wanting = Wanting(tuple(state or LIVE), None, reason and reason.value, since_ms, until_ms)

    def look(found: CallbackQueries) -> list[ListedRow]:
        limited = me.queues or me.role is Role.AGENT
        seen = (one for one in found.listed(wanting, MOST if limited else limit) if _sees(found, one.entry, me))
        return [ListedRow(**_row(one.entry).model_dump(), node=one.node) for one in islice(seen, limit)]

    return CallbackPage(callbacks=await site.listed(look))


@router.post("", status_code=201, summary="Put a caller on the list by hand")
async def add(me: Me, site: Here, wanted: CallbackWanted) -> CallbackRow:
    """For supervisors and agents. A caller who waits on the list already gets a further reason."""
    if me.role is not Role.AGENT:
        me.need(Role.SUPERVISOR)
    if site.live is None:
        raise Forbidden("this page shows a database alone; nothing can be changed", "open the page of a running daemon")
    if me.queues:
        raise Forbidden(
            "a call-back by hand belongs to no queue; your token is limited to some", "ask for another token"
        )
    rules, now_ms = site.settings().callbacks, site.audit.now_ms()
    try:
        number = dialable(wanted.number, rules.dialable, rules.refused)
        if wanted.zone:
            zone_of(wanted.zone)
        due_ms = now_ms if wanted.due_ms is None else usable("due_ms", wanted.due_ms, now_ms)
    except (UndialableNumber, UnknownHours, UnusableTime) as error:
        raise Conflict(str(error), "correct it and send it again") from None
    raised = Wanted(
        number, wanted.profile, Reason.MANUAL, now_ms, wanted.note or "added on the page", _who(me), note=wanted.note,
        due_ms=due_ms, zone=wanted.zone,
    )  # fmt: skip
    entry, _ = await site.callbacks(lambda found: found.add(raised, rules, now_ms))
    site.audit.note(me, "add call-back", callback=entry.callback_id)
    return _row(entry)


@router.get("/report", summary="Figures by reason: raised, reached, given up, open, attempts, time until reached")
async def report(me: Me, site: Here, since_ms: Moment = None, until_ms: Moment = None) -> CallbackFigures:
    """As `callflow callbacks report --json` prints them."""
    me.need(Role.VIEWER)
    if me.queues:
        raise Forbidden("these figures are of all queues, and your token is limited to some", "ask for another token")
    return CallbackFigures.model_validate(await site.listed(lambda found: figures_of(found, since_ms, until_ms)))


@router.get("/{callback_id}", summary="One entry: every step with who made it, and every call")
async def detail(me: Me, site: Here, callback_id: Id, unmask: Annotated[bool, Query()] = False) -> CallbackDetail:
    """`unmask` shows the number to a supervisor, or to the agent who has claimed the entry, and is written down."""
    entry, changes, attempts = await site.listed(lambda found: _whole(found, callback_id, me))
    if unmask:
        if not (me.at_least(Role.SUPERVISOR) or _claimed_by(entry, changes, me)):
            raise Forbidden("the number is shown to supervisors, and to who has claimed the entry", "claim it first")
        site.audit.note(me, "unmask", callback=callback_id)
    return _shown(entry, changes, attempts, me, site, unmask=unmask)


@router.post("/{callback_id}/dial", status_code=202, summary="Ask the daemon to call the caller back for an agent")
async def dial(me: Me, site: Here, callback_id: Id, wanted: DialWanted) -> CallbackDetail:
    """For supervisors, and for agents with their own phone.

    `wish` is the agent until the daemon begins: then the state is `dialling`, or `why` says why no call was placed.
    """
    if me.role is not Role.AGENT:
        me.need(Role.SUPERVISOR)
    if not site.takes_steps:
        raise Forbidden("this page shows a database alone; it places no call", "open the page of a running daemon")
    agent = _for_whom(me, wanted)
    if site.ask_node is not None:
        why = f"{_who(me)} asks to call for agent {agent}"
        return await _elsewhere(site, me, callback_id, Step.DIAL, why, agent)
    now_ms, rules = site.audit.now_ms(), site.settings().callbacks

    def make(now: Entry) -> Entry:
        if now.wish:
            raise Conflict(f"this call is asked for already, for agent {now.wish}", "look at the entry again")
        try:
            may_dial(now, rules, now_ms)
            return now.wished(agent, now_ms, _who(me))
        except NotAllowed as error:
            raise Conflict(str(error), error.remedy) from None
        except IllegalStep as error:
            raise Conflict(str(error), "look at the entry again: somebody may have been first") from None

    def change(found: CallbackList) -> Whole:
        _whole(found.queries, callback_id, me)
        return found.change(callback_id, make), found.changes(callback_id), found.attempts(callback_id)

    entry, changes, attempts = await site.callbacks(change)
    site.audit.note(me, "dial call-back", callback=callback_id, agent=agent)
    return _shown(entry, changes, attempts, me, site)


def _for_whom(me: Visitor, wanted: DialWanted) -> str:
    """The agent whose phone rings; raises Forbidden or Conflict."""
    if me.role is Role.AGENT:
        if wanted.agent not in ("", me.agent):
            raise Forbidden("an agent has calls placed for their own phone", "leave `agent` out")
        return me.agent
    if not wanted.agent:
        raise Conflict("the call needs an agent", "give the work number of the agent whose phone is to ring")
    return wanted.agent


@router.post("/{callback_id}/{step}", summary="Claim, release, reopen, settle or give up an entry")
async def take_step(me: Me, site: Here, callback_id: Id, step: ByHand, given: StepWanted) -> CallbackDetail:
    """For supervisors, and for agents with entries of their own; written to the audit trail and to the entry."""
    if me.role is not Role.AGENT:
        me.need(Role.SUPERVISOR)
    if not site.takes_steps:
        raise Forbidden("this page shows a database alone; nothing can be changed", "open the page of a running daemon")
    if step is ByHand.GIVE_UP and not given.why:
        raise Conflict("giving up needs a reason", "say why, for those who read it later")
    why = given.why or WORDS[step]
    if site.ask_node is not None:
        return await _elsewhere(site, me, callback_id, Step(step.value), why)

    def change(found: CallbackList) -> Whole:
        seen = _allowed(found.queries, callback_id, me, Step(step.value))
        entry = found.change(callback_id, _stepped(seen, step, _who(me), why))
        return entry, found.changes(callback_id), found.attempts(callback_id)

    entry, changes, attempts = await site.callbacks(change)
    site.audit.note(me, f"{step.value.replace('_', ' ')} call-back", callback=callback_id, why=why)
    return _shown(entry, changes, attempts, me, site)


async def _elsewhere(
    site: Site, me: Visitor, callback_id: str, step: Step, why: str, agent: str = ""
) -> CallbackDetail:
    """The same at the node of the entry."""
    asked = ListStep(token_hex(8), callback_id, step, _who(me), why, agent)
    whole, answer = await take_elsewhere(site, me, asked, lambda found: _allowed(found, callback_id, me, step))
    return _shown(*whole, me, site).model_copy(update={"answer": answer})


def _allowed(found: CallbackQueries, callback_id: str, me: Visitor, step: Step) -> Entry:
    """The entry, if the visitor may take this step with it; raises NotFound or Forbidden."""
    seen, changes, _ = _whole(found, callback_id, me)
    anybodys = step in (Step.CLAIM, Step.DIAL)
    if me.role is Role.AGENT and not anybodys and not (step in OWN and _claimed_by(seen, changes, me)):
        raise Forbidden("agents settle and release the entries that they have claimed", "claim it first")
    return seen


def _stepped(seen: Entry, step: ByHand, who: str, why: str) -> Callable[[Entry], Entry]:
    """The step, unless somebody else has taken one since; raises Conflict."""

    def make(now: Entry) -> Entry:
        if now.revision != seen.revision:
            raise Conflict("somebody else has just changed this entry", "look at it again")
        try:
            return now.step(Step(step.value), time.time_ns() // 1_000_000, who, why)
        except IllegalStep as error:
            raise Conflict(str(error), "look at the entry again: somebody may have been first") from None

    return make


def _who(me: Visitor) -> str:
    """As the entry names who made a step: an agent by work number."""
    return me.agent or me.name


def _whole(found: CallbackQueries, callback_id: str, me: Visitor) -> Whole:
    """An entry with all that belongs to it; raises NotFound, also for what the visitor may not see."""
    try:
        entry = found.find(callback_id)
    except NoSuchCallback:
        entry = None
    if entry is None or entry.callback_id != callback_id or not _sees(found, entry, me):
        raise NotFound(f"there is no call-back {callback_id}", "it may have been deleted by retention")
    return entry, found.changes(callback_id), found.attempts(callback_id)


def _sees(found: CallbackQueries, entry: Entry, me: Visitor) -> bool:
    """Tokens limited to queues see entries of those; an agent sees what can be claimed, and their own."""
    if me.queues and entry.queue not in me.queues:
        return False
    if me.role is not Role.AGENT:
        return True
    if Step.CLAIM in TRANSITIONS[entry.state] or _called_by(entry, found, me):
        return True
    return _claimed_by(entry, found.changes(entry.callback_id), me)


def _called_by(entry: Entry, found: CallbackQueries, me: Visitor) -> bool:
    """The last call of an entry that is being dialled, or is settled, was placed for the visitor's phone."""
    if not entry.attempt_id or entry.state not in (State.DIALLING, State.DONE):
        return False
    return any(
        call.attempt_id == entry.attempt_id and call.agent == me.agent for call in found.attempts(entry.callback_id)
    )


def _claimed_by(entry: Entry, changes: list[CallbackChange], me: Visitor) -> bool:
    """The visitor has claimed the entry, and nobody has taken it from them."""
    if entry.state is not State.CLAIMED:
        return False
    claim = claim_of(changes)
    return claim is not None and claim.actor == _who(me)


def _may(entry: Entry, me: Visitor, *, mine: bool) -> list[str]:
    """The steps that this visitor may take with the entry now."""
    possible = [step for step in ByHand if Step(step.value) in TRANSITIONS[entry.state]]
    if me.at_least(Role.SUPERVISOR):
        return [step.value for step in possible]
    if me.role is Role.AGENT:
        return [step.value for step in possible if step is ByHand.CLAIM or (mine and Step(step.value) in OWN)]
    return []


def _may_dial(entry: Entry, me: Visitor) -> bool:
    """Whether this visitor may ask for the call; calling hours and number are looked at when they do."""
    return Step.DIAL in TRANSITIONS[entry.state] and not entry.wish and me.role is not Role.VIEWER


def _row(entry: Entry) -> CallbackRow:
    return CallbackRow.model_validate(_fields(CallbackRow, entry) | {"number": mask_number(entry.number)})


def _shown(
    entry: Entry,
    changes: list[CallbackChange],
    attempts: list[Attempt],
    me: Visitor,
    site: Site,
    *,
    unmask: bool = False,
) -> CallbackDetail:
    mine, changes_here = _claimed_by(entry, changes, me), site.takes_steps
    return CallbackDetail.model_validate(
        _fields(CallbackRow, entry)
        | {"number": entry.number if unmask else mask_number(entry.number)}
        | {
            "changes": [_fields(ChangeShape, change) for change in changes],
            "calls": [_fields(AttemptShape, attempt) for attempt in attempts],
            "may": _may(entry, me, mine=mine) if changes_here else [],
            "may_dial": changes_here and _may_dial(entry, me),
            "may_unmask": me.at_least(Role.SUPERVISOR) or mine,
        }
    )


def _fields(shape: type[Any], record: object) -> dict[str, Any]:
    """The fields of a record that a shape has, tuples as lists."""
    values = {name: getattr(record, name) for name in shape.model_fields if hasattr(record, name)}
    return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
