"""Logging by structlog: lines for people on a console, JSON for machines."""

import logging
import sys
from contextlib import suppress
from typing import Any, Literal

import structlog
from pydantic import Field
from structlog.tracebacks import ExceptionDictTransformer

from callflow.core.section import Section


class LogOptions(Section):
    """What the daemon logs, and how: the section [log]."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level to log: debug, info, warning or error."
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
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ]
    else:
        plain = structlog.dev.plain_traceback
        shown = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
    structlog.configure(
        processors=[*shared, *shown],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[options.level.upper()]),
        logger_factory=_to_stderr,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def _to_stderr(*_names: Any) -> Lines:
    return Lines(sys.stderr)
