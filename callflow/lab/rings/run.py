"""Places the calls of ring scenarios side by side on one Asterisk, and keeps the AMI events and the phones' logs."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from callflow.adapters.ami.options import AmiOptions
from callflow.captures.recorder import Listener
from callflow.installed import CHECKOUT
from callflow.lab.lab import Lab, open_lab
from callflow.lab.phone.legs import PhoneLeg, phone_legs
from callflow.lab.phone.phone import PhoneBank
from callflow.lab.rings.asterisk_files import AGENTS, additions
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.scenario import Act, Party, Scenario
from callflow.lab.rings.scenario_phones import ScenarioPhones
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.scenarios.site import AMI_SECRET, AMI_USER, Version

SCENARIOS = CHECKOUT / "tests" / "lab_rings"
SPACING_S = 0.15
AFTER_S = 2.0
_BEAT_S = 0.005


@dataclass(frozen=True)
class Arrival:
    """One raw AMI message and when it arrived, epoch seconds."""

    at_s: float
    raw: bytes


@dataclass
class Placed:
    """The events and logs of one run."""

    scenarios: list[Numbered]
    arrivals: list[Arrival] = field(default_factory=list)
    legs: list[PhoneLeg] = field(default_factory=list)
    queues: str = ""
    """What `queue show` said at the end."""
    heard: dict[str, Mapping[Party, tuple[Party, ...]]] = field(default_factory=dict)
    """By scenario: which parties each party heard, in order."""
    failures: list[BaseException] = field(default_factory=list)
    """Exceptions in the phones' behaviour."""

    stall_s: float = 0.0
    """The worst delay of this machine's timers: Asterisk is then late as well, and its times differ from the wire."""

    def legs_of(self, numbered: Numbered) -> list[PhoneLeg]:
        """The INVITEs to this scenario's phones."""
        return [leg for leg in self.legs if leg.number in numbered.numbers.values()]


class RingLab:
    """A lab with every phone, queue and line of some scenarios."""

    def __init__(self, lab: Lab, phones_port: int, scenarios: list[Numbered]) -> None:
        self.lab, self.phones_port, self.scenarios = lab, phones_port, scenarios

    def ami_options(self) -> AmiOptions:
        """The AMI user as shipped: its privileges are part of the test."""
        return AmiOptions(port=self.lab.asterisk.ports.ami, username=AMI_USER, secret=AMI_SECRET)

    async def place(self, scenarios: Sequence[Numbered] = ()) -> Placed:
        """The calls of these scenarios, or of all, side by side."""
        placed = Placed(list(scenarios or self.scenarios))
        ami = self.lab.asterisk.ami
        watching = asyncio.create_task(_watch_machine(placed))
        bank = PhoneBank((LOOPBACK, self.lab.asterisk.ports.sip), self.phones_port)
        async with bank, Listener(self.ami_options()) as listener:
            listening = asyncio.create_task(_listen(listener, placed.arrivals))
            phones = [ScenarioPhones(bank, numbered) for numbered in placed.scenarios]
            await asyncio.gather(*(self._one(some, bank, n * SPACING_S) for n, some in enumerate(phones)))
            await asyncio.sleep(AFTER_S)
            listening.cancel()
            watching.cancel()
        placed.queues = (await ami.action("Command", Command="queue show")).get("Output", "")
        placed.legs, placed.failures = phone_legs(bank.log), bank.failures
        placed.heard = {some.numbered.scenario.name: some.heard() for some in phones if some.numbered.scenario.sound}
        return placed

    async def _one(self, phones: ScenarioPhones, bank: PhoneBank, after_s: float) -> None:
        await asyncio.sleep(after_s)
        scenario = phones.numbered.scenario
        for act in scenario.acts:
            bank.run(self._act(phones, act))
        if scenario.calls:
            await phones.place()
        else:
            await asyncio.sleep(scenario.leaves_s)
            await phones.end()

    async def _act(self, phones: ScenarioPhones, act: Act) -> None:
        await asyncio.sleep(act.at_s)
        ami, numbered = self.lab.asterisk.ami, phones.numbered
        number, to = numbered.number(act.phone), numbered.dialled(act.to)
        match act.do:
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
            case "redirect":
                caller = self._channel("caller", numbered.caller)
                await ami.action("Redirect", Channel=caller, Context=AGENTS, Exten=to, Priority="1")
            case "originate":
                more = {"CallerID": f"<{numbered.caller}>", "Timeout": "20000", "Async": "true"}
                exten = numbered.fill(act.exten)
                await ami.action("Originate", None, Channel=to, Context=AGENTS, Exten=exten, Priority="1", **more)
            case _:
                await phones.act(act)

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
