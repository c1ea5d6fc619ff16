"""What a listener has to say."""

from dataclasses import dataclass

from callflow.core.heard import Heard


@dataclass(frozen=True, slots=True)
class Onset:
    """The caller is speaking: since `at_ms`, certain at `confirmed_ms`, both counted from the first sample fed."""

    at_ms: int
    confirmed_ms: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What a stretch of audio was; `why` is one sentence for the record."""

    heard: Heard
    level_dbov: float | None
    """Active level of the leading voice (ITU-T P.56, method B over its frames); None without speech."""
    noise_dbov: float
    """Level that the frames without voice exceed a quarter of the time, at least -96."""
    heard_ms: int
    speech_ms: int
    """Frames that would be voice if they stood alone, whatever the whole was."""
    why: str
    tone_ms: int = 0
    """Frames that are a tone, or part of one."""
    lasting_ms: int = 0
    """How long noise has lasted that still goes on; 0 where it has ended, and where it is no noise."""
    other_dbov: float | None = None
    """Level of other voices under the caller's, such as a television's; None when only one level was present."""
