"""The ears of one call: Asterisk's own always, the tap where the profile wants it and Asterisk can give it."""

from callflow.core import events
from callflow.core.commands import Command, CountPackets
from callflow.core.profile import Profile
from callflow.core.screening.ear import Ear, Judgement
from callflow.core.screening.talk_detect import TalkDetectEar
from callflow.core.screening.tap_ear import TapEar


class Ears:
    """Either ear may hear the caller; what the sound was, the tap judges while it is live."""

    def __init__(self, profile: Profile, uniqueid: str) -> None:
        self._own = TalkDetectEar(profile.talk_detect)
        self._may_probe = profile.talk_detect.probe_threshold < profile.talk_detect.threshold
        self._tap = TapEar(uniqueid)
        self._witness_only = profile.ear != "tap"
        self._all: tuple[Ear, ...] = (self._own,) if self._witness_only else (self._own, self._tap)

    @property
    def name(self) -> str:
        """The ear that judges now, as it stands in the records."""
        return self._tap.name if self._tap.live else self._own.name

    @property
    def tapped(self) -> bool:
        """The tap is live."""
        return self._tap.live

    @property
    def probes(self) -> bool:
        """Asterisk's ear is to find low voices, in the place of a tap that could not be had."""
        return self._tap.lost and self._may_probe

    @property
    def media_awaited(self) -> bool:
        """The tap is live, and the line has carried nothing yet."""
        return self._tap.live and not self._tap.media

    @property
    def decide_at(self) -> int | None:
        """When a sound must be judged at the latest, epoch ms; None when there is none to judge."""
        return min((ear.decide_at for ear in self._all if ear.decide_at is not None), default=None)

    def arm(self, call_id: str, channel: str) -> list[Command]:
        """Everything that makes Asterisk listen; EarArmed and EarFailed are of its own ear alone."""
        return [ear.arm(call_id, channel) for ear in self._all]

    def arm_again(self, call_id: str, channel: str, *, low: bool) -> Command:
        """Set Asterisk's ear anew, at the usual threshold or at the low one; a sound that lasts is told again."""
        return self._own.arm_low(call_id, channel) if low else self._own.arm(call_id, channel)

    def witness(self, call_id: str, channel: str) -> list[Command]:
        """What the last rung needs, so that there is evidence at its end: a tap, or a count of packets."""
        if self.tapped:
            return []
        count: list[Command] = [CountPackets(call_id, channel)]
        return [*count, self._tap.arm(call_id, channel)] if self._witness_only else count

    @property
    def sounding_since(self) -> int | None:
        """When the sound that Asterisk's ear hears now began, epoch ms; None when there is none."""
        return self._own.sounding_since

    @property
    def speech_since(self) -> int | None:
        """When the sound began that Asterisk's ear took for speech and still hears; None when there is none."""
        return self._own.sounding_since if self._own.decide_at is None else None

    def forget(self) -> None:
        """Asterisk's own ear was armed afresh."""
        self._own.forget()

    def hear(self, event: events.Event, now_ms: int) -> Judgement | None:
        """What an event says of the caller; None while nothing is certain."""
        judgements = [ear.hear(event, now_ms) for ear in self._all]
        return next((judgement for judgement in judgements if judgement), None)

    def expire(self, now_ms: int) -> Judgement | None:
        """What the time that has passed says about a sound under way."""
        return next((judgement for ear in self._all if (judgement := ear.expire(now_ms))), None)
