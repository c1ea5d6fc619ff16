"""A day of call-backs in virtual time: the real desk, dialler and database against a model of Asterisk.

The daemon is killed, AMI is cut, replies are lost, and the disk is slow, all day long.
`python -m tests.callbacks.day` plays 10,000 call-backs and prints what became of them.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import structlog

from callflow.adapters.ami.callback_actions import CallToPlace
from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.attempt import Attempt, Outcome
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.look import ChannelSeen, Look, MemberSeen
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import State
from callflow.errors import ActionTimeout, NotConnected
from callflow.runtime import callback_desk, callback_dialler
from callflow.runtime.callback_desk import CallbackDesk
from callflow.runtime.callback_dialler import CallbackDialler

DAY_S = 86_400.0
T0 = 1_769_817_600_000
AGENTS = 60
LOOK_S = 5.0
KILL_EVERY_S, CUT_EVERY_S = 600.0, 300.0
LOST_REPLIES = 0.1
SLOW_DISK, SLOW_S = 0.03, (0.5, 15.0)
"""How often the database, or the thread, keeps its answer back, and for how long."""
ENDINGS = ("reached", "reached", "reached", "busy", "no answer", "declined", "agent busy", "agent silent", "refused")
CAN_END = {
    "reached": {Outcome.REACHED},
    "busy": {Outcome.BUSY},
    "no answer": {Outcome.NO_ANSWER},
    "declined": {Outcome.AGENT_DECLINED},
    "agent busy": {Outcome.AGENT_BUSY},
    "agent silent": {Outcome.AGENT_NO_ANSWER},
    "refused": {Outcome.FAILED},
}
RULES = CallbackRules(
    dial="PJSIP/{number}@carrier",
    auto=True,
    agent_rest_s=0,
    agent_pause_s=60,
    profiles={
        "default": CallbackProfile(
            zone="UTC", hours=("mon-sun 00:00-24:00",), after_s=0, attempts=3, spacing_s=600, give_up_h=48
        )
    },
)


class VirtualLoop(asyncio.SelectorEventLoop):
    """Jumps to the next timer when there is nothing to do."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0

    def time(self) -> float:
        """Virtual seconds."""
        return self._now

    def _run_once(self) -> None:
        own: Any = self
        if not own._ready and own._scheduled:
            self._now = max(self._now, own._scheduled[0]._when)
        super()._run_once()  # type: ignore[misc]


@dataclass
class World:
    """Asterisk and the people at its phones: outlives every daemon."""

    chance: random.Random
    placed: Counter[str] = field(default_factory=Counter)
    truth: dict[str, str] = field(default_factory=dict)
    began: dict[str, float] = field(default_factory=dict)
    ended: dict[str, float] = field(default_factory=dict)
    talking: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Phone and number of each call, by its ChannelId."""
    paused: set[str] = field(default_factory=set)
    reasons: dict[str, str] = field(default_factory=dict)
    """Why agents have paused themselves, by phone."""
    link_up: bool = True
    lost_replies: int = 0
    tell: Callable[[dict[str, str]], None] = lambda event: None

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def event(self, attempt_id: str, name: str, **headers: str) -> None:
        """An AMI event reaches the daemon that is connected now, if one is."""
        if self.link_up:
            self.tell({"Event": name, "Uniqueid": attempt_id, "Linkedid": attempt_id} | headers)

    def report(self, attempt_id: str, step: str, **fields: str) -> None:
        self.event(attempt_id, "UserEvent", UserEvent="CallflowCallback", Id=attempt_id, Step=step, **fields)

    def begin(self, call: CallToPlace) -> None:
        """Asterisk has the Originate."""
        key, number = call.attempt_id, dict(call.variables)["CALLFLOW_CB_DIAL"].partition("/")[2].partition("@")[0]
        self.placed[key] += 1
        self.began[key] = self.now()
        self.truth[key] = self.chance.choice(ENDINGS)
        self.talking[key] = (call.channel, number)
        asyncio.get_running_loop().create_task(self._live(key, self.truth[key]))

    async def _live(self, key: str, ending: str) -> None:
        """One call from the first ring to its end."""
        status, accepted, reached = "", "0", "0"
        await asyncio.sleep(0.05)
        self.event(key, "Newstate", ChannelStateDesc="Ringing")
        await asyncio.sleep(self.chance.uniform(1, 8))
        if ending.startswith("agent"):
            status = "BUSY" if ending == "agent busy" else "NOANSWER"
            self.event(key, "DialEnd", DestUniqueid=key, DialStatus=status)
            self.event(key, "OriginateResponse", Response="Failure", Reason="0")
            return self._over(key)
        self.event(key, "Newstate", ChannelStateDesc="Up")
        self.event(key, "OriginateResponse", Response="Success", Reason="4")
        await asyncio.sleep(self.chance.uniform(1, 4))
        if ending != "declined":
            accepted = "1"
            self.report(key, "accepted", Accepted="1")
            await asyncio.sleep(self.chance.uniform(2, 20))
            if ending == "reached":
                status, reached = "ANSWER", "1"
                self.report(key, "reached", Accepted="1", Reached="1")
                await asyncio.sleep(self.chance.uniform(20, 200))
            else:
                status = {"busy": "BUSY", "no answer": "NOANSWER", "refused": "CHANUNAVAIL"}[ending]
                self.report(key, "dialled", Accepted="1", Status=status, Cause="17")
        self.report(key, "ended", Accepted=accepted, Reached=reached, Status=status)
        self._over(key)
        return None

    def _over(self, key: str) -> None:
        del self.talking[key]
        self.ended[key] = self.now()
        self.event(key, "Hangup", Cause="16")


class Phone:
    """What a daemon asks of Asterisk; replies are late, and some are lost."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._agents = [f"PJSIP/8{number:03}" for number in range(AGENTS)]

    async def _reply(self) -> None:
        await asyncio.sleep(self._world.chance.uniform(0.0005, 0.003))
        if not self._world.link_up:
            raise NotConnected("cut")

    async def look(self) -> Look:
        await self._reply()
        busy = {phone for phone, _ in self._world.talking.values()}
        members = tuple(
            MemberSeen(
                "q",
                phone,
                phone,
                phone[6:],
                2 if phone in busy else 1,
                phone in self._world.paused,
                pause_reason=self._world.reasons.get(phone, ""),
            )
            for phone in self._agents
        )
        channels = tuple(
            ChannelSeen(f"{phone}-0000001a", key, number, "", "")
            for key, (phone, number) in self._world.talking.items()
        )
        return Look(members, (), channels)

    async def pause(self, queue: str, interface: str, paused: bool) -> None:
        await self._reply()
        (self._world.paused.add if paused else self._world.paused.discard)(interface)

    async def place(self, call: CallToPlace) -> None:
        if not self._world.link_up:
            raise NotConnected("cut")
        if self._world.chance.random() < LOST_REPLIES:
            self._world.lost_replies += 1
            if self._world.chance.random() < 0.7:
                self._world.begin(call)
            await asyncio.sleep(1.0)
            raise ActionTimeout("Originate", 1.0)
        self._world.begin(call)
        await self._reply()

    async def channel_exists(self, uniqueid: str) -> bool:
        await self._reply()
        return uniqueid in self._world.talking


class Recorder:
    """Publishes nothing: changes stay unpublished."""

    def save(self, record: Any, final: bool) -> None:
        return

    async def flush(self, timeout_s: float) -> bool:
        return True


class Daemon:
    """One life of the daemon's call-backs."""

    def __init__(self, world: World, path: Path, now_ms: Callable[[], int], number: int) -> None:
        self._world = world
        ids = iter(range(10**9))
        self.desk = CallbackDesk(RULES, path, "main", Recorder(), now_ms)
        self.desk._publish = _nothing  # type: ignore[method-assign]
        self.desk._catch_up = _nothing  # type: ignore[method-assign]
        self.dialler = CallbackDialler(
            self.desk, Phone(world), lambda language, prompt: prompt, str, now_ms, lambda: f"cb-{number}-{next(ids)}"
        )
        world.tell = self.dialler.ami_event
        self.desk.start()
        if world.link_up:
            self.dialler.link_up()

    async def kill(self) -> None:
        """As SIGKILL: nothing is finished, and whatever is told to a dead daemon does nothing."""
        self._world.tell = lambda event: None
        tasks = [*self.dialler._tasks, *([self.desk._task] if self.desk._task else [])]
        for running in self.dialler._running.values():
            running.disarm()
        self.dialler._running.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _nothing() -> None:
    return


@dataclass
class Day:
    """What became of a day."""

    entries: list[Entry]
    attempts: dict[str, list[Attempt]]
    world: World
    kills: int
    cuts: int

    def mistakes(self) -> list[str]:
        """Everything that must never happen, by name."""
        found = [f"{key} was placed {n} times" for key, n in self.world.placed.items() if n > 1]
        known: set[str] = set()
        for entry in self.entries:
            known |= {attempt.attempt_id for attempt in self.attempts[entry.callback_id]}
            found += list(self._mistakes_of(entry))
        found += [f"{key} was placed, and no claim knows it" for key in self.world.placed if key not in known]
        found += [f"{phone} is still paused" for phone in self.world.paused]
        return found

    def _mistakes_of(self, entry: Entry) -> list[str]:
        found, lost, busy_until = [], False, 0.0
        for attempt in self.attempts[entry.callback_id]:
            key, outcome = attempt.attempt_id, attempt.outcome
            placed = self.world.placed[key]
            if outcome is None:
                found.append(f"{key} has no outcome")
            elif outcome is Outcome.UNPLACED and placed:
                found.append(f"{key} was placed and counts as unplaced")
            elif outcome in (Outcome.UNPLACED, Outcome.UNKNOWN):
                pass
            elif not placed or outcome not in CAN_END[self.world.truth[key]]:
                found.append(f"{key}: {outcome} is not what happened")
            if placed:
                if lost:
                    found.append(f"{entry.callback_id} was called again after an unknown outcome")
                if self.world.began[key] < busy_until:
                    found.append(f"{entry.callback_id} was called twice at once")
                busy_until = self.world.ended.get(key, float("inf"))
            lost = lost or outcome is Outcome.UNKNOWN
        if entry.state is State.DIALLING:
            found.append(f"{entry.callback_id} is still being dialled")
        return found

    def figures(self) -> dict[str, int]:
        """Entries by state, and how often what was done to them."""
        states = Counter(entry.state.value for entry in self.entries)
        return {
            "call-backs": len(self.entries),
            **dict(sorted(states.items())),
            "calls placed": sum(self.world.placed.values()),
            "kills": self.kills,
            "cuts": self.cuts,
            "lost replies": self.world.lost_replies,
            "mistakes": len(self.mistakes()),
        }


async def _play(path: Path, number: int, length_s: float, seed: int) -> Day:
    chance = random.Random(seed)
    world, loop = World(chance), asyncio.get_running_loop()

    def now_ms() -> int:
        return T0 + round(1000 * loop.time())

    entries = CallbackList(path, "main")
    entries.prepare()
    counts: Counter[str] = Counter()
    daemons = [Daemon(world, path, now_ms, 0)]

    async def people() -> None:
        for who in range(number):
            await asyncio.sleep(length_s / number)
            wanted = Wanted(f"138{who:08}", "default", Reason.SILENT, now_ms(), "a day", due_ms=now_ms())
            entries.add(wanted, RULES, now_ms())

    async def kills() -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / KILL_EVERY_S))
            await daemons[-1].kill()
            counts["kills"] += 1
            await asyncio.sleep(chance.uniform(0.5, 5))
            daemons.append(Daemon(world, path, now_ms, len(daemons)))

    async def cuts() -> None:
        while True:
            await asyncio.sleep(chance.expovariate(1 / CUT_EVERY_S))
            world.link_up = False
            daemons[-1].dialler.link_lost()
            counts["cuts"] += 1
            await asyncio.sleep(chance.choice((0.05, 0.5, 5, 30)))
            world.link_up = True
            daemons[-1].dialler.link_up()

    trouble = [asyncio.create_task(kills()), asyncio.create_task(cuts())]
    await people()
    await asyncio.sleep(900)
    for task in trouble:
        task.cancel()
    await asyncio.gather(*trouble, return_exceptions=True)
    if not world.link_up:
        world.link_up = True
        daemons[-1].dialler.link_up()
    await asyncio.sleep(900)
    await daemons[-1].kill()
    Daemon(world, path, now_ms, len(daemons))
    await asyncio.sleep(300)
    found = entries.entries(limit=10**7)
    return Day(found, _attempts(entries), world, counts["kills"], counts["cuts"])


def _attempts(entries: CallbackList) -> dict[str, list[Attempt]]:
    by_entry: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in entries.ended_attempts(None, None):
        by_entry[attempt.callback_id].append(attempt)
    return by_entry


def play(number: int, length_s: float = DAY_S, seed: int = 22) -> Day:
    """A day, or a part of one."""
    with virtual_time(random.Random(seed)) as (runner, path), suppress(asyncio.CancelledError):
        return runner.run(_play(path, number, length_s, seed))
    raise AssertionError("the day was cancelled")


@contextmanager
def virtual_time(chance: random.Random, slow_disk: float = SLOW_DISK) -> Iterator[tuple[asyncio.Runner, Path]]:
    """Runs in virtual time, and the path of a database."""

    async def in_this_thread(work: Callable[..., Any], *values: Any) -> Any:
        await asyncio.sleep(chance.uniform(0.0005, 0.005))
        answer = work(*values)
        await asyncio.sleep(chance.uniform(*SLOW_S) if chance.random() < slow_disk else chance.uniform(0.0005, 0.005))
        return answer

    with (
        tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder,
        mock.patch.object(asyncio, "to_thread", in_this_thread),
        mock.patch.object(callback_desk, "PERIOD_S", LOOK_S),
        mock.patch.object(callback_dialler, "PACE_MS", 0),
        asyncio.Runner(loop_factory=VirtualLoop) as runner,
    ):
        yield runner, Path(folder) / "callflow.db"


def main() -> None:
    """Play a day and print its figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--number", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=22)
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    began = time.monotonic()
    day = play(asked.number, seed=asked.seed)
    for name, number in day.figures().items():
        print(f"{name:14} {number:8,}")
    for mistake in day.mistakes()[:20]:
        print(mistake)
    print(f"played in {time.monotonic() - began:.0f} s")
    raise SystemExit(1 if day.mistakes() else 0)


if __name__ == "__main__":
    main()
