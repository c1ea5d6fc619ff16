"""Whispers, goodbyes and talks under way, from AMI."""

from callflow.adapters.ami.translate_assist import (
    WhisperAttached,
    WhisperGone,
    goodbye_spoken,
    talks_of,
    whisper_event,
)
from callflow.core.assist.facts import GoodbyeSpoken

CALLER = {
    "Channel": "PJSIP/trunk-00000001",
    "Uniqueid": "1.1",
    "ChannelStateDesc": "Up",
    "BridgeId": "b1",
    "Application": "Queue",
    "ApplicationData": "support,tT,,,60",
    "CallerIDNum": "+15550100",
}
AGENT = {
    "Channel": "PJSIP/8001-00000002",
    "Uniqueid": "1.2",
    "ChannelStateDesc": "Up",
    "BridgeId": "b1",
    "Application": "AppQueue",
    "ApplicationData": "(Outgoing Line)",
}


class Known:
    """A ring tracker that knows agents and lines by number, and one channel whose agent consults."""

    def __init__(self, consulting: str = "") -> None:
        self._consulting = consulting

    def agent_at(self, phone: str, called: str = "") -> str:
        return phone.removeprefix("PJSIP/")

    def line_at(self, exten: str, interface: str) -> str:
        number = interface.removeprefix("PJSIP/")
        return number if number.isdigit() else ""

    def is_no_talk(self, uniqueid: str) -> bool:
        return uniqueid == self._consulting


def test_a_whisper_is_known_by_the_uniqueid_that_it_was_given() -> None:
    start = {"Event": "ChanSpyStart", "SpyerUniqueid": "callflow-say-t-1;spy", "SpyeeUniqueid": "1.1"}
    assert whisper_event(start) == WhisperAttached("callflow-say-t-1")
    assert whisper_event({"Event": "Hangup", "Uniqueid": "callflow-say-t-1"}) == WhisperGone("callflow-say-t-1")
    assert whisper_event({"Event": "Hangup", "Uniqueid": "callflow-say-t-1;spy"}) is None
    assert whisper_event({"Event": "Hangup", "Uniqueid": "1.1"}) is None
    assert whisper_event({"Event": "ChanSpyStart", "SpyerUniqueid": "5.1"}) is None


def test_the_end_of_a_goodbye() -> None:
    event = {"Event": "UserEvent", "UserEvent": "CallflowGoodbye", "Uniqueid": "1.1", "Timestamp": "2.5"}
    assert goodbye_spoken(event | {"Status": "SUCCESS"}, 9) == GoodbyeSpoken("1.1", 2500)
    assert goodbye_spoken(event | {"Status": "FAILED"}, 9) == GoodbyeSpoken("1.1", 2500, played=False)
    assert goodbye_spoken(event, 9) == GoodbyeSpoken("1.1", 2500, played=False), "of an older dialplan nobody knows"
    assert goodbye_spoken(event | {"UserEvent": "Other"}, 9) is None


def test_a_talk_of_a_queue_is_found() -> None:
    (talk,) = talks_of([CALLER, AGENT], Known())
    assert (talk.caller_uniqueid, talk.agent_uniqueid, talk.agent, talk.queue) == ("1.1", "1.2", "8001", "support")
    assert talk.caller_number == "+15550100"


def test_a_talk_of_a_direct_line_has_no_queue() -> None:
    caller = CALLER | {"Application": "Dial", "ApplicationData": "PJSIP/8001,20,g"}
    (talk,) = talks_of([AGENT, caller], Known())
    assert (talk.caller_uniqueid, talk.queue, talk.line) == ("1.1", "", "8001")


def test_an_agent_who_calls_out_is_no_caller() -> None:
    caller = CALLER | {"Application": "Dial", "ApplicationData": "PJSIP/13855550100@carrier,20"}
    customer = AGENT | {"Channel": "PJSIP/carrier-00000002", "Application": "AppDial"}
    assert talks_of([caller, customer], Known()) == []


def local(number: int, half: int, bridge: str) -> dict[str, str]:
    application = {"Application": "AppQueue"} if half == 1 else {"Application": "Dial", "Exten": "8001"}
    name = f"Local/8001@agents-0000000{number};{half}"
    return AGENT | {"Channel": name, "Uniqueid": f"{number}{half}.1", "BridgeId": bridge} | application


def test_an_agent_behind_local_channels_is_found() -> None:
    agent = AGENT | {"BridgeId": "b2", "Application": "AppDial"}
    one = [CALLER, local(1, 1, "b1"), local(1, 2, "b2"), agent]
    two = [CALLER, local(1, 1, "b1"), local(1, 2, "b3"), local(2, 1, "b3"), local(2, 2, "b2"), agent]
    for channels in (one, two, two[::-1]):
        (talk,) = talks_of(channels, Known())
        assert (talk.caller_channel, talk.agent_channel) == (CALLER["Channel"], AGENT["Channel"])
        assert (talk.agent, talk.queue, talk.line) == ("8001", "support", "")


def test_nobody_is_found_behind_a_local_channel_that_rings_or_runs_something_else() -> None:
    agent, waiting = AGENT | {"BridgeId": "b2"}, CALLER | {"Uniqueid": "1.2", "BridgeId": "b2"}
    third = agent | {"Uniqueid": "1.3", "Channel": "PJSIP/8002-00000003"}
    ring = [CALLER, local(1, 1, "b1"), local(1, 2, "")]
    for channels in (
        ring,
        [*ring[:2], local(1, 2, "b2")],
        [*ring[:2], local(1, 2, "b2"), agent, third],
        [*ring[:2], local(1, 2, "b2"), waiting | {"Channel": "PJSIP/trunk-00000002"}],
        [CALLER, local(1, 1, "b1"), local(1, 2, "b3"), local(2, 1, "b3"), local(2, 2, "b2")],
        [CALLER | {"BridgeId": "b9"}, local(1, 1, "b1"), local(1, 2, "b2"), agent],
    ):
        assert talks_of(channels, Known()) == []


def test_what_is_no_talk_of_two_is_left_alone() -> None:
    third = AGENT | {"Uniqueid": "1.3", "Channel": "PJSIP/8002-00000003"}
    local = AGENT | {"Channel": "Local/8001@agents-00000001;1"}
    for channels in (
        [CALLER],
        [CALLER, AGENT, third],
        [CALLER, CALLER | {"Channel": "PJSIP/trunk-00000002", "Uniqueid": "2.1"}],
        [CALLER, local],
        [CALLER | {"BridgeId": ""}, AGENT],
        [CALLER | {"ChannelStateDesc": "Ring"}, AGENT],
    ):
        assert talks_of(channels, Known()) == []


def test_a_consultation_is_no_talk() -> None:
    assert talks_of([CALLER, AGENT], Known(consulting=CALLER["Uniqueid"])) == []


def test_a_prompt_that_the_listener_s_own_channel_plays() -> None:
    event = {"Event": "UserEvent", "UserEvent": "CallflowSaying", "Id": "callflow-say-t-1", "Uniqueid": "1.1"}
    assert whisper_event(event) == WhisperAttached("callflow-say-t-1")
    said = event | {"UserEvent": "CallflowSaid", "Status": "SUCCESS"}
    assert whisper_event(said) == WhisperGone("callflow-say-t-1")
    assert whisper_event(said | {"Status": "FAILED"}) == WhisperGone("callflow-say-t-1", played=False)
