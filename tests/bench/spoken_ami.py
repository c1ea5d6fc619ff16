"""The smallest AMI that assistance needs: talks whose parties take turns, whispers that attach, play and end."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from random import Random

from callflow.simulator.pretend.audio_socket import AudioSocket
from tests.hearing.callers import voice

LISTS = {"CoreShowChannels": "CoreShowChannelsComplete", "QueueStatus": "QueueStatusComplete"}
PROMPT_S = 2.5
PACKETS_PER_S = 50
PACKET_S = 1 / PACKETS_PER_S
SILENCE = bytes(320)
"""20 ms, as AudioSocket carries it."""
VOICE = voice(-26, 6.0).tobytes()
SHORTEST_S, LONGEST_S = 60.0, 180.0
"""Talks of callers who speak; then the next caller comes to the same agent."""


class SpokenAmi:
    """Listens on a free port. `talk` begins one talk, which lasts until the end."""

    def __init__(self) -> None:
        self.actions: Counter[str] = Counter()
        self.events = 0
        self.taps = 0
        """Open now."""
        self.most_taps = 0
        self.opened = self.whispers = 0
        """Taps and whispers that were begun."""
        self.talks = 0
        self.port = 0
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self._silent: set[str] = set()
        """Uniqueids of callers who say nothing."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._began = time.time()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._server is not None:
            self._server.close()

    def talk(self, number: int, random: Random, *, silent: bool, held: bool) -> None:
        """A caller and an agent who take turns; a silent caller never does, a held one waits with music."""
        self._spawn(self._talk(number, random, silent=silent, held=held))

    def _spawn(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _talk(self, number: int, random: Random, *, silent: bool, held: bool) -> None:
        caller, agent = self._begin(number, 0, silent=silent)
        await asyncio.sleep(random.uniform(0.2, 1.0))
        if held:
            await self._turn(agent, 1.5)
            await self._turn(caller, 1.5)
            self._event("Hold", agent)
            return
        if silent:
            while True:
                await self._turn(agent, random.uniform(0.8, 3.0))
                await asyncio.sleep(random.uniform(8.0, 12.0))
        lasts_s = random.uniform(0.0, LONGEST_S)  # the first has begun before
        for serial in itertools.count(1):
            with suppress(TimeoutError):
                async with asyncio.timeout(lasts_s):
                    await self._converse(caller, agent, random)
            for party in (caller, agent):
                self._event("BridgeLeave", party, BridgeUniqueid=f"bridge-{number}")
                self._event("Hangup", party, Cause="16")
            caller, agent = self._begin(number, serial, silent=False)
            lasts_s = random.uniform(SHORTEST_S, LONGEST_S)

    async def _converse(self, caller: dict[str, str], agent: dict[str, str], random: Random) -> None:
        for party in itertools.cycle((agent, caller)):
            await self._turn(party, random.uniform(0.8, 3.0))
            await asyncio.sleep(random.uniform(0.1, 0.6))

    def _begin(self, number: int, serial: int, *, silent: bool) -> tuple[dict[str, str], dict[str, str]]:
        """A caller has been answered: the channels of both."""
        self.talks += 1
        caller, agent = (_channel(name, f"{number}.{2 * serial + side}") for side, name in _sides(number))
        if silent:
            self._silent.add(caller["Uniqueid"])
        names = {f"Dest{name}": value for name, value in agent.items()}
        self._event("Newchannel", caller)
        self._event("Newchannel", agent)
        self._event("DialBegin", caller | names, DialString=f"8{number:03}")
        self._event("Newstate", agent, ChannelStateDesc="Up")
        self._event("DialEnd", caller | names, DialStatus="ANSWER")
        for party in (agent, caller):
            self._event("BridgeEnter", party, BridgeUniqueid=f"bridge-{number}")
        return caller, agent

    async def _turn(self, party: dict[str, str], seconds: float) -> None:
        self._event("ChannelTalkingStart", party)
        await asyncio.sleep(seconds)
        self._event("ChannelTalkingStop", party, Duration=str(round(1000 * seconds) - 160))

    async def _whisper(self, say_id: str) -> None:
        self.whispers += 1
        await asyncio.sleep(0.1)
        self._event("ChanSpyStart", {}, SpyerUniqueid=f"{say_id};spy")
        await asyncio.sleep(PROMPT_S)
        self._event("Hangup", {"Channel": "Local/s@callflow-whisper-1;1", "Uniqueid": say_id})

    async def _tap(self, uniqueid: str, uuid: str, address: str) -> None:
        """The sound of a caller, until the daemon hangs up."""
        sound = SILENCE if uniqueid in self._silent else VOICE
        loop, closed = asyncio.get_running_loop(), asyncio.Event()
        connection = AudioSocket(uuid, lambda by_peer: closed.set())
        await connection.connect(address)
        self.opened += 1
        self.taps += 1
        self.most_taps = max(self.most_taps, self.taps)
        due_at = loop.time()
        for at in itertools.cycle(range(0, len(sound), len(SILENCE))):
            if closed.is_set():
                break
            connection.send(sound[at : at + len(SILENCE)])
            due_at += PACKET_S
            await asyncio.sleep(due_at - loop.time())
        self.taps -= 1

    def _event(self, name: str, party: dict[str, str], **more: str) -> None:
        self.events += 1
        fields = {"Event": name, "Privilege": "call,all", "Timestamp": f"{time.time():.6f}", **party, **more}
        self._send(self._writers[:1], fields.items())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"Asterisk Call Manager/11.0.0\r\n")
        action: dict[str, str] = {}
        variables: list[str] = []
        while line := await reader.readline():
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name == "Variable":
                variables.append(value)
            if name:
                action[name] = value
            elif action:
                self._answer(action, variables, writer)
                action, variables = {}, []

    def _answer(self, action: dict[str, str], variables: list[str], writer: asyncio.StreamWriter) -> None:
        name, answer = action["Action"], {"Response": "Success", "ActionID": action.get("ActionID", "")}
        self.actions[name] += 1
        if name.lower() == "login" and action.get("Events", "on") == "on":
            self._writers.insert(0, writer)
        if name == "Getvar":
            packets = round((time.time() - self._began) * PACKETS_PER_S)
            answer |= {"Variable": action["Variable"], "Value": str(packets)}
        if name == "Originate" and "callflow-whisper" in action["Channel"]:
            self._spawn(self._whisper(action["ChannelId"]))
        if name == "Originate" and "callflow-tap" in action["Channel"]:
            given = dict(variable.split("=", 1) for variable in variables)
            self._spawn(self._tap(given["TAPCHAN"], given["TAPUUID"], given["TAPADDRESS"]))
        self._send([writer], answer.items())
        if name in LISTS:
            end = {"Event": LISTS[name], "ActionID": action["ActionID"], "EventList": "Complete"}
            self._send([writer], end.items())

    def _send(self, writers: Iterable[asyncio.StreamWriter], fields: Iterable[tuple[str, str]]) -> None:
        message = ("".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n").encode()
        for writer in writers:
            writer.write(message)


def _sides(number: int) -> tuple[tuple[int, str], tuple[int, str]]:
    """Place among the channels of a talk, and endpoint, of the caller and of the agent."""
    return (1, "trunk"), (2, f"8{number:03}")


def _channel(endpoint: str, uniqueid: str) -> dict[str, str]:
    number, _, place = uniqueid.partition(".")
    linkedid = f"{number}.{(int(place) - 1) // 2 * 2 + 1}"
    serial = f"{abs(hash(uniqueid)) & 0xFFFFFFFF:08x}"
    return {"Channel": f"PJSIP/{endpoint}-{serial}", "Uniqueid": uniqueid, "Linkedid": linkedid}
