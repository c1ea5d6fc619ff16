"""Whether a caller's sound would have been heard: frames of the tap against Asterisk's packet counter."""

import asyncio
from collections.abc import Callable

import pytest

from callflow.runtime import evidence
from callflow.runtime.evidence import Evidence

SLOW = 20
"""So many times faster than in life."""


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "LOOK_S", evidence.LOOK_S / SLOW)
    monkeypatch.setattr(evidence, "LONGEST_LOOK_S", evidence.LONGEST_LOOK_S / SLOW)
    monkeypatch.setattr(evidence, "SELDOM_PER_S", evidence.SELDOM_PER_S * SLOW)


class Line:
    """A tap that has been quiet for so long, and a counter that is read from a plan."""

    def __init__(self, packets: Callable[[int], int | None], quiet: Callable[[int], int | None]) -> None:
        self._packets, self._quiet = packets, quiet
        self.read = 0

    def quiet_ms(self, uniqueid: str) -> int | None:
        return self._quiet(self.read)

    async def packets(self, channel: str) -> int | None:
        self.read += 1
        return self._packets(self.read)


async def told(line: Line, reads: int) -> int:
    """How often deafness is told of a followed tap while the counter is read so often, or until it is told."""
    deaf: list[int] = []
    followed = Evidence(line, line)
    followed.follow("1.1", "PJSIP/a", lambda: deaf.append(line.read))
    async with asyncio.timeout(5):
        while line.read < reads and not deaf:  # noqa: ASYNC110 - a counter tells no events
            await asyncio.sleep(0.001)
    followed.forget("1.1")
    assert followed.live == 0
    return len(deaf)


def grows(packets_a_look: int, start: int = 100) -> Callable[[int], int]:
    return lambda read: start + packets_a_look * read


@pytest.mark.parametrize(
    "packets", [grows(100), lambda read: 5000 if read == 1 else 100 * read], ids=["one source", "a new source"]
)
async def test_packets_without_frames_are_a_deaf_ear(packets: Callable[[int], int]) -> None:
    assert await told(Line(packets, lambda read: 200), 10) == 1


@pytest.mark.parametrize("packets", [grows(0), lambda read: None], ids=["no media", "no counter"])
async def test_a_counter_that_stands_still_or_cannot_be_read_tells_nothing(
    packets: Callable[[int], int | None],
) -> None:
    assert await told(Line(packets, lambda read: 200), 6) == 0


async def test_a_burst_after_a_gap_is_heard_and_so_no_deafness() -> None:
    """The packets that were late arrive at once, their frames with the next look."""
    line = Line(lambda read: 100 if read == 1 else 115, lambda read: 200 if read < 2 else 0)
    assert await told(line, 2) == 0


@pytest.mark.parametrize("looks", range(1, evidence.KEY_LOOKS + 1))
async def test_a_key_is_packets_without_sound_and_no_deafness(looks: int) -> None:
    """A caller who sends nothing presses a key: packets come for some looks, and then no more."""
    line = Line(lambda read: 100 + 30 * min(max(read - 2, 0), looks), lambda read: 200)
    assert await told(line, looks + 6) == 0


async def test_a_call_without_a_gap_costs_no_question() -> None:
    line = Line(grows(5), lambda read: 20)
    followed = Evidence(line, line)
    followed.follow("1.1", "PJSIP/a", lambda: None)
    for _ in range(10):
        await asyncio.sleep(evidence.LOOK_S)
    assert line.read == 0
    followed.forget("1.1")


@pytest.mark.parametrize(
    ("packets", "quiet", "verified"),
    [
        (grows(5), 20, True),
        (grows(0), 500, True),
        (grows(100), 500, False),
        (lambda read: None, 500, False),
    ],
    ids=["frames come", "no packets", "packets, no frames", "nobody can tell"],
)
async def test_a_tapped_call_is_verified_by_frames_or_by_a_counter_that_stands_still(
    packets: Callable[[int], int | None], quiet: int, verified: bool
) -> None:
    line = Line(packets, lambda read: quiet)
    assert await Evidence(line, line).verified("1.1", "PJSIP/a", None) is verified


@pytest.mark.parametrize(("packets", "verified"), [(grows(0), True), (grows(450), False)], ids=["none", "many"])
@pytest.mark.parametrize("taps", [True, False])
async def test_without_a_tap_only_a_counter_that_stood_still_since_it_was_counted(
    packets: Callable[[int], int], verified: bool, taps: bool
) -> None:
    line = Line(packets, lambda read: None)
    of = Evidence(line if taps else None, line)
    assert not await of.verified("", "PJSIP/a", None), "nobody has counted yet"
    counted = await of.count("PJSIP/a")
    assert await of.verified("", "PJSIP/a", counted) is verified
