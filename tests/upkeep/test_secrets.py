"""No secret and no caller's number leaves callflow where it should not: every setting that holds a secret is tried."""

import asyncio
import json
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
import tomli_w
from pydantic import BaseModel, SecretStr

from callflow.adapters.store.callback_list import CallbackList
from callflow.adapters.store.case_list import CaseList
from callflow.adapters.store.fleet.migrate import bring_to_head
from callflow.adapters.store.outbox import Bounds, Outbox
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.store import Store
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackRules
from callflow.core.callbacks.states import Step
from callflow.core.cases import CaseKind, new_case
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from callflow.errors import SettingError
from callflow.processes.ports import take_ports
from callflow.processes.process import Process
from callflow.settings.errors import SECRETS
from callflow.settings.model import Settings, load_settings
from callflow.web.tokens import Role, TokenFile
from tests.adapters.waiting import answered
from tests.publishing import samples
from tests.services.postgres import empty
from tests.store.samples import T0, ended, live_call
from tests.upkeep.answers import of_metrics, of_page
from tests.upkeep.conftest import Site

NUMBER = "+15550104477"
MARK = "hush-hush"
"""Part of every secret here."""
START_S = 90.0


def secret_settings(model: type[BaseModel] = Settings, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every setting that holds a secret, in sections; `crm` stands for a name of the site's own."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if kind is SecretStr:
            yield (*above, name)
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from secret_settings(kind, (*above, name))
        elif get_origin(kind) is dict and isinstance(of := get_args(kind)[1], type) and issubclass(of, BaseModel):
            yield from secret_settings(of, (*above, name, "crm"))


PATHS = sorted(secret_settings())


def with_secrets(**more: dict[str, Any]) -> dict[str, Any]:
    """Settings in which every secret is set."""
    made: dict[str, Any] = {"webhooks": {"crm": {"url": "http://127.0.0.1:9/"}}}
    made |= {section: dict(values) for section, values in more.items()}
    for path in PATHS:
        put(made, path, f"{MARK}-{'-'.join(path)}")
    return made


def put(config: dict[str, Any], path: tuple[str, ...], value: Any) -> None:
    """Set one setting of nested sections."""
    for section in path[:-1]:
        config = config.setdefault(section, {})
    config[path[-1]] = value


def test_every_setting_by_a_secret_s_name_is_a_secret() -> None:
    fields = {
        (section, name): field.annotation
        for section, of in Settings.model_fields.items()
        if isinstance(of.annotation, type) and issubclass(of.annotation, BaseModel)
        for name, field in of.annotation.model_fields.items()
    }
    assert {path for path in fields if path[1] in SECRETS} <= set(PATHS)
    assert {("ami", "secret"), ("webhooks", "crm", "secret")} <= set(PATHS)


def test_neither_repr_nor_output_nor_dump_shows_one(site: Site) -> None:
    settings = Settings(**with_secrets())
    assert MARK not in repr(settings) + str(settings) + settings.model_dump_json()
    site.folder.joinpath("callflow.toml").write_text(tomli_w.dumps(with_secrets()))
    for words in (("settings",), ("settings", "check"), ("settings", "reference")):
        code, output = site.run(*words)
        assert code == 0
        assert MARK not in output


@pytest.mark.parametrize("path", PATHS, ids=".".join)
@pytest.mark.parametrize("wrong", ["a list", "a table", "a line break"])
def test_no_error_text_shows_one(site: Site, path: tuple[str, ...], wrong: str) -> None:
    value = {"a list": [MARK], "a table": {MARK: MARK}, "a line break": f"{MARK}\r\n/../{MARK}"}[wrong]
    file = site.folder / "callflow.toml"
    config: dict[str, Any] = {"nowhere": {"x": 1}}
    put(config, path, value)
    file.write_text(tomli_w.dumps(config))
    with pytest.raises(SettingError) as raised:
        load_settings(file)
    assert MARK not in f"{raised.value}{raised.value!r}{raised.value.__cause__}"


def command_line(pid: int) -> str:
    """As every user of the machine sees it."""
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode()


def shows_none(process: Process, arguments: str, answered: dict[str, str], *more: str) -> None:
    """No secret is in what it has logged, in its process list or in an answer; `more` are secrets besides."""
    for secret in (MARK, *more):
        assert secret not in process.output.read_text()
        assert secret not in arguments
        assert [question for question, answer in answered.items() if secret in answer] == []


async def logged(process: Process, text: str) -> None:
    """Wait until its log has this."""
    async with asyncio.timeout(START_S):
        while text not in process.output.read_text():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.1)


async def test_a_running_daemon_shows_none(tmp_path: Path) -> None:
    """Its log at level debug, what it answers over HTTP, its process list: AMI refuses it, the broker is away."""
    _, token = TokenFile(tmp_path / "web-tokens.json").add("test", Role.ADMIN)
    with take_ports() as ports:
        offline = {"host": "127.0.0.1", "port": ports.named()}
        http, page = ports.named(), ports.named()
        config = with_secrets(
            ami=offline,
            mqtt={"enabled": True, "host": "127.0.0.1", "port": ports.named(), "username": "callflow"},
            agi={"port": ports.named()},
            http={"port": http},
            web={"port": page},
            store={"path": str(tmp_path / "callflow.db")},
            log={"level": "debug"},
            limits={"stall_s": 10.0},
        )
        file = tmp_path / "callflow.toml"
        file.write_text(tomli_w.dumps(config))
        process = await Process.start(
            [sys.executable, "-m", "callflow", "run", "--config", str(file)], tmp_path, "daemon"
        )
        try:
            await logged(process, "callflow is ready")
            arguments = command_line(process.pid)
            answers = await of_metrics(http) | await of_page(page, token)
        finally:
            await process.stop()
    assert "callflow_build_info" in answers["/metrics"]
    assert "ami.secret" in answers["GET /api/v1/admin/settings"], "what is asked is answered"
    shows_none(process, arguments, answers, token)


@pytest.mark.parametrize("away", ["the broker", "the database"])
async def test_a_running_collector_shows_none(tmp_path: Path, fleet: str, away: str) -> None:
    """The password of the database, which is in its URL, and that of the broker: also where they are complained of."""
    with take_ports() as ports:
        http, nowhere = ports.named(), ports.named()
        url = (
            with_password(fleet) if away == "the broker" else f"postgresql://callflow:{MARK}@127.0.0.1:{nowhere}/calls"
        )
        config = {
            "fleet": {"database_url": url},
            "mqtt": {"host": "127.0.0.1", "port": nowhere, "username": "callflow", "password": MARK},
            "http": {"port": http},
            "log": {"level": "debug"},
        }
        process = await started(tmp_path, config, "collect")
        try:
            await logged(process, "collecting has stopped")
            arguments = command_line(process.pid)
            answers = await of_metrics(http)
        finally:
            await process.stop()
    assert '"role":"failing"' in answers["/readyz"].replace(" ", "")
    shows_none(process, arguments, answers)


@pytest.mark.parametrize("away", [False, True], ids=["database there", "database away"])
async def test_the_page_of_a_fleet_shows_none(tmp_path: Path, postgres: str, away: bool) -> None:
    """It asks nodes over a broker that is away; the database goes away after the start."""
    bring_to_head(Postgres(postgres))
    _, token = TokenFile(tmp_path / "web-tokens.json").add("test", Role.ADMIN)
    with take_ports() as ports:
        page = ports.named()
        config = {
            "fleet": {"database_url": with_password(postgres)},
            "mqtt": {"host": "127.0.0.1", "port": ports.named(), "username": "callflow", "password": MARK},
            "web": {"port": page},
            "store": {"path": str(tmp_path / "callflow.db")},
            "log": {"level": "debug"},
        }
        process = await started(tmp_path, config, "web")
        try:
            await answered(page)
            await logged(process, "the database can be read")
            if away:
                empty(postgres)
            arguments = command_line(process.pid)
            answers = await of_page(page, token)
        finally:
            await process.stop()
    calls = answers["GET /api/v1/calls"]
    assert calls.startswith("503" if away else "200"), calls
    shows_none(process, arguments, answers, token)


def with_password(url: str) -> str:
    """The URL of a database that asks for no password, with one."""
    return url.replace("callflow@", f"callflow:{MARK}@")


async def started(folder: Path, config: dict[str, Any], command: str) -> Process:
    """A command of callflow with these settings, in a process of its own."""
    file = folder / "callflow.toml"
    file.write_text(tomli_w.dumps(config))
    return await Process.start([sys.executable, "-m", "callflow", "--config", str(file), command], folder, command)


def test_the_bundle_of_doctor_holds_neither_secrets_nor_callers(site: Site) -> None:
    config = with_secrets(
        store={"path": str(site.database)},
        http={"port": 9},
        rings={"lines": {"front": {"numbers": [NUMBER]}}},
    )
    (site.folder / "callflow.toml").write_text(tomli_w.dumps(config))
    with Store(site.database, "main") as store:
        call = replace(
            ended(live_call("1769864703.1")), caller_number=NUMBER, caller_name="Ann Example", dialled=NUMBER[1:]
        )
        store.save(replace(call, channel=f"Local/{NUMBER}@default-1;1"), final=True)
        store.add_to_timeline(call.call_id, TimelineEntry(1, T0, Kind.ARRIVED, f"from {NUMBER}", "1 (555) 010-4477"))
    texts, target = bundled(site), site.folder / "bundle.tar.gz"
    assert target.stat().st_mode & 0o777 == 0o600
    everything = "\n".join(texts.values())
    for trace in (MARK, NUMBER, NUMBER[1:], "555) 010-4477", "Ann Example"):
        assert trace not in everything
    records = json.loads(texts["callflow-doctor/records.json"])
    (row,) = records["calls"]
    assert row["caller_number"].startswith("h"), "one caller can be followed"
    assert row["result"] == "spoke"
    assert f"callflow {__import__('callflow').__version__}" in texts["callflow-doctor/versions.txt"]
    assert 'log.level = "info"' in texts["callflow-doctor/settings.txt"]
    assert "not available" in texts["callflow-doctor/metrics.txt"], "no daemon runs"
    assert site.run("doctor", target)[0] == 2, "nothing is overwritten"


def test_the_bundle_of_doctor_holds_no_caller_where_numbers_are_plain(site: Site) -> None:
    """Neither in the events that wait, nor in what people have typed, nor a number as short as an extension."""
    number, name = "550107", "Ada Lovelace"
    (site.folder / "callflow.toml").write_text(tomli_w.dumps({"store": {"path": str(site.database)}}))
    with Store(site.database, "main") as store:
        outbox = Outbox(store, site.database, "main", Bounds(1000, 10**12), lambda: T0)
        plain = replace(samples.MAKER, pseudonymizer=Pseudonymizer(b"k", PrivacyRules(numbers="plain")))
        call = replace(ended(live_call("1769864703.1")), caller_number=number, caller_name=name)
        event = plain.event_of(call)
        assert event is not None
        assert name in event.body()
        store.save(call, True, [outbox.row(event)])
    entries, cases = CallbackList(site.database, "main"), CaseList(site.database, "main")
    wanted = Wanted(number, "default", Reason.MANUAL, T0, f"asked by {name}", actor="8012", note=f"ask for {name}")
    entry, _ = entries.add(wanted, CallbackRules(), T0)
    entries.change(entry.callback_id, lambda now: now.step(Step.DONE, T0 + 1, "anna", f"wrote to {name}"))
    cases.add(new_case("T-2041", number, CaseKind.GENERAL, "default", "UTC", T0, "anna", 24.0))
    cases.change("T-2041", lambda now: now.told(T0 + 1, "anna", f"told {name}", T0 + 2))
    texts = bundled(site)
    everything = "\n".join(texts.values())
    for trace in (number, "Ada", "Lovelace"):
        assert trace not in everything
    records = json.loads(texts["callflow-doctor/records.json"])
    (row,), (waits,), (called,) = records["calls"], records["outbox"], records["callbacks"]
    data = json.loads(waits["body"])["data"]
    assert data["caller"] == row["caller_number"] == called["number"], "one caller can be followed"
    assert data["result"] == "spoke"


def bundled(site: Site) -> dict[str, str]:
    """The files of the bundle, by name."""
    target = site.folder / "bundle.tar.gz"
    code, output = site.run("doctor", target)
    assert code == 0, output
    with tarfile.open(target) as archive:
        return {entry.name: archive.extractfile(entry).read().decode() for entry in archive}  # type: ignore[union-attr]


def test_a_secret_in_the_environment_is_in_no_process_list() -> None:
    """The commands that need one take it from the environment or the file: no option has it."""
    shown = subprocess.run(
        [sys.executable, "-m", "callflow", "run", "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert "--secret" not in shown
    assert "--password" not in shown
