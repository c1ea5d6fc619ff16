"""Call-backs and ratings of a scenario: what is judged, and scenarios of the library with the real daemon."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from callflow.scenarios.aftercare import Aftercare, ExpectedCallback, SeenCallback, SeenRating, disagreements
from callflow.scenarios.behaviour import CallerAction, Expected
from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.scenario import Scenario, read_scenario
from callflow.scenarios.settling import merged

IN_CI = ("ratings", "keep-place", "spoken-name", "talk-prompts", "wrap-up", "greetings")
EVERY = ("by-hand", "cases", "customer-first", "hung-up-on", "offer", "repeated")
"""These take minutes: only with CALLFLOW_EVERY_SCENARIO=1."""


def expected(**values: Any) -> ExpectedCallback:
    return ExpectedCallback.model_validate({"number": "1", "reasons": ["silent"]} | values)


SEEN = SeenCallback("1", ("silent", "repeated"), "done", ("busy", "reached"))


@pytest.mark.parametrize(
    ("callbacks", "said"),
    [
        ([expected(reasons=["repeated", "silent"], outcomes=["busy", "reached"])], []),
        (None, []),
        ([], ["call-back 1 (silent, repeated) is not expected"]),
        ([expected()], ["call-back 1: reasons silent, repeated, expected silent"]),
        ([expected(reasons=["silent", "repeated"], state="open")], ["call-back 1: done, expected open"]),
        (
            [expected(reasons=["silent", "repeated"], outcomes=["reached"])],
            ["call-back 1: calls ended busy, reached, expected reached"],
        ),
        (
            [expected(reasons=["silent", "repeated"], spoken_name=True)],
            ["call-back 1: no spoken name, expected a spoken name"],
        ),
        (
            [expected(reasons=["silent", "repeated"]), expected(number="2")],
            ["call-back 2 is not on the list"],
        ),
    ],
)
def test_the_list_is_compared_whole(callbacks: list[ExpectedCallback] | None, said: list[str]) -> None:
    assert disagreements(Aftercare((SEEN,)), callbacks, ()) == said


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        (Expected(rating="partly_rated", scores=(5, 0, 3)), []),
        (Expected(rating="rated"), ["a: partly_rated, expected rated"]),
        (Expected(scores=(5, 4, 3)), ["a: answers 5, 0, 3, expected 5, 4, 3"]),
        (Expected(agent=True), []),
    ],
)
def test_ratings_are_compared_by_the_call(expect: Expected, said: list[str]) -> None:
    seen = Aftercare(ratings=(SeenRating("u1", "partly_rated", (5, 0, 3), ended=True),))
    assert disagreements(seen, None, [("a", expect, ["u1"])]) == said


@pytest.mark.parametrize("ratings", [(), (SeenRating("u1", "rated", (5, 5, 5), ended=False),)])
def test_a_rating_that_lasts_or_is_not_there_is_waited_for(ratings: tuple[SeenRating, ...]) -> None:
    found = disagreements(Aftercare(ratings=ratings), None, [("a", Expected(rating="rated"), ["u1"])])
    assert found == ["a: no rating has ended"]


def test_settings_of_a_scenario_are_put_in_key_by_key() -> None:
    config = {"profiles": {"support": {"mode": "act"}}, "log": {"level": "info"}}
    own = {"profiles": {"support": {"assist": "prompt"}}, "callbacks": {"auto": True}}
    assert merged(config, own) == {
        "profiles": {"support": {"mode": "act", "assist": "prompt"}},
        "log": {"level": "info"},
        "callbacks": {"auto": True},
    }


@pytest.mark.parametrize(
    ("action", "said"),
    [
        ({"on_prompt": "rate_again", "at": 1, "sound": "speech"}, "goes with key"),
        ({"on_prompt": "rate_again", "at": "greeting+1", "key": "1"}, "seconds after that prompt begins"),
    ],
)
def test_what_makes_no_sense_on_a_prompt_is_refused(action: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        CallerAction.model_validate(action)


def test_prompts_of_the_screening_have_moments_of_their_own() -> None:
    caller = {"name": "a", "at_s": 0, "does": [{"on_prompt": "greeting", "at": 1, "key": "1"}]}
    with pytest.raises(ValueError, match="goes with `dials`"):
        Scenario.model_validate({"name": "a", "purpose": "one caller only", "callers": [caller]})


def test_a_mistake_in_an_expectation_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(
        'purpose = "one caller only"\n[[callers]]\nname = "a"\nat_s = 0\n\n'
        '[[callbacks]]\nnumber = "1"\nreasons = ["loud"]\n'
    )
    with pytest.raises(ScenarioInvalid, match=r"line 8: callbacks\[1\]\.reasons"):
        read_scenario(file)


def callflow(*arguments: str, timeout_s: float = 240) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "callflow", *arguments], capture_output=True, text=True, timeout=timeout_s, check=False
    )


def test_a_daemon_of_the_user_has_neither_the_settings_nor_the_records() -> None:
    done = callflow("simulate", "by-hand", "--pretend", "--no-daemon")
    assert (done.returncode, "leave --no-daemon out" in done.stderr) == (2, True)


@pytest.mark.xdist_group("pretend-aftercare")
@pytest.mark.parametrize("name", [*IN_CI, *(EVERY if os.environ.get("CALLFLOW_EVERY_SCENARIO") else ())])
def test_a_scenario_of_the_library_ends_as_expected(name: str) -> None:
    done = callflow("simulate", name, "--pretend")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.xdist_group("pretend-aftercare")
def test_a_command_that_fails_and_an_entry_that_is_missing_are_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(
        'purpose = "nothing is as it says"\nsettle_s = 0.1\n[[phones]]\nnumber = "8001"\n'
        '[[commands]]\nat_s = 0\nrun = "callbacks add 112"\n[[callbacks]]\nnumber = "112"\nreasons = ["manual"]\n'
    )
    done = callflow("simulate", str(file), "--pretend")
    assert done.returncode == 1, done.stderr
    assert "callflow callbacks add 112: exit code 2, expected 0" in done.stdout
    assert "call-back 112 is not on the list" in done.stdout
