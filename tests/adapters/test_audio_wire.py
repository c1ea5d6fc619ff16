"""AudioSocket's framing: whole frames out of any pieces; anything else is refused."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.audio.framing import SILENCE, Kind, Misframed, Splitter, frame

FRAMES = [(Kind.UUID, bytes(range(16))), (Kind.AUDIO, bytes(320)), (Kind.KEY, b"5"), (Kind.HANG_UP, b"")]
STREAM = b"".join(frame(kind, payload) for kind, payload in FRAMES)


@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=20))
def test_frames_come_whole_out_of_any_pieces(cuts: list[int]) -> None:
    splitter, found = Splitter(), []
    edges = [0, *sorted(cuts), len(STREAM)]
    for start, end in pairwise(edges):
        found += splitter.split(STREAM[start:end])
    assert found == FRAMES
    assert not splitter.inside


@pytest.mark.parametrize("samples", [160, 159, 161, 0])
def test_a_piece_that_is_one_frame_is_that_frame(samples: int) -> None:
    payload = bytes(range(2)) * samples
    splitter = Splitter()
    assert splitter.split(frame(Kind.AUDIO, payload)) == [(Kind.AUDIO, payload)]
    assert not splitter.inside


def test_half_a_frame_is_known() -> None:
    splitter = Splitter()
    assert splitter.split(SILENCE[:100]) == []
    assert splitter.inside


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"\x02\x00\x01x", id="unknown kind"),
        pytest.param(b"\x11\x01\x40", id="another sample rate"),
        pytest.param(b"\x10\x00\x03abc", id="half a sample"),
        pytest.param(b"\x10\xff\xfe", id="more than 200 ms"),
        pytest.param(b"\x01\x00\x0f", id="a short uuid"),
        pytest.param(b"GET / HTTP/1.1\r\n", id="another protocol"),
    ],
)
def test_what_is_no_audiosocket_is_refused(bad: bytes) -> None:
    with pytest.raises(Misframed):
        Splitter().split(bad)


def test_silence_is_20_ms() -> None:
    assert b"\x10\x01\x40" + bytes(320) == SILENCE


def test_only_whole_usual_frames_are_taken_for_nothing_but_audio() -> None:
    other = frame(Kind.AUDIO, bytes(318))
    splitter = Splitter()
    assert splitter.audio(3 * SILENCE) == bytes(960)
    assert splitter.audio(SILENCE[:-1]) is None
    assert splitter.audio(frame(Kind.UUID, bytes(16)) + bytes(len(SILENCE) - 19)) is None
    assert splitter.split(other[:7]) == []
    assert splitter.audio(SILENCE) is None, "the rest of another frame is awaited"
