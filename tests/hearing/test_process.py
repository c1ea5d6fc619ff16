"""What the ear does to the process it is in, and does not."""

import os
import subprocess
import sys
from pathlib import Path

LISTEN = """
import os, sys
from callflow.hearing import Hearing
from tests.hearing.callers import listen, voice
listen(Hearing(), voice(-26))
assert "onnxruntime" not in sys.modules
print(len(os.listdir("/proc/self/task")))
"""


def test_it_works_on_one_thread_and_leaves_no_file_behind(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    environment |= dict.fromkeys(("TMPDIR", "HOME", "XDG_CACHE_HOME"), str(tmp_path))
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    command = [sys.executable, "-c", LISTEN]
    done = subprocess.run(command, env=environment, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "1"
    assert list(tmp_path.iterdir()) == []
