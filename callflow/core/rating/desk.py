"""The rating desk: remembers who talked to which agent, decides which callers to ask, holds the interviews."""

import zlib
from collections import Counter, OrderedDict
from dataclasses import dataclass, replace
from typing import TypeVar

from callflow.core.profile import Procedures, Profile
from callflow.core.rating.inputs import (
    CallerCame,
    CallerLeft,
    ChannelEnded,
    KeyPressed,
    NotToBeAsked,
    PromptFailed,
    RatingInput,
    RulesChanged,
    ThanksSaid,
)
from callflow.core.rating.interview import Interview
from callflow.core.rating.orders import GiveBack, RatingOrder, SaveRating
from callflow.core.rating.record import NotAsked, Rating
from callflow.core.rating.rules import RatingRules
from callflow.core.rating.states import Reply, reply_to
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkParties

REMEMBERED = 50_000
PLACES = 1000
HANG_UP_MS = 2_000
"""A caller's hang-up ends the talk and the channel within this time; the `h` of the site runs in between."""

K = TypeVar("K")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Talk:
    """The latest talk of a caller with an agent."""

    began_ms: int
    parties: TalkParties
    ended_ms: int | None = None


class RatingDesk:
    """The pure core. No deadline: Asterisk ends every question by itself."""

    def __init__(self, rules: RatingRules, procedures: Procedures) -> None:
        self._rules = rules
        self._procedures = procedures
        self._interviews: dict[str, Interview] = {}
        self._talks: OrderedDict[str, _Talk] = OrderedDict()
        """By the caller's Uniqueid, until its channel ends."""
        self._not_to_ask: OrderedDict[str, NotAsked] = OrderedDict()
        self._came: OrderedDict[str, None] = OrderedDict()
        """Channels that have reached the rating."""
        self._asked: OrderedDict[str, int] = OrderedDict()
        """When a caller was asked last in this life: the database may not have it yet."""
        self._places: OrderedDict[tuple[str, str], None] = OrderedDict()
        """Queues and lines whose callers come here when the agent hangs up."""
        self.unexpected: Counter[str] = Counter()
        """Inputs that fitted nowhere, by name."""

    @property
    def live(self) -> int:
        """Callers who are being asked now."""
        return len(self._interviews)

    def receive(self, event: RatingInput, now_ms: int) -> list[RatingOrder]:
        """Take in one fact."""
        match event:
            case TalkBegan(at_ms, parties):
                _remember(self._talks, parties.caller_uniqueid, _Talk(at_ms, parties))
            case TalkEnded(_, parties):
                talk = self._talks.get(parties.caller_uniqueid)
                if talk is not None and talk.parties == parties:
                    self._talks[parties.caller_uniqueid] = replace(talk, ended_ms=now_ms)
            case NotToBeAsked(uniqueid, why):
                _remember(self._not_to_ask, uniqueid, self._not_to_ask.get(uniqueid, why))
            case RulesChanged(rules, procedures):
                self._rules, self._procedures = rules, procedures
            case CallerCame():
                return self._came_to_rate(event)
            case KeyPressed(rating_id, key, at_ms):
                return self._take(rating_id, reply_to(key), at_ms, key)
            case ThanksSaid(rating_id, at_ms):
                return self._take(rating_id, Reply.PLAYED, at_ms)
            case CallerLeft(rating_id, at_ms):
                return self._take(rating_id, Reply.GONE, at_ms)
            case PromptFailed(rating_id, at_ms):
                return self._take(rating_id, Reply.FAILED, at_ms)
            case ChannelEnded(uniqueid, at_ms):
                return self._channel_ended(uniqueid, at_ms)
        return []

    def expire(self, now_ms: int) -> list[RatingOrder]:
        """Nothing is ever due."""
        return []

    def next_deadline(self) -> int | None:
        """There is none."""
        return None

    # -- who is asked ---------------------------------------------------------------------------------------------

    def _came_to_rate(self, event: CallerCame) -> list[RatingOrder]:
        talk = self._talks.get(event.uniqueid)
        _remember(self._came, event.uniqueid, None)
        if talk is not None:
            _remember(self._places, (talk.parties.queue, talk.parties.line), None, PLACES)
        why_not = self._why_not(event, talk)
        if why_not is not None:
            return [
                GiveBack(event.rating_id, f"not_asked:{why_not.value}"),
                SaveRating(self._record(event, talk, why_not), final=True),
            ]
        _remember(self._asked, event.caller, event.at_ms)
        profile = self._profile(event.profile)
        interview = Interview(self._record(event, talk, None), profile.prompts, round(1000 * self._rules.answer_s))
        self._interviews[event.rating_id] = interview
        return interview.begin()

    def _why_not(self, event: CallerCame, talk: _Talk | None) -> NotAsked | None:
        """The first reason not to ask; None to ask."""
        if not self._rules.enabled:
            return NotAsked.OFF
        if event.transferred:
            return NotAsked.TRANSFERRED
        for uniqueid in (event.uniqueid, event.uniqueid if talk is None else talk.parties.call_id):
            if noted := self._not_to_ask.get(uniqueid):
                return noted
        if talk is None or not talk.parties.agent or talk.parties.originated:
            return NotAsked.NO_AGENT
        if not event.caller:
            return NotAsked.NO_NUMBER
        if self._asked_lately(event):
            return NotAsked.ASKED_LATELY
        if not event.history_known:
            return NotAsked.UNKNOWN_HISTORY
        share = self._profile(event.profile).rating_share
        return None if drawn(event.rating_id, share) else NotAsked.SHARE

    def _asked_lately(self, event: CallerCame) -> bool:
        times = [at for at in (event.asked_ms, self._asked.get(event.caller)) if at is not None]
        return bool(times) and event.at_ms < self._rules.askable_from_ms(max(times))

    def _record(self, event: CallerCame, talk: _Talk | None, not_asked: NotAsked | None) -> Rating:
        return Rating(
            rating_id=event.rating_id,
            call_id=event.uniqueid if talk is None else talk.parties.call_id,
            profile=event.profile or "default",
            queue="" if talk is None else talk.parties.queue,
            line="" if talk is None else talk.parties.line,
            agent="" if talk is None else talk.parties.agent,
            caller=event.caller,
            language=self._procedures.choose_language(self._profile(event.profile), event.channel_language),
            talk_began_ms=None if talk is None else talk.began_ms,
            came_ms=event.at_ms,
            ended_ms=None if not_asked is None else event.at_ms,
            not_asked=not_asked,
            ending=None,
        )

    def _profile(self, name: str) -> Profile:
        """The profile named in the dialplan; `default` for none or an unknown one."""
        profiles = self._procedures.profiles
        return profiles.get(name) or profiles["default"]

    # -- who is being asked, and who has gone -----------------------------------------------------------------------

    def _take(self, rating_id: str, reply: Reply, at_ms: int, key: str | None = None) -> list[RatingOrder]:
        interview = self._interviews.get(rating_id)
        if interview is None:
            return []
        orders = interview.take(reply, key, at_ms)
        if not orders:
            self.unexpected[f"{reply.value} in {interview.state.value}"] += 1
        if interview.ended:
            del self._interviews[rating_id]
        return orders

    def _channel_ended(self, uniqueid: str, at_ms: int) -> list[RatingOrder]:
        """Forget the channel; a caller whose queue or line leads here, and who did not come, hung up first.

        One whose channel outlives the talk did not: the agent transferred them, or callflow hung up on them.
        """
        talk = self._talks.pop(uniqueid, None)
        self._not_to_ask.pop(uniqueid, None)
        came = uniqueid in self._came
        self._came.pop(uniqueid, None)
        if talk is None or came or not talk.parties.agent or talk.parties.originated:
            return []
        if (talk.parties.queue, talk.parties.line) not in self._places:
            return []
        if talk.ended_ms is not None and at_ms - talk.ended_ms > HANG_UP_MS:
            return []
        left = CallerCame(uniqueid, uniqueid, "", at_ms, "", "", transferred=False)
        return [SaveRating(self._record(left, talk, NotAsked.HUNG_UP_FIRST), final=True)]


def drawn(rating_id: str, share: float) -> bool:
    """Whether this call belongs to the share that is asked: the same answer each time."""
    return zlib.crc32(rating_id.encode("utf-8", "replace")) < share * 2**32


def _remember(memory: OrderedDict[K, V], key: K, value: V, most: int = REMEMBERED) -> None:
    """Keep it as the newest; the oldest goes when there are too many."""
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > most:
        memory.popitem(last=False)
