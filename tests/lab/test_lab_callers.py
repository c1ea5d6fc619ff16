"""Makes a SIPp caller from a scenario folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from callflow.installed import SOUNDS
from callflow.lab.asterisk_files import FAX_CALLER
from callflow.lab.caller_plan import scenario_caller
from callflow.lab.screening.run import SCENARIOS
from callflow.lab.screening.scenario import ladder_anchors, read_scenario, read_scenarios
from callflow.lab.sipp import Agents, Caller, agents_xml, caller_xml
from callflow.scenarios.errors import ScenarioInvalid
from callflow.sound import mulaw
from callflow.sound.audio import active_level_dbov, read_wav

VOICE = np.random.default_rng(0).normal(scale=3000, size=16000)
DURATIONS = {"greeting": 2.0, "can_you_hear": 1.5, "goodbye": 4.0}


class TestScenarios:
    def test_every_folder_can_be_read(self) -> None:
        scenarios = read_scenarios(SCENARIOS)
        assert len(scenarios) >= 35
        for scenario in scenarios:
            for action in scenario.caller:
                assert action.at_s(ladder_anchors(scenario, DURATIONS)) >= 0

    def test_times_follow_the_ladder(self) -> None:
        anchors = ladder_anchors(read_scenario(SCENARIOS / "silent-with-rtp"), DURATIONS)
        assert anchors["listen1"] == pytest.approx(2.02)
        assert anchors["can_you_hear"] == pytest.approx(5.02)
        assert anchors["goodbye"] == pytest.approx(9.52)
        assert anchors["pause"] == pytest.approx(13.52)
        assert anchors["end"] == pytest.approx(15.52)

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("colour = 1", "colour"),
            ('[[caller]]\nat = "luncheon+1"\nkey = "1"', "luncheon"),
            ('[[caller]]\nat = 1\nkey = "1"\nhang_up = true', "exactly one"),
            ("[[caller]]\nat = 1", "exactly one"),
            ('[[caller]]\nat = 1\nkey = "x"', "key"),
            ("[[caller", "cannot be read"),
        ],
    )
    def test_mistakes_are_named(self, tmp_path: Path, text: str, word: str) -> None:
        folder = tmp_path / "mistaken"
        folder.mkdir()
        expect = '[expect]\nresult = "silent"\nagent = false\n'
        (folder / "scenario.toml").write_text(f'purpose = "a mistake to be found"\n{text}\n{expect}')
        with pytest.raises(ScenarioInvalid, match=word):
            read_scenario(folder)

    def test_an_unknown_name_is_named(self) -> None:
        with pytest.raises(ScenarioInvalid, match="no-such"):
            read_scenarios(SCENARIOS, ("no-such",))


class TestCallerPlan:
    @pytest.fixture
    def caller_of(self, tmp_path: Path) -> Callable[[str], Caller]:
        def make(name: str) -> Caller:
            scenario = read_scenario(SCENARIOS / name)
            anchors = ladder_anchors(scenario, DURATIONS)
            return scenario_caller(scenario, anchors, "1001", VOICE, SOUNDS / "zh" / "callflow", tmp_path / "audio")

        return make

    def test_no_media_is_no_file(self, caller_of: Callable[[str], Caller]) -> None:
        assert caller_of("silent-without-rtp").audio is None

    def test_rtp_ends_in_mid_word(self, caller_of: Callable[[str], Caller]) -> None:
        audio = caller_of("rtp-ends-in-mid-word").audio
        assert audio is not None
        assert audio.stat().st_size / 8000 == pytest.approx(2.02 + 1.4, abs=0.02)

    def test_a_key_without_media_is_played_when_due(self, caller_of: Callable[[str], Caller]) -> None:
        caller = caller_of("key-without-rtp")
        assert caller.audio is not None
        assert caller.audio.suffix == ".pcap"
        assert caller.audio_at_s == pytest.approx(0.5 + 2 + 3 + 1.5 + 3 + 1)

    def test_a_fax_calls_from_its_own_address(self, caller_of: Callable[[str], Caller]) -> None:
        assert caller_of("fax").address == FAX_CALLER

    def test_a_caller_whose_packets_are_lost(self, caller_of: Callable[[str], Caller]) -> None:
        whole, audio = 15.52 + 6, caller_of("packets-lost").audio
        assert audio is not None
        assert audio.suffix == ".pcap"
        assert audio.stat().st_size < 0.7 * whole * 50 * (160 + 12 + 42 + 16)

    def test_an_echo_is_the_prompt_it_counts_from(self, caller_of: Callable[[str], Caller]) -> None:
        audio = caller_of("echo-20-db").audio
        assert audio is not None
        sent = mulaw.decode(audio.read_bytes()).astype(np.float64)
        greeting = read_wav(SOUNDS / "zh" / "callflow" / "greeting.wav")
        begin = round((0.02 + 0.3) * 8000)
        echo = sent[begin : begin + greeting.size]
        assert np.corrcoef(echo, greeting[: echo.size])[0, 1] > 0.95
        assert active_level_dbov(echo) == pytest.approx(-40, abs=1)

    def test_hanging_up(self, caller_of: Callable[[str], Caller]) -> None:
        assert caller_of("hangup-in-pause").hang_up_at_s == pytest.approx(13.52 + 1)


class TestSipp:
    def test_times_in_the_timeline(self) -> None:
        xml = caller_xml(Caller("1001", "dial_zh_x", Path("/a.pcap"), audio_at_s=2.5, hang_up_at_s=4.0))
        assert 'timeout="2500" ontimeout="speak"' in xml
        assert 'timeout="1500" ontimeout="hang-up"' in xml
        assert 'play_pcap_audio="/a.pcap"' in xml
        assert "m=audio [media_port]" in xml

    def test_plain_audio_is_streamed_once(self) -> None:
        xml = caller_xml(Caller("1001", "dial_zh_x", Path("/a.ul")))
        assert 'rtp_stream="/a.ul,1,0,PCMU/8000"' in xml
        assert "m=audio [rtpstream_audio_port]" in xml

    def test_agents_ring_then_answer(self) -> None:
        xml = agents_xml(Agents(ring_s=2.0, talk_s=1.0))
        assert xml.index("180 Ringing") < xml.index('<pause milliseconds="2000"/>') < xml.index("200 OK")
