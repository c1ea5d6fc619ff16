"""The soak's account names every call that is not in the database once."""

import pytest

from tests.bench.soak_calls import Placed, differences

PLANNED = {0: ("1001", "speaks"), 1: ("1002", "silent")}
PLACED = [Placed(0, "1001", "speaks", "1.1", "spoke"), Placed(1, "1002", "silent", "1.2", "silent")]
ROWS = [("1.1", 1, "1001"), ("1.2", 1, "1002")]


def test_a_clean_run_has_no_faults() -> None:
    assert list(differences(PLANNED, PLACED, ROWS)) == []


@pytest.mark.parametrize(
    ("placed", "rows", "said"),
    [
        (PLACED[:1], ROWS[:1], "call 1 of 1002 (silent) was planned, and ended 0 times"),
        (PLACED, ROWS[:1], "call 1 of 1002 (silent, 1.2, silent) is in the database 0 times"),
        (PLACED, [*ROWS, ROWS[0]], "call 0 of 1001 (speaks, 1.1, spoke) is in the database 2 times"),
        (PLACED, [ROWS[0], ("1.2", 0, "1002")], "call 1 of 1002 (silent, 1.2, silent) has no end in the database"),
        (PLACED, [*ROWS, ("1.3", 1, "1003")], "call 1.3 of 1003 is in the database, and was not planned"),
    ],
)
def test_a_fault_names_its_call(placed: list[Placed], rows: list[tuple[str, int, str]], said: str) -> None:
    assert list(differences(PLANNED, placed, rows)) == [said]
