"""SIPp scenarios of agents' phones, and callers made of planned calls."""

from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from callflow.installed import SOUNDS
from callflow.lab.placing import CallerFactory, check_possible
from callflow.lab.sipp import caller_xml
from callflow.lab.sipp_agents import Agents, agents_xml
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.scenario import Scenario, find_scenario, read_scenario
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
