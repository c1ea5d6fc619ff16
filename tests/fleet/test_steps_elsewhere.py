"""Steps in the call-back list of another node: asked for over a real broker, taken by the node of the entry."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from callflow.adapters.mqtt import asking
from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.places import Postgres
from callflow.cli import app
from callflow.core.callbacks.entry import Entry, Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.callbacks.states import Step
from callflow.core.fleet.orders import ListStep, order_of
from callflow.errors import CallflowError
from callflow.processes.ports import take_ports
from callflow.runtime.callback_desk import CallbackDesk
from callflow.runtime.clock import Clock
from callflow.runtime.fleet_orders import FleetOrders
from tests.fleet.test_callback_lists import arrivals
from tests.fleet.test_collector import AWAITS, eventually
from tests.mqtt.sending import Sending, sending
from tests.publishing import samples
from tests.services.mosquitto import PASSWORD, USER, Broker, settings_for

ANY_HOUR = {"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))}
RULES = CallbackRules(remote=True, dial="PJSIP/{number}@carrier", profiles=ANY_HOUR)


def orders_of(path: Path, recorder: Any, rules: CallbackRules = RULES) -> FleetOrders:
    """What the daemon of a node puts together."""
    now_ms = Clock().now_ms
    return FleetOrders(CallbackDesk(rules, path, "north", recorder, now_ms), path, samples.HIDDEN, now_ms)


@dataclass
class Elsewhere:
    """A node with one entry, and a machine that knows the fleet's database and the broker."""

    sender: Sending
    entries: CallbackList
    entry: Entry
    config: Path

    async def run(self, *words: str) -> tuple[int, str]:
        """Exit code and output of `callflow callbacks ...`; of a refusal its sentence."""
        runner = CliRunner(env={"COLUMNS": "200"})
        done = await asyncio.to_thread(runner.invoke, app, ["-c", str(self.config), "callbacks", *words])
        if isinstance(done.exception, CallflowError):
            return 2, done.exception.problem
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    def state(self) -> str:
        return self.entries.find(self.entry.callback_id).state.value


@pytest.fixture
async def elsewhere(fleet: str, tmp_path: Path) -> AsyncIterator[Elsewhere]:
    with take_ports() as ports:
        async with Broker(tmp_path / "mosquitto", ports.named()) as broker:
            mqtt = {**settings_for(broker.port), **AWAITS, "site": "north"}
            async with sending(tmp_path / "node", mqtt) as sender:
                path = sender.settings.store.path
                entries = CallbackList(path, "north")
                wanted = Wanted("13855550100", "default", Reason.SILENT, samples.T0, "because")
                entry, _ = entries.add(wanted, RULES, samples.T0)
                database = CollectorDatabase(Postgres(fleet), "all")
                assert database.open()
                database.write(arrivals(entries))
                database.close()
                sender.publishing.fleet_orders = orders_of(path, sender.publishing.recording)
                config = tmp_path / "desk.toml"
                config.write_text(
                    f'[store]\npath = "{tmp_path}/none.db"\n[fleet]\ndatabase_url = "{fleet}"\n'
                    f'[mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\nusername = "{USER}"\npassword = "{PASSWORD}"\n'
                )
                await eventually(lambda: sender.link.connected)
                yield Elsewhere(sender, entries, entry, config)


async def test_a_step_is_taken_by_the_node_of_the_entry(elsewhere: Elsewhere) -> None:
    one = elsewhere.entry.callback_id
    code, told = await elsewhere.run("claim", one[:8], "--by", "8012")
    assert (code, told.endswith(f"{one} is claimed now\n")) == (0, True)
    assert elsewhere.state() == "claimed"
    assert elsewhere.entries.changes(one)[-1].why == "claimed by 8012"
    code, problem = await elsewhere.run("claim", one, "--by", "8013")
    assert (code, "claim is not possible in state claimed" in problem) == (2, True)
    code, told = await elsewhere.run("dial", one, "--agent", "8012", "--by", "boss", "--json")
    assert (code, "has been asked to call for agent 8012" in told) == (0, True)
    assert elsewhere.entries.find(one).wish == "8012"
    code, problem = await elsewhere.run("dial", one, "--agent", "8013")
    assert (code, "asked for already" in problem) == (2, True)
    assert (await elsewhere.run("done", one, "--why", "wrote an e-mail"))[0] == 0
    assert elsewhere.state() == "done"
    code, problem = await elsewhere.run("claim", "cb-nobody")
    assert (code, "no call-back has the id" in problem) == (2, True)


async def test_a_node_that_takes_no_steps_or_is_away_is_told(
    elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, publishing = elsewhere.entry.callback_id, elsewhere.sender.publishing
    path = elsewhere.sender.settings.store.path
    publishing.fleet_orders = orders_of(path, publishing.recording, RULES.model_copy(update={"remote": False}))
    code, problem = await elsewhere.run("claim", one)
    assert (code, "callbacks.remote is off" in problem) == (2, True)
    publishing.fleet_orders = None
    monkeypatch.setattr(asking, "ANSWER_S", 2.0)
    code, problem = await elsewhere.run("claim", one)
    assert (code, "has not answered" in problem) == (2, True)
    assert elsewhere.state() == "open"


async def test_a_step_that_comes_twice_is_taken_once(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    entries = CallbackList(path, "north")
    entries.prepare()
    wanted = Wanted("13855550100", "default", Reason.SILENT, samples.T0, "because")
    entry, _ = entries.add(wanted, RULES, samples.T0)
    orders = orders_of(path, None)
    asked = ListStep("1", entry.callback_id, Step.CLAIM, "8012", "claimed by 8012")
    assert order_of(asked.body()) == asked
    first, again = await asyncio.gather(orders.obey(asked), orders.obey(asked))
    assert (first, first.done) == (again, True)
    assert len(entries.changes(entry.callback_id)) == 2
    for step in (Step.REACH, Step.ANSWER, Step.LOSE):
        wrong = ListStep(step.value, entry.callback_id, step, "8012", "")
        assert not (await orders.obey(wrong)).done, "only a call can do that"
