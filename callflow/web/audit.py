"""The audit trail: one JSON line for every change, sign-in and unmasked view of a caller's number."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog

from callflow.web.access import Visitor

log = structlog.get_logger()


class Audit:
    """Appends to a file that only its owner can read; where that fails, the log says so and the request goes on."""

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self._now_ms = now_ms
        self._failed = False

    def note(self, visitor: Visitor, action: str, **what: Any) -> None:
        """`visitor` did `action`; `what` says to what. Returns once the line is handed to the system."""
        entry = {
            "at_ms": self._now_ms(),
            "who": visitor.name,
            "role": visitor.role.value,
            "token": visitor.token_id,
            "action": action,
            **what,
        }
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                os.write(fd, (json.dumps(entry, ensure_ascii=False) + "\n").encode("utf-8", "replace"))
            finally:
                os.close(fd)
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.error("the audit trail cannot be written", file=str(self._path), reason=error.strerror)
            self._failed = True
        log.info("web", who=visitor.name, action=action, **what)
