"""Which callers Asterisk cannot hear when RTP is renumbered: asked of real 22 and 16, and of the pretend ones.

There is no daemon: a FastAGI server holds each call without a command, and the dialplan arms TALK_DETECT.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from callflow.lab.lab import open_lab
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.site import Version
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import FLAVOURS
from callflow.simulator.pretend.world import Places
from tests.labs import EACH_ASTERISK
from tests.simulator.pretend.stage import free_port, in_virtual_time
from tests.simulator.tap_calls import AFTER_S, FRAME_S, Ear, TapCall, tap_on_lab, tap_scenario, tapping

NEAR_S, REAL_NEAR_S = 0.1, 0.3
"""The real Asterisk shares this machine with its callers, which may be late themselves."""
CHANGES_S, TONE_S, TONE_ENDS_S, LEAVES_S = 2.0, 2.6, 4.6, 6.0
COUNTED_S = (1.9, 2.5, 5.5)
STOPS_AFTER_S = 0.16
FIRST_FRAME_S = 0.12


@dataclass(frozen=True)
class Change:
    """What happens to the RTP at CHANGES_S; on a `drops_late_frames` Asterisk nothing is heard for `deaf_s`."""

    name: str
    does: dict[str, Any]
    deaf_s: float = 0.0
    sounds_at_s: float = TONE_S
    """When the caller's tone begins; it ends at TONE_ENDS_S."""

    @property
    def call(self) -> TapCall:
        tone = {"at": self.sounds_at_s, "sound": "tone", "for_s": TONE_ENDS_S - self.sounds_at_s}
        change = ({"at": CHANGES_S, **self.does},) if self.does else ()
        return TapCall(self.name, LEAVES_S, does=(*change, tone), counted_at_s=COUNTED_S)

    def talking(self, *, drops: bool) -> list[tuple[str, float]]:
        """TALK_DETECT's events and their times."""
        hears_at_s = CHANGES_S + (self.deaf_s if drops else 0.0)
        stop = [("Stop", TONE_ENDS_S + STOPS_AFTER_S)] if hears_at_s < TONE_ENDS_S else []
        if self.sounds_at_s < CHANGES_S:
            return [("Start", self.sounds_at_s), *stop]
        return [("Start", max(self.sounds_at_s, hears_at_s)), *stop] if stop else []

    @property
    def counts(self) -> list[float]:
        """Packets that Asterisk counts at COUNTED_S."""
        before_s = CHANGES_S if self.does.get("new_ssrc") else 0.0
        return [(at_s - (before_s if at_s > before_s else 0.0)) / FRAME_S for at_s in COUNTED_S]


MINUTES_S = 160.0
CHANGES = (
    Change("none", {}),
    Change("back-60", {"rtp_jump": -60}, 1.2),
    Change("back-8000", {"rtp_jump": -8000}, MINUTES_S),
    Change("ahead-3000", {"rtp_jump": 3000}),
    Change("ahead-40000", {"rtp_jump": 40000}, MINUTES_S),
    Change("ssrc-same", {"new_ssrc": True}),
    Change("ssrc-lower", {"new_ssrc": True, "rtp_jump": -20011}, MINUTES_S),
    Change("ssrc-higher", {"new_ssrc": True, "rtp_jump": 12345}),
    Change("back-60-in-mid-word", {"rtp_jump": -60}, 1.2, sounds_at_s=1.0),
    Change("back-8000-in-mid-word", {"rtp_jump": -8000}, MINUTES_S, sounds_at_s=1.0),
)


def hold_to(ears: list[Ear], version: Version, near_s: float = NEAR_S) -> None:
    """What was measured on Asterisk 22 and 16."""
    drops = version == "22"
    for change, ear in zip(CHANGES, ears, strict=True):
        wanted = change.talking(drops=drops)
        assert [name for name, _ in ear.talking] == [name for name, _ in wanted], change.name
        for (_, at_s), (_, wanted_s) in zip(ear.talking, wanted, strict=True):
            assert at_s == pytest.approx(wanted_s, abs=near_s), change.name
        assert ear.counts == pytest.approx(change.counts, abs=near_s / FRAME_S), change.name
        deaf_s = min(change.deaf_s, LEAVES_S - CHANGES_S)
        tapped_s = LEAVES_S - AFTER_S - FIRST_FRAME_S - deaf_s if version == "22" else 0.0
        assert len(ear.frames) == pytest.approx(tapped_s / FRAME_S, abs=2 * near_s / FRAME_S), change.name


@asynccontextmanager
async def holding(port: int) -> AsyncIterator[None]:
    """FastAGI that takes every call and does nothing until it is told of the hang-up."""

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (line := await reader.readline()) and not line.startswith(b"HANGUP"):
            pass
        writer.close()

    async with await asyncio.start_server(hold, LOOPBACK, port):
        yield


CALLS = [change.call for change in CHANGES]


async def pretend_ears(version: Version) -> list[Ear]:
    plan = Scenario.model_validate({"name": "late"} | tap_scenario(0.5, 1.0, CALLS))
    agi_port = free_port()
    asterisk = PretendAsterisk(plan, Places(agi_port), flavour=FLAVOURS[version])
    await asterisk.start(0)
    async with holding(agi_port), tapping(asterisk.ami.port, asterisk.ami.port, CALLS) as ears:
        asterisk.begin()
        await asterisk.done.wait()
    asterisk.close()
    return ears


async def real_ears(version: Version) -> list[Ear]:
    async with open_lab(version) as lab, holding(lab.asterisk.ports.agi):
        return await tap_on_lab(lab, lab.asterisk.ports.ami, CALLS)


@pytest.mark.parametrize("version", ["22", "16"])
def test_a_pretend_asterisk_hears_what_a_real_one_hears(version: Version) -> None:
    hold_to(in_virtual_time(lambda: pretend_ears(version)), version)


@pytest.mark.lab
@pytest.mark.parametrize("version", EACH_ASTERISK)
def test_a_real_asterisk_hears_what_the_pretend_one_is_held_to(version: Version) -> None:
    hold_to(asyncio.run(real_ears(version)), version, REAL_NEAR_S)
