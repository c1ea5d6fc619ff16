"""The one mouth of a talk: prompts wait for a pause, one at a time, and stop when somebody speaks."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from callflow.core.assist.commands import AssistCommand, Say, StopSaying
from callflow.core.assist.facts import Outcome, PromptOver
from callflow.core.assist.voices import Voice, Voices

GIVE_UP_MS = 5000
"""A prompt of whose end nothing is heard is given up after twice its nominal length and this."""


class Purpose(StrEnum):
    """Why a prompt is said; its outcome goes to the part that asked for it."""

    LADDER = "ladder"
    LEVEL = "level"
    """The caller was heard, and is too low."""
    NOTICE = "notice"
    LULL = "lull"
    HOLD = "hold"
    NAME = "name"
    """It asks for the caller's name."""
    ACTION = "action"
    """On the agent's word."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A prompt that somebody wants said."""

    purpose: Purpose
    prompt: str
    to: Voice
    prompt_ms: int
    """Nominal length."""
    why: str


@dataclass(slots=True)
class _Waiting:
    wish: Wish
    until_ms: int


@dataclass(slots=True)
class _Spoken:
    wish: Wish
    say_id: str
    over_at: int
    stopping: bool = False


class Speaker:
    """Says wishes in order. `on_over` is told of every wish once, with its outcome.

    Two prompts never sound at the same time, to whichever party; none begins while somebody makes a sound.
    """

    def __init__(
        self,
        talk_id: str,
        voices: Voices,
        pause_ms: int,
        patience_ms: int,
        file_of: Callable[[str], tuple[str, str]],
        issue: Callable[[AssistCommand], None],
        on_over: Callable[[Wish, Outcome, str, int], None],
        *,
        pretends: bool,
    ) -> None:
        """`file_of` gives recording and language of a prompt; `pretends`: nothing is said (observe mode)."""
        self._talk_id = talk_id
        self._voices = voices
        self._pause_ms, self._patience_ms = pause_ms, patience_ms
        self._file_of = file_of
        self._issue = issue
        self._on_over = on_over
        self._pretends = pretends
        self._waiting: deque[_Waiting] = deque()
        self._spoken: _Spoken | None = None
        self._said = 0
        self.over_music = False
        """One party is on hold: only the caller can be talked over."""
        self.closed = ""
        """Why nothing can be said now; "" if it can. Nothing waits then."""

    @property
    def silent(self) -> bool:
        """Nothing is said, and nothing waits to be."""
        return self._spoken is None and not self._waiting

    def ask(self, wish: Wish, now_ms: int) -> None:
        """Say this in the next pause."""
        if self.closed:
            self._on_over(wish, Outcome.NOT_ATTACHED, self.closed, now_ms)
            return
        self._waiting.append(_Waiting(wish, now_ms + self._patience_ms))
        self.proceed(now_ms)

    def interrupt(self) -> None:
        """Somebody speaks: what is being said ends at once."""
        spoken = self._spoken
        if spoken is not None and not spoken.stopping:
            spoken.stopping = True
            if not self._pretends:
                self._issue(StopSaying(spoken.say_id))

    def forget(self, now_ms: int, why: str) -> None:
        """What waits has no reason any more, and what is being said ends."""
        waiting, self._waiting = self._waiting, deque()
        self.interrupt()
        for one in waiting:
            self._on_over(one.wish, Outcome.DROPPED, why, now_ms)

    def close(self, now_ms: int) -> None:
        """The talk is over: nothing more is said, and nothing of ours goes on."""
        self.forget(now_ms, "the talk is over")
        if self._spoken is not None:
            self._end(Outcome.STOPPED, "the talk is over", now_ms)
        self._on_over = _nobody  # a talk that holds itself is not freed when it is let go

    def over(self, event: PromptOver) -> None:
        """Asterisk has told of the end of a prompt; a prompt that was given up before is ignored."""
        if self._spoken is not None and event.say_id == self._spoken.say_id:
            self._end(event.outcome, event.reason, event.at_ms)

    def proceed(self, now_ms: int) -> None:
        """Begin, drop or give up what is due."""
        spoken = self._spoken
        if spoken is not None:
            if self._pretends and spoken.stopping:
                self._end(Outcome.STOPPED, "", now_ms)
            elif now_ms >= spoken.over_at:
                self._overdue(spoken, now_ms)
        while self._spoken is None and self._waiting:
            if self._may_begin(now_ms):
                self._begin(self._waiting.popleft().wish, now_ms)
            elif now_ms >= self._waiting[0].until_ms:
                self._on_over(self._waiting.popleft().wish, Outcome.DROPPED, "no pause came", now_ms)
            else:
                return

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        if self._spoken is not None:
            return self._spoken.over_at
        if not self._waiting:
            return None
        quiet_since = self._voices.quiet_since(caller_only=self.over_music)
        until_ms = self._waiting[0].until_ms
        return until_ms if quiet_since is None else min(until_ms, quiet_since + self._pause_ms)

    def _may_begin(self, now_ms: int) -> bool:
        quiet_since = self._voices.quiet_since(caller_only=self.over_music)
        return quiet_since is not None and now_ms - quiet_since >= self._pause_ms

    def _begin(self, wish: Wish, now_ms: int) -> None:
        self._said += 1
        say_id = f"callflow-say-{self._talk_id}-{self._said}"
        wait_ms = wish.prompt_ms if self._pretends else 2 * wish.prompt_ms + GIVE_UP_MS
        self._spoken = _Spoken(wish, say_id, now_ms + wait_ms)
        if self._pretends:
            return
        caller, agent = self._voices.caller, self._voices.agent
        other = agent if wish.to is caller else caller
        recording, language = self._file_of(wish.prompt)
        to, to_agent = wish.to, wish.to is agent
        self._issue(
            Say(
                self._talk_id, say_id, to.uniqueid, to.channel, other.channel, to_agent, recording, language,
                self.over_music,
            )
        )  # fmt: skip

    def _overdue(self, spoken: _Spoken, now_ms: int) -> None:
        if self._pretends:
            self._end(Outcome.WOULD, "", now_ms)
            return
        self._issue(StopSaying(spoken.say_id))
        self._end(Outcome.UNKNOWN, "nothing was heard of its end", now_ms)

    def _end(self, outcome: Outcome, reason: str, now_ms: int) -> None:
        spoken, self._spoken = self._spoken, None
        if spoken is None:
            return
        if spoken.stopping and outcome in (Outcome.REACHED, Outcome.UNKNOWN):
            outcome = Outcome.STOPPED
        self._on_over(spoken.wish, outcome, reason, now_ms)


def _nobody(wish: Wish, outcome: Outcome, reason: str, now_ms: int) -> None:
    """Nobody waits for the end of a prompt any more."""
