"""The wrap-ups of all agents: asked for in a talk or just after it, begun by its end, ended by `ready`."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from callflow.core.assist.actions import Refusal
from callflow.core.assist.case import Case
from callflow.core.assist.commands import AssistCommand, PauseAgent, SaveWrapUp
from callflow.core.assist.rules import AssistRules
from callflow.core.assist.wrap_up import EndedBy, WrapUp
from callflow.core.deadlines import Deadlines

AFTER_TALK_MS = 60_000
"""So long after a talk its agent may still ask for a wrap-up."""
MOST_AGENTS = 10_000


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that Asterisk has yet to answer."""

    wrap_up: WrapUp
    begins: bool
    """It pauses the agent; otherwise it ends the pause."""


class WrapUps:
    """One at a time for each agent, by work number. A pause is asked of Asterisk first, and kept once it is granted."""

    def __init__(self, issue: Callable[[AssistCommand], None]) -> None:
        self._issue = issue
        self._of: dict[str, WrapUp] = {}
        self._asked: dict[str, _Asked] = {}
        """By the id of the request."""
        self._owed: dict[str, str] = {}
        """Phones whose pause is over, until Asterisk has ended it, by id of the wrap-up."""
        self._last: dict[str, tuple[Case, int]] = {}
        """The last talk of each agent and its end."""
        self._due: Deadlines[str] = Deadlines()

    @property
    def live(self) -> int:
        """Wrap-ups under way or asked for."""
        return len(self._of)

    def resume(self, left: Iterable[WrapUp], rules: AssistRules) -> None:
        """Take up those that an earlier life has left open."""
        for one in left:
            self._of[one.agent] = one
            self._time(one, rules)

    def next_deadline(self) -> int | None:
        return self._due.next()

    def expire(self, now_ms: int) -> None:
        """End those that have lasted for too long."""
        for agent in self._due.pop_due(now_ms):
            self._end(agent, now_ms, EndedBy.TIME)

    # -- what agents ask for ----------------------------------------------------------------------------------------

    def ask(self, request_id: str, agent: str, case: Case | None, now_ms: int) -> Refusal | None:
        """`case` is the talk that the agent is in, None after it; None: Asterisk is asked to pause the agent."""
        if agent in self._of or any(one.begins and one.wrap_up.agent == agent for one in self._asked.values()):
            return Refusal.ALREADY
        after = self._last.get(agent)
        if case is None and after is not None and now_ms - after[1] <= AFTER_TALK_MS:
            case = after[0]
        if case is None:
            return Refusal.NO_TALK
        if case.pretends:
            return Refusal.OBSERVING
        parties = case.parties
        wrap_up_id = f"{case.talk_id}-wrap-up-{now_ms}"
        wrap_up = WrapUp(wrap_up_id, parties.call_id, 1, agent, parties.queue, case.phone, case.closed_as, now_ms)
        self._asked[request_id] = _Asked(wrap_up, True)
        self._issue(PauseAgent(request_id, case.phone, True))
        return None

    def ready(self, request_id: str, agent: str) -> Refusal | None:
        """None: Asterisk is asked to end the pause."""
        wrap_up = self._of.get(agent)
        if wrap_up is None:
            return Refusal.NO_WRAP_UP
        self._asked[request_id] = _Asked(wrap_up, False)
        self._issue(PauseAgent(request_id, wrap_up.phone, False))
        return None

    def carried(self, request_id: str, *, done: bool, in_talk: bool, rules: AssistRules, now_ms: int) -> None:
        """Asterisk has answered; `in_talk`: the agent is still in the talk."""
        asked = self._asked.pop(request_id, None)
        if asked is None or not done:
            return
        agent = asked.wrap_up.agent
        if asked.begins:
            self._of[agent] = asked.wrap_up
            self._issue(SaveWrapUp(asked.wrap_up, False))
            if not in_talk:
                self._begin(agent, now_ms, rules)
        elif agent in self._of and self._of[agent].wrap_up_id == asked.wrap_up.wrap_up_id:
            self._end(agent, now_ms, EndedBy.READY, unpause=False)

    def unpaused(self, wrap_up_id: str, *, done: bool) -> None:
        """Asterisk has ended the pause of this wrap-up, or could not be asked: then it is asked once more."""
        if done:
            self._owed.pop(wrap_up_id, None)

    # -- talks ------------------------------------------------------------------------------------------------------

    def talk_began(self, agent: str, call_id: str, now_ms: int) -> None:
        """Whoever talks again is not writing up the call before; a talk that was found again goes on."""
        wrap_up = self._of.get(agent)
        if wrap_up is not None and (wrap_up.began_ms is not None or wrap_up.call_id != call_id):
            self._end(agent, now_ms, EndedBy.TALK)

    def talk_ended(self, case: Case, now_ms: int) -> None:
        """The agent is out of the talk; may be told twice."""
        agent = case.parties.agent
        self._last.pop(agent, None)
        while len(self._last) >= MOST_AGENTS:
            del self._last[next(iter(self._last))]
        self._last[agent] = case, now_ms
        wrap_up = self._of.get(agent)
        if wrap_up is not None and wrap_up.began_ms is None and wrap_up.call_id == case.parties.call_id:
            self._begin(agent, now_ms, case.rules, case.closed_as)

    def talks_seen(self, agents: set[str], rules: AssistRules, now_ms: int) -> None:
        """After the link came up: whose talk has ended unseen begins the wrap-up now; pauses that are over end."""
        owed, self._owed = self._owed, {}
        for phone in owed.values():
            self._issue(PauseAgent("", phone, False, of_itself=True))
        for agent, wrap_up in list(self._of.items()):
            if wrap_up.began_ms is None and agent not in agents:
                self._begin(agent, now_ms, rules)

    def _begin(self, agent: str, now_ms: int, rules: AssistRules, outcome: str = "") -> None:
        wrap_up = self._of[agent]
        begun = self._of[agent] = wrap_up.begin(now_ms, outcome or wrap_up.outcome)
        self._issue(SaveWrapUp(begun, False))
        self._time(begun, rules)

    def _time(self, wrap_up: WrapUp, rules: AssistRules) -> None:
        if wrap_up.began_ms is not None:
            self._due.set(wrap_up.agent, wrap_up.began_ms + round(1000 * rules.wrap_up_most_s))

    def _end(self, agent: str, now_ms: int, by: EndedBy, *, unpause: bool = True) -> None:
        wrap_up = self._of.pop(agent)
        self._due.set(agent, None)
        if unpause:
            self._owed[wrap_up.wrap_up_id] = wrap_up.phone
            self._issue(PauseAgent(wrap_up.wrap_up_id, wrap_up.phone, False, of_itself=True))
        self._issue(SaveWrapUp(wrap_up.end(now_ms, by), True))
