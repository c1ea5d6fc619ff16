"""Which frames of a renumbered stream an Asterisk drops before its ears, and what it counts."""

import pytest

from callflow.simulator.pretend.stream import Stream, late_frames


@pytest.mark.parametrize(
    ("jumps", "late"),
    [
        pytest.param([(100, 0)], [], id="none"),
        pytest.param([(100, 3000)], [], id="ahead"),
        pytest.param([(100, 32768)], [], id="ahead as far as it goes"),
        pytest.param([(100, 32769)], [(100, 32866)], id="further ahead"),
        pytest.param([(100, -60)], [(100, 159)], id="back for 1.2 s"),
        pytest.param([(100, -8000)], [(100, 8099)], id="back for 160 s"),
        pytest.param([(100, 40000)], [(100, 100 + 65536 - 40000 - 1)], id="so far ahead that it is behind"),
        pytest.param([(100, -60), (120, 60)], [(100, 120)], id="back and forth"),
        pytest.param([(100, -60), (200, -60)], [(100, 159), (200, 259)], id="twice"),
        pytest.param([(100, -60), (120, -60)], [(100, 120), (120, 219)], id="further back while behind"),
        pytest.param([(0, -60)], [], id="the first frame follows none"),
    ],
)
def test_frames_that_come_late(jumps: list[tuple[int, int]], late: list[tuple[int, int]]) -> None:
    assert [(frames.start, frames.stop) for frames in late_frames(jumps)] == late


def test_packets_are_counted_from_the_last_ssrc_on() -> None:
    stream = Stream(0.0, new_ssrc_at=(50, 100))
    assert [stream.counted(at_s) for at_s in (0.0, 0.98, 1.0, 1.98, 2.0, 3.0)] == [1, 50, 1, 50, 1, 51]
