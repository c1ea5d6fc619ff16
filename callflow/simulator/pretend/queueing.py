"""One caller in the queue: the events of app_queue, with times in whole seconds of the wall clock."""

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.member import MEMBER, QUEUE
from callflow.simulator.pretend.world import World

_MEMBER = {"Queue": QUEUE, "Interface": MEMBER, "MemberName": MEMBER}


class QueueEntry:
    """From QueueCallerJoin to QueueCallerLeave, and the agents' part of it."""

    def __init__(self, world: World, caller: Channel) -> None:
        self._world, self._caller = world, caller
        self._joined = self._rang = self._met = self._second()

    def join(self) -> None:
        """The caller enters the queue, last of all."""
        caller, waiting = self._caller, self._world.member.waiting
        caller.application, caller.data = "Queue", f"{QUEUE},,,,30"
        waiting[caller.uniqueid] = None
        self._world.events.queue_caller("QueueCallerJoin", caller, Position=len(waiting), Count=len(waiting))

    def called(self, agent: Channel) -> None:
        """A member's phone is called."""
        self._rang = self._second()
        self._world.events.dial("AgentCalled", self._caller, agent, **_MEMBER)

    def no_answer(self, agent: Channel) -> None:
        """The phone was not answered, or refused; RingTime is in milliseconds, but of whole seconds."""
        rang_ms = 1000 * (self._second() - self._rang)
        self._world.events.dial("AgentRingNoAnswer", self._caller, agent, **_MEMBER, RingTime=str(rang_ms))

    def connect(self, agent: Channel) -> None:
        """The caller leaves the queue for an agent who has answered."""
        caller, world = self._caller, self._world
        self._met = self._second()
        caller.connected_number = caller.exten
        world.events.new_connected_line(caller)
        self.leave()
        world.member.in_call += 1
        held, rang = str(self._met - self._joined), str(self._met - self._rang)
        world.events.dial("AgentConnect", caller, agent, **_MEMBER, HoldTime=held, RingTime=rang)

    def complete(self, agent: Channel, reason: str) -> None:
        """The talk has ended; `reason` names who hung up: agent or caller."""
        held, talked = str(self._met - self._joined), str(self._second() - self._met)
        told = {"HoldTime": held, "TalkTime": talked, "Reason": reason}
        self._world.events.dial("AgentComplete", self._caller, agent, **_MEMBER, **told)
        self._world.member.completed_call()

    def complete_later(self, reason: str) -> None:
        """The talk has ended long ago: AMI took the caller away, whose call ends now."""
        held, talked = str(self._met - self._joined), str(self._second() - self._met)
        told = {"HoldTime": held, "TalkTime": talked, "Reason": reason}
        self._world.events.agent_complete(self._caller, **_MEMBER, **told)
        self._world.member.completed_call()

    def abandon(self) -> None:
        """The caller leaves without an agent; a time-out gives the same events."""
        member, place = self._world.member, self._place()
        member.abandoned += 1
        held = self._second() - self._joined
        told = {"Position": place, "OriginalPosition": place, "HoldTime": held}
        self._world.events.queue_caller("QueueCallerAbandon", self._caller, QUEUE, **told)
        self.leave()

    def leave(self) -> None:
        """Remove the caller from the queue."""
        place, waiting = self._place(), self._world.member.waiting
        waiting.pop(self._caller.uniqueid, None)
        self._world.events.queue_caller("QueueCallerLeave", self._caller, Position=place, Count=len(waiting))

    def _place(self) -> int:
        waiting = list(self._world.member.waiting)
        return waiting.index(self._caller.uniqueid) + 1 if self._caller.uniqueid in waiting else 1

    def _second(self) -> int:
        return int(self._world.clock.wall())
