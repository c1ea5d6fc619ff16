"""Brings docker-compose.yml up for real and waits until the daemon's log shows what must become of its callers.

    python -m tests.compose.check_compose                     # with the Docker engine of this machine
    python -m tests.compose.check_compose --engine PROGRAM    # PROGRAM lends an engine, see below

Everything runs under a compose project name of its own and is taken down at the end, volumes and all. Exit code 0 when
every kind of caller ended as it should, 1 otherwise.

PROGRAM is for machines without a Docker engine. It is called as `PROGRAM build FOLDER`, `PROGRAM up FOLDER` and
`PROGRAM down FOLDER` for the compose project in FOLDER (COMPOSE_FILE and COMPOSE_PROJECT_NAME are set), as
`PROGRAM exec COMMAND...` to run a command against its engine, as `PROGRAM stop` to end that engine, and, where
something is missing, as `PROGRAM install` (the engine) and `PROGRAM images` (the base images of the Dockerfiles).
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from tests.compose.build_settings import ca_certificates, pip_conf
from tests.compose.calls_seen import Call, calls_in, missing
from tests.compose.published import not_published

ROOT = Path(__file__).resolve().parents[2]
BASE_IMAGES = ("debian:sid", "python:3.11-slim")
DAEMON_IMAGE, BELOW_IT = "callflow-daemon:local", BASE_IMAGES[1]
SIMULATED, WELL = "s1", "3 of 3 as expected."
BUILD_S, UP_S, CALLS_S, STEP_S = 1800.0, 80.0, 110.0, 40.0


class Failed(Exception):
    """A step did not do what it should; the message is for a person."""


class Compose:
    """The steps of the check, with the engine of this machine or with a program that lends one."""

    def __init__(self, engine: list[str], compose: list[str], folder: Path) -> None:
        self._engine = engine
        self._compose = [*engine, "exec", *compose] if engine else compose
        override = folder / "override.json"
        override.write_text(json.dumps(_override(folder, network="host" if engine else None)))
        names = {
            "COMPOSE_FILE": f"{ROOT / 'docker-compose.yml'}:{override}",
            "COMPOSE_PROJECT_NAME": "callflow-check",
            "COMPOSE_PROFILES": "sim",
            "SIMULATE": SIMULATED,
        }
        self._environ = os.environ | names
        self._since = ""

    def build(self) -> None:
        """Build the images; where a program lends the engine, let it make what it lacks first."""
        if not self._engine:
            self._run([*self._compose, "build"], BUILD_S)
            return
        self.down()  # an engine that an interrupted check left may be no good for a build
        if self._quiet([*self._engine, "exec", "dockerd", "--version"]) != 0:
            self._lend("install")
        try:
            self._lend("build", str(ROOT))
        except Failed:
            # Its engine is still running: tell a missing base image from a fault in a Dockerfile.
            if self._quiet([*self._engine, "exec", "docker", "image", "inspect", *BASE_IMAGES]) == 0:
                raise
            self._lend("stop")
            self._lend("images")
            self._lend("build", str(ROOT))

    def size_mb(self, image: str) -> float:
        """Uncompressed size of an image that the engine holds; raises Failed for one that it does not."""
        docker = [*self._engine, "exec", "docker"] if self._engine else ["docker"]
        size = self._output([*docker, "image", "inspect", "--format", "{{.Size}}", image]).strip()
        if not size.isdecimal():
            raise Failed(f"the engine tells no size of the image {image}")
        return int(size) / 1e6

    def up(self) -> None:
        """Start every service and wait until all are healthy."""
        self._since = datetime.now(UTC).isoformat()  # an interrupted check may have left containers, and their logs
        if self._engine:
            self._run([*self._engine, "up", str(ROOT)], UP_S)
        else:
            self._run([*self._compose, "up", "--detach", "--no-build", "--wait"], UP_S)

    def log(self, *services: str) -> str:
        """What these services have logged since `up`; of all services without a name."""
        if not self._since:
            return ""
        return self._output([*self._compose, "logs", "--no-color", "--since", self._since, *services])

    def ask(self, service: str, *command: str) -> str:
        """What a command prints inside a running service; "" when it fails."""
        return self._output([*self._compose, "exec", "-T", service, *command])

    def down(self) -> None:
        """Take everything down; never fails."""
        if not self._engine:
            self._quiet([*self._compose, "down", "--volumes", "--remove-orphans"])
        elif self._quiet([*self._compose, "ls"]) == 0:
            self._quiet([*self._engine, "down", str(ROOT)])
            self._quiet([*self._engine, "stop"])

    def _lend(self, *step: str) -> None:
        self._run([*self._engine, *step], BUILD_S)

    def _run(self, argv: list[str], timeout_s: float) -> None:
        started = time.monotonic()
        print(f"$ {shlex.join(argv)}", flush=True)
        try:
            done = subprocess.run(
                argv, cwd=ROOT, env=self._environ, stdin=subprocess.DEVNULL, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired:
            raise Failed(f"{shlex.join(argv)} took more than {timeout_s:g} s") from None
        except OSError as error:
            raise Failed(f"{argv[0]} cannot be run: {error.strerror}") from None
        print(f"  {time.monotonic() - started:.0f} s", flush=True)
        if done.returncode != 0:
            raise Failed(f"{shlex.join(argv)} ended with code {done.returncode}")

    def _quiet(self, argv: list[str]) -> int:
        done = self._finished(argv)
        return -1 if done is None else done.returncode

    def _output(self, argv: list[str]) -> str:
        done = self._finished(argv)
        return "" if done is None else done.stdout

    def _finished(self, argv: list[str]) -> subprocess.CompletedProcess[str] | None:
        """The command when it has ended, its output kept; None if it could not be run or took too long."""
        try:
            return subprocess.run(
                argv,
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="utf-8",
                errors="replace",
                timeout=STEP_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return None


def _override(folder: Path, network: str | None) -> Mapping[str, object]:
    """What this machine needs beyond docker-compose.yml: its package settings for the build, a log for machines."""
    secrets: dict[str, Path] = {}
    certificates = ca_certificates()
    if certificates:
        secrets["ca_certificates"] = certificates
    if text := pip_conf(with_certificates=certificates is not None):
        secrets["pip_conf"] = folder / "pip.conf"
        secrets["pip_conf"].write_text(text)
    build: dict[str, object] = {"network": network} if network else {}
    return {
        "services": {
            "asterisk": {"build": build},
            "callflow": {"build": build | {"secrets": list(secrets)}, "environment": {"CALLFLOW_LOG__FORMAT": "json"}},
            "callers": {"build": build},
            "mosquitto": {"build": build},
            "prometheus": {"build": build},
            "simulator": {"build": build | {"secrets": list(secrets)}},
        },
        "secrets": {name: {"file": str(path)} for name, path in secrets.items()},
    }


def _wait_for_calls(compose: Compose) -> list[Call]:
    """The calls in the daemon's log, when every kind is among them and the simulator is content. Raises Failed."""
    ends_at = time.monotonic() + CALLS_S
    while True:
        calls = calls_in(compose.log("callflow"))
        lacking = missing(calls)
        if WELL not in compose.log("simulator"):
            lacking.append(f"simulator: {WELL}")
        if not lacking:
            lacking = not_published(compose.ask)
        if not lacking:
            return calls
        if time.monotonic() > ends_at:
            _show(calls)
            raise Failed(f"in {CALLS_S:g} s the daemon's log has not shown: {'; '.join(lacking)}")
        time.sleep(2)


def _show(calls: Iterable[Call]) -> None:
    for call in calls:
        print(call)


def main() -> int:
    """Build, up, wait, show, down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", default=os.environ.get("ENGINE", ""), help="program that lends an engine [$ENGINE]")
    parser.add_argument(
        "--compose", default=os.environ.get("COMPOSE", "docker compose"), help="compose command [$COMPOSE]"
    )
    parser.add_argument("--no-build", action="store_true", help="use the images as they are")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that nothing is left running
    folder = Path(tempfile.mkdtemp(prefix="callflow-compose-"))
    compose = Compose(shlex.split(options.engine), shlex.split(options.compose), folder)
    try:
        if not options.no_build:
            compose.build()
        compose.down()  # what an interrupted check may have left
        compose.up()
        _show(_wait_for_calls(compose))
        whole, base = compose.size_mb(DAEMON_IMAGE), compose.size_mb(BELOW_IT)
        print(f"image {DAEMON_IMAGE}: {whole:.0f} MB, of which {BELOW_IT} is {base:.0f} MB")
    except Failed as failure:
        print(compose.log()[-20_000:])
        print(f"compose check: {failure}", file=sys.stderr)
        return 1
    finally:
        compose.down()
        shutil.rmtree(folder, ignore_errors=True)
    print("compose check: every kind of caller ended as it should, and was published")
    return 0


if __name__ == "__main__":
    sys.exit(main())
