"""The journal of one call: each entry of the timeline, and the record so far."""

from collections.abc import Callable

from callflow.core import commands, events
from callflow.core.call_record import CallRecord, Kind, TimelineEntry
from callflow.core.heard import Heard
from callflow.core.profile import Profile
from callflow.core.screening.states import Result

Standing = Callable[[], tuple[str, int]]
"""The ear that judges now, and the number of the rung."""


class Journal:
    """Hands to `keep` what is to be kept; of the self-test call nothing is."""

    def __init__(
        self,
        arrived: events.CallArrived,
        profile: Profile,
        language: str,
        keep: Callable[[commands.Command], None],
        standing: Standing,
    ) -> None:
        self._arrived = arrived
        self._profile = profile
        self._keep = keep
        self._standing = standing
        self._seq = 0
        self.language = language
        self.result: Result | None = None
        self.would: Result | None = None
        self.heard: Heard | None = None
        """What the finding that decided was; None where no finding did."""
        self.level_dbov: float | None = None
        self.gain_db = 0.0
        self.heard_at_ms: int | None = None
        self.heard_after_would = False
        self.partial = False

    def tell(self, kind: Kind, at_ms: int, what: str = "", why: str = "") -> None:
        """One thing has happened."""
        if self._arrived.check:
            return
        self._seq += 1
        self._keep(commands.AddToTimeline(self._arrived.call_id, TimelineEntry(self._seq, at_ms, kind, what, why)))

    def save(self, ended_ms: int | None = None) -> None:
        """The call as it stands; `ended_ms` None while it lasts."""
        if not self._arrived.check:
            self._keep(commands.SaveCall(self._record(ended_ms), final=ended_ms is not None))

    def judged(self, window: events.WindowJudged, now_ms: int) -> None:
        """What a stretch of time was: for now, the finding that decides."""
        if window.heard is None:
            return
        self.heard = window.heard
        parts = [window.why]
        if window.level_dbov is not None:
            self.level_dbov = round(window.level_dbov, 1)
            parts.append(f"{self.level_dbov:g} dBov{f', gain {self.gain_db:g} dB' if self.gain_db else ''}")
        if window.noise_dbov is not None:
            parts.append(f"noise {window.noise_dbov:.0f} dBov")
        self.tell(Kind.HEARD, now_ms, window.heard, "; ".join(part for part in parts if part))

    def _record(self, ended_ms: int | None) -> CallRecord:
        a = self._arrived
        ear, rung = self._standing()
        return CallRecord(
            call_id=a.call_id,
            uniqueid=a.uniqueid,
            channel=a.channel,
            profile=a.profile,
            mode=self._profile.mode,
            ladder=self._profile.ladder,
            ear=ear,
            language=self.language,
            caller_number=a.caller_number,
            caller_name=a.caller_name,
            dialled=a.dialled,
            arrived_ms=a.at_ms,
            ended_ms=ended_ms,
            result=self.result,
            would=self.would,
            rung=rung,
            heard_at_ms=self.heard_at_ms,
            heard_after_would=self.heard_after_would,
            partial=self.partial,
            heard=self.heard,
            level_dbov=self.level_dbov,
            gain_db=self.gain_db,
        )


def record_noted(
    noted: events.CallNoted, profile: Profile, language: str, keep: Callable[[commands.Command], None]
) -> None:
    """The whole record of a call that nobody screened."""
    arrived = noted.arrived
    journal = Journal(arrived, profile, language, keep, lambda: (profile.ear, 0))
    journal.partial = True
    journal.result = Result.HANGUP if noted.hung_up else Result.UNAVAILABLE
    journal.save(noted.left_ms)
    journal.tell(Kind.ARRIVED, arrived.at_ms, arrived.profile)
    journal.tell(Kind.DECIDED, noted.left_ms, journal.result, "callflow was not running, or did not answer")
