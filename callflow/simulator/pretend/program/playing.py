"""Applications that take time: sound that is played to the channel, keys that are read, waiting, a FastAGI script."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from callflow.simulator.pretend.program.builtins import answer
from callflow.simulator.pretend.program.program import Application, Program
from callflow.simulator.pretend.program.substitution import arguments
from callflow.simulator.pretend.report import PromptHeard

_RATE = 8000
_READ_S = 10.0
"""Of Read without a time of its own."""
_SIT_S = 1e9


@asynccontextmanager
async def keys_of(program: Program) -> "AsyncIterator[asyncio.Queue[str]]":
    """The keys that are released on the channel meanwhile; keys before and after are lost."""
    keys: asyncio.Queue[str] = asyncio.Queue()
    program.channel.on_key = keys.put_nowait
    try:
        yield keys
    finally:
        program.channel.on_key = None


async def next_key(program: Program, keys: "asyncio.Queue[str]", timeout_s: float) -> str | None:
    """The next key, or None after the time."""
    waiting = asyncio.ensure_future(keys.get())
    try:
        return await program.until(waiting, timeout_s)
    finally:
        waiting.cancel()


async def play(program: Program, name: str, stops: "asyncio.Future[str] | None" = None) -> bool:
    """Play one file to its end, or until ControlPlayback or `stops`; False if there is none."""
    world, channel = program.world, program.channel
    samples = world.sounds.found(name, channel.language)
    if samples is None:
        return False
    began, loop = world.clock.now(), asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()
    program.playing = done
    timer = loop.call_later(samples / _RATE, _finish, done)
    if stops is not None:
        stops.add_done_callback(lambda _: _finish(done))
    program.on_state(name.rpartition("/")[2])
    try:
        await program.until(done)
    finally:
        timer.cancel()
        program.playing = None
        now = world.clock.now()
        heard = PromptHeard(
            name.rpartition("/")[2], channel.language, began, now, now - began < samples / _RATE - 0.001
        )
        program.on_prompt(heard)
        program.on_state("listening")
    return True


def _finish(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


async def playback(program: Program, data: str) -> None:
    files, options, *_ = (*arguments(data), "", "")
    if "noanswer" not in options:
        await answer(program, "")
    status = "FAILED"
    for name in files.split("&"):
        if await play(program, name):
            status = "SUCCESS"
    program.set("PLAYBACKSTATUS", status)


async def read(program: Program, data: str) -> None:
    """Read(variable,files,maxdigits,options,attempts,timeout)."""
    variable, files, most, _, attempts, timeout = (*arguments(data), "", "", "", "", "", "")[:6]
    await answer(program, "")
    digits, status = "", "TIMEOUT"
    for _ in range(int(attempts or 1)):
        async with keys_of(program) as keys:
            digits, ended = await _digits(program, keys, files, int(most or 255), float(timeout or 0) or _READ_S)
        if digits or ended:
            status = "OK"
            break
    program.set(variable, digits)
    program.set("READSTATUS", status)


async def _digits(
    program: Program, keys: "asyncio.Queue[str]", files: str, most: int, timeout_s: float
) -> tuple[str, bool]:
    """The keys, and whether # or the last of them ended the reading; the first one ends the sound."""
    digits = ""
    first = asyncio.ensure_future(keys.get())
    try:
        for name in filter(None, files.split("&")):
            if not first.done():
                await play(program, name, first)
        key = await program.until(first, timeout_s)
    finally:
        first.cancel()
    while key is not None and key != "#":
        digits += key
        if len(digits) >= most:
            return digits, True
        key = await next_key(program, keys, timeout_s)
    return digits, key == "#"


async def wait(program: Program, data: str) -> None:
    await program.sleep(float(data or 0))


async def sit(program: Program, data: str) -> None:
    """MusicOnHold and the like: until the channel is hung up or moved."""
    await program.sleep(_SIT_S)


async def say_digits(program: Program, data: str) -> None:
    for digit in data:
        await play(program, f"digits/{digit}")


async def tone(program: Program, data: str) -> None:
    """Playtones goes on beside what follows; nobody here listens to it."""


async def agi(program: Program, data: str) -> None:
    """AGI(agi://HOST:PORT/path,arguments)."""
    address, *given = arguments(data)
    ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    leave: Callable[[], None] = lambda: program.hang_up(0)  # noqa: E731 - a name for the next line
    program.agi = program.world.run_agi(
        program.channel, tuple(given), ended.set_result, program.on_prompt, program.on_state, leave, script=address
    )
    status = await ended  # a hang-up ends the script, and the end of the script ends the step
    program.agi = None
    program.channel.variables["AGISTATUS"] = status


PLAYING: dict[str, Application] = {
    "playback": playback, "background": playback, "read": read, "wait": wait, "musiconhold": sit, "echo": sit,
    "saydigits": say_digits, "playtones": tone, "ringing": tone, "progress": tone, "startmusiconhold": tone,
    "stopplaytones": tone, "agi": agi,
}  # fmt: skip
