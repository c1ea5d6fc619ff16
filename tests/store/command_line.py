"""`callflow calls` typed in a test."""

from pathlib import Path

from typer.testing import CliRunner, Result

from callflow.adapters.store.store import Store
from callflow.cli import app
from callflow.commands.calls import calls_app
from callflow.core.call_record import CallRecord, TimelineEntry

EVIL = '=HYPERLINK("x") \x1b[31m\u202e, "q"\nnext'
"""A caller's name that is up to no good."""


def fill(database: Path, *calls: CallRecord, story: list[TimelineEntry] | None = None) -> None:
    """Save calls, and a story for the first."""
    with Store(database, "main") as store:
        for call in calls:
            store.save(call, call.ended_ms is not None)
        for entry in story or []:
            store.add_to_timeline(calls[0].call_id, entry)


def run(*words: object, obj: object = None) -> Result:
    """Run `callflow calls WORDS` in a wide window."""
    return CliRunner(env={"COLUMNS": "200"}).invoke(calls_app, [str(word) for word in words], obj=obj)


def callflow(folder: Path, *words: str) -> str:
    """What `callflow WORDS` prints with the database `callflow.db` in a folder."""
    config = folder / "callflow.toml"
    config.write_text(f'[store]\npath = "{folder / "callflow.db"}"\n')
    done = CliRunner().invoke(app, ["--config", str(config), *words])
    assert done.exit_code == 0, done.output
    return done.stdout
