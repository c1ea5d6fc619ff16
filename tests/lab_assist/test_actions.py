"""What agents ask for on a real Asterisk, by feature code and over HTTP, judged from the packets of the phones."""

import asyncio

import httpx
import pytest

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import gaps
from callflow.lab.phone.media import tone
from callflow.lab.talks.asterisk_files import AGENTS
from callflow.processes.ports import LOOPBACK, take_ports
from callflow.scenarios.site import Version
from callflow.web.tokens import Role, TokenFile
from tests.lab_assist.stage import (
    AGENT_HZ,
    CALLER,
    CALLER_HZ,
    LONGEST_GAP_S,
    UNDERTONE_DBOV,
    Talk,
    agent_freed_s,
    assisted,
    both_speak,
    wire_ok,
)
from tests.labs import EACH_ASTERISK, rows

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

STEP_DB = 6.0
LOW_DBOV = -56.0
"""Far below speech, even with the greatest gain."""
SETTLED_S = 0.5
PAUSE_S = 2.0
LENGTH_S = 0.2
"""How far the recorded length of a talk may be from that on the wire, on a busy machine."""
HEARD = 0.9
"""Share of a prompt that must reach the caller."""


async def level_now(talk: Talk) -> float:
    """How loud the agent's low tone is at the caller, dBov."""
    began = talk.caller.media.received[-1].at
    await asyncio.sleep(SETTLED_S)
    return talk.levels(talk.caller, {"low": 3450}).level_dbov("low", began, began + SETTLED_S)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_an_agents_codes_raise_the_level_say_prompts_and_begin_a_wrap_up(version: Version) -> None:
    rules = {"louder_step_db": STEP_DB, "louder_most_db": STEP_DB}
    async with assisted(version, "prompt", entry="assist_support", rules=rules) as talk:
        await both_speak(talk)
        silence = talk.agent.media.background
        talk.agent.media.background = tone(3450, LOW_DBOV)
        await asyncio.sleep(SETTLED_S)
        before = await level_now(talk)
        await talk.agent.press("*71")
        await talk.told("gain", f"{STEP_DB:g} dB")
        assert await level_now(talk) - before == pytest.approx(STEP_DB, abs=1.0)
        await talk.told("said", "hear_me_now")
        await talk.agent.press("*71")
        await talk.told("said", "volume_at_limit")
        await talk.agent.press("*71")
        await talk.told("action", "louder", "at_limit")
        assert await level_now(talk) - before == pytest.approx(STEP_DB, abs=1.0)
        await talk.agent.press("*72")
        await talk.told("gain", "0 dB")
        assert await level_now(talk) == pytest.approx(before, abs=1.0)
        talk.agent.media.background = silence
        await talk.agent.press("*74")
        assert (await talk.told("said", "say_again"))["outcome"] == "reached"
        await talk.caller.press("*74")
        await talk.agent.press("*77")
        await talk.told("callback_asked")
        assert (await talk.told("said", "call_back_agreed"))["outcome"] == "reached"
        await talk.agent.press("*79")
        await talk.told("action", "wrapup", "done")
        done = [step["what"] for step in talk.steps() if step["kind"] == "action" and step["outcome"] == "done"]
        assert done == ["louder", "louder", "softer", "repeat", "callback", "wrapup"], "the caller's code did nothing"
        prompts = ["hear_me_now", "volume_at_limit", "say_again", "call_back_agreed"]
        heard = talk.at(talk.caller, prompts).prompts
        assert {name: one.share > HEARD for name, one in heard.items()} == dict.fromkeys(prompts, True), heard
        assert talk.at(talk.agent, prompts).prompts == {}
        wire_ok(talk)
        await talk.agent.hang_up()
        begun = await talk.stored("select * from wrap_ups where began_ms is not null")
        assert begun["agent"] == AGENTS[0]
        await talk.talks.event("QueueMemberPause", Queue="support", Paused="1")
        dialled = talk.talks.bank.phones[AGENTS[0]].call("*70")
        ended = await talk.stored("select * from wrap_ups where ended_ms is not null")
        assert ended["ended_by"] == "ready"
        await talk.talks.event("QueueMemberPause", Queue="support", Paused="0")
        await dialled.until(State.ENDED)
        kept = await talk.stored("select * from callbacks")
        assert (kept["number"], kept["reasons"]) == (CALLER, "offer")


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_an_agents_codes_ask_for_the_handset_pass_a_look_up_and_say_the_goodbye_of_each_outcome(
    version: Version,
) -> None:
    rules = {"reassure_every_s": 6.0}
    async with assisted(version, "prompt", entry="assist_support", rules=rules, undertone_dbov=UNDERTONE_DBOV) as talk:
        await both_speak(talk)
        await talk.agent.press("*73")
        await talk.told("said", "pick_up_handset")
        await talk.agent.press("*75")
        await talk.told("said", "still_looking")
        await talk.agent.press("*76")
        await talk.told("said", "thank_you_for_waiting")
        await talk.agent.press("*79")
        await talk.told("said", "welcome_again")
        for code, goodbye in (("*81", "bye_enquiry"), ("*83", "bye_no_order"), ("*82", "bye_order")):
            await talk.agent.press(code)
            await talk.told("said", goodbye)
        await talk.agent.hang_up()
        asked = ["pick_up_handset", "one_moment", "still_looking", "thank_you_for_waiting"]
        prompts = [*asked, "anything_else", "welcome_again", "bye_enquiry", "bye_no_order", "bye_order"]
        said = [(step["what"], step["outcome"]) for step in talk.steps() if step["kind"] == "said"]
        assert said[: len(prompts)] == [(f"{prompt} to caller", "reached") for prompt in prompts]
        heard = talk.at(talk.caller, prompts).prompts
        assert {name: one.share > 0.95 for name, one in heard.items()} == dict.fromkeys(prompts, True)
        assert sorted(prompts, key=lambda name: heard[name].span.began) == prompts
        assert talk.at(talk.agent, prompts).prompts == {}
        wire_ok(talk)
        ended = await talk.stored("select * from wrap_ups where began_ms is not null")
        assert (ended["agent"], ended["outcome"]) == (AGENTS[0], "order")


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_nuisance_is_asked_once_and_hung_up_on(version: Version) -> None:
    async with assisted(version, "act", entry="assist_support") as talk:
        await both_speak(talk)
        await talk.agent.press("*#70")
        await talk.agent.until(State.ENDED, 25)
        await talk.told("ended")
        assert [step["why"] for step in talk.steps() if step["kind"] == "returned"] == []
        await talk.caller.until(State.ENDED)
        heard = talk.at(talk.caller, ["anything_else", "goodbye"])
        assert {name: one.share > 0.95 for name, one in heard.prompts.items()} == dict.fromkeys(heard.prompts, True)
        assert set(heard.prompts) == {"anything_else", "goodbye"}
        assert talk.at(talk.agent, ["anything_else", "goodbye"]).prompts == {}
        assert abs(agent_freed_s(talk)) < 0.2
        bye = next(one for one in talk.talks.bank.messages(talk.caller.call_id) if one.message.first.startswith("BYE"))
        pause_s = bye.at - heard.prompts["goodbye"].span.ended
        assert PAUSE_S < pause_s < PAUSE_S + SETTLED_S
        wire_ok(talk)
        await talk.told("hung_up")
        assert not rows(talk.daemon.database, "select * from callbacks")


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_nuisance_whose_agent_hangs_up_first_is_not_asked_to_rate(version: Version) -> None:
    async with assisted(version, "act", entry="rated_support") as talk:
        await both_speak(talk)
        await talk.agent.press("*#70")
        await talk.told("action", "nuisance", "done")
        await talk.agent.hang_up()
        await talk.caller.until(State.ENDED, 10)
        rated = await talk.stored("select * from ratings")
        assert (rated["not_asked"], rated["agent"], rated["ending"]) == ("nuisance", AGENTS[0], None)
        assert talk.at(talk.caller, ["rate_efficiency"]).prompts == {}


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_the_supervisor_takes_the_caller_over(version: Version) -> None:
    supervisor = f"{AGENTS[2]}@talk-phones"
    with take_ports() as ports:
        port = ports.named()
        more = {"web": {"enabled": True, "port": port}}
        async with assisted(version, "prompt", entry="assist_support", more=more, supervisor=supervisor) as talk:
            await both_speak(talk)
            phone = talk.talks.phone(AGENTS[2])
            phone.tone_hz = 0
            await talk.agent.press("*78")
            there = await phone.next_call(25)
            there.ring()
            await there.answer()
            assert (await talk.told("said", "ask_supervisor"))["outcome"] == "reached"
            heard = talk.at(talk.caller, ["ask_supervisor"])
            assert heard.prompts["ask_supervisor"].share > HEARD
            assert heard.spans("music")
            assert talk.at(talk.agent, ["ask_supervisor"]).prompts == talk.at(there, ["ask_supervisor"]).prompts == {}
            await talk.agent.hang_up()
            await talk.talks.event("AttendedTransfer", 10)
            await is_assisted_as_any_other(talk, there, f"http://{LOOPBACK}:{port}/api/v1/agents/{AGENTS[2]}/actions")
            await there.hang_up()
            await talk.caller.until(State.ENDED, 10)
            await each_is_counted_once(talk, there)


async def is_assisted_as_any_other(talk: Talk, there: Call, api: str) -> None:
    """Caller and supervisor hear each other, and the supervisor's actions work."""
    talk.only = AGENTS[2]
    await asyncio.sleep(SETTLED_S)
    await talk.says(there, AGENT_HZ, 1)
    await talk.says(talk.caller, CALLER_HZ, 1)
    assert talk.at(there).spans("caller")
    await talk.told("heard")
    token = TokenFile(talk.daemon.database.with_name("web-tokens.json")).add(AGENTS[2], Role.AGENT, agent=AGENTS[2])[1]
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as client:
        done = await client.post(api, json={"action": "repeat"})
    assert (done.status_code, done.json()["done"]) == (200, True)
    assert (await talk.told("said", "say_again"))["outcome"] == "reached"
    assert talk.at(talk.caller, ["say_again"]).prompts["say_again"].share > HEARD
    assert talk.at(there, ["say_again"]).prompts == {}


async def each_is_counted_once(talk: Talk, there: Call) -> None:
    """One talk of the agent and one of the supervisor, as long as on the wire, and the transfer between them."""
    query = f"select * from talks where agent = '{AGENTS[2]}' and ended_ms is not null"
    own = await talk.stored(query)
    over, ended = (bye_at(talk, call) for call in (talk.agent, there))
    assert abs(int(str(own["talk_ms"])) / 1000 - (ended - over)) < LENGTH_S
    call_id = own["call_id"]
    kept = await talk.stored("select * from transfers")
    assert (kept["kind"], kept["agent"], kept["target"]) == ("attended", AGENTS[0], AGENTS[2])
    talks = rows(talk.daemon.database, "select * from talks order by began_ms")
    assert [(row["agent"], row["call_id"]) for row in talks] == [(AGENTS[0], call_id), (AGENTS[2], call_id)]
    assert talks[0]["ended_ms"] <= talks[1]["began_ms"]
    (leg,), (stay,) = (rows(talk.daemon.database, f"select * from {kind}") for kind in ("legs", "stays"))
    assert (leg["agent"], stay["agent"], stay["talk_ms"]) == (AGENTS[0], AGENTS[0], talks[0]["talk_ms"])
    assert len(rows(talk.daemon.database, "select * from transfers")) == 1


def bye_at(talk: Talk, call: Call) -> float:
    """When one of the two hung up."""
    messages = talk.talks.bank.messages(call.call_id)
    return next(one.at for one in messages if one.message.first.startswith("BYE"))


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_transfer_costs_the_caller_no_more_sound_than_without_callflow(version: Version) -> None:
    """Asterisk drops the agent's sound while the code of a transfer is typed, then the music begins."""
    supervisor = f"{AGENTS[2]}@talk-phones"
    async with assisted(version, "prompt", entry="assist_support", supervisor=supervisor) as talk:
        talk.talks.phone(AGENTS[2]).tone_hz = 0
        await both_speak(talk)
        await talk.agent.press("*78")
        there = await talk.talks.bank.phones[AGENTS[2]].next_call(25)
        await asyncio.sleep(SETTLED_S)
        lost_s = before_music_s(talk, talk.caller)
        for call in (there, talk.agent, talk.caller):
            await call.hang_up()
        await talk.daemon.kill()
        assert lost_s < await before_music_without_callflow_s(talk) + LONGEST_GAP_S


async def before_music_without_callflow_s(talk: Talk) -> float:
    """The same for two phones unknown to callflow, and an attended transfer by a plain AMI client."""
    talks = talk.talks
    call, agent = talks.phone(AGENTS[3]).call(AGENTS[1]), talks.phone(AGENTS[1])
    there = await agent.next_call()
    await there.answer()
    await asyncio.sleep(2 * SETTLED_S)
    channel = await talks.channel(AGENTS[1])
    await talks.ami.action("Atxfer", Channel=channel, Exten=AGENTS[2], Context="talk-phones")
    await talks.bank.phones[AGENTS[2]].next_call()
    await asyncio.sleep(SETTLED_S)
    return before_music_s(talk, call)


def before_music_s(talk: Talk, call: Call) -> float:
    """How much sound a caller has lost when the last music begins."""
    began = [float(event["Timestamp"]) for event in talk.talks.ami.events if event["Event"] == "MusicOnHoldStart"][-1]
    around = [gap for gap in gaps(call.media.received, LONGEST_GAP_S) if abs(gap.ended - began) < SETTLED_S]
    return sum(gap.lasted_s for gap in around)


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_over_http_an_agent_asks_in_the_own_call_alone(version: Version) -> None:
    with take_ports() as ports:
        port = ports.named()
        more = {"web": {"enabled": True, "port": port}}
        async with assisted(version, "prompt", more=more) as talk:
            await asked_over_http(talk, f"http://{LOOPBACK}:{port}/api/v1/agents")


async def asked_over_http(talk: Talk, api: str) -> None:
    await both_speak(talk)
    call_id = str((await talk.told("began"))["call_id"])
    tokens = TokenFile(talk.daemon.database.with_name("web-tokens.json"))
    own, other = ({"Authorization": f"Bearer {tokens.add(agent, Role.AGENT, agent=agent)[1]}"} for agent in AGENTS[:2])
    async with httpx.AsyncClient(base_url=api) as client:
        asked = {"action": "repeat", "call_id": call_id}
        foreign = await client.post(f"/{AGENTS[1]}/actions", json=asked, headers=other)
        assert (foreign.status_code, foreign.json()["refused"]) == (403, "not_yours")
        assert (await client.post(f"/{AGENTS[0]}/actions", json=asked, headers=other)).status_code == 403
        done = await client.post(f"/{AGENTS[0]}/actions", json=asked, headers=own)
        assert (done.status_code, done.json()["done"]) == (200, True)
        assert (await talk.told("said", "say_again"))["outcome"] == "reached"
        said = [step for step in talk.steps() if step["kind"] == "said"]
        own_actions = f"/{AGENTS[0]}/actions"
        sold = await client.post(own_actions, json={"action": "close:sold", "call_id": call_id}, headers=own)
        unknown = await client.post(own_actions, json={"action": "close:order", "call_id": "1.1"}, headers=own)
        assert (sold.status_code, unknown.status_code, unknown.json()["refused"]) == (422, 404, "no_talk")
        assert talk.caller.state is talk.agent.state is State.TALKING
        await talk.agent.hang_up()
        await talk.told("ended")
        ended = await client.post(own_actions, json=asked, headers=own)
        assert (ended.status_code, ended.json()["refused"]) == (404, "no_talk")
        assert [step for step in talk.steps() if step["kind"] == "said"] == said
