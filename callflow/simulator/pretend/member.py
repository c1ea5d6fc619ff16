"""The queue `lab` and its one member, PJSIP/agent: an endpoint that takes any number of calls at once."""

from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.events import Events

QUEUE, MEMBER = "lab", "PJSIP/agent"
_NOT_IN_USE = 1
_STATUS = {(False, False): _NOT_IN_USE, (False, True): 2, (True, False): 6, (True, True): 7}  # by ringing and in use


class Member:
    """Counts the agents' channels and reports changes of the device's state."""

    def __init__(self, clock: Clock, events: Events) -> None:
        self._clock, self._events = clock, events
        self.ringing = self.up = self.in_call = self.calls_taken = self.completed = self.abandoned = 0
        self.last_call = 0
        self.login_time = int(clock.wall())
        self.status = _NOT_IN_USE
        self.waiting: dict[str, None] = {}
        """Uniqueids of the callers in the queue, first come first."""

    def ring(self, by: int) -> None:
        """So many more phones ring (fewer, if negative)."""
        self.ringing += by

    def take(self, by: int) -> None:
        """So many more phones are in use."""
        self.up += by

    def tell(self) -> None:
        """QueueMemberStatus, if the state of the device has changed."""
        status = _STATUS[bool(self.ringing), bool(self.up)]
        if status != self.status:
            self.status = status
            ring_in_use = "PausedReason: \r\nRinginuse: 1\r\nWrapuptime: 0\r\n"
            self._events.queue_member_status(
                f"Queue: {QUEUE}\r\nMemberName: {MEMBER}\r\nInterface: {MEMBER}\r\n{self._common()}{ring_in_use}"
            )

    def completed_call(self) -> None:
        """A caller of the queue and an agent have ended their talk."""
        self.calls_taken += 1
        self.completed += 1
        self.in_call = max(0, self.in_call - 1)
        self.last_call = int(self._clock.wall())

    def listed(self) -> str:
        """The QueueMember entry of QueueStatus."""
        return (
            f"Queue: {QUEUE}\r\nName: {MEMBER}\r\nLocation: {MEMBER}\r\n{self._common()}"
            "PausedReason: \r\nWrapuptime: 0\r\n"
        )

    def reset(self) -> None:
        """Asterisk has restarted."""
        self.__init__(self._clock, self._events)  # type: ignore[misc]  # everything as at the beginning

    def _common(self) -> str:
        return (
            f"StateInterface: {MEMBER}\r\nMembership: static\r\nPenalty: 0\r\nCallsTaken: {self.calls_taken}\r\n"
            f"LastCall: {self.last_call}\r\nLastPause: 0\r\nLoginTime: {self.login_time}\r\n"
            f"InCall: {1 if self.in_call else 0}\r\nStatus: {self.status}\r\nPaused: 0\r\n"
        )
