"""A pure model of Asterisk and of a database, in which one attempt is dialled, cut and killed at any point."""

from collections import deque
from dataclasses import dataclass, field

from callflow.core.callbacks import signals
from callflow.core.callbacks.attempt import Attempt
from callflow.core.callbacks.dialling import Dialling
from callflow.core.callbacks.look import Look, MemberSeen, Plan
from callflow.core.callbacks.signals import Command, Signal

NUMBER = "13855550100"
PHONE = "PJSIP/8012"
MEMBER = MemberSeen("support", PHONE, PHONE, "8012", 1, False)
QUIET = Look((MEMBER,), (), ())
PLAN = Plan(NUMBER, "8012", False, 0, False)
RING_MS = 45_000


@dataclass
class World:
    """What outlives the daemon: the wire and the disk."""

    placed: list[str] = field(default_factory=list)
    """ChannelIds that were called, once for each INVITE to the agent."""
    channels: set[str] = field(default_factory=set)
    attempt: Attempt | None = None
    ends: list[Attempt] = field(default_factory=list)
    reached: list[Attempt] = field(default_factory=list)


class Life:
    """One life of the daemon: carries out commands, each giving the signal that the test chooses to let through."""

    def __init__(self, world: World, now_ms: int) -> None:
        self.world, self.now_ms = world, now_ms
        attempt = world.attempt or Attempt("cb-1", "cb-0", "8012", PHONE, "boss", "agent", now_ms)
        self.dialling = Dialling(attempt, PLAN, RING_MS)
        self.commands: deque[Command] = deque()
        if world.attempt is None:
            self.take(self.dialling.begin(now_ms))
        elif world.attempt.ended_ms is None:
            self.take(self.dialling.resume(now_ms, link_up=True))

    def take(self, commands: list[Command]) -> None:
        self.commands.extend(commands)

    def tell(self, signal: Signal) -> None:
        self.take(self.dialling.receive(signal, self.now_ms))

    def pass_time(self) -> bool:
        """On to the next deadline; False if there is none."""
        due_ms = self.dialling.next_deadline()
        if due_ms is None:
            return False
        self.now_ms = max(self.now_ms, due_ms)
        self.take(self.dialling.expire(self.now_ms))
        return True

    def act(self, *, lost: bool = False, fails: bool = False) -> Signal | None:
        """Carry out the next command; the answer is lost, or says that it failed."""
        answer = self._act(self.commands.popleft(), fails=fails)
        if answer is not None and not lost:
            self.tell(answer)
        return answer

    def _act(self, command: Command, *, fails: bool) -> Signal | None:
        world = self.world
        match command:
            case signals.TakeLook():
                return signals.Failed("no answer") if fails else signals.Looked(QUIET)
            case signals.SaveClaim(attempt) | signals.SavePlacing(attempt):
                if fails:
                    return signals.Failed("the disk is full")
                world.attempt = attempt
                return signals.Saved()
            case signals.Pause():
                return signals.Failed("no answer") if fails else signals.Paused()
            case signals.Place(attempt):
                if fails:
                    return signals.OriginateRefused("no such extension")
                world.placed.append(attempt.attempt_id)
                world.channels.add(attempt.attempt_id)
                return signals.OriginateTaken()
            case signals.AskForChannel(attempt_id):
                return signals.ChannelFound() if attempt_id in world.channels else signals.ChannelGone()
            case signals.SaveReached(attempt):
                world.attempt = attempt
                world.reached.append(attempt)
            case signals.SaveEnd(attempt):
                world.attempt = attempt
                world.ends.append(attempt)
        return None
