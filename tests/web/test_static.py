"""The page's own files: vendored libraries as they were published, words in both languages, nothing from elsewhere."""

import json
import re
from collections.abc import Iterable

from callflow.core.assist.actions import Action, Refusal
from callflow.core.assist.facts import Outcome as PromptOutcome
from callflow.core.assist.steps import StepKind
from callflow.core.assist.wrap_up import EndedBy
from callflow.core.call_record import Kind
from callflow.core.callbacks.attempt import Outcome
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.states import ByHand, State
from callflow.core.cases import CaseKind, CaseStep
from callflow.core.rating.record import NotAsked
from callflow.core.rating.states import Scale
from callflow.core.rings.records import AgentWork, AnswerClass, TransferKind
from callflow.core.service.standards import Light, Trend
from callflow.web.static_files import FOLDER
from callflow.web.tokens import Role
from tests.web.vendor import MANIFEST, PACKAGES, VENDOR, checksum

OURS = [file for file in FOLDER.rglob("*") if file.suffix in {".js", ".css", ".html"} and "vendor" not in file.parts]


def test_vendored_files_are_those_of_the_manifest() -> None:
    manifest = json.loads((VENDOR / MANIFEST).read_text())
    assert {name: entry["version"] for name, entry in manifest.items()} == {
        name: version for name, (version, _) in PACKAGES.items()
    }
    for name, entry in manifest.items():
        assert entry["licence"] in {"MIT", "Apache-2.0"}
        assert (VENDOR / f"{name}.LICENSE").stat().st_size > 500
        assert {file: checksum(VENDOR / file) for file in entry["sha256"]} == entry["sha256"]


def test_both_languages_have_the_same_words_and_every_word_used_exists() -> None:
    text = (FOLDER / "words.js").read_text()
    keys = [set(re.findall(r"(?:^\s*|[,{]\s*)([a-z_0-9]+):", block, re.MULTILINE)) for block in text.split("zh: {")]
    english, chinese = keys[0] - {"en", "zh"}, keys[1]
    assert english == chinese
    used = {word for file in OURS for word in re.findall(r'words\("([a-z_0-9]+)"', file.read_text())}
    assert used <= english


def test_nothing_is_loaded_from_elsewhere_and_nothing_runs_inline() -> None:
    for file in OURS:
        text = file.read_text()
        assert not re.search(r"https?://(?!www\.w3\.org)", text), file
        assert "innerHTML" not in text, file
        assert not re.search(r"\sstyle=", text), file
        assert not re.search(r"\son[a-z]+=\"", text), file


def test_every_value_of_a_closed_set_has_its_word() -> None:
    """The page makes these keys from values of the API."""
    text = (FOLDER / "words.js").read_text()
    sets: dict[str, Iterable[str]] = {
        "state_": State,
        "reason_": Reason,
        "step_": (*ByHand, *CaseStep),
        "kind_": CaseKind,
        "not_asked_": NotAsked,
        "light_": Light,
        "trend_": Trend,
        "role_": Role,
        "assist_": StepKind,
        "action_": Action,
        "outcome_": ("done", *Refusal, *PromptOutcome),
        "transfer_": TransferKind,
        "ended_by_": EndedBy,
        "did_": Kind,
        "call_": Outcome,
        "": (*Scale, *AnswerClass, *(work for work in AgentWork)),
    }
    words = {quoted or plain for quoted, plain in re.findall(r'(?:"([a-z_0-9:]+)"|\b([a-z_0-9]+)): "', text)}
    missing = {f"{prefix}{value}" for prefix, values in sets.items() for value in values} - words
    assert missing <= {"unanswered"}, "no page shows an offer that nobody answered by class"
