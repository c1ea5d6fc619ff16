"""A Local channel that AMI has originated: how its two halves begin, and how they end one after the other."""

from callflow.simulator.pretend.ami_server import Request
from callflow.simulator.pretend.channel import UNKNOWN, Channel
from callflow.simulator.pretend.flavour import RING
from callflow.simulator.pretend.world import World

_ANSWERED = 4


class LocalPair:
    """`one` (;1) runs the extension that Originate names, `two` (;2) the extension that was called."""

    def __init__(self, world: World, request: Request) -> None:
        self._world, self._action_id = world, request.get("ActionID")
        self._dialled = request.get("Channel").partition("/")[2]
        self.called, _, rest = self._dialled.partition("@")
        self.called_context = rest.partition("/")[0]
        self.context, self.exten = request.get("Context"), request.get("Exten")
        pairs = (variable.partition("=") for variable in request.all("Variable"))
        self.variables = {name.lstrip("_"): value for name, _, value in pairs}
        ids = request.get("ChannelId"), request.get("OtherChannelId")
        self.one, self.two = world.switch.new_local(self.called, self.called_context, ids)
        self.two.variables = dict(self.variables)

    def begin(self) -> None:
        """Create both halves."""
        events = self._world.events
        events.newchannel(self.one)
        self.two.state = RING
        events.newchannel(self.two)

    def other(self, half: Channel) -> Channel:
        """The other half."""
        return self.two if half is self.one else self.one

    def dial(self) -> None:
        """The called half begins to run its extension."""
        self._world.events.local_bridge(self.one, self.two, self.called_context, self.called)
        self._world.events.dial("DialBegin", None, self.one, DialString=self._dialled)

    def answered(self) -> None:
        """The called half has answered; the other half begins."""
        self._world.events.answered(self.one)
        self._world.events.dial("DialEnd", None, self.one, DialStatus="ANSWER")
        self._respond("Success", self.one.name, _ANSWERED, self.one.uniqueid)

    def answer(self, context: str, exten: str, priority: int) -> None:
        """Both: the called half answers at once, at this place of the dialplan."""
        self.dial()
        self.two.at(context, exten, priority)
        self._world.events.answered(self.two)
        self.answered()

    def refuse(self) -> None:
        """The called extension does not exist."""
        self._respond("Failure", f"Local/{self._dialled}", 0, UNKNOWN)
        for half in (self.two, self.one):
            self._world.events.hangup(half, 0)
        self.forget()

    def hang_up(self, first: Channel, cause: int) -> None:
        """One half ends by itself, and the other with it."""
        events, other = self._world.events, self.one if first is self.two else self.two
        events.soft_hangup_request(first)
        events.hangup_request(other, cause)
        events.hangup(first, cause)
        events.soft_hangup_request(other)
        events.hangup(other, cause)
        self.forget()

    def forget(self) -> None:
        """Forget both halves."""
        for half in (self.two, self.one):
            self._world.switch.gone(half)

    def _respond(self, response: str, channel: str, reason: int, uniqueid: str) -> None:
        events = self._world.events
        events.originate_response(self._action_id, response, channel, self.context, self.exten, reason, uniqueid)
