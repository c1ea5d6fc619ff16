"""`callflow web`: the page on a database without a daemon, and access tokens."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from callflow.commands.context import Context, who
from callflow.commands.times import shown
from callflow.errors import CallflowError
from callflow.logs import configure_logs
from callflow.runtime.persisting import until_stopped
from callflow.settings.model import Settings
from callflow.web.options import WebOptions
from callflow.web.tokens import Role, Token, TokenFile, described

if TYPE_CHECKING:
    from callflow.adapters.store.places import Where

web = typer.Typer(help="The page in the browser: serve it from a database, and create access tokens.")
token = typer.Typer(help="Access tokens: create, list and revoke them.", no_args_is_help=True)
web.add_typer(token, name="token")


@web.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    db: Annotated[
        str | None,
        typer.Option(metavar="PATH|URL", help="Database to show. Default: fleet.database_url, else store.path."),
    ] = None,
    fleet: Annotated[
        bool, typer.Option("--fleet", help="Serve only a fleet's database; refuse without fleet.database_url.")
    ] = False,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Port; default: web.port.")] = None,
) -> None:
    """Serve the page from a database alone, without a daemon; it affects no call.

    From a fleet's database it shows all nodes: their calls, reports, call-back lists and health. It shows nothing live.
    While PostgreSQL is away the page says so; it goes on by itself. Exit code 2: something must be fixed first.
    If [mqtt] names the broker, it sends steps of call-backs to their node. Tokens and audit trail are beside
    store.path, or where web.tokens_file and web.audit_file say.

    Example: callflow web --db /backup/callflow.db --port 9900
    """
    if context.invoked_subcommand is not None:
        return
    source: Context = context.find_object(Context)  # type: ignore[assignment]
    settings, named = source.settings(), source.fleet_url(db) if fleet else source.records(db)
    options = settings.web if port is None else settings.web.model_copy(update={"port": port})
    configure_logs(settings.log)
    host = f"[{options.host}]" if ":" in options.host else options.host
    print(f"the page: http://{host}:{options.port}/ of {_shown(named)} (stop with Ctrl-C)", flush=True)
    try:
        asyncio.run(_serve(options, named, settings))
    except OSError as error:
        raise CallflowError(
            f"port {options.port} of {options.host} is not available: {error.strerror}",
            "set web.port to another, or choose one with --port",
        ) from None


async def _serve(options: WebOptions, named: "Where", settings: Settings) -> None:
    from callflow.web.server import WebServer  # loads the page's framework, which no other command needs
    from callflow.web.waiting import DatabaseWatch

    watch = DatabaseWatch(named)
    server = WebServer(options, named, _now_ms, settings=lambda: settings, health=watch)
    try:
        await until_stopped(server.serve(), watch.run())
    finally:
        await server.stop()


def _shown(named: "Where") -> str:
    """Which database that is, without a password."""
    from callflow.adapters.store.places import Postgres

    return f"this node's {named}" if isinstance(named, Path) else f"the fleet's {Postgres(named).shown}"


@token.command("add")
def add(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Person or purpose, as named in the audit trail.")],
    role: Annotated[Role, typer.Option(help="What the token allows.")] = Role.VIEWER,
    days: Annotated[int, typer.Option(min=0, max=3650, help="Days until it expires; 0 for never.")] = 90,
    queue: Annotated[list[str] | None, typer.Option(help="Only this queue; may be given several times.")] = None,
    agent: Annotated[str, typer.Option(help="Work number whose own data an agent's token shows.")] = "",
) -> None:
    """Create a token and print its secret once.

    Examples: callflow web token add "wall display" --days 0
              callflow web token add 8012 --role agent --agent 8012
    """
    expires_ms = None if days == 0 else _now_ms() + int(timedelta(days=days).total_seconds() * 1000)
    made, secret = _tokens(context).add(name, role, expires_ms=expires_ms, queues=tuple(queue or ()), agent=agent)
    _note(context, "create token", made)
    until = "never expires" if expires_ms is None else f"expires {shown(expires_ms)}"
    print(secret)
    Console(stderr=True, highlight=False).print(Text(f"token {made.id} for {name}: {role}, {until}; shown only now"))


@token.command("list")
def show(context: typer.Context) -> None:
    """List the tokens, without their secrets.

    Example: `callflow web token list`
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("id", "name", "role", "limited to", "created", "expires"):
        table.add_column(heading, overflow="fold")
    for each in _tokens(context).all():
        limits = ", ".join((*each.queues, *((f"agent {each.agent}",) if each.agent else ())))
        expires = "never" if each.expires_ms is None else shown(each.expires_ms)
        table.add_row(each.id, Text(each.name), each.role, Text(limits or "-"), shown(each.created_ms), expires)
    Console(highlight=False).print(table if table.row_count else "no tokens yet; callflow web token add NAME")


@token.command("revoke")
def revoke(context: typer.Context, token_id: Annotated[str, typer.Argument(help="Its id, from the list.")]) -> None:
    """Revoke a token; every session that it opened ends within a second.

    Example: `callflow web token revoke 3f2a`
    """
    gone = _tokens(context).revoke(token_id)
    if gone is None:
        raise CallflowError(f"there is no token {token_id}", "callflow web token list shows the ids")
    _note(context, "revoke token", gone)
    Console(highlight=False).print(Text(f"token {gone.id} for {gone.name} is revoked"))


def _note(context: typer.Context, action: str, changed: Token) -> None:
    """Write the change into the audit trail, in the name of the system's user."""
    from callflow.web.access import Visitor
    from callflow.web.audit import Audit
    from callflow.web.server import audit_file_of

    settings = context.find_object(Context).settings()  # type: ignore[union-attr]
    configure_logs(settings.log)  # stdout is for the secret
    trail = Audit(audit_file_of(settings.web, settings.store.path), _now_ms)
    trail.note(Visitor(f"{who()} (command line)", Role.ADMIN), action, **described(changed))


def _tokens(context: typer.Context) -> TokenFile:
    from callflow.web.server import tokens_of

    settings = context.find_object(Context).settings()  # type: ignore[union-attr]
    return tokens_of(settings.web, settings.store.path)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
