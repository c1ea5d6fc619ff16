"""A call's position on its two ladders: it may move from one to the other and back, and never starts over."""

from callflow.core.profile import Ladder, Rung


class LadderPosition:
    """Begins on the first rung of the silent ladder; each ladder remembers the rung it was left on."""

    def __init__(self, silent: Ladder, quiet: Ladder) -> None:
        self._silent = silent.rungs
        self._quiet = quiet.rungs
        self._silent_at = 0
        self._quiet_at = -1
        self.quiet = False
        """On the quiet ladder now."""

    @property
    def rung(self) -> Rung:
        """The rung under way."""
        return self._quiet[self._quiet_at] if self.quiet else self._silent[self._silent_at]

    @property
    def number(self) -> int:
        """Its number on its ladder, from 1."""
        return 1 + (self._quiet_at if self.quiet else self._silent_at)

    @property
    def last(self) -> bool:
        """The caller is hung up on after this rung."""
        return self.rung.then == "hang_up"

    @property
    def where(self) -> str:
        """For people: `rung 2 of 3`, `quiet rung 2 of 4`."""
        rungs = self._quiet if self.quiet else self._silent
        return f"{'quiet ' if self.quiet else ''}rung {self.number} of {len(rungs)}"

    def up_silent(self) -> Rung:
        """The next rung for a caller who says nothing; back from the quiet ladder, the last may be said again."""
        if not (self.quiet and self._silent_at == len(self._silent) - 1):
            self._silent_at += 1
        self.quiet = False
        return self.rung

    def up_quiet(self) -> Rung | None:
        """The next rung for a voice that is too low; None, and nothing changed, when there is none left."""
        if self._quiet_at + 1 >= len(self._quiet):
            return None
        self._quiet_at += 1
        self.quiet = True
        return self.rung

    @property
    def next_quiet(self) -> Rung | None:
        """What `up_quiet` would lead to."""
        return self._quiet[self._quiet_at + 1] if self._quiet_at + 1 < len(self._quiet) else None
