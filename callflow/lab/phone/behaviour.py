"""What a phone does by itself with an incoming call: ring, answer, refuse, press keys, hang up."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from math import inf
from typing import Literal

from callflow.lab.phone.call import Call, State

Does = Literal["answer", "busy", "refuse", "forward", "ignore"]
_REFUSALS = {"busy": 486, "refuse": 603}


@dataclass(frozen=True)
class Keys:
    """Keys that are pressed `at_s` seconds after the answer."""

    at_s: float
    keys: str
    by: Literal["rfc4733", "info"] = "rfc4733"
    held_s: float = 0.1


@dataclass(frozen=True)
class Hold:
    """The phone puts the peer on hold so many seconds after the answer, and takes it back after a while."""

    at_s: float
    for_s: float
    direction: Literal["sendonly", "inactive"] = "sendonly"


@dataclass(frozen=True)
class Behaviour:
    """Pass it as `on_call` of a phone. Seconds count from the INVITE; of keys, holds and `talk_s` from the answer."""

    does: Does = "answer"
    after_s: float = 0.2
    """Until the answer or refusal."""
    waits_s: float = 0.0
    """Before the first provisional response."""
    provisional: tuple[Literal[180, 181, 183], ...] = (180,)
    talk_s: float = inf
    keys: tuple[Keys, ...] = ()
    holds: tuple[Hold, ...] = ()
    forward_to: str = ""

    async def __call__(self, call: Call) -> None:
        """Handle one call."""
        if self.waits_s and await ends_within(call, self.waits_s):
            return
        for status in self.provisional:
            call.ring(status)
        if self.does == "ignore" or await ends_within(call, self.after_s - self.waits_s):
            return
        match self.does:
            case "busy" | "refuse":
                await call.refuse(_REFUSALS[self.does])
            case "forward":
                await call.forward(self.forward_to)
            case _:
                await call.answer()
                acts = [*(_press(call, keys) for keys in self.keys), *(_hold(call, hold) for hold in self.holds)]
                await asyncio.gather(leave_after(call, self.talk_s), *acts)


async def leave_after(call: Call, seconds: float) -> None:
    """Hang up after this many seconds, unless the call has ended before."""
    if not await ends_within(call, seconds):
        await call.hang_up()


async def ends_within(call: Call, seconds: float) -> bool:
    """Wait this long, or until the call ends; True if it has ended."""
    with suppress(TimeoutError):
        await call.until(State.ENDED, None if seconds == inf else max(seconds, 0.0))
    return call.state is State.ENDED


async def _press(call: Call, keys: Keys) -> None:
    if not await ends_within(call, keys.at_s):
        await call.press(keys.keys, keys.by, keys.held_s)


async def _hold(call: Call, hold: Hold) -> None:
    if await ends_within(call, hold.at_s):
        return
    await call.hold(hold.direction)
    if not await ends_within(call, hold.for_s):
        await call.resume()
