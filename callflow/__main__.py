"""`python -m callflow` is the command `callflow`."""

from callflow.cli import main

main()
