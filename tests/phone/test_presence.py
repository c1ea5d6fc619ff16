"""Who is in each frame, and how loud; how long nothing came."""

import numpy as np
import pytest

from callflow.lab.phone.media import Frame, tone
from callflow.lab.phone.presence import presence
from callflow.sound import mulaw
from tests.phone.test_media import frames

TONES = {"agent": 650, "music": 550}


def mixed(*parts: bytes) -> bytes:
    """Sounds at once."""
    return mulaw.encode(sum((mulaw.decode(part).astype(np.float64) for part in parts), np.zeros(len(parts[0]))))


def test_each_frame_tells_who_is_in_it_and_how_loud() -> None:
    both = presence(frames(mixed(tone(650, -23), tone(550, -30))), TONES)
    assert both.in_frame(10) == {"agent": pytest.approx(-23, abs=0.3), "music": pytest.approx(-30, abs=0.3)}
    assert presence(frames(tone(650)), TONES).in_frame(10).keys() == {"agent"}


def test_levels_and_gaps_are_those_of_the_time_asked_for() -> None:
    first = frames(tone(650, -23))
    later: list[Frame] = frames(tone(650, -30), first_at=first[-1].at + 0.15)
    heard = presence([*first, *later], TONES)
    assert heard.level_dbov("agent", ended=later[0].at) == pytest.approx(-23, abs=0.3)
    assert heard.level_dbov("agent", later[0].at) == pytest.approx(-30, abs=0.3)
    assert heard.longest_gap_s() == pytest.approx(0.15)
    assert heard.longest_gap_s(later[0].at) == pytest.approx(0.02)
    assert len(heard.spans("agent")) == 2


def test_nothing_received_is_nobody_heard() -> None:
    heard = presence([], TONES)
    assert heard.spans("agent") == []
    assert heard.level_dbov("agent") == -np.inf
    assert heard.longest_gap_s() == 0
