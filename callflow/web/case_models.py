"""The JSON shapes of open cases; the fields are those of `callflow cases --json`."""

from typing import Annotated, Literal

from pydantic import Field

from callflow.core.cases import CaseKind, CaseStep
from callflow.web.models import Shape

Reference = Annotated[str, Field(min_length=1, max_length=64)]


class CaseRow(Shape):
    """One case."""

    reference: str
    revision: int
    number: str = Field(description="Masked, unless it is opened with `unmask`; empty for none.")
    kind: CaseKind
    profile: str
    opened_ms: int
    news_due_ms: int
    overdue: bool = Field(description="The news is due, and was not given.")
    news: str = Field(description="What the caller was told last.")
    actor: str = Field(description="Who made the last step.")
    changed_ms: int
    closed_ms: int | None


class CaseChangeShape(Shape):
    """One step of a case."""

    revision: int
    at_ms: int
    step: CaseStep
    actor: str
    news_due_ms: int
    news: str


class CaseDetail(CaseRow):
    """One case with its steps, and what the visitor may do with it."""

    changes: list[CaseChangeShape]
    may: list[str] = Field(description="Steps that the visitor may take now.")
    may_unmask: bool


class CaseWanted(Shape):
    """A case to be opened."""

    reference: Reference
    number: Annotated[str, Field(max_length=40)] = ""
    kind: CaseKind = CaseKind.GENERAL
    profile: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")] = "default"


class CaseStepWanted(Shape):
    """News of a case, or its end."""

    reference: Reference
    step: Literal["news", "close"]
    news: Annotated[str, Field(max_length=500)] = ""
