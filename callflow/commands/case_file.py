"""Cases from a CSV file: every mistake is named with its file and line, and then nothing is imported."""

import csv
from collections.abc import Iterator
from pathlib import Path

from callflow.core.callbacks.hours import UnknownHours, usable, wall_ms, zone_of
from callflow.core.callbacks.numbers import UndialableNumber, dialable
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.cases import Case, CaseKind, checked_reference, new_case
from callflow.errors import CallflowError

COLUMNS = ("reference", "number", "kind", "opened", "profile", "zone")
NEEDED = ("reference",)
MOST_SHOWN = 10


class CaseFileInvalid(CallflowError):
    """A file of cases has mistakes."""


def read_cases(path: Path, rules: CallbackRules, now_ms: int, actor: str) -> list[Case]:
    """The cases of a file. Raises CaseFileInvalid, which names every mistake by file and line."""
    mistakes: list[str] = []
    found: dict[str, Case] = {}
    for line, row in _rows(path):
        try:
            case = _case(row, rules, now_ms, actor)
            if case.reference in found:
                raise ValueError(f"the reference {case.reference} is there twice")
        except (ValueError, UnknownHours) as error:
            mistakes.append(f"{path}:{line}: {error}")
        else:
            found[case.reference] = case
    if mistakes:
        more = f"\n... and {len(mistakes) - MOST_SHOWN} more" if len(mistakes) > MOST_SHOWN else ""
        raise CaseFileInvalid("\n".join(mistakes[:MOST_SHOWN]) + more, "correct these lines; nothing was imported")
    return list(found.values())


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with the number of its last line."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = [name.strip() for name in reader.fieldnames or ()]
            reader.fieldnames = names
            wrong = [name for name in names if name not in COLUMNS]
            missing = [name for name in NEEDED if name not in names]
            if wrong or missing:
                what = f"unknown column {wrong[0]!r}" if wrong else f"no column {missing[0]!r}"
                raise CaseFileInvalid(f"{path}:1: {what}", f"the columns are {', '.join(COLUMNS)}")
            for row in reader:
                if None in row:
                    raise CaseFileInvalid(f"{path}:{reader.line_num}: more cells than columns", "correct this line")
                yield reader.line_num, {name: (value or "").strip() for name, value in row.items()}
    except OSError as error:
        raise CaseFileInvalid(f"{path} cannot be read: {error.strerror}", "name a CSV file") from None
    except UnicodeDecodeError:
        raise CaseFileInvalid(f"{path} is not UTF-8 text", "save it as CSV in UTF-8") from None
    except csv.Error as error:
        raise CaseFileInvalid(f"{path}:{reader.line_num}: {error}", "correct this line") from None


def _case(row: dict[str, str], rules: CallbackRules, now_ms: int, actor: str) -> Case:
    """Raises ValueError or UnknownHours."""
    reference, profile = checked_reference(row["reference"]), row.get("profile") or "default"
    try:
        kind = CaseKind(row.get("kind") or CaseKind.GENERAL.value)
    except ValueError:
        raise ValueError(f"kind {row['kind']!r} is not one of {', '.join(CaseKind)}") from None
    zone, number = row.get("zone", ""), row.get("number", "")
    if zone:
        zone_of(zone)
    if number:
        try:
            number = dialable(number, rules.dialable, rules.refused)
        except UndialableNumber as error:
            raise ValueError(f"number {number!r}: {error}") from None
    meant_in = zone or rules.profile(profile).zone
    opened_ms = usable("opened", wall_ms(row["opened"], meant_in), now_ms) if row.get("opened") else now_ms
    return new_case(reference, number, kind, profile, meant_in, opened_ms, actor, rules.case_news_h)
