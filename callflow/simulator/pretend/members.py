"""Queues whose members are the scenario's phones: who is free, who is paused, what AMI lists and reports."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from callflow.scenarios.phones import PhoneGroup
from callflow.simulator.pretend.channel import UNKNOWN, Channel
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.events import Events

_STATUS = {(False, False): 1, (False, True): 2, (True, False): 6, (True, True): 7}  # by ringing and in use
_ABSENT = 5


@dataclass
class Membership:
    """One interface in one queue."""

    queue: str
    interface: str
    login_time: int
    paused: bool = False
    reason: str = ""
    last_pause: int = 0
    last_call: int = 0
    calls_taken: int = 0
    in_call: bool = False


@dataclass
class Device:
    """What one phone is doing."""

    ringing: int = 0
    up: int = 0
    absent: bool = False
    told: int = 1

    @property
    def status(self) -> int:
        return _ABSENT if self.absent else _STATUS[self.ringing > 0, self.up > 0]


@dataclass
class Waiting:
    """One caller in a queue."""

    channel: Channel
    since: float
    priority: int = 0
    rung_for: bool = False
    """A member's phone rings for this caller."""


@dataclass
class Queue:
    """One queue; callers in order."""

    name: str
    members: list[Membership] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    completed: int = 0
    abandoned: int = 0
    turn: int = 0

    def place_for(self, priority: int, position: int) -> int:
        """Where a caller of this priority is put in, from 0; a `position`, from 1, is the last place for it."""
        for place, one in enumerate(self.waiting):
            if one.priority < priority or (one.priority == priority and 0 < position <= place + 1):
                return place
        return len(self.waiting)

    def place(self, channel: Channel) -> int:
        """Position of a caller, from 1."""
        return next((n for n, one in enumerate(self.waiting, 1) if one.channel is channel), 1)


class Members:
    """Every such queue and its members."""

    def __init__(self, clock: Clock, events: Events, groups: Iterable[PhoneGroup] = ()) -> None:
        self._clock, self._events, self._groups = clock, events, tuple(groups)
        self.queues: dict[str, Queue] = {}
        self.devices: dict[str, Device] = {}
        self.changed: list[object] = []
        self.reset()

    def reset(self) -> None:
        """As at the beginning."""
        self.queues.clear()
        self.devices.clear()
        now = int(self._clock.wall())
        for group in self._groups:
            for number in group.numbers:
                interface = f"PJSIP/{number}"
                self.devices.setdefault(interface, Device(absent=group.does == "absent"))
                for name in group.queues:
                    queue = self.queues.setdefault(name, Queue(name))
                    if interface not in (member.interface for member in queue.members):
                        queue.members.append(Membership(name, interface, now))

    # -- what phones do -------------------------------------------------------------------------------------------

    def rings(self, interface: str, by: int, *, tell: bool = True) -> None:
        """So many more calls ring at this phone."""
        if device := self.devices.get(interface):
            device.ringing += by
            if tell:
                self.tell(interface)

    def talks(self, interface: str, by: int, *, tell: bool = True) -> None:
        """So many more calls are up at this phone."""
        if device := self.devices.get(interface):
            device.up += by
            if tell:
                self.tell(interface)

    def tell(self, interface: str) -> None:
        """QueueMemberStatus in every queue of the phone, if its state has changed."""
        device = self.devices.get(interface)
        if device is None or device.status == device.told:
            return
        device.told = device.status
        for member in self._of(interface):
            self._events.queue_member_status(self._told(member))

    def is_turn(self, queue: Queue, waiting: Waiting) -> bool:
        """A free member is left for this caller: queues.conf has autofill = yes, and callers ahead are served first."""
        ahead = 0
        for one in queue.waiting:
            if one is waiting:
                return ahead < sum(self._is_free(member) for member in queue.members)
            ahead += not one.rung_for
        return False

    def free(self, queue: Queue) -> Membership | None:
        """The next member that may be rung, in round-robin order."""
        for number in range(len(queue.members)):
            member = queue.members[(queue.turn + number) % len(queue.members)]
            if self._is_free(member):
                queue.turn = (queue.turn + number + 1) % len(queue.members)
                return member
        return None

    def _is_free(self, member: Membership) -> bool:
        return not member.paused and self.devices[member.interface].status == 1

    # -- pausing --------------------------------------------------------------------------------------------------

    def get(self, data: str) -> str | None:
        """QUEUE_MEMBER(queue,paused,interface); None for another item or member."""
        queue, item, interface = (*data.split(","), "", "")[:3]
        found = [member for member in self._of(interface) if member.queue == queue]
        return str(int(found[0].paused)) if found and item == "paused" else None

    def set(self, data: str, value: str) -> bool:
        """Pause or resume in one queue, or in all with none named; False: no such member."""
        queue, item, interface = (*data.split(","), "", "")[:3]
        return item == "paused" and self.pause_all(queue, interface, value not in ("", "0"))

    def pause_all(self, queue: str, interface: str, paused: bool, reason: str = "") -> bool:
        """Pause or resume in one queue, or in all with none named; False: no such member."""
        found = [member for member in self._of(interface) if queue in ("", member.queue)]
        for member in found:
            self.pause(member, paused=paused, reason=reason if paused else "")
        return bool(found)

    def pause(self, member: Membership, *, paused: bool, reason: str = "") -> None:
        """Pause or resume one membership; a pause of a paused one wipes its reason."""
        member.paused, member.reason = paused, reason
        if paused:
            member.last_pause = int(self._clock.wall())
        self._events.queue_member_pause(self._told(member))

    def _of(self, interface: str) -> list[Membership]:
        return [member for queue in self.queues.values() for member in queue.members if member.interface == interface]

    # -- lists ----------------------------------------------------------------------------------------------------

    def listed(self, name: str) -> Iterable[str]:
        """The entries of QueueStatus for one queue, or for all with no name; each without its end."""
        now = self._clock.now()
        for queue in self.queues.values():
            if name not in ("", queue.name):
                continue
            yield (
                f"Event: QueueParams\r\nQueue: {queue.name}\r\nMax: 0\r\nStrategy: rrmemory\r\n"
                f"Calls: {len(queue.waiting)}\r\nHoldtime: 0\r\nTalkTime: 0\r\nCompleted: {queue.completed}\r\n"
                f"Abandoned: {queue.abandoned}\r\nServiceLevel: 0\r\nServicelevelPerf: 0.0\r\n"
                "ServicelevelPerf2: 0.0\r\nWeight: 0\r\n"
            )
            for member in queue.members:
                yield (
                    f"Event: QueueMember\r\nQueue: {queue.name}\r\nName: {member.interface}\r\n"
                    f"Location: {member.interface}\r\n{self._common(member)}PausedReason: {member.reason}\r\n"
                    "Wrapuptime: 0\r\n"
                )
            for place, one in enumerate(queue.waiting, 1):
                channel = one.channel
                yield (
                    f"Event: QueueEntry\r\nQueue: {queue.name}\r\nPosition: {place}\r\nChannel: {channel.name}\r\n"
                    f"Uniqueid: {channel.uniqueid}\r\nCallerIDNum: {channel.caller_number or UNKNOWN.strip('<>')}\r\n"
                    f"CallerIDName: {channel.caller_name or 'unknown'}\r\n"
                    f"ConnectedLineNum: {channel.connected_number or 'unknown'}\r\n"
                    f"ConnectedLineName: {channel.connected_name or 'unknown'}\r\nWait: {int(now - one.since)}\r\n"
                    f"Priority: {one.priority}\r\n"
                )

    def _told(self, member: Membership) -> str:
        return (
            f"Queue: {member.queue}\r\nMemberName: {member.interface}\r\nInterface: {member.interface}\r\n"
            f"{self._common(member)}PausedReason: {member.reason}\r\nRinginuse: 0\r\nWrapuptime: 0\r\n"
        )

    def _common(self, member: Membership) -> str:
        return (
            f"StateInterface: {member.interface}\r\nMembership: static\r\nPenalty: 0\r\n"
            f"CallsTaken: {member.calls_taken}\r\nLastCall: {member.last_call}\r\nLastPause: {member.last_pause}\r\n"
            f"LoginTime: {member.login_time}\r\nInCall: {int(member.in_call)}\r\n"
            f"Status: {self.devices[member.interface].status}\r\nPaused: {int(member.paused)}\r\n"
        )
