"""A caller who waits, on hold or while the agent looks something up (D4, D5).

One moment, reassurance, an offer to call back, thanks on return. Both parties may hold each other at the same time: the
hold lasts until neither does.
"""

from functools import partial

from callflow.core.assist.case import Case
from callflow.core.assist.naming import Naming
from callflow.core.assist.rules import Prompt
from callflow.core.assist.speaker import Purpose, Speaker, Wish
from callflow.core.assist.steps import StepKind
from callflow.core.assist.voices import Voices
from callflow.core.rings.records import HeldBy

PROMPT_MS = 4000
FRAGILE = "the hold began before callflow had set its ears: a prompt would end the music"
AWAY = "the caller has put the agent on hold"


class Holding:
    """One hold at a time; the music goes on beneath the prompts."""

    def __init__(self, case: Case, voices: Voices, speaker: Speaker) -> None:
        self._case, self._voices, self._speaker = case, voices, speaker
        self._held_by: set[HeldBy] = set()
        self._fragile = False
        self._looking_up = False
        self.announced = False
        """The caller knows why the next hold begins, or that this one lasts."""
        self._reassure_at: int | None = None
        self._offer_at: int | None = None
        self._offer_open_until: int | None = None
        self._offered = False
        self._accepted = False
        self.naming = Naming(case, voices, speaker, partial(_agree, voices, speaker))
        self._reassured = False
        """The next reassurance is the gentler one."""

    @property
    def lasts(self) -> bool:
        return bool(self._held_by)

    def is_by(self, party: HeldBy) -> bool:
        """This party has put the other on hold."""
        return party in self._held_by

    @property
    def waits(self) -> bool:
        """The caller waits for the agent, on hold or not."""
        return self.lasts or self._looking_up

    @property
    def takes_key(self) -> bool:
        """A key may accept the call-back, or end the caller's name."""
        return self._offer_open_until is not None or self.naming.lasts

    def look_up(self, now_ms: int) -> bool:
        """The agent looks something up, and the caller waits without music; False if that is so already."""
        if self.waits:
            return False
        self._looking_up = True
        self._say(Prompt.ONE_MOMENT, "the agent looks something up", now_ms)
        self._time(now_ms)
        return True

    def back(self, now_ms: int) -> bool:
        """The agent has found it; False if nothing was looked up."""
        if not self._looking_up:
            return False
        self._end_waiting(now_ms, "the agent is back")
        self._say(Prompt.THANK_YOU_FOR_WAITING, "the agent has found it", now_ms)
        return True

    def end_look_up(self, now_ms: int) -> None:
        """The agent does something else."""
        if self._looking_up:
            self._end_waiting(now_ms, "the look-up is over")

    def begin(self, now_ms: int, party: HeldBy, *, fragile: bool = False) -> None:
        """One party has put the other on hold; only the agent's hold is spoken into, while the caller is there.

        `fragile`: its music would end with a prompt. So there is none, and nothing is offered.
        """
        if not self.lasts:
            announced = self._looking_up or self.announced
            self._end_waiting(now_ms, "hold")
            self.announced, self._fragile = announced, fragile
            self._speaker.over_music = True
        self._held_by.add(party)
        if party is HeldBy.CALLER:
            self._stop_saying(now_ms, AWAY)
            self._speaker.closed = FRAGILE if self._fragile else AWAY
        elif not self.is_by(HeldBy.CALLER):
            self._speaker.closed = FRAGILE if self._fragile else ""
            self._reassure("the agent has put the caller on hold", now_ms)

    def _reassure(self, why: str, now_ms: int) -> None:
        """The agent holds, and the caller hears the music."""
        if not self._case.speaks:
            return
        if not self.announced:
            self.announced = True
            self._say(Prompt.ONE_MOMENT, why, now_ms)
        if not self._fragile:
            self._time(now_ms)

    def _time(self, now_ms: int) -> None:
        """When the caller is reassured, and when the call-back is offered."""
        rules = self._case.rules
        self._reassure_at = now_ms + round(rules.reassure_every_s * 1000)
        if not self._offered and self._case.has_number:
            self._offer_at = now_ms + round(rules.offer_after_s * 1000)

    def end_by(self, party: HeldBy, now_ms: int) -> None:
        """One party has taken the other back; the hold is over if the other does not hold either."""
        if not self.is_by(party):
            return
        if len(self._held_by) == 1:
            self.end(now_ms, thanks=party is HeldBy.AGENT)
            return
        self._held_by.discard(party)
        if party is HeldBy.CALLER:
            self._speaker.closed = FRAGILE if self._fragile else ""
            self._reassure("the caller is back, and still on hold", now_ms)

    def end(self, now_ms: int, *, thanks: bool) -> None:
        """Nobody holds any more."""
        if not self.lasts:
            return
        self._end_waiting(now_ms, "the hold is over")
        if thanks and self._case.speaks:
            self._say(Prompt.THANK_YOU_FOR_WAITING, "the agent has taken the caller back", now_ms)

    def _end_waiting(self, now_ms: int, why: str) -> None:
        self._held_by.clear()
        self._looking_up = self._fragile = self._reassured = self.announced = False
        self._stop_saying(now_ms, why)
        self._speaker.over_music, self._speaker.closed = False, ""

    def _stop_saying(self, now_ms: int, why: str) -> None:
        """The caller does not wait, or is away: what is offered or being said has no listener."""
        self._reassure_at = self._offer_at = self._offer_open_until = None
        self.naming.end(now_ms)
        self._speaker.forget(now_ms, why)

    def key(self, key: str, now_ms: int) -> None:
        """The caller has pressed a key: it may accept the call-back, or end the name."""
        if self.naming.lasts:
            self.naming.key(key, now_ms)
            return
        until = self._offer_open_until
        if until is None or now_ms > until or key != self._case.rules.offer_key or self._accepted:
            return
        self._accepted, self._offer_open_until, self._reassure_at = True, None, None
        self._speaker.forget(now_ms, "the caller has answered")
        self._case.tell(StepKind.CALLBACK_ACCEPTED, now_ms, key, "the caller asks to be called back")
        if self._case.rules.ask_name:
            self.naming.begin(now_ms)
        else:
            _agree(self._voices, self._speaker, now_ms)

    def proceed(self, now_ms: int) -> None:
        """Say what is due."""
        self.naming.proceed(now_ms)
        rules = self._case.rules
        if self._offer_at is not None and now_ms >= self._offer_at:
            self._offer_at, self._offered = None, True
            open_ms = round((rules.patience_s + rules.offer_open_s) * 1000) + 2 * PROMPT_MS
            self._offer_open_until = now_ms + open_ms
            self._reassure_at = now_ms + round(rules.reassure_every_s * 1000)
            why = f"the caller waits for {rules.offer_after_s:g} s"
            self._case.tell(StepKind.CALLBACK_OFFERED, now_ms, why=why)
            self._say(Prompt.OFFER_CALL_BACK, why, now_ms)
        elif self._reassure_at is not None and now_ms >= self._reassure_at:
            self._reassure_at = now_ms + round(rules.reassure_every_s * 1000)
            if self._speaker.silent:
                prompt = Prompt.STILL_LOOKING_AGAIN if self._reassured else Prompt.STILL_LOOKING
                self._reassured = not self._reassured
                self._say(prompt, "the caller still waits", now_ms)

    def next_deadline(self) -> int | None:
        """When to call `proceed`, epoch ms."""
        due = (self._reassure_at, self._offer_at, self.naming.next_deadline())
        return min((at for at in due if at is not None), default=None)

    def _say(self, prompt: Prompt, why: str, now_ms: int) -> None:
        self._speaker.ask(Wish(Purpose.HOLD, prompt.value, self._voices.caller, PROMPT_MS, why), now_ms)


def _agree(voices: Voices, speaker: Speaker, now_ms: int) -> None:
    """Tell the caller that the call-back is agreed."""
    wish = Wish(Purpose.HOLD, Prompt.CALL_BACK_AGREED.value, voices.caller, PROMPT_MS, "the caller has accepted")
    speaker.ask(wish, now_ms)
