"""How Asterisk reports a phone's BYE."""

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.world import World


def bye_cause(world: World, channel: Channel) -> int | None:
    """The cause in HangupRequest: it depends on the release, and on what bridged the channel (measured)."""
    flavour = world.flavour
    if channel.talk is None:
        return 16 if flavour.bye_sets_cause else None
    return 16 if channel.talk.by_queue != flavour.dialled_bye_has_cause else None
