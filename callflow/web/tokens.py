"""Access tokens: made by `callflow web token`, stored as hashes in one file, revocable at any moment."""

import hashlib
import hmac
import json
import os
import re
import secrets
import tempfile
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from callflow.adapters.store.locks import held
from callflow.core.printable import is_text, shortened
from callflow.errors import CallflowError
from callflow.plain_files import check_replaceable
from callflow.web.errors import Unfit

_SECRET = re.compile(r"cf_([0-9a-f]{8})_([A-Za-z0-9_-]{43})")
LONGEST_NAME = 64
LONGEST_QUEUE = 128
LOCK_WAIT_S = 5.0
"""The command line and the page may write at the same moment."""
LOOK_EVERY_S = 1.0
"""How often a running page looks whether the file has changed."""


class Role(StrEnum):
    """What a visitor may do, from least to most; an agent sees only their own data."""

    AGENT = "agent"
    VIEWER = "viewer"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


class Token(BaseModel):
    """One token as it is stored. The secret itself is shown once, when the token is made, and stored nowhere."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{8}$")]
    name: Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
    role: Role
    secret_sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    created_ms: int
    expires_ms: int | None = None
    """None: never, as a wall display needs it."""
    queues: tuple[str, ...] = ()
    """Only these queues; empty for all."""
    agent: str = ""
    """Work number whose data an agent's token shows."""


_TOKENS = TypeAdapter(list[Token])


class TokenFile:
    """The tokens of one site. A file that is not there holds none; raises CallflowError for one that is damaged."""

    def __init__(self, path: Path, clock_ms: Callable[[], int] | None = None) -> None:
        self._path = path
        self._lock = path.with_name(f"{path.name}.lock")
        self._now_ms = clock_ms or (lambda: time.time_ns() // 1_000_000)
        self._tokens: dict[str, Token] = {}
        self._read_of: tuple[int, int, int] | None = None
        self._looked_at = 0.0

    def all(self) -> list[Token]:
        """Every token, the newest last."""
        self._look(always=True)
        return list(self._tokens.values())

    def find(self, token_id: str) -> Token | None:
        """The token with this id, unless it was revoked or has expired."""
        self._look(always=token_id not in self._tokens)
        token = self._tokens.get(token_id)
        if token is None or (token.expires_ms is not None and token.expires_ms <= self._now_ms()):
            return None
        return token

    def check(self, secret: str) -> Token | None:
        """The token that this secret belongs to, None for a wrong, revoked or expired one."""
        parts = _SECRET.fullmatch(secret)
        token = self.find(parts[1]) if parts else None
        if token is None or not hmac.compare_digest(token.secret_sha256, _hashed(secret)):
            return None
        return token

    def add(
        self, name: str, role: Role, *, expires_ms: int | None = None, queues: tuple[str, ...] = (), agent: str = ""
    ) -> tuple[Token, str]:
        """A new token and its secret, saved; the secret cannot be shown again. Raises CallflowError."""
        if (role is Role.AGENT) != bool(agent):
            raise Unfit("the role agent and a work number belong together", "give both, or neither")
        texts = [("name", name, LONGEST_NAME), *(("queue", queue, LONGEST_QUEUE) for queue in queues)]
        for what, text, longest in (*texts, *([("work number", agent, LONGEST_NAME)] if agent else ())):
            if not (1 <= len(text) <= longest and is_text(text)):
                raise Unfit(f"{shortened(text)!r} is no {what}", f"write 1 to {longest} characters, in UTF-8")
        token_id = secrets.token_hex(4)
        secret = f"cf_{token_id}_{secrets.token_urlsafe(32)}"
        token = Token(
            id=token_id,
            name=name,
            role=role,
            secret_sha256=_hashed(secret),
            created_ms=self._now_ms(),
            expires_ms=expires_ms,
            queues=queues,
            agent=agent,
        )
        with held(self._lock, LOCK_WAIT_S):
            self._look(always=True)
            self._write([*self._tokens.values(), token])
        return token, secret

    def revoke(self, token_id: str) -> Token | None:
        """Take a token back at once, with every session that it opened; None where there is none."""
        with held(self._lock, LOCK_WAIT_S):
            self._look(always=True)
            token = self._tokens.get(token_id)
            if token is not None:
                self._write([each for each in self._tokens.values() if each.id != token_id])
        return token

    def _look(self, *, always: bool = False) -> None:
        """Read the file again where it has changed."""
        now_s = time.monotonic()
        if not always and now_s - self._looked_at < LOOK_EVERY_S:
            return
        self._looked_at = now_s
        try:
            stat = self._path.stat()
            check_replaceable(self._path)
            version = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if version == self._read_of:
                return
            self._tokens = {token.id: token for token in _TOKENS.validate_json(self._path.read_bytes())}
            self._read_of = version
        except FileNotFoundError:
            self._tokens, self._read_of = {}, None
        except (OSError, ValidationError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not a list of tokens"
            raise CallflowError(
                f"the token file {self._path} cannot be read: {reason}",
                "restore it from a backup, or delete it and create new tokens with `callflow web token`",
            ) from None

    def _write(self, tokens: list[Token]) -> None:
        """Replace the file at once and for certain, readable by its owner alone."""
        try:
            written = json.dumps(_TOKENS.dump_python(tokens, mode="json"), indent=1).encode()
            _TOKENS.validate_json(written)  # a file that cannot be read again would lock everybody out
            fd, name = tempfile.mkstemp(dir=self._path.parent, prefix=self._path.name)
            with os.fdopen(fd, "wb") as file:
                file.write(written)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except OSError as error:
            raise CallflowError(
                f"the token file {self._path} cannot be written: {error.strerror}",
                "run this as the user that callflow runs as, or set web.tokens_file",
            ) from None
        except ValueError:
            raise CallflowError("a token with these limits cannot be stored", "write names in UTF-8") from None
        self._look(always=True)


def described(token: Token) -> dict[str, Any]:
    """What the audit trail says of a token."""
    limits = {"queues": list(token.queues)} if token.queues else {}
    return {"of": token.id, "of_name": token.name, "of_role": token.role.value, **limits}


def _hashed(secret: str) -> str:
    """A secret of 256 random bits needs no slow hash: nobody can try them all."""
    return hashlib.sha256(secret.encode()).hexdigest()
