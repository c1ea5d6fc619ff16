"""callflow: screens the callers of a contact centre beside Asterisk, so that silent calls do not reach an agent."""

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when numpy is loaded: its products are small, and never wait

__version__ = "0.1.0"
