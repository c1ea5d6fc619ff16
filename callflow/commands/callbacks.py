"""`callflow callbacks`: the callers to call back, and the outcomes."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.callback_queries import CallbackQueries, NoSuchCallback, Wanting
from callflow.adapters.store.queries import Reader
from callflow.commands.callbacks_dial import dial_and_wait
from callflow.commands.callbacks_report import figures_of, print_figures
from callflow.commands.callbacks_table import attempt_json, change_json, entry_json, print_entries, print_entry
from callflow.commands.context import Context, who
from callflow.commands.terminal import console
from callflow.commands.times import parse_when
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.hours import UnknownHours, UnusableTime, usable, wall_ms, zone_of
from callflow.core.callbacks.numbers import UndialableNumber, dialable
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.states import LIVE, IllegalStep, State, Step
from callflow.errors import CallflowError
from callflow.settings.model import Settings

callbacks_app = typer.Typer(
    help="The call-back list: callers who could not be heard, who gave up, or who were promised a call.\n\n"
    "callflow puts callers on it by itself; `add` does so by hand. `dial` places a call; "
    "`callbacks.auto` in the settings lets callflow do so whenever an agent is free. "
    "An entry is settled (`done`) when any call with its caller is answered.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)

ReadDb = Annotated[
    str | None,
    typer.Option("--db", metavar="PATH|URL", help="Database. Default: fleet.database_url, else store.path."),
]
Db = Annotated[Path | None, typer.Option("--db", metavar="PATH", help="Database. Default: store.path.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(metavar="ID", help="Id of the entry, or its first characters.")]
By = Annotated[str, typer.Option("--by", metavar="WHO", help="Who does it: your work number. Default: your login.")]
Why = Annotated[str, typer.Option("--why", metavar="TEXT", help="A sentence that explains it to later readers.")]
Since = Annotated[
    int | None,
    typer.Option(parser=parse_when, metavar="WHEN", help="Only entries raised since then: `2h`, `1d`, `2026-01-31`."),
]
Until = Annotated[int | None, typer.Option(parser=parse_when, metavar="WHEN", help="Only entries raised before then.")]


@callbacks_app.command("list")
def list_entries(
    context: typer.Context,
    state: Annotated[list[State] | None, typer.Option("--state", help="Only this state; may be repeated.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Settled entries, too.")] = False,
    reason: Annotated[Reason | None, typer.Option("--reason", help="Only entries with this reason.")] = None,
    caller: Annotated[str | None, typer.Option("--caller", help="Only this number.")] = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=100_000, help="At most so many.")] = 200,
    as_json: AsJson = False,
    db: ReadDb = None,
) -> None:
    """List live entries, the earliest due first. In a fleet's database: those of all nodes.

    A fleet's database has hashes in place of numbers; `--caller` takes such a hash.

    Example: `callflow callbacks list --state unknown`
    """
    states = tuple(state) if state else () if every else LIVE
    wanting = Wanting(states, caller, reason and reason.value, since, until)
    with _reading(context, db) as entries:
        found = entries.listed(wanting, limit)
    if as_json:
        print(json.dumps({"callbacks": [entry_json(one.entry) | {"node": one.node} for one in found]}, indent=2))
    else:
        print_entries(found, console(), _now_ms())


@callbacks_app.command("add")
def add(
    context: typer.Context,
    number: Annotated[str, typer.Argument(help="Number to call back.")],
    profile: Annotated[str, typer.Option("--profile", help="Profile whose hours and attempts count.")] = "default",
    due: Annotated[
        str | None, typer.Option("--due", metavar="TIME", help="2026-01-31T14:05 in the zone. Default: now.")
    ] = None,
    zone: Annotated[str | None, typer.Option("--zone", help="IANA zone of the caller. Default: the profile's.")] = None,
    note: Annotated[str, typer.Option("--note", help="What the call is about, for the agent.")] = "",
    by: By = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Put a caller on the list by hand. A caller who waits there already gets a further reason.

    Exit code 2: the number cannot be dialled, or is an emergency number.

    Example: `callflow callbacks add 13855550100 --due 2026-01-31T14:05 --zone Asia/Shanghai --note "asked for 8012"`
    """
    settings, now_ms = _settings(context), _now_ms()
    rules = settings.callbacks
    try:
        digits = dialable(number, rules.dialable, rules.refused)
        meant_in = zone or rules.profile(profile).zone
        due_ms = now_ms if due is None else usable("--due", wall_ms(due, meant_in), now_ms)
        if zone is not None:
            zone_of(zone)
    except (UndialableNumber, UnknownHours, UnusableTime) as error:
        raise CallflowError(str(error), "callflow callbacks add --help") from None
    wanted = Wanted(
        digits, profile, Reason.MANUAL, now_ms, note or "added by hand", who(by), note=note, due_ms=due_ms,
        zone=zone or "",
    )  # fmt: skip
    entries = _list(context, db)
    entries.prepare()
    entry, new = entries.add(wanted, rules, now_ms)
    _tell(entry, "on the list" if new else "was on the list already; it has a further reason", as_json=as_json)


@callbacks_app.command("show")
def show(context: typer.Context, callback_id: Id, as_json: AsJson = False, db: ReadDb = None) -> None:
    """Show one entry: why it is there, every step with who made it, and every attempt.

    Example: `callflow callbacks show cb-41`
    """
    with _reading(context, db) as entries:
        entry = entries.find(callback_id)
        changes, attempts = entries.changes(entry.callback_id), entries.attempts(entry.callback_id)
        of_fleet = entries.of_fleet
    if as_json:
        shown = entry_json(entry) | {
            "changes": [change_json(change) for change in changes],
            "calls": [attempt_json(attempt) for attempt in attempts],
        }
        print(json.dumps(shown, indent=2))
    else:
        print_entry(entry, changes, attempts, console(), of_fleet=of_fleet)


@callbacks_app.command("claim")
def claim(context: typer.Context, callback_id: Id, by: By = "", as_json: AsJson = False, db: Db = None) -> None:
    """Take an entry on: nobody else is offered it until you settle or `release` it, or the claim lapses.

    Exit code 2: somebody else was first.

    Example: `callflow callbacks claim cb-41 --by 8012`
    """
    actor = who(by)
    _step(context, db, callback_id, Step.CLAIM, actor, f"claimed by {actor}", as_json=as_json)


@callbacks_app.command("release")
def release(context: typer.Context, callback_id: Id, by: By = "", as_json: AsJson = False, db: Db = None) -> None:
    """Give a claimed entry back to the list.

    Example: `callflow callbacks release cb-41 --by 8012`
    """
    actor = who(by)
    _step(context, db, callback_id, Step.RELEASE, actor, f"released by {actor}", as_json=as_json)


@callbacks_app.command("reopen")
def reopen(
    context: typer.Context, callback_id: Id, by: By = "", why: Why = "", as_json: AsJson = False, db: Db = None
) -> None:
    """Decide that an entry whose outcome is `unknown` is to be called again.

    Example: `callflow callbacks reopen cb-41 --why "nobody had spoken to them"`
    """
    _step(context, db, callback_id, Step.REOPEN, who(by), why or "reopened by hand", as_json=as_json)


@callbacks_app.command("done")
def done(
    context: typer.Context, callback_id: Id, by: By = "", why: Why = "", as_json: AsJson = False, db: Db = None
) -> None:
    """Settle an entry: the caller was reached, or needs no call any more.

    Example: `callflow callbacks done cb-41 --why "wrote an e-mail"`
    """
    _step(context, db, callback_id, Step.DONE, who(by), why or "settled by hand", as_json=as_json)


@callbacks_app.command("give-up")
def give_up(
    context: typer.Context, callback_id: Id, why: Why, by: By = "", as_json: AsJson = False, db: Db = None
) -> None:
    """Close an entry whose caller cannot be reached; say why.

    Example: `callflow callbacks give-up cb-41 --why "the number is not in service"`
    """
    _step(context, db, callback_id, Step.GIVE_UP, who(by), why, as_json=as_json)


@callbacks_app.command("dial")
def dial(
    context: typer.Context,
    callback_id: Id,
    agent: Annotated[str, typer.Option("--agent", help="Work number or interface of the agent who will speak.")],
    by: By = "",
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Have the daemon place the call, and wait for its outcome.

    It first checks again: hours, holidays, emergency numbers, and whether anybody is on the phone. Nothing is ever
    dialled twice: when the outcome was not seen, the entry becomes `unknown`, and you decide with `reopen`, `done`,
    `give-up` or another `dial`.

    For an entry of another node of the fleet it asks that node, and does not wait for the outcome.

    Exit code 0: reached, or asked. 1: not reached. 2: the call was not placed.

    Example: `callflow callbacks dial cb-41 --agent 8012`
    """
    settings = _settings(context)
    if url := _elsewhere(settings, db, callback_id):
        _remote(settings, url, callback_id, Step.DIAL, who(by), "", agent, as_json=as_json)
        return
    entries = _list(context, db)
    entries.check()
    entry = dial_and_wait(settings, db or settings.store.path, entries, callback_id, agent, who(by), as_json=as_json)
    if as_json:
        print(json.dumps(entry_json(entry), indent=2))
    raise typer.Exit(0 if entry.state is State.DONE else 1)


@callbacks_app.command("report")
def report(
    context: typer.Context, since: Since = None, until: Until = None, as_json: AsJson = False, db: ReadDb = None
) -> None:
    """Count by reason: raised, reached, given up, still open, attempts, and the time until callers were reached.

    Example: `callflow callbacks report --since 7d`
    """
    with _reading(context, db) as entries:
        figures = figures_of(entries, since, until)
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        print_figures(figures, console())


def _step(
    context: typer.Context, db: Path | None, callback_id: str, step: Step, actor: str, why: str, *, as_json: bool
) -> None:
    settings = _settings(context)
    if url := _elsewhere(settings, db, callback_id):
        _remote(settings, url, callback_id, step, actor, why, as_json=as_json)
        return
    entries = _list(context, db)
    entries.check()
    found = entries.find(callback_id)
    try:
        entry = entries.change(found.callback_id, lambda now: now.step(step, _now_ms(), actor, why))
    except IllegalStep as error:
        remedy = f"callflow callbacks show {found.callback_id} shows who did what"
        raise CallflowError(f"{found.callback_id}: {error}", remedy) from None
    _tell(entry, f"is {entry.state.value.replace('_', ' ')} now", as_json=as_json)


def _elsewhere(settings: Settings, db: Path | None, callback_id: str) -> str:
    """The fleet's database, where the entry is on no list here; else ""."""
    url = settings.fleet.database_url.get_secret_value()
    if db is not None or not url:
        return ""
    if settings.store.path.is_file():
        with suppress(NoSuchCallback), Reader(settings.store.path) as reader:
            CallbackQueries(reader.rows, settings.node.name).find(callback_id)
            return ""
    return url


def _remote(
    settings: Settings, url: str, callback_id: str, step: Step, actor: str, why: str, agent: str = "", *, as_json: bool
) -> None:
    from callflow.commands.callbacks_remote import step_at_its_node  # needs the libraries of MQTT and PostgreSQL

    answer = step_at_its_node(settings, url, callback_id, step, actor, why, agent)
    if as_json:
        print(json.dumps({"callback_id": answer.callback_id, "answer": answer.why}, indent=2))
    else:
        console().print(f"{answer.callback_id} {answer.why}", markup=False)


def _tell(entry: Entry, what: str, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(entry_json(entry), indent=2))
    else:
        console().print(f"{entry.callback_id} {what}", markup=False)


@contextmanager
def _reading(context: typer.Context, db: str | None) -> Iterator[CallbackQueries]:
    """This node's list, or those of all nodes in the database of a fleet."""
    found: Context = context.obj
    named = found.records(db)
    node = found.settings().node.name if isinstance(named, Path) else None
    with Reader(named) as reader:
        yield CallbackQueries(reader.rows, node)


def _list(context: typer.Context, db: Path | None) -> CallbackList:
    settings = _settings(context)
    return CallbackList(db or settings.store.path, settings.node.name)


def _settings(context: typer.Context) -> Settings:
    found: Context = context.obj
    return found.settings()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
