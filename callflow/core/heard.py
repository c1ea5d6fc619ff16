"""What an ear can say it heard: one closed set, the same in records, logs and metrics."""

from enum import StrEnum


class Heard(StrEnum):
    """What was heard of a caller over a stretch of time."""

    SPEECH = "speech"
    """A voice that can be understood."""
    QUIET = "quiet"
    """A voice too low to understand."""
    NOISE = "noise"
    """Sound, but no voice in it: a doubt, and so a case for a person."""
    TONE = "tone"
    """Ringback, busy, DTMF, fax: a machine."""
    MUSIC = "music"
    """Music: the caller's phone has put us on hold."""
    COMFORT_NOISE = "comfort_noise"
    """Only the faint noise that a phone or carrier makes up."""
    DIGITAL_SILENCE = "digital_silence"
    """Media flow, and every sample is nothing: a muted phone, a dead lead-in."""
    NO_MEDIA = "no_media"
    """No RTP has come: NAT, one-way audio."""
    ONE_WAY_SUSPECTED = "one_way_suspected"
    """RTP came and stopped."""
    PACKET_LOSS = "packet_loss"
    """So much RTP is missing that nothing can be said of the rest."""
