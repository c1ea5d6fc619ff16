"""`callflow doctor` where a fleet is collected: its database and its nodes, without a password or a number."""

import json
import re
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
import tomli_w

from callflow.adapters.store.fleet import HEAD, holdings
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.store import Store
from callflow.core.fleet.arrival import Arrival
from tests.fleet.test_fleet_command import ago_ms, said
from tests.services.postgres import copy_of
from tests.store.samples import T0, ended, live_call
from tests.upkeep.conftest import Site

NUMBER = "+15550104477"
PASSWORD = "hush%2Fhush"
METRICS = f"""# HELP callflow_collector_events_total Events that were stored.
callflow_collector_events_total{{site="{NUMBER}"}} 18204771
callflow_calls_total{{queue="a \\"quoted\\" {NUMBER}",handle="1 (555) 010-4477"}} 7
callflow_size_bucket{{le="1000000.0"}} 17698647032
"""


def told(site: Site, **sections: object) -> dict[str, str]:
    """The files of a bundle that is made with these settings."""
    (site.folder / "callflow.toml").write_text(tomli_w.dumps({"store": {"path": str(site.database)}, **sections}))
    target = site.folder / "bundle.tar.gz"
    code, output = site.run("doctor", target)
    assert code == 0, output
    with tarfile.open(target) as archive:
        read = {entry.name: archive.extractfile(entry).read().decode() for entry in archive}  # type: ignore[union-attr]
    return {name.removeprefix("callflow-doctor/"): text for name, text in read.items()}


def test_it_tells_of_postgresql_and_of_the_nodes(site: Site, fleet: str) -> None:
    with Store(site.database, "main") as store:
        store.save(ended(live_call("1769864703.1", arrived_ms=T0)), final=True)
        store.save(ended(live_call("1769864703.2", arrived_ms=T0 + 2 * 86_400_000)), final=True)
    copy_of(site.database, fleet)
    database = CollectorDatabase(Postgres(fleet), "all")
    assert database.open()
    database.note(said("north", host=f"pbx {NUMBER}"))
    database.note(said("south", skew_ms=86_400_000))
    odd = json.dumps({"schema": "callflow.call.stay/9", "caller": NUMBER})
    database.write([Arrival("callflow/v1/north/event/call/stay", odd, ago_ms(0))])
    files = told(site, fleet={"database_url": fleet.replace("callflow@", f"callflow:{PASSWORD}@")})
    database.close()
    tables = files["fleet-database.txt"].splitlines()
    assert any(line.startswith("PostgreSQL ") and line[11].isdigit() for line in tables)
    assert f"version {HEAD}, this callflow's is {HEAD}" in tables
    assert any("1 active collectors" in line for line in tables)
    (calls,) = [line for line in tables if line.startswith("calls:")]
    assert calls.startswith("calls: 2 rows, ")
    # The table may hold partitions of earlier tests.
    partitions = re.search(r" bytes, (\d+) partitions: (\S+) to (\S+)$", calls)
    assert partitions
    count, first, last = partitions.groups()
    assert int(count) >= 2
    assert first <= "2026-01-31" < "2026-02-02" <= last
    assert any(line.startswith("unread_events: 1 rows, ") and "partitions" not in line for line in tables)
    shown = json.loads(files["fleet-nodes.json"])
    north, south = shown["nodes"]
    assert (north["site"], north["version"], north["gaps"], north["wrong"]) == ("north", "0.1.0", 0, [])
    assert "clock is +86400 s" in south["wrong"][0]
    assert shown["unread_events"] == 1
    assert [why["events"] for why in shown["unread_why"]] == [1]
    everything = "\n".join(files.values())
    for trace in (NUMBER, NUMBER[1:], PASSWORD, "hush/hush", "hush"):
        assert trace not in everything


def test_a_large_table_is_estimated(fleet: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holdings, "COUNTED_BYTES", -1)
    found = list(holdings.holdings(Postgres(fleet)))
    assert {one.table for one in found} >= {"calls", "publishers"}
    assert all(not one.exact and one.rows >= 0 for one in found)


@pytest.mark.parametrize("url", ["postgresql://callflow:hush%2Fhush@127.0.0.1:9/callflow", "mysql://a:hush@b/c"])
def test_without_postgresql_it_goes_on(site: Site, url: str) -> None:
    files = told(site, fleet={"database_url": url}, http={"enabled": False})
    for name in ("fleet-database.txt", "fleet-nodes.json"):
        assert files[name].startswith("not available: ")
    assert "callflow " in files["versions.txt"]
    assert "hush" not in "\n".join(files.values())


def test_an_empty_database_is_told_as_such(site: Site, postgres: str) -> None:
    files = told(site, fleet={"database_url": postgres}, http={"enabled": False})
    assert "version none" in files["fleet-database.txt"]
    assert "start callflow collect" in files["fleet-nodes.json"]


def test_a_node_has_nothing_of_a_fleet(site: Site) -> None:
    assert not [name for name in told(site, http={"enabled": False}) if name.startswith("fleet")]


def test_labels_of_metrics_hide_numbers_and_figures_stay(site: Site) -> None:
    with serving(METRICS) as port:
        text = told(site, http={"port": port})["metrics.txt"]
    assert NUMBER not in text
    assert "010-4477" not in text
    assert 'callflow_size_bucket{le="1000000.0"} 17698647032' in text
    assert text.splitlines()[1].endswith('"} 18204771')
    assert 'queue="a \\"quoted\\" h' in text


@contextmanager
def serving(text: str) -> Iterator[int]:
    """A server that answers every question with this; its port."""

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
