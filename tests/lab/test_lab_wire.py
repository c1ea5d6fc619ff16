"""What the lab reads from a packet capture, and how it judges it."""

import struct
from dataclasses import replace
from pathlib import Path

import dpkt
import numpy as np
import pytest

from callflow.lab.prompts import Burst
from callflow.lab.screening.judge import Observed, judge
from callflow.lab.screening.run import SCENARIOS, Outcome
from callflow.lab.screening.scenario import read_scenario
from callflow.lab.wire import Packet, Wire, WireCall, read_wire
from callflow.sound import mulaw

SIP, CALLER, MEDIA, RTP = 12000, 12100, 12800, 12300


class TestWire:
    def test_a_call_through_to_an_agent(self, tmp_path: Path) -> None:
        call = read_wire(_capture(tmp_path, _call("1001", ended_by="asterisk", agent=True)), SIP).one("1001")
        assert (call.entry, call.invite_at, call.answered_at, call.bye_at) == ("dial_zh_support", 1.0, 1.1, 9.0)
        assert (call.ended_by, call.agent_rang_at, call.agent_answered_at) == ("asterisk", 5.0, 6.0)
        assert call.agent_reached
        assert [packet.at for packet in call.sent] == [2.0, 2.02]
        assert [packet.at for packet in call.received] == [2.5]
        assert call.first_sound_at() == 2.02
        assert call.keys == [(3.0, "#")]

    def test_a_caller_who_hangs_up_and_an_agent_who_does_not_answer(self, tmp_path: Path) -> None:
        call = read_wire(_capture(tmp_path, _call("1001", ended_by="caller", agent=False)), SIP).one("1001")
        assert call.ended_by == "caller"
        assert call.agent_rang_at is None
        assert not call.agent_reached

    def test_a_call_back_to_a_caller_who_has_hung_up_is_no_leg_of_the_call(self, tmp_path: Path) -> None:
        """An agent who is told the caller's number sees it in From."""
        later = _sip("INVITE sip:8001@127.0.0.1:12003 SIP/2.0", "1001", "call-back", RTP + 2)
        frame = _frame(12.0, ("127.0.0.1", SIP), ("127.0.0.1", 12003), later)
        call = read_wire(_capture(tmp_path, [*_call("1001", "asterisk", False), frame]), SIP).one("1001")
        assert call.agent_rang_at is None

    def test_the_ports_of_an_agents_leg_may_be_a_later_callers(self, tmp_path: Path) -> None:
        here, phone = ("127.0.0.1", SIP), ("127.0.0.1", CALLER)
        packets = [
            (10.0, phone, here, _sip("INVITE sip:dial_zh_support@127.0.0.1 SIP/2.0", "1002", "later", MEDIA + 8)),
            (10.1, here, phone, _sip("SIP/2.0 200 OK", "1002", "later", RTP + 2)),
            (10.5, ("127.0.0.1", RTP + 2), ("127.0.0.1", MEDIA + 8), _rtp_packet(0, b"\xff" * 160)),
        ]
        frames = [*_call("1001", "asterisk", agent=True), *(_frame(*packet) for packet in packets)]
        wire = read_wire(_capture(tmp_path, frames), SIP)
        assert len(wire.one("1002").received) == 1
        assert wire.one("1001").agent_received == []

    def test_two_callers_of_one_number_are_not_one(self, tmp_path: Path) -> None:
        wire = read_wire(_capture(tmp_path, _call("1001", "caller", False)), SIP)
        with pytest.raises(LookupError, match="0 calls"):
            wire.one("1002")

    def test_media_of_nobody_is_left_out(self, tmp_path: Path) -> None:
        stray = _frame(4.0, ("127.0.0.1", 13000), ("127.0.0.1", 13002), _rtp_packet(0, b"\x00" * 160))
        wire = read_wire(_capture(tmp_path, [*_call("1001", "caller", False), stray]), SIP)
        assert len(wire.one("1001").sent) == 2


class TestJudge:
    def test_a_silent_call_that_keeps_time_passes(self) -> None:
        assert judge(read_scenario(SCENARIOS / "silent-with-rtp"), _silent_call()) == []

    @pytest.mark.parametrize(
        ("change", "word"),
        [
            ({"pause_s": 1.8}, "1.800 s from the end of goodbye"),
            ({"listen_s": 3.2}, "3.200 s of silence after greeting"),
            ({"result": "spoke"}, "result spoke"),
            ({"ended_by": "caller"}, "ended by caller"),
            ({"agent_at": 5.0}, "agent reached"),
            ({"cut_ms": 300}, "was cut"),
            ({"traces": frozenset[str]()}, "own context was not reached at h"),
            ({"prompts": ("greeting", "goodbye")}, "prompts ['greeting', 'goodbye']"),
        ],
    )
    def test_whatever_is_wrong_is_said(self, change: dict[str, object], word: str) -> None:
        said = judge(read_scenario(SCENARIOS / "silent-with-rtp"), _silent_call(**change))  # type: ignore[arg-type]
        assert any(word in line for line in said), said

    def test_slow_reaction_and_late_agent(self) -> None:
        call = WireCall("a", "1001", "dial_zh_support", 0.0, 0.0, 9.0, "asterisk", 4.0, 5.0)
        call.sent = [Packet(2.0, mulaw.encode(np.full(160, 5000)))]
        seen = Observed(call, [Burst("greeting", 0.0, 2.5, 2500)], "spoke")
        said = judge(read_scenario(SCENARIOS / "speaks-after-2s"), seen)
        assert len(said) == 2
        assert "0.500 s from the first sign of life" in said[0]
        assert "rang 2.000 s later" in said[1]

    def test_a_silence_that_is_not_the_ladders(self) -> None:
        scenario = read_scenario(SCENARIOS / "media-begins-late")
        call = _silent_call()
        later = [(burst, burst.started_at + 1.5, burst.ended_at + 1.5) for burst in call.spoken[1:]]
        call.spoken[1:] = [replace(burst, started_at=began, ended_at=ended) for burst, began, ended in later]
        call.call.bye_at = call.spoken[-1].ended_at + 2
        assert judge(scenario, call) == []
        assert judge(read_scenario(SCENARIOS / "silent-with-rtp"), call) == [
            "4.500 s of silence after greeting, expected 3.0"
        ]

    def test_only_the_machine_stalls_a_caller(self) -> None:
        """If packets are missing in a gap, the caller's line is the cause."""
        call = WireCall("a", "1001", "dial_zh_support", 0.0)
        call.sent = [Packet(0.0, b"", 65535), Packet(0.04, b"", 0), Packet(0.3, b"", 2)]
        assert Wire([call]).longest_stall_s == pytest.approx(0.04)

    def test_a_caller_who_was_hung_up_on_is_not_placed_again(self) -> None:
        """Unless the machine stalled; a late prompt is excused once."""
        hung_up, late = _silent_call(), _silent_call(result="spoke")
        speaks = read_scenario(SCENARIOS / "speaks-after-2s")
        assert not Outcome(speaks, "1001", hung_up, judge(speaks, hung_up)).excusable
        assert Outcome(speaks, "1001", hung_up, judge(speaks, hung_up), stall_s=0.2).excusable
        assert Outcome(speaks, "1001", late, judge(speaks, late)).excusable
        assert not Outcome(speaks, "1001", hung_up, [], stall_s=0.2).excusable

    def test_no_answer(self) -> None:
        call = WireCall("a", "1001", "dial_zh_support", 0.0)
        assert judge(read_scenario(SCENARIOS / "silent-with-rtp"), Observed(call, [])) == ["the call was not answered"]


def _silent_call(
    listen_s: float = 3.0,
    pause_s: float = 2.0,
    result: str = "silent",
    ended_by: str = "asterisk",
    agent_at: float | None = None,
    cut_ms: int | None = None,
    traces: frozenset[str] = frozenset({"h"}),
    prompts: tuple[str, ...] = ("greeting", "can_you_hear", "goodbye"),
) -> Observed:
    bursts, now = [], 0.0
    for prompt in prompts:
        bursts.append(Burst(prompt, now, now + 2.0, cut_ms))
        now += 2.0 + listen_s
    bye_at = bursts[-1].ended_at + pause_s
    call = WireCall("a", "1001", "dial_zh_support", 0.0, 0.0, bye_at, ended_by, agent_at, agent_at)  # type: ignore[arg-type]
    return Observed(call, bursts, result, traces)


def _call(number: str, ended_by: str, agent: bool) -> list[tuple[float, bytes]]:
    """The packets of one caller's call, and the agent's leg if wanted."""
    here, phone = ("127.0.0.1", SIP), ("127.0.0.1", CALLER)
    desk = ("127.0.0.1", 12003)
    media, rtp = ("127.0.0.1", MEDIA), ("127.0.0.1", RTP)
    loud, quiet = mulaw.encode(np.full(160, 4000)), b"\xff" * 160
    event = struct.pack("!BBH", 11, 10, 160)
    packets = [
        (1.0, phone, here, _sip("INVITE sip:dial_zh_support@127.0.0.1 SIP/2.0", number, "caller-leg", MEDIA)),
        (1.1, here, phone, _sip("SIP/2.0 200 OK", number, "caller-leg", RTP)),
        (2.0, media, rtp, _rtp_packet(0, quiet)),
        (2.02, media, rtp, _rtp_packet(0, loud)),
        (2.5, rtp, media, _rtp_packet(0, loud)),
        (3.0, media, rtp, _rtp_packet(101 | 0x80, event)),
        (3.02, media, rtp, _rtp_packet(101, event)),
    ]
    if agent:
        packets += [
            (5.0, here, desk, _sip(f"INVITE sip:{number}@127.0.0.1:12003 SIP/2.0", number, "agent-leg", RTP + 2)),
            (5.1, desk, here, _sip("SIP/2.0 180 Ringing", number, "agent-leg")),
            (6.0, desk, here, _sip("SIP/2.0 200 OK", number, "agent-leg", MEDIA + 8)),
            (8.9, desk, here, _sip("BYE sip:a SIP/2.0", number, "agent-leg", method="BYE")),
        ]
    ends = (here, phone) if ended_by == "asterisk" else (phone, here)
    packets.append((9.0, *ends, _sip("BYE sip:a SIP/2.0", number, "caller-leg", method="BYE")))
    return [_frame(*packet) for packet in packets]


def _sip(first: str, number: str, call_id: str, media: int | None = None, method: str = "INVITE") -> bytes:
    headers = f"From: <sip:{number}@127.0.0.1>;tag=1\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n"
    body = f"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {media} RTP/AVP 0\r\n" if media else ""
    return f"{first}\r\n{headers}\r\n{body}".encode()


def _rtp_packet(kind: int, payload: bytes) -> bytes:
    return struct.pack("!BBHII", 0x80, kind, 1, 1, 1) + payload


def _frame(at: float, source: tuple[str, int], target: tuple[str, int], payload: bytes) -> tuple[float, bytes]:
    udp = dpkt.udp.UDP(sport=source[1], dport=target[1], data=payload)
    udp.ulen = len(udp)
    ip = dpkt.ip.IP(src=b"\x7f\0\0\1", dst=b"\x7f\0\0\1", p=17, data=udp)
    ip.len = len(ip)
    return at, bytes(dpkt.ethernet.Ethernet(src=b"\0" * 6, dst=b"\0" * 6, type=0x0800, data=ip))


def _capture(folder: Path, frames: list[tuple[float, bytes]]) -> Path:
    path = folder / "capture.pcap"
    with path.open("wb") as sink:
        writer = dpkt.pcap.Writer(sink)
        for at, frame in sorted(frames):
            writer.writepkt(frame, ts=at)
    return path
