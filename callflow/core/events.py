"""Facts that reach the core, small and in the past tense. `at_ms`: when it happened, epoch milliseconds."""

from dataclasses import dataclass

from callflow.core.heard import Heard
from callflow.core.profile import Procedures


@dataclass(frozen=True, slots=True)
class CallArrived:
    """Asterisk handed a caller to us over FastAGI; `check` names the self-test, "" for a real caller.

    `late_s`: by so much the daemon has been late with what it had to do in the last seconds.
    """

    call_id: str
    uniqueid: str
    channel: str
    profile: str
    at_ms: int
    language: str = ""
    caller_number: str = ""
    caller_name: str = ""
    dialled: str = ""
    check: str = ""
    late_s: float = 0.0


@dataclass(frozen=True, slots=True)
class CallNoted:
    """The dialplan noted a call that callflow, being away, did not screen; it went on, or was hung up, at `left_ms`."""

    arrived: CallArrived
    left_ms: int
    hung_up: bool


@dataclass(frozen=True, slots=True)
class EarArmed:
    """Asterisk accepted TALK_DETECT on the caller's channel."""

    call_id: str


@dataclass(frozen=True, slots=True)
class EarFailed:
    """The ear could not be had; `reason` is a sentence."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SoundStarted:
    """ChannelTalkingStart: sound above the threshold; speech or click is not known yet."""

    uniqueid: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SoundEnded:
    """ChannelTalkingStop; `duration_ms` without the closing silence, None when Asterisk's figure was absurd."""

    uniqueid: str
    at_ms: int
    duration_ms: int | None


@dataclass(frozen=True, slots=True)
class TapOpened:
    """The caller's audio reaches us from now on; `is_whole`: all of it."""

    call_id: str
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class TapLost:
    """The caller's audio cannot be had, or no longer; `reason` is a sentence."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class EarDeafened:
    """The caller's packets reach Asterisk, and no sound of them reaches an ear."""

    call_id: str


@dataclass(frozen=True, slots=True)
class MediaBegan:
    """The first sound that is not digital silence has come, however faint: the line carries something."""

    call_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class VoiceBegan:
    """The tap hears a voice; whether it can be understood is told by WindowJudged."""

    call_id: str
    at_ms: int
    certain: bool = True
    """False in its first moments while a prompt plays: they may be the prompt come back. If it lasts it is told again.
    """


@dataclass(frozen=True, slots=True)
class WindowJudged:
    """What was heard since BeginWindow; `heard` None: no tap, and the media flow.

    Levels are as they came from the caller, without our gain.
    """

    call_id: str
    ask_id: int
    heard: Heard | None = None
    level_dbov: float | None = None
    noise_dbov: float | None = None
    why: str = ""
    heard_ms: int = 0
    """So much the tap has listened to."""
    voice_ms: int = 0
    """So much of it would be a voice if it stood alone, whatever the whole was."""
    tone_ms: int = 0
    """So much of it was a tone."""
    lasting_ms: int = 0
    """So long noise has lasted that still goes on; 0 where it has ended, and where it is no noise."""
    verified: bool = False
    """A sound would have been heard: frames of the tap arrive, or no packet has come since CountPackets."""
    behind: bool = False
    """The tap has yet to listen to much of what has come: this is no answer."""


@dataclass(frozen=True, slots=True)
class GainSet:
    """Asterisk raises what it hears of the caller by `gain_db`."""

    call_id: str
    uniqueid: str
    gain_db: float


@dataclass(frozen=True, slots=True)
class GainRefused:
    """The gain could not be set; `reason` is a sentence."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """DTMFBegin or, `released`, DTMFEnd received from the caller."""

    uniqueid: str
    key: str
    at_ms: int
    released: bool = False


@dataclass(frozen=True, slots=True)
class PromptFinished:
    """STREAM FILE answered: the prompt has ended or was stopped."""

    call_id: str
    play_id: int
    at_ms: int


@dataclass(frozen=True, slots=True)
class PromptFailed:
    """The prompt could not be played; `reason` is a sentence."""

    call_id: str
    play_id: int
    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class EventsFenced:
    """All AMI events made before our FenceEvents command with this `fence_id` have now been received."""

    call_id: str
    fence_id: int


@dataclass(frozen=True, slots=True)
class FenceFailed:
    """Nobody can tell whether events are still on their way; `reason` is a sentence."""

    call_id: str
    fence_id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Released:
    """A hang-up has been carried out: the dialplan has the channel, and hangs up."""

    call_id: str


@dataclass(frozen=True, slots=True)
class ReleaseFailed:
    """A hang-up was not carried out in time, and will not be; we still have the channel. `reason` is a sentence."""

    call_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """AGI HANGUP or AMI Hangup of the caller's channel."""

    uniqueid: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class AgiClosed:
    """The FastAGI connection ended without us and without a hang-up: fax, redirect or transfer took the call."""

    call_id: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class LinkUp:
    """AMI is logged in and its events flow."""

    at_ms: int
    may_go_deaf: bool = True
    """This Asterisk may stop hearing a caller whose RTP goes on; False for releases known not to."""


@dataclass(frozen=True, slots=True)
class LinkLost:
    """AMI is gone: nothing can be heard any more."""

    at_ms: int
    reason: str


@dataclass(frozen=True, slots=True)
class ChannelsSeen:
    """A snapshot of all channels, taken after a reconnect."""

    uniqueids: frozenset[str]
    at_ms: int


@dataclass(frozen=True, slots=True)
class ProceduresChanged:
    """The site has changed its procedures: new calls follow these, calls in progress keep theirs."""

    procedures: Procedures


Event = (
    CallArrived
    | CallNoted
    | EarArmed
    | EarFailed
    | SoundStarted
    | SoundEnded
    | TapOpened
    | TapLost
    | EarDeafened
    | MediaBegan
    | VoiceBegan
    | WindowJudged
    | GainSet
    | GainRefused
    | KeyPressed
    | PromptFinished
    | PromptFailed
    | EventsFenced
    | FenceFailed
    | Released
    | ReleaseFailed
    | CallerHungUp
    | AgiClosed
    | LinkUp
    | LinkLost
    | ChannelsSeen
    | ProceduresChanged
)
