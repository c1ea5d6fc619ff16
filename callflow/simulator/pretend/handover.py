"""What happens to a caller who goes on: Dial or Queue, and the agents' phones."""

import asyncio
from collections.abc import Callable
from math import inf

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.events import Bridge
from callflow.simulator.pretend.flavour import DOWN, RINGING, UP
from callflow.simulator.pretend.member import MEMBER, QUEUE
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.world import LOOPBACK, World
from callflow.simulator.scenario import AgentGroup

TIMEOUT_S = 30.0
RETRY_S = 5.0
BUSY = 17
_MEMBER = {"Queue": QUEUE, "Interface": MEMBER, "MemberName": MEMBER}


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
        self._bridge: Bridge | None = None
        self._queue = False
        self._timers: list[asyncio.TimerHandle] = []
        self._began = self._rang = self._met = 0

    def start(self, *, queue: bool) -> None:
        """Enter the application."""
        self._queue = queue
        caller, world, address = self._caller, self._world, f"{LOOPBACK}:{self._world.places.agent_port}"
        self._began = int(world.clock.wall())
        if queue:
            caller.application, caller.data = "Queue", f"{QUEUE},,,,30"
            waiting = world.member.waiting
            waiting[caller.uniqueid] = None
            world.events.queue_caller("QueueCallerJoin", caller, Position=len(waiting), Count=len(waiting))
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
        self._rang = int(world.clock.wall())
        if self._queue:
            self._offer_by_queue(agent)
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
            events.dial("DialState", caller, agent, DialStatus="RINGING")
            self._world.member.ring(1)
            self._world.member.tell()

    def _offer_by_queue(self, agent: Channel) -> None:
        """A phone that is quick rings before the queue has said that it calls it: both orders are seen."""
        caller, events = self._caller, self._world.events
        events.new_callerid(agent)
        self._introduce(agent)
        early = self._rings() and self._world.chance.random() < 0.5
        if early:
            events.newstate(agent, RINGING)
            events.new_connected_line(agent)
        events.dial("AgentCalled", caller, agent, **_MEMBER)
        events.dial("DialBegin", caller, agent, DialString=MEMBER)
        if self._rings():
            if not early:
                events.newstate(agent, RINGING)
                events.new_connected_line(agent)
            events.dial("DialState", caller, agent, DialStatus="RINGING")
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
        rang_ms = 1000 * (int(self._world.clock.wall()) - self._rang)
        events.dial("AgentRingNoAnswer", caller, agent, **_MEMBER, RingTime=str(rang_ms))
        self._agent_gone(cause)
        self._enter("queued")
        self._after(RETRY_S, self._offer)

    def _timed_out(self) -> None:
        """Nobody has answered in 30 s."""
        if self._bridge is not None:
            return
        caller, agent, events = self._caller, self.agent, self._world.events
        if agent is not None:
            if self._queue:
                rang_ms = 1000 * (int(self._world.clock.wall()) - self._rang)
                events.dial("AgentRingNoAnswer", caller, agent, **_MEMBER, RingTime=str(rang_ms))
            events.dial("DialEnd", caller, agent, DialStatus="NOANSWER")
            if self._queue:
                events.dial("DialEnd", caller, agent, DialStatus="CANCEL")
        if self._queue:
            self._abandon()
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
        self._met = int(world.clock.wall())
        if not self._queue:
            agent.exten = ""
        events.dial("DialEnd", caller, agent, DialStatus="ANSWER")
        if self._queue:
            self._connect_from_queue(agent)
        bridge = self._bridge = Bridge(world.switch.uuid())
        events.bridge_create(bridge)
        events.bridge_enter(bridge, agent)
        events.bridge_enter(bridge, caller)
        world.member.tell()
        self._outcome.agent = True
        self._outcome.agent_answered_s = world.now_s()
        self._enter("talking")
        self._plan_talk()

    def _plan_talk(self) -> None:
        agents = self._agents
        if agents.does == "hold":
            self._after(agents.hold_after_s, self._hold)
        if agents.talk_s < inf:
            self._after(agents.talk_s, self._agent_leaves)

    def _connect_from_queue(self, agent: Channel) -> None:
        caller, world, events = self._caller, self._world, self._world.events
        caller.connected_number = caller.exten
        events.new_connected_line(caller)
        self._leave_queue()
        world.member.in_call += 1
        held, rang = self._met - self._began, self._met - self._rang
        events.dial("AgentConnect", caller, agent, **_MEMBER, HoldTime=str(held), RingTime=str(rang))

    def _hold(self) -> None:
        if self.agent is not None:
            self._world.events.hold(self.agent)
            self._enter("on hold")
            self._after(self._agents.hold_s, self._unhold)

    def _unhold(self) -> None:
        if self.agent is not None:
            self._world.events.unhold(self.agent)
            self._enter("talking")

    # -- the end --------------------------------------------------------------------------------------------------

    def _agent_leaves(self) -> None:
        if self.agent is not None:
            self._world.events.hangup_request(self.agent, self._bye_cause())
            self._part(self.agent, self._caller, "agent")

    def caller_left(self) -> None:
        """BYE from the caller."""
        flavour = self._world.flavour
        if self._bridge is not None and self.agent is not None:
            self._world.events.hangup_request(self._caller, self._bye_cause())
            self._part(self._caller, self.agent, "caller")
            return
        self._world.events.hangup_request(self._caller, 16 if flavour.bye_sets_cause else None)
        self._give_up(16 if flavour.bye_sets_cause else 0)

    def hung_up(self) -> None:
        """The caller's channel was hung up from inside."""
        if self._bridge is not None and self.agent is not None:
            self._part(self._caller, self.agent, "caller")
        else:
            self._give_up(0)

    def _give_up(self, cause: int) -> None:
        """The caller has gone before anybody answered."""
        if self.agent is not None:
            for _ in range(2 if self._queue else 1):
                self._world.events.dial("DialEnd", self._caller, self.agent, DialStatus="CANCEL")
        if self._queue:
            self._abandon()
        self._agent_gone(0 if self._queue else 16)
        self._end(cause, went_on=False)

    def _part(self, first: Channel, second: Channel, reason: str) -> None:
        """One of two who talked has gone."""
        world, events, bridge = self._world, self._world.events, self._bridge
        assert bridge is not None
        assert self.agent is not None
        if self._queue:
            held, talked = self._met - self._began, int(world.clock.wall()) - self._met
            told = {"HoldTime": str(held), "TalkTime": str(talked), "Reason": reason}
            events.dial("AgentComplete", self._caller, self.agent, **_MEMBER, **told)
            world.member.completed_call()
        events.bridge_leave(bridge, first)
        events.bridge_leave(bridge, second)
        events.bridge_destroy(bridge)
        self._agent_gone(16)
        self._end(16, went_on=False)

    def _abandon(self) -> None:
        held = int(self._world.clock.wall()) - self._began
        place = self._place()
        self._world.member.abandoned += 1
        self._world.events.queue_caller(
            "QueueCallerAbandon", self._caller, Position=place, OriginalPosition=place, HoldTime=held
        )
        self._leave_queue()

    def _leave_queue(self) -> None:
        place, waiting = self._place(), self._world.member.waiting
        waiting.pop(self._caller.uniqueid, None)
        self._world.events.queue_caller("QueueCallerLeave", self._caller, Position=place, Count=len(waiting))

    def _place(self) -> int:
        waiting = list(self._world.member.waiting)
        return waiting.index(self._caller.uniqueid) + 1 if self._caller.uniqueid in waiting else 1

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
        """Nothing more happens here."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _end(self, cause: int, *, went_on: bool) -> None:
        self.forget()
        self._on_end(cause, went_on)

    def _bye_cause(self) -> int | None:
        """Named in HangupRequest by one release for parties of Dial, by the other for those of Queue (seen)."""
        return 16 if self._queue != self._world.flavour.dialled_bye_has_cause else None

    def _after(self, delay_s: float, do: Callable[..., None], *arguments: object) -> None:
        self._timers.append(self._world.later(delay_s, do, *arguments))
