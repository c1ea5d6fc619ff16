"""Secrets from files: `ami.secret` among systemd's credentials, or in a folder of a container, is [ami] secret."""

import difflib
import os
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr

from callflow.errors import SettingError

FOLDER_VARIABLES = ("CALLFLOW_CREDENTIALS", "CREDENTIALS_DIRECTORY")
"""The first that is set names the folder; systemd sets the second (systemd.exec, LoadCredential=)."""
MOST_BYTES = 65_536


def credentials(model: type[BaseModel], environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """The secrets found, nested as in the settings file; raises SettingError for a file that is of no use."""
    found: dict[str, Any] = {}
    for name, file in credential_files(model, environ).items():
        *above, last = name.split(".")
        table = found
        for part in above:
            table = table.setdefault(part, {})
        table[last] = _read(file)
    return found


def credential_files(model: type[BaseModel], environ: Mapping[str, str] = os.environ) -> dict[str, Path]:
    """The file of each secret, by the setting's dotted name. Files of other programs have other names."""
    folder = next((environ[name] for name in FOLDER_VARIABLES if environ.get(name)), "")
    patterns = list(_secrets_of(model, ""))
    files = {}
    for file in sorted(_files_in(Path(folder))) if folder else ():
        if file.name.split(".")[0] not in model.model_fields or "." not in file.name:
            continue
        if not any(fnmatchcase(file.name, pattern) for pattern in patterns):
            raise SettingError(str(file), "there is no secret by this name", _nearest(file.name, patterns))
        files[file.name] = file
    return files


def _files_in(folder: Path) -> list[Path]:
    try:
        return [file for file in folder.iterdir() if not file.name.startswith(".")]
    except OSError as error:
        remedy = f"correct {' or '.join(FOLDER_VARIABLES)}, or let the user that runs callflow read the folder"
        raise SettingError(str(folder), f"the folder of secrets cannot be read ({error.strerror})", remedy) from None


def _read(file: Path) -> str:
    """The text without the end of its line."""
    try:
        with file.open("rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        text = content.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        remedy = "let the user that runs callflow read it"
        raise SettingError(str(file), f"the secret cannot be read ({error.strerror})", remedy) from None
    except UnicodeDecodeError:
        text = ""
    if not text or len(content) > MOST_BYTES:
        raise SettingError(str(file), "not a secret: empty, too long or not UTF-8", "write the secret alone into it")
    return text


def _secrets_of(model: type[BaseModel], above: str) -> Iterator[str]:
    """Names of the settings that hold a secret; `*` stands for a name that the site gives."""
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if annotation is SecretStr:
            yield above + name
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _secrets_of(annotation, f"{above}{name}.")
        else:
            for item in get_args(annotation):
                if isinstance(item, type) and issubclass(item, BaseModel):
                    yield from _secrets_of(item, f"{above}{name}.*.")


def _nearest(name: str, patterns: list[str]) -> str:
    close = difflib.get_close_matches(name, patterns, 1, cutoff=0.8)
    known = f"secrets are {', '.join(patterns)}; other settings belong in the settings file"
    return f"did you mean {close[0]}?" if close else known
