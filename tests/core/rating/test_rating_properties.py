"""Any order of keys, silences, hang-ups and faults; and once a week in any zone, over every change of the clocks."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from callflow.core.rating.inputs import CallerLeft, KeyPressed, PromptFailed, RatingInput, ThanksSaid
from callflow.core.rating.orders import AskQuestion, SayThanks
from callflow.core.rating.rules import DAY_MS, RatingRules, askable_from_ms
from callflow.core.rating.states import SCALE, TRANSITIONS, Reply, Scale, State
from tests.core.rating.desk_driver import CALL, T0, Desk, came, talk

KEYS = st.sampled_from([None, "", *"0123456789*ABCD"])
REPLIES: st.SearchStrategy[RatingInput] = st.one_of(
    st.builds(lambda key: KeyPressed(CALL, key, T0 + 1), KEYS),
    st.just(ThanksSaid(CALL, T0 + 2)),
    st.just(CallerLeft(CALL, T0 + 3)),
    st.just(PromptFailed(CALL, T0 + 4)),
)
ZONES = ("UTC", "Asia/Shanghai", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")


def test_every_state_leads_to_the_end_in_a_bounded_number_of_steps() -> None:
    def longest(state: State) -> int:
        return 1 + max((longest(after) for after in TRANSITIONS[state].values()), default=-1)

    assert longest(State.EFFICIENCY) == 7
    assert set(TRANSITIONS) == set(State)
    for state in SCALE:
        assert set(TRANSITIONS[state]) == set(Reply) - {Reply.PLAYED}


@given(st.lists(REPLIES, max_size=20))
def test_whatever_a_caller_does(replies: list[RatingInput]) -> None:
    desk = Desk()
    desk.tell(talk(), came())
    expected: dict[Scale, int] = {}
    for reply in replies:
        prompts_before, live_before = len(desk.played), desk.core.live
        asked = desk.played[-1]
        orders = desk.tell(reply)
        plays = [order for order in orders if isinstance(order, AskQuestion | SayThanks)]
        # One reply leads to one prompt or to the end, and after the end to nothing.
        assert len(plays) + len(desk.given_back) == (1 if orders else len(desk.given_back))
        assert live_before or not orders
        if isinstance(reply, KeyPressed) and reply.key in tuple("12345") and asked != "rate_thanks" and live_before:
            scale = next(iter(scale for scale in Scale if scale not in _behind(desk, prompts_before)))
            expected[scale] = int(reply.key or 0)
    assert len(desk.given_back) <= 1
    assert bool(desk.core.live) is not bool(desk.given_back)
    assert [final for _, final in desk.saved].count(True) == len(desk.given_back)
    assert desk.rating.scores == expected
    assert desk.rating.wrong_keys <= 6
    if desk.given_back:
        assert desk.rating.ended_ms is not None
        assert desk.given_back == [desk.rating.outcome.value]


def _behind(desk: Desk, prompts: int) -> set[Scale]:
    """The scales that had been left behind when so many prompts had been played."""
    questions = [name for name in desk.played[:prompts] if name not in ("rate_again", "rate_thanks")]
    asked = [Scale(name.removeprefix("rate_")) for name in questions]
    return set(asked[:-1])


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 31)),  # noqa: DTZ001 - made UTC below
    st.sampled_from(ZONES),
    st.integers(1, 60),
)
def test_a_caller_is_not_asked_twice_within_the_days(at: datetime, zone: str, days: int) -> None:
    asked_ms = round(at.replace(tzinfo=UTC).timestamp() * 1000)
    rules = RatingRules(zone=zone, again_days=days)
    again_ms = rules.askable_from_ms(asked_ms)
    assert again_ms >= asked_ms + days * DAY_MS
    first, second = (datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)) for ms in (asked_ms, again_ms))
    assert second.date() - first.date() >= timedelta(days=days)
    assert again_ms - asked_ms <= days * DAY_MS + 2 * 3_600_000
    if days == 7:
        assert first.isocalendar()[:2] != second.isocalendar()[:2]
    for ms, asked in ((again_ms - 1, False), (again_ms, True)):
        desk = Desk(rules)
        desk.tell(talk(), came(asked_ms=asked_ms, at_ms=ms))
        assert bool(desk.played) is asked


def test_a_week_of_169_hours_has_one_question() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    monday = datetime(2026, 10, 19, 0, 30, tzinfo=berlin)  # the clocks go back on Sunday
    again_ms = askable_from_ms(round(monday.timestamp() * 1000), 7, berlin)
    assert datetime.fromtimestamp(again_ms / 1000, berlin) == datetime(2026, 10, 26, 0, 0, tzinfo=berlin)
