"""Test calls that AMI originates in context callflow-check: the self-test, a tone for a tap, a test of a prompt."""

import asyncio
from collections.abc import Callable
from functools import partial

from callflow.simulator.pretend.agi_client import AgiCall
from callflow.simulator.pretend.ami_server import Request
from callflow.simulator.pretend.call import AGI, ANSWER, ARMED, SCREEN
from callflow.simulator.pretend.pair import LocalPair
from callflow.simulator.pretend.stream import FRAME_S
from callflow.simulator.pretend.stream import tone as tone_stream
from callflow.simulator.pretend.talk_detect import SILENCE, TalkDetect, tone
from callflow.simulator.pretend.world import World

CHECK = "callflow-check"
TONE_S = 5.0
PROMPT_S = 1.0
SETTLE_S = 0.02
_CALLED = frozenset({"s", "tone", "still", "prompt"})


class LocalCall:
    """One half (;1) runs extension `tone` of the check context, the other (;2) the extension that was called."""

    def __init__(self, world: World, request: Request) -> None:
        self._world = world
        self._pair = pair = LocalPair(world, request)
        self._one, self._two, self._called = pair.one, pair.two, pair.called
        self._timers: list[asyncio.TimerHandle] = []
        self._agi: AgiCall | None = None
        self._over = False
        for half in (self._one, self._two):
            half.owner = self

    def start(self) -> None:
        """Both halves begin; an extension that does not exist ends them at once."""
        pair, one, two = self._pair, self._one, self._two
        pair.begin()
        if pair.called_context != CHECK or self._called not in _CALLED:
            self._forget()
            pair.refuse()
            return
        if self._called == "s":
            pair.answer(SCREEN, "s", ANSWER)
        else:
            pair.answer(CHECK, self._called, 1)
        one.at(CHECK, pair.exten, 3)
        self._answered_at = two.answered_at = self._world.clock.now()
        if pair.exten == "tone":
            two.stream = tone_stream()
        self._after(TONE_S, self._tone_over)
        match self._called:
            case "s":
                self._after(FRAME_S, self._screen)  # Answer() waits for the first frame
            case "prompt":
                self._prompt()
            case "still":
                two.at(CHECK, "still", 2)
            case _:
                two.at(CHECK, "tone", 3)

    # -- extensions of the check context --------------------------------------------------------------------------

    def _screen(self) -> None:
        two, events = self._two, self._world.events
        hearing = tone() if self._pair.exten == "tone" else SILENCE
        two.ear = TalkDetect(
            self._world.clock,
            hearing,
            self._answered_at,
            partial(events.talking_start, two),
            partial(events.talking_stop, two),
        )
        two.ear.set(ARMED, waiting=True)
        two.variables["CALLFLOW_RESULT"] = "unavailable"
        two.at(SCREEN, "s", AGI)
        arguments = "check", "1", self._pair.variables.get("CALLFLOW_CHECK", "")
        self._agi = self._world.run_agi(
            two, arguments, self._screened, lambda prompt: None, lambda state: None, self._tone_over
        )

    def _screened(self, status: str) -> None:
        two, self._agi = self._two, None
        two.variables["AGISTATUS"] = status
        if two.ear is not None:
            two.ear.remove()
        if self._over:
            self._hang_up_both(0)
            return
        result = two.variables["CALLFLOW_RESULT"]
        if result != "silent":
            two.at(CHECK, "s", 2)
            check = two.variables.get("CALLFLOW_CHECK", "")
            self._world.events.user_event(two, "CallflowCheck", Id=check, Agi=status, Result=result)
            two.priority = 3
        self._hang_up_both(16)

    def _prompt(self) -> None:
        two = self._two
        two.at(CHECK, "prompt", 3)
        if self._world.sounds.samples(two.variables.get("CALLFLOW_PROMPT", "")) is None:
            self._after(SETTLE_S, self._prompt_missing)
        else:
            self._after(PROMPT_S, self._hang_up_both, 0)

    def _prompt_missing(self) -> None:
        two = self._two
        two.priority = 5
        prompt = two.variables.get("CALLFLOW_PROMPT", "")
        self._world.events.user_event(two, "CallflowPromptMissing", Prompt=prompt)
        two.priority = 6
        self._hang_up_both(16)

    # -- the end --------------------------------------------------------------------------------------------------

    def _tone_over(self) -> None:
        """The half with the tone hangs up; a script on the other half is told."""
        if self._over:
            return
        self._over = True
        if self._agi is not None:
            self._world.events.hangup_request(self._two, 16)
            self._agi.hang_up()
        else:
            self._hang_up_both(16)

    def _hang_up_both(self, cause: int) -> None:
        self._forget()
        self._pair.hang_up(self._two, cause)

    def _forget(self) -> None:
        self._over = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _after(self, delay_s: float, do: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._world.later(delay_s, do, *arguments))

    # -- what AMI does to it --------------------------------------------------------------------------------------

    def stop_playback(self) -> None:
        if self._agi is not None:
            self._agi.stop_playback()

    def soft_hangup(self, cause: int | None) -> None:
        self._tone_over()

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        return False
