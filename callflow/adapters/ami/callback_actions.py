"""What a call-back requests from Asterisk: who is on the phone, a pause, one call, whether its channel exists."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.shared import Shared
from callflow.adapters.ami.translate import first
from callflow.core.callbacks.look import CallerSeen, ChannelSeen, Look, MemberSeen
from callflow.core.rings.names import Names
from callflow.errors import ActionRefused

AGENT_CONTEXT, CUSTOMER_CONTEXT = "callflow-callback-agent", "callflow-callback-customer"


@dataclass(frozen=True, slots=True)
class CallToPlace:
    """One Originate: `channel` is rung first and then runs `context`."""

    attempt_id: str
    channel: str
    context: str
    caller_id: str
    ring_s: int
    variables: tuple[tuple[str, str], ...]


class CallbackActions:
    """Every method raises NotConnected, ActionTimeout, ActionRefused or ActionUnsafe."""

    def __init__(self, link: AmiLink, actions: AmiActions, names: Names, now_ms: Callable[[], int]) -> None:
        self._link = link
        self._actions = actions
        self._names = names
        self._now_ms = now_ms
        self._looks = Shared(self._look)

    async def look(self) -> Look:
        """Who is on the line, in which queues agents are, and who waits: asked for once for all who ask together.

        Both lists of fifty call-backs that begin at once were 30,000 messages, and halted the loop for 0.9 s.
        """
        return await self._looks.ask()

    async def _look(self) -> Look:
        now_ms = self._now_ms()
        channels, queues = await asyncio.gather(self._actions.channels(), self._actions.queues())
        return Look(
            tuple(self._member(entry) for entry in queues if entry.get("Event") == "QueueMember"),
            tuple(_waiting(entry, now_ms) for entry in queues if entry.get("Event") == "QueueEntry"),
            tuple(_channel(entry) for entry in channels),
        )

    async def pause(self, queue: str, interface: str, paused: bool) -> None:
        """Pause or release a member in one queue; one who has left it is left alone."""
        with suppress(ActionRefused):
            await self._link.action(
                "Setvar", Variable=f"QUEUE_MEMBER({queue},paused,{interface})", Value="1" if paused else "0"
            )

    async def place(self, call: CallToPlace) -> None:
        """Tell Asterisk to call, once."""
        await self._link.action(
            "Originate",
            Channel=call.channel,
            Context=call.context,
            Exten="s",
            Priority="1",
            Timeout=str(1000 * call.ring_s),
            CallerID=call.caller_id,
            ChannelId=call.attempt_id,
            Variable=[f"{name}={value}" for name, value in call.variables],
        )

    async def channel_exists(self, uniqueid: str) -> bool:
        """Whether there is a channel with this Uniqueid."""
        try:
            await self._link.action("Getvar", Channel=uniqueid, Variable="CHANNEL(uniqueid)")
        except ActionRefused:
            return False
        return True

    async def set_variable(self, uniqueid: str, name: str, value: str) -> None:
        """Set a channel's variable."""
        await self._link.action("Setvar", Channel=uniqueid, Variable=name, Value=value)

    def _member(self, entry: dict[str, str]) -> MemberSeen:
        interface, name = first(entry, "Location") or first(entry, "Interface"), first(entry, "Name")
        return MemberSeen(
            queue=first(entry, "Queue"),
            interface=interface,
            phone=first(entry, "StateInterface") or interface,
            agent=self._names.agent(interface, name or first(entry, "MemberName")),
            status=_number(entry, "Status"),
            paused=first(entry, "Paused") == "1",
            in_call=first(entry, "InCall") == "1",
            last_call_ms=1000 * max(0, _number(entry, "LastCall")),
            pause_reason=first(entry, "PausedReason"),
        )


def _waiting(entry: dict[str, str], now_ms: int) -> CallerSeen:
    joined_ms = now_ms - 1000 * max(0, _number(entry, "Wait"))
    return CallerSeen(first(entry, "Queue"), first(entry, "CallerIDNum"), joined_ms)


def _channel(entry: dict[str, str]) -> ChannelSeen:
    return ChannelSeen(
        channel=first(entry, "Channel"),
        uniqueid=first(entry, "Uniqueid"),
        number=first(entry, "CallerIDNum"),
        connected=first(entry, "ConnectedLineNum"),
        application=f"{first(entry, 'Application')}({first(entry, 'ApplicationData')})",
    )


def _number(entry: dict[str, str], name: str) -> int:
    text = first(entry, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else -1
