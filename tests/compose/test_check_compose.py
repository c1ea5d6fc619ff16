"""The parts of the compose check that need no engine."""

import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.compose import build_settings
from tests.compose.calls_seen import LADDER, calls_in, missing
from tests.compose.published import not_published

COMPOSE = Path(__file__).resolve().parents[2] / "config/compose"


def log_of(call: str, *happenings: tuple[str, str], profile: str = "support") -> Iterator[str]:
    for event, what in (("arrived", profile), *happenings):
        line = {"event": event, "call": call, "what": what, "why": "", "timestamp": "2026-01-01T00:00:00Z"}
        yield f"\x1b[2Kcallflow-1  | {json.dumps(line)}"


def every_kind() -> list[str]:
    lines = [*log_of("1", *(("said", prompt) for prompt in LADDER), ("decided", "silent"))]
    for number, result in enumerate(("spoke", "rescued", "key", "hangup"), 2):
        lines += log_of(str(number), ("decided", result))
    return lines


def test_every_kind_of_caller_satisfies_the_check() -> None:
    assert missing(calls_in("\n".join(every_kind()))) == []


def test_a_silent_caller_counts_only_with_the_whole_ladder() -> None:
    lines = [line for line in every_kind() if "goodbye" not in line]
    assert missing(calls_in("\n".join(lines))) == ["a silent caller who was told greeting, can_you_hear, goodbye"]


def test_the_daemons_own_calls_and_other_lines_are_left_out() -> None:
    lines = ["asterisk-1 | NOTICE {", "callflow-1 | Traceback", *log_of("9", ("decided", "spoke"), profile="check")]
    assert calls_in("\n".join(lines)) == []


def test_settings_of_the_package_index_without_what_only_this_machine_can_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    shown = "".join(
        f"{name}={value!r}\n"
        for name, value in {
            ":env:.default-timeout": "90",
            "global.cert": str(certificates),
            "global.extra-index-url": "file:///srv/simple https://index.invalid/simple",
            "global.find-links": "/srv/wheels",
            "global.index-url": "https://global.invalid/simple",
            "site.index-url": "https://site.invalid/simple",
        }.items()
    )
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: subprocess.CompletedProcess(args, 0, stdout=shown))
    assert build_settings.ca_certificates() == certificates
    assert build_settings.pip_conf(with_certificates=True).splitlines() == [
        "[global]",
        "index-url = https://site.invalid/simple",
        "extra-index-url = https://index.invalid/simple",
        "timeout = 90",
        "cert = /etc/ssl/certs/ca-certificates.crt",
    ]


def health_check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("healthy", COMPOSE / "callflow/healthy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LISTENS = "0100007F:11DD 00000000:0000 0A"
TO_AMI = "0100007F:D431 0100007F:13AE 01"
FROM_AMI = "0100007F:13AE 0100007F:D431 01"


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([LISTENS, TO_AMI, FROM_AMI, TO_AMI, FROM_AMI], 0),
        ([LISTENS, TO_AMI, FROM_AMI], 1),
        ([TO_AMI, TO_AMI], 1),
        ([], 1),
    ],
)
def test_the_daemon_is_healthy_when_it_listens_and_both_ami_connections_stand(
    rows: list[str], code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = "\n".join(["  sl  local_address rem_address   st", *(f"   {n}: {row} 0" for n, row in enumerate(rows))])
    monkeypatch.setattr(Path, "read_text", lambda self: table)
    assert health_check().main() == code


def answers(event: str, result: str, page: str = "<title>callflow</title>") -> Callable[..., str]:
    by_service = {"mosquitto": event, "prometheus": result, "callflow": page}
    return lambda service, *command: by_service[service]


def test_an_event_the_page_and_two_figures_are_what_publishing_must_show() -> None:
    event, result = '{"seq":1,"schema":"callflow.call.screened/1"}', "{} => 7 @[1769864703]"
    assert not_published(answers(event, result)) == []
    assert not_published(answers("", result)) == ["an event at the broker"]
    assert not_published(answers(event, result, page="")) == ["the page in the browser"]
    assert len(not_published(answers(event, ""))) == 2
