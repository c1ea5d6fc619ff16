"""Keys of a phone: what AMI reports, who takes them, and which go on to the other party of a talk."""

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.world import World

DOWN_S = 0.08
"""From DTMFBegin to DTMFEnd of a key that is held for 100 ms (measured)."""
HELD_MS = 100
APART_S = 0.2


def press(world: World, channel: Channel, keys: str) -> None:
    """A phone presses keys one after the other."""
    for number, key in enumerate(keys):
        world.later(number * APART_S, _down, world, channel, key)


def inject(world: World, channel: Channel, key: str, duration_ms: int) -> None:
    """AMI PlayDTMF with Receive: Asterisk reports only the end of the key."""
    if channel.alive:
        world.events.dtmf_end(channel, key, duration_ms)
        _taken(channel, key)


def _down(world: World, channel: Channel, key: str) -> None:
    talk = channel.talk
    if not channel.alive or (talk is not None and talk.is_native and not talk.features_of(channel)):
        return  # a native bridge passes keys on without an event
    world.events.dtmf_begin(channel, key)
    if talk is not None and not talk.begins_code(channel, key):
        world.events.dtmf_begin(talk.other(channel), key, "Sent")
    world.later(DOWN_S, _up, world, channel, key)


def _up(world: World, channel: Channel, key: str) -> None:
    if channel.alive:
        world.events.dtmf_end(channel, key, HELD_MS)
        _taken(channel, key)


def _taken(channel: Channel, key: str) -> None:
    if channel.talk is not None:
        channel.talk.pressed(channel, key)
    elif channel.on_key is not None:
        channel.on_key(key)
