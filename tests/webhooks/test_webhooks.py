"""Whatever happens to a receiver: every event is saved once for it, and arrives at least once or is put aside."""

import hmac
import json
import sqlite3
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from callflow.adapters.webhooks.options import WebhookOptions
from callflow.cli import app
from callflow.processes.ports import PortBlock, take_ports
from callflow.processes.process import Process
from tests.garbage import cycles_left
from tests.mqtt.sending import Sending, sending
from tests.mqtt.waiting import soon
from tests.publishing.test_schemas import check
from tests.webhooks.receiver import SECRET, Receiver, receiving, webhooks_to

CALLS = 40
CHECKOUT = Path(__file__).resolve().parents[2]
OFF = {"enabled": False}


@pytest.fixture
def ports() -> Iterator[PortBlock]:
    with take_ports() as block:
        yield block


@asynccontextmanager
async def posting(
    folder: Path, opening: AbstractAsyncContextManager[Receiver], **options: Any
) -> AsyncIterator[tuple[Receiver, Sending]]:
    """A receiver, and a daemon that posts to it and to nobody else."""
    async with opening as receiver, sending(folder / "d", OFF, webhooks=webhooks_to(receiver, **options)) as sender:
        yield receiver, sender


def waiting(database: Path, condition: str = "refused_ms is null") -> list[tuple[str, str]]:
    """(destination, event id) of what is in the outbox."""
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(f"select destination, event_id from outbox where {condition}").fetchall()


def command(sender: Sending, *words: str) -> str:
    done = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["webhooks", *words, "--db", str(sender.settings.store.path)], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.stdout


async def test_events_arrive_in_order_with_schema_and_signature(tmp_path: Path) -> None:
    async with receiving() as receiver, sending(tmp_path / "d", OFF, webhooks=webhooks_to(receiver)) as sender:
        for number in range(CALLS):
            sender.tell(number)
        await soon(lambda: set(receiver.confirmed) == sender.wanted)
        await sender.store.flush(5)
        await soon(lambda: not waiting(sender.settings.store.path))
    assert len(receiver.arrivals) == 3 * CALLS
    numbers = [json.loads(body)["seq"] for _, body in receiver.arrivals]
    assert numbers == sorted(numbers)
    for headers, body in receiver.arrivals:
        check(f"event.{headers['callflow-event']}", body.decode())
        at, _, digest = headers["callflow-signature"].partition(",v1=")
        signed = at.removeprefix("t=").encode() + b"." + body
        assert hmac.compare_digest(digest, hmac.new(SECRET.encode(), signed, sha256).hexdigest())
        assert headers["content-type"] == "application/json"


async def test_an_answer_is_freed_at_once(tmp_path: Path) -> None:
    """httpx's answer and its stream hold each other: thousands would wait for the garbage collector."""
    async with posting(tmp_path, receiving()) as (receiver, sender):
        with cycles_left("httpx.") as found:
            for number in range(3):
                sender.tell(number)
            await soon(lambda: set(receiver.confirmed) == sender.wanted)
        assert not found["httpx.Response"]


async def test_two_receivers_choose_their_events_and_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with receiving() as first, receiving(delay_s=30) as second:
        hooks = webhooks_to(first, second)
        hooks["r0"]["events"] = ["call.stay", "alert.*"]
        hooks["r1"]["events"] = ["call.leg"]
        async with sending(tmp_path / "d", OFF, webhooks=hooks) as sender:
            for number in range(3):
                sender.tell(number)
            await soon(lambda: len(first.confirmed) == 3)
            await sender.store.flush(5)
            left = Counter(destination for destination, _ in waiting(sender.settings.store.path))
            assert left["webhook:r1"] == 3
        assert {headers["callflow-event"] for headers, _ in first.arrivals} == {"call.stay"}


async def test_a_receiver_that_is_down_gets_everything_when_it_is_back(tmp_path: Path, ports: PortBlock) -> None:
    receiver = Receiver(port=ports.named())
    async with sending(tmp_path / "d", OFF, webhooks=webhooks_to(receiver, max_attempts=1)) as sender:
        for number in range(CALLS):
            sender.tell(number)
        assert await sender.store.flush(5), "saving does not wait for a receiver"
        assert len(waiting(sender.settings.store.path)) == 3 * CALLS
        await receiver.open()
        await soon(lambda: set(receiver.confirmed) == sender.wanted)
        await receiver.close()
    assert waiting(sender.settings.store.path, "refused_ms is not null") == []


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
async def test_an_answer_that_says_nothing_about_the_event_never_puts_it_aside(tmp_path: Path, status: int) -> None:
    async with posting(tmp_path, receiving(status=status), max_attempts=2) as (receiver, sender):
        sender.tell(1)
        await soon(lambda: len(receiver.arrivals) > 5)
        receiver.status = 204
        await soon(lambda: set(receiver.confirmed) == sender.wanted)


async def test_a_slow_receiver_times_out_and_is_tried_again(tmp_path: Path) -> None:
    async with posting(tmp_path, receiving(delay_s=1.0), timeout_s=0.1) as (receiver, sender):
        sender.tell(1)
        await soon(lambda: len(receiver.arrivals) >= 2)
        receiver.delay_s = 0.0
        await soon(lambda: set(receiver.confirmed) == sender.wanted)


@pytest.mark.parametrize(("status", "attempts"), [(500, 3), (410, 1), (400, 1), (301, 1)])
async def test_what_a_receiver_refuses_is_put_aside_and_holds_nothing_up(
    tmp_path: Path, status: int, attempts: int
) -> None:
    async with posting(tmp_path, receiving(fail={'"leg_id"': status}), max_attempts=3) as (receiver, sender):
        sender.tell(1)
        sender.tell(2)
        await soon(lambda: len(receiver.confirmed) == 4)
        tried = [body for _, body in receiver.arrivals if b'"leg_id"' in body]
        assert len(tried) == 2 * attempts
        await sender.store.flush(5)
        assert len(waiting(sender.settings.store.path, "refused_ms is not null")) == 2
        listed = json.loads(command(sender, "list", "r0", "--json"))["rows"]
        assert [(row["webhook"], row["event"]) for row in listed] == [("r0", "call.leg")] * 2
        assert str(status) in listed[0]["reason"]
        assert "call.leg" in command(sender, "list")


async def test_dead_letters_are_sent_again_or_dropped_by_a_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callflow.adapters.webhooks.sender.POLL_S", 0.1)
    async with posting(tmp_path, receiving(status=410)) as (receiver, sender):
        sender.tell(1)
        await soon(lambda: len(waiting(sender.settings.store.path, "refused_ms is not null")) == 3)
        receiver.status = 200
        first, second, third = (row["number"] for row in json.loads(command(sender, "list", "--json"))["rows"])
        assert command(sender, "retry", str(first), str(second)) == "2 to be sent again\n"
        await soon(lambda: len(receiver.confirmed) == 2)
        assert set(receiver.confirmed) <= sender.wanted
        assert command(sender, "drop", "--all") == "1 dropped\n"
        assert command(sender, "list") == "no event was refused\n"
        assert third > second
        await soon(lambda: not waiting(sender.settings.store.path, "1"))


async def test_retry_after_is_honoured(tmp_path: Path) -> None:
    async with posting(tmp_path, receiving(status=429, headers={"Retry-After": "1"}), retry_max_s=1.0) as (
        receiver,
        sender,
    ):
        sender.tell(1)
        await soon(lambda: len(receiver.arrivals) == 2)
        assert sender.publishing.registry.get_sample_value(
            "callflow_webhook_attempts_total", {"webhook": "r0", "result": "away"}
        ) in (1.0, 2.0)


async def test_metrics_tell_of_each_receiver(tmp_path: Path) -> None:
    async with posting(tmp_path, receiving(fail={'"leg_id"': 410})) as (receiver, sender):
        value = partial(sender.publishing.registry.get_sample_value, labels={"webhook": "r0"})
        sender.tell(1)
        await soon(lambda: len(receiver.confirmed) == 2)
        await soon(lambda: not waiting(sender.settings.store.path))
        await sender.publishing.webhooks.outboxes[0].tidy()
        assert (value("callflow_webhook_waiting"), value("callflow_webhook_refused")) == (0.0, 1.0)
        assert value("callflow_webhook_dropped_total") == 0.0


async def test_every_event_is_in_the_outbox_once_for_each_destination(tmp_path: Path, ports: PortBlock) -> None:
    """MQTT and two receivers are all away; a record that is saved again makes no second event."""
    nobody = [Receiver(port=ports.named()) for _ in range(3)]
    mqtt = {"enabled": True, "port": nobody[2].port}
    async with sending(tmp_path / "d", mqtt, webhooks=webhooks_to(*nobody[:2])) as sender:
        for number in (1, 2, 1):
            sender.tell(number)
        await sender.store.flush(5)
        found = Counter(waiting(sender.settings.store.path))
    assert found == {(to, event): 1 for to in ("mqtt", "webhook:r0", "webhook:r1") for event in sender.wanted}


async def test_what_is_too_old_is_given_up_and_what_is_refused_is_not(tmp_path: Path, ports: PortBlock) -> None:
    receiver = Receiver(port=ports.named())
    async with sending(tmp_path / "d", OFF, webhooks=webhooks_to(receiver, max_age_h=1)) as sender:
        sender.tell(1)
        await sender.store.flush(5)
        sender.ahead_ms = 2 * 3_600_000
        (outbox,) = sender.publishing.webhooks.outboxes
        await outbox.tidy()
        assert (outbox.dropped, outbox.depth) == (3, 0)
        await receiver.open()
        sender.tell(2)
        await soon(lambda: len(receiver.confirmed) == 3)
        await receiver.close()


async def test_every_saved_event_arrives_after_kills_under_load(tmp_path: Path) -> None:
    saved: set[str] = set()
    async with receiving(delay_s=0.02) as receiver:
        for life in range(3):
            words = [sys.executable, "-m", "tests.webhooks.posting_process", str(tmp_path / "d")]
            words += [str(receiver.port), str(1000 * life), "100000"]
            process = await Process.start(words, tmp_path, f"life-{life}", cwd=CHECKOUT)
            await soon(partial(_has_lines, process.output, 20))
            await process.kill()
            saved |= {word for word in process.output.read_text().split() if word.count("-") == 4}
        receiver.delay_s = 0.0
        async with sending(tmp_path / "d", OFF, webhooks=webhooks_to(receiver)):
            await soon(lambda: saved <= set(receiver.confirmed))
            await soon(lambda: not waiting(tmp_path / "d" / "callflow.db"))


def _has_lines(file: Path, least: int) -> bool:
    return file.read_text().count("\n") >= least


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"url": "ftp://example.org"}, "must begin with http"),
        ({"url": "https://"}, "must begin with http"),
        ({"secret": "short"}, "at least 16"),
        ({"events": ["stay"]}, "'stay' is no event"),
        ({"events": []}, "at least 1"),
    ],
)
def test_settings_that_make_no_sense(given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        WebhookOptions(**({"url": "https://example.org/in", "secret": SECRET} | given))
