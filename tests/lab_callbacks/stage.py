"""A real Asterisk with agents and customers for call-backs: each test has an agent, a queue and a caller of its own."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from callflow.adapters.store.callback_list import CallbackList
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.lab.lab import Lab, open_lab
from callflow.lab.phone.call import Call, State
from callflow.lab.phone.legs import PhoneLeg, phone_legs
from callflow.lab.phone.phone import OnCall, PhoneBank
from callflow.processes.daemon import Config
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.scenarios.site import Version

LOCAL_FROM = 30
"""Agents from this number on are reached through a Local channel."""
AGENTS = 40
KEY_AT_S = 1.2
SHOWN = "4000"


@dataclass(frozen=True)
class Pair:
    """An agent and a caller, by their number in this lab."""

    number: int

    @property
    def agent(self) -> str:
        return f"80{self.number:02}"

    @property
    def queue(self) -> str:
        return f"q{self.number:02}"

    @property
    def customer(self) -> str:
        return f"13855550{self.number:03}"


class Stage:
    """Phones, the list, and what the wire has seen."""

    def __init__(self, lab: Lab, bank: PhoneBank) -> None:
        self.lab, self.bank = lab, bank
        self.entries = CallbackList(lab.work / "callflow.db", "main", busy_s=20)

    def settings(self, **changes: object) -> Config:
        """Settings of a daemon that may call everybody at any time."""
        callbacks: dict[str, object] = {
            "dial": "PJSIP/{number}@customers",
            "caller_id": SHOWN,
            "agent_ring_s": 5,
            "customer_ring_s": 5,
            "profiles": {"default": {"zone": "UTC", "hours": ["mon-sun 00:00-24:00"], "after_s": 0}},
        }
        return {"callbacks": callbacks | changes}

    def phones(self, pair: Pair, agent: OnCall, customer: OnCall) -> None:
        """What the two phones of a pair do with calls that come in."""
        self.bank.phone(pair.agent, 0, agent)
        self.bank.phone(pair.customer, 0, customer)

    def add(self, pair: Pair, *, number: str = "", keeps: Pair | None = None, automatic: bool = False) -> Entry:
        """List a caller; `keeps`: with a place in this pair's queue. Automatic calls are due, others later."""
        now_ms = round(1000 * time.time())
        rules = CallbackRules.model_validate(self.settings()["callbacks"])
        due_ms = now_ms if automatic else now_ms + 3_600_000
        queue, place = (keeps.queue, 1) if keeps else ("", 0)
        wanted = Wanted(
            number or pair.customer, "default", Reason.SILENT, now_ms, "of this test", queue=queue, place=place,
            due_ms=due_ms,
        )  # fmt: skip
        return self.entries.add(wanted, rules, now_ms)[0]

    def wish(self, pair: Pair, entry: Entry) -> None:
        """Ask for the call, as `callflow callbacks dial` does."""
        now_ms = round(1000 * time.time())
        self.entries.change(entry.callback_id, lambda now: now.changed(now_ms, "boss", "asks", wish=pair.agent))

    async def until(self, found: Callable[[], object], timeout_s: float = 30.0) -> None:
        """Wait for a change that another process makes. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not found():  # noqa: ASYNC110 - another process writes the database
                await asyncio.sleep(0.05)

    async def settled(self, entry: Entry, timeout_s: float = 40.0) -> Entry:
        """The entry when its attempt is over and its agent released."""

        def over() -> bool:
            now = self.entries.find(entry.callback_id)
            calls = self.entries.attempts(entry.callback_id)
            return not now.wish and all(call.outcome and not call.paused_in for call in calls)

        await self.until(over, timeout_s)
        return self.entries.find(entry.callback_id)

    async def call(self, pair: Pair) -> Entry:
        """The caller is called back; returns the settled entry."""
        entry = self.add(pair)
        self.wish(pair, entry)
        return await self.settled(entry)

    def invites(self, number: str) -> list[PhoneLeg]:
        """The calls that came to a number, as its phone saw them on the wire."""
        return [leg for leg in phone_legs(self.bank.log) if leg.number == number]

    def outcomes(self, entry: Entry) -> list[str]:
        """How the attempts of an entry ended."""
        return [call.outcome.value if call.outcome else "" for call in self.entries.attempts(entry.callback_id)]

    async def is_paused(self, pair: Pair) -> bool:
        """Whether the agent is paused, as Asterisk reports it."""
        entries = await self.lab.asterisk.ami.action("Command", Command=f"queue show {pair.queue}")
        return "(paused" in entries.get("Output", "")


@asynccontextmanager
async def stage(version: Version) -> AsyncIterator[Stage]:
    """An Asterisk with all agents, queues and customers. Raises LabError."""
    port = 0

    def more(ports: PortBlock) -> dict[str, str]:
        nonlocal port
        port = ports.named()
        return _additions(port)

    async with open_lab(version, additions=more) as lab, PhoneBank((LOOPBACK, lab.asterisk.ports.sip), port) as bank:
        yield Stage(lab, bank)


def _additions(port: int) -> dict[str, str]:
    pairs = [Pair(number) for number in range(AGENTS)]
    names = (*(pair.agent for pair in pairs), "customers")
    return {
        "pjsip.conf": "".join(
            f"\n[{name}]\ntype = endpoint\ncontext = cb-phones\naors = {name}\ndisallow = all\nallow = ulaw\n"
            f"direct_media = no\ndtmf_mode = auto_info\n[{name}]\ntype = aor\ncontact = sip:{name}@{LOOPBACK}:{port}\n"
            for name in names
        ),
        "queues.conf": "".join(_queue(pair) for pair in pairs),
        "extensions.conf": (
            "\n[from-lab]\n"
            "exten => _q[0-9][0-9],1,MSet(CALLFLOW_QUEUE=${EXTEN},CALLFLOW_SITE=${CONTEXT})\n"
            " same => n,Answer()\n same => n,Queue(${EXTEN})\n same => n,Hangup()\n"
            "exten => cbwait,1,Answer()\n same => n,Wait(30)\n same => n,Hangup()\n"
            "\n[cb-member]\nexten => _80XX,1,Dial(PJSIP/${EXTEN},20)\n"
            "\n[cb-phones]\nexten => _X!,1,Hangup()\nexten => _138X!,1,Dial(PJSIP/${EXTEN}@customers,20)\n"
        ),
    }


def _queue(pair: Pair) -> str:
    local = pair.number >= LOCAL_FROM
    interface = f"Local/{pair.agent}@cb-member/n,0,{pair.agent},PJSIP/{pair.agent}" if local else f"PJSIP/{pair.agent}"
    return (
        f"\n[{pair.queue}]\nstrategy = ringall\ntimeout = 15\nretry = 1\nringinuse = no\nwrapuptime = 0\n"
        f"context = callflow-keep-place\nmember => {interface}\n"
    )


# -- what phones do -----------------------------------------------------------------------------------------------


def answers(*, ring_s: float = 0.3, keys: str = "", key_at_s: float = KEY_AT_S, talk_s: float | None = 1.5) -> OnCall:
    """Rings, answers, presses keys, talks for a while and hangs up; `talk_s` None: waits for the other's BYE."""

    async def behave(call: Call) -> None:
        call.ring()
        await asyncio.sleep(ring_s)
        await call.answer()
        if keys:
            await asyncio.sleep(key_at_s)
            if call.state is State.TALKING:
                await call.press(keys)
        if talk_s is not None:
            await asyncio.sleep(talk_s)
            await call.hang_up()

    return behave


def refuses(status: int) -> OnCall:
    """Rings and refuses."""

    async def behave(call: Call) -> None:
        call.ring()
        await asyncio.sleep(0.2)
        await call.refuse(status)

    return behave


def ignores() -> OnCall:
    """Rings without end."""

    async def behave(call: Call) -> None:
        call.ring()

    return behave


def takes(*, keys: str = "1", hangs_up_after_s: float | None = None) -> OnCall:
    """An agent who accepts, and stays until the other hangs up, or for so long."""
    return answers(keys=keys, talk_s=hangs_up_after_s)


async def all_of(*works: Awaitable[object]) -> list[object]:
    return list(await asyncio.gather(*works))
