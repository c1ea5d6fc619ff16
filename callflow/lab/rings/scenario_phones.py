"""What each phone of a ring scenario does by itself, and what the caller does."""

import asyncio
from contextlib import suppress
from typing import get_args

from callflow.lab.phone.behaviour import Behaviour, Does, leave_after
from callflow.lab.phone.call import Call, State
from callflow.lab.phone.heard import TONES_HZ, Span, who_was_heard
from callflow.lab.phone.phone import Phone, PhoneBank
from callflow.lab.rings.numbering import Numbered
from callflow.lab.rings.scenario import Act, Party, Scenario
from callflow.lab.rings.scenario import Phone as Described

LONGEST_S = 90.0
_COMMA_S = 0.5
_VOICE_S = 0.2
TONES: dict[Party, int] = dict(zip(get_args(Party), TONES_HZ, strict=False))


class ScenarioPhones:
    """The phones of one scenario, and its caller's."""

    def __init__(self, bank: PhoneBank, numbered: Numbered) -> None:
        self.numbered = numbered
        self._bank = bank
        scenario = numbered.scenario
        self.phones: dict[Party, Phone] = {
            "caller": self._phone("caller", Described(ring_s=1.0, talk_s=scenario.leaves_s))
        }
        for letter, phone in scenario.phones.items():
            self.phones[letter] = self._phone(letter, phone)

    def _tone(self, party: Party) -> int | None:
        return TONES[party] if self.numbered.scenario.sound else None

    def _phone(self, party: Party, described: Described) -> Phone:
        behaviour = _behaviour(described, self.numbered)
        return self._bank.phone(self.numbered.number(party), self._tone(party), behaviour)

    async def place(self) -> None:
        """The caller's call, from the INVITE to its end."""
        scenario = self.numbered.scenario
        await self.talk(self.phones["caller"], self.numbered.entry, scenario.leaves_s, scenario)

    async def talk(self, phone: Phone, to: str, for_s: float, scenario: Scenario | None = None) -> None:
        """Call a number, and hang up `for_s` after the answer; in a scenario that `cancels`, after the INVITE."""
        call = phone.call(to)
        answered = State.ENDED if scenario and scenario.cancels else State.TALKING
        with suppress(TimeoutError):
            await call.until(answered, for_s if answered is State.ENDED else LONGEST_S)
        if call.state is State.TALKING:
            await leave_after(call, for_s)
        await call.hang_up()

    async def end(self) -> None:
        """Hang up on every phone."""
        await asyncio.gather(*(call.hang_up() for phone in self.phones.values() for call in phone.calls))

    def heard(self) -> dict[Party, tuple[Party, ...]]:
        """Which parties each party heard, in order of the first time, over all its calls."""
        return {party: _heard(phone) for party, phone in self.phones.items()}

    async def act(self, act: Act) -> None:
        """Carry out one act of a phone; its first call is the one that is transferred or held."""
        phone = self.phones[act.phone]
        to = self.numbered.dialled(act.to)
        match act.do:
            case "call":
                await self.talk(phone, to, act.for_s)
            case "pickup":
                await self.talk(phone, "*8", act.for_s)
            case "join":
                await self.talk(self._bank.phone(f"4{self.numbered.caller}"), self.numbered.entry, act.for_s)
            case "press":
                await _press(phone.calls[0], self.numbered.fill(act.keys))
            case "refer":
                await phone.calls[0].refer(to)
            case "refer_replaces":
                await phone.calls[0].refer_replaces(phone.calls[-1])
            case "hold":
                await phone.calls[0].hold()
            case "resume":
                await phone.calls[0].resume()
            case "hang_up":
                await phone.calls[-1].hang_up()


def _heard(phone: Phone) -> tuple[Party, ...]:
    frames = [frame for call in phone.calls for frame in call.media.received]
    spans = who_was_heard(frames, TONES)
    began = {party: min(span.began for span in long) for party, some in spans.items() if (long := _long(some))}
    return tuple(sorted(began, key=lambda party: began[party]))


def _long(spans: list[Span]) -> list[Span]:
    return [span for span in spans if span.lasted_s >= _VOICE_S]


def _behaviour(phone: Described, numbered: Numbered) -> Behaviour:
    does: Does = "busy" if phone.does == "reject" else phone.does
    to = numbered.number(phone.forward_to or "b") if phone.does == "forward" else ""
    return Behaviour(does, phone.ring_s, phone.waits_s, phone.provisional, phone.talk_s, forward_to=to)


async def _press(call: Call, keys: str) -> None:
    for number, some in enumerate(keys.split(",")):
        if number:
            await asyncio.sleep(_COMMA_S)
        await call.press(some)
