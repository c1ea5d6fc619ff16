"""A service that keeps on: what it waits for, what ends it, and what it says of it."""

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from callflow.errors import StoreAway, StoreError
from callflow.processes.notify_socket import NotifySocket
from callflow.runtime import persisting
from callflow.runtime.persisting import Persisting, until_stopped

AWAY, FAULTY = StoreAway("it is away", "start it"), StoreError("the password is wrong", "correct it")


@pytest.fixture
def notify(monkeypatch: pytest.MonkeyPatch) -> Iterator[NotifySocket]:
    monkeypatch.setattr(persisting, "RETRY_MIN_S", 0.001)
    monkeypatch.setattr(persisting, "RETRY_MAX_S", 0.002)
    with NotifySocket() as socket:
        monkeypatch.setenv("NOTIFY_SOCKET", socket.address)
        yield socket


async def live(one: Persisting, *turns: Exception | str) -> None:
    """Turns that fail, or go well with these words; then it is stopped."""
    left = list(turns)

    async def turn() -> None:
        if not left:
            raise asyncio.CancelledError
        match left.pop(0):
            case str(what):
                one.well(what)
            case Exception() as error:
                raise error

    with pytest.raises(asyncio.CancelledError):
        await one.run(turn)


async def test_it_waits_says_so_once_and_goes_on(notify: NotifySocket) -> None:
    one = Persisting("it has stopped", (OSError,), "see the broker", shard="all")
    with capture_logs() as logs:
        await live(one, AWAY, AWAY, OSError("refused"), "working", "working", AWAY)
    seen = [(line["log_level"], line["event"], line.get("reason")) for line in logs if line["log_level"] != "debug"]
    stopped = "it has stopped"
    assert seen == [
        ("warning", stopped, "it is away"),
        ("warning", stopped, "refused"),
        ("info", "working", None),
        ("warning", stopped, "it is away"),
    ]
    assert [line["remedy"] for line in logs if line["log_level"] == "warning"] == [
        "start it",
        "see the broker",
        "start it",
    ]
    assert all(line["shard"] == "all" for line in logs)
    waiting = "STATUS=waiting: it is away"
    assert notify.waiting() == ["READY=1", waiting, "STATUS=waiting: refused", "STATUS=working", waiting]
    assert (one.trouble, one.failures) == ("it is away", 4)


async def test_what_a_person_must_mend_ends_it_before_it_ever_had_its_database(notify: NotifySocket) -> None:
    one = Persisting("it has stopped")
    with pytest.raises(StoreError, match="the password is wrong"):
        await live(one, AWAY, FAULTY)
    assert notify.waiting() == ["READY=1", "STATUS=waiting: it is away"]
    with pytest.raises(StoreError, match="the password is wrong"):
        await live(Persisting("it has stopped"), FAULTY)
    assert notify.waiting() == [], "a start that fails at once was never ready"


@pytest.mark.usefixtures("notify")
async def test_once_it_had_its_database_it_waits_for_that_too() -> None:
    await live(Persisting("it has stopped"), "working", FAULTY, "working")
    opened = Persisting("it has stopped", (OSError,))
    opened.opened()
    await live(opened, OSError("no broker yet"), FAULTY, "working")


async def test_a_failure_within_a_group_of_tasks_is_told_of_by_its_own_words() -> None:
    one = Persisting("it has stopped")
    await live(one, ExceptionGroup("tasks", [ExceptionGroup("more", [AWAY])]))
    assert one.trouble == "it is away"


async def test_work_ends_with_a_signal_or_with_what_one_of_them_raises() -> None:
    ended: list[str] = []

    async def work(name: str, error: Exception | None = None) -> None:
        try:
            await asyncio.sleep(0.01 if error else 60)
            if error:
                raise error
        finally:
            ended.append(name)

    asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
    await until_stopped(work("first"), work("second"))
    assert sorted(ended) == ["first", "second"]
    with pytest.raises(StoreError):
        await until_stopped(work("third"), work("fourth", FAULTY))
    assert sorted(ended) == ["first", "fourth", "second", "third"]
