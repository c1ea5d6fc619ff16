"""How many files the daemon may open, and what it says where that is too few."""

import resource

import pytest
import structlog

from callflow.runtime.open_files import allow_files


@pytest.mark.parametrize(("wanted", "set_to", "warned"), [(150, [(150, 200)], False), (300, [(200, 200)], True)])
def test_a_hard_limit_below_what_is_wanted_is_told(
    monkeypatch: pytest.MonkeyPatch, wanted: int, set_to: list[tuple[int, int]], warned: bool
) -> None:
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda what: (100, 200))
    monkeypatch.setattr(resource, "setrlimit", lambda what, limit: limits.append(limit))
    with structlog.testing.capture_logs() as said:
        allow_files(wanted)
    assert limits == set_to
    assert [line["allowed"] for line in said] == ([200] if warned else [])
