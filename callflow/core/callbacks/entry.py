"""One entry of the call-back list, and the change that every step leaves behind."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise
from typing import Any

from callflow.core.callbacks.states import LIVE, State, Step, after

CALLFLOW = "callflow"
"""The actor of a step that no person has made."""


class Reason(StrEnum):
    """Why a caller is to be called back."""

    REPEATED = "repeated"
    """Row A1: short calls again and again."""
    SILENT = "silent"
    """Row A2: hung up on as silent."""
    QUIET = "quiet"
    """Row A2: hung up on as quiet."""
    OFFER = "offer"
    """Row D5: the caller accepted the offer of a call-back."""
    PLACE = "place"
    """The caller kept their place in a queue."""
    CASE = "case"
    """Row A3: news of an open case is due."""
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Entry:
    """One caller to be called back. A step makes a new version with the next `revision`."""

    callback_id: str
    revision: int
    number: str
    day: str
    """The day it was raised on, 2026-01-31, in its zone."""
    zone: str
    """IANA zone in which the due time and the calling hours are meant; "" where none is set."""
    profile: str
    reasons: tuple[str, ...]
    """`Reason` values, the first reason first."""
    queue: str
    place: int
    """The place in `queue` that the caller keeps; 0 for none."""
    reference: str
    """Of the case; "" for none."""
    note: str
    state: State
    raised_ms: int
    due_ms: int
    attempts: int
    """Calls in which the caller's phone was dialled, or may have been."""
    actor: str
    """Who made the last step: a person, an agent, `callflow`."""
    why: str
    """What led to the last step, in a sentence."""
    changed_ms: int
    wish: str
    """Agent for whom the daemon is asked to place the call; "" for no wish."""
    attempt_id: str
    """Of the last attempt: the ChannelId of its call."""
    closed_ms: int | None
    spoken_name: str = ""
    """File of the name that the caller has said, without folder and extension; "" for none."""

    @property
    def live(self) -> bool:
        """It is not settled yet."""
        return self.state in LIVE

    def step(self, step: Step, at_ms: int, actor: str, why: str, **changes: Any) -> "Entry":
        """The next version; raises IllegalStep."""
        state = after(self.state, step)
        closed_ms = None if state in LIVE else at_ms
        changed = {"wish": "", "closed_ms": closed_ms, **changes}
        return self._version(at_ms, state=state, actor=actor, why=why, **changed)

    def with_reason(self, reason: str, at_ms: int, actor: str, why: str, **changes: Any) -> "Entry":
        """The next version, with a further reason; this one if the reason is known and nothing else changes."""
        if reason in self.reasons and not changes:
            return self
        reasons = self.reasons if reason in self.reasons else (*self.reasons, reason)
        return self._version(at_ms, reasons=reasons, actor=actor, why=why, **changes)

    def changed(self, at_ms: int, actor: str, why: str, **changes: Any) -> "Entry":
        """The next version in the same state."""
        return self._version(at_ms, actor=actor, why=why, **changes)

    def wished(self, agent: str, at_ms: int, actor: str) -> "Entry":
        """The next version, by which the daemon is asked to place the call for an agent; raises IllegalStep."""
        after(self.state, Step.DIAL)
        return self.changed(at_ms, actor, f"{actor} asks to call for agent {agent}", wish=agent)

    def _version(self, at_ms: int, **changes: Any) -> "Entry":
        changed_ms = max(self.changed_ms, at_ms)
        return replace(self, revision=self.revision + 1, changed_ms=changed_ms, **changes)


@dataclass(frozen=True, slots=True)
class CallbackChange:
    """What one step made of an entry: the audit trail, and what is published."""

    callback_id: str
    revision: int
    at_ms: int
    state: State
    actor: str
    why: str
    number: str
    profile: str
    reasons: tuple[str, ...]
    queue: str
    raised_ms: int
    due_ms: int
    attempts: int
    attempt_id: str
    before: str
    """The state before this step; "" for a new entry."""
    spoken_name: str = ""


def change_of(entry: Entry, before: Entry | None) -> CallbackChange:
    """The change that made `entry`."""
    return CallbackChange(
        entry.callback_id,
        entry.revision,
        entry.changed_ms,
        entry.state,
        entry.actor,
        entry.why,
        entry.number,
        entry.profile,
        entry.reasons,
        entry.queue,
        entry.raised_ms,
        entry.due_ms,
        entry.attempts,
        entry.attempt_id,
        "" if before is None else before.state.value,
        entry.spoken_name,
    )


def waits_since(changes: Sequence[CallbackChange]) -> int:
    """Since when an entry waits for a call, in epoch ms, from all its changes; `give_up_h` counts from then.

    That is its first due time, the due time after the last call to its caller, its last new reason, or the last step
    of a person. When callflow puts it off because no agent took the call, or because it cannot be dialled, it waits on.
    """
    since_ms = max(changes[0].raised_ms, changes[0].due_ms)
    for before, change in pairwise(changes):
        if change.attempts > before.attempts:
            since_ms = max(since_ms, change.due_ms)
        elif change.actor != CALLFLOW or change.reasons != before.reasons:
            since_ms = max(since_ms, change.at_ms)
    return since_ms


def claim_of(changes: Sequence[CallbackChange]) -> CallbackChange | None:
    """The step by which the present claim was made; a reason that came later has another actor."""
    claims = (change for change in reversed(changes) if change.state is State.CLAIMED)
    return next((change for change in claims if change.before != State.CLAIMED.value), None)
