"""What a site may set about a call: ladders, ears and profiles, each with default, unit and bound beside it."""

from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from callflow.core.section import Name, Section


class Mode(StrEnum):
    """How far callflow goes with the callers of a profile."""

    ACT = "act"
    OBSERVE = "observe"
    OFF = "off"


class Assist(StrEnum):
    """How far callflow goes in a talk between a caller of a profile and an agent."""

    OFF = "off"
    NOTIFY = "notify"
    PROMPT = "prompt"
    ACT = "act"


class Rung(Section):
    """One step of a ladder: say a prompt, listen, then go on as `then` says."""

    prompt: Name | None = Field(None, description="Prompt to say first; leave out to only listen.")
    raise_gain: bool = Field(
        False, description="On a quiet ladder: raise the gain first; if the caller is then clear, say nothing more."
    )
    listen_s: float = Field(3.0, ge=0, le=60, description="Seconds of silence to wait for after the end of the prompt.")
    then: Literal["next", "hang_up", "pass_on"] = Field(
        "next", description="After silence: the next rung, pause and hang up, or pass on to a person."
    )
    pause_s: float = Field(2.0, ge=0, le=60, description="Seconds to wait before hanging up (then = hang_up).")
    prompt_s: float = Field(
        5.0,
        gt=0,
        le=60,
        description="Nominal length of the prompt in seconds. Observe mode uses it; a prompt that has not ended after "
        "twice this plus 5 s is given up.",
    )


class Ladder(Section):
    """The rungs of one ladder, first to last; the last one decides."""

    rungs: tuple[Rung, ...] = Field(min_length=1, max_length=20, description="The steps, first to last.")

    @model_validator(mode="after")
    def _last_rung_decides(self) -> Self:
        for number, rung in enumerate(self.rungs, 1):
            last = number == len(self.rungs)
            if last and rung.then == "next":
                raise ValueError(f'rung {number} is the last: set then = "hang_up" or "pass_on", not "next"')
            if not last and rung.then != "next":
                raise ValueError(f'rung {number} is not the last: set then = "next", or remove the rungs after it')
        return self


class TalkDetect(Section):
    """Asterisk's own ear, TALK_DETECT (func_talkdetect)."""

    threshold: int = Field(
        256, ge=1, le=32767, description="Mean absolute sample of a 20 ms frame that counts as sound; 256 is -42 dBFS."
    )
    probe_threshold: int = Field(
        60,
        ge=1,
        le=32767,
        description="The same, to find low voices without a tap, in the second half of each listening time; "
        "equal to threshold: off.",
    )
    silence_ms: int = Field(160, ge=40, le=2000, description="Milliseconds of quiet that end a sound.")
    min_speech_ms: int = Field(
        120, ge=0, le=2000, description="A sound shorter than this (milliseconds) is a click, not speech."
    )
    burst_window_ms: int = Field(
        2000,
        ge=0,
        le=10000,
        description="Milliseconds over which short sounds add up: several clipped syllables are speech.",
    )


class Quiet(Section):
    """A caller who is there, but too low to understand; only the tap can measure that."""

    below_dbov: float = Field(
        -38.0, ge=-60, le=-20, description="A voice whose active level (P.56) is below this, in dBov, is too low."
    )
    target_dbov: float = Field(-26.0, ge=-40, le=-16, description="Level to raise a low voice to, in dBov.")
    max_gain_db: float = Field(15.0, ge=0, le=15, description="Greatest gain for a low voice, in dB (ITU-T G.169).")
    gain: Literal["volume", "agc"] = Field(
        "volume",
        description="volume: a fixed gain; agc: Speex's automatic gain (needs func_speex; without it, a fixed gain).",
    )
    ladder: Name = Field("quiet", description="Name of the ladder for a voice that is too low.")
    on_exhausted: Literal["hangup", "agent"] = Field(
        "hangup",
        description="hangup: say goodbye and hang up at the end of the ladder; agent: pass on to a person instead.",
    )


class Profile(Section):
    """How the callers of one dialplan entry are screened."""

    mode: Mode = Field(Mode.ACT, description="act, observe (listen and record only) or off.")
    assist: Assist = Field(
        Assist.OFF,
        description="In a talk with an agent: off, notify (tell the agent of a silent caller), prompt (also speak to "
        "the caller) or act (also free the agent).",
    )
    supervisor: str = Field(
        "",
        pattern=r"^([0-9A-Za-z_#+-]{1,40}@[0-9A-Za-z_.-]{1,80})?$",
        description="Where the agent's action supervisor transfers the caller to: EXTENSION@CONTEXT; empty: nowhere.",
    )
    language: Name | None = Field(
        None, description="Language of the prompts; leave out to use the language of the channel."
    )
    ladder: Name = Field("silent", description="Name of the ladder for silent callers.")
    prompts: dict[Name, Name] = Field(
        default_factory=dict, description="Other recordings for this profile: prompt name = file name."
    )
    ear: Literal["tap", "talk_detect"] = Field(
        "tap",
        description="tap: listen to the caller's audio where possible; talk_detect: use Asterisk's detector alone.",
    )
    talk_detect: TalkDetect = Field(TalkDetect(), description="The ear's thresholds for this profile.")
    quiet: Quiet = Field(Quiet(), description="What is done for a voice that is too low.")
    media_wait_s: float = Field(
        3.0,
        ge=0,
        le=60,
        description="Longest time, in seconds after the arrival, that callflow waits for the line to carry any sound "
        "before it times silence: some carriers send nothing at first.",
    )
    on_noise: Literal["agent", "silence"] = Field(
        "agent", description="Noise without a voice counts as a doubt (agent: pass on to a person) or as silence."
    )
    noise_above_dbov: float = Field(
        -50.0, ge=-90, le=-20, description="Noise below this level, in dBov, counts as silence."
    )
    on_tone: Literal["agent", "silence"] = Field(
        "silence",
        description="Ringback, busy and fax tones count as silence or as a doubt (agent: pass on to a person).",
    )
    music_wait_s: float = Field(
        60.0,
        ge=0,
        le=3600,
        description="Music: the caller's phone has put us on hold. Listen for so many seconds, saying nothing, then a "
        "person.",
    )
    rating_share: float = Field(
        1.0, ge=0, le=1, description="Share of the calls whose callers are asked to rate them, 0 to 1 (see [ratings])."
    )
    observe_after_s: float = Field(
        30.0,
        ge=0,
        le=600,
        description="Seconds that observe mode keeps listening after the moment it would have hung up.",
    )


SILENT_LADDER = Ladder(
    rungs=(
        Rung(prompt="greeting", listen_s=3.0, then="next", prompt_s=4.0),
        Rung(prompt="can_you_hear", listen_s=3.0, then="next", prompt_s=4.0),
        Rung(prompt="goodbye", listen_s=0.0, then="hang_up", pause_s=2.0, prompt_s=7.0),
    )
)
"""Rows S1 to S3 of the service procedures: ask, ask again after 3 s, say goodbye, hang up after 2 s."""

QUIET_LADDER = Ladder(
    rungs=(
        Rung(raise_gain=True, listen_s=0.0),
        Rung(prompt="a_little_louder", listen_s=4.0, prompt_s=4.5),
        Rung(prompt="still_faint", listen_s=4.0, prompt_s=6.5),
        Rung(prompt="too_faint", listen_s=0.0, then="hang_up", pause_s=2.0, prompt_s=9.0),
    )
)
"""Rows Q1 to Q4: raise the gain and say nothing; ask; ask more gently; say goodbye, hang up after 2 s."""

CHECK_LADDER = Ladder(rungs=(Rung(listen_s=2.0, then="pass_on"),))
"""The self-test call: only listen for the tone, then let it go."""


class Procedures(Section):
    """The service procedures of a site, as the core sees them."""

    profiles: dict[Name, Profile]
    ladders: dict[Name, Ladder]
    languages: tuple[Name, ...]
    default_language: Name
    max_calls: int
    max_lag_s: float = 0.3

    def choose_language(self, profile: Profile, channel_language: str) -> str:
        """The language to speak: the profile's, else the channel's (zh_CN and cn count as zh), else the default."""
        if profile.language is not None:
            return profile.language
        wanted = channel_language.replace("-", "_").lower()
        for candidate in (wanted, wanted.partition("_")[0], "zh" if wanted == "cn" else ""):
            if candidate in self.languages:
                return candidate
        return self.default_language
