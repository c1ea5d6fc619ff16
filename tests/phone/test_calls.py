"""Calls between two phones: how they begin, end, are refused, held and transferred, read from their logs."""

import asyncio

import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.dialog import Dialog
from callflow.lab.phone.legs import phone_legs
from callflow.lab.phone.messages import Message
from callflow.lab.phone.phone import Logged, Phone
from callflow.lab.phone.sdp import Described
from callflow.lab.phone.transactions import NoAnswer

Pair = tuple[Phone, Phone]


async def talking(pair: Pair) -> tuple[Call, Call]:
    """A call that has been answered: the caller's side and the called side."""
    near, far = pair
    call = near.call("2001")
    there = await far.next_call()
    there.ring()
    await there.answer()
    await call.until(State.TALKING)
    return call, there


def first_lines(log: list[Logged], *, sent: bool) -> list[str]:
    return [logged.message.first.removesuffix(" SIP/2.0") for logged in log if logged.sent is sent]


async def test_a_call_is_answered_and_ended_by_the_caller(pair: Pair) -> None:
    call, there = await talking(pair)
    await call.hang_up()
    await there.until(State.ENDED)
    assert call.state is State.ENDED
    (leg,) = phone_legs(pair[1].bank.log)
    assert leg.number == "2001"
    assert leg.ringing_at is not None
    assert leg.answered_at is not None
    assert leg.bye_at is not None
    assert leg.invited_at < leg.ringing_at < leg.answered_at < leg.bye_at
    assert leg.refused_at is leg.cancelled_at is leg.progress_at is None


async def test_the_called_side_hangs_up(pair: Pair) -> None:
    call, there = await talking(pair)
    await there.hang_up()
    await call.until(State.ENDED)


@pytest.mark.parametrize("status", [486, 603, 480, 503])
async def test_a_refusal(pair: Pair, status: int) -> None:
    call = pair[0].call("2001")
    there = await pair[1].next_call()
    await there.refuse(status)
    await call.until(State.ENDED)
    assert call.refused_with == there.refused_with == status


async def test_a_forward_names_the_new_number(pair: Pair) -> None:
    call = pair[0].call("2001")
    await (await pair[1].next_call()).forward("2002")
    await call.until(State.ENDED)
    assert call.refused_with == 302
    (moved,) = [one.message for one in pair[0].bank.messages(call.call_id) if one.message.status == 302]
    assert moved.get("Contact").startswith("<sip:2002@")


async def test_a_caller_who_gives_up_while_it_rings(pair: Pair) -> None:
    call = pair[0].call("2001")
    there = await pair[1].next_call()
    there.ring(183, early_media=True)
    await call.until(State.RINGING)
    await call.hang_up()
    await there.until(State.ENDED)
    (leg,) = phone_legs(pair[1].bank.log)
    assert (leg.ringing_at, leg.answered_at) == (None, None)
    assert leg.progress_at is not None
    assert leg.cancelled_at is not None
    assert call.refused_with == 487


async def test_a_number_that_nobody_has(pair: Pair) -> None:
    call = pair[0].call("3333")
    await call.until(State.ENDED)
    assert call.refused_with == 404


async def test_hold_and_resume_are_agreed_upon_and_silence_the_holder(pair: Pair) -> None:
    _, there = await talking(pair)
    await there.hold("sendonly")
    offers = [one.message.body for one in pair[0].bank.log if one.message.first.startswith("INVITE") and not one.sent]
    assert "a=sendonly" in offers[-1]
    answers = [one.message.body for one in pair[1].bank.log if one.message.status == 200 and not one.sent]
    assert "a=recvonly" in answers[-1]
    sent = len(there.media.sent)
    await asyncio.sleep(0.1)
    assert len(there.media.sent) == sent
    await there.resume()
    await asyncio.sleep(0.1)
    assert len(there.media.sent) > sent
    assert there.media.sent[sent].marker


async def test_inactive_silences_both(pair: Pair) -> None:
    call, there = await talking(pair)
    await there.hold("inactive", silent=False)
    await asyncio.sleep(0.02)
    sent = len(call.media.sent), len(there.media.sent)
    await asyncio.sleep(0.1)
    assert (len(call.media.sent), len(there.media.sent)) == sent


async def test_a_blind_transfer_ends_with_the_notified_status(pair: Pair) -> None:
    call, there = await talking(pair)
    transfer = asyncio.create_task(there.refer("2002"))
    await call.until(lambda: bool(call.referred))
    await call.notify(100)
    assert not transfer.done()
    await call.notify(200)
    assert await transfer == 200
    assert call.refer_target.startswith("sip:2002@")


async def test_an_attended_transfer_names_the_other_call_as_its_peer_knows_it(pair: Pair) -> None:
    call, there = await talking(pair)
    second, ringing = await talking((pair[0], pair[1]))
    transfer = asyncio.create_task(call.refer_replaces(second))
    await there.until(lambda: bool(there.referred))
    await there.notify(200)
    assert await transfer == 200
    ids = ringing.dialog
    assert there.refer_target.endswith(
        f"?Replaces={ids.call_id}%3Bto-tag%3D{ids.local_tag}%3Bfrom-tag%3D{ids.remote_tag}"
    )


async def test_keys_arrive_by_info_and_in_the_audio(pair: Pair) -> None:
    call, there = await talking(pair)
    await call.press("*2", by="info")
    bodies = [one.message.body for one in pair[1].bank.log if one.message.method == "INFO" and not one.sent]
    assert [body.split("\r\n")[0] for body in bodies] == ["Signal=*", "Signal=2"]
    await call.press("*2#")
    assert [key for _, key in there.media.keys_received()] == ["*", "2", "#"]


async def test_a_lost_message_is_sent_again_and_a_repeated_one_answered_again(pair: Pair) -> None:
    near, far = pair
    lost: list[Message] = []
    send = near.bank.transactions._send

    def lose_first_of_each(message: Message, to: tuple[str, int]) -> None:
        if message.first in {one.first for one in lost}:
            send(message, to)
        else:
            lost.append(message)

    near.bank.transactions._send = lose_first_of_each
    call, there = await talking(pair)
    assert {message.method for message in lost} == {"INVITE", "ACK"}
    assert len(far.calls) == 1
    await call.hang_up()
    await there.until(State.ENDED)


async def test_a_peer_that_is_gone_is_told_in_time(pair: Pair) -> None:
    bank = pair[0].bank
    question = Dialog(bank.uri("1001"), "sip:2001@127.0.0.1:9", bank.address, "sip:2001@127.0.0.1:9").request("OPTIONS")
    with pytest.raises(NoAnswer):
        await bank.transactions.ask(question, ("127.0.0.1", 9), timeout_s=0.2)


async def test_a_registration(pair: Pair) -> None:
    await pair[0].register()
    assert "REGISTER sip:127.0.0.1:" in "".join(first_lines(pair[1].bank.log, sent=False))


async def test_dozens_of_calls_at_once(pair: Pair) -> None:
    near, far = pair

    async def pick_up(call: Call) -> None:
        call.ring()
        await asyncio.sleep(0.3)
        await call.answer()

    far.on_call = pick_up
    calls = [near.call("2001") for _ in range(48)]
    await asyncio.gather(*(call.until(State.TALKING) for call in calls))
    await asyncio.sleep(0.5)
    await asyncio.gather(*(call.hang_up() for call in calls))
    legs = phone_legs(far.bank.log)
    assert len(legs) == 48
    assert all(leg.ring_s is not None and leg.ring_s >= 0.3 for leg in legs)
    assert all(call.media.received for call in calls)


async def test_an_answer_that_comes_after_the_end_sends_nothing(pair: Pair) -> None:
    """The caller's own INVITE is answered although it has given up: no frame goes out, and other calls go on."""
    call, there = await talking(pair)
    other, _ = await talking(pair)
    await call.hang_up()
    sent = len(call.media.sent)
    call.media.connect(Described(("127.0.0.1", 9)))
    pair[0].bank.pacer.add(call.media)
    before = len(other.media.sent)
    await asyncio.sleep(0.1)
    assert len(call.media.sent) == sent
    assert len(other.media.sent) > before
    await there.until(State.ENDED)
