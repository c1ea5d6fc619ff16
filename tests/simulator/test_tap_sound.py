"""What comes over AudioSocket, and when: the same test for a real Asterisk 22 and the pretend one."""

import asyncio

import numpy as np
import numpy.typing as npt
import pytest

from callflow.lab.lab import open_lab
from callflow.lab.screening.run import SCENARIO_CONFIG
from callflow.lab.sipp import Agents
from callflow.scenarios.scenario import Scenario
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import ASTERISK_16, ASTERISK_22, Flavour
from callflow.simulator.pretend.world import Places
from callflow.sound.audio import active_level_dbov
from tests.simulator.pretend.stage import free_port, in_virtual_time
from tests.simulator.tap_calls import AFTER_S, FRAME_S, SPEECH_AT_S, Ear, tap_on_lab, tap_scenario, tapping

NEAR_S = 0.1
"""How far apart two runs may be on a machine that has other work as well."""
TALK_S = 20.0


def samples(ear: Ear) -> npt.NDArray[np.float64]:
    return np.frombuffer(b"".join(frame for _, frame in ear.frames), dtype="<i2").astype(np.float64)


def since_asked(ear: Ear, at: float | None) -> float:
    assert at is not None, f"{ear.call.name}: never"
    return at - ear.asked_at


def hold_to(ears: list[Ear]) -> None:
    """What was measured on Asterisk 22."""
    (caller_leaves, ear_closes, at_once, refused, nobody, no_media, mute, no_answer, talks) = ears
    assert refused.connected_at is None
    for ear in ears:
        if ear is not refused:
            assert since_asked(ear, ear.connected_at) < NEAR_S
        if ear not in (refused, at_once):
            assert ear.introduced == ear.uuid
    to_the_end = (caller_leaves, no_media, no_answer, talks)
    for ear in to_the_end:
        assert since_asked(ear, ear.ended_at) == pytest.approx(ear.call.leaves_s - AFTER_S, abs=NEAR_S), ear.call.name
    assert since_asked(ear_closes, ear_closes.ended_at) == pytest.approx(1.5, abs=NEAR_S)
    assert since_asked(mute, mute.ended_at) == pytest.approx(2.0, abs=NEAR_S)
    assert since_asked(nobody, nobody.ended_at) < NEAR_S
    assert not any(ear.frames for ear in (at_once, nobody, no_media, mute))
    for ear, first_s in ((caller_leaves, 0.12), (ear_closes, 0.12), (no_answer, 0.62), (talks, 0.12)):
        at, _ = ear.frames[0]
        assert since_asked(ear, at) == pytest.approx(first_s, abs=NEAR_S), ear.call.name
        last, _ = ear.frames[-1]
        assert len(ear.frames) == pytest.approx(1 + (last - at) / FRAME_S, abs=NEAR_S / FRAME_S)
    assert {len(frame) for ear in ears for _, frame in ear.frames} == {320}
    assert not samples(caller_leaves).any(), "a silent phone sends digital silence"
    first_sound_s = int(np.argmax(samples(talks) != 0)) / 8000 + since_asked(talks, talks.frames[0][0])
    assert first_sound_s == pytest.approx(SPEECH_AT_S - AFTER_S, abs=NEAR_S)
    assert active_level_dbov(samples(talks)) == pytest.approx(-26, abs=2)


async def pretend_ears(flavour: Flavour) -> list[Ear]:
    plan = Scenario.model_validate({"name": "taps"} | tap_scenario(0.5, TALK_S))
    asterisk = PretendAsterisk(plan, Places(free_port()), flavour=flavour)
    await asterisk.start(0)
    async with tapping(asterisk.ami.port, asterisk.ami.port) as ears:
        asterisk.begin()
        await asterisk.done.wait()
        assert not [name for name in asterisk.world.switch.channels if name.startswith("Local/")]
    asterisk.close()
    return ears


def test_a_pretend_tap_brings_the_sound_when_a_real_one_does() -> None:
    hold_to(in_virtual_time(lambda: pretend_ears(ASTERISK_22)))


def test_asterisk_16_never_connects() -> None:
    assert all(ear.connected_at is None for ear in in_virtual_time(lambda: pretend_ears(ASTERISK_16)))


@pytest.mark.lab
@pytest.mark.xdist_group("asterisk-22")
def test_a_real_tap_does_what_the_pretend_one_is_held_to() -> None:
    async def real_ears() -> list[Ear]:
        async with open_lab("22", agents=Agents(ring_s=0.5, talk_s=TALK_S)) as lab:
            await lab.start_daemon(SCENARIO_CONFIG | {"tap": {"enabled": False}})
            return await tap_on_lab(lab, lab.asterisk.ports.ami)

    hold_to(asyncio.run(real_ears()))
