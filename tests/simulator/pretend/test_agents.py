"""What agents' phones do to the stream: orders and headers as they were seen on Asterisk 22.10 and 16.28."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from callflow.simulator.pretend.flavour import ASTERISK_16, ASTERISK_22, Flavour
from tests.simulator.pretend.stage import Event, Played, play, scenario


def played(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    agents: dict[str, Any],
    flavour: Flavour = ASTERISK_22,
    **caller: Any,
) -> Played:
    """One caller without media whom no daemon screens."""
    plan = scenario([{"name": "one", "media": "none"} | caller], agents=agents)
    return play(monkeypatch, tmp_path, plan, flavour, daemon=False)


def names(events: list[Event], agent: bool | None = None) -> list[str]:
    """Names of the events, of the agent's channel or of the caller's only if asked for."""
    return [e["Event"] for e in events if agent is None or e["Channel"].startswith("PJSIP/agent") == agent]


def test_dial_to_an_agent_and_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = played(monkeypatch, tmp_path, {"ring_s": 9, "talk_s": 2}).of("one")
    assert names(events) == [
        "Newchannel",
        "Newstate",
        "UserEvent",
        "Newchannel",
        "NewCallerid",
        "NewConnectedLine",
        "DialBegin",
        "NewConnectedLine",
        "Newstate",
        "DialState",
        "Newstate",
        "DialEnd",
        "BridgeEnter",
        "BridgeEnter",
        "HangupRequest",
        "BridgeLeave",
        "BridgeLeave",
        "Hangup",
        "SoftHangupRequest",
        "UserEvent",
        "Hangup",
    ]
    ringing, up = (
        next(e for e in events if (e["Event"], e["ChannelState"]) == ("Newstate", s) and "agent" in e["Channel"])
        for s in "56"
    )
    assert float(up["Timestamp"]) - float(ringing["Timestamp"]) == pytest.approx(9.0, abs=0.01)
    assert next(e for e in events if e["Event"] == "DialEnd")["DestExten"] == ""


def test_a_queue_call_tells_its_agents_times_in_whole_seconds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = played(monkeypatch, tmp_path, {"ring_s": 9, "talk_s": 2}, route="queue").of("one")
    told = {e["Event"]: e for e in events}
    order = [n for n in names(events) if n.startswith(("Queue", "Agent", "Dial"))]
    assert order == [
        "QueueCallerJoin",
        "AgentCalled",
        "DialBegin",
        "DialState",
        "DialEnd",
        "QueueCallerLeave",
        "AgentConnect",
        "AgentComplete",
    ]
    assert abs(int(told["AgentConnect"]["RingTime"]) - 9) <= 1
    assert abs(int(told["AgentComplete"]["TalkTime"]) - 2) <= 1
    assert told["AgentComplete"]["Reason"] == "agent"
    assert told["DialBegin"]["DialString"] == "PJSIP/agent"


@pytest.mark.parametrize(
    ("agents", "route", "status", "cause"),
    [
        ({"does": "reject"}, "dial", "BUSY", "17"),
        ({"does": "forward", "ring_s": 0}, "dial", "NOANSWER", "23"),
        ({"does": "ignore"}, "dial", "NOANSWER", "16"),
        ({"does": "ignore"}, "queue", "CANCEL", "16"),
    ],
)
def test_an_agent_who_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, agents: dict[str, Any], route: str, status: str, cause: str
) -> None:
    it = played(monkeypatch, tmp_path, agents, route=route, stays_s=60)
    events = it.of("one")
    assert [e["DialStatus"] for e in events if e["Event"] == "DialEnd"][-1] == status
    assert events[-1]["Event"] == "Hangup"
    assert events[-1]["Cause"] == cause
    assert not it.one("one").agent
    assert it.one("one").ended_by == "asterisk"


def test_a_queue_tries_again_five_seconds_after_a_refusal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    events = played(monkeypatch, tmp_path, {"does": "reject"}, route="queue", stays_s=12).of("one")
    called = [float(e["Timestamp"]) for e in events if e["Event"] == "AgentCalled"]
    assert [round(b - a, 1) for a, b in itertools.pairwise(called)] == [5.5, 5.5]
    assert names(events).count("AgentRingNoAnswer") == 2
    assert (
        names(events)[-4:] == ["QueueCallerLeave", "SoftHangupRequest", "UserEvent", "Hangup"]
        or "Hangup" in names(events)[-1]
    )


def test_a_caller_who_leaves_while_it_rings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    it = played(monkeypatch, tmp_path, {"ring_s": 8}, stays_s=1.5)
    assert [e["DialStatus"] for e in it.of("one") if e["Event"] == "DialEnd"] == ["CANCEL"]
    assert it.one("one").ended_by == "caller"


def test_hold_and_back(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    agents = {"does": "hold", "hold_after_s": 1, "hold_s": 2, "talk_s": 4}
    events = played(monkeypatch, tmp_path, agents).of("one")
    hold, unhold = (next(e for e in events if e["Event"] == name) for name in ("Hold", "Unhold"))
    assert hold["MusicClass"] == "default"
    assert float(unhold["Timestamp"]) - float(hold["Timestamp"]) == pytest.approx(2.0, abs=0.01)


@pytest.mark.parametrize(
    ("flavour", "route", "cause"),
    [
        (ASTERISK_22, "dial", "16"),
        (ASTERISK_22, "queue", None),
        (ASTERISK_16, "dial", None),
        (ASTERISK_16, "queue", "16"),
    ],
)
def test_who_names_a_cause_when_an_agent_hangs_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flavour: Flavour, route: str, cause: str | None
) -> None:
    events = played(monkeypatch, tmp_path, {"talk_s": 1}, flavour, route=route).of("one")
    assert next(e for e in events if e["Event"] == "HangupRequest").get("Cause") == cause


@pytest.mark.parametrize(("flavour", "cause"), [(ASTERISK_22, "0"), (ASTERISK_16, "16")])
def test_a_caller_s_own_hang_up_leaves_this_cause(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flavour: Flavour, cause: str
) -> None:
    events = played(monkeypatch, tmp_path, {"ring_s": 8}, flavour, stays_s=2).of("one")
    assert events[-1]["Cause"] == cause


def test_the_device_of_all_agents_is_told_only_when_it_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    plan = scenario(
        [{"name": name, "media": "none", "at_s": at} for name, at in (("a", 0.0), ("b", 1.0))],
        agents={"ring_s": 0.5, "talk_s": 5},
    )
    events = play(monkeypatch, tmp_path, plan, daemon=False).events
    assert [e["Status"] for e in events if e["Event"] == "QueueMemberStatus"] == ["6", "2", "7", "2", "1"]
