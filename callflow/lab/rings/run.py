"""Places the calls of ring scenarios side by side on one Asterisk, and keeps what AMI told and what the wire saw."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from callflow.adapters.ami.options import AmiOptions
from callflow.captures.recorder import Listener
from callflow.installed import CHECKOUT
from callflow.lab.ami import Message
from callflow.lab.lab import AMI_SECRET, AMI_USER, Lab, open_lab
from callflow.lab.rings.phones import phones_xml
from callflow.lab.rings.scenario import Act, Scenario
from callflow.lab.rings.site import AGENTS, Numbered, additions
from callflow.lab.rings.wire import PhoneLeg, read_phone_legs
from callflow.lab.sipp import Caller
from callflow.lab.stream import write_stream
from callflow.processes.ports import PortBlock
from callflow.scenarios.site import Version

SCENARIOS = CHECKOUT / "tests" / "lab_rings"
SPACING_S = 0.15
LONGEST_S = 90.0
AFTER_S = 2.0
_BEAT_S = 0.005


@dataclass(frozen=True)
class Arrival:
    """One raw AMI message and when it arrived, epoch seconds."""

    at_s: float
    raw: bytes


@dataclass
class Placed:
    """What came of the scenarios of one run."""

    scenarios: list[Numbered]
    arrivals: list[Arrival] = field(default_factory=list)
    legs: list[PhoneLeg] = field(default_factory=list)
    told: list[Message] = field(default_factory=list)
    queues: str = ""
    """What `queue show` said at the end."""

    stall_s: float = 0.0
    """How late this machine's timers were at worst: then Asterisk was late too, and no time agrees with the wire."""

    def legs_of(self, numbered: Numbered) -> list[PhoneLeg]:
        """The INVITEs to this scenario's phones."""
        return [leg for leg in self.legs if leg.number in numbered.numbers.values()]


class RingLab:
    """A lab with every phone, queue and line of some scenarios."""

    def __init__(self, lab: Lab, phones_port: int, scenarios: list[Numbered]) -> None:
        self.lab, self.phones_port, self.scenarios = lab, phones_port, scenarios

    def ami_options(self) -> AmiOptions:
        """The AMI user as it is shipped: its privileges are what is tested."""
        return AmiOptions(port=self.lab.asterisk.ports.ami, username=AMI_USER, secret=AMI_SECRET)

    async def place(self, scenarios: Sequence[Numbered] = ()) -> Placed:
        """The calls of these scenarios, or of all, side by side."""
        placed = Placed(list(scenarios or self.scenarios))
        phones = await self.lab.sipp.run("phones", phones_xml(placed.scenarios), self.phones_port, 400)
        watching = asyncio.create_task(_watch_machine(placed))
        async with Listener(self.ami_options()) as listener, self.lab.capture() as capture:
            listening = asyncio.create_task(_listen(listener, placed.arrivals))
            await asyncio.sleep(0.5)
            began = len(self.lab.asterisk.ami.events)
            await asyncio.gather(*(self._one(s, n * SPACING_S) for n, s in enumerate(placed.scenarios)))
            await asyncio.sleep(AFTER_S)
            listening.cancel()
            watching.cancel()
        await phones.stop()
        placed.told = self.lab.asterisk.ami.events[began:]
        placed.queues = (await self.lab.asterisk.ami.action("Command", Command="queue show")).get("Output", "")
        placed.legs = read_phone_legs(capture.path, self.lab.asterisk.ports.sip, self.phones_port)
        return placed

    async def _one(self, numbered: Numbered, after_s: float) -> None:
        await asyncio.sleep(after_s)
        scenario = numbered.scenario
        gives_up = scenario.leaves_s if scenario.cancels else None
        caller = Caller(numbered.caller, numbered.entry, hang_up_at_s=scenario.leaves_s, gives_up_after_s=gives_up)
        for key in (act for act in scenario.acts if act.do == "key"):
            file = self.lab.work / f"key-{numbered.caller}.pcap"
            caller = replace(caller, audio=write_stream(file, b"", [(0, "5")]), audio_at_s=key.at_s)
        call = await self.lab.call(caller)
        acts = [asyncio.create_task(self._act(numbered, act)) for act in scenario.acts]
        await asyncio.gather(*acts)
        await call.wait(LONGEST_S)

    async def _act(self, numbered: Numbered, act: Act) -> None:
        await asyncio.sleep(act.at_s)
        ami, number = self.lab.asterisk.ami, numbered.phone(act.phone)
        to = numbered.numbers.get(act.to, act.to)
        match act.do:
            case "pickup" | "call":
                await self.lab.call(Caller(number, "*8" if act.do == "pickup" else to, hang_up_at_s=5.0))
            case "join":
                await self.lab.call(Caller(f"4{numbered.caller}", numbered.entry, hang_up_at_s=3.0))
            case "pause":
                await ami.action("QueuePause", Queue=numbered.queue, Interface=f"PJSIP/{number}", Paused="true")
            case "withdraw":
                caller = self._channel("caller", numbered.caller)
                await ami.action("QueueWithdrawCaller", Queue=numbered.queue, Caller=caller)
            case "hangup":
                await ami.action("Hangup", Channel=self._channel(number))
            case "blind":
                await ami.action("BlindTransfer", Channel=self._channel(number), Context=AGENTS, Exten=to)
            case "attended":
                await ami.action("Atxfer", Channel=self._channel(number), Context=AGENTS, Exten=to)

    def _channel(self, endpoint: str, number: str = "") -> str:
        """The newest channel of an endpoint, of this caller's number if one is given."""
        found = [
            event["Channel"]
            for event in self.lab.asterisk.ami.events
            if event["Event"] == "Newchannel"
            and event["Channel"].startswith(f"PJSIP/{endpoint}-")
            and number in ("", event.get("CallerIDNum"))
        ]
        return found[-1] if found else f"PJSIP/{endpoint}-none"


async def _watch_machine(placed: Placed) -> None:
    while True:
        before = time.monotonic()
        await asyncio.sleep(_BEAT_S)
        placed.stall_s = max(placed.stall_s, time.monotonic() - before - _BEAT_S)


async def _listen(listener: Listener, arrivals: list[Arrival]) -> None:
    async for message in listener.messages():
        arrivals.append(Arrival(time.time(), message))  # noqa: PERF401 - one by one, as they come


@asynccontextmanager
async def ring_lab(version: Version, scenarios: Sequence[Scenario]) -> AsyncIterator[RingLab]:
    """An Asterisk with everything these scenarios need. Raises LabError."""
    numbered = [Numbered(scenario, index) for index, scenario in enumerate(scenarios) if version in scenario.asterisk]
    port = 0

    def more(ports: PortBlock) -> dict[str, str]:
        nonlocal port
        port = ports.named()
        return additions(port, numbered)

    async with open_lab(version, additions=more) as lab:
        yield RingLab(lab, port, numbered)
