"""The caller after the screening: Dial or Queue, and the agents' phones."""

import asyncio
from collections.abc import Callable

from callflow.scenarios.scenario import AgentGroup
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.flavour import DOWN, RINGING, UP
from callflow.simulator.pretend.member import MEMBER
from callflow.simulator.pretend.queueing import QueueEntry
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.talking import Talk
from callflow.simulator.pretend.world import LOOPBACK, World

TIMEOUT_S = 30.0
RETRY_S = 5.0
BUSY = 17


class Handover:
    """One caller in Dial or Queue. `on_end(cause, went_on)` is called once, when the application has ended."""

    def __init__(
        self,
        world: World,
        caller: Channel,
        agents: AgentGroup,
        outcome: Outcome,
        enter: Callable[[str], None],
        on_end: Callable[[int, bool], None],
    ) -> None:
        self._world, self._caller, self._agents, self._outcome = world, caller, agents, outcome
        self._enter, self._on_end = enter, on_end
        self.agent: Channel | None = None
        self._talk: Talk | None = None
        self._queue: QueueEntry | None = None
        self._timers: list[asyncio.TimerHandle] = []

    def start(self, *, queue: bool) -> None:
        """Enter the application."""
        caller, world, address = self._caller, self._world, f"{LOOPBACK}:{self._world.places.agent_port}"
        if queue:
            self._queue = QueueEntry(world, caller)
            self._queue.join()
        else:
            caller.application, caller.data = "Dial", f"{MEMBER}/sip:{caller.caller_number}@{address},30"
        self._after(TIMEOUT_S, self._timed_out)
        self._offer()

    # -- ringing --------------------------------------------------------------------------------------------------

    def _offer(self) -> None:
        """An agent's phone is called."""
        caller, world = self._caller, self._world
        agent = self.agent = world.switch.new_pjsip("agent", "nowhere", "s", caller)
        agent.application, agent.data = ("AppQueue" if self._queue else "AppDial"), "(Outgoing Line)"
        agent.owner = caller.owner
        world.events.newchannel(agent)
        agent.caller_number = caller.exten
        if self._queue:
            self._offer_by_queue(agent, self._queue)
        else:
            self._offer_by_dial(agent)
        if self._outcome.agent_rang_s is None:
            self._outcome.agent_rang_s = world.now_s()
        self._enter("ringing")
        match self._agents.does:
            case "answer" | "hold":
                self._after(self._agents.rings_for_s, self._answer)
            case "reject":
                self._after(self._agents.rings_for_s, self._refuse, BUSY)
            case "forward":
                self._after(self._agents.rings_for_s, self._refuse, world.flavour.redirected_cause)

    def _offer_by_dial(self, agent: Channel) -> None:
        caller, events = self._caller, self._world.events
        self._introduce(agent)
        events.new_callerid(agent)
        events.new_connected_line(agent)
        target = f"{caller.caller_number}@{LOOPBACK}:{self._world.places.agent_port}"
        events.dial("DialBegin", caller, agent, DialString=f"agent/sip:{target}")
        caller.connected_number = caller.exten
        events.new_connected_line(caller)
        if self._rings():
            events.newstate(agent, RINGING)
            self._ringing(agent)

    def _offer_by_queue(self, agent: Channel, queue: QueueEntry) -> None:
        """A quick phone rings before AgentCalled or after it: both orders occur.

        A slow one is still without a name in DialBegin, though not in AgentCalled.
        """
        caller, events = self._caller, self._world.events
        events.new_callerid(agent)
        self._introduce(agent)
        early = self._rings() and self._world.chance.random() < 0.5
        if early:
            events.newstate(agent, RINGING)
            events.new_connected_line(agent)
        queue.called(agent)
        if not early:
            agent.exten, agent.connected_number, agent.connected_name = "s", "", ""
        events.dial("DialBegin", caller, agent, DialString=MEMBER)
        if self._rings():
            self._introduce(agent)
            if not early:
                events.newstate(agent, RINGING)
                events.new_connected_line(agent)
            self._ringing(agent)

    def _ringing(self, agent: Channel) -> None:
        self._world.events.dial("DialState", self._caller, agent, DialStatus="RINGING")
        self._world.member.ring(1)
        self._world.member.tell()

    def _rings(self) -> bool:
        """A phone that forwards at once never rings."""
        return self._agents.does != "forward" or self._agents.rings_for_s > 0

    def _introduce(self, agent: Channel) -> None:
        agent.exten = self._caller.exten
        agent.connected_number, agent.connected_name = self._caller.caller_number, self._caller.caller_name

    def _refuse(self, cause: int) -> None:
        """486 or 302 from the agent's phone."""
        caller, agent, events = self._caller, self.agent, self._world.events
        if agent is None:
            return
        events.hangup_request(agent, cause)
        status = "NOANSWER" if self._queue or cause != BUSY else "BUSY"
        events.dial("DialEnd", caller, agent, DialStatus=status)
        if not self._queue:
            self._agent_gone(cause)
            self._end(cause, went_on=True)
            return
        self._introduce(agent)
        self._queue.no_answer(agent)
        self._agent_gone(cause)
        if not self._rings():
            events.new_connected_line(agent)
        self._enter("queued")
        self._after(RETRY_S, self._offer)

    def _timed_out(self) -> None:
        """No agent has answered in 30 s."""
        if self._talk is not None:
            return
        caller, agent, events = self._caller, self.agent, self._world.events
        if agent is not None:
            if self._queue:
                self._queue.no_answer(agent)
            events.dial("DialEnd", caller, agent, DialStatus="NOANSWER")
            if self._queue:
                events.dial("DialEnd", caller, agent, DialStatus="CANCEL")
        if self._queue:
            self._queue.abandon()
        self._agent_gone(0)
        self._end(16, went_on=True)

    # -- talking --------------------------------------------------------------------------------------------------

    def _answer(self) -> None:
        caller, agent, world, events = self._caller, self.agent, self._world, self._world.events
        if agent is None:
            return
        world.member.ring(-1)
        world.member.take(1)
        events.answered(agent)
        if not self._queue:
            agent.exten = ""
        events.dial("DialEnd", caller, agent, DialStatus="ANSWER")
        if self._queue:
            self._queue.connect(agent)
        self._talk = Talk(world, caller, agent, self._agents, self._enter, self._agent_leaves)
        self._talk.start()
        world.member.tell()
        self._outcome.agent = True
        self._outcome.agent_answered_s = world.now_s()

    # -- the end --------------------------------------------------------------------------------------------------

    def _agent_leaves(self) -> None:
        if self.agent is not None:
            self._world.events.hangup_request(self.agent, self._bye_cause())
            self._part(self.agent, self._caller, "agent")

    def caller_left(self) -> None:
        """BYE from the caller."""
        flavour = self._world.flavour
        if self._talk is not None and self.agent is not None:
            self._world.events.hangup_request(self._caller, self._bye_cause())
            self._part(self._caller, self.agent, "caller")
            return
        self._world.events.hangup_request(self._caller, 16 if flavour.bye_sets_cause else None)
        self._give_up(16 if flavour.bye_sets_cause else 0)

    def caller_taken(self) -> Callable[[], None]:
        """AMI has redirected the caller: the agent is free at once. Returns what reports the call's end."""
        queue, agent = self._queue, self.agent
        if self._talk is None or agent is None:
            self._release()
            return _nothing
        self._talk.end(self._caller, agent, close=self._agent_gone)
        self.forget()
        return (lambda: queue.complete_later("caller")) if queue else _nothing

    def _release(self) -> None:
        """The caller is taken elsewhere while waiting."""
        if self.agent is not None:
            for _ in range(2 if self._queue else 1):
                self._world.events.dial("DialEnd", self._caller, self.agent, DialStatus="CANCEL")
        if self._queue:
            self._queue.leave()
        self._agent_gone(0 if self._queue else 16)
        self.forget()

    def hung_up(self) -> None:
        """The caller's channel was hung up from inside."""
        if self._talk is not None and self.agent is not None:
            self._part(self._caller, self.agent, "caller")
        else:
            self._give_up(0)

    def _give_up(self, cause: int) -> None:
        """The caller has hung up before an agent answered."""
        if self.agent is not None:
            for _ in range(2 if self._queue else 1):
                self._world.events.dial("DialEnd", self._caller, self.agent, DialStatus="CANCEL")
        if self._queue:
            self._queue.abandon()
        self._agent_gone(0 if self._queue else 16)
        self._end(cause, went_on=False)

    def _part(self, first: Channel, second: Channel, reason: str) -> None:
        """The caller or the agent has left the talk."""
        if self._talk is None or self.agent is None:
            return
        if self._queue:
            self._queue.complete(self.agent, reason)
        self._talk.end(first, second)
        self._agent_gone(16)
        self._end(16, went_on=False)

    def _agent_gone(self, cause: int) -> None:
        agent, world = self.agent, self._world
        if agent is None:
            return
        self.agent = None
        world.member.ring(-(agent.state == RINGING))
        world.member.take(-(agent.state == UP))
        world.events.hangup(agent, cause)
        if agent.state != DOWN:
            world.member.tell()
        world.switch.gone(agent)

    def forget(self) -> None:
        """Cancel everything that is scheduled."""
        if self._talk is not None:
            self._talk.forget()
            self._talk = None
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _end(self, cause: int, *, went_on: bool) -> None:
        self.forget()
        self._on_end(cause, went_on)

    def _bye_cause(self) -> int | None:
        """Cause in HangupRequest: one release names it for parties of Dial, the other for those of Queue (measured)."""
        return 16 if bool(self._queue) != self._world.flavour.dialled_bye_has_cause else None

    def _after(self, delay_s: float, do: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._world.later(delay_s, do, *arguments))


def _nothing() -> None:
    """Report nothing."""
