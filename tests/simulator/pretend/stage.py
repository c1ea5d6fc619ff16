"""A daemon and a pretend Asterisk in one event loop whose time is virtual: minutes of calls in a second."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest

import callflow.adapters.audio.taps
import callflow.daemon
from callflow.adapters.audio.ticker import Ticker
from callflow.daemon import Daemon
from callflow.scenarios.scenario import Scenario
from callflow.scenarios.site import MOST_TAPS, daemon_config
from callflow.settings.model import Settings
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.clock import VirtualDaemonClock, VirtualLoop
from callflow.simulator.pretend.flavour import ASTERISK_22, Flavour
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.world import Places

T = TypeVar("T")
Event = dict[str, str]
Config = dict[str, Any]
TOGETHER_S = 0.0005
PATIENT_S = 60.0
"""The watchdog goes by real time: on a machine that is busy for some seconds it would end the process of the tests."""
Meanwhile = Callable[[PretendAsterisk], Coroutine[Any, Any, None]]


def words(text: str) -> list[str]:
    """The words of a text: a short form for long lists of names."""
    return text.split()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def in_virtual_time(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine in a loop of its own whose time jumps."""

    async def main() -> T:
        return await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


class Peer:
    """A bare connection to AMI or from FastAGI: what is sent and what comes back, as bytes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def to(cls, port: int) -> "Peer":
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    def send(self, text: str) -> None:
        self.writer.write(text.encode())

    async def message(self) -> Event:
        """The next whole AMI message."""
        raw = (await self.reader.readuntil(b"\r\n\r\n")).decode()
        parts = (line.partition(": ") for line in raw.split("\r\n") if line)
        return {name: value for name, _, value in parts}

    async def ask(self, *headers: str) -> Event:
        """One action; its response, events before it left out."""
        self.send("".join(f"{line}\r\n" for line in headers) + "\r\n")
        while True:
            message = await self.message()
            if "Response" in message:
                return message

    async def login(self, events: str = "on") -> Event:
        return await self.ask(
            "Action: Login", "Username: callflow", "Secret: change-me", f"Events: {events}", "ActionID: in"
        )

    async def line(self) -> str:
        return (await self.reader.readuntil(b"\n")).decode().rstrip("\n")

    async def head(self) -> dict[str, str]:
        """The FastAGI environment."""
        raw = (await self.reader.readuntil(b"\n\n")).decode()
        return dict(line.split(": ", 1) for line in raw.splitlines() if line)


@dataclass
class Played:
    """The result of a scenario: its calls by group's name, and the AMI events of each call, in order."""

    outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)

    def one(self, caller: str) -> Outcome:
        (outcome,) = self.outcomes[caller]
        return outcome

    def of(self, caller: str) -> list[Event]:
        """The events of one call and its agents' channels."""
        linkedid = self.one(caller).uniqueid
        return [event for event in self.events if event.get("Linkedid") == linkedid]


def scenario(callers: list[dict[str, Any]], **more: Any) -> Scenario:
    """A scenario; callers without a time call at once."""
    made = [{"at_s": 0.0} | caller for caller in callers]
    return Scenario.model_validate({"name": "test", "purpose": "made by a test", "callers": made} | more)


def play(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    plan: Scenario,
    flavour: Flavour = ASTERISK_22,
    daemon: bool = True,
    tap: bool = False,
    meanwhile: Meanwhile | None = None,
    reloads: Config | None = None,
) -> Played:
    """Play a scenario to its end, with the real daemon (or none) in the same loop, in virtual time.

    `tap`: the daemon listens to callers' sound, too; its database is callflow.db in `tmp_path`. `meanwhile` begins with
    the calls. `reloads`: sections that differ when the daemon reads its settings again.
    """
    monkeypatch.setattr(callflow.daemon, "Clock", VirtualDaemonClock)
    monkeypatch.setattr(callflow.adapters.audio.taps, "PunctualTicker", Ticker)
    return in_virtual_time(lambda: _play(plan, tmp_path, flavour, meanwhile, daemon=daemon, tap=tap, reloads=reloads))


async def _play(
    plan: Scenario,
    tmp_path: Path,
    flavour: Flavour,
    meanwhile: Meanwhile | None,
    *,
    daemon: bool,
    tap: bool,
    reloads: Config | None,
) -> Played:
    played, agi_port = Played(), free_port()

    def ended(outcome: Outcome) -> None:
        played.outcomes.setdefault(outcome.caller, []).append(outcome)

    asterisk = PretendAsterisk(plan, Places(agi_port), flavour=flavour, on_outcome=ended)
    await asterisk.start(0)
    beside = await Peer.to(asterisk.ami.port)
    await beside.login()
    listening = asyncio.create_task(_listen(beside, played.events))
    config = daemon_config(
        asterisk.ami.port, agi_port, tmp_path / "callflow.db", "warning", taps=MOST_TAPS if tap else 0
    )
    running = await start_daemon(config, reloads) if daemon else None
    work = asyncio.create_task(meanwhile(asterisk)) if meanwhile else None
    asterisk.begin()
    await asterisk.done.wait()
    if work is not None:
        await work
    await asyncio.sleep(1)
    if running is not None:
        running[0]._finish(None)
        await running[1]
    asterisk.close()
    await listening
    return played


async def _listen(tap: Peer, events: list[Event]) -> None:
    try:
        while True:
            events.append(await tap.message())
    except (asyncio.IncompleteReadError, ConnectionError):
        tap.writer.close()


async def start_daemon(config: Config, reloads: Config | None = None) -> tuple[Daemon, "asyncio.Task[None]"]:
    """Start a daemon in this virtual loop; its `Clock` must be a VirtualDaemonClock. End it with `_finish`."""
    config = config | {"limits": config["limits"] | {"stall_s": PATIENT_S}}
    daemon = Daemon(Settings(**config), lambda: Settings(**config | (reloads or {})))
    _owe_the_database(daemon)
    task = asyncio.create_task(daemon.run())
    while not daemon._engine.ear_proven:  # noqa: ASYNC110 - the daemon reports it only to systemd
        await asyncio.sleep(0.1)
    await asyncio.sleep(1)
    return daemon, task


def _owe_the_database(daemon: Daemon) -> None:
    """Time does not jump while the store's thread owes an answer."""
    flush, owed = daemon._store.flush, 0

    async def counted(timeout_s: float) -> bool:
        nonlocal owed
        owed += 1
        try:
            return await flush(timeout_s)
        finally:
            owed -= 1

    daemon._store.flush = counted  # type: ignore[method-assign]
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    loop.owed_by(lambda: owed > 0)
