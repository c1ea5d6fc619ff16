"""A caller and an agent who talk: their bridge, a hold, and how long it lasts."""

import asyncio
from collections.abc import Callable
from math import inf

from callflow.scenarios.scenario import AgentGroup
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.events import Bridge
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
        self._world, self._caller, self._agent, self._agents = world, caller, agent, agents
        self._enter, self._on_agent_leaves = enter, on_agent_leaves
        self._bridge = Bridge(world.switch.uuid())
        self._timers: list[asyncio.TimerHandle] = []

    def start(self) -> None:
        """Both enter the bridge, the agent first."""
        events, agents = self._world.events, self._agents
        events.bridge_create(self._bridge)
        events.bridge_enter(self._bridge, self._agent)
        events.bridge_enter(self._bridge, self._caller)
        self._enter("talking")
        if agents.does == "hold":
            self._after(agents.hold_after_s, self._hold)
        if agents.talk_s < inf:
            self._after(agents.talk_s, self._on_agent_leaves)

    def end(self, first: Channel, second: Channel) -> None:
        """Both leave; without an audio hook on the caller's channel the bridge has become native."""
        self.forget()
        events, bridge, ear = self._world.events, self._bridge, self._caller.ear
        if (ear is None or not ear.armed) and not self._caller.spies:
            bridge.technology = "native_rtp"
        events.bridge_leave(bridge, first)
        events.bridge_leave(bridge, second)
        events.bridge_destroy(bridge)

    def forget(self) -> None:
        """Cancel everything that is scheduled."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _hold(self) -> None:
        self._world.events.hold(self._agent)
        self._enter("on hold")
        self._after(self._agents.hold_s, self._unhold)

    def _unhold(self) -> None:
        self._world.events.unhold(self._agent)
        self._enter("talking")

    def _after(self, delay_s: float, do: Callable[[], None]) -> None:
        self._timers.append(self._world.later(delay_s, do))
