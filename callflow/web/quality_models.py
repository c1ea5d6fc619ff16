"""The JSON shapes of ratings and standards: fields that `callflow report` and `callflow standards` print as JSON."""

from pydantic import Field

from callflow.web.models import Shape


class RatingRow(Shape):
    """Ratings of one agent, queue or line, or of all together; a mean is None where nobody answered."""

    name: str
    rating_asked: int
    rating_answered: int = Field(description="Callers who answered at least one question.")
    response_rate: float | None = Field(description="Share of those asked, 0 to 1.")
    mean_efficiency: float | None = Field(description="1 to 5.")
    n_efficiency: int
    mean_attitude: float | None
    n_attitude: int
    mean_correctness: float | None
    n_correctness: int


class RatingDay(Shape):
    """One local day of ratings."""

    day_ms: int
    rating_asked: int
    rating_answered: int
    mean_efficiency: float | None
    mean_attitude: float | None
    mean_correctness: float | None


class RatingsReport(Shape):
    """Ratings of a period."""

    since_ms: int
    until_ms: int
    by: str
    rows: list[RatingRow]
    total: RatingRow
    not_asked: dict[str, int] = Field(description="Callers who were not asked, by reason.")
    days: list[RatingDay]


class StandardRow(Shape):
    """One service standard, judged."""

    standard: str
    measure: str
    unit: str
    perceived: float | None
    cases: int
    adequate: float
    desired: float
    msa: float | None = Field(description="Perceived - adequate; above zero is good.")
    mss: float | None = Field(description="Perceived - desired; above zero is good.")
    judgement: str = Field(description="green, yellow, red, or none with too few cases.")
    words: str
    trend: str
    before: float | None
    owner: str
    reviewed: str | None
    review_overdue: bool


class StandardsReport(Shape):
    """Every standard of the file, over a period."""

    since_ms: int
    until_ms: int
    rows: list[StandardRow]
