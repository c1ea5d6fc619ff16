"""Record: the sound that comes to a channel, as a file; on half of a Local channel, what the other half spies on."""

import asyncio
import wave
from dataclasses import dataclass
from pathlib import Path

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.program.builtins import answer
from callflow.simulator.pretend.program.program import Application, HungUp, Moved, Program
from callflow.simulator.pretend.program.substitution import arguments
from callflow.sound.audio import RATE


@dataclass(frozen=True, slots=True)
class _Heard:
    """A channel from one of its frames on."""

    channel: Channel
    first: int

    def sound(self, now: float) -> bytes:
        """What has come since, as 16-bit samples."""
        stream = self.channel.stream
        until = stream.sent(now - self.channel.answered_at)
        return b"".join(stream.frame(number) for number in range(self.first, until) if not stream.is_late(number))


async def record(program: Program, data: str) -> None:
    """Record(file.wav,0,seconds,k): no silence ends it. `k` keeps the file of a channel that is hung up."""
    name, _, longest_s, options = (*arguments(data), "", "", "")[:4]
    await answer(program, "")
    heard, clock = _heard(program), program.world.clock
    path = Path(name)
    if path.is_absolute() and not await asyncio.to_thread(path.parent.is_dir):
        program.set("RECORD_STATUS", "ERROR")
        return
    try:
        await program.sleep(float(longest_s or 0))
        program.set("RECORD_STATUS", "TIMEOUT")
    except (HungUp, Moved):
        program.set("RECORD_STATUS", "HANGUP")
        if "k" not in options:
            heard = None
        raise
    finally:
        if heard is not None and path.is_absolute():
            _write(path, heard.sound(clock.now()))


def _heard(program: Program) -> _Heard | None:
    channel = program.hears()
    if channel is None:
        return None
    return _Heard(channel, channel.stream.sent(program.world.clock.now() - channel.answered_at))


def _write(path: Path, samples: bytes) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples)


RECORDING: dict[str, Application] = {"record": record}
