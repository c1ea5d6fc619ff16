"""What one group of callers does, computed once: when they are heard, press keys and hang up."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from callflow.scenarios.behaviour import CallerAction, Media, ladder_anchors
from callflow.scenarios.scenario import CallerGroup
from callflow.simulator.pretend.sounds import Sounds, voice
from callflow.simulator.pretend.stream import FRAME_S, NO_MEDIA, Stream, late_frames
from callflow.simulator.pretend.talk_detect import SILENCE, Hearing
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, Sound, timeline

PATIENCE_S = 6.0
ANSWER_WAIT_S = 0.5
"""How long Answer() waits for a caller's first RTP packet."""
FAX_HEARD_S = 0.39
"""From the beginning of a fax machine's tone until Asterisk detects it (measured)."""
_NOMINAL = {"greeting": 4.0, "can_you_hear": 4.0, "goodbye": 7.0}
_LIFE_LEVEL = 10 ** (-50 / 20) * 32768


@dataclass(frozen=True, slots=True, eq=False)
class Script:
    """Times in seconds after the answer."""

    hearing: Hearing
    stream: Stream
    keys: tuple[tuple[float, str], ...]
    leaves_s: float
    """When the caller hangs up; inf for never."""
    first_rtp_s: float
    """How long Answer() has to wait."""
    life_s: float | None
    """The first sound above -50 dBov, or key."""
    fax_s: float | None
    on_prompt: tuple[tuple[str, float, str | None], ...] = ()
    """Prompt, seconds after it begins, and the key; None: the caller hangs up."""

    @property
    def endpoint_suffix(self) -> str:
        """Fax machines come in by an endpoint that listens for them."""
        return "" if self.fax_s is None else "fax-"


def make_script(
    group: CallerGroup, sounds: Sounds, default_language: str = "en", *, drops_late_frames: bool = False
) -> Script:
    """The script of a group; actions count from the ladder as a silent caller would hear it."""
    durations = _NOMINAL | sounds.durations(default_language) | sounds.durations(group.language)
    anchors = ladder_anchors(group.media, durations)
    actions = [(action.at_s(anchors), action) for action in group.does if not action.on_prompt]
    stays_s = anchors["end"] + PATIENCE_S if group.stays_s is None else group.stays_s
    leaves_s = min([at_s for at_s, action in actions if action.hang_up], default=stays_s)
    ends_s = min([at_s for at_s, action in actions if action.stop_rtp], default=leaves_s)
    heard = [Sound(at_s, action.sound, action.for_s, action.level_dbov) for at_s, action in actions if action.sound]
    begins_s = 0.0 if group.media == "silence" else min([sound.at_s for sound in heard], default=inf)
    keys = tuple(sorted((at_s, action.key) for at_s, action in actions if action.key))
    stream = _stream(heard, begins_s, min(ends_s, leaves_s), sounds)
    first_sound_s = _first_above(_hearing(stream), _LIFE_LEVEL / 1.25)  # mean absolute of a tone at -50 dBov RMS, about
    stream = _renumbered(
        stream, [(at_s, action) for at_s, action in actions if action.renumbers], late=drops_late_frames
    )
    signs = [at_s for at_s, _ in keys] + ([] if first_sound_s is None else [first_sound_s])
    return Script(
        hearing=_hearing(stream),
        stream=stream,
        keys=keys,
        leaves_s=leaves_s,
        first_rtp_s=min(ANSWER_WAIT_S, begins_s),
        life_s=min(signs, default=None),
        fax_s=min([sound.at_s + FAX_HEARD_S for sound in heard if sound.name == "fax"], default=None),
        on_prompt=tuple(
            (action.on_prompt, action.at_s(anchors), action.key) for action in group.does if action.on_prompt
        ),
    )


def phone_stream(media: Media, acts: Sequence[CallerAction], stops_s: float, sounds: Sounds) -> tuple[Stream, Hearing]:
    """What an answered phone sends, and what TALK_DETECT hears of it; `acts` are sounds at seconds after the answer."""
    heard = [Sound(float(act.at), act.sound, act.for_s, act.level_dbov) for act in acts if act.sound]
    begins_s = 0.0 if media == "silence" else min([sound.at_s for sound in heard], default=inf)
    stream = _stream(heard, begins_s, stops_s, sounds)
    return stream, _hearing(stream)


def _stream(heard: list[Sound], begins_s: float, ends_s: float, sounds: Sounds) -> Stream:
    """The caller's stream as it comes out of mu-law; it is silence behind the last sound."""
    last_s = max([sound.at_s + sound.for_s for sound in heard], default=0.0)
    if begins_s >= ends_s:
        return NO_MEDIA
    if not heard:
        return Stream(begins_s, ends_s)
    length_s = min(ends_s, last_s + 3.0) - begins_s
    moved = [Sound(sound.at_s - begins_s, sound.name, sound.for_s, sound.level_dbov) for sound in heard]
    samples = timeline(moved, max(length_s, FRAME_S), voice(sounds.folder))
    received = mulaw.decode(mulaw.encode(samples)).astype(np.int16)
    return Stream(begins_s, ends_s, received[: received.size // FRAME * FRAME])


def _renumbered(stream: Stream, actions: list[tuple[float, CallerAction]], *, late: bool) -> Stream:
    """The stream after these changes of its sequence numbers and SSRC; `late`: Asterisk drops late frames."""
    placed = [
        (max(0, round((at_s - stream.begins_s) / FRAME_S)), action)
        for at_s, action in sorted(actions, key=lambda one: one[0])
    ]
    jumps = [(frame, action.rtp_jump or 0) for frame, action in placed]
    new_ssrc_at = tuple(frame for frame, action in placed if action.new_ssrc)
    return replace(stream, late=late_frames(jumps) if late else (), new_ssrc_at=new_ssrc_at)


def _hearing(stream: Stream) -> Hearing:
    """The mean absolute sample of each of its frames."""
    if not stream.samples.size:
        return SILENCE
    levels = np.abs(stream.samples.astype(np.float64)).reshape(-1, FRAME).mean(axis=1)
    for frames in stream.late:
        levels[frames.start : frames.stop] = np.nan
    return Hearing(levels, stream.begins_s)


def _first_above(hearing: Hearing, level: float) -> float | None:
    loud = np.flatnonzero(hearing.levels > level)
    return hearing.begins_s + float(loud[0]) * FRAME_S if loud.size else None
