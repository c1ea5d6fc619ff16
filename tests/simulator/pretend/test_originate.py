"""Originate of the pretend Asterisk: every outcome of a call-back, duplicates, and what a lost connection leaves."""

import asyncio
from typing import Any

import pytest

from callflow.simulator.pretend.flavour import ASTERISK_16, ASTERISK_22, Flavour
from tests.simulator.pretend.stage import Event, Peer
from tests.simulator.pretend.talks import CUSTOMER, Desk, agent, at_the_desk, customer

ACCEPTS = {"at_s": 0.5, "keys": "1"}


async def called_back(desk: Desk, **headers: str) -> None:
    answer = await desk.originate("cb-1", **headers)
    assert answer["Message"] == "Originate successfully queued"
    await desk.until(lambda: bool(desk.of("OriginateResponse")))
    await desk.until(lambda: not desk.asterisk.world.switch.channels)


def response(desk: Desk) -> Event:
    (one,) = desk.of("OriginateResponse")
    return one


def test_agent_and_customer_talk_under_one_linkedid() -> None:
    desk = at_the_desk([agent(ACCEPTS), customer(talk_s=2.0)], called_back)
    assert (response(desk)["Response"], response(desk)["Reason"]) == ("Success", "4")
    assert {event["Linkedid"] for event in desk.of("Newchannel")} == {"cb-1"}
    assert [event["Uniqueid"] == "cb-1" for event in desk.of("Newchannel")] == [True, False]
    assert len(desk.of("BridgeEnter")) == 2
    (accepted,), (over,) = desk.told("TalkAccepted"), desk.told("TalkCalledBack")
    assert (accepted["Key"], accepted["Status"]) == ("1", "OK")
    assert (over["Status"], over["Cause"]) == ("ANSWER", "16")
    shown = [event["ConnectedLineNum"] for event in desk.of("NewConnectedLine") if "customers" in event["Channel"]]
    assert shown == ["4000"]


@pytest.mark.parametrize(
    ("does", "status", "cause", "told"),
    [
        ("busy", "BUSY", "17", "BUSY"),
        ("refuse", "CHANUNAVAIL", "21", "NOANSWER"),
        ("unavailable", "NOANSWER", "19", "NOANSWER"),
        ("congested", "CONGESTION", "34", "CONGESTION"),
        ("unknown", "CHANUNAVAIL", "1", "NOANSWER"),
        ("ignore", "NOANSWER", "0", "NOANSWER"),
    ],
)
def test_a_customer_who_does_not_answer(does: str, status: str, cause: str, told: str) -> None:
    desk = at_the_desk([agent(ACCEPTS), customer(does=does)], called_back)
    (over,) = desk.told("TalkCalledBack")
    assert (over["Status"], over["Cause"]) == (status, cause)
    assert desk.of("DialEnd")[-1]["DialStatus"] == told


@pytest.mark.parametrize("flavour", [ASTERISK_22, ASTERISK_16], ids=["22", "16"])
@pytest.mark.parametrize(
    ("does", "reason", "ends", "causes"),
    [
        ("busy", "0", ["BUSY"], ("17", "17")),
        ("refuse", "0", ["NOANSWER"], ("21", "21")),
        ("congested", "0", ["CONGESTION"], ("34", "34")),
        ("ignore", "3", [], ("19", "0")),
    ],
)
def test_an_agent_who_does_not_answer(
    flavour: Flavour, does: str, reason: str, ends: list[str], causes: tuple[str, str]
) -> None:
    desk = at_the_desk([agent(does=does)], called_back, flavour=flavour)
    assert (response(desk)["Response"], response(desk)["Reason"]) == ("Failure", reason)
    assert [event["DialStatus"] for event in desk.of("DialEnd")] == ends
    assert desk.of("Hangup")[0]["Cause"] == causes[flavour is ASTERISK_16]
    if does == "ignore":
        began, told = (float(event["Timestamp"]) for event in (desk.of("DialBegin")[0], response(desk)))
        assert told - began == pytest.approx(30.0, abs=0.05)


@pytest.mark.parametrize("phones", [[agent(does="absent")], [agent(number="8002")]], ids=["absent", "unknown"])
def test_a_phone_that_is_not_there_makes_no_channel(phones: list[dict[str, Any]]) -> None:
    desk = at_the_desk(phones, called_back)
    assert (response(desk)["Reason"], response(desk)["Channel"]) == ("0", "PJSIP/8001")
    assert desk.of("Newchannel") == []


@pytest.mark.parametrize(
    ("acts", "key", "status"), [([], "", "TIMEOUT"), ([{"at_s": 1.0, "keys": "2"}], "2", "OK")], ids=["none", "other"]
)
def test_an_agent_who_does_not_accept(acts: list[dict[str, Any]], key: str, status: str) -> None:
    desk = at_the_desk([agent(*acts), customer()], called_back)
    (accepted,) = desk.told("TalkAccepted")
    assert (accepted["Key"], accepted["Status"]) == (key, status)
    assert len(desk.of("Newchannel")) == 1


def test_refusals_of_the_action_itself() -> None:
    async def ask(desk: Desk) -> None:
        assert (await desk.originate("cb-1", Context="not-there"))["Message"] == "Extension does not exist."
        assert (await desk.originate("x" * 150))["Response"] == "Error"
        await asyncio.sleep(1)

    assert at_the_desk([agent()], ask).of("Newchannel", "OriginateResponse") == []


def test_the_same_id_calls_once_while_it_lives_and_again_afterwards() -> None:
    async def twice(desk: Desk) -> None:
        await desk.originate("cb-1", ActionID="first")
        await asyncio.sleep(0.1)
        await desk.originate("cb-1", ActionID="second")
        await desk.until(lambda: len(desk.of("OriginateResponse")) == 2)
        await desk.until(lambda: not desk.asterisk.world.switch.channels)
        assert len(desk.of("Newchannel")) == 1
        await desk.originate("cb-1", ActionID="third")
        await desk.until(lambda: len(desk.of("Newchannel")) == 2)

    desk = at_the_desk([agent(talk_s=1.0)], twice)
    told = {event["ActionID"]: (event["Response"], event["Uniqueid"]) for event in desk.of("OriginateResponse")}
    assert told["second"] == ("Failure", "cb-1")
    assert told["first"] == ("Success", "cb-1")


def test_a_connection_that_ends_right_after_the_send_has_placed_the_call() -> None:
    async def cut(desk: Desk) -> None:
        dying = await Peer.to(desk.asterisk.ami.port)
        await dying.login("off")
        lines = ["Action: Originate", "Channel: PJSIP/8001", "Context: talk-callback", "Exten: s", "Priority: 1"]
        dying.send("\r\n".join([*lines, "Async: true", "ChannelId: cb-1", f"Variable: CBNUM={CUSTOMER}", "", ""]))
        await dying.writer.drain()
        dying.writer.close()
        await asyncio.sleep(0.05)
        found = await desk.acting.ask("Action: Getvar", "Channel: cb-1", "Variable: CBNUM")
        assert (found["Response"], found["Value"]) == ("Success", CUSTOMER)
        assert (await desk.acting.ask("Action: Hangup", "Channel: cb-1"))["Response"] == "Success"
        await desk.until(lambda: not desk.asterisk.world.switch.channels)
        gone = await desk.acting.ask("Action: Getvar", "Channel: cb-1", "Variable: CBNUM")
        assert gone["Message"] == "No such channel"

    at_the_desk([agent()], cut)


def test_members_are_paused_by_setvar_and_busy_while_their_phone_rings() -> None:
    async def pause(desk: Desk) -> None:
        async def setvar(interface: str, value: str) -> str:
            name = f"Variable: QUEUE_MEMBER(,paused,{interface})"
            return (await desk.acting.ask("Action: Setvar", name, f"Value: {value}"))["Response"]

        assert await setvar("PJSIP/8001", "1") == "Success"
        assert await setvar("PJSIP/8009", "1") == "Error"
        name = "Variable: QUEUE_MEMBER(support,paused,PJSIP/8001)"
        assert (await desk.acting.ask("Action: Getvar", name))["Value"] == "1"
        refused = await desk.acting.ask("Action: QueueAdd", "Queue: support", "Interface: PJSIP/8001")
        assert refused["Message"] == "Permission denied"
        await desk.originate("cb-1")
        await desk.until(lambda: len(desk.of("QueueMemberStatus")) == 3)

    desk = at_the_desk([agent(talk_s=1.0)], pause)
    assert [event["Status"] for event in desk.of("QueueMemberStatus")] == ["6", "2", "1"]
    assert [event["Paused"] for event in desk.of("QueueMemberPause")] == ["1"]
