"""`callflow rotate-key` and what the database keeps by hash: the once-a-week rule and `forget` go on working."""

import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from callflow.adapters.store import rehashing
from callflow.adapters.store.rating_history import RatingHistory
from callflow.adapters.store.store import Store
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.privacy import key_to_come
from callflow.publishing.publisher import key_file, pseudonymizer_of
from callflow.settings.model import load_settings
from tests.publishing import samples
from tests.store.samples import T0, ended, live_call
from tests.upkeep.conftest import Site

NUMBER, OTHER = "+1-555-010-4477", "15550104478"


def names_of(site: Site) -> Pseudonymizer:
    return pseudonymizer_of(load_settings(site.folder / "callflow.toml"))


def fill(site: Site, store: Store) -> Pseudonymizer:
    """Two callers with their calls, who rated; and a rating whose call has been erased."""
    names = names_of(site)
    for at, (uniqueid, number) in enumerate([("1769864703.1", NUMBER), ("1769864704.2", OTHER), ("1769864705.3", "")]):
        if number:
            store.save(replace(ended(live_call(uniqueid, T0 + at)), caller_number=number), final=True)
        rating = replace(samples.rating(at + 1), rating_id=uniqueid, call_id=uniqueid, came_ms=T0 + at)
        store.save(replace(rating, caller=names.hashed(number or "15550104479")), final=True)
    store.close()
    return names


def hashes(site: Site) -> list[str]:
    with closing(sqlite3.connect(site.database)) as connection:
        return [caller for (caller,) in connection.execute("select caller from ratings order by came_ms")]


def test_a_caller_who_was_asked_is_known_again_by_the_new_hash(site: Site, store: Store) -> None:
    before = fill(site, store)
    code, output = site.run("rotate-key")
    assert code == 0, output
    assert "3 ratings have new hashes; of 1 the number is not known any more" in " ".join(output.split())
    after, history = names_of(site), RatingHistory(site.database)
    assert history.asked_ms(after.hashed("+1 (555) 010-4477")) == T0
    assert history.asked_ms(after.hashed(OTHER)) == T0 + 1
    assert history.asked_ms(before.hashed(NUMBER)) is None
    assert hashes(site) == [after.hashed(NUMBER), after.hashed(OTHER), ""]


def test_a_caller_is_forgotten_after_a_rotation_too(site: Site, store: Store) -> None:
    fill(site, store)
    site.run("rotate-key")
    after = names_of(site)
    code, output = site.run("forget", NUMBER, "--yes")
    assert code == 0, output
    assert hashes(site) == ["", after.hashed(OTHER), ""]


def test_a_second_rotation_changes_every_hash_again(site: Site, store: Store) -> None:
    fill(site, store)
    seen = {*hashes(site)}
    for _ in range(2):
        assert site.run("rotate-key")[0] == 0
        assert not seen & set(hashes(site)) - {""}
        seen |= set(hashes(site))


def test_a_database_that_cannot_be_written_keeps_key_and_hashes(
    site: Site, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fill(site, store)
    known = hashes(site)
    monkeypatch.setattr(rehashing, "BUSY_S", 0.1)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        code, output = site.run("rotate-key")
        assert code == 2, output
        assert (names_of(site).key, hashes(site)) == (before.key, known)
        other.execute("ROLLBACK")
    assert site.run("rotate-key")[0] == 0
    after = names_of(site)
    assert after.key != before.key
    assert hashes(site) == [after.hashed(NUMBER), after.hashed(OTHER), ""]
    assert not list(site.folder.glob("*.new"))


def test_a_rotation_that_died_between_hashes_and_key_is_finished_by_the_next(site: Site, store: Store) -> None:
    before = fill(site, store)
    path = key_file(load_settings(site.folder / "callflow.toml"))
    coming = replace(before, key=key_to_come(path))
    rehashing.rehash(site.database, before.hashed, coming.hashed)
    assert site.run("rotate-key")[0] == 0
    assert names_of(site) == coming
    assert hashes(site) == [coming.hashed(NUMBER), coming.hashed(OTHER), ""]


def test_a_key_to_come_that_was_not_written_to_the_end_is_made_anew(site: Site, store: Store) -> None:
    fill(site, store)
    path = key_file(load_settings(site.folder / "callflow.toml"))
    path.with_name(f"{path.name}.new").touch()
    assert site.run("rotate-key")[0] == 0
    assert hashes(site)[0] == names_of(site).hashed(NUMBER)


def test_without_a_database_the_key_is_replaced(site: Site, store: Store) -> None:
    store.close()
    site.database.unlink()
    code, output = site.run("rotate-key")
    assert (code, "ratings" in output) == (0, False)
