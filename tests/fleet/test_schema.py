"""The schema of the fleet's database comes from its migrations, and fits the records."""

from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from callflow.adapters.store.fleet import HEAD
from callflow.adapters.store.fleet.collecting import CollectorDatabase
from callflow.adapters.store.fleet.migrate import MIGRATIONS, bring_to_head, take_back
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.errors import StoreError
from tests.install.systems import callflow


def test_the_migrations_make_exactly_the_schema(postgres: str) -> None:
    """If this fails after a record has got a new column: it needs a migration in callflow/adapters/store/fleet too."""
    place = Postgres(postgres)
    bring_to_head(place)
    bring_to_head(place)
    with place.writing_engine().connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), fleet_metadata) == []


def test_head_is_the_newest_migration() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def shape(url: str) -> dict[str, object]:
    """Columns and indexes of every table, and the triggers."""
    with Postgres(url).engine().connect() as connection:
        inspector = sa.inspect(connection)
        triggers = connection.exec_driver_sql("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1").all()
        return {"triggers": [tuple(row) for row in triggers]} | {
            table: (
                sorted((one["name"], str(one["type"]), one["nullable"]) for one in inspector.get_columns(table)),
                sorted((str(one["name"]), tuple(one["column_names"])) for one in inspector.get_indexes(table)),
            )
            for table in inspector.get_table_names()
        }


def test_each_version_can_be_taken_back(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Down by one makes exactly the tables that were there before up."""
    place, config = Postgres(postgres), Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    chain = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    monkeypatch.setattr(Postgres, "check", lambda place, connection: None)
    bring_to_head(place, chain[0])
    for before, after in pairwise(chain):
        made = shape(postgres)
        bring_to_head(place, after)
        assert shape(postgres) != made
        assert take_back(place) == before
        assert shape(postgres) == made
        bring_to_head(place, after)


def test_the_command_takes_the_fleet_back_once_nobody_collects(
    postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CALLFLOW_FLEET__DATABASE_URL", postgres)
    (tmp_path / "callflow.toml").write_text("")
    words = ("--config", tmp_path / "callflow.toml", "downgrade", "--fleet")
    bring_to_head(Postgres(postgres))
    whole = shape(postgres)
    collector = CollectorDatabase(Postgres(postgres), "all")
    assert collector.open()
    code, output = callflow(*words, "--yes")
    assert (code, "a collector uses" in output) == (2, True), output
    collector.close()
    assert callflow(*words)[0] == 2, "nobody has agreed"
    assert shape(postgres) == whole
    code, output = callflow(*words, "--yes")
    assert code == 0, output
    with pytest.raises(StoreError, match="from an older callflow"):
        Reader(postgres)
    bring_to_head(Postgres(postgres))
    assert shape(postgres) == whole


def test_an_empty_database_is_no_fleet(postgres: str) -> None:
    with pytest.raises(StoreError, match="holds no calls") as refused:
        Reader(postgres)
    assert "callflow collect" in refused.value.remedy


def test_a_newer_database_is_refused_and_left_alone(postgres: str) -> None:
    place = Postgres(postgres)
    bring_to_head(place)
    with place.writing_engine().begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '0999'"))
    for opened in (lambda: bring_to_head(place), lambda: Reader(postgres)):
        with pytest.raises(StoreError, match="newer callflow"):
            opened()


FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN
    IF to_regclass('short_calls') IS NOT NULL THEN
        RAISE EXCEPTION 'could not extend file "base/1/2": No space left on device' USING ERRCODE = 'disk_full';
    END IF;
END $$;
CREATE EVENT TRIGGER full_disk ON ddl_command_end EXECUTE FUNCTION full_disk()
"""


def test_a_disk_that_fills_during_a_migration_leaves_the_database_as_it_was(postgres: str) -> None:
    """PostgreSQL refuses one of the later steps."""
    place = Postgres(postgres)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    with place.transaction() as connection:
        connection.exec_driver_sql(FULL_DISK)
    try:
        with pytest.raises(StoreError, match="No space left") as refused:
            bring_to_head(place)
        assert refused.value.remedy == "make room on the disk of PostgreSQL"
        with place.transaction() as connection:
            assert connection.exec_driver_sql(tables).scalar() == 0, "nothing of the migration is there"
    finally:
        with place.transaction() as connection:
            connection.exec_driver_sql("DROP EVENT TRIGGER full_disk; DROP FUNCTION full_disk()")
    bring_to_head(place)
    with Reader(postgres) as reader:
        assert reader.count() == 0


def test_a_reader_changes_nothing(postgres: str) -> None:
    bring_to_head(Postgres(postgres))
    with Reader(postgres) as reader, pytest.raises(StoreError, match="read-only"):
        reader.rows(sa.text("DELETE FROM calls"))


@pytest.mark.parametrize(
    "url",
    [
        "mysql://root@localhost/x",
        "postgresql://u:s3cret@127.0.0.1:1/x",
        "postgresql://127.0.0.1:1/x?user=u&password=s3cret",
        "postgresql://u:p@s3cret@127.0.0.1:1/x",
        "postgresql://u:s3cret/1@127.0.0.1:1/x",
        "postgresql://u@127.0.0.1:s3cret/x",
    ],
)
def test_a_database_that_is_not_there_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as refused:
        Reader(url)
    assert "s3cret" not in str(refused.value) + refused.value.remedy
    assert "postgresql" in str(refused.value).lower()
