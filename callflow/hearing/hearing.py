"""The hearing of a whole process: one step of the voice detector for all callers who are listened to."""

from collections.abc import Iterable

import numpy as np

from callflow.hearing.dc import remove_dc
from callflow.hearing.frames import FRAME, Floats, FrameFacts, describe
from callflow.hearing.judge import Judge
from callflow.hearing.listener import Listener
from callflow.hearing.memory import KEPT_FRAMES, Memory, Rows
from callflow.hearing.second_look import SecondLook
from callflow.hearing.tones import FAINT_DBOV, STEADY_STEPS, V21_STEPS, Flags, continue_runs
from callflow.hearing.vad import Vad

GAIN = np.float32(10.0)
"""+20 dB: so raised, the model hears quiet voices as well as loud ones and takes less noise for voice."""
LIMIT = np.float32(2.0)
"""Peaks of the raised sound are cut off here: an overdriven phone is driven no further."""
ONSET_VOICE = 0.8
"""Mean probability of two frames that confirms a voice while it speaks."""
VOICE = 0.5
"""Probability from which a frame counts as voice."""
PERHAPS_VOICE = 0.3
"""From here on a frame is asked whether it is our own echo: four of these make a voice of a window."""
DOUBTFUL_VOICE = 0.04
"""The same on a line that has echoed: of these a finding makes a voice in doubt."""

TOGETHER = 200
"""Listeners in one run of the model: more at once cost no less each, and hold up what else the process does."""

_LARGE = 31 << 20
"""Bytes; just below the most that mallopt(3) lets M_MMAP_THRESHOLD grow to. Never touched, so no memory is used."""
_NOTHING_DBOV = -70.0  # idle codes of both laws are below it, and so is any voice worth hearing
_ASLEEP_FRAMES = 16  # after half a second of nothing the model is not asked
_TAIL_DB, _TAIL_FALL_DB = 24.0, 4.0  # so far below a peak that falls so much a frame, a sound is dying away
_FALL_DB = 16.0  # and so much below the frame before the last
_TONE_HOLD_FRAMES = 4
_STEADY_DB, _STEADY_FRAMES = 0.7, 7  # no voice keeps its level so long, hum does
_HELD_DB, _HELD_HZ, _HELD_TONALITY, _HELD_FRAMES = 1.5, 4.0, 0.05, 4  # nor level, pitch and colour: a buzz does
_HELD_LEAST_TONALITY = 0.4
_THUMP_TONALITY, _THUMP_BIN = 0.9, 14  # all of it below 450 Hz: a table that is knocked on
_SQUARE = 1.45  # kurtosis: 1 of a square wave, 1.5 of a sine, 2 and more of a voice that is not cut off


class Hearing:
    """One per process: the model and what is remembered of each listener."""

    def __init__(self) -> None:
        np.empty(_LARGE, dtype=np.uint8)  # glibc keeps what is freed for the next step, once a piece so large was
        self._vad = Vad()
        self._memory = Memory()
        self._judge = Judge(SecondLook(self._vad))

    def listener(self) -> Listener:
        """A listener for one call; close it when the call needs no listening any more."""
        return Listener(self._memory, self._judge)

    def run(self, listeners: Iterable[Listener]) -> None:
        """Judge every whole frame of 32 ms that these listeners have been fed."""
        due = [one for one in listeners if one.due]
        while due:
            self.step(due)
            due = [one for one in due if one.due]

    def step(self, due: list[Listener]) -> None:
        """Judge the next frame of each of these listeners, all of whom are due."""
        for start in range(0, len(due), TOGETHER):
            self._step(due[start : start + TOGETHER])

    def _step(self, due: list[Listener]) -> None:
        """One run of the model."""
        rows = np.array([one.row for one in due])
        pcm = np.frombuffer(b"".join([one.take_frame() for one in due]), dtype=np.int16).reshape(-1, FRAME)
        memory = self._memory.rows
        frames, memory["dc"][rows] = remove_dc(pcm, memory["dc_known"][rows], memory["dc"][rows])
        memory["dc_known"][rows] = True
        columns = np.array([one.frames for one in due]) % KEPT_FRAMES
        voice = self._listen(rows, columns, frames)
        asked_from = np.where(memory["echoes"][rows], DOUBTFUL_VOICE, PERHAPS_VOICE)
        may_be_echo = ((voice >= asked_from) | memory["open"][rows]) & memory["played_to"][rows]
        for index in may_be_echo.nonzero()[0]:
            if frames_of_echo := due[index].own_echo():
                voice[index] = 0.0
                self._mark(rows[index], columns[index], frames_of_echo, "echo")
        self._remember(rows, columns, voice, due)

    def _listen(self, rows: Rows, columns: Rows, frames: Floats) -> Floats:
        """Probability of voice in each frame, 0 where it cannot be one; levels and tones go into the history."""
        memory, facts = self._memory.rows, describe(frames)
        history = memory["history"]
        history["level_dbov"][rows, columns] = facts.level_dbov
        memory["magnitudes"][rows, columns] = facts.magnitudes
        moved_hz = np.abs(facts.first_hz - memory["first_hz"][rows])
        memory["first_hz"][rows] = facts.first_hz
        is_thump = (facts.tonality > _THUMP_TONALITY) & (np.maximum(facts.first, facts.second) <= _THUMP_BIN)
        falls = facts.level_dbov <= memory["level_dbov"][rows]
        no_voice = self._follow_level(rows, columns, facts, moved_hz)
        no_voice |= self._follow_tones(rows, columns, facts, moved_hz)
        voice = self._voices(rows, frames, facts.level_dbov)
        # a low vowel is as low as a thump; but where the sound still rises, the model knows a voice
        voice[no_voice | (is_thump & (falls | (voice < ONSET_VOICE)))] = 0.0
        return voice

    def _follow_tones(self, rows: Rows, columns: Rows, facts: FrameFacts, moved_hz: Floats) -> Flags:
        """Mark the tones of machines; True where one masks whatever else is heard."""
        memory = self._memory.rows
        runs = continue_runs(facts, moved_hz, memory["steady"][rows], memory["v21"][rows])
        memory["steady"][rows], memory["v21"][rows] = runs.steady, runs.v21
        certain = runs.certain()
        history = memory["history"]
        history["tone"][rows, columns], history["echo"][rows, columns] = certain, False
        for index in runs.begun().nonzero()[0]:
            frames = V21_STEPS if runs.v21[index] == V21_STEPS else STEADY_STEPS
            self._mark(rows[index], columns[index], frames, "tone")
        hold = np.maximum(memory["tone_hold"][rows] - 1, _TONE_HOLD_FRAMES * certain)
        memory["tone_hold"][rows] = hold
        masked: Flags = hold > 0
        return masked

    def _follow_level(self, rows: Rows, columns: Rows, facts: FrameFacts, moved_hz: Floats) -> Flags:
        """True for what no voice does: silence, the end of a sound, a level or a sound that stands still.

        An overdriven phone keeps the level of whatever it sends: where the sound moves, the level tells nothing.
        """
        memory, level, tonality = self._memory.rows, facts.level_dbov, facts.tonality
        moved_db = np.abs(level - memory["level_dbov"][rows])
        is_cut_off = (facts.kurtosis < _SQUARE) & (moved_hz >= _HELD_HZ)
        kept = memory["level_kept"][rows] * ((moved_db < _STEADY_DB) & ~is_cut_off) + 1
        same = (moved_db < _HELD_DB) & (moved_hz < _HELD_HZ) & (level > FAINT_DBOV)
        same &= (np.abs(tonality - memory["tonality"][rows]) < _HELD_TONALITY) & (tonality > _HELD_LEAST_TONALITY)
        held = (memory["held"][rows] + 1) * same
        peak = np.maximum(level, memory["peak_dbov"][rows] - _TAIL_FALL_DB)
        memory["level_dbov"][rows], memory["level_kept"][rows], memory["peak_dbov"][rows] = level, kept, peak
        memory["held"][rows], memory["tonality"][rows] = held, tonality
        for index in ((kept == _STEADY_FRAMES) | (held == _HELD_FRAMES)).nonzero()[0]:
            self._mark(rows[index], columns[index], max(_HELD_FRAMES, min(_STEADY_FRAMES, kept[index])))
        still = (kept >= _STEADY_FRAMES) | (held >= _HELD_FRAMES)
        falls = level < memory["history"]["level_dbov"][rows, (columns - 2) % KEPT_FRAMES] - _FALL_DB
        no_voice: Flags = still | falls | (level < peak - _TAIL_DB) | (level < _NOTHING_DBOV)
        return no_voice

    def _voices(self, rows: Rows, frames: Floats, level_dbov: Floats) -> Floats:
        """What the model says. It is not asked where nothing has been heard for long, and keeps its state meanwhile."""
        memory = self._memory.rows
        silent = (memory["silent"][rows] + 1) * (level_dbov < _NOTHING_DBOV)
        memory["silent"][rows] = silent
        awake: Flags = silent < _ASLEEP_FRAMES
        voice = np.zeros(rows.size, dtype=np.float32)
        if awake.any():
            some = slice(None) if awake.all() else awake
            listening, raised = rows[some], frames[some] * GAIN
            np.minimum(np.maximum(raised, -LIMIT, out=raised), LIMIT, out=raised)
            voice[some], memory["model"][listening] = self._vad.run(raised, memory["model"][listening])
        return voice

    def _mark(self, row: int, column: int, frames: int, kind: str = "") -> None:
        """The last so many frames were no voice, but of this kind."""
        history = self._memory.rows["history"][row]
        last = (column - np.arange(frames)) % KEPT_FRAMES
        history["voice"][last] = 0.0
        if kind:
            history[kind][last] = True

    def _remember(self, rows: Rows, columns: Rows, voice: Floats, due: list[Listener]) -> None:
        """Confirm voices that two frames agree on."""
        memory = self._memory.rows
        voiced = (memory["voiced"][rows] + 1) * (voice >= VOICE)
        sure = ((voice + memory["voice"][rows]) / 2 >= ONSET_VOICE) & ~memory["speaking"][rows]
        memory["voice"][rows], memory["voiced"][rows] = voice, voiced
        memory["history"]["voice"][rows, columns] = voice
        for index in sure.nonzero()[0]:
            due[index].confirm(int(voiced[index]))
        for one in due:
            one.frames += 1
