"""The audio tap of the pretend Asterisk, and the daemon that listens through it, in virtual time."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callflow.adapters.audio.framing import Kind, Splitter
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import ASTERISK_16
from callflow.simulator.pretend.world import Places
from tests.labs import rows
from tests.simulator.pretend.stage import Peer, Played, free_port, in_virtual_time, play, scenario

TAPPED = "Local/s@callflow-tap"
UUID = "b2e25196-2c3c-485f-a46f-44ab7f9992a7"


def speech(at: str, level_dbov: float, for_s: float) -> dict[str, Any]:
    return {"at": at, "sound": "speech", "level_dbov": level_dbov, "for_s": for_s}


def happened(tmp_path: Path, kind: str) -> list[tuple[str, str]]:
    """What the daemon has recorded of this kind: what, and why."""
    told = rows(tmp_path / "callflow.db", f"select what, why from happenings where kind = '{kind}' order by at_ms")
    return [(row["what"], row["why"]) for row in told]


def ends_of_taps(played: Played) -> list[tuple[str, str]]:
    """Context and cause of each half of a tap that was hung up."""
    return [
        (event["Context"], event["Cause"])
        for event in played.events
        if event.get("Event") == "Hangup" and event["Channel"].startswith(TAPPED)
    ]


class TestWithTheDaemon:
    def test_a_low_voice_is_known_by_its_sound_and_raised(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        plan = scenario([{"name": "low", "does": [speech("listen1+0.5", -46, 8)]}])
        played = play(monkeypatch, tmp_path, plan, tap=True)
        assert (played.one("low").result, played.one("low").agent) == ("spoke", True)
        (call,) = rows(tmp_path / "callflow.db", "select heard, level_dbov, gain_db from calls")
        assert (call["heard"], call["gain_db"]) == ("quiet", 15.0)
        assert call["level_dbov"] == pytest.approx(-46, abs=6), "the tap hears the sound before the gain"
        assert ("tap", "listening") in happened(tmp_path, "ear")

    def test_the_tap_ends_with_its_caller(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        plan = scenario([{"name": "leaves", "does": [{"at": 2, "hang_up": True}]}])
        played = play(monkeypatch, tmp_path, plan, tap=True)
        assert sorted(ends_of_taps(played)) == [("callflow-ear", "16"), ("callflow-tap", "16")]

    def test_on_16_screening_has_no_tap_and_the_low_voice_is_found_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        plan = scenario([{"name": "low", "does": [speech("listen1+0.2", -54, 12)]}])
        played = play(monkeypatch, tmp_path, plan, ASTERISK_16, tap=True)
        assert not [event for event in played.events if "callflow-tap" in event.get("Uniqueid", "")]
        assert played.one("low").result == "spoke"
        (call,) = rows(tmp_path / "callflow.db", "select heard, level_dbov from calls")
        assert (call["heard"], call["level_dbov"]) == ("quiet", None)
        assert ("tap", "listening") not in happened(tmp_path, "ear")

    def test_when_the_tap_breaks_asterisks_own_ear_serves(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        async def hang_up_the_tap(asterisk: PretendAsterisk) -> None:
            await asyncio.sleep(2)
            (tap,) = [name for name in asterisk.world.switch.channels if name.startswith(TAPPED) and name[-1] == "2"]
            operator = await Peer.to(asterisk.ami.port)
            await operator.login("off")
            assert (await operator.ask("Action: Hangup", f"Channel: {tap}"))["Response"] == "Success"

        plan = scenario([{"name": "speaks", "does": [speech("listen1+1", -26, 3)]}])
        played = play(monkeypatch, tmp_path, plan, tap=True, meanwhile=hang_up_the_tap)
        assert played.one("speaks").result == "spoke"
        ears = happened(tmp_path, "ear")
        assert ears.index(("tap", "listening")) < len(ears) - 1, "its loss is told, too"
        assert any(why.startswith("talk_detect") for _, why in happened(tmp_path, "speech"))

    def test_when_asterisk_dies_its_taps_are_gone_without_a_word(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        async def die(asterisk: PretendAsterisk) -> None:
            await asyncio.sleep(3)
            await asterisk.restart(1.0)

        plan = scenario([{"name": "lost"}])
        played = play(monkeypatch, tmp_path, plan, tap=True, meanwhile=die)
        assert played.one("lost").result is None
        assert ends_of_taps(played) == []

    def test_nobody_is_tapped_by_a_daemon_without_the_second_ear(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        played = play(monkeypatch, tmp_path, scenario([{"name": "silent"}]))
        assert not [event for event in played.events if event.get("Channel", "").startswith(TAPPED)]


class TestGain:
    @pytest.mark.parametrize(("armed_again", "heard"), [(False, False), (True, True)])
    def test_only_what_is_armed_later_hears_the_raised_sound(
        self, armed_again: bool, heard: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        async def raise_it(asterisk: PretendAsterisk) -> None:
            operator = await Peer.to(asterisk.ami.port)
            await operator.login("off")
            await asyncio.sleep(1)
            caller = next(iter(asterisk.world.switch.channels))
            wishes = [("TALK_DETECT(set)", "160,256"), ("VOLUME(RX)", "5.623")]
            for variable, value in (*wishes, wishes[0]) if armed_again else wishes:
                answer = await operator.ask(
                    "Action: Setvar", f"Channel: {caller}", f"Variable: {variable}", f"Value: {value}"
                )
                assert answer["Message"] == "Variable Set"

        caller = {"name": "low", "profile": "unscreened", "does": [speech("2", -50, 3)], "stays_s": 8}
        plan = scenario([caller], agents={"ring_s": 20})
        played = play(monkeypatch, tmp_path, plan, daemon=False, meanwhile=raise_it)
        assert any(event["Event"] == "ChannelTalkingStart" for event in played.of("low")) is heard

    def test_a_gain_that_is_no_number_is_refused(self) -> None:
        async def work() -> None:
            asterisk = PretendAsterisk(scenario([{"name": "x", "at_s": 1}]), Places(free_port()))
            channel = asterisk.world.switch.new_pjsip("caller", "from-lab", "x")
            assert not channel.set("VOLUME(RX)", "loud")
            assert channel.gain == 1.0
            assert channel.set("VOLUME(RX)", "-2")
            assert channel.gain == 0.5

        in_virtual_time(work)


def test_the_tone_of_the_check_is_heard_through_a_tap() -> None:
    """As `callflow check` asks for it: a channel of a chosen uniqueid that hears 1004 Hz."""
    frames: list[bytes] = []

    async def ear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        splitter = Splitter()
        while data := await reader.read(65_536):
            writer.write(data[-323:])
            frames.extend(payload for kind, payload in splitter.split(data) if kind is Kind.AUDIO)

    async def work() -> None:
        asterisk = PretendAsterisk(scenario([{"name": "x", "at_s": 1}]), Places(free_port()))
        await asterisk.start(0)
        server = await asyncio.start_server(ear, "127.0.0.1", 0)
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        operator = await Peer.to(asterisk.ami.port)
        await operator.login("off")
        await operator.ask(
            "Action: Originate", "Channel: Local/still@callflow-check/n", "Context: callflow-check", "Exten: tone",
            "Priority: 1", "ChannelId: tone-1", "OtherChannelId: still-1",
        )  # fmt: skip
        await asyncio.sleep(0.2)
        await operator.ask(
            "Action: Originate", "Channel: Local/s@callflow-tap/n", "Context: callflow-ear", "Exten: s", "Priority: 1",
            "Variable: TAPCHAN=still-1", f"Variable: TAPUUID={UUID}", f"Variable: TAPADDRESS={address}",
        )  # fmt: skip
        await asyncio.sleep(2)
        server.close()
        asterisk.close()

    in_virtual_time(work)
    samples = np.frombuffer(b"".join(frames), dtype="<i2")
    assert samples.size >= 8000
    spectrum = np.abs(np.fft.rfft(samples[:8000].astype(np.float64)))
    assert int(np.argmax(spectrum)) == 1004


def test_by_rtp_a_caller_is_heard_until_the_time_limit_that_a_daemon_puts_off() -> None:
    """As the daemon asks for it where there is no AudioSocket."""

    async def work() -> None:
        asterisk = PretendAsterisk(scenario([{"name": "x", "at_s": 1}]), Places(free_port()), flavour=ASTERISK_16)
        await asterisk.start(0)
        operator = await Peer.to(asterisk.ami.port)
        await operator.login("off")
        await operator.ask(
            "Action: Originate", "Channel: Local/still@callflow-check/n", "Context: callflow-check", "Exten: tone",
            "Priority: 1", "ChannelId: tone-1", "OtherChannelId: still-1",
        )  # fmt: skip
        await asyncio.sleep(0.2)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", 0))
            ear.setblocking(False)
            await operator.ask(
                "Action: Originate", f"Channel: UnicastRTP/127.0.0.1:{ear.getsockname()[1]}/c(ulaw)",
                "Context: callflow-rtp", "Exten: s", "Priority: 1", "ChannelId: tap-1", "Variable: TAPCHAN=still-1",
            )  # fmt: skip
            told = await operator.ask("Action: Getvar", "Channel: tap-1", "Variable: UNICASTRTP_LOCAL_PORT")
            await asyncio.sleep(2)
            data, (_, port) = ear.recvfrom(2048)
            assert (data[:2], len(data), str(port)) == (b"\x80\0", 172, told["Value"])
            await operator.ask("Action: Setvar", "Channel: tap-1", "Variable: TIMEOUT(absolute)", "Value: 1")
            await asyncio.sleep(0.5)
            assert asterisk.world.switch.with_uniqueid("tap-1") is not None
            await asyncio.sleep(1)
            assert asterisk.world.switch.with_uniqueid("tap-1") is None
        asterisk.close()

    in_virtual_time(work)
