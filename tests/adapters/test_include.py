"""The versions of the files that Asterisk loads: raised with what they say, and told of where they are old."""

import hashlib
from collections.abc import Mapping, Sequence

import pytest
from structlog.testing import capture_logs

from callflow.adapters.ami.include import (
    DIALPLAN_VERSION,
    FEATURES_VERSION,
    LACKS,
    VERSION_CONTEXT,
    differs,
    loaded_version,
    version_in,
)
from callflow.errors import ActionRefused, NotConnected
from callflow.installed import FILES
from callflow.runtime.include_watch import IncludeWatch

WORDS = {
    "dialplan/callflow.conf": (DIALPLAN_VERSION, "f1d2d667c801d71f"),
    "config/asterisk/features_callflow.conf": (FEATURES_VERSION, "bd0fffe4f65e87f8"),
}
"""Of each file its version, and the checksum of what it says."""


@pytest.mark.parametrize("name", WORDS)
def test_the_version_is_raised_with_what_the_file_says(name: str) -> None:
    lines = [line.partition(";")[0].strip() for line in (FILES / name).read_text().splitlines()]
    version, known = WORDS[name]
    digest = hashlib.sha256("\n".join(filter(None, lines)).encode()).hexdigest()[:16]
    assert digest == known, (
        f"{name} says something else than its version {version} did. If today's daemon lacks anything with yesterday's "
        "file, raise the version, in the file too, and say in LACKS what callers get; then put the checksum here"
    )


def test_the_shipped_files_have_their_version() -> None:
    include = (FILES / "dialplan/callflow.conf").read_text()
    assert f"[{VERSION_CONTEXT}]\nexten => {DIALPLAN_VERSION},1,NoOp()\n" in include
    codes = (FILES / "config/asterisk/features_callflow.conf").read_text()
    assert codes.count(f"Gosub(callflow-direct,s,1({FEATURES_VERSION}))") == 2
    assert set(LACKS) == set(range(1, DIALPLAN_VERSION + 1))


@pytest.mark.parametrize(
    ("lines", "version"),
    [
        ([], 0),
        ([{"Context": "callflow-screen", "Extension": "7"}], 0),
        ([{"Context": VERSION_CONTEXT, "Extension": "7"}], 7),
        ([{"Context": VERSION_CONTEXT, "Extension": "7"}, {"Context": VERSION_CONTEXT, "Extension": "h"}], 7),
    ],
)
def test_the_version_is_an_extension(lines: Sequence[Mapping[str, str]], version: int) -> None:
    assert version_in(lines) == version


class Link:
    """Answers ShowDialPlan."""

    def __init__(self, answer: Exception | list[dict[str, str]]) -> None:
        self._answer = answer

    async def action_list(self, name: str, **headers: str) -> list[dict[str, str]]:
        assert (name, headers) == ("ShowDialPlan", {"Context": VERSION_CONTEXT})
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def watch(answer: Exception | list[dict[str, str]]) -> IncludeWatch:
    return IncludeWatch(lambda: loaded_version(Link(answer)))  # type: ignore[arg-type]


async def test_an_old_or_newer_include_is_told_of_once_with_a_remedy() -> None:
    old = watch(ActionRefused("ShowDialPlan", f"Did not find context {VERSION_CONTEXT}"))
    newer = watch([{"Context": VERSION_CONTEXT, "Extension": str(DIALPLAN_VERSION + 1)}])
    with capture_logs() as logs:
        for one in (old, newer):
            for _ in range(2):
                await one.look()
    first, second = logs
    assert (first["log_level"], first["loaded"], first["wanted"]) == ("warning", 0, DIALPLAN_VERSION)
    assert "not loaded" in first["event"]
    assert "callflow install" in first["remedy"]
    assert "queue" in first["meanwhile"]
    assert "newer" in second["event"]


@pytest.mark.parametrize(
    "answer",
    [
        [{"Context": VERSION_CONTEXT, "Extension": str(DIALPLAN_VERSION)}],
        ActionRefused("ShowDialPlan", "Permission denied"),
        NotConnected("it is gone"),
    ],
)
async def test_nothing_is_said_of_the_right_one_or_of_what_is_not_known(
    answer: Exception | list[dict[str, str]],
) -> None:
    with capture_logs() as logs:
        await watch(answer).look()
    assert [line for line in logs if line["log_level"] != "debug"] == []


def test_the_right_version_differs_in_nothing() -> None:
    assert differs(DIALPLAN_VERSION) is None
