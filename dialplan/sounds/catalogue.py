"""The list of prompts: what prompts.toml says, checked, as one Prompt per language and name."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from prompt_audio import KINDS, LEAD_S, TAIL_S, Kind, PromptError

SPEED_LIMITS = (0.5, 2.0)
PAUSE_LIMITS_S = (LEAD_S + TAIL_S, 0.7)


class Voice(NamedTuple):
    """How a language is spoken; pause is the silence between sentences in seconds."""

    g2p: str
    voice: str
    speed: float
    pause: float


class Prompt(NamedTuple):
    """One prompt in one language: what to say, and how."""

    language: str
    name: str
    text: str
    recording: Path | None
    voice: Voice
    kind: str = ""

    @property
    def shape(self) -> Kind:
        """How long it may be, and how long it is silent at its beginning."""
        return KINDS[self.kind]

    @property
    def key(self) -> str:
        """The prompt's name on the command line and in prompts.lock."""
        return f"{self.language}/{self.name}"

    def path(self, extension: str) -> str:
        """Where the prompt's file is, below the sounds folder."""
        return f"{self.language}/callflow/{self.name}.{extension}"

    def digest(self) -> str:
        """A fingerprint of all that the prompt's sound is made from."""
        if self.recording is None:
            source = json.dumps([self.text, *self.voice]).encode()
        else:
            source = self.text.encode() + self.recording.read_bytes()
        source += self.kind.encode()
        return hashlib.sha256(source).hexdigest()[:16]


def read_catalogue(path: Path) -> list[Prompt]:
    """Read prompts.toml; raise PromptError naming the entry that is wrong."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise PromptError(f"{path}: {error}") from None
    try:
        return list(_prompts(document, path.parent))
    except PromptError as error:
        raise PromptError(f"{path}: {error}") from None


def _prompts(document: dict[str, object], folder: Path) -> Iterator[Prompt]:
    """Yield every prompt in every language."""
    languages = {code: _language(code, table) for code, table in _tables(document, "languages")}
    for name, table in _tables(document, "prompts"):
        if unknown := table.keys() - languages.keys() - {"purpose", "kind"}:
            raise PromptError(f"[prompts.{name}] unknown key or language: {min(unknown)}")
        kind = table.get("kind", "")
        if not isinstance(kind, str) or kind not in KINDS:
            raise PromptError(f"[prompts.{name}] kind is one of {', '.join(filter(None, KINDS))}")
        for code, voice in languages.items():
            text, recording = _wording(name, code, table.get(code))
            source = folder / recording if recording else None
            yield Prompt(code, name, text, source, voice, kind)


def _tables(document: dict[str, object], key: str) -> list[tuple[str, dict[str, object]]]:
    """Return the named tables below [key]; there must be some, with names fit for files."""
    tables = document.get(key)
    if not isinstance(tables, dict) or not tables:
        raise PromptError(f"there is no [{key}.NAME]")
    for name, table in tables.items():
        if not isinstance(table, dict) or not name.replace("-", "_").isidentifier():
            raise PromptError(f"[{key}] {name!r} must be a table with a plain name")
    return list(tables.items())


def _language(code: str, table: dict[str, object]) -> Voice:
    """Return how a language is spoken."""
    if unknown := table.keys() - {"name", *Voice._fields}:
        raise PromptError(f"[languages.{code}] unknown key: {min(unknown)}")
    g2p, voice = table.get("g2p"), table.get("voice")
    if not isinstance(g2p, str) or not isinstance(voice, str):
        raise PromptError(f"[languages.{code}] must name its g2p and its voice")
    speed = _number(f"[languages.{code}] speed", table.get("speed"), SPEED_LIMITS)
    pause = _number(f"[languages.{code}] pause", table.get("pause"), PAUSE_LIMITS_S)
    return Voice(g2p, voice, speed, pause)


def _number(name: str, value: object, limits: tuple[float, float]) -> float:
    """Return value as a number within the limits."""
    if not isinstance(value, int | float) or not limits[0] <= value <= limits[1]:
        raise PromptError(f"{name} must be a number from {limits[0]} to {limits[1]}")
    return float(value)


def _wording(name: str, code: str, entry: object) -> tuple[str, str | None]:
    """Return a prompt's text and, if it has one, the path of its recording."""
    fields = entry if isinstance(entry, dict) else {"text": entry}
    text, recording = fields.get("text"), fields.get("recording")
    if not isinstance(text, str) or not text.strip():
        raise PromptError(f"[prompts.{name}] has no words for {code}")
    if fields.keys() - {"text", "recording"} or not isinstance(recording, str | None):
        raise PromptError(f"[prompts.{name}] {code}: only text and recording can be given")
    return text, recording


def select(prompts: Sequence[Prompt], keys: Sequence[str]) -> list[Prompt]:
    """Return the prompts with these keys, or all of them for no keys."""
    if unknown := set(keys) - {prompt.key for prompt in prompts}:
        raise PromptError(f"no such prompt: {', '.join(sorted(unknown))}")
    return [prompt for prompt in prompts if not keys or prompt.key in keys]
