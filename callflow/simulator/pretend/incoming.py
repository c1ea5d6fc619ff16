"""A caller's channel as it arrives: its name, its audio, and the keys pressed on it."""

from collections.abc import Callable
from functools import partial

from callflow.scenarios.schedule import PlannedCall
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.flavour import RING
from callflow.simulator.pretend.script import Script
from callflow.simulator.pretend.talk_detect import TalkDetect
from callflow.simulator.pretend.world import World

CONTEXT = "from-lab"
KEY_S = 0.14
"""From a key's DTMFBegin to its DTMFEnd, which says 160 ms (measured)."""
KEY_MS = 160


def incoming_channel(world: World, planned: PlannedCall, script: Script) -> Channel:
    """The channel of an INVITE."""
    caller = planned.caller
    channel = world.switch.new_pjsip(f"{script.endpoint_suffix}{caller.trunk}", CONTEXT, caller.entry)
    channel.state = RING
    channel.caller_number, channel.caller_name = planned.number, planned.name
    channel.dnid = caller.entry
    return channel


def listen(world: World, channel: Channel, script: Script, answered_at: float) -> None:
    """Give an answered channel its audio and TALK_DETECT."""
    channel.stream, channel.answered_at = script.stream, answered_at
    events = world.events
    start, stop = partial(events.talking_start, channel), partial(events.talking_stop, channel)
    channel.ear = TalkDetect(world.clock, script.hearing, answered_at, start, stop)


def tell_lab(world: World, channel: Channel, name: str) -> None:
    """UserEvent of the entry context: the caller and the result of the screening."""
    variables = channel.variables
    result, status = variables.get("CALLFLOW_RESULT", ""), variables.get("AGISTATUS", "")
    world.events.user_event(channel, name, Number=channel.caller_number, Result=result, Agi=status)


class Keypad:
    """The caller's keys; a key released while an agent's phone rings is sent on, whole if a prompt was playing."""

    def __init__(
        self,
        world: World,
        channel: Channel,
        after: Callable[..., None],
        in_prompt: Callable[[], bool],
        agent: Callable[[], Channel | None],
    ) -> None:
        self._world, self._channel, self._after = world, channel, after
        self._in_prompt, self._agent = in_prompt, agent

    def press(self, key: str) -> None:
        """A key goes down; it comes up by itself."""
        self._world.events.dtmf_begin(self._channel, key)
        self._after(KEY_S, self._release, key, self._in_prompt())

    def _release(self, key: str, in_prompt: bool) -> None:
        events = self._world.events
        events.dtmf_end(self._channel, key, KEY_MS)
        if self._channel.on_key is not None:
            self._channel.on_key(key)
        if (agent := self._agent()) is None:
            return
        if in_prompt:
            events.dtmf_begin(agent, key, "Sent")
            self._after(KEY_MS / 1000, self._sent, key)
        else:
            events.dtmf_end(agent, key, KEY_MS, "Sent")

    def _sent(self, key: str) -> None:
        if (agent := self._agent()) is not None:
            self._world.events.dtmf_end(agent, key, KEY_MS, "Sent")
