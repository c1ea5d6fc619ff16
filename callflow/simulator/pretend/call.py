"""One caller's call, from its first event to its last: our dialplan include, and the lab's context around it."""

import asyncio
from collections.abc import Callable
from functools import partial
from math import inf

from callflow.scenarios.scenario import AgentGroup
from callflow.scenarios.schedule import PlannedCall
from callflow.simulator.pretend.agi_client import AgiCall
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.ending import bye, run_to_end
from callflow.simulator.pretend.handover import Handover
from callflow.simulator.pretend.incoming import CONTEXT, Keypad, incoming_channel, listen, tell_lab
from callflow.simulator.pretend.noting import begin_screening, note_unless_known
from callflow.simulator.pretend.program.program import Program
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.script import Script
from callflow.simulator.pretend.world import World

SCREEN = "callflow-screen"
ANSWER, AGI, END = 6, 8, 13
"""Priorities of callflow-screen,s; tests hold them to dialplan/callflow.conf."""
ARMED = "160,256"
FAX_WAIT_S = 1.0


class Call:
    """The dialplan of one caller's channel; owns its timers."""

    def __init__(self, world: World, planned: PlannedCall, script: Script, agents: AgentGroup) -> None:
        self._world, self._planned, self._script, self._agents = world, planned, script, agents
        caller = planned.caller
        self._entry = caller.entry
        self._first = 2 if caller.route == "deaf" else 1  # a deaf entry has one step more in front
        self.channel = incoming_channel(world, planned, script)
        self.channel.owner = self
        self.outcome = Outcome(
            number=planned.number, caller=caller.name, index=planned.index, uniqueid=self.channel.uniqueid
        )
        self._state = ""
        self._agi: AgiCall | None = None
        self._handover: Handover | None = None
        self._timers: list[asyncio.TimerHandle] = []
        self._answered_at = 0.0
        self._gone = False
        self._taken: str | None = None
        self._moved_to: tuple[str, str, int] | None = None
        self._program: Program | None = None
        self._at_end: Callable[[], None] = lambda: None
        self._cause = 16

    # -- the dialplan ---------------------------------------------------------------------------------------------

    def place(self) -> None:
        """The INVITE has come in."""
        world, channel, script = self._world, self.channel, self._script
        world.placed += 1
        self.outcome.placed_s = world.now_s()
        self.enter("arriving")
        world.events.newchannel(channel)
        channel.language = self._planned.caller.language
        begin_screening(world, channel, self._planned.caller.profile)
        channel.at(SCREEN, "s", ANSWER)
        world.events.answered(channel)
        self._answered_at = world.clock.now()
        self.outcome.answered_s = world.now_s()
        if script.life_s is not None:
            self.outcome.life_s = self.outcome.answered_s + script.life_s
        listen(world, channel, script, self._answered_at)
        self._world.hearers[channel.uniqueid] = partial(self.outcome.hear, began_at=world.began_at)
        self._plan()
        if script.first_rtp_s > 0:
            self._after(script.first_rtp_s, self._screen)
        else:
            self._screen()

    def _plan(self) -> None:
        """Schedule the caller's actions."""
        script = self._script
        if script.leaves_s < inf:
            self._after(script.leaves_s, self._leave)
        for at_s, key in script.keys:
            self._after(at_s, self._press, key)
        if script.fax_s is not None:
            self._after(script.fax_s, self._fax_heard)

    def _screen(self) -> None:
        """Run TALK_DETECT and AGI; without a daemon the call goes on unscreened."""
        if self._gone:
            return
        channel = self.channel
        if channel.ear is not None:
            channel.ear.set(ARMED, waiting=True)
        channel.at(SCREEN, "s", AGI)
        port = self._world.places.nobody_port if self._planned.caller.route == "deaf" else None
        arguments = self._planned.caller.profile, "1", ""
        self._agi = self._world.run_agi(
            channel,
            arguments,
            self._screened,
            partial(self.outcome.hear, began_at=self._world.began_at),
            self.enter,
            lambda: self.soft_hangup(None),
            port,
        )

    def _screened(self, agi_status: str) -> None:
        """AGI has ended: go on in the dialplan."""
        channel, world = self.channel, self._world
        self._agi = None
        channel.variables["AGISTATUS"] = self.outcome.agi_status = agi_status
        self.outcome.screened_s = world.now_s()
        if self._gone:
            self._note_result()
            self._over()
            return
        if self._taken is not None:
            self._to_fax()
            return
        if self._moved_to is not None:
            self._note_result()
            self._go_on()
            return
        result = self._note_result()
        if result != "observed" and channel.ear is not None:
            channel.ear.remove()
        if result in ("silent", "quiet"):
            channel.at(SCREEN, "s", END)
            self._over()
            return
        if result == "unavailable":
            note_unless_known(world, channel)
        self._pass_on()

    def _note_result(self) -> str:
        result = self.channel.variables.get("CALLFLOW_RESULT", "unavailable")
        self.outcome.result = result
        return result

    def _pass_on(self) -> None:
        """Go on in the caller's own context."""
        channel = self.channel
        channel.at(CONTEXT, self._entry, self._first + 2)
        tell_lab(self._world, self.channel, "LabResult")
        channel.at(CONTEXT, self._entry, self._first + 3)
        self._handover = Handover(self._world, channel, self._agents, self.outcome, self.enter, self._passed)
        self._handover.start(queue=self._planned.caller.route == "queue")

    def _passed(self, cause: int, went_on: bool) -> None:
        """Dial or Queue is over; `went_on`: the dialplan has reached its next step, Hangup."""
        if went_on:
            self.channel.priority += 1
        self._handover = None
        self._cause = cause
        self._over()

    def _to_fax(self) -> None:
        """A fax tone (`fax` of our context) or a redirect has taken the call to `fax` of the caller's context."""
        channel = self.channel
        if self._taken == "tone":
            channel.variables["CALLFLOW_RESULT"] = "taken"
            if channel.ear is not None:
                channel.ear.remove()
        self._note_result()
        channel.at(CONTEXT, "fax", 1)
        self.outcome.traces.append("fax")
        tell_lab(self._world, self.channel, "LabFax")
        channel.at(CONTEXT, "fax", 3)
        self.enter("leaving")
        self._after(FAX_WAIT_S, self._over)

    def _go_on(self) -> None:
        """AMI has redirected the call: the dialplan goes on there."""
        self._program = Program(self._world, self.channel, partial(self.outcome.hear, began_at=self._world.began_at))
        self._program.on_state = self.enter
        if self._moved_to is not None:
            self._world.spawn(self._run(self._program, *self._moved_to))

    async def _run(self, program: Program, context: str, exten: str, priority: int) -> None:
        await run_to_end(program, context, exten, priority)
        self.enter("leaving")
        self._at_end()
        self._world.events.hangup(self.channel, program.cause)
        self._end()

    def _over(self) -> None:
        """Hang up: run `h`, and end."""
        channel, events = self.channel, self._world.events
        self.enter("leaving")
        events.soft_hangup_request(channel)
        variables = channel.variables
        if channel.context == SCREEN and variables.get("CALLFLOW_RESULT") == "unavailable":
            variables["CALLFLOW_RESULT"] = self.outcome.result = "hangup"
            note_unless_known(self._world, channel)
        channel.at(CONTEXT, "h", 1)
        self.outcome.traces.append("h")
        tell_lab(self._world, self.channel, "LabH")
        channel.priority = 2
        events.hangup(channel, self._cause)
        self._end()

    def _end(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._world.hearers.pop(self.channel.uniqueid, None)
        self._world.switch.gone(self.channel)
        self.enter("")
        self._world.ended += 1
        self.outcome.ended_s = self._world.now_s()
        self._world.on_outcome(self.outcome)

    def lost(self) -> None:
        """Asterisk died during this call: no event tells of its end."""
        self._gone = True
        self._agi = None
        if self._program is not None:
            self._program.forget()
        if self._handover is not None:
            self._handover.forget()
        self.outcome.result = None
        self.outcome.ended_by = "asterisk"
        self._end()

    # -- what the caller does -------------------------------------------------------------------------------------

    def _leave(self) -> None:
        """BYE from the caller."""
        if self._gone:
            return
        self._gone = self._program is None
        self.outcome.ended_by = "caller"
        if self._program is not None:
            bye(self._world, self.channel)
            return
        if self._handover is not None:
            self._handover.caller_left()
            return
        flavour = self._world.flavour
        self._cause = 16 if flavour.bye_sets_cause else 0
        self._world.events.hangup_request(self.channel, 16 if flavour.bye_sets_cause else None)
        self._cut_short()

    def _press(self, key: str) -> None:
        if not self._gone:
            keypad = Keypad(self._world, self.channel, self._after, self._in_prompt, self._ringing_agent)
            keypad.press(key)

    def _in_prompt(self) -> bool:
        return self._agi is not None and self._agi.playing

    def _ringing_agent(self) -> Channel | None:
        return self._handover.agent if self._handover is not None else None

    def _fax_heard(self) -> None:
        if self._agi is not None and not self._gone:
            self._taken = "tone"
            self._agi.hang_up()

    # -- what AMI and AGI do to it --------------------------------------------------------------------------------

    def stop_playback(self) -> None:
        if self._agi is not None:
            self._agi.stop_playback()

    def soft_hangup(self, cause: int | None) -> None:
        """Hang up from inside; None: no cause is given."""
        if self._gone:
            return
        self._gone = True
        if self._handover is not None:
            self._handover.hung_up()
            return
        self._cause = cause or 0
        self._cut_short()

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        if (context, exten) != (CONTEXT, "fax"):
            return self._move(context, exten, priority)
        if self._agi is not None and not self._gone:
            self._taken = "redirect"
            self._agi.hang_up()
        return True

    def _move(self, context: str, exten: str, priority: int) -> bool:
        if self._world.dialplan.step(context, exten, priority) is None:
            return False
        if self._gone or self._moved_to is not None:
            return True
        self._moved_to = (context, exten, priority)
        if self._agi is not None:
            self._agi.hang_up()
            return True
        self.channel.at(context, exten, priority)
        if self._handover is not None:
            self._at_end = self._handover.caller_taken()
            self._handover = None
        self._go_on()
        return True

    # -- state and end --------------------------------------------------------------------------------------------

    def enter(self, state: str) -> None:
        """Enter this state; "": none any more."""
        if state != self._state:
            self._world.moved(self._state, state)
            self._state = state

    def _cut_short(self) -> None:
        """End the channel where it is; a running script is told first, and ends the call."""
        if self._agi is not None:
            self._agi.hang_up()
            return
        self._over()

    def _after(self, delay_s: float, do: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._world.later(delay_s, do, *arguments))
