"""Row A3: an open case gets news at least once a day until it is closed, even if the news is "nothing new yet"."""

from dataclasses import dataclass, replace
from enum import StrEnum

HOUR_MS = 3_600_000
INSTALLATION_H = 24.0
REMIND_AGAIN_H = 24.0
"""An open case without news is reminded of again, so long after the last reminder."""
LONGEST_REFERENCE = 64


class CaseKind(StrEnum):
    """What a case is about."""

    GENERAL = "general"
    INSTALLATION = "installation"
    """A new installation: asked after within 24 hours."""


class CaseStep(StrEnum):
    """What happens to a case."""

    OPENED = "opened"
    NEWS = "news"
    REMINDED = "reminded"
    """News is due: the caller is on the call-back list."""
    OVERDUE = "overdue"
    """News was due `overdue_h` ago, and there was none."""
    CLOSED = "closed"


class CaseClosed(ValueError):
    """A closed case gets no more news."""


@dataclass(frozen=True, slots=True)
class Case:
    """One open or closed case. Every step makes the next `revision`."""

    reference: str
    revision: int
    number: str
    """The caller's number; "" for none: then nobody is put on the call-back list."""
    kind: CaseKind
    profile: str
    zone: str
    opened_ms: int
    news_due_ms: int
    reminded_ms: int | None
    """When the last reminder for the present due time went out."""
    overdue_ms: int | None
    """When it was found to be overdue."""
    step: CaseStep
    changed_ms: int
    actor: str
    news: str
    """The last news; "" before the first."""
    closed_ms: int | None

    @property
    def open(self) -> bool:
        """News is still owed."""
        return self.closed_ms is None

    def told(self, at_ms: int, actor: str, news: str, next_ms: int) -> "Case":
        """News was given: the next is due at `next_ms`. Raises CaseClosed."""
        return self._next(
            CaseStep.NEWS, at_ms, actor, news_due_ms=next_ms, reminded_ms=None, overdue_ms=None, news=news
        )

    def reminded(self, at_ms: int, actor: str) -> "Case":
        """The reminder has gone out."""
        return self._next(CaseStep.REMINDED, at_ms, actor, reminded_ms=at_ms)

    def overdue(self, at_ms: int, actor: str) -> "Case":
        """The news is late."""
        return self._next(CaseStep.OVERDUE, at_ms, actor, overdue_ms=at_ms)

    def closed(self, at_ms: int, actor: str, news: str) -> "Case":
        """The case is closed. Raises CaseClosed."""
        return self._next(CaseStep.CLOSED, at_ms, actor, closed_ms=at_ms, news=news or self.news)

    def _next(self, step: CaseStep, at_ms: int, actor: str, **changes: object) -> "Case":
        if not self.open:
            raise CaseClosed(f"case {self.reference} is closed")
        revision, changed_ms = self.revision + 1, max(self.changed_ms, at_ms)
        changed = {"revision": revision, "step": step, "changed_ms": changed_ms, "actor": actor, **changes}
        return replace(self, **changed)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class CaseChange:
    """One step of a case: the audit trail, and what is published."""

    reference: str
    revision: int
    at_ms: int
    step: CaseStep
    actor: str
    number: str
    kind: CaseKind
    opened_ms: int
    news_due_ms: int
    news: str


def new_case(
    reference: str,
    number: str,
    kind: CaseKind,
    profile: str,
    zone: str,
    opened_ms: int,
    actor: str,
    news_h: float,
) -> Case:
    """An open case; its first news is due within `news_h` hours, of an installation within 24."""
    hours = min(INSTALLATION_H, news_h) if kind is CaseKind.INSTALLATION else news_h
    return Case(
        reference=reference,
        revision=1,
        number=number,
        kind=kind,
        profile=profile,
        zone=zone,
        opened_ms=opened_ms,
        news_due_ms=opened_ms + round(HOUR_MS * hours),
        reminded_ms=None,
        overdue_ms=None,
        step=CaseStep.OPENED,
        changed_ms=opened_ms,
        actor=actor,
        news="",
        closed_ms=None,
    )


def checked_reference(text: str) -> str:
    """A reference that can be stored and shown; raises ValueError."""
    if not text or len(text) > LONGEST_REFERENCE or not text.isprintable():
        raise ValueError(f"a reference is 1 to {LONGEST_REFERENCE} printable characters")
    return text


def case_change(case: Case) -> CaseChange:
    """The change that made this version of a case."""
    return CaseChange(
        case.reference,
        case.revision,
        case.changed_ms,
        case.step,
        case.actor,
        case.number,
        case.kind,
        case.opened_ms,
        case.news_due_ms,
        case.news,
    )


def due_step(case: Case, now_ms: int, remind_ms: int, overdue_ms: int) -> CaseStep | None:
    """What is to be done now: a reminder `remind_ms` before news is due, and each day; an alarm `overdue_ms` after."""
    if not case.open:
        return None
    if case.overdue_ms is None and now_ms >= case.news_due_ms + overdue_ms:
        return CaseStep.OVERDUE
    again_ms = None if case.reminded_ms is None else case.reminded_ms + round(HOUR_MS * REMIND_AGAIN_H)
    if now_ms >= (case.news_due_ms - remind_ms if again_ms is None else again_ms):
        return CaseStep.REMINDED
    return None
