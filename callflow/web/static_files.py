"""The page's own files: read and compressed once at the start, served from memory with an ETag and a strict policy."""

import base64
import gzip
import hashlib
import mimetypes
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parent / "static"
_INLINE = re.compile(rb'<script type="importmap">(.*?)</script>', re.DOTALL)
mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file, plain and compressed."""

    plain: bytes
    packed: bytes
    etag: str
    media_type: str


class StaticFiles:
    """Every file below `folder`. There is nothing to look up on the disk later, so no path can lead out of it."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._files = {
            file.relative_to(folder).as_posix(): _read(file) for file in sorted(folder.rglob("*")) if file.is_file()
        }

    def respond(self, request: Request, name: str) -> Response | None:
        """The file of this name, None where there is none."""
        file = self._files.get(name)
        if file is None:
            return None
        headers = {"ETag": file.etag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
        if request.headers.get("if-none-match") == file.etag:
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(file.packed, media_type=file.media_type, headers=headers | {"Content-Encoding": "gzip"})
        return Response(file.plain, media_type=file.media_type, headers=headers)

    @cached_property
    def policy(self) -> str:
        """The Content-Security-Policy: our own files, and the import map in the page by its hash."""
        found = _INLINE.search(self._files["index.html"].plain)
        digest = base64.b64encode(hashlib.sha256(found[1] if found else b"").digest()).decode()
        return (
            f"default-src 'self'; script-src 'self' 'sha256-{digest}'; style-src 'self'; img-src 'self' data:; "
            "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        )

    @property
    def packed_bytes(self) -> int:
        """What a first visit loads at most."""
        return sum(len(file.packed) for name, file in self._files.items() if not name.endswith((".json", "LICENSE")))


def _read(file: Path) -> StaticFile:
    plain = file.read_bytes()
    return StaticFile(
        plain=plain,
        packed=gzip.compress(plain, 9, mtime=0),
        etag=f'"{hashlib.sha256(plain).hexdigest()[:24]}"',
        media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
    )
