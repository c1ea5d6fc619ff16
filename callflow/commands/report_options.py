"""Options that the commands about a period share."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Annotated

import typer

from callflow.commands.report_period import Period, named_period, parse_zone, period_between

NAMES = (
    "`today`, `yesterday`, `week`, `last-week`, `month`, `last-month`, `2026-01-31`, `2026-W05`, `2026-01` or `2026`"
)

From = Annotated[
    str | None,
    typer.Option("--from", metavar="WHEN", help="Start of the period: `2026-01-31` or `2026-01-31T14:05`."),
]
To = Annotated[
    str | None,
    typer.Option("--to", metavar="WHEN", help="End of the period; a date includes its whole day. Default: now."),
]
Zone = Annotated[str | None, typer.Option("--zone", help="Time zone, e.g. `Asia/Shanghai`. Default: the machine's.")]
OfNode = Annotated[str | None, typer.Option("--node", help="Only what this daemon recorded (node.name).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]
Db = Annotated[
    str | None,
    typer.Option("--db", metavar="PATH|URL", help="Database to read. Default: fleet.database_url, else store.path."),
]


def asked_period(
    name: str | None,
    since: str | None,
    until: str | None,
    zone_name: str | None,
    now_ms: int,
    usual: Callable[[tzinfo | None], Period],
) -> Period:
    """The period of these options, else the `usual` one; raises BadParameter for options that do not fit together."""
    zone = parse_zone(zone_name)
    if since is not None:
        if name is not None:
            raise typer.BadParameter("give a period or --from, not both")
        return period_between(since, until, zone, now_ms)
    if until is not None:
        raise typer.BadParameter("--to needs --from")
    return usual(zone) if name is None else named_period(name, zone, now_ms)
