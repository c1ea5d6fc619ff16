"""Text from outside: nothing in it can steer a terminal, forge a line or open a formula."""

import io
import logging
import os
import pty
import sys

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from callflow.commands.sheets import Sheet, cell, print_csv
from callflow.core.printable import one_line, printable, shortened
from callflow.logs import LogOptions, configure_logs

STEERING = (
    "\x1b[2J\x1b]0;x\x07", "\x9b31m", "\x90q\x9c", "\u202e", "\u2066", "\u200f", "\u061c", "\x08\x08", "\r", "\x7f",
    "\x00", "\u2028", "\udcff",
)  # fmt: skip
OUTSIDE = st.lists(st.sampled_from(STEERING) | st.text(max_size=4), max_size=6).map("".join)


def steers(text: str) -> bool:
    return not text.replace("\n", "").replace("\t", "").isprintable()


@given(OUTSIDE)
def test_nothing_printable_steers_a_terminal(text: str) -> None:
    assert printable(text).isprintable()
    assert not steers(printable(text, kept="\n\t"))
    assert printable(text, kept="\n\t").count("\n") == text.count("\n")


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=30))
def test_names_in_any_script_are_left_alone(text: str) -> None:
    assert printable(text) == text == one_line(text)


@given(OUTSIDE)
def test_a_name_for_a_record_is_one_line(text: str) -> None:
    shown = one_line(text)
    assert len(shown) <= 256
    assert shown == shown.strip()
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in shown)


def test_a_long_text_is_shortened() -> None:
    assert shortened("x" * 12_000) == "x" * 63 + "…"
    assert shortened("x" * 64) == "x" * 64


@given(
    st.lists(
        st.sampled_from(["\n", "\r", "\t", " ", "\xa0", "\ufeff", "\x0b", "\x00", "\u200b", "\u2028"]), max_size=4
    ),
    st.sampled_from("=+-@＝＋－＠"),  # noqa: RUF001
)
def test_no_cell_opens_a_formula(before: list[str], sign: str) -> None:
    assert str(cell("".join(before) + sign + "HYPERLINK(0)")).startswith("'")


@pytest.mark.parametrize("text", ["a=b", "", "  ", "王 =1", "1-2"])
def test_other_cells_are_left_alone(text: str) -> None:
    assert cell(text) == text


@pytest.mark.parametrize("form", ["console", "json"])
def test_the_log_steers_no_terminal(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    handlers = logging.root.handlers[:]
    logging.root.handlers.clear()
    try:
        configure_logs(LogOptions.model_validate({"format": form}))
        for bad in STEERING:
            structlog.get_logger().warning(f"said{bad}", name=bad, many=[bad, {"deep": bad}])
            logging.getLogger("library").warning("said %s", bad)
            try:
                raise ValueError(bad)
            except ValueError:
                structlog.get_logger().exception("failed")
    finally:
        structlog.reset_defaults()
        logging.root.handlers[:] = handlers
    assert "said" in err.getvalue()
    assert not steers(err.getvalue())


@pytest.mark.parametrize("bad", STEERING[:8])
def test_csv_on_a_terminal_steers_nothing(bad: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sheet = Sheet("calls", ("name",), ((f"a{bad}b",),))
    ours, theirs = pty.openpty()
    with monkeypatch.context() as patched, os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        patched.setattr(sys, "stdout", terminal)
        print_csv(sheet)
        terminal.flush()
        shown = os.read(ours, 4096).decode()
    os.close(ours)
    assert not steers(shown.replace("\r\n", "\n"))
