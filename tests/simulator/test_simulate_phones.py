"""SIPp scenarios of agents' phones, and callers made of planned calls."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from callflow.installed import SOUNDS
from callflow.lab.phone.phone import PhoneBank, State
from callflow.lab.placing import CallerFactory, check_possible
from callflow.lab.scenario_site import asterisk_additions, called_otherwise, check_lab_has, phones_of
from callflow.lab.sipp import caller_xml
from callflow.lab.sipp_agents import Agents, agents_xml
from callflow.scenarios.aftercare import SeenCallback
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.scenario import Scenario, find_scenario, read_scenario, shipped
from callflow.scenarios.schedule import schedule

VOICE = np.random.default_rng(0).normal(scale=3000, size=16000)
EVERY = tuple(Agents(does=does) for does in ("answer", "ignore", "reject", "forward", "hold"))


def in_order(text: str, *words: str) -> bool:
    places = [text.find(word) for word in words]
    return -1 not in places and all(before < after for before, after in pairwise(places))


class TestPhones:
    @pytest.mark.parametrize("agents", [*EVERY, EVERY])
    def test_is_a_scenario_whose_every_jump_leads_somewhere(self, agents: Agents | tuple[Agents, ...]) -> None:
        root = ElementTree.fromstring(agents_xml(agents).partition("\n")[2])
        labels = [element.get("id") for element in root.iter("label")]
        jumps = {element.get(name) for element in root.iter() for name in ("next", "ontimeout")} - {None}
        assert jumps <= set(labels)
        assert len(labels) == len(set(labels))

    def test_who_ignores_never_answers(self) -> None:
        xml = agents_xml(Agents(does="ignore"))
        phone = xml[: xml.index('<label id="leave"/>')]
        assert in_order(phone, "180 Ringing", 'request="CANCEL"', "487 Request Terminated", "CSeq: [$cseq] INVITE")

    def test_who_rejects_is_busy(self) -> None:
        assert in_order(agents_xml(Agents(does="reject", ring_s=2)), "180 Ringing", '"2000"', "486 Busy Here")

    def test_who_forwards_names_another(self) -> None:
        xml = agents_xml(Agents(does="forward", forward_to="1888"))
        assert in_order(xml, "302 Moved Temporarily", "Contact: <sip:1888@")

    def test_who_holds_sends_only_and_comes_back(self) -> None:
        assert in_order(agents_xml(Agents(does="hold")), "200 OK", "a=sendonly", "a=sendrecv", "BYE [next_url]")


def only(**caller: object) -> Scenario:
    group = {"name": "a", "at_s": 0} | caller
    return Scenario.model_validate({"name": "a", "purpose": "one caller only", "callers": [group]})


class TestWardrobe:
    @pytest.fixture
    def wardrobe(self, tmp_path: Path) -> CallerFactory:
        return CallerFactory(tmp_path, SOUNDS, VOICE)

    def test_a_caller_has_number_name_and_extension(self, wardrobe: CallerFactory) -> None:
        planned = next(schedule(only(number="1007", caller_name="王小明")))
        xml = caller_xml(wardrobe.caller(planned))
        assert 'From: "王小明" <sip:1007@' in xml
        assert "INVITE sip:dial_zh_support@" in xml
        assert "INVITE sip:5000@" in caller_xml(wardrobe.caller(planned, "5000"))

    def test_a_withheld_number_is_anonymous(self, wardrobe: CallerFactory) -> None:
        assert "From: <sip:anonymous@" in caller_xml(wardrobe.caller(next(schedule(only(number="")))))

    def test_callers_of_a_group_share_their_audio(self, wardrobe: CallerFactory) -> None:
        first, second = schedule(only(at_s=[0, 1], number="1-2", does=[{"at": 1, "sound": "speech"}]))
        assert wardrobe.caller(first).audio == wardrobe.caller(second).audio is not None

    def test_who_never_hangs_up_stays_long(self, wardrobe: CallerFactory) -> None:
        assert wardrobe.caller(next(schedule(only(stays_s=float("inf"), media="none")))).hang_up_at_s == 600

    def test_a_language_without_prompts_hears_english(self, wardrobe: CallerFactory) -> None:
        assert wardrobe.language(only(language="fr").callers[0]) == "en"
        assert wardrobe.language(only(language="zh").callers[0]) == "zh"


def test_faults_are_for_the_pretend_one() -> None:
    faulty = only().model_copy(update={"faults": ({"what": "cut"},)})
    with pytest.raises(SimulationFailed, match="--pretend"):
        check_possible(faulty)


def test_too_many_calls_for_processes_are_refused() -> None:
    check_possible(read_scenario(find_scenario("morning")))
    with pytest.raises(SimulationFailed, match="--pretend"):
        check_possible(read_scenario(find_scenario("busy")))


LIBRARY = {name: read_scenario(path) for name, path in shipped().items()}
ON_LAB = ("by-hand", "cases", "customer-first", "hung-up-on", "keep-place", "repeated")


@pytest.mark.parametrize("name", ON_LAB)
def test_what_the_lab_has_phones_for(name: str) -> None:
    scenario = LIBRARY[name]
    check_lab_has(scenario)
    files = asterisk_additions(scenario, 5070)
    agents = [number for phone in scenario.phones if phone.queues for number in phone.numbers]
    assert agents
    for agent in (*agents, "carrier"):
        assert files["pjsip.conf"].count(f"contact = sip:{agent}@127.0.0.1:5070\n") == 1
    for queue, context in scenario.exit_contexts.items():
        assert f"[{queue}]" in files["queues.conf"]
        assert f"context = {context}\nmember => PJSIP/{agents[0]}\n" in files["queues.conf"]
    assert scenario.dialplan in files["extensions.conf"]


@pytest.mark.parametrize(
    ("name", "lacks"),
    [("ratings", "on_prompt"), ("offer", "music on hold"), ("talk-prompts", "music on hold")],
)
def test_what_the_lab_has_not_is_refused(name: str, lacks: str) -> None:
    with pytest.raises(SimulationFailed, match=lacks):
        check_lab_has(LIBRARY[name])


async def test_phones_take_their_groups_in_turn_and_every_call_is_counted() -> None:
    phones = [
        {"number": "8001", "acts": [{"at_s": 0.05, "keys": "1"}], "talk_s": 0.4, "after_s": 0.01, "queues": ["a"]},
        {"number": "7*", "does": "busy", "after_s": 0.01},
        {"number": "7001", "talk_s": 0.1, "after_s": 0.01},
    ]
    expected = [{"number": "7001", "reasons": ["manual"]}]
    values = {"name": "a", "purpose": "some phones", "phones": phones, "callbacks": expected}
    scenario = Scenario.model_validate(values)
    async with (
        PhoneBank(("127.0.0.1", 1)) as callers,
        phones_of(scenario, callers.address, 0) as bank,
    ):
        callers.proxy = bank.address
        first, second, agent = (callers.phone("9", 0).call(number) for number in ("7001", "7001", "8001"))
        for call in (first, second, agent):
            await call.until(State.ENDED)
        assert (first.refused_with, second.refused_with) == (486, 0)
        assert [key for _, key in agent.media.keys_received()] == ["1"]
        for outcomes, wrong in (
            (("busy", "reached"), 0),
            (("agent_declined", "busy", "reached"), 0),
            (("reached",), 1),
        ):
            seen = SeenCallback("7001", ("manual",), "done", outcomes)
            assert len(called_otherwise(bank, [seen])) == wrong
