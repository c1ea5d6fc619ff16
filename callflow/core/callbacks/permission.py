"""Whether an entry may be dialled now: its number, its hours, and the settings."""

from callflow.core.callbacks.entry import Entry
from callflow.core.callbacks.hours import UnknownHours
from callflow.core.callbacks.numbers import UndialableNumber, dialable
from callflow.core.callbacks.rules import CallbackRules


class NotAllowed(ValueError):
    """The entry is not dialled; the text says why, `remedy` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


def may_dial(entry: Entry, rules: CallbackRules, now_ms: int) -> str:
    """The number to dial; raises NotAllowed."""
    if not rules.enabled:
        raise NotAllowed("call-backs are switched off", "set [callbacks] enabled = true")
    if not rules.dial:
        raise NotAllowed("callflow does not know how to dial a caller", "set [callbacks] dial = PJSIP/{number}@TRUNK")
    try:
        number = dialable(entry.number, rules.dialable, rules.refused)
    except UndialableNumber as error:
        raise NotAllowed(str(error), "give the entry up, or add the right number") from None
    profile = rules.profile(entry.profile)
    where = f"callbacks.profiles.{entry.profile if entry.profile in rules.profiles else 'default'}"
    try:
        allowed_ms = profile.calling_hours().next_allowed(now_ms, entry.zone or profile.zone)
    except UnknownHours as error:
        raise NotAllowed(str(error), f"set zone and hours in [{where}]") from None
    if allowed_ms > now_ms:
        raise NotAllowed("it is outside the calling hours of the caller", f"wait, or change hours in [{where}]")
    return number
