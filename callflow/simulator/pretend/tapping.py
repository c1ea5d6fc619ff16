"""A caller who is tapped: ChanSpy on one half of a Local channel, AudioSocket on the other."""

from collections.abc import Callable
from math import inf

from callflow.adapters.audio.ticker import Ticker
from callflow.simulator.pretend.ami_server import Request
from callflow.simulator.pretend.audio_socket import AudioSocket
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.pair import LocalPair
from callflow.simulator.pretend.rtp_tapping import RtpTap
from callflow.simulator.pretend.stream import FRAME_S
from callflow.simulator.pretend.world import World

TAP, EAR = "callflow-tap", "callflow-ear"
FIRST_S, FIRST_UNANSWERED_S = 0.12, 0.6
"""From the first sound that is written back to the first frame; from the connection, if nothing is (measured)."""
PATIENCE_S = 2.0
"""AudioSocket gives up when nothing has gone either way for so long."""
NOBODY_S = 0.01
"""How long ChanSpy takes to find that there is no such channel."""
_MOST_AT_ONCE = 50


class Taps:
    """All taps of one Asterisk; one timer paces them, while there are any."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._taps: set[Tap | RtpTap] = set()
        self._ticker = Ticker(FRAME_S, self._tick)
        world.on_death.append(self.die)

    def open(self, request: Request) -> None:
        """Originate of a tap."""
        self._begin(Tap(self._world, LocalPair(self._world, request), self._taps.discard))

    def open_rtp(self, request: Request) -> None:
        """Originate of a tap by RTP."""
        self._begin(RtpTap(self._world, request, self._taps.discard))

    def _begin(self, tap: "Tap | RtpTap") -> None:
        self._taps.add(tap)
        self._ticker.start()
        tap.start()

    def die(self) -> None:
        """Asterisk is killed."""
        for tap in self._taps:
            tap.abort()
        self._taps.clear()

    def _tick(self) -> None:
        now = self._world.clock.now()
        for tap in tuple(self._taps):
            tap.tick(now)
        if not self._taps:
            self._ticker.stop()


class Tap:
    """From its Originate until the caller, the daemon, or the connection between them ends it."""

    def __init__(self, world: World, pair: LocalPair, on_end: Callable[["Tap"], None]) -> None:
        self._world, self._pair, self._on_end = world, pair, on_end
        self._caller = world.switch.with_uniqueid(pair.variables.get("TAPCHAN", ""))
        self._socket = AudioSocket(pair.variables.get("TAPUUID", ""), self._socket_ended)
        self._hears_from = inf
        self._next = 0
        self._moved_at = world.clock.now()
        self._over = False

    def start(self) -> None:
        """Both halves are answered, each by its application."""
        pair, world = self._pair, self._world
        for half in (pair.one, pair.two):
            half.owner = self
        pair.begin()
        pair.answer(TAP, "s", 1)
        pair.one.at(EAR, "s", 1)
        pair.two.application, pair.two.data = "ChanSpy", f"{pair.variables.get('TAPCHAN', '')},uqoES"
        if not world.flavour.audio_socket:
            self._end(pair.one, 0)
            return
        pair.one.application = "AudioSocket"
        pair.one.data = f"{pair.variables.get('TAPUUID', '')},{pair.variables.get('TAPADDRESS', '')}"
        self._hears_from = world.clock.now() + FIRST_UNANSWERED_S
        world.spawn(self._socket.connect(pair.variables.get("TAPADDRESS", "")))
        if self._caller is None:
            world.later(NOBODY_S, self._end, pair.two, 0)
        else:
            self._caller.about_to_attach()
            self._caller.spies.append(self._caller_gone)

    def tick(self, now: float) -> None:
        """Send the frames that have arrived; ChanSpy hears the caller without VOLUME(RX)."""
        caller = self._caller
        if caller is None or self._over:
            return
        there, answered = caller.stream.sent(now - caller.answered_at), self._socket.heard_from
        self._socket.heard_from = False
        if answered:
            self._hears_from = min(self._hears_from, now + FIRST_S)
        if now < self._hears_from:
            self._next = there
        new = range(max(self._next, there - _MOST_AT_ONCE), there)
        heard = [number for number in new if not caller.stream.is_late(number)]
        if heard or answered:
            self._moved_at = now
        elif now - self._moved_at >= PATIENCE_S:
            self._end(self._pair.one, 0)
            return
        for number in heard:
            self._socket.send(caller.stream.frame(number))
        self._next = there

    def abort(self) -> None:
        """Asterisk itself dies."""
        self._over = True
        self._socket.close()

    # -- how it ends ----------------------------------------------------------------------------------------------

    def _socket_ended(self, by_peer: bool) -> None:
        one = self._pair.one
        if by_peer:
            one.priority = 2
        self._end(one, 16 if by_peer else 0)

    def _caller_gone(self) -> None:
        self._pair.two.priority = 2
        self._end(self._pair.two, 16)

    def _end(self, first: Channel, cause: int) -> None:
        if self._over:
            return
        self._over = True
        self._socket.close()
        if self._caller is not None and self._caller_gone in self._caller.spies:
            self._caller.spies.remove(self._caller_gone)
        self._on_end(self)
        self._pair.hang_up(first, cause)

    # -- what AMI does to it --------------------------------------------------------------------------------------

    def stop_playback(self) -> None:
        """Nothing is played here."""

    def soft_hangup(self, cause: int | None) -> None:
        self._end(self._pair.two, cause or 0)

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        return False
