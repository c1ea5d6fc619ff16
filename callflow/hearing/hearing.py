"""The hearing of a whole process: one step of the voice detector for all callers who are listened to."""

from collections.abc import Iterable

import numpy as np

from callflow.hearing.echo import ECHO_SHARE, ECHO_SURE, RECENT_FRAMES
from callflow.hearing.frames import FRAME, Floats, describe
from callflow.hearing.listener import Listener
from callflow.hearing.memory import KEPT_FRAMES, Memory, Rows
from callflow.hearing.tones import Flags, continue_runs
from callflow.hearing.vad import Vad

GAIN = np.float32(10.0)
"""+20 dB: the model hears quiet voices as well as loud ones then, and takes less noise for voice (docs/hearing.md)."""
ONSET_VOICE = 0.8
"""Mean probability of two frames that confirms a voice while it speaks."""
VOICE = 0.5
"""Probability from which a frame counts as voice."""

TOGETHER = 256
"""Listeners in one run of the model: more at once cost no less each, and hold up what else the process does."""

_LARGE = 31 << 20
"""Bytes; just below the most that mallopt(3) lets M_MMAP_THRESHOLD grow to. Never touched, so no memory is used."""
_NOTHING_DBOV = -70.0  # idle codes of both laws are below it, and so is any voice worth hearing
_ASLEEP_FRAMES = 16  # after half a second of nothing the model is not asked
_TONE_HOLD_FRAMES = 4
_STEADY_DB, _STEADY_FRAMES = 0.7, 7  # no voice keeps its level so long, hum does


class Hearing:
    """One per process: the model and what is remembered of each listener."""

    def __init__(self) -> None:
        np.empty(_LARGE, dtype=np.uint8)  # glibc keeps what is freed for the next step, once a piece so large was
        self._vad = Vad()
        self._memory = Memory()

    def listener(self) -> Listener:
        """A listener for one call; close it when the call needs no listening any more."""
        return Listener(self._memory)

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
        taken = np.frombuffer(b"".join([one.take_frame() for one in due]), dtype=np.int16)
        frames = np.multiply(taken, np.float32(1 / 32768), dtype=np.float32).reshape(-1, FRAME)
        columns = np.array([one.frames for one in due]) % KEPT_FRAMES
        voice = self._listen(rows, columns, frames)
        for index in np.flatnonzero((voice >= VOICE) & self._memory.rows["played_to"][rows]):
            share = due[index].own_echo()
            if share >= ECHO_SHARE:
                voice[index] = 0.0
                # also what could not be told from a voice yet
                self._mark(rows[index], columns[index], RECENT_FRAMES if share >= ECHO_SURE else 1, "echo")
        self._remember(rows, columns, voice, due)

    def _listen(self, rows: Rows, columns: Rows, frames: Floats) -> Floats:
        """Probability of voice in each frame, 0 under a certain tone; levels and tones go into the history."""
        memory, facts = self._memory.rows, describe(frames)
        runs = continue_runs(facts, memory[["first_hz", "steady", "v21"]][rows])
        memory["first_hz"][rows] = facts.first_hz
        memory["steady"][rows], memory["v21"][rows] = runs.steady, runs.v21
        history = memory["history"]
        history["level_dbov"][rows, columns] = facts.level_dbov
        memory["magnitudes"][rows, columns] = facts.magnitudes
        certain = runs.certain()
        history["tone"][rows, columns], history["echo"][rows, columns] = certain, False
        for index in np.flatnonzero(begun := runs.begun()):
            self._mark(rows[index], columns[index], begun[index], "tone")
        self._follow_level(rows, columns, facts.level_dbov)
        hold = np.where(certain, _TONE_HOLD_FRAMES, np.maximum(memory["tone_hold"][rows] - 1, 0))
        memory["tone_hold"][rows] = hold
        voice = self._voices(rows, frames, facts.level_dbov)
        voice[hold > 0] = 0.0
        return voice

    def _voices(self, rows: Rows, frames: Floats, level_dbov: Floats) -> Floats:
        """What the model says; it is not asked where nothing has been heard for long."""
        memory = self._memory.rows
        silent = np.where(level_dbov < _NOTHING_DBOV, memory["silent"][rows] + 1, 0)
        memory["silent"][rows] = silent
        awake: Flags = silent < _ASLEEP_FRAMES
        voice = np.zeros(rows.size, dtype=np.float32)
        memory["model"][rows[~awake]] = 0.0
        if awake.any():
            listening = rows[awake]
            voice[awake], memory["model"][listening] = self._vad.run(frames[awake] * GAIN, memory["model"][listening])
        return voice

    def _follow_level(self, rows: Rows, columns: Rows, level_dbov: Floats) -> None:
        """Find the stretches in which the level hardly moves."""
        memory = self._memory.rows
        moved = np.abs(level_dbov - memory["level_dbov"][rows]) >= _STEADY_DB
        kept = np.where(moved, 1, memory["level_kept"][rows] + 1)
        memory["level_dbov"][rows], memory["level_kept"][rows] = level_dbov, kept
        for index in np.flatnonzero(kept == _STEADY_FRAMES):
            self._mark(rows[index], columns[index], _STEADY_FRAMES)

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
        voiced = np.where(voice >= VOICE, memory["voiced"][rows] + 1, 0)
        sure = ((voice + memory["voice"][rows]) / 2 >= ONSET_VOICE) & ~memory["speaking"][rows]
        memory["voice"][rows], memory["voiced"][rows] = voice, voiced
        memory["history"]["voice"][rows, columns] = np.where(memory["level_kept"][rows] < _STEADY_FRAMES, voice, 0.0)
        for index in np.flatnonzero(sure):
            due[index].confirm(int(voiced[index]))
        for one in due:
            one.frames += 1
