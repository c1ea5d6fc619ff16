"""What all calls of one pretend Asterisk share."""

import asyncio
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from callflow.scenarios.phones import PhoneGroup
from callflow.simulator.pretend.agi_client import AgiCall
from callflow.simulator.pretend.astdb import AstDb
from callflow.simulator.pretend.channel import Channel, Switch
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.dialplan import Dialplan
from callflow.simulator.pretend.events import Emit, Events
from callflow.simulator.pretend.flavour import Flavour
from callflow.simulator.pretend.member import Member
from callflow.simulator.pretend.members import Members
from callflow.simulator.pretend.phones import Phones
from callflow.simulator.pretend.report import Outcome, PromptHeard
from callflow.simulator.pretend.sounds import Sounds

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Places:
    """The addresses at which this Asterisk finds the daemon and the agents."""

    agi_port: int
    """The daemon's FastAGI, as the dialplan names it."""
    agi_line: int = 0
    """Where it is reached, if a line with faults lies between; 0: directly."""
    agi_script: str = "screen"
    """Path in the FastAGI address: screen, or TOKEN/screen."""
    nobody_port: int = 9
    agent_port: int = 5070


class World:
    """Clock, switch, events and counts of one pretend Asterisk; `on_outcome` gets every call that has ended."""

    def __init__(
        self,
        clock: Clock,
        flavour: Flavour,
        sounds: Sounds,
        places: Places,
        emit: Emit,
        seed: int = 1,
        phones: Sequence[PhoneGroup] = (),
    ) -> None:
        self.clock, self.flavour, self.sounds, self.places = clock, flavour, sounds, places
        self.chance = Random(seed)
        self.switch = Switch(clock, self.chance)
        self.events = Events(emit, flavour)
        self.member = Member(clock, self.events)
        self.phones = Phones(phones)
        self.members = Members(clock, self.events, phones)
        self.dialplan = Dialplan(())
        self.applications: Mapping[str, Callable[..., Awaitable[None]]] = {}
        self.has_lab_queue = True
        """QueueStatus lists the queue of callers who are not offered to a scenario's own phones."""
        self.music = False
        """There is a class of music on hold."""
        self.exit_contexts: Mapping[str, str] = {}
        """By queue: the context of the keys by which a caller leaves it."""
        self.hearers: dict[str, Callable[[PromptHeard], None]] = {}
        """By uniqueid of a channel: who is told what is whispered to it."""
        self.on_note: Callable[[Channel, str], None] = lambda channel, note: None
        """Told what no event tells: `music lost`."""
        self.failures: list[BaseException] = []
        """Exceptions in a dialplan, or in the simulator itself."""
        self.on_outcome: Callable[[Outcome], None] = lambda outcome: None
        self.began_at = clock.now()
        self.states: Counter[str] = Counter()
        self.placed = self.ended = 0
        self.globals: dict[str, str] = {}
        self.astdb = AstDb()
        self.on_death: list[Callable[[], None]] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._agi_calls: dict[str, AgiCall] = {}

    def now_s(self) -> float:
        """Seconds since the beginning."""
        return self.clock.now() - self.began_at

    def later(self, delay_s: float, do: Callable[..., None], *arguments: object) -> asyncio.TimerHandle:
        """Call `do` after a while."""
        return asyncio.get_running_loop().call_later(max(0.0, delay_s), do, *arguments)

    def moved(self, before: str, after: str) -> None:
        """A call has gone from one state to another; "" for none."""
        if before:
            self.states[before] -= 1
            if not self.states[before]:
                del self.states[before]
        if after:
            self.states[after] += 1

    def run_agi(
        self,
        channel: Channel,
        arguments: tuple[str, ...],
        on_end: Callable[[str], None],
        on_prompt: Callable[[PromptHeard], None],
        on_state: Callable[[str], None],
        on_hangup: Callable[[], None],
        port: int | None = None,
        script: str = "",
    ) -> AgiCall:
        """AGI(agi://...) on a channel; without `script` that of the screening."""
        if script:
            port = int(script.split("/")[2].rpartition(":")[2])
        else:
            port = port or self.places.agi_port
            path = self.places.agi_script
            if token := self.globals.get("CALLFLOW_TOKEN"):
                path = f"{token}/{path}"
            script = f"agi://{LOOPBACK}:{port}/{path}"
        channel.application, channel.data = "AGI", ",".join((script, *arguments))

        def ended(status: str) -> None:
            self._agi_calls.pop(channel.uniqueid, None)
            on_end(status)

        version = self.flavour.version
        agi = AgiCall(
            channel, script, arguments, self.clock, self.sounds, version, ended, on_prompt, on_state, on_hangup
        )
        self._agi_calls[channel.uniqueid] = agi
        line = self.places.agi_line if port == self.places.agi_port else 0
        self.spawn(agi.connect(LOOPBACK, line or port))
        return agi

    def spawn(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        """Run a task that ends with this Asterisk."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failures.append(error)
            print(f"the pretend Asterisk: {type(error).__name__}: {error}", file=sys.stderr)

    def heard(self, channel: Channel, prompt: PromptHeard) -> None:
        """Somebody has heard a prompt that was whispered to this channel."""
        if hearer := self.hearers.get(channel.uniqueid):
            hearer(prompt)

    def die(self) -> None:
        """Drop every channel without an event, as when Asterisk is killed."""
        for task in self._tasks:
            task.cancel()
        for die in self.on_death:
            die()
        for agi in self._agi_calls.values():
            agi.abort()
        self._agi_calls.clear()
        for channel in list(self.switch.channels.values()):
            self.switch.gone(channel)
        self.globals.clear()
        self.member.reset()
        self.members.reset()
