"""Inputs made from good ones: cut, doubled, spliced, with bytes flipped and words put in."""

from collections.abc import Sequence
from random import Random

LONGEST_BYTES = 65_536
MOST_STEPS = 4
WORDS = (
    b"", b"\0", b"\n", b"\r\n", b"\r\n\r\n", b"\n\n", b": ", b"\xff", b"\xed\xa0\x80", b"\xe7\x8e\x8b", b"=",
    b'"', b"'''",
    b"-1", b"0", b"1e999", b"-1e999", b"Infinity", b"NaN", b"9" * 20, b"9" * 5000, b"null", b"true", b"{}",
    b"[]", b"[" * 3000, b'{"a":' * 3000, b"A" * 20_000, b"Event: ", b"Response: Success\r\n", b"200 result=1 (",
    b"520-", b"agi_",
    b"%00", b"%ff", b"../", b"\x10\xff\xff", b"\x10\x01\x40", b"1_0", b"1979-05-27", b"\xef\xbb\xbf",
)  # fmt: skip
"""What has broken readers before: odd numbers, deep nesting, ends of lines and messages, half characters."""


def mutated(seeds: Sequence[bytes], chance: Random) -> bytes:
    """One input of at most LONGEST_BYTES; the same `chance` makes the same one."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.randint(1, MOST_STEPS)):
        _change(data, seeds, chance)
    return bytes(data[:LONGEST_BYTES])


def _change(data: bytearray, seeds: Sequence[bytes], chance: Random) -> None:
    first, last = sorted((chance.randint(0, len(data)), chance.randint(0, len(data))))
    last = min(last, first + chance.choice((1, 4, 30, len(data))))
    match chance.randrange(6):
        case 0:
            data[first:last] = chance.choice(WORDS)
        case 1:
            data[first:first] = chance.choice(WORDS)
        case 2:
            del data[first:last]
        case 3:
            data[first:first] = data[first:last]
        case 4:
            other = chance.choice(seeds)
            data[first:last] = other[chance.randint(0, len(other)) :]
        case _:
            if data:
                data[min(first, len(data) - 1)] ^= 1 << chance.randrange(8)
