"""The engine that reads: one for each file, so that the SQL of a question is put together once."""

from pathlib import Path

import sqlalchemy as sa

from callflow.adapters.store.database import reading_engine
from callflow.adapters.store.queries import Reader
from callflow.adapters.store.store import Store


def test_readers_of_one_file_share_what_was_compiled_and_keep_no_file_open(tmp_path: Path) -> None:
    path = tmp_path / "callflow.db"
    Store(path, "node").open()
    compiled: list[int] = []
    engine = reading_engine(path)
    for _ in range(3):
        with Reader(path) as reader:
            reader.count()
        compiled.append(len(engine._compiled_cache or ()))
    assert compiled[0] > 0
    assert compiled == compiled[:1] * 3
    assert reading_engine(path) is engine
    assert not isinstance(engine.pool, sa.pool.QueuePool)


def test_a_report_from_postgresql_is_not_compiled_there(fleet: str) -> None:
    """Compiling its sums took PostgreSQL several times as long as adding up a day of 100,000 calls."""
    with Reader(fleet) as reader:
        (row,) = reader.rows(sa.text("SELECT current_setting('jit') AS jit, current_setting('work_mem') AS memory"))
    assert dict(row) == {"jit": "off", "memory": "32MB"}
