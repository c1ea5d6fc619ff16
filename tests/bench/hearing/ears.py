"""The ears that are compared: what each makes of a case, and when."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import webrtcvad

from callflow.core import events
from callflow.core.heard import Heard
from callflow.core.profile import Quiet, TalkDetect
from callflow.core.screening.gain import label
from callflow.core.screening.talk_detect import TalkDetectEar
from callflow.hearing import Hearing
from tests.bench.hearing.cases import LEAD, SIZE, Case

FRAME = 160
FRAME_MS = 20
TOGETHER = 200
"""Cases that the tap ear listens to at once."""

LABELS = {
    Heard.SPEECH: "speech", Heard.QUIET: "quiet", Heard.NOISE: "noise", Heard.TONE: "tone", Heard.MUSIC: "music",
    Heard.COMFORT_NOISE: "silence", Heard.DIGITAL_SILENCE: "silence",
}  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What an ear said of a case: its label at the end of the window, and when it was certain of a talker."""

    label: str
    heard_ms: float | None
    """Milliseconds of the stream until the ear was certain while it listened; None if it never was."""
    level_dbov: float | None = None

    @property
    def talker(self) -> bool:
        """True if the ear would take this for somebody there."""
        return self.label in ("speech", "quiet")

    @property
    def hopeless(self) -> bool:
        """True if callflow would hang up on a caller from whom it hears only this; noise goes on to a person."""
        return self.label in ("silence", "tone")


Ear = Callable[[Sequence[Case]], list[Result]]


def tap(cases: Sequence[Case]) -> list[Result]:
    """The ear under test, fed frame by frame, many calls at once."""
    hearing, results = Hearing(), []
    for begin in range(0, len(cases), TOGETHER):
        some = cases[begin : begin + TOGETHER]
        listeners = [hearing.listener() for _ in some]
        for start, stop in ((0, LEAD), (LEAD, SIZE)):
            if start == LEAD:
                for listener in listeners:
                    listener.begin_window()
            for at in range(start, stop, 8 * FRAME):
                for listener, case in zip(listeners, some, strict=True):
                    listener.feed(case.samples[at : min(stop, at + 8 * FRAME)])
                hearing.run(listeners)
        for listener in listeners:
            onset, found = listener.speaking, listener.verdict()
            heard = found.heard if found.level_dbov is None else label(found.level_dbov, Quiet())
            results.append(Result(LABELS[heard], onset.confirmed_ms if onset else None, found.level_dbov))
            listener.close()
    return results


def _frames(case: Case) -> np.ndarray:
    """The window's 20 ms frames."""
    return case.samples[LEAD:].reshape(-1, FRAME).astype(np.int32)


def _mean_size(case: Case) -> np.ndarray:
    """Mean absolute sample of each frame: what Asterisk's silence detector (dsp.c) compares with its threshold."""
    return np.asarray(np.abs(_frames(case)).mean(axis=1))


def ami(threshold: int) -> Ear:
    """TALK_DETECT's Start and Stop as func_talkdetect would send them, into the daemon's own judgement of them."""
    return lambda cases: [_by_talk_detect(case, TalkDetect(threshold=threshold)) for case in cases]


def _by_talk_detect(case: Case, settings: TalkDetect) -> Result:
    ear, quiet_ms, began_at = TalkDetectEar(settings), 0, -1
    for number, loud in enumerate(_mean_size(case) >= settings.threshold, 1):
        now = LEAD // 8 + number * FRAME_MS
        event: events.Event | None = None
        quiet_ms = 0 if loud else quiet_ms + FRAME_MS
        if loud and began_at < 0:
            began_at, event = now, events.SoundStarted("", now)
        elif began_at >= 0 and quiet_ms >= settings.silence_ms:
            event, began_at = events.SoundEnded("", now, now - quiet_ms - began_at + FRAME_MS), -1
        judged = ear.hear(event, now) if event else ear.expire(now)
        if judged and judged.speech:
            return Result("speech", now)
    return Result("silence", None)


def background_detect(cases: Sequence[Case]) -> list[Result]:
    """Asterisk's BackgroundDetect, sil 1000 and min 100: what began with the last sound after a second of silence, or
    with the window, is a talker when it has lasted more than 100 ms up to the silence that ends it.
    """
    return [_by_background_detect(case) for case in cases]


def _by_background_detect(case: Case) -> Result:
    begun_ms, silent_ms, loud_ms = 0, 0, -1
    for number, loud in enumerate(_mean_size(case) >= 512, 1):
        now = number * FRAME_MS
        silent_ms = 0 if loud else silent_ms + FRAME_MS
        if loud:
            begun_ms, loud_ms = now - FRAME_MS if begun_ms < 0 else begun_ms, now
        elif silent_ms > 1000 and begun_ms >= 0:
            if now - begun_ms - 1000 > 100:
                return Result("speech", LEAD // 8 + now)
            begun_ms, loud_ms = -1, -1
    return Result("speech" if loud_ms - begun_ms > 100 else "silence", None)


def wait_for_noise(cases: Sequence[Case]) -> list[Result]:
    """Asterisk's WaitForNoise(100): 100 ms in a row above the threshold of dsp.conf, 256."""
    return [_in_a_row(_mean_size(case) >= 256, 5) for case in cases]


def webrtc(cases: Sequence[Case]) -> list[Result]:
    """webrtcvad, mode 2: five frames of 20 ms in a row."""
    return [_in_a_row(_webrtc_frames(case), 5) for case in cases]


def _webrtc_frames(case: Case) -> np.ndarray:
    vad = webrtcvad.Vad(2)
    return np.array([vad.is_speech(frame.tobytes(), 8000) for frame in case.samples[LEAD:].reshape(-1, FRAME)])


def _in_a_row(voice: np.ndarray, needed: int) -> Result:
    full = np.convolve(voice, np.ones(needed), mode="valid") == needed
    if not full.any():
        return Result("silence", None)
    return Result("speech", LEAD // 8 + (int(full.argmax()) + needed) * FRAME_MS)


EARS: dict[str, Ear] = {
    "tap": tap,
    "AMI, threshold 256": ami(256),
    "AMI, threshold 60": ami(60),
    "webrtcvad 2": webrtc,
    "BackgroundDetect 512": background_detect,
    "WaitForNoise 256": wait_for_noise,
}
