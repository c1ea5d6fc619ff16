"""What the log holds, and what becomes of the daemon where it cannot be written."""

import errno
import io
import sys
from collections.abc import Iterator

import pytest
import structlog

from callflow.logs import LogOptions, configure_logs


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_traceback_names_no_variables(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    said = io.StringIO()
    monkeypatch.setattr(sys, "stderr", said)
    configure_logs(LogOptions.model_validate({"level": "warning", "format": form}))
    number = "+86139" + "12345678"
    try:
        int(f"{number[:3]}x")
    except ValueError:
        structlog.get_logger().exception("it failed")
    assert "it failed" in said.getvalue()
    assert "ValueError" in said.getvalue()
    assert "12345678" not in said.getvalue()


class Full(io.StringIO):
    """A stream to a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_full_disk_is_no_error_of_who_logs(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.setattr(sys, "stderr", Full())
    configure_logs(LogOptions.model_validate({"format": form}))
    structlog.get_logger().warning("nobody reads this")


def test_a_closed_stream_is_no_error_of_who_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = io.StringIO()
    monkeypatch.setattr(sys, "stderr", closed)
    configure_logs(LogOptions())
    closed.close()
    structlog.get_logger().warning("nobody reads this")
