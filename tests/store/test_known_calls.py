"""Which calls are in the database, while the daemon writes to it."""

from pathlib import Path

import pytest

from callflow.adapters.store.known_calls import KnownCalls
from callflow.adapters.store.store import Store
from callflow.errors import StoreError
from tests.store.samples import ended, live_call


async def test_calls_of_this_node_are_known_whether_open_or_ended(store: Store, database: Path) -> None:
    store.save(live_call("1.1"), final=False)
    store.save(ended(live_call("1.2")), final=True)
    assert await store.flush(5.0)
    assert KnownCalls(database, "main").among(["1.1", "1.2", "1.3"]) == {"1.1", "1.2"}
    assert KnownCalls(database, "another").among(["1.1"]) == set()


def test_a_database_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        KnownCalls(tmp_path / "none" / "callflow.db", "main").among(["1.1"])
