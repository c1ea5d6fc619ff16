"""A real PostgreSQL for a run of tests: one cluster in a folder of its own, reached through a socket in it."""

import fcntl
import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from callflow.adapters.store.fleet.moving import move
from callflow.adapters.store.places import Postgres
from callflow.core.publishing.privacy import PrivacyRules, Pseudonymizer
from tests.services.programs import Missing, program

OPTIONS = (
    "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off "
    "-c shared_buffers=64MB -c max_connections=60 -c autovacuum=off"
)


class Cluster:
    """Its programs refuse to run as root: root starts them as the user `postgres`, or else as `nobody`."""

    def __init__(self, folder: Path, options: str = OPTIONS) -> None:
        self.folder = folder
        self._options = options
        self._user = _user() if os.geteuid() == 0 else None

    @classmethod
    def new(cls, options: str = OPTIONS) -> "Cluster":
        """One in a new folder, not started; the path is short, as that of a socket must be."""
        return cls(Path(tempfile.mkdtemp(prefix="callflow-postgres-", dir="/tmp")), options)

    def start(self) -> None:
        """Make the cluster and start it, unless another process of the run has; raises Missing, RuntimeError."""
        if importlib.util.find_spec("psycopg") is None:
            raise Missing("psycopg is not installed: make setup")
        data = self.folder / "data"
        with (self.folder.parent / f"{self.folder.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if (data / "postmaster.pid").exists():
                return
            if self._user is not None:
                shutil.chown(self.folder, self._user)
            self._run(
                "initdb", "-D", str(data), "-U", "callflow", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"
            )
            self._start()

    def crash(self) -> None:
        """End it as a crash does: nothing more is written."""
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def restart(self) -> None:
        """Start it again after `crash`."""
        self._start()

    def pids(self) -> list[int]:
        """Its processes; none while it is down."""
        try:
            first = int((self.folder / "data" / "postmaster.pid").read_text().split()[0])
            return [first, *map(int, Path(f"/proc/{first}/task/{first}/children").read_text().split())]
        except (OSError, ValueError, IndexError):
            return []

    def stop(self) -> None:
        """End it and remove its folder."""
        if (self.folder / "data" / "postmaster.pid").exists():
            self.crash()
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder.parent / f"{self.folder.name}.lock").unlink(missing_ok=True)

    def _start(self) -> None:
        options = f"{self._options} -k {self.folder}"
        log = str(self.folder / "log")
        self._run("pg_ctl", "-D", str(self.folder / "data"), "-l", log, "-w", "-o", options, "start")

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [program(name), *arguments],
            user=self._user,
            extra_groups=[] if self._user else None,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name}: {done.stderr}")


def copy_of(database: Path, url: str) -> str:
    """Copy a daemon's database to an empty one at `url`, with the numbers as they are; returns the URL."""
    names = Pseudonymizer(b"", PrivacyRules(numbers="plain"))
    move(database, Postgres(url), "", names, lambda done, total: None)
    return url


def url(folder: Path, database: str) -> str:
    """The URL of a database of the cluster."""
    return f"postgresql://callflow@/{database}?host={folder}"


def make_database(folder: Path, name: str) -> str:
    """Make an empty database; returns its URL."""
    import psycopg

    with psycopg.connect(url(folder, "postgres"), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
    return url(folder, name)


def clear(url: str) -> None:
    """Remove every row."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'"
        ).fetchall()
        if found:
            connection.execute("TRUNCATE " + ", ".join(name for (name,) in found))


def empty(url: str) -> None:
    """Remove every table."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def _user() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise Missing("there is no user to run PostgreSQL as")


def main() -> int:
    """Start a cluster, say where, and wait for Enter."""
    cluster = Cluster.new()
    cluster.start()
    print(make_database(cluster.folder, "callflow"))
    try:
        sys.stdin.readline()
    finally:
        cluster.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
