"""What a phone sends and records: tones, faults on purpose, and who was heard when."""

import time
from itertools import pairwise

import numpy as np
import pytest

from callflow.lab.phone.call import Call
from callflow.lab.phone.heard import gaps, heard, levels_dbov, played, who_was_heard
from callflow.lab.phone.media import FRAME_S, Frame, audio, tone
from callflow.lab.phone.phone import Phone
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, RATE
from tests.mqtt.waiting import soon
from tests.phone.test_calls import talking

Pair = tuple[Phone, Phone]
MANY_S = PAUSE_S = 0.5


def frames(codes: bytes, first_at: float = 1000.0) -> list[Frame]:
    """Mu-law as frames that arrive every 20 ms."""
    return [
        Frame(first_at + number * FRAME_S, 0, False, number, number * FRAME, 1, codes[start : start + FRAME])
        for number, start in enumerate(range(0, len(codes), FRAME))
    ]


async def talking_for(pair: Pair, seconds: float) -> tuple[Call, Call]:
    """A call in which each has received so much; however slow the machine, what is sent keeps to the clock."""
    call, there = await talking(pair)
    await soon(lambda: min(len(call.media.received), len(there.media.received)) > seconds / FRAME_S)
    return call, there


async def test_each_hears_the_others_tone_and_not_its_own(pair: Pair) -> None:
    call, there = await talking_for(pair, MANY_S)
    spans = heard(call.media.received, 650)
    assert spans[-1].ended - spans[0].began >= MANY_S - 0.1
    assert heard(call.media.received, 550) == []
    assert who_was_heard(there.media.received, {"caller": 550, "agent": 650})["caller"]


async def test_times_are_the_kernels_and_close_to_when_the_frame_was_sent(pair: Pair) -> None:
    call, there = await talking_for(pair, 0.2)
    sent = {frame.sequence: frame.at for frame in call.media.sent}
    late = [frame.at - sent[frame.sequence] for frame in there.media.received]
    assert late
    assert min(late) >= 0
    assert abs(there.media.received[-1].at - time.time()) < 5


@pytest.mark.xdist_group("pretend-phone")
async def test_frames_are_paced(pair: Pair) -> None:
    call, _ = await talking_for(pair, 1.0)
    sent = audio(call.media.sent)
    assert len(sent) == pytest.approx((sent[-1].at - sent[0].at) / FRAME_S + 1, abs=2)
    assert {after.timestamp - before.timestamp for before, after in pairwise(sent)} == {FRAME}


@pytest.mark.parametrize("packets", [-60, -8000, 3000, 40_000])
async def test_a_jump_of_the_sequence_number(pair: Pair, packets: int) -> None:
    call, there = await talking_for(pair, 0.1)
    before = call.media.sequence
    call.media.jump(packets)
    await soon(lambda: (before + packets) & 0xFFFF in [frame.sequence for frame in there.media.received])
    assert len({frame.ssrc for frame in there.media.received}) == 1


async def test_a_new_source_starts_anew_with_the_marker(pair: Pair) -> None:
    call, there = await talking_for(pair, 0.1)
    call.media.change_source(sequence=7)
    await soon(lambda: there.media.received[-1].ssrc == call.media.ssrc)
    first, second = dict.fromkeys(frame.ssrc for frame in there.media.received)
    (begin, *_) = [frame for frame in there.media.received if frame.ssrc == second]
    assert (begin.sequence, begin.marker) == (7, True)
    assert first != second


async def test_a_pause_leaves_no_hole_in_the_numbers_but_one_in_time(pair: Pair) -> None:
    call, there = await talking_for(pair, 0.1)
    began = call.media.timestamp
    call.media.stop()
    await soon(lambda: (call.media.timestamp - began) & 0xFFFFFFFF >= PAUSE_S * RATE)
    call.media.resume()
    await soon(lambda: any(frame.marker for frame in there.media.received[1:]))
    numbers = [frame.sequence for frame in there.media.received]
    assert {(after - before) & 0xFFFF for before, after in pairwise(numbers)} == {1}
    last, resumed = next(two for two in pairwise(there.media.received) if two[1].marker)
    assert (resumed.timestamp - last.timestamp) & 0xFFFFFFFF > PAUSE_S * RATE
    assert (last.at, resumed.at) in gaps(there.media.received, PAUSE_S / 2)


async def test_lost_packets_are_missing_from_the_numbers(pair: Pair) -> None:
    call, there = await talking_for(pair, 0.1)
    before = call.media.sequence
    call.media.lose(0.5)
    await soon(lambda: there.media.received[-1].sequence >= before + 30)
    numbers = [frame.sequence for frame in there.media.received if frame.sequence <= before + 30]
    steps = [(after - before) & 0xFFFF for before, after in pairwise(numbers)]
    assert max(steps) > 1
    assert sum(step - 1 for step in steps) == pytest.approx(15, abs=12)


def test_a_tone_has_its_level_and_no_seam() -> None:
    twice = frames(tone(750) * 2)
    assert levels_dbov(twice, 750) == pytest.approx(-23.0, abs=0.2)
    assert levels_dbov(twice, 850).max() < -50
    ringing = (mulaw.decode(tone(440, -13.0)).astype(float) + mulaw.decode(tone(480, -13.0))).clip(-32768, 32767)
    assert heard(frames(mulaw.encode(ringing)), 750) == []
    assert len(heard(twice, 750)) == 1


def test_mixed_parties_are_told_apart() -> None:
    mixed = mulaw.decode(tone(550)).astype(float) + mulaw.decode(tone(950)).astype(float)
    half = RATE // 2
    mixed[half:] = mulaw.decode(tone(950))[half:]
    spans = who_was_heard(frames(mulaw.encode(mixed)), {"a": 550, "b": 950, "c": 650})
    assert [round(span.lasted_s, 2) for span in spans["a"]] == [0.5]
    assert [round(span.lasted_s, 2) for span in spans["b"]] == [1.0]
    assert spans["c"] == []


@pytest.fixture
def prompt() -> mulaw.Samples:
    """Something like speech: noise whose level changes from syllable to syllable."""
    noise = np.random.default_rng(3).normal(size=2 * RATE) * 3000
    return np.asarray(noise * (1.2 + np.sin(2 * np.pi * 3 * np.arange(noise.size) / RATE)))


def test_a_prompt_is_found_where_it_was_heard(prompt: mulaw.Samples) -> None:
    whole = np.concatenate((np.zeros(RATE), prompt, np.zeros(RATE)))
    found = played(frames(mulaw.encode(whole)), prompt)
    assert found is not None
    assert found.span.began == pytest.approx(1001.0, abs=FRAME_S)
    assert found.span.lasted_s == pytest.approx(2.0, abs=0.15)
    assert found.share == pytest.approx(1.0, abs=0.06)


def test_a_prompt_beneath_a_voice_and_cut_short(prompt: mulaw.Samples) -> None:
    other = mulaw.decode(tone(550) * 4).astype(float)
    other[RATE : 2 * RATE] += prompt[:RATE]
    found = played(frames(mulaw.encode(other)), prompt)
    assert found is not None
    assert found.span.began == pytest.approx(1001.0, abs=FRAME_S)
    assert found.share == pytest.approx(0.5, abs=0.1)


def test_what_was_not_played_is_not_found(prompt: mulaw.Samples) -> None:
    noise = np.random.default_rng(4).normal(size=3 * RATE) * 3000
    assert played(frames(mulaw.encode(noise)), prompt) is None
    assert played([], prompt) is None
