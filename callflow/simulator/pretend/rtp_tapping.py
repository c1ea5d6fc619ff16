"""A caller who is tapped by RTP: one channel, UnicastRTP, that spies on the caller and sends what it hears."""

import socket
from collections.abc import Callable
from struct import Struct

import numpy as np

from callflow.processes.ports import LOOPBACK
from callflow.simulator.pretend.ami_server import Request
from callflow.simulator.pretend.originating import set_variables
from callflow.simulator.pretend.world import World
from callflow.sound import mulaw
from callflow.sound.audio import FRAME

TECHNOLOGY = "UnicastRTP/"
FIRST_S, SPIES_S = 0.13, 0.1
"""From the Originate to the first packet, and to ChanSpyStart (measured)."""
_NOBODY_S = 0.002
"""How long ChanSpy takes to find that there is no such channel."""
_ABSOLUTE_S = 10.0
"""As callflow-rtp sets it."""
_MOST_AT_ONCE = 50
_HEADER = Struct("!BBHII")
_SOURCE = 7


class RtpTap:
    """From its Originate until the caller, AMI or its time limit ends it."""

    def __init__(self, world: World, request: Request, on_end: Callable[["RtpTap"], None]) -> None:
        self._world, self._request, self._on_end = world, request, on_end
        address = request.get("Channel").split("/")[1]
        self._channel = world.switch.new_rtp(address, request.get("ChannelId"))
        set_variables(self._channel, request)
        self._caller = world.switch.with_uniqueid(self._channel.variables.get("TAPCHAN", ""))
        host, _, port = address.rpartition(":")
        self._to = host, int(port)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((LOOPBACK, 0))
        self._began_at = self._limit_from = world.clock.now()
        self._next: int | None = None
        self._number = 0
        self._spies = self._over = False

    def start(self) -> None:
        """The channel is answered, and runs its extension."""
        world, channel, request = self._world, self._channel, self._request
        channel.owner = self
        channel.variables["UNICASTRTP_LOCAL_ADDRESS"] = LOOPBACK
        channel.variables["UNICASTRTP_LOCAL_PORT"] = str(self._socket.getsockname()[1])
        world.events.newchannel(channel)
        world.events.answered(channel)
        channel.at(request.get("Context"), request.get("Exten"), 2)
        channel.application, channel.data = "ChanSpy", f"{channel.variables.get('TAPCHAN', '')},uqoES"
        if self._caller is None:
            world.later(_NOBODY_S, self._end, 0)
        else:
            self._caller.about_to_attach()
            self._caller.spies.append(self._caller_gone)

    def tick(self, now: float) -> None:
        """Send the frames that have arrived; ChanSpy hears the caller without VOLUME(RX)."""
        caller, channel = self._caller, self._channel
        if caller is None or self._over:
            return
        if channel.limit_s is not None:
            self._limit_from, channel.limit_s = now + channel.limit_s - _ABSOLUTE_S, None
        if now >= self._limit_from + _ABSOLUTE_S:
            self._end(0)
            return
        if not self._spies and now >= self._began_at + SPIES_S:
            self._spies = True
            self._world.events.chan_spy("ChanSpyStart", channel, caller)
        there = caller.stream.sent(now - caller.answered_at)
        if self._next is None or now < self._began_at + FIRST_S:
            self._next = there
        for number in range(max(self._next, there - _MOST_AT_ONCE), there):
            if not caller.stream.is_late(number):
                self._send(caller.stream.frame(number))
        self._next = there

    def abort(self) -> None:
        """Asterisk itself dies."""
        self._over = True
        self._socket.close()

    def _send(self, samples: bytes) -> None:
        packet = _HEADER.pack(0x80, 0, self._number % 65536, self._number * FRAME % 2**32, _SOURCE)
        self._number += 1
        self._socket.sendto(packet + mulaw.encode(np.frombuffer(samples, dtype="<i2")), self._to)

    # -- how it ends ----------------------------------------------------------------------------------------------

    def _caller_gone(self) -> None:
        self._channel.priority = 3
        self._end(16)

    def _end(self, cause: int) -> None:
        if self._over:
            return
        self.abort()
        world, channel = self._world, self._channel
        if self._caller is not None and self._caller_gone in self._caller.spies:
            self._caller.spies.remove(self._caller_gone)
        if self._spies and self._caller is not None:
            world.events.chan_spy("ChanSpyStop", channel, self._caller)
        self._on_end(self)
        world.events.soft_hangup_request(channel)
        world.events.hangup(channel, cause)
        world.switch.gone(channel)

    # -- what AMI does to it --------------------------------------------------------------------------------------

    def stop_playback(self) -> None:
        """Nothing is played here."""

    def soft_hangup(self, cause: int | None) -> None:
        self._end(cause or 0)

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        return False
