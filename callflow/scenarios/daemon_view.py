"""The calls of a run as the daemon records them, read from its database while it works."""

import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callflow.core.rating.states import Scale
from callflow.scenarios.aftercare import Aftercare, SeenCallback, SeenRating
from callflow.scenarios.seen import CUT, RUNGS, in_words

_ENDED = {"silent": "hung up on", "quiet": "hung up on", "hangup": "hung up"}


@dataclass(slots=True)
class Row:
    """One caller on the screen."""

    number: str
    heard: list[str] = field(default_factory=list)
    now: str = "ringing"
    result: str = ""

    def take(self, kind: str, what: str) -> None:
        """Take one entry of the call's timeline."""
        match kind:
            case "said":
                self.heard.append(RUNGS.get(what, what))
                self.now = "prompt"
            case "prompt_ended":
                self.now = "silence"
            case "prompt_stopped" if self.heard:
                self.heard[-1] += CUT
            case "pause":
                self.now = "pause"
            case "speech" | "key" | "click":
                self.now = {"speech": "speaks", "key": f"pressed {what}", "click": "click"}[kind]
            case "heard":
                self.now = in_words(what)
            case "decided":
                self.result, self.now = what, _ENDED.get(what, "handed on")


class DaemonView:
    """A daemon's database, read and never written; calls that arrived before `since_ms` are left out."""

    def __init__(self, path: Path, since_ms: int) -> None:
        self._path, self._since_ms = path, since_ms

    def rows(self) -> list[Row]:
        """Every call so far, in order; empty while there is no database."""
        rows: dict[str, Row] = {}
        for call_id, number in self._select("select call_id, caller_number from calls where {new} order by arrived_ms"):
            rows[call_id] = Row(number)
        told = (
            "select h.call_id, h.kind, h.what from happenings h join calls c using (call_id, node) "
            "where {new} and not (c.mode = 'observe' and h.kind = 'said')"  # in observe mode nothing is really played
        )
        for call_id, kind, what in self._select(f"{told} order by h.call_id, h.seq"):
            if row := rows.get(call_id):
                row.take(kind, what)
        return [row for row in rows.values() if row.number]

    def results(self) -> list[tuple[str, ...]]:
        """Number and result of every call, in order."""
        return self._select("select caller_number, result from calls where {new} order by arrived_ms")

    def heard(self) -> Counter[str]:
        """Calls by what was heard last of their sound; without those of which nothing is known."""
        return Counter(in_words(heard) for (heard,) in self._select("select heard from calls where {new}") if heard)

    def aftercare(self) -> Aftercare:
        """The call-back list and the ratings."""
        calls: dict[str, list[str]] = {}
        for callback_id, outcome in self._select(
            "select callback_id, outcome from callback_attempts where placed_ms is not null order by began_ms"
        ):
            calls.setdefault(callback_id, []).append(outcome or "")
        entries = self._select(
            "select callback_id, number, reasons, state, spoken_name from callbacks order by raised_ms"
        )
        scales = ", ".join(Scale)
        ratings = self._select(f"select call_id, not_asked, ended_ms, {scales} from ratings order by came_ms")  # noqa: S608
        return Aftercare(
            tuple(
                SeenCallback(number, tuple(reasons.split()), state, tuple(calls.get(callback_id, ())), self._has(name))
                for callback_id, number, reasons, state, name in entries
            ),
            tuple(
                SeenRating(call_id, _rating_result(not_asked, scores), tuple(score or 0 for score in scores), bool(end))
                for call_id, not_asked, end, *scores in ratings
            ),
        )

    def _has(self, name: str) -> bool:
        """The file of a spoken name is in the folder that the scenario's daemon has for them."""
        return bool(name) and (self._path.parent / f"{name}.wav").is_file()

    def _select(self, query: str) -> list[tuple[Any, ...]]:
        new = f"arrived_ms >= {self._since_ms}"
        try:
            with closing(sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=ro", uri=True)) as database:
                return database.execute(query.format(new=new)).fetchall()
        except sqlite3.OperationalError:
            return []  # not made yet, or locked: the next look will tell


def _rating_result(not_asked: str | None, scores: list[int | None]) -> str:
    """As the dialplan has it in CALLFLOW_RATING."""
    if not_asked is not None:
        return f"not_asked:{not_asked}"
    answered = sum(score is not None for score in scores)
    return "rated" if answered == len(scores) else "partly_rated" if answered else "unrated"
