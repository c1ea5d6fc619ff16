"""Small systems with an Asterisk's files in a folder, laid out as the distributions do."""

import os
from pathlib import Path

from typer.testing import CliRunner

from callflow.cli import app

MANAGER = "[general]\nenabled = yes\nport = 5038\nbindaddr = 127.0.0.1\n"
PLAIN = {
    "etc/asterisk/extensions.conf": "[general]\n\n[default]\nexten => 100,1,Queue(support)\n",
    "etc/asterisk/manager.conf": MANAGER,
    "etc/asterisk/features.conf": "[general]\n",
    "usr/share/asterisk/sounds/en/vm-goodbye.wav": "",
}
FREEPBX = {
    "etc/freepbx.conf": "<?php\n",
    "etc/asterisk/asterisk.conf": "[directories]\nastetcdir => /etc/asterisk\nastdatadir => /var/lib/asterisk\n",
    "etc/asterisk/extensions.conf": "#include extensions_custom.conf\n",
    "etc/asterisk/extensions_custom.conf": "[from-internal-custom]\n",
    "etc/asterisk/manager.conf": f"{MANAGER}\n#include manager_additional.conf\n#include manager_custom.conf\n",
    "etc/asterisk/manager_custom.conf": "",
    "etc/asterisk/features.conf": "[applicationmap]\n#include features_applicationmap_custom.conf\n",
    "etc/asterisk/features_applicationmap_custom.conf": "",
    "var/lib/asterisk/sounds/en/vm-goodbye.wav": "",
}
ISSABEL = {**FREEPBX, "etc/issabel.conf": "mysqlrootpwd=x\n"}
MIKOPBX = {
    "etc/inc/mikopbx-settings.json": "{}",
    "etc/asterisk/asterisk.conf": "[directories]\nastetcdir => /etc/asterisk\nastvarlibdir => /offload/asterisk\n",
    "etc/asterisk/extensions.conf": "",
    "etc/asterisk/manager.conf": MANAGER,
    "offload/asterisk/sounds/en-en/vm-goodbye.wav": "",
}
PASSWD = "root:x:0:0:root:/root:/bin/sh\ncallflow:x:990:990::/var/lib/callflow:/usr/sbin/nologin\n"


def make_system(folder: Path, files: dict[str, str]) -> Path:
    """The files in a folder, and a user `callflow`, so that none has to be made."""
    for name, text in {"etc/passwd": PASSWD, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def callflow(*arguments: str | Path) -> tuple[int, str]:
    """Exit code and output of a command; an error of ours is its sentence and code 2."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        return 2, f"{result.output}{result.exception}"
    return result.exit_code, result.output


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Mode and content of every file."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file() or path.is_symlink())
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes(),
        )
        for path in paths
    }
