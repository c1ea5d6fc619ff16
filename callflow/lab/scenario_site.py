"""What a scenario brings to an Asterisk of the lab: its phones, their queues, and a dialplan."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from callflow.core.callbacks.attempt import CALLER_NOT_REACHED, Outcome
from callflow.lab.phone.behaviour import ends_within, leave_after
from callflow.lab.phone.call import Call
from callflow.lab.phone.legs import phone_legs
from callflow.lab.phone.messages import Address
from callflow.lab.phone.phone import PhoneBank
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.aftercare import SeenCallback
from callflow.scenarios.errors import SimulationFailed
from callflow.scenarios.phones import PhoneAction, PhoneGroup
from callflow.scenarios.scenario import CallerGroup, Scenario

CARRIER = "carrier"
"""The endpoint by which every phone can be dialled: PJSIP/NUMBER@carrier."""
_BY_LANGUAGE = """
[from-lab]
exten => _as!,1,Set(CHANNEL(language)=${CUT(EXTEN,_,2)})
 same => n,Goto(${CUT(EXTEN,_,3-)},1)

"""
REFUSALS = {"busy": 486, "refuse": 603, "unavailable": 480, "congested": 503, "unknown": 404}
_CALLER_DIALLED = {Outcome.REACHED.value, *(outcome.value for outcome in CALLER_NOT_REACHED)}


def check_lab_has(scenario: Scenario) -> None:
    """Refuse what the lab has no phones for. Raises SimulationFailed."""
    if lacks := next(_lacks(scenario), ""):
        raise SimulationFailed(f"{scenario.name} needs {lacks}, which the lab has not", "use --pretend")


def _lacks(scenario: Scenario) -> Iterator[str]:
    if scenario.music:
        yield "music on hold"
    if scenario.sounds_s:
        yield "sounds_s"
    for caller in scenario.callers:
        if any(action.on_prompt for action in caller.does):
            yield "callers who wait for a prompt (on_prompt)"
        if caller.expect.after_the_call:
            yield "ratings"
    for phone in scenario.phones:
        if phone.does == "absent" or phone.features or phone.media != "silence":
            yield f"the phone {phone.number} to be absent, or to have features or media"
        if any(not (act.keys or act.hang_up) for act in phone.acts):
            yield f"the phone {phone.number} to do more than press keys and hang up"


def asterisk_additions(scenario: Scenario, port: int) -> dict[str, str]:
    """Texts to add to Asterisk's files, by name; the phones are at `port`."""
    agents = {number: phone.queues for phone in scenario.phones for number in phone.numbers if phone.queues}
    queues = sorted({queue for queues in agents.values() for queue in queues} | set(scenario.exit_contexts))
    contexts = sorted({phone.context for phone in scenario.phones})
    return {
        "pjsip.conf": "".join(_endpoint(name, port) for name in (*agents, CARRIER)),
        "queues.conf": "".join(
            _queue(queue, [number for number in agents if queue in agents[number]], scenario.exit_contexts.get(queue))
            for queue in queues
        ),
        "extensions.conf": "".join(f"\n[{context}]\n" for context in contexts)
        + _BY_LANGUAGE
        + scenario.dialplan
        + "\n",
    }


def entry_of(caller: CallerGroup) -> str:
    """What a caller dials: an extension of the scenario's own is reached in the caller's language."""
    return f"as_{caller.language}_{caller.dials}" if caller.dials else caller.entry


def _endpoint(name: str, port: int) -> str:
    return (
        f"\n[{name}]\ntype = endpoint\ncontext = phones\naors = {name}\ndisallow = all\nallow = ulaw\n"
        f"direct_media = no\ndtmf_mode = auto_info\n[{name}]\ntype = aor\ncontact = sip:{name}@{LOOPBACK}:{port}\n"
    )


def _queue(name: str, members: Sequence[str], exit_context: str | None) -> str:
    leaves = f"context = {exit_context}\n" if exit_context else ""
    phones = "".join(f"member => PJSIP/{number}\n" for number in members)
    return f"\n[{name}]\nstrategy = ringall\ntimeout = 15\nretry = 1\nringinuse = no\n{leaves}{phones}"


@asynccontextmanager
async def phones_of(scenario: Scenario, asterisk: Address, port: int) -> AsyncIterator[PhoneBank]:
    """Every phone of the scenario, at `port`; one that is named by its beginning has the numbers of the scenario."""
    known = {number for phone in scenario.phones for number in phone.numbers}
    known |= {entry.number for entry in scenario.callbacks or ()}
    known |= {caller.number for caller in scenario.callers}
    async with PhoneBank(asterisk, port) as bank:
        for number in known:
            if groups := [phone for phone in scenario.phones if phone.is_its(number)]:
                bank.phone(number, 0, _InTurn(groups))
        yield bank


class _InTurn:
    """A number whose groups take its calls in turn."""

    def __init__(self, groups: Sequence[PhoneGroup]) -> None:
        self._groups = groups
        self._calls = 0

    async def __call__(self, call: Call) -> None:
        group = self._groups[self._calls % len(self._groups)]
        self._calls += 1
        if await ends_within(call, group.rings_after_s):
            return
        call.ring()
        if group.does == "ignore" or await ends_within(call, group.after_s - group.rings_after_s):
            return
        if group.does in REFUSALS:
            await call.refuse(REFUSALS[group.does])
            return
        await call.answer()
        await asyncio.gather(leave_after(call, group.talk_s), *(_act(call, act) for act in group.acts))


async def _act(call: Call, act: PhoneAction) -> None:
    if await ends_within(call, act.at_s):
        return
    if act.hang_up:
        await call.hang_up()
    else:
        await call.press(act.keys)


def called_otherwise(bank: PhoneBank, seen: Sequence[SeenCallback]) -> list[str]:
    """Where the phones were called more or less often than the call-back list says, in sentences."""
    invited = Counter(leg.number for leg in phone_legs(bank.log))
    recorded = {entry.number: sum(outcome in _CALLER_DIALLED for outcome in entry.outcomes) for entry in seen}
    return [
        f"call-back {number}: its phone was called {invited[number]} times, the list has {calls} calls"
        for number, calls in recorded.items()
        if number in bank.phones and invited[number] != calls
    ]
