"""All callers that are listened to, and each of them."""

from collections.abc import Iterable

import numpy as np

from callflow.core.heard import Heard
from callflow.hearing.finding import Finding, Onset
from callflow.hearing.settings import HearingSettings
from callflow.hearing.tape import Samples, Tape
from callflow.hearing.vad import FRAME, Floats, Vad

RATE_PER_MS = 8
_KEEP = 10 * 8000


class Hearing:
    """One per process: the voice detector and the listeners of all calls."""

    def __init__(self, settings: HearingSettings | None = None) -> None:
        self.settings = settings or HearingSettings()
        self._vad = Vad()

    def listener(self) -> "Listener":
        """A listener for one call."""
        return Listener(self)

    def run(self, listeners: Iterable["Listener"]) -> None:
        """Judge every whole 32 ms frame that these listeners have been fed, one run of the model per step for all."""
        waiting = [one for one in listeners if one.due]
        while waiting:
            self._step(waiting)
            waiting = [one for one in waiting if one.due]

    def _step(self, due: list["Listener"]) -> None:
        frames = np.stack([one.next_frame() for one in due]).astype(np.float32) / np.float32(32768)
        found, after = self._vad.run(frames, np.stack([one.state for one in due]))
        for one, p, frame, state in zip(due, found, frames, after, strict=True):
            one.state = state
            one.judged(float(p), 10 * np.log10(float(np.mean(frame**2)) + 1e-12))

    def fresh_state(self) -> Floats:
        state: Floats = self._vad.fresh(1)[0]
        return state


class Listener:
    """Hears one call. Times are in ms from the first sample fed."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing
        self.state = hearing.fresh_state()
        self._tape = Tape(_KEEP)
        self._sent = Tape(_KEEP)
        self._frames = 0
        self._window = 0
        self._p: list[float] = []
        self._e: list[float] = []
        self._onset: Onset | None = None

    @property
    def due(self) -> bool:
        """True while a whole frame waits to be judged."""
        return self._tape.size >= (self._frames + 1) * FRAME

    def next_frame(self) -> Samples:
        return self._tape.cut(self._frames * FRAME, (self._frames + 1) * FRAME)

    def judged(self, p: float, level: float) -> None:
        self._frames += 1
        self._p.append(p)
        self._e.append(level)
        if self._onset is None and len(self._p) > 1 and (self._p[-1] + self._p[-2]) / 2 >= 0.8:
            end = self._frames * FRAME // RATE_PER_MS
            self._onset = Onset(end - 64, end)

    def feed(self, samples: Samples) -> None:
        """The caller's audio: 8 kHz, any number of samples, as it comes."""
        self._tape.add(samples)

    def sent(self, samples: Samples) -> None:
        """What is played to the caller at the same time, fed in step with `feed`."""
        self._sent.add(samples)

    def begin_window(self) -> None:
        """A listening window begins with the next sample: `verdict` and `speaking` start afresh."""
        self._p.clear()
        self._e.clear()
        self._onset = None

    def acknowledge(self) -> None:
        """Forget the onset that `speaking` told; the next one will be told again."""
        self._onset = None

    def close(self) -> None:
        """The call needs no listening any more."""

    @property
    def fed_ms(self) -> int:
        """How much has been fed so far."""
        return self._tape.size // RATE_PER_MS

    @property
    def speaking(self) -> Onset | None:
        """Since when the caller has been speaking, or None; kept until `begin_window` or `acknowledge`."""
        return self._onset

    def verdict(self) -> Finding:
        """What the window has been so far."""
        p, e = np.array(self._p), np.array(self._e)
        if e.max(initial=-120.0) < -66:
            return Finding(Heard.DIGITAL_SILENCE, None, -96.0, 0, "nothing above -66 dBov")
        voice = p >= 0.5
        if voice.sum() < 4:
            return Finding(Heard.NOISE, None, float(e.mean()), 0, "sound without a voice")
        level = float(10 * np.log10(np.mean(10 ** (e[voice] / 10))))
        heard = Heard.QUIET if level < self._hearing.settings.quiet_below_dbov else Heard.SPEECH
        return Finding(heard, level, float(e.min()), int(voice.sum()) * 32, "a voice")
