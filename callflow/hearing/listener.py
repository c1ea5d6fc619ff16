"""One caller who is listened to."""

import numpy as np

from callflow.hearing.echo import ECHO_SHARE, ECHO_SURE, LONGEST, RECENT_FRAMES, SPAN, EchoPath
from callflow.hearing.finding import Finding, Onset
from callflow.hearing.frames import FRAME, FRAME_MS, Floats
from callflow.hearing.judge import Judge, Stretch
from callflow.hearing.memory import KEPT_FRAMES, KEPT_SAMPLES, Memory
from callflow.hearing.tape import Samples, Tape

_PER_MS = 8
_NOTHING_SENT = 10 ** (-70 / 20)
"""Root mean square of -70 dBov."""
_ECHO_FRAMES, _OPEN_FRAMES = 4, 6
"""While our prompt may come back a voice must last so long, 128 ms: its first moments may be anybody's. Where whether
it is an echo is open, 192 ms."""
_OPEN_LONGEST_FRAMES = 8
"""After so many frames what is still open counts as a voice."""
_LEAST_HEARD_FRAMES = 12
"""From less than 0.4 s of a line any pause could be explained by what was sent."""
LOOK_BACK_FRAMES = 94
"""Music is known by 3 s of it, however short the window is."""
_IN_STEP = 320
"""Samples by which what is sent may run behind what is heard without a gap between: 40 ms."""


class Listener:
    """Hears one call; made by `Hearing.listener`. Times are in ms from the first sample fed."""

    def __init__(self, memory: Memory, judge: Judge) -> None:
        self._memory = memory
        self._judge = judge
        self.row = memory.take()
        self.frames = 0
        """Frames that have been judged."""
        self._heard = Tape(KEPT_SAMPLES)
        self._sent = Tape(2 * (LONGEST + SPAN))
        self._lead = 0
        """Samples that were sent before the first that was heard."""
        self._echo_path = EchoPath()
        self._may_be_echo = False
        self._open = range(0)
        """Frames of a sound of which it is open whether it is an echo."""
        self._window_begins = 0
        self.speaking: Onset | None = None
        """Since when the caller has been speaking, or None; kept until `begin_window` or `acknowledge`."""
        self.perhaps_speaking: Onset | None = None
        """The same before it has lasted long enough not to be our own prompt come back."""

    def feed(self, samples: Samples | bytes) -> None:
        """The caller's audio: 8 kHz, 16 bits, any number of samples, as it comes."""
        self._heard.add(samples)

    def sent_before(self, samples: Samples) -> None:
        """What was played to the caller just before the first samples of theirs that are fed."""
        self._sent.add(samples)
        self._lead = samples.size

    def sent(self, samples: Samples) -> None:
        """What is played to the caller at the same time, fed in step with `feed` (or not at all).

        After a pause the samples may be more than were heard: they end together with what was heard.
        """
        behind = self._heard.size + self._lead - self._sent.size - samples.size
        if behind > _IN_STEP:
            self._sent.skip(behind)
        self._sent.add(samples[max(0, -behind) :])
        self._memory.rows["played_to"][self.row] = True

    def begin_window(self) -> None:
        """A listening window begins with the next sample: `verdict` and `speaking` start afresh."""
        self._window_begins = self._heard.size
        self.acknowledge()

    def acknowledge(self) -> None:
        """Forget the onset that `speaking` told; if the voice goes on it will be told again."""
        self.speaking = self.perhaps_speaking = None
        self._memory.rows["speaking"][self.row] = False

    def close(self) -> None:
        """The call needs no listening any more; nothing may be asked of this listener after it."""
        self._memory.give_back(self.row)

    @property
    def fed_ms(self) -> int:
        """How much has been fed so far."""
        return self._heard.size // _PER_MS

    def verdict(self) -> Finding:
        """What the window has been so far, of a long one its last 8 s."""
        oldest = max(self.frames - KEPT_FRAMES, self._oldest)
        first = max(-(-self._window_begins // FRAME), oldest)
        earlier = max(oldest, min(first, self.frames - LOOK_BACK_FRAMES))
        row, columns = self._memory.rows[self.row], np.arange(earlier, self.frames) % KEPT_FRAMES
        samples = self._heard.cut(earlier * FRAME, self.frames * FRAME)
        records = row["history"][columns]
        if self._open.stop == self.frames:
            records["voice"][max(0, self._open.start - earlier) :] = 0.0
        stretch = Stretch(records, row["magnitudes"][columns], samples, first - earlier)
        return self._judge.verdict(stretch, spoke=self.speaking is not None)

    # What follows is for Hearing.

    @property
    def waiting(self) -> int:
        """Whole frames that wait to be judged."""
        return self._heard.size // FRAME - self.frames

    @property
    def due(self) -> bool:
        """True while a whole frame waits to be judged."""
        return self._heard.size >= (self.frames + 1) * FRAME

    @property
    def _oldest(self) -> int:
        """The oldest frame of which every sample is kept."""
        return -(-self._heard.first // FRAME)

    def take_frame(self) -> memoryview:
        """The next frame to be judged, as bytes; of a line that came in one great piece the oldest is lost, unheard."""
        begins = self.frames * FRAME
        if begins < self._heard.first:
            self.frames = self._oldest
            begins = self.frames * FRAME
            self._window_begins = max(self._window_begins, begins)
        return self._heard.pcm(begins, begins + FRAME)

    def confirm(self, voiced: int) -> None:
        """Two frames agree on a voice; it began `voiced` frames ago, the one being judged counted in."""
        end = (self.frames + 1) * FRAME_MS
        self.perhaps_speaking = Onset(end - max(voiced, 2) * FRAME_MS, end)
        lasting = _OPEN_FRAMES if self._echo_path.is_open else _ECHO_FRAMES
        if voiced >= lasting or not self._may_be_echo:
            self.speaking = self.perhaps_speaking
            self._memory.rows["speaking"][self.row] = True

    def own_echo(self) -> int:
        """How many of the last frames, the one being judged counted in, are what we sent, come back."""
        share = self._share_of_echo()
        since = self._open.start if self._open.stop == self.frames else self.frames
        is_open = share < ECHO_SHARE and self._may_be_echo and self._echo_path.is_open
        is_open &= self.frames - since < _OPEN_LONGEST_FRAMES
        self._open = range(since, self.frames + 1) if is_open else range(0)
        self._memory.rows["open"][self.row] = is_open and self.frames >= _LEAST_HEARD_FRAMES
        if share >= ECHO_SURE:
            self._memory.rows["echoes"][self.row] = True
            return RECENT_FRAMES  # also what could not be told from a voice yet
        return self.frames + 1 - since if share >= ECHO_SHARE else 0

    def _share_of_echo(self) -> float:
        """How much of what is heard is what we sent, come back: 0 to 1."""
        end = (self.frames + 1) * FRAME
        self._may_be_echo = False
        sent_end = end + self._lead
        if self._sent.size < sent_end - LONGEST:
            self._memory.rows["played_to"][self.row] = False
            return 0.0
        if self.speaking is not None:
            return 0.0
        span = min(SPAN, end + FRAME)
        sent = self._lately(self._sent, sent_end, LONGEST + span)
        lately = sent[-LONGEST:]
        if lately @ lately < LONGEST * _NOTHING_SENT**2:
            return 0.0
        self._may_be_echo = True
        return self._echo_path.explains(self._lately(self._heard, end, span), sent)

    @staticmethod
    def _lately(tape: Tape, end: int, count: int) -> Floats:
        """The `count` samples before `end`; what is not on the tape is silence."""
        found = tape.cut(end - count, end).astype(np.float32) / np.float32(32768)
        before = max(0, min(count, tape.first - (end - count)))
        return np.pad(found, (before, count - before - found.size))
