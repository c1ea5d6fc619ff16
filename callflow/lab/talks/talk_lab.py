"""A lab with agents' and callers' phones, each recognised by its own sine."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from itertools import cycle

from callflow.lab.ami import AmiClient, Message
from callflow.lab.asterisk_files import HOLD_HZ
from callflow.lab.lab import Lab, open_lab
from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import TONES_HZ
from callflow.lab.phone.phone import OnCall, Phone, PhoneBank
from callflow.lab.talks.asterisk_files import AGENTS, additions
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.scenarios.site import Version

_EVENT_S = 5.0


class TalkLab:
    """An Asterisk with queues and agents; phones are made as they are needed."""

    def __init__(self, lab: Lab, bank: PhoneBank) -> None:
        self.lab, self.bank = lab, bank
        self._tones = cycle(TONES_HZ)

    @property
    def ami(self) -> AmiClient:
        """The lab's own AMI session, with all privileges."""
        return self.lab.asterisk.ami

    @property
    def tones(self) -> dict[str, int]:
        """The sine of each phone by its number, and the music on hold as `music`."""
        own = {number: phone.tone_hz for number, phone in self.bank.phones.items() if phone.tone_hz}
        return own | {"music": HOLD_HZ}

    def phone(self, number: str, on_call: OnCall | None = None) -> Phone:
        """A phone with this number; one of AGENTS is an agent's, others are callers' and customers'."""
        return self.bank.phone(number, next(self._tones), on_call)

    def agent(self, on_call: OnCall | None = None, number: str = AGENTS[0]) -> Phone:
        """An agent's phone."""
        return self.phone(number, on_call)

    async def talk(self, caller: Phone, agent: Phone, entry: str = "plain_support") -> tuple[Call, Call]:
        """A call from the caller that this agent has answered, as both phones have it. Raises TimeoutError."""
        call = caller.call(entry)
        there = await agent.next_call()
        there.ring()
        await there.answer()
        await call.until(State.TALKING)
        await self.event("BridgeEnter", Channel=await self.channel(agent.number))
        return call, there

    async def channel(self, number: str) -> str:
        """The newest channel of a phone: an agent's by its endpoint, a caller's by its number."""
        return (await self._newest(number))["Channel"]

    async def uniqueid(self, number: str) -> str:
        """Uniqueid of the newest channel of a phone."""
        return (await self._newest(number))["Uniqueid"]

    async def _newest(self, number: str) -> Message:
        def is_its(event: Message) -> bool:
            if event.get("Event") != "Newchannel" or not event["Channel"].startswith("PJSIP/"):
                return False
            own = event["Channel"].startswith(f"PJSIP/{number}-")
            return own or (number not in AGENTS and event.get("CallerIDNum") == number)

        await self.ami.wait_event(is_its, _EVENT_S)
        return [event for event in self.ami.events if is_its(event)][-1]

    async def event(self, name: str, timeout_s: float = _EVENT_S, **headers: str) -> Message:
        """The first event of this name with these headers, seen already or to come. Raises TimeoutError."""

        def matches(event: Message) -> bool:
            return event.get("Event") == name and all(event.get(key) == value for key, value in headers.items())

        return await self.ami.wait_event(matches, timeout_s)

    async def whisper(self, uniqueid: str, prompt: str) -> Message:
        """Whisper a prompt to a channel; the response of Originate."""
        variables = {"SPYCHAN": uniqueid, "PROMPT": prompt}
        return await self.ami.action(
            "Originate", variables, Channel="Local/s@talk-whisper/n", Context="talk-say", Exten="s", Priority="1",
            Async="true",
        )  # fmt: skip


@asynccontextmanager
async def talk_lab(
    version: Version, more: Callable[[int], Mapping[str, str]] = lambda phones_port: {}
) -> AsyncIterator[TalkLab]:
    """An Asterisk with everything that talks need. Raises LabError.

    `more` gives texts to add to its files, from the phones' port.
    """
    port = 0

    def files(ports: PortBlock) -> dict[str, str]:
        nonlocal port
        port = ports.named()
        return additions(port, more(port))

    async with (
        open_lab(version, additions=files) as lab,
        PhoneBank((LOOPBACK, lab.asterisk.ports.sip), port) as bank,
    ):
        yield TalkLab(lab, bank)
