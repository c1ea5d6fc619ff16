"""The tap of one caller."""

from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO, Protocol
from uuid import UUID, uuid4

import numpy as np

from callflow.adapters.audio.kernel import READ_BYTES
from callflow.adapters.audio.reference import Playing, Samples
from callflow.core import events
from callflow.hearing import Finding, Listener

BYTES_PER_MS = 16
FIRST_MS = 400
"""The first frame comes 0.12 s after the connection, or later where there is much to do."""
FLOWING = 0.9
MOST_UNJUDGED = 1
"""Frames of 32 ms that a finding may leave out."""
DIGITAL_SILENCE = 8
"""A-law has no zero: its idle code is +-8."""
SAMPLE = np.dtype("<i2")
ZEROS = bytes(READ_BYTES)


class Line(Protocol):
    """The transport of the audio."""

    def take_in(self) -> None:
        """Give the tap all that has come."""

    def keep_alive(self) -> None:
        """Keep Asterisk from ending it; called every 80 ms."""

    def close(self) -> None:
        """End it without telling the tap."""


class Tap:
    """From the request for a caller's audio to its end; `tell` takes MediaBegan and VoiceBegan."""

    def __init__(
        self, call_id: str, listener: Listener, tell: Callable[[events.Event], None], now_ms: Callable[[], int]
    ) -> None:
        self.call_id = call_id
        self.uuid: UUID = uuid4()
        self.listener = listener
        self.connection: Line | None = None
        self.on_connected: Callable[[], None] = _nothing
        self.on_disconnected: Callable[[str], None] = _nothing
        self.recording: BinaryIO | None = None
        self.heard_ms = 0
        self._tell = tell
        self._now_ms = now_ms
        self._playing: Playing | None = None
        self._media = False
        self._media_told = False
        self._window_heard_ms = 0
        self._window_began_ms = now_ms()
        self._voice = self._perhaps_voice = False
        self._heard_at_ms = 0

    # -- called by the connection -----------------------------------------------------------------------------------

    def connected(self, connection: Line) -> None:
        """Asterisk has connected, or may send; audio follows 0.12 s after callflow's first silence (measured)."""
        self.connection = connection
        self._heard_at_ms = self._now_ms() + FIRST_MS
        connection.keep_alive()
        self.on_connected()

    def heard(self, pcm: bytes) -> None:
        """Audio of the caller has come."""
        now_ms, size = self._now_ms(), len(pcm) // SAMPLE.itemsize
        if self._playing is not None and not self.heard_ms:
            self.listener.sent_before(self._playing.before(size, now_ms))
        self.heard_ms += len(pcm) // BYTES_PER_MS
        self._heard_at_ms = now_ms
        self.listener.feed(pcm)
        if self._playing is not None:
            self.listener.sent(self._playing.next(size, now_ms))
        if not self._media and not ZEROS.startswith(pcm):
            self._media = int(np.abs(np.frombuffer(pcm, dtype=SAMPLE)).max(initial=0)) > DIGITAL_SILENCE
        if self.recording is not None:
            self._record(self.recording, pcm)

    def disconnected(self, reason: str) -> None:
        """The peer ended the audio."""
        self.connection = None
        self.on_disconnected(reason)

    # -- called by the taps --------------------------------------------------------------------------------------

    def take_in(self) -> None:
        """Read what has come."""
        if self.connection is not None:
            self.connection.take_in()

    def look(self) -> None:
        """Send MediaBegan once in the call, and VoiceBegan once in a window; before that perhaps one not certain."""
        if self._media and not self._media_told:
            self._media_told = True
            self._tell(events.MediaBegan(self.call_id, self._now_ms()))
        certain = self.listener.speaking is not None
        onset = self.listener.speaking or self.listener.perhaps_speaking
        told = self._voice if certain else self._perhaps_voice
        if onset is not None and not told:
            self._perhaps_voice, self._voice = True, certain
            ago_ms = max(0, self.listener.fed_ms - onset.at_ms)
            self._tell(events.VoiceBegan(self.call_id, self._now_ms() - ago_ms, certain))

    def begin_window(self) -> None:
        """Begin a window: the next finding covers the audio from now on."""
        self.take_in()
        self._window_heard_ms = self.heard_ms
        self._window_began_ms = self._now_ms()
        self._voice = self._perhaps_voice = False
        self.listener.begin_window()

    def finding(self) -> Finding | None:
        """The finding of this window; None when no audio came in it, or much of it is not judged yet."""
        if self.heard_ms == self._window_heard_ms or self.is_behind:
            return None
        return self.listener.verdict()

    @property
    def is_behind(self) -> bool:
        """Much of the audio that has come is not judged yet."""
        return self.listener.waiting > MOST_UNJUDGED

    @property
    def flows(self) -> bool:
        """True when at least 90 % of this window's audio came."""
        awaited_ms = self._now_ms() - self._window_began_ms
        return self.heard_ms - self._window_heard_ms >= FLOWING * awaited_ms

    @property
    def quiet_ms(self) -> int | None:
        """So long no audio has come; None without a connection."""
        if self.connection is None:
            return None
        self.take_in()
        return max(0, self._now_ms() - self._heard_at_ms)

    def plays(self, samples: Samples | None) -> None:
        """A prompt begins now; None: the prompt has ended."""
        self.take_in()
        self._playing = None if samples is None else Playing(samples, self._now_ms())

    def close(self) -> None:
        """Stop listening."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        self.on_connected, self.on_disconnected = _nothing, _nothing
        self._end_recording()
        self.listener.close()

    def _record(self, recording: BinaryIO, pcm: bytes) -> None:
        """Write; a full disk ends the recording and nothing else."""
        try:
            recording.write(pcm)
        except OSError:
            self._end_recording()

    def _end_recording(self) -> None:
        recording, self.recording = self.recording, None
        if recording is not None:
            with suppress(OSError):
                recording.close()


def _nothing(*_: object) -> None:
    """Do nothing. A closed tap must not keep its callers alive: its tapes are large."""
