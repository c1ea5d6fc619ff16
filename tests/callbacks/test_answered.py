"""An answered call from or to a caller on the list is found in the events of bridges."""

import pytest

from callflow.core.callbacks.answered import AnsweredCalls

NUMBER = "13855550100"
LIST = {NUMBER}


def enters(caller: str, connected: str, before: int, linkedid: str = "1.1") -> dict[str, str]:
    """A channel comes into a bridge in which there are `before` others."""
    return {
        "BridgeUniqueid": "b",
        "BridgeNumChannels": str(before + 1),
        "CallerIDNum": caller,
        "ConnectedLineNum": connected,
        "Linkedid": linkedid,
    }


CALLS = {
    "from them": (enters(NUMBER, "8012", 0), enters("8012", NUMBER, 1)),
    "from them, written with +": (enters(f"+{NUMBER}", "8012", 0), enters("8012", "", 1)),
    "to them": (enters(NUMBER, "8012", 0), enters("8012", NUMBER, 1)),
    "to them, the agent first": (enters("8012", "", 0), enters(NUMBER, "8012", 1)),
    "to them, by URI: their channel is called s": (enters("8012", NUMBER, 0), enters("s", "8012", 1)),
}


@pytest.mark.parametrize("events", CALLS.values(), ids=CALLS)
def test_it_is_answered_when_both_are_in_the_bridge(events: tuple[dict[str, str], ...]) -> None:
    answered = AnsweredCalls()
    assert [answered.entered(event, LIST) for event in events] == [None, NUMBER]


def test_one_channel_alone_is_no_answer_and_neither_are_strangers() -> None:
    answered = AnsweredCalls()
    assert answered.entered(enters(NUMBER, "", 0), LIST) is None
    strangers = enters("8012", "13855550199", 0), enters("13855550199", "8012", 1)
    assert [AnsweredCalls().entered(event, LIST) for event in strangers] == [None, None]


def test_a_call_back_of_ours_is_left_to_its_attempt() -> None:
    answered = AnsweredCalls()
    answered.own_call("cb-1")
    events = enters("8012", NUMBER, 0, "cb-1"), enters(NUMBER, "8012", 1, "cb-1")
    assert [answered.entered(event, LIST) for event in events] == [None, None]
