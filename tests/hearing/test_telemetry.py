"""What runs the model must not report to anybody, nor leave anything behind."""

import os
import subprocess
import sys
from pathlib import Path

LISTEN = "from callflow.hearing import Hearing; Hearing().listener()"


def test_hearing_leaves_no_file_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    places = dict.fromkeys(("TMPDIR", "HOME", "XDG_CACHE_HOME"), str(tmp_path))
    subprocess.run([sys.executable, "-c", LISTEN], env=environment | places, cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []
