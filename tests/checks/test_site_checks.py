"""`callflow check`: what it says of an Asterisk's version and of the settings on this host."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import pytest

from callflow.adapters.agi.options import AgiOptions
from callflow.adapters.ami.include import FEATURES_VERSION
from callflow.adapters.ami.link import AmiLink
from callflow.checks.ami import check_version
from callflow.checks.assist import ACTIONS, CONTEXTS, check_assist
from callflow.checks.feature_codes import check_feature_codes
from callflow.checks.finding import Finding, Verdict
from callflow.checks.host import check_host
from callflow.checks.inbox import Inbox
from callflow.errors import ActionRefused
from callflow.settings.model import Settings


class Asterisk:
    """Says which version it is."""

    def __init__(self, version: str) -> None:
        self._version = version

    async def action(self, name: str) -> dict[str, str]:
        assert name == "CoreSettings"
        return {"AsteriskVersion": self._version}


async def told(version: str) -> list[tuple[str, Verdict]]:
    findings = await check_version(cast("AmiLink", Asterisk(version)))
    assert all(finding.remedy for finding in findings if finding.verdict is not Verdict.OK)
    return [(finding.subject, finding.verdict) for finding in findings]


@pytest.mark.parametrize(
    ("version", "deaf"),
    [
        pytest.param("22.10.1+dfsg+~cs6.17.60671434-1", True, id="measured deaf"),
        pytest.param("20.6.0~dfsg+~cs6.13.40431414-2build5", True, id="reported deaf"),
        pytest.param("16.28.0~dfsg-0+deb11u4", False, id="measured not deaf"),
        pytest.param("22.10.1", False, id="from source"),
        pytest.param("certified-20.7-cert8", None, id="no release number"),
    ],
)
async def test_a_build_that_goes_deaf_is_named(version: str, deaf: bool | None) -> None:
    release = Verdict.WARN if deaf is None else Verdict.OK
    assert await told(version) == [("version", release), *([("deaf build", Verdict.WARN)] if deaf else [])]


async def test_what_was_measured_is_told_from_what_was_read() -> None:
    for version, said in (("22.10.1+dfsg+~cs6.17", "(measured)"), ("20.6.0~dfsg+~cs6.13", "(measured on 22.10.1)")):
        _, deaf = await check_version(cast("AmiLink", Asterisk(version)))
        assert deaf.seen.endswith(said)


@pytest.mark.parametrize("version", ["16.22.0", "18.8.1", "13.38.3"])
async def test_a_release_whose_talk_detect_is_faulty_fails(version: str) -> None:
    assert await told(version) == [("version", Verdict.FAIL)]


@pytest.mark.parametrize(("token", "verdict"), [("", Verdict.WARN), ("a-long-random-word", Verdict.OK)])
def test_a_missing_agi_token_is_named(token: str, verdict: Verdict, tmp_path: Path) -> None:
    settings = Settings(agi=AgiOptions(token=token))
    found = {finding.subject: finding for finding in check_host(settings, None)}
    finding: Finding = found["FastAGI token"]
    assert finding.verdict is verdict
    assert token not in finding.seen or not token
    assert bool(finding.remedy) == (verdict is Verdict.WARN)


class Dialplan:
    """Lists these contexts, allows these actions, and knows the states of phones or not."""

    def __init__(self, contexts: Sequence[str], allowed: Sequence[str], state: str = "UNKNOWN") -> None:
        self._contexts, self._allowed, self._state = contexts, allowed, state

    async def action(self, name: str, **headers: str) -> dict[str, str]:
        return {"Value": self._state} if name == "Getvar" else dict.fromkeys(self._allowed, "")

    async def action_list(self, name: str, timeout_s: float) -> list[dict[str, str]]:
        return [{"Context": context} for context in self._contexts]


@pytest.mark.parametrize(
    ("assist", "contexts", "allowed", "verdicts"),
    [
        ("off", (), (), []),
        ("prompt", CONTEXTS, ACTIONS, [Verdict.OK]),
        ("prompt", CONTEXTS[1:], ACTIONS, [Verdict.FAIL]),
        ("act", CONTEXTS, ACTIONS[1:], [Verdict.FAIL]),
    ],
)
async def test_what_assistance_needs_is_checked_where_it_is_on(
    assist: str, contexts: Sequence[str], allowed: Sequence[str], verdicts: list[Verdict]
) -> None:
    settings = Settings.model_validate({"profiles": {"default": {"assist": assist}}})
    findings = await check_assist(settings, cast("AmiLink", Dialplan(contexts, allowed)))
    assert [finding.verdict for finding in findings] == verdicts


@pytest.mark.parametrize(("assist", "verdicts"), [("prompt", [Verdict.OK]), ("act", [Verdict.OK, Verdict.WARN])])
async def test_an_asterisk_that_cannot_tell_a_free_agent_is_named(assist: str, verdicts: list[Verdict]) -> None:
    settings = Settings.model_validate({"profiles": {"default": {"assist": assist}}})
    findings = await check_assist(settings, cast("AmiLink", Dialplan(CONTEXTS, ACTIONS, "")))
    assert [finding.verdict for finding in findings] == verdicts


class TestTalk:
    """An Asterisk with a test talk, and the features that it has loaded."""

    __test__ = False

    def __init__(self, *, loaded: bool, given: bool, talk: bool = True, old: bool = False) -> None:
        self.inbox = Inbox()
        self.hung_up = False
        self._loaded, self._given, self._talk = loaded, given, talk
        self._told = {} if old else {"Features": str(FEATURES_VERSION)}
        self._keys = ""
        self._asked = 0

    async def action(self, name: str, **headers: object) -> dict[str, str]:
        match name:
            case "Originate" if not self._talk:
                raise ActionRefused("Originate", "Extension does not exist.")
            case "Getvar":
                self._asked += 1
                if self._asked == 1:
                    raise ActionRefused("Getvar", "No such channel")
                return {"Value": "callflow-ready#callflow-say-self" if self._asked > 2 else "callflow-ready"}
            case "Originate" if str(headers["Channel"]).startswith("Local/talk@"):
                assert self._asked == 3, "the talk begins once the agent has its codes"
                agent = str(headers["Variable"]).partition("=")[2]
                self.inbox.add({"Event": "BridgeEnter", "Uniqueid": agent})
            case "PlayDTMF" if self._loaded:
                self._keys += str(headers["Digit"])
                if self._keys == "AA":
                    agent = str(headers["Channel"])
                    self.inbox.add({"Event": "UserEvent", "UserEvent": "CallflowSaying", "Id": agent, **self._told})
            case "Hangup":
                self.hung_up = True
        return {}

    async def action_list(self, name: str, timeout_s: float) -> list[dict[str, str]]:
        given = [{"Context": "desk", "AppData": "support,tb(callflow-agent^s^1)"}] if self._given else []
        return [{"Context": "callflow-check", "AppData": "callflow-agent,s,1"}, *given]


@pytest.mark.parametrize(
    ("asterisk", "verdict", "says"),
    [
        pytest.param(TestTalk(loaded=True, given=True), Verdict.OK, "codes in desk", id="all-there"),
        pytest.param(TestTalk(loaded=True, given=False), Verdict.HINT, "no Queue or Dial", id="given-to-nobody"),
        pytest.param(TestTalk(loaded=True, given=True, old=True), Verdict.WARN, "older release", id="old-map"),
        pytest.param(TestTalk(loaded=False, given=True), Verdict.WARN, "did nothing", id="not-loaded"),
        pytest.param(TestTalk(loaded=True, given=True, talk=False), Verdict.WARN, "not tested", id="old-dialplan"),
    ],
)
async def test_a_code_is_typed_in_a_test_talk(
    asterisk: TestTalk, verdict: Verdict, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("callflow.checks.feature_codes.ANSWER_S", 0.05)
    settings = Settings.model_validate({"profiles": {"default": {"assist": "prompt"}}})
    (finding,) = await check_feature_codes(settings, cast("AmiLink", asterisk), asterisk.inbox)
    assert (finding.verdict, says in finding.seen) == (verdict, True)
    assert bool(finding.remedy) == (verdict is not Verdict.OK)
    assert asterisk.hung_up or verdict is Verdict.WARN, "the test talk ends at once"


async def test_no_code_is_typed_where_assistance_is_off() -> None:
    asterisk = TestTalk(loaded=False, given=False, talk=False)
    assert await check_feature_codes(Settings(), cast("AmiLink", asterisk), asterisk.inbox) == []
