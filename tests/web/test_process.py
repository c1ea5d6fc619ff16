"""The page's framework takes memory and time to load: only a process that serves the page loads it."""

import subprocess
import sys

COMMANDS_AND_DAEMON = """
import sys
import callflow.cli
import callflow.daemon

assert "fastapi" not in sys.modules
"""


def test_only_the_page_loads_its_framework() -> None:
    subprocess.run([sys.executable, "-c", COMMANDS_AND_DAEMON], check=True, timeout=60)
