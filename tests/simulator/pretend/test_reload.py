"""A reload in the middle of a call: that call goes on by its own settings, the next one gets the new ones."""

import asyncio
import os
from pathlib import Path
from signal import SIGHUP
from typing import Any

import pytest

from callflow.simulator.pretend.asterisk import PretendAsterisk
from callflow.simulator.pretend.flavour import ASTERISK_16
from tests.simulator.pretend.stage import play, scenario

SHORT: dict[str, Any] = {
    "ladders": {"short": {"rungs": [{"prompt": "greeting", "listen_s": 1.0, "then": "pass_on"}]}},
    "profiles": {"support": {"ladder": "short", "language": "zh"}},
}
BEFORE_AND_AFTER: list[dict[str, Any]] = [
    {"name": "before", "number": "1001", "language": "en"},
    {"name": "after", "number": "1002", "language": "en", "at_s": 8.0},
]


async def reload(_: PretendAsterisk) -> None:
    """At 5 s the first caller has heard the greeting and is listened to."""
    await asyncio.sleep(5.0)
    os.kill(os.getpid(), SIGHUP)


def prompts(monkeypatch: pytest.MonkeyPatch, folder: Path, reloads: dict[str, Any]) -> dict[str, list[str]]:
    """What each caller was played, and how the call ended."""
    played = play(monkeypatch, folder, scenario(BEFORE_AND_AFTER), ASTERISK_16, meanwhile=reload, reloads=reloads)
    return {
        name: [*(f"{prompt.language}/{prompt.name}" for prompt in one.prompts), str(one.result)]
        for name, (one,) in played.outcomes.items()
    }


OLD = ["en/greeting", "en/can_you_hear", "en/goodbye", "silent"]


def test_a_call_in_progress_keeps_its_settings_and_the_next_gets_the_new(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert prompts(monkeypatch, tmp_path, SHORT) == {"before": OLD, "after": ["zh/greeting", "passed"]}


def test_nothing_changes_without_a_change(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert prompts(monkeypatch, tmp_path, {}) == {"before": OLD, "after": OLD}
