"""Callers who rate their calls, at the same time on one real Asterisk: phones, dialplan, and what they did."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import played
from callflow.lab.talks.talk_lab import TalkLab
from callflow.processes.ports import LOOPBACK
from callflow.sound.audio import read_wav
from callflow.sound.mulaw import Samples

SPACING_S = 0.2
PROMPTS = ("rate_efficiency", "rate_attitude", "rate_correctness", "rate_thanks")
NOBODY = 9
"""A port on which nobody listens."""
Entry = Literal["queue", "line", "deaf"]


@dataclass
class Raters:
    """One scenario: a caller, up to two agents, and what happened to them."""

    name: str
    number: int
    entry: Entry
    act: Callable[["Raters"], Awaitable[None]]
    keys_by: Literal["rfc4733", "info"] = "rfc4733"
    talks: TalkLab | None = None
    call: Call | None = None
    left_at: float = 0.0
    """When the agent hung up."""
    pressed: list[tuple[str, float]] = field(default_factory=list)
    """Keys, and when the last packet of each was sent."""

    @property
    def caller(self) -> str:
        return f"13800{self.number:03d}"

    @property
    def agent(self) -> str:
        return f"7{self.number:02d}0"

    @property
    def second_agent(self) -> str:
        return f"7{self.number:02d}1"

    @property
    def lab(self) -> TalkLab:
        assert self.talks is not None
        return self.talks

    @property
    def mine(self) -> Call:
        assert self.call is not None
        return self.call

    async def talk(self) -> Call:
        """The caller talks to the agent, whose side of the call is returned."""
        agent, caller = self.lab.phone(self.agent), self.lab.phone(self.caller)
        self.call = caller.call(f"{self.entry}{self.number}")
        return await self.answer(agent.number)

    async def answer(self, number: str) -> Call:
        there = await self.lab.bank.phones[number].next_call(15)
        there.ring()
        await there.answer()
        await self.mine.until(State.TALKING)
        await asyncio.sleep(0.5)
        return there

    async def agent_leaves(self, there: Call) -> None:
        await there.hang_up()
        self.left_at = asyncio.get_running_loop().time()

    async def press(self, key: str, after_s: float = 0.8) -> None:
        """Press a key, this long after the last event."""
        await asyncio.sleep(after_s)
        await self.mine.press(key, self.keys_by)
        self.pressed.append((key, self._last_key_s()))

    def _last_key_s(self) -> float:
        if self.keys_by == "info":
            sent = [
                one for one in self.lab.bank.messages(self.mine.call_id) if one.sent and one.message.method == "INFO"
            ]
            return sent[-1].at
        return [frame.at for frame in self.mine.media.sent if len(frame.payload) == 4][-1]

    async def over(self, timeout_s: float = 40.0) -> None:
        await self.mine.until(State.ENDED, timeout_s)

    def heard(self, prompt: str) -> float | None:
        """When a prompt began, epoch seconds; None if it was not heard."""
        found = played(self.mine.media.received, prompt_samples(self.lab, prompt))
        return None if found is None else found.span.began

    def next_prompt_ms(self, key_number: int) -> float:
        """From the last packet of a key to the first sound of the prompt that follows its question, ms.

        About 50 ms of it are the silence at the beginning of every prompt.
        """
        began = self.heard(PROMPTS[key_number + 1])
        assert began is not None
        return 1000 * (began - self.pressed[key_number][1])


def prompt_samples(lab: TalkLab, prompt: str) -> Samples:
    return read_wav(lab.lab.sounds / f"en/callflow/{prompt}.wav")


def rating_files(port: int, raters: list[Raters]) -> dict[str, str]:
    """Endpoints, a queue for each scenario, and the entries."""
    agents = [number for one in raters for number in (one.agent, one.second_agent)]
    return {
        "pjsip.conf": "".join(_endpoint(number, port) for number in agents),
        "queues.conf": "".join(_queue(one) for one in raters),
        "extensions.conf": "\n[from-lab]\n" + "".join(_entry(one) for one in raters) + _AFTER,
    }


_AFTER = """
[rate-after]
exten => s,1,Gosub(callflow-rating,s,1)
 same => n,UserEvent(LabRating,Number: ${CALLERID(num)},Rating: ${CALLFLOW_RATING},Agi: ${AGISTATUS})
 same => n,Hangup()
exten => h,1,UserEvent(LabRatingH,Number: ${CALLERID(num)},Rating: ${CALLFLOW_RATING})
[rate-agents]
exten => _7XXX,1,Dial(PJSIP/${EXTEN},15)
 same => n,Hangup()
exten => 99,1,Goto(rate-after,s,1)
"""


def _endpoint(number: str, port: int) -> str:
    return (
        f"\n[{number}]\ntype = endpoint\ncontext = rate-agents\naors = {number}\ndisallow = all\nallow = ulaw\n"
        f"direct_media = no\n[{number}]\ntype = aor\ncontact = sip:{number}@{LOOPBACK}:{port}\n"
    )


def _queue(one: Raters) -> str:
    return f"\n[rate{one.number}]\nstrategy = ringall\ntimeout = 15\nretry = 1\nmember => PJSIP/{one.agent}\n"


def _entry(one: Raters) -> str:
    deaf = f"Set(CALLFLOW_AGI=agi://{LOOPBACK}:{NOBODY}/screen)" if one.entry == "deaf" else "NoOp()"
    talk = f"Dial(PJSIP/{one.agent},15,gtT)" if one.entry == "line" else f"Queue(rate{one.number},ctT)"
    return (
        f"exten => {one.entry}{one.number},1,{deaf}\n same => n,Set(CHANNEL(language)=en)\n same => n,Answer()\n"
        f" same => n,{talk}\n same => n,Goto(rate-after,s,1)\n"
    )
