"""A caller and an agent of a scenario who talk: how long, and a hold."""

import asyncio
from collections.abc import Callable
from math import inf

from callflow.scenarios.scenario import AgentGroup
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.program.conversation import Conversation
from callflow.simulator.pretend.stream import Stream
from callflow.simulator.pretend.talk_detect import SILENCE, TalkDetect
from callflow.simulator.pretend.world import World


class Talk:
    """The bridge of two; `on_agent_leaves` is called when the agent hangs up."""

    def __init__(
        self,
        world: World,
        caller: Channel,
        agent: Channel,
        agents: AgentGroup,
        enter: Callable[[str], None],
        on_agent_leaves: Callable[[], None],
    ) -> None:
        self._world, self._agent, self._agents = world, agent, agents
        self._enter, self._on_agent_leaves = enter, on_agent_leaves
        self.conversation = Conversation(world, caller, agent)
        self._timers: list[asyncio.TimerHandle] = []

    def start(self) -> None:
        """Both enter the bridge, the agent first, whose phone sends silence."""
        agents, agent, events, clock = self._agents, self._agent, self._world.events, self._world.clock
        agent.answered_at, agent.stream = clock.now(), Stream(0.0, inf)
        agent.ear = TalkDetect(
            clock,
            SILENCE,
            agent.answered_at,
            lambda: events.talking_start(agent),
            lambda duration_ms: events.talking_stop(agent, duration_ms),
        )
        self.conversation.start()
        self._enter("talking")
        if agents.does == "hold":
            self._after(agents.hold_after_s, self._hold)
        if agents.talk_s < inf:
            self._after(agents.talk_s, self._on_agent_leaves)

    def end(self, first: Channel, second: Channel, close: Callable[[int], None] | None = None) -> None:
        """Both leave; `close` hangs up what is left before the bridge is gone."""
        self.forget()
        self.conversation.end(first)
        if close is not None:
            close(16)
        self.conversation.close()

    def forget(self) -> None:
        """Cancel everything that is scheduled."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _hold(self) -> None:
        self.conversation.hold(self._agent)
        self._enter("on hold")
        self._after(self._agents.hold_s, self._unhold)

    def _unhold(self) -> None:
        self.conversation.resume(self._agent)
        self._enter("talking")

    def _after(self, delay_s: float, do: Callable[[], None]) -> None:
        self._timers.append(self._world.later(delay_s, do))
