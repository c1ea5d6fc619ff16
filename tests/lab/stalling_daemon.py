"""The daemon, with a loop that stalls for good at SIGUSR1."""

import signal
import time

from callflow.cli import main

signal.signal(signal.SIGUSR1, lambda number, frame: time.sleep(60))
main()
