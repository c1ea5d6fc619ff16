"""`callflow lab`: a real Asterisk with real callers, for the demo, the tests and the benchmarks."""

import typer

lab_app = typer.Typer(help="A real Asterisk with real SIP callers on this machine.", no_args_is_help=True)
