"""`callflow fleet`: who publishes, and what is wrong."""

import json
import time
from dataclasses import replace
from typing import Any

from typer.testing import CliRunner, Result

from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.cli import app
from callflow.collecting.identities import Identities
from callflow.core.fleet.arrival import Announced, Arrival, announced
from callflow.publishing.announcement import announcement, fingerprints
from callflow.settings.model import Settings

SETTINGS = json.dumps({"rings": "a", "privacy": "b"})


def ago_ms(seconds: float) -> int:
    """When that was, epoch ms: the command looks at the clock."""
    return time.time_ns() // 1_000_000 - round(seconds * 1000)


def said(site: str, **changes: Any) -> Announced:
    now_ms = ago_ms(0)
    first = Announced(site, f"{now_ms}-{site}", site, f"pbx-{site}", "0.1.0", now_ms, SETTINGS, now_ms, 20)
    return replace(first, **changes)


def noted(url: str, *announcements: Announced) -> None:
    database = CollectorDatabase(Postgres(url), "all")
    assert database.open()
    for one in announcements:
        database.note(one)
    database.write([Arrival("callflow/v1/north/event/call/stay", '{"schema": "callflow.call.stay/9"}', ago_ms(0))])
    database.close()


def run(url: str, *words: str) -> Result:
    return CliRunner(env={"COLUMNS": "200", "CALLFLOW_CONFIG": ""}).invoke(app, ["fleet", "--db", url, *words])


def test_what_is_wrong_with_a_node_is_said(fleet: str) -> None:
    other = json.dumps({"rings": "x", "privacy": "b"})
    noted(
        fleet,
        said("north"),
        said("south"),
        said("east", skew_ms=86_400_000, settings=other),
        said("west", came_ms=ago_ms(600)),
        said("twins", came_ms=ago_ms(30), stream="1-a", host="pbx-a"),
        said("twins", came_ms=ago_ms(25), stream="2-b", host="pbx-b"),
        said("twins", came_ms=ago_ms(5), stream="1-a", host="pbx-a"),
        said("twins", came_ms=ago_ms(1), stream="2-b", host="pbx-b"),
    )
    done = run(fleet, "--json")
    assert done.exit_code == 1, done.output
    told = json.loads(done.stdout)
    by_site = {node["site"]: node for node in told["nodes"]}
    assert by_site["north"]["wrong"] == by_site["south"]["wrong"] == []
    assert by_site["north"]["differs"] == []
    assert by_site["east"]["differs"] == ["rings"]
    assert "clock is +86400 s" in by_site["east"]["wrong"][0]
    assert "silent" in by_site["west"]["wrong"][0]
    assert "two daemons use this site's name (pbx-a, pbx-b)" in by_site["twins"]["wrong"][0]
    assert told["unread_events"] == 1
    table = run(fleet).stdout
    assert "east: its clock is +86400 s" in table
    assert "upgrade the collector" in table


def test_a_restart_is_no_second_daemon(fleet: str) -> None:
    database = CollectorDatabase(Postgres(fleet), "all")
    assert database.open()
    database.note(said("north", stream="1-a", came_ms=ago_ms(60)))
    database.note(said("north", stream="2-b", came_ms=ago_ms(0)))
    database.close()
    done = run(fleet)
    assert done.exit_code == 0, done.output


def test_without_nodes_it_says_how_to_get_some(fleet: str) -> None:
    assert "start callflow collect" in run(fleet).stdout


def test_the_collector_warns_once_of_a_clock_and_of_a_name_used_twice() -> None:
    known = Identities(5.0)
    first, second = said("lab", stream="1-a", started_ms=1), said("lab", stream="2-b", started_ms=2, host="other")
    assert known.warnings(first) == []
    assert known.warnings(second) == [], "a restart"
    assert "two daemons use this site's name, here and on other" in known.warnings(first)[0]
    assert known.warnings(first) == []
    assert "3600 s behind" in known.warnings(replace(second, skew_ms=-3_600_000))[0]
    assert known.warnings(replace(second, skew_ms=-3_601_000)) == []
    assert known.warnings(replace(first, stream="0-c", skew_ms=None)) == [], "retained, so it is old"


def test_a_node_tells_who_it_is_without_secrets() -> None:
    settings = Settings.model_validate({"ami": {"secret": "s3cret"}, "mqtt": {"site": "lab", "password": "s3cret"}})
    text = announcement(settings, lambda: 1000)("1-a")
    assert "s3cret" not in text
    read = announced("callflow/v1/lab/node", text, came_ms=400, retained=False)
    assert read is not None
    assert (read.site, read.stream, read.node, read.skew_ms) == ("lab", "1-a", "main", 600)
    assert announced("callflow/v1/lab/node", "{}", 0, retained=False) is None


def test_fingerprints_differ_where_the_settings_do_and_not_by_the_name_of_the_node() -> None:
    one = Settings.model_validate({"node": {"name": "north"}, "mqtt": {"site": "north"}, "store": {"path": "/a.db"}})
    same = Settings.model_validate({"node": {"name": "south"}, "mqtt": {"site": "south"}, "store": {"path": "/b.db"}})
    other = Settings.model_validate({"queues": {"sales": {"threshold_s": 10}}})
    assert fingerprints(one) == fingerprints(same)
    differing = {name for name, mark in fingerprints(other).items() if mark != fingerprints(one)[name]}
    assert differing == {"queues"}
