"""All calls at once: hands each event to its call, and knows the next deadline of them all."""

from collections import Counter
from collections.abc import Callable
from functools import partial

from callflow.core import commands, events
from callflow.core.deadlines import Deadlines
from callflow.core.printable import shortened
from callflow.core.profile import CHECK_LADDER, Mode, Procedures, Profile
from callflow.core.screening.early import EarlySounds
from callflow.core.screening.journal import record_noted
from callflow.core.screening.link import Link
from callflow.core.screening.screening import Screening
from callflow.core.screening.states import IllegalInput, Result

PROVE_EVERY_MS = 30_000
CHECK_PROFILE = Profile(ladder="check", ear="talk_detect")


class Engine:
    """The pure core. `receive` and `expire` return what is to be done, in order; neither ever raises for an event."""

    def __init__(self, procedures: Procedures) -> None:
        self._procedures = procedures
        self._calls: dict[str, Screening] = {}
        self._by_uniqueid: dict[str, Screening] = {}
        self._deadlines: Deadlines[str] = Deadlines()
        self._prove_at: int | None = None
        self._proofs = 0
        self._early = EarlySounds()
        self._warned: set[str] = set()
        self._link = Link()
        self.unexpected: Counter[str] = Counter()
        """Events that fitted nowhere, by name: late answers, strangers, impossible orders."""

    @property
    def link_up(self) -> bool:
        """AMI is connected."""
        return self._link.up

    @property
    def ear_proven(self) -> bool:
        """This link has heard at least one sound; before that, callflow never hangs up."""
        return self._link.proven

    @property
    def live(self) -> int:
        """Calls being screened or observed now."""
        return len(self._calls)

    def receive(self, event: events.Event, now_ms: int) -> list[commands.Command]:
        """Take in one fact."""
        match event:
            case events.CallArrived():
                return self._take_over(event, now_ms)
            case events.CallNoted():
                return self._noted(event)
            case events.SoundStarted():
                self._link.proven = self._link.up
            case events.LinkUp():
                self._link.up, self._link.may_go_deaf = True, event.may_go_deaf
                return self._prove(now_ms)
            case events.LinkLost():
                return self._link_lost(event, now_ms)
            case events.ChannelsSeen():
                return self._channels_seen(event, now_ms)
            case events.ProceduresChanged():
                self._procedures = event.procedures
                self._warned.clear()
                return []
        call = self._call_of(event)
        if call is not None:
            return self._step(call, event, now_ms)
        if isinstance(event, events.SoundStarted | events.SoundEnded):
            self._early.keep(event, now_ms)
        return []

    def expire(self, now_ms: int) -> list[commands.Command]:
        """Do what is due by now."""
        issued: list[commands.Command] = []
        for call_id in self._deadlines.pop_due(now_ms):
            issued += self._expire(self._calls[call_id], now_ms)
        if self._prove_at is not None and self._prove_at <= now_ms:
            issued += self._prove(now_ms)
        return issued

    def next_deadline(self) -> int | None:
        """When to call `expire` next, epoch ms."""
        due = [at for at in (self._deadlines.next(), self._prove_at) if at is not None]
        return min(due, default=None)

    # -- calls ----------------------------------------------------------------------------------------------------

    def _take_over(self, event: events.CallArrived, now_ms: int) -> list[commands.Command]:
        """A caller is in our hands, and must be given back whatever happens."""
        try:
            return self._arrived(event, now_ms)
        except Exception as error:  # noqa: BLE001 - a fault in one call must not cost another
            self.unexpected["fault in CallArrived"] += 1
            release = commands.Release(event.call_id, event.channel, Result.UNAVAILABLE)
            return [commands.LogFault(event.call_id, "CallArrived", error), release]

    def _arrived(self, event: events.CallArrived, now_ms: int) -> list[commands.Command]:
        before = self._by_uniqueid.get(event.uniqueid)
        issued: list[commands.Command] = []
        if before is not None:
            issued += self._run(before, "screened again", partial(before.screened_again, event.at_ms, now_ms), now_ms)
        profile, warnings = self._profile(event)
        if profile.mode is Mode.OFF:
            return [*issued, *warnings, commands.Release(event.call_id, event.channel, Result.OFF)]
        ladder = CHECK_LADDER if event.check else self._procedures.ladders[profile.ladder]
        call = Screening(event, profile, ladder, self._procedures, self._link)
        self._calls[event.call_id] = self._by_uniqueid[event.uniqueid] = call
        if not self.link_up:
            begin = partial(call.call.turn_away, now_ms, "AMI is not connected, nobody can be heard")
        elif self.live > self._procedures.max_calls:
            begin = partial(call.call.turn_away, now_ms, "more calls than [limits] max_calls")
        elif event.late_s > self._procedures.max_lag_s and not event.check:
            begin = partial(
                call.call.turn_away, now_ms, f"callflow is late by {event.late_s:.1f} s: [limits] max_lag_s"
            )
        else:
            begin = partial(call.start, now_ms)
        issued += warnings + self._run(call, "CallArrived", begin, now_ms)
        for sound in self._early.take(event.uniqueid, now_ms):
            if not call.done:
                issued += self._step(call, sound, now_ms)
        return issued

    def _noted(self, event: events.CallNoted) -> list[commands.Command]:
        """Record a call that nobody screened; mode `off` records none."""
        profile, issued = self._profile(event.arrived)
        if profile.mode is not Mode.OFF and event.arrived.call_id not in self._calls:
            language = self._procedures.choose_language(profile, event.arrived.language)
            record_noted(event, profile, language, issued.append)
        return issued

    def _profile(self, event: events.CallArrived) -> tuple[Profile, list[commands.Command]]:
        """The profile named in the dialplan; an unknown one falls back to `default` and is reported once."""
        if event.check:
            return CHECK_PROFILE, []
        profiles = self._procedures.profiles
        if event.profile in profiles:
            return profiles[event.profile], []
        if event.profile in self._warned or len(self._warned) > 1000:
            return profiles["default"], []
        self._warned.add(event.profile)
        name = shortened(event.profile)
        text = f"the dialplan asks for profile {name!r}, which is not in the settings; using default"
        return profiles["default"], [commands.Warn(text, f"add [profiles.{name}] or correct the Gosub line")]

    def _call_of(self, event: events.Event) -> Screening | None:
        """The call that an event belongs to, None (and counted) when there is none."""
        match event:
            case events.SoundStarted() | events.SoundEnded() | events.KeyPressed() | events.CallerHungUp():
                return self._by_uniqueid.get(event.uniqueid)
            case events.CallArrived() | events.CallNoted() | events.LinkUp() | events.LinkLost():
                return None
            case events.ChannelsSeen() | events.ProceduresChanged():
                return None
            case _:
                call = self._calls.get(event.call_id)
                if call is None:
                    self.unexpected[type(event).__name__] += 1
                return call

    def _step(self, call: Screening, event: events.Event, now_ms: int) -> list[commands.Command]:
        return self._run(call, type(event).__name__, partial(call.receive, event, now_ms), now_ms)

    def _expire(self, call: Screening, now_ms: int) -> list[commands.Command]:
        """A deadline is ours alone: an input that the table does not allow there is a fault like any other."""
        return self._run(call, "deadline", partial(_without_illegal_input, call.expire, now_ms), now_ms)

    def _run(self, call: Screening, name: str, step: Callable[[], None], now_ms: int) -> list[commands.Command]:
        """Run one step of a call, and collect what it wants done.

        An input that its table does not allow is counted and changes nothing. After any other error the call is handed
        on; the others do not notice.
        """
        try:
            step()
        except IllegalInput:
            self.unexpected[name] += 1
        except Exception as error:  # noqa: BLE001 - a fault in one call must not cost another
            self.unexpected[f"fault in {name}"] += 1
            return self._abandon(call, name, error, now_ms)
        return self._after(call)

    def _abandon(self, call: Screening, name: str, error: Exception, now_ms: int) -> list[commands.Command]:
        fault = commands.LogFault(call.call.id, name, error)
        try:
            call.call.abandon(now_ms)
        except Exception:  # noqa: BLE001 - it cannot even be written down; the caller goes on all the same
            self.unexpected["fault in giving up"] += 1
        return [fault, *self._after(call)]

    def _after(self, call: Screening) -> list[commands.Command]:
        """Collect what the call wants done; forget it when done, else note its deadline."""
        own, arrived = call.call, call.call.arrived
        issued = own.commands.copy()
        own.commands.clear()
        if call.done:
            self._deadlines.set(own.id, None)
            self._calls.pop(own.id, None)
            if self._by_uniqueid.get(arrived.uniqueid) is call:
                del self._by_uniqueid[arrived.uniqueid]
        else:
            self._deadlines.set(own.id, call.next_deadline())
        return issued

    # -- the link -------------------------------------------------------------------------------------------------

    def _link_lost(self, event: events.LinkLost, now_ms: int) -> list[commands.Command]:
        self._link.up = self._link.proven = False
        self._early.forget()
        self._prove_at = None
        self._proofs = 0
        issued: list[commands.Command] = []
        for call in list(self._calls.values()):
            issued += self._step(call, event, now_ms)
        return issued

    def _channels_seen(self, event: events.ChannelsSeen, now_ms: int) -> list[commands.Command]:
        """Calls whose channel is gone ended while nobody was looking."""
        issued: list[commands.Command] = []
        for call in list(self._calls.values()):
            uniqueid = call.call.arrived.uniqueid
            if uniqueid not in event.uniqueids and call.call.journal.partial:
                issued += self._step(call, events.CallerHungUp(uniqueid, event.at_ms), now_ms)
        return issued

    def _prove(self, now_ms: int) -> list[commands.Command]:
        """Place the self-test call until a sound is heard over this link."""
        if self.ear_proven or not self.link_up:
            self._prove_at = None
            return []
        self._prove_at = now_ms + PROVE_EVERY_MS
        self._proofs += 1
        issued: list[commands.Command] = [commands.ProveEar(f"{now_ms}-{self._proofs}")]
        if self._proofs > 1:  # the first has had its time
            text = "no sound has been heard over this AMI link yet; callflow hangs up on nobody until one is"
            issued.append(commands.Warn(text, "run `callflow check`: it tells what keeps the self-test tone from us"))
        return issued


def _without_illegal_input(step: Callable[[int], None], now_ms: int) -> None:
    """Run a step in which an input that the table does not allow is an error. Raises RuntimeError for it."""
    try:
        step(now_ms)
    except IllegalInput as error:
        raise RuntimeError(str(error)) from error
