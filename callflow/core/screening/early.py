"""Sounds of channels that are not screened yet: kept for a moment, because AMI may be quicker than FastAGI.

The dialplan arms TALK_DETECT before it hands a caller over, so a caller who speaks at once is heard by AMI first. On an
overloaded machine the hand-over was seen to come 3.5 s later.
"""

from collections import OrderedDict, deque

from callflow.core.events import SoundEnded, SoundStarted

KEEP_MS = 10_000
MAX_CHANNELS = 5_000
MAX_SOUNDS = 50

Sound = SoundStarted | SoundEnded


class EarlySounds:
    """The latest sounds by uniqueid; the oldest channel goes first when there are too many."""

    def __init__(self) -> None:
        self._sounds: OrderedDict[str, tuple[int, deque[Sound]]] = OrderedDict()

    def keep(self, sound: Sound, now_ms: int) -> None:
        """Remember one sound of a channel that nobody has handed to us."""
        self._forget_old(now_ms)
        _, sounds = self._sounds.pop(sound.uniqueid, (0, deque[Sound](maxlen=MAX_SOUNDS)))
        sounds.append(sound)
        self._sounds[sound.uniqueid] = now_ms, sounds

    def take(self, uniqueid: str, now_ms: int) -> list[Sound]:
        """What was heard of this channel lately, in order; it is not kept any longer."""
        self._forget_old(now_ms)
        _, sounds = self._sounds.pop(uniqueid, (0, ()))
        return list(sounds)

    def forget(self) -> None:
        """The link was lost: what it told is worth nothing any more."""
        self._sounds.clear()

    def _forget_old(self, now_ms: int) -> None:
        while self._sounds:
            uniqueid, (at_ms, _) = next(iter(self._sounds.items()))
            if now_ms - at_ms <= KEEP_MS and len(self._sounds) < MAX_CHANNELS:
                return
            del self._sounds[uniqueid]
