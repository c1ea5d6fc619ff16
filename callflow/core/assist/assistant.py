"""All assisted talks at once: hands each event to its talk, and knows the next deadline of them all."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from functools import partial

from callflow.core import commands, events
from callflow.core.assist.actions import ActionCarried, ActionWanted
from callflow.core.assist.agent_desk import AgentDesk
from callflow.core.assist.case import Case, Levels, Link
from callflow.core.assist.commands import AssistCommand, ReturnCaller
from callflow.core.assist.facts import (
    AssistEvent,
    CallerParted,
    GoodbyeSpoken,
    HoldChecked,
    NameOver,
    PartingFailed,
    PromptOver,
    TalksSeen,
)
from callflow.core.assist.rules import AssistRules
from callflow.core.assist.states import IllegalInput, State
from callflow.core.assist.talk import AssistedTalk
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.deadlines import Deadlines
from callflow.core.profile import Assist, Mode, Procedures, Profile
from callflow.core.rings.records import HeldBy
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkHeld, TalkParties, TalkResumed

MOST_ARRIVALS = 20_000
OF_TALK = (HoldChecked, PromptOver, NameOver, CallerParted, PartingFailed)
OF_CHANNEL = (events.SoundStarted, events.SoundEnded, events.KeyPressed, events.CallerHungUp, GoodbyeSpoken)


class Assistant:
    """The pure core. `receive` and `expire` return what is to be done, in order; neither ever raises for an event."""

    def __init__(self, procedures: Procedures, rules: AssistRules) -> None:
        self._procedures, self._rules = procedures, rules
        self._wanted = _wanted(procedures)
        self._talks: dict[str, AssistedTalk] = {}
        self._newest_ms = 0
        """No two talks have the same id: each is named after a millisecond of its own."""
        self._by_uniqueid: dict[str, AssistedTalk] = {}
        self._deadlines: Deadlines[str] = Deadlines()
        self._arrived: dict[str, tuple[str, str]] = {}
        """Profile and channel language of callers who were screened or have returned to an agent, by uniqueid."""
        self._used: set[str] = set()
        """Uniqueids of agents whose channel was in an assisted talk."""
        self._link, self._levels = Link(), Levels()
        self._desk = AgentDesk(rules, self._talks.values, self._by_uniqueid.get, self._run)
        self.unexpected: Counter[str] = Counter()
        """Events that fitted nowhere, by name: late answers, strangers, impossible orders."""

    @property
    def live(self) -> int:
        """Talks assisted now."""
        return len(self._talks)

    @property
    def is_off(self) -> bool:
        """No profile wants assistance, and no talk has any."""
        return not (self._wanted or self._talks or self._desk.busy)

    def resume(self, left: Iterable[WrapUp]) -> None:
        """Take up what an earlier life has left open."""
        self._desk.resume(left)

    def change(self, rules: AssistRules) -> None:
        """New rules for new talks."""
        self._rules = self._desk.rules = rules

    def receive(self, event: AssistEvent, now_ms: int) -> list[AssistCommand]:
        """Take in one fact."""
        match event:
            case TalkBegan(at_ms, parties):
                return self._began(parties, at_ms, now_ms)
            case TalkHeld() | TalkResumed() | TalkEnded():
                return self._talk_event(event, now_ms)
            case TalksSeen():
                return self._talks_seen(event, now_ms)
            case ActionWanted():
                return self._desk.asked(event, now_ms)
            case ActionCarried():
                return self._desk.carried(event, now_ms)
            case events.CallArrived():
                self._remember(event)
            case events.ProceduresChanged(procedures):
                self._procedures, self._wanted = procedures, _wanted(procedures)
                self._link.unplayable.clear()
            case events.LinkUp():
                self._link.up, self._link.may_go_deaf = True, event.may_go_deaf
                self._link.unplayable.clear()
            case events.LinkLost():
                return self._link_lost(event, now_ms)
            case _:
                return self._hand_on(event, now_ms)
        return []

    def expire(self, now_ms: int) -> list[AssistCommand]:
        """Do what is due by now."""
        issued: list[AssistCommand] = []
        for talk_id in self._deadlines.pop_due(now_ms):
            talk = self._talks[talk_id]
            issued += self._run(talk, "deadline", partial(talk.expire, now_ms), now_ms)
        return issued + self._desk.expire(now_ms) if self._link.up else issued

    def next_deadline(self) -> int | None:
        """When to call `expire` next, epoch ms; without a link no pause can be ended."""
        due = (self._deadlines.next(), self._desk.next_deadline() if self._link.up else None)
        return min((at for at in due if at is not None), default=None)

    # -- talks ------------------------------------------------------------------------------------------------------

    def _began(
        self,
        parties: TalkParties,
        at_ms: int,
        now_ms: int,
        *,
        found: bool = False,
        held_by: Collection[HeldBy] = (),
    ) -> list[AssistCommand]:
        name, profile, language = self._profile(parties)
        if profile.assist is Assist.OFF or profile.mode is Mode.OFF:
            return []
        if self.live >= self._procedures.max_calls:
            self.unexpected["more talks than [limits] max_calls"] += 1
            return []
        issued: list[AssistCommand] = []
        for uniqueid in (parties.caller_uniqueid, parties.agent_uniqueid):
            before = self._by_uniqueid.get(uniqueid)
            if before is not None:  # its end was not seen, or its caller has returned
                issued += self._run(before, "talk over", partial(before.finish, now_ms), now_ms)
        self._newest_ms = max(now_ms, self._newest_ms + 1)  # an attended transfer may begin a talk twice in one ms
        talk_id = f"{parties.caller_uniqueid}-{self._newest_ms}"
        case = Case(
            talk_id=talk_id,
            parties=parties,
            profile_name=name,
            profile=profile,
            rules=self._rules,
            procedures=self._procedures,
            language=language,
            link=self._link,
            levels=self._levels,
            began_ms=at_ms,
            found=found,
        )
        is_used = found or parties.agent_uniqueid in self._used
        self._used.add(parties.agent_uniqueid)
        talk = AssistedTalk(case, now_ms, is_agent_used=is_used)
        self._talks[talk_id] = talk
        self._by_uniqueid[parties.caller_uniqueid] = self._by_uniqueid[parties.agent_uniqueid] = talk
        start = partial(talk.start_held, held_by, now_ms) if held_by else talk.start
        issued += self._desk.talk_began(talk, now_ms)
        return issued + self._run(talk, "talk began", start, now_ms)

    def _talk_event(self, event: TalkHeld | TalkResumed | TalkEnded, now_ms: int) -> list[AssistCommand]:
        talk = self._of_parties(event.parties)
        if talk is None:
            return []
        ended = self._desk.talk_ended(talk, now_ms) if isinstance(event, TalkEnded) else []
        return ended + self._run(talk, event, partial(talk.talk_event, event, now_ms), now_ms)

    def _talks_seen(self, event: TalksSeen, now_ms: int) -> list[AssistCommand]:
        issued: list[AssistCommand] = []
        for parties, held_by in event.talks:
            issued += self._seen(parties, event.at_ms, now_ms, held_by)
        return issued + self._desk.talks_seen(now_ms)

    def _seen(self, parties: TalkParties, at_ms: int, now_ms: int, held_by: Collection[HeldBy]) -> list[AssistCommand]:
        """A talk that went on unseen; one that is assisted already is left alone."""
        known = self._by_uniqueid.get(parties.caller_uniqueid)
        if known is not None and known.case.parties.agent_uniqueid == parties.agent_uniqueid:
            return []
        return self._began(parties, at_ms, now_ms, found=True, held_by=held_by)

    def _profile(self, parties: TalkParties) -> tuple[str, Profile, str]:
        """The profile that screened the caller, else the one with the queue's name, else `default`; the language."""
        name, language = self._arrived.get(parties.caller_uniqueid, (parties.queue, ""))
        profiles = self._procedures.profiles
        name = name if name in profiles else "default"
        profile = profiles[name]
        return name, profile, self._procedures.choose_language(profile, language)

    def _remember(self, event: events.CallArrived) -> None:
        while len(self._arrived) >= MOST_ARRIVALS:
            del self._arrived[next(iter(self._arrived))]
        if not event.check:
            self._arrived[event.uniqueid] = event.profile, event.language

    def _of_parties(self, parties: TalkParties) -> AssistedTalk | None:
        talk = self._by_uniqueid.get(parties.caller_uniqueid)
        return talk if talk is not None and talk.case.parties.agent_uniqueid == parties.agent_uniqueid else None

    def _hand_on(self, event: AssistEvent, now_ms: int) -> list[AssistCommand]:
        talk: AssistedTalk | None
        if isinstance(event, OF_CHANNEL):
            if isinstance(event, events.SoundStarted):
                self._link.proven = self._link.up
            if isinstance(event, events.CallerHungUp):
                self._arrived.pop(event.uniqueid, None)
                self._used.discard(event.uniqueid)
                self._levels.forget(event.uniqueid)
            talk = self._by_uniqueid.get(event.uniqueid)
        elif isinstance(event, OF_TALK):
            talk = self._talks.get(event.talk_id)
        else:
            if isinstance(event, events.GainSet):  # by the screening, too
                self._levels.set(event.uniqueid, event.gain_db)
            talk = self._talks.get(getattr(event, "call_id", "").rpartition("/")[0])
        return [] if talk is None else self._run(talk, event, partial(talk.receive, event, now_ms), now_ms)

    def _run(self, talk: AssistedTalk, event: object, step: Callable[[], None], now_ms: int) -> list[AssistCommand]:
        """Run one step of a talk. After an error of our own the talk is left alone; the others do not notice."""
        name = event if isinstance(event, str) else type(event).__name__
        issued: list[AssistCommand] = []
        try:
            step()
        except IllegalInput:
            self.unexpected[name] += 1
        except Exception as error:  # noqa: BLE001 - a fault in one talk must not cost another
            self.unexpected[f"fault in {name}"] += 1
            issued.append(commands.LogFault(talk.case.talk_id, name, error))
            self._give_up(talk, now_ms)
        return issued + self._after(talk, now_ms)

    def _give_up(self, talk: AssistedTalk, now_ms: int) -> None:
        try:
            talk.abandon(now_ms)
        except Exception:  # noqa: BLE001 - it cannot even be written down
            self.unexpected["fault in giving up"] += 1
            talk.case.state = State.DONE

    def _after(self, talk: AssistedTalk, now_ms: int) -> list[AssistCommand]:
        case = talk.case
        issued = case.commands.copy()
        case.commands.clear()
        if any(isinstance(command, ReturnCaller) for command in issued):  # the same agent is dialled without a queue
            self._arrived[case.parties.caller_uniqueid] = case.profile_name, case.language
        if case.done:
            self._deadlines.set(case.talk_id, None)
            if self._talks.pop(case.talk_id, None) is not None and self._link.up:
                issued += self._desk.talk_ended(talk, now_ms)
            for uniqueid in (case.parties.caller_uniqueid, case.parties.agent_uniqueid):
                if self._by_uniqueid.get(uniqueid) is talk:
                    del self._by_uniqueid[uniqueid]
        else:
            self._deadlines.set(case.talk_id, talk.next_deadline())
        return issued

    # -- the link ---------------------------------------------------------------------------------------------------

    def _link_lost(self, event: events.LinkLost, now_ms: int) -> list[AssistCommand]:
        """Nothing can be heard or done: every talk is left as it is."""
        self._link.up = self._link.proven = False
        self._used.clear()
        issued: list[AssistCommand] = []
        for talk in list(self._talks.values()):
            issued += self._run(talk, event, partial(talk.receive, event, now_ms), now_ms)
        return issued + self._desk.link_lost(now_ms)


def _wanted(procedures: Procedures) -> bool:
    """Any profile asks for assistance."""
    return any(profile.assist is not Assist.OFF for profile in procedures.profiles.values())
