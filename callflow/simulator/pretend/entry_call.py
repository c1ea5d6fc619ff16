"""A caller whose whole call is run by a dialplan of the scenario's own."""

import asyncio
from functools import partial
from math import inf

from callflow.scenarios.schedule import PlannedCall
from callflow.simulator.pretend import keys
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.ending import bye, run_to_end
from callflow.simulator.pretend.incoming import CONTEXT, incoming_channel, listen
from callflow.simulator.pretend.program.program import Program
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.script import Script
from callflow.simulator.pretend.world import World

_PATIENCE_S = 60.0
"""A caller whom nobody answers gives up."""


class EntryCall:
    """From the INVITE to the Hangup; what the caller does counts from the answer."""

    def __init__(self, world: World, planned: PlannedCall, script: Script) -> None:
        self._world, self._planned, self._script = world, planned, script
        self.channel = incoming_channel(world, planned, script)
        self.outcome = Outcome(
            number=planned.number, caller=planned.caller.name, index=planned.index, uniqueid=self.channel.uniqueid
        )
        hear = partial(self.outcome.hear, began_at=world.began_at)
        self._program = Program(world, self.channel, hear)
        self._program.on_state, self._program.on_agent = self.enter, self._agent
        world.hearers[self.channel.uniqueid] = hear
        self._state = ""
        self._on_prompt = list(script.on_prompt)
        self._timers: list[asyncio.TimerHandle] = []

    def place(self) -> None:
        """The INVITE has come in."""
        world, channel = self._world, self.channel
        world.placed += 1
        self.outcome.placed_s = world.now_s()
        self.enter("arriving")
        world.events.newchannel(channel)
        channel.language = self._planned.caller.language
        channel.on_answer = self._answered
        self._timers.append(world.later(_PATIENCE_S, self._leave))
        world.spawn(self._run())

    async def _run(self) -> None:
        program, channel, world = self._program, self.channel, self._world
        await run_to_end(program, CONTEXT, self._planned.caller.entry)
        world.events.hangup(channel, program.cause)
        self.outcome.result = channel.variables.get("CALLFLOW_RESULT")
        self._end()

    def _answered(self) -> None:
        world, channel, script = self._world, self.channel, self._script
        self.outcome.answered_s = world.now_s()
        if script.life_s is not None:
            self.outcome.life_s = self.outcome.answered_s + script.life_s
        listen(world, channel, script, world.clock.now())
        self._forget()
        if script.leaves_s < inf:
            self._timers.append(world.later(script.leaves_s, self._leave))
        self._timers += [world.later(at_s, keys.press, world, channel, key) for at_s, key in script.keys]

    def _agent(self, agent: Channel) -> None:
        self.outcome.agent = True
        self.outcome.agent_answered_s = self._world.now_s()

    def _leave(self) -> None:
        if self.channel.alive and not self._program.gone:
            self.outcome.ended_by = "caller"
            bye(self._world, self.channel)

    def enter(self, state: str) -> None:
        """Enter this state; "": none any more."""
        if state != self._state:
            self._world.moved(self._state, state)
            self._state = state
            self._hears(state)

    def _hears(self, prompt: str) -> None:
        """What the caller does when this prompt is played, once."""
        world = self._world
        for action in [action for action in self._on_prompt if action[0] == prompt]:
            self._on_prompt.remove(action)
            _, delay_s, key = action
            do = self._leave if key is None else partial(keys.press, world, self.channel, key)
            self._timers.append(world.later(delay_s, do))

    def lost(self) -> None:
        """Asterisk died during this call: no event tells of its end."""
        self._program.forget()
        self.outcome.result = None
        self._end()

    def _end(self) -> None:
        self._forget()
        self._world.hearers.pop(self.channel.uniqueid, None)
        self._world.switch.gone(self.channel)
        self.enter("")
        self._world.ended += 1
        self.outcome.ended_s = self._world.now_s()
        self._world.on_outcome(self.outcome)

    def _forget(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
