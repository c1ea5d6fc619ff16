"""The schema of the fleet's database comes from its migrations, and fits the records."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from callflow.adapters.store.fleet import HEAD
from callflow.adapters.store.fleet.migrate import MIGRATIONS, bring_to_head
from callflow.adapters.store.fleet.schema import fleet_metadata
from callflow.adapters.store.places import Postgres
from callflow.adapters.store.queries import Reader
from callflow.errors import StoreError


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
