"""How this machine reaches its package index, in a form that a build inside a container can use."""

import ast
import os
import subprocess
import sys
from pathlib import Path

_KEPT = ("index-url", "extra-index-url", "trusted-host", "proxy", "timeout", "retries")
_LEVELS = ("global", "user", "site", ":env:")  # a later one wins
_INSIDE = "/etc/ssl/certs/ca-certificates.crt"


def pip_conf(*, with_certificates: bool) -> str:
    """Text of a pip.conf with what of this machine's pip settings means something elsewhere; "" for nothing."""
    found = _pip_settings()
    found["timeout"] = found.pop("default-timeout", found.get("timeout", ""))
    kept = {name: _elsewhere(found[name]) for name in _KEPT if found.get(name)}
    if with_certificates:
        kept["cert"] = _INSIDE
    lines = [f"{name} = {value}\n" for name, value in kept.items() if value]
    return "[global]\n" + "".join(lines) if lines else ""


def ca_certificates() -> Path | None:
    """The certificates this machine trusts instead of those pip brings along, None if it has no such setting."""
    choices = (_pip_settings().get("cert"), os.environ.get("REQUESTS_CA_BUNDLE"), os.environ.get("SSL_CERT_FILE"))
    return next((Path(choice) for choice in choices if choice and Path(choice).is_file()), None)


def _elsewhere(value: str) -> str:
    """Without addresses that only this machine can read."""
    return " ".join(word for word in value.split() if not word.startswith(("file:", "/")))


def _pip_settings() -> dict[str, str]:
    shown = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False)
    rows = []
    for line in shown.stdout.splitlines():
        key, _, value = line.partition("=")
        level, _, name = key.rpartition(".")
        if level in _LEVELS:
            rows.append((_LEVELS.index(level), name, str(ast.literal_eval(value))))
    return {name: value for _, name, value in sorted(rows)}
