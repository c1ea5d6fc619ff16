"""Music on hold: Asterisk's own, and music of games; pieces of it at 8 kHz."""

from functools import cache

import numpy as np

from tests.bench.hearing.packages import MUSIC, Half, unpacked
from tests.bench.hearing.recordings import band, read

_SOUNDS = (".wav", ".ogg", ".mp3")
_LEAST_BYTES = 500_000


@cache
def pieces(half: Half) -> tuple[np.ndarray, ...]:
    """Every piece of music of this half, 300 to 3400 Hz."""
    found = []
    for package in MUSIC[half]:
        paths = sorted(path for path in unpacked(package).rglob("*") if path.suffix in _SOUNDS)
        paths = [path for path in paths if path.stat().st_size > _LEAST_BYTES and path.stem != "guitar"]
        paths = [path for path in paths if path.parent.name != "sounds"]  # noises of a game
        found += [band(music) for path in paths if (music := read(path)).size]
    return tuple(found)


def excerpt(half: Half, size: int, random: np.random.Generator) -> np.ndarray:
    """A passage from anywhere in any piece, without a long rest in it."""
    while True:
        found = pieces(half)
        piece = found[random.integers(len(found))]
        start = int(random.integers(0, piece.size - size))
        part = piece[start : start + size]
        power = np.mean(np.square(part[: size // 800 * 800].reshape(-1, 800)), axis=1)
        if np.mean(power > np.mean(np.square(piece)) / 300) > 0.8:
            return part
