"""Takes what agents ask for, from every door: who may, how often, in which talk; and answers each request once."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

from callflow.core.assist.actions import WORDS, Action, ActionAnswer, ActionCarried, ActionWanted, Refusal
from callflow.core.assist.commands import AnswerAction, AssistCommand
from callflow.core.assist.rules import AssistRules
from callflow.core.assist.steps import StepKind
from callflow.core.assist.talk import AssistedTalk
from callflow.core.assist.talk_actions import Taken
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.assist.wrap_ups import WrapUps

MINUTE_MS = 60_000
MOST_AGENTS = 10_000
MOST_OPEN = 10_000
Run = Callable[[AssistedTalk, object, Callable[[], None], int], list[AssistCommand]]
"""Runs one step of a talk and returns what it wants done."""


@dataclass(slots=True)
class _Asked:
    """What one agent has asked for in the last minute."""

    at_ms: deque[int] = field(default_factory=deque)
    told: bool = False
    """The refusal of what was too much stands in the timeline."""


@dataclass(frozen=True, slots=True)
class _Open:
    """A request that Asterisk has yet to answer."""

    wanted: ActionWanted
    action: Action
    talk: AssistedTalk | None


class AgentDesk:
    """`talks` are those under way, `by_uniqueid` finds the talk of a channel, `run` runs a step of a talk."""

    def __init__(
        self,
        rules: AssistRules,
        talks: Callable[[], Collection[AssistedTalk]],
        by_uniqueid: Callable[[str], AssistedTalk | None],
        run: Run,
    ) -> None:
        self.rules = rules
        self._talks, self._by_uniqueid, self._run = talks, by_uniqueid, run
        self._issued: list[AssistCommand] = []
        self._wrap_ups = WrapUps(self._issued.append)
        self._asked: dict[str, _Asked] = {}
        self._open: dict[str, _Open] = {}

    @property
    def busy(self) -> bool:
        """A wrap-up is under way."""
        return self._wrap_ups.live > 0

    # -- requests ---------------------------------------------------------------------------------------------------

    def asked(self, wanted: ActionWanted, now_ms: int) -> list[AssistCommand]:
        """Take a request. What is refused outside of any talk has no timeline to stand in."""
        action = Action(wanted.action) if wanted.action in set(Action) else None
        talk = self._talk_of(wanted)
        too_many, tell = self._too_many(_who(wanted, talk), now_ms)
        refusal = Refusal.TOO_MANY if too_many else self._refuse(wanted, action, talk)
        if refusal is not None or action is None:
            return self._answer(wanted, talk if tell else None, refusal or Refusal.UNKNOWN_ACTION, now_ms)
        if action in (Action.WRAPUP, Action.READY):
            return self._wrap_up(wanted, action, talk, now_ms)
        if talk is None:
            return self._answer(wanted, None, Refusal.NO_TALK, now_ms)
        return self._act(wanted, action, talk, now_ms)

    def _talk_of(self, wanted: ActionWanted) -> AssistedTalk | None:
        """The talk on whose channel a code was typed, else the agent's newest, or the one with this call."""
        if wanted.uniqueid:
            talk = self._by_uniqueid(wanted.uniqueid)
            return None if talk is None or talk.case.parted else talk
        if wanted.call_id:
            return next((one for one in self._under_way() if one.case.parties.call_id == wanted.call_id), None)
        own = [one for one in self._under_way() if wanted.agent and one.case.parties.agent == wanted.agent]
        return own[-1] if own else None

    def _under_way(self) -> Iterable[AssistedTalk]:
        return (talk for talk in self._talks() if not talk.case.parted)

    def _refuse(self, wanted: ActionWanted, action: Action | None, talk: AssistedTalk | None) -> Refusal | None:
        """A code is known by its channel, any other request by the agent's work number."""
        if action is None:
            return Refusal.UNKNOWN_ACTION
        if talk is None:
            return Refusal.NO_TALK if wanted.call_id else None
        parties = talk.case.parties
        if wanted.uniqueid:
            return Refusal.CALLER_TYPED if wanted.uniqueid != parties.agent_uniqueid else None
        is_own = bool(wanted.agent) and parties.agent == wanted.agent
        if not is_own or (wanted.queues and parties.queue not in wanted.queues):
            return Refusal.NOT_YOURS
        return None

    def _too_many(self, who: str, now_ms: int) -> tuple[bool, bool]:
        """Whether this is more than the agent may ask for, and whether it is to be written down."""
        while len(self._asked) >= MOST_AGENTS and who not in self._asked:
            del self._asked[next(iter(self._asked))]
        asked = self._asked.setdefault(who, _Asked())
        while asked.at_ms and now_ms - asked.at_ms[0] >= MINUTE_MS:
            asked.at_ms.popleft()
            asked.told = False
        if len(asked.at_ms) < self.rules.actions_per_minute:
            asked.at_ms.append(now_ms)
            return False, True
        tell, asked.told = not asked.told, True
        return True, tell

    def _act(self, wanted: ActionWanted, action: Action, talk: AssistedTalk, now_ms: int) -> list[AssistCommand]:
        taken: list[Refusal | Taken] = []
        issued = self._run(
            talk, f"action {action}", lambda: taken.append(talk.act(action, wanted.request_id, now_ms)), now_ms
        )
        outcome = taken[0] if taken else Refusal.NOT_NOW
        if outcome is Taken.WAITS:
            return issued + self._wait(wanted, action, talk)
        return issued + self._answer(wanted, talk, outcome if isinstance(outcome, Refusal) else None, now_ms)

    def _wrap_up(
        self, wanted: ActionWanted, action: Action, talk: AssistedTalk | None, now_ms: int
    ) -> list[AssistCommand]:
        agent = talk.case.parties.agent if talk is not None else wanted.agent
        if action is Action.READY:
            refusal = self._wrap_ups.ready(wanted.request_id, agent)
        else:
            refusal = self._wrap_ups.ask(wanted.request_id, agent, None if talk is None else talk.case, now_ms)
        if refusal is not None:
            return self._answer(wanted, talk, refusal, now_ms)
        return self._take() + self._wait(wanted, action, talk)

    # -- answers ----------------------------------------------------------------------------------------------------

    def _wait(self, wanted: ActionWanted, action: Action, talk: AssistedTalk | None) -> list[AssistCommand]:
        while len(self._open) >= MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._open[wanted.request_id] = _Open(wanted, action, talk)
        return []

    def carried(self, event: ActionCarried, now_ms: int) -> list[AssistCommand]:
        """Asterisk has done what a request needs, or refused."""
        open_ = self._open.pop(event.request_id, None)
        if open_ is None:
            self._wrap_ups.unpaused(event.request_id, done=not event.error)
            return self._not_carried(event, now_ms) if event.error else []
        issued: list[AssistCommand] = []
        wanted, action, talk = open_.wanted, open_.action, open_.talk
        in_talk = talk is not None and not talk.case.done and not talk.case.parted
        if action in (Action.WRAPUP, Action.READY):
            self._wrap_ups.carried(
                event.request_id, done=not event.error, in_talk=in_talk, rules=self.rules, now_ms=now_ms
            )
            issued += self._take()
        if talk is not None and in_talk and not event.error and action is not Action.READY:
            issued += self._run(talk, event, lambda: talk.carried(action, event.request_id, now_ms), now_ms)
        refusal = Refusal.ASTERISK if event.error else None
        return issued + self._answer(wanted, talk, refusal, now_ms, event.error)

    def _not_carried(self, event: ActionCarried, now_ms: int) -> list[AssistCommand]:
        """A consultation that cannot begin: its request was answered before its prompt was said."""
        issued: list[AssistCommand] = []
        for talk in list(self._under_way()):
            step = partial(talk.not_carried, event.request_id, event.error, now_ms)
            issued += self._run(talk, event, step, now_ms)
        return issued

    def _answer(
        self, wanted: ActionWanted, talk: AssistedTalk | None, refusal: Refusal | None, now_ms: int, error: str = ""
    ) -> list[AssistCommand]:
        why = "" if refusal is None else error or WORDS[refusal]
        issued: list[AssistCommand] = []
        if talk is not None and not talk.case.done:
            what = wanted.action if wanted.action in set(Action) else "unknown"
            outcome = "done" if refusal is None else refusal.value
            told = f"by {wanted.door}" + (f"; {why}" if why else "")
            issued += self._run(
                talk, wanted, lambda: talk.case.tell(StepKind.ACTION, now_ms, what, told, outcome=outcome), now_ms
            )
        answer = ActionAnswer(wanted.request_id, wanted.action, refusal, why)
        return [*issued, AnswerAction(answer)]

    # -- talks and time ---------------------------------------------------------------------------------------------

    def resume(self, left: Iterable[WrapUp]) -> None:
        """Wrap-ups that an earlier life has left open."""
        self._wrap_ups.resume(left, self.rules)

    def talk_began(self, talk: AssistedTalk, now_ms: int) -> list[AssistCommand]:
        """An agent hears a caller."""
        self._wrap_ups.talk_began(talk.case.parties.agent, talk.case.parties.call_id, now_ms)
        return self._take()

    def talk_ended(self, talk: AssistedTalk, now_ms: int) -> list[AssistCommand]:
        """The agent is out of a talk; may be told twice."""
        self._wrap_ups.talk_ended(talk.case, now_ms)
        return self._take()

    def talks_seen(self, now_ms: int) -> list[AssistCommand]:
        """After the link came up the talks under way are known."""
        self._wrap_ups.talks_seen({talk.case.parties.agent for talk in self._under_way()}, self.rules, now_ms)
        return self._take()

    def link_lost(self, now_ms: int) -> list[AssistCommand]:
        """Nothing that was asked of Asterisk will be answered."""
        return [
            command
            for request_id in list(self._open)
            for command in self.carried(ActionCarried(request_id, "AMI is lost"), now_ms)
        ]

    def next_deadline(self) -> int | None:
        return self._wrap_ups.next_deadline()

    def expire(self, now_ms: int) -> list[AssistCommand]:
        """Wrap-ups that have lasted for too long end."""
        self._wrap_ups.expire(now_ms)
        return self._take()

    def _take(self) -> list[AssistCommand]:
        issued = self._issued.copy()
        self._issued.clear()
        return issued


def _who(wanted: ActionWanted, talk: AssistedTalk | None) -> str:
    """Whose requests are counted together: an agent's, by any door; a caller's keys apart from them."""
    if wanted.uniqueid and talk is not None:
        parties = talk.case.parties
        return parties.agent if parties.agent and wanted.uniqueid == parties.agent_uniqueid else wanted.uniqueid
    return wanted.agent or wanted.uniqueid
