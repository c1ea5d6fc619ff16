"""TALK_DETECT against what real ones did: figures of the lab's captures."""

import asyncio
from typing import Any

import pytest

from callflow.installed import SOUNDS as FOLDER
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.script import make_script
from callflow.simulator.pretend.sounds import Sounds
from callflow.simulator.pretend.talk_detect import Hearing, TalkDetect
from tests.simulator.pretend.stage import in_virtual_time, scenario

SOUNDS = Sounds(FOLDER)
Heard = list[tuple[str, int]]


def hearing(*does: dict[str, Any], **caller: Any) -> Hearing:
    (group,) = scenario([{"name": "one", "does": list(does)} | caller]).callers
    return make_script(group, SOUNDS).hearing


def heard(what: Hearing, value: str, until_s: float, rearm_s: float | None = None) -> Heard:
    """(start, ms since the answer) and (stop, duration) as they come; armed at once and once more at `rearm_s`."""

    async def main() -> Heard:
        told: Heard = []
        clock = Clock(asyncio.get_running_loop())
        began = clock.now()
        ear = TalkDetect(
            clock,
            what,
            began,
            lambda: told.append(("start", round((clock.now() - began) * 1000))),
            lambda duration_ms: told.append(("stop", duration_ms)),
        )
        assert ear.set(value)
        if rearm_s is not None:
            await asyncio.sleep(rearm_s)
            assert ear.remove()
            assert ear.set(value)
        await asyncio.sleep(until_s)
        ear.close()
        return told

    return in_virtual_time(main)


@pytest.mark.parametrize(
    ("at", "start", "duration"),
    [
        pytest.param(1.02, 1020, 20, id="in two frames: Start, Stop after 180 ms, Duration 17 to 20 seen"),
        pytest.param(5.695, 5680, 40, id="across three frames: Duration 40 seen"),
    ],
)
def test_a_click_of_30_ms(at: float, start: int, duration: int) -> None:
    assert heard(hearing({"at": at, "sound": "click"}), "160,256", 10) == [("start", start), ("stop", duration)]


def test_a_click_with_a_longer_silence_time_stops_as_long_after() -> None:
    click = hearing({"at": 1.02, "sound": "click"})
    (_, start), (_, duration) = heard(click, "250,256", 5)
    assert (start, duration) == (1020, 30)  # 13 whole frames of silence for 250 ms; 29 seen


def test_silence_and_faint_noise_are_not_heard() -> None:
    assert heard(hearing(), "160,256", 30) == []
    assert heard(hearing({"at": 0, "sound": "noise", "for_s": 20, "level_dbov": -60}), "160,60", 25) == []


def test_low_speech_is_heard_at_a_low_threshold_only() -> None:
    low = hearing({"at": 1, "sound": "speech", "level_dbov": -50})
    what, at_ms = heard(low, "160,60", 1.5)[0]
    assert what == "start"
    assert at_ms == pytest.approx(1000, abs=40)
    assert heard(low, "160,2000", 6) == []


def test_a_stream_that_ends_in_mid_word_makes_no_stop() -> None:
    cut = hearing({"at": 1, "sound": "tone"}, {"at": 1.4, "stop_rtp": True})
    assert heard(cut, "160,256", 20) == [("start", 1000)]


def test_a_talker_is_reported_again_within_a_frame_when_armed_afresh() -> None:
    tone = hearing({"at": 1, "sound": "tone", "for_s": 3})
    first, again, stop = heard(tone, "160,256", 5, rearm_s=2.003)
    assert first == ("start", 1000)
    assert again == ("start", 2020)
    assert stop == ("stop", 1960)  # counted from the second Start: the last frame with sound ends at 4.0 s


def test_a_caller_without_media_is_heard_from_their_first_sound() -> None:
    late = hearing({"at": 5, "sound": "speech"}, media="none")
    assert heard(late, "160,256", 6)[0] == ("start", 5000)


@pytest.mark.parametrize("value", ["x,y", "-1,5", "160,0"])
def test_a_wrong_value_is_refused(value: str) -> None:
    async def main() -> bool:
        ear = TalkDetect(Clock(asyncio.get_running_loop()), hearing(), 0.0, lambda: None, lambda duration_ms: None)
        return ear.set(value)

    assert not in_virtual_time(main)


def test_hearing_is_worked_out_once_for_all_callers_of_a_kind() -> None:
    (group,) = scenario([{"name": "one", "does": [{"at": 1, "sound": "speech"}]}]).callers
    what = make_script(group, SOUNDS).hearing
    assert what.voiced(160, 256) is what.voiced(160, 256)
