"""`callflow callbacks dial`: asks the daemon for the call over the database, and waits for the outcome."""

import time
from pathlib import Path

from rich.console import Console

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.locks import beside, is_held
from callflow.core.callbacks.attempt import WORDS, Attempt, Outcome
from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.permission import NotAllowed, may_dial
from callflow.core.callbacks.states import IllegalStep
from callflow.errors import CallflowError
from callflow.settings.model import Settings

LOOK_S = 0.2
TAKEN_S = 15.0
"""A daemon that has not begun after so long will not: the wish is withdrawn."""


def dial_and_wait(
    settings: Settings, path: Path, entries: CallbackList, callback_id: str, agent: str, actor: str, *, as_json: bool
) -> Entry:
    """The entry when its call has an outcome. Raises CallflowError if the call was not placed."""
    found = entries.find(callback_id)
    now_ms = time.time_ns() // 1_000_000
    try:
        may_dial(found, settings.callbacks, now_ms)
    except NotAllowed as error:
        raise CallflowError(f"{found.callback_id} is not dialled: {error}", error.remedy) from None
    if not is_held(beside(path, settings.node.name)):
        raise CallflowError("the daemon does not run; it alone places calls", "start it with callflow run")
    entry = entries.change(found.callback_id, lambda now: _wished(now, agent, actor, now_ms))
    told = Console(stderr=True, highlight=False, quiet=as_json)
    with told.status(f"calling for agent {agent}") as status:
        entry = _taken(entries, entry)
        while True:
            attempts = {attempt.attempt_id: attempt for attempt in entries.attempts(entry.callback_id)}
            attempt = attempts.get(entry.attempt_id)
            if attempt is not None and (attempt.outcome is not None or attempt.reached_ms is not None):
                break
            status.update(_progress(agent, attempt))
            time.sleep(LOOK_S)
    entry = entries.find(entry.callback_id)
    if attempt.outcome is Outcome.UNPLACED:
        raise CallflowError(f"{entry.callback_id} was not dialled: {attempt.cause}", "try again when this has changed")
    words = "reached" if attempt.reached_ms is not None else WORDS[attempt.outcome] if attempt.outcome else ""
    told.print(f"{entry.callback_id}: {words}", markup=False)
    return entry


def _wished(entry: Entry, agent: str, actor: str, now_ms: int) -> Entry:
    if entry.wish:
        problem = f"{entry.callback_id}: this call is asked for already, for agent {entry.wish}"
        raise CallflowError(problem, f"callflow callbacks show {entry.callback_id}")
    try:
        return entry.wished(agent, now_ms, actor)
    except IllegalStep as error:
        raise CallflowError(f"{entry.callback_id}: {error}", "callflow callbacks show") from None


def _taken(entries: CallbackList, wished: Entry) -> Entry:
    """The entry once the daemon has begun; raises CallflowError when it refused or did not."""
    until = time.monotonic() + TAKEN_S
    while time.monotonic() < until:
        entry = entries.find(wished.callback_id)
        if not entry.wish and entry.attempt_id != wished.attempt_id:
            return entry
        if not entry.wish:
            raise CallflowError(f"{entry.callback_id} was not dialled: {entry.why}", "try again when this has changed")
        time.sleep(LOOK_S)

    def withdrawn(now: Entry) -> Entry:
        if not now.wish:
            return now
        return now.changed(now.changed_ms, now.actor, "the daemon did not take the call up", wish="")

    entry = entries.change(wished.callback_id, withdrawn)
    if entry.attempt_id != wished.attempt_id:
        return entry
    raise CallflowError("the daemon did not take the call up", "callflow check shows whether AMI is connected")


def _progress(agent: str, attempt: Attempt | None) -> str:
    if attempt is None or attempt.placed_ms is None:
        return f"calling for agent {agent}"
    if attempt.accepted_ms is None:
        return f"the phone of agent {agent} rings" if attempt.first == "agent" else "the caller's phone rings"
    return "the caller's phone rings" if attempt.first == "agent" else f"the phone of agent {agent} rings"
