"""Logging by structlog: lines for people on a console, JSON for machines."""

import logging
import sys
from contextlib import suppress
from io import StringIO
from typing import Any, Literal, TextIO

import structlog
from pydantic import Field
from structlog.tracebacks import ExceptionDictTransformer

from callflow.core.printable import printable
from callflow.core.section import Section


class LogOptions(Section):
    """What the daemon logs, and how: the section [log]."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Lowest level to log: debug, info, warning or error."
    )
    format: Literal["console", "json"] = Field("console", description="console for people, json for machines.")


class Lines(structlog.PrintLogger):
    """Writes to stderr. A line that cannot be written (full disk, closed pipe) is dropped; calls are not affected."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with suppress(OSError, ValueError):
            super().msg(message)

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


def configure_logs(options: LogOptions) -> None:
    """Send callflow's logs and those of its libraries to stderr.

    A traceback shows no variables: they hold callers' numbers and names.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if options.format == "json":
        shown: list[structlog.typing.Processor] = [
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            _printable_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        shown = [
            _printable_values,
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_printable_traceback),
        ]
    structlog.configure(
        processors=[*shared, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[options.level.upper()]),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_PrintableFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _PrintableFormatter(logging.Formatter):
    """For the lines of libraries."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record), kept="\n\t")


def _printable_values(_logger: Any, _method: str, fields: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Texts from outside cannot steer the terminal that shows the log."""
    return {name: _printable_value(value) for name, value in fields.items()}


def _printable_value(value: Any) -> Any:
    if isinstance(value, str):
        return printable(value, kept="\n\t")
    if isinstance(value, dict):
        return {key: _printable_value(one) for key, one in value.items()}
    return [_printable_value(one) for one in value] if isinstance(value, list) else value


def _printable_traceback(out: TextIO, exc_info: structlog.typing.ExcInfo) -> None:
    text = StringIO()
    structlog.dev.plain_traceback(text, exc_info)
    out.write(printable(text.getvalue(), kept="\n\t"))


def _to_stderr(*_names: Any) -> Lines:
    return Lines(sys.stderr)
