"""A pretend Asterisk with the dialplan of the lab's talks, played in virtual time and asked over AMI."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from callflow.lab.talks.asterisk_files import QUEUES, additions
from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import ASTERISK_22, Flavour
from callflow.simulator.pretend.report import Outcome
from callflow.simulator.pretend.world import Places
from tests.simulator.pretend.stage import Event, Peer, free_port, in_virtual_time, scenario

TONES_S = {"lab/tone_1450": 4.0, "lab/tone_1550": 4.0}
CUSTOMER = "13800001111"


def agent(*acts: dict[str, Any], number: str = "8001", **more: Any) -> dict[str, Any]:
    """An agent's phone of the queue `support`."""
    features = {"*71": "Gosub(talk-feature,s,1(louder))", "*72": "Gosub(talk-feature,s,1(lookup))"}
    own = {"number": number, "after_s": 0.2, "queues": ["support"], "context": "talk-phones", "acts": list(acts)}
    return own | {"features": features} | more


def customer(**more: Any) -> dict[str, Any]:
    """A customer's phone."""
    return {"number": CUSTOMER, "after_s": 0.2, "context": "talk-phones"} | more


class Desk:
    """One pretend Asterisk, a session that acts, and another that sees every event."""

    def __init__(self, asterisk: PretendAsterisk, acting: Peer) -> None:
        self.asterisk, self.acting = asterisk, acting
        self.events: list[Event] = []
        self.outcomes: list[Outcome] = []

    async def originate(self, channel_id: str, channel: str = "PJSIP/8001", **headers: str) -> Event:
        """A call-back to CUSTOMER."""
        own = {
            "Action": "Originate", "Channel": channel, "Context": "talk-callback", "Exten": "s", "Priority": "1",
            "Async": "true", "ChannelId": channel_id, "Variable": f"CBNUM={CUSTOMER}", "ActionID": channel_id,
            "CallerID": f'"Call back" <{CUSTOMER}>',
        } | headers  # fmt: skip
        return await self.acting.ask(*(f"{name}: {value}" for name, value in own.items()))

    async def whisper(self, uniqueid: str) -> Event:
        """A prompt that only one channel hears."""
        return await self.acting.ask(
            "Action: Originate", "Channel: Local/s@talk-whisper/n", "Context: talk-say", "Exten: s", "Priority: 1",
            "Async: true", "ChannelId: talk-w1", "OtherChannelId: talk-w2", f"Variable: SPYCHAN={uniqueid}",
            "Variable: PROMPT=lab/tone_1550",
        )  # fmt: skip

    def of(self, *names: str) -> list[Event]:
        """The events of these names."""
        return [event for event in self.events if event.get("Event") in names]

    def told(self, name: str) -> list[Event]:
        """The UserEvents of this name."""
        return [event for event in self.events if event.get("UserEvent") == name]

    async def until(self, seen: Callable[[], bool], timeout_s: float = 120.0) -> None:
        """Wait for something to be seen. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not seen():  # noqa: ASYNC110 - time is virtual
                await asyncio.sleep(0.01)

    def caller(self) -> Event:
        """Newchannel of the last caller."""
        return [event for event in self.of("Newchannel") if event["Channel"].startswith("PJSIP/caller-")][-1]


def at_the_desk(
    phones: list[dict[str, Any]],
    work: Callable[[Desk], Awaitable[None]],
    callers: list[dict[str, Any]] | None = None,
    flavour: Flavour = ASTERISK_22,
) -> Desk:
    """Play these phones and callers, and run `work` meanwhile."""

    async def play() -> Desk:
        plan = scenario(
            callers or [],
            phones=phones,
            music=True,
            sounds_s=TONES_S,
            exit_contexts=_EXITS,
            dialplan=additions(5060)["extensions.conf"],
        )
        ended: list[Outcome] = []
        asterisk = PretendAsterisk(plan, Places(free_port()), flavour=flavour, on_outcome=ended.append)
        await asterisk.start(0)
        acting, watching = await Peer.to(asterisk.ami.port), await Peer.to(asterisk.ami.port)
        await acting.login("off")
        await watching.login()
        desk = Desk(asterisk, acting)
        desk.outcomes = ended
        listening = asyncio.create_task(_listen(watching, desk.events))
        asterisk.begin()
        try:
            await work(desk)
        finally:
            asterisk.close()
            await listening
            acting.writer.close()
        assert asterisk.world.failures == []
        return desk

    return in_virtual_time(play)


async def _listen(watching: Peer, events: list[Event]) -> None:
    try:
        while True:
            events.append(await watching.message())
    except (asyncio.IncompleteReadError, ConnectionError):
        watching.writer.close()


_EXITS = dict.fromkeys(QUEUES, "talk-exit")
