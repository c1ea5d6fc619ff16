"""Callers who are tapped without the daemon, with every end that a tap can have: on real and pretend Asterisk."""

import asyncio
import struct
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from callflow.lab.ami import AmiClient, Message
from callflow.lab.caller_plan import plan_caller, with_audio
from callflow.lab.lab import Lab
from callflow.lab.sipp import Caller
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.behaviour import CallerAction
from callflow.scenarios.site import AMI_SECRET, AMI_USER
from tests.adapters.waiting import until

AFTER_S = 1.0
"""From a caller's answer to the Originate of the tap."""
FRAME_S = 0.02
_HEADER = struct.Struct("!BH")
_UUID, _AUDIO = 0x01, 0x10
SILENCE = _HEADER.pack(_AUDIO, 320) + bytes(320)
SPEECH_AT_S = 2.0
_NOBODY = "1700000000.999999"
PATIENCE_S = 15.0


@dataclass(frozen=True)
class TapCall:
    """One caller and their tap. `closes_s`: the ear closes so long after its connection; 0: at once."""

    name: str
    leaves_s: float
    media: Literal["silence", "none"] = "silence"
    does: tuple[dict[str, Any], ...] = ()
    """As in a scenario file; times in seconds."""
    closes_s: float | None = None
    answers: bool = True
    """The ear sends silence back all the time."""
    refused: bool = False
    absent: bool = False
    """No such caller: a uniqueid that nobody has."""
    counted_at_s: tuple[float, ...] = ()


TAP_CALLS = (
    TapCall("caller-leaves", 4.0),
    TapCall("ear-closes", 4.0, closes_s=1.5),
    TapCall("ear-closes-at-once", 3.0, closes_s=0.0),
    TapCall("refused", 3.0, refused=True),
    TapCall("nobody", 3.0, absent=True),
    TapCall("no-media", 5.0, "none"),
    TapCall("no-media-no-answer", 5.0, "none", answers=False),
    TapCall("no-answer", 4.0, answers=False),
    TapCall("to-an-agent", 8.0, does=({"at": SPEECH_AT_S, "sound": "speech"},)),
)
SPACING_S = 0.8
ENTRY = "dial_en_support"


@dataclass
class Ear:
    """An AudioSocket server for one tap: what came, and when (seconds of the loop's clock)."""

    call: TapCall
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    port: int = 0
    asked_at: float = 0.0
    """When the tap was originated."""
    connected_at: float | None = None
    introduced: str = ""
    frames: list[tuple[float, bytes]] = field(default_factory=list)
    ended_at: float | None = None
    counts: list[int] = field(default_factory=list)
    """Received RTP packets as Asterisk counts them, at `counted_at_s` of the call."""
    talking: list[tuple[str, float]] = field(default_factory=list)
    """TALK_DETECT's events, with seconds since the answer."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        loop = asyncio.get_running_loop()
        self.connected_at = loop.time()
        if self.call.closes_s is not None:
            loop.call_later(self.call.closes_s, writer.transport.abort)
        answering = asyncio.create_task(self._answer(writer)) if self.call.answers else None
        try:
            while True:
                kind, length = _HEADER.unpack(await reader.readexactly(_HEADER.size))
                payload = await reader.readexactly(length)
                if kind == _UUID:
                    self.introduced = str(uuid.UUID(bytes=payload))
                elif kind == _AUDIO:
                    self.frames.append((loop.time(), payload))
        except (asyncio.IncompleteReadError, ConnectionError):
            self.ended_at = loop.time()
        finally:
            if answering is not None:
                answering.cancel()
            writer.transport.abort()

    @staticmethod
    async def _answer(writer: asyncio.StreamWriter) -> None:
        while not writer.transport.is_closing():
            writer.write(SILENCE)
            await asyncio.sleep(FRAME_S)


async def tap_on_lab(lab: Lab, ask_port: int, calls: Sequence[TapCall] = TAP_CALLS) -> list[Ear]:
    """Place the calls on a lab whose daemon, or a stand-in, is running. Returns when all have ended."""
    placed = []
    async with tapping(lab.asterisk.ports.ami, ask_port, calls) as ears:
        loop = asyncio.get_running_loop()
        began = loop.time()
        for number, call in enumerate(calls):
            actions = [CallerAction.model_validate(action) for action in call.does]
            plan = plan_caller(actions, call.media, {"end": 0.0}, call.leaves_s)
            caller = with_audio(plan, Caller(str(1001 + number), ENTRY), lab.voice, lab.work / call.name)
            await asyncio.sleep(max(0.0, began + SPACING_S * number - loop.time()))
            placed.append(await lab.call(caller))
        await asyncio.gather(*(call.wait(30) for call in placed))
    await until(lambda: all(ear.ended_at for ear in ears if ear.connected_at))
    while (await lab.asterisk.ami.action("CoreStatus"))["CoreCurrentCalls"] != "0":  # noqa: ASYNC110 - there is no event
        await asyncio.sleep(FRAME_S)
    return ears


def tap_scenario(first_at_s: float, talk_s: float, calls: Sequence[TapCall] = TAP_CALLS) -> dict[str, Any]:
    """The same callers as a scenario."""
    callers = [
        {
            "name": call.name,
            "at_s": first_at_s + SPACING_S * number,
            "number": str(1001 + number),
            "language": "en",
            "media": call.media,
            "stays_s": call.leaves_s,
            "does": list(call.does),
        }
        for number, call in enumerate(calls)
    ]
    return {"purpose": "Callers who are tapped.", "agents": {"ring_s": 0.5, "talk_s": talk_s}, "callers": callers}


@asynccontextmanager
async def tapping(watch_port: int, ask_port: int, calls: Sequence[TapCall] = TAP_CALLS) -> AsyncIterator[list[Ear]]:
    """Taps the callers 1001 and on as they are answered; the ears, in the order of the calls.

    Watches one AMI port for them, and originates at another.
    """
    watch = await AmiClient.connect(watch_port, AMI_USER, AMI_SECRET)
    ask = AmiClient(*await asyncio.open_connection(LOOPBACK, ask_port))
    await ask.action("Login", Username=AMI_USER, Secret=AMI_SECRET, Events="off")
    ears = [Ear(call) for call in calls]
    servers = []
    for ear in ears:
        servers.append(server := await asyncio.start_server(ear.serve, LOOPBACK, 0))
        ear.port = server.sockets[0].getsockname()[1]
        if ear.call.refused:
            server.close()
    tasks = [asyncio.create_task(_tap(watch, ask, ear, str(1001 + n))) for n, ear in enumerate(ears)]
    try:
        yield ears
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        for server in servers:
            server.close()
        await asyncio.gather(watch.close(), ask.close())


async def _tap(watch: AmiClient, ask: AmiClient, ear: Ear, number: str) -> None:
    def called(event: Message) -> bool:
        return event.get("Event") == "Newchannel" and event.get("CallerIDNum") == number

    new = await watch.wait_event(called, PATIENCE_S)

    def answered(event: Message) -> bool:
        return event.get("Uniqueid") == new["Uniqueid"] and event.get("ChannelStateDesc") == "Up"

    up = await watch.wait_event(answered, PATIENCE_S)
    answered_at = asyncio.get_running_loop().time()
    await asyncio.sleep(AFTER_S)
    ear.asked_at = asyncio.get_running_loop().time()
    variables = {
        "TAPCHAN": _NOBODY if ear.call.absent else new["Uniqueid"],
        "TAPUUID": ear.uuid,
        "TAPADDRESS": f"{LOOPBACK}:{ear.port}",
    }
    await ask.action(
        "Originate", variables, Channel="Local/s@callflow-tap/n", Context="callflow-ear", Exten="s", Priority="1",
        Async="true",
    )  # fmt: skip
    for at_s in ear.call.counted_at_s:
        await asyncio.sleep(max(0.0, answered_at + at_s - asyncio.get_running_loop().time()))
        told = await ask.action("Getvar", Channel=new["Channel"], Variable="CHANNEL(rtcp,rxcount)")
        ear.counts.append(int(told["Value"]))
    if ear.call.counted_at_s:
        await watch.wait_event(lambda event: event["Event"] == "Hangup" and event["Uniqueid"] == new["Uniqueid"], 30)
        ear.talking = [
            (event["Event"].removeprefix("ChannelTalking"), float(event["Timestamp"]) - float(up["Timestamp"]))
            for event in watch.events
            if event["Event"].startswith("ChannelTalking") and event["Uniqueid"] == new["Uniqueid"]
        ]
