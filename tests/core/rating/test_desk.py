"""Who is asked, what is asked, and what is written down."""

import pytest

from callflow.core.profile import Profile
from callflow.core.rating.desk import drawn
from callflow.core.rating.inputs import (
    CallerLeft,
    ChannelEnded,
    KeyPressed,
    NotToBeAsked,
    PromptFailed,
    RatingInput,
    ThanksSaid,
)
from callflow.core.rating.orders import AskQuestion, GiveBack, SaveRating
from callflow.core.rating.record import Ending, NotAsked, RatingOutcome
from callflow.core.rating.rules import RatingRules
from callflow.core.rings.talk_events import TalkEnded
from tests.core.rating.desk_driver import CALL, T0, Desk, came, procedures, talk


def key(pressed: str | None, at_ms: int = T0 + 1000) -> KeyPressed:
    return KeyPressed(CALL, pressed, at_ms)


def test_three_answers() -> None:
    desk = Desk()
    desk.tell(talk(), came(), key("5"), key("4"), key("1"), ThanksSaid(CALL, T0 + 9000))
    assert desk.played == ["rate_efficiency", "rate_attitude", "rate_correctness", "rate_thanks"]
    rating = desk.rating
    assert (rating.efficiency, rating.attitude, rating.correctness) == (5, 4, 1)
    assert (rating.outcome, rating.ending) == (RatingOutcome.RATED, Ending.COMPLETED)
    assert (rating.agent, rating.queue, rating.language, rating.ended_ms) == ("8012", "support", "zh", T0 + 9000)
    assert desk.given_back == ["rated"]
    assert [final for _, final in desk.saved] == [False, False, False, False, True]
    assert desk.core.live == 0


def test_the_next_question_is_ordered_before_anything_else() -> None:
    desk = Desk()
    desk.tell(talk(), came())
    orders = desk.tell(key("3"))
    assert isinstance(orders[0], AskQuestion)


def test_skipping_and_no_key_are_no_answers() -> None:
    desk = Desk()
    desk.tell(talk(), came(), key(""), key(None), key("2"), ThanksSaid(CALL, T0 + 1))
    assert (desk.rating.efficiency, desk.rating.attitude, desk.rating.correctness) == (None, None, 2)
    assert desk.rating.outcome is RatingOutcome.PARTLY_RATED


def test_a_wrong_key_is_asked_once_more_and_then_skipped() -> None:
    desk = Desk()
    desk.tell(talk(), came(), key("9"), key("*"), key("0"), key("4"))
    assert desk.played == ["rate_efficiency", "rate_again", "rate_attitude", "rate_again", "rate_correctness"]
    assert (desk.rating.efficiency, desk.rating.attitude, desk.rating.wrong_keys) == (None, 4, 3)


def test_what_was_answered_before_a_hang_up_counts() -> None:
    desk = Desk()
    desk.tell(talk(), came(), key("3"), CallerLeft(CALL, T0 + 2500))
    assert (desk.rating.efficiency, desk.rating.attitude) == (3, None)
    assert (desk.rating.ending, desk.rating.ended_ms) == (Ending.HUNG_UP, T0 + 2500)
    assert desk.rating.outcome is RatingOutcome.PARTLY_RATED
    assert desk.tell(key("5")) == []


def test_a_missing_prompt_gives_the_caller_back_at_once() -> None:
    desk = Desk()
    desk.tell(talk(), came(), PromptFailed(CALL, T0 + 100))
    assert desk.given_back == ["unrated"]
    assert desk.rating.ending is Ending.FAILED


def test_own_recordings_are_played() -> None:
    desk = Desk(procedures=procedures(shop=Profile(prompts={"rate_efficiency": "how_fast"}, language="en")))
    desk.tell(talk(), came(profile="shop"))
    assert desk.played == ["how_fast"]
    assert desk.rating.language == "en"


WHY_NOT: dict[NotAsked, list[RatingInput]] = {
    NotAsked.TRANSFERRED: [talk(), came(transferred=True)],
    NotAsked.SILENT: [talk(), NotToBeAsked(CALL, NotAsked.SILENT), came()],
    NotAsked.NUISANCE: [talk(), NotToBeAsked(CALL, NotAsked.NUISANCE), NotToBeAsked(CALL, NotAsked.SILENT), came()],
    NotAsked.CALL_BACK: [NotToBeAsked(CALL, NotAsked.CALL_BACK), talk(), came()],
    NotAsked.NO_AGENT: [came()],
    NotAsked.NO_NUMBER: [talk(), came(caller="")],
    NotAsked.UNKNOWN_HISTORY: [talk(), came(history_known=False)],
    NotAsked.ASKED_LATELY: [talk(), came(asked_ms=T0 - 6 * 86_400_000)],
}


@pytest.mark.parametrize("why", WHY_NOT)
def test_the_reason_is_written_down(why: NotAsked) -> None:
    desk = Desk()
    desk.tell(*WHY_NOT[why])
    assert desk.played == []
    assert desk.given_back == [f"not_asked:{why}"]
    ((rating, final),) = desk.saved
    assert (rating.not_asked, rating.outcome, rating.ending, final) == (why, RatingOutcome.NOT_ASKED, None, True)


def test_nobody_is_asked_when_ratings_are_off() -> None:
    desk = Desk(RatingRules(enabled=False))
    desk.tell(talk(), came())
    assert desk.given_back == ["not_asked:off"]


def test_only_a_share_is_asked() -> None:
    desk = Desk(procedures=procedures(none=Profile(rating_share=0.0)))
    desk.tell(talk(), came(profile="none"))
    assert desk.rating.not_asked is NotAsked.SHARE
    asked = sum(drawn(f"{1_769_864_703 + n // 7}.{n}", 0.2) for n in range(20_000))
    assert 3800 < asked < 4200


def test_a_caller_with_two_calls_at_once_is_asked_in_one() -> None:
    """The database knows nothing of the first yet."""
    desk = Desk()
    desk.tell(talk("1.1"), talk("1.2"), came("1.1"), came("1.2"))
    assert [rating.not_asked for rating, _ in desk.saved] == [None, NotAsked.ASKED_LATELY]


def test_a_talk_after_a_hand_over_is_the_second_agents() -> None:
    desk = Desk()
    desk.tell(talk(agent="8012"), talk(agent="8013"), came())
    assert desk.rating.agent == "8013"


def test_an_originated_call_has_no_agent_to_rate() -> None:
    desk = Desk()
    desk.tell(talk(originated=True), came())
    assert desk.rating.not_asked is NotAsked.NO_AGENT


def test_a_caller_who_hangs_up_first_counts_where_callers_are_asked() -> None:
    desk = Desk()
    desk.tell(talk("1.1"), ChannelEnded("1.1", T0))
    assert desk.saved == []  # nobody has come here from that queue yet
    desk.tell(talk("1.2"), came("1.2"), CallerLeft("1.2", T0), ChannelEnded("1.2", T0))
    desk.tell(talk("1.3"), ChannelEnded("1.3", T0 + 5), talk("1.4", queue="other"), ChannelEnded("1.4", T0 + 5))
    ((rating, final),) = [one for one in desk.saved if one[0].rating_id == "1.3"]
    assert (rating.not_asked, rating.agent, final) == (NotAsked.HUNG_UP_FIRST, "8012", True)
    assert {one.rating_id for one, _ in desk.saved} == {"1.2", "1.3"}


@pytest.mark.parametrize(("after_ms", "records"), [(0, 1), (50, 1), (3_000, 0), (600_000, 0)])
def test_a_caller_whose_agent_left_first_has_not_hung_up_first(after_ms: int, records: int) -> None:
    """A blind transfer to the outside; or callflow said goodbye, and hung up on a silent caller."""
    desk = Desk()
    desk.tell(talk("1.1"), came("1.1"), CallerLeft("1.1", T0), ChannelEnded("1.1", T0))
    desk.saved.clear()
    desk.tell(talk("1.2"), TalkEnded(T0 - 60_000, talk("1.2").parties), ChannelEnded("1.2", T0 + after_ms))
    assert [rating.not_asked for rating, _ in desk.saved] == [NotAsked.HUNG_UP_FIRST] * records


def test_a_caller_who_talks_to_the_next_agent_and_hangs_up_has_hung_up_first() -> None:
    """The end of the first talk comes late."""
    desk = Desk()
    desk.tell(talk("1.1"), came("1.1"), CallerLeft("1.1", T0), ChannelEnded("1.1", T0))
    desk.saved.clear()
    first = talk("1.2", agent="8012")
    desk.tell(first, talk("1.2", agent="8013"), TalkEnded(T0, first.parties), ChannelEnded("1.2", T0 + 600_000))
    assert [(rating.not_asked, rating.agent) for rating, _ in desk.saved] == [(NotAsked.HUNG_UP_FIRST, "8013")]


def test_nothing_is_remembered_of_a_channel_that_is_gone() -> None:
    desk = Desk()
    desk.tell(talk(), ChannelEnded(CALL, T0), came())
    assert desk.rating.not_asked is NotAsked.NO_AGENT


def test_an_answer_that_fits_nowhere_is_counted_and_changes_nothing() -> None:
    desk = Desk()
    desk.tell(talk(), came(), key("1"), key("1"), key("1"))
    assert desk.tell(key("2")) == []
    assert desk.core.unexpected == {"score in thanks": 1}


def test_orders_of_the_end() -> None:
    desk = Desk()
    desk.tell(talk(), came())
    orders = desk.tell(CallerLeft(CALL, T0 + 1))
    assert [type(order) for order in orders] == [GiveBack, SaveRating]
