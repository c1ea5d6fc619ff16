"""The audit trail: one JSON line for every change, sign-in, export and unmasked view of a caller's number."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog

from callflow.errors import StoreError
from callflow.web.access import Visitor

READ_BYTES = 256 * 1024
"""Read at once, from the end."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, the newest first; `before` continues with older ones, None at the beginning of the file."""

    entries: list[dict[str, Any]]
    before: int | None


class Audit:
    """Appends to a file that only its owner can read; where that fails, the log says so and the request goes on."""

    def __init__(self, path: Path, now_ms: Callable[[], int]) -> None:
        self._path = path
        self.now_ms = now_ms
        self._failed = False

    def note(self, visitor: Visitor, action: str, **what: Any) -> None:
        """`visitor` did `action`; `what` says to what. Returns once the line is handed to the system."""
        entry = {
            "at_ms": self.now_ms(),
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

    def page(self, before: int | None, most: int) -> AuditPage:
        """Up to `most` entries that stand before this place of the file; lines that are no entries are left out."""
        try:
            with self._path.open("rb") as file:
                end = file.seek(0, os.SEEK_END)
                end = end if before is None else min(end, before)
                start = max(0, end - READ_BYTES)
                file.seek(start)
                text = file.read(end - start)
        except FileNotFoundError:
            return AuditPage([], None)
        except OSError as error:
            raise StoreError(
                f"the audit trail {self._path} cannot be read: {error.strerror}", "check the rights of the file"
            ) from None
        lines = text.splitlines(keepends=True)
        if start and lines:
            start += len(lines.pop(0))  # its beginning was not read
        shown = lines[-most:]
        left = start + sum(map(len, lines[: len(lines) - len(shown)]))
        entries = [entry for line in reversed(shown) if (entry := _entry(line)) is not None]
        return AuditPage(entries, left or None)


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
