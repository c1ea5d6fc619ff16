"""Talks that are found under way when AMI is there: the list of channels is old by the time it is read."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from callflow.adapters.ami.translate_assist import talks_of
from callflow.core.assist.commands import PauseAgent
from callflow.core.assist.states import State
from callflow.core.rings.talk_events import TalkParties
from callflow.runtime.assisting import Assisting
from callflow.runtime.listening import Listening
from callflow.runtime.spoken_names import SpokenNames
from callflow.settings.model import Settings
from tests.adapters.test_translate_assist import AGENT, CALLER, Known


class Asterisk:
    """These hold the other party; every other action is refused to exist. `meanwhile` happens before each answer."""

    def __init__(self) -> None:
        self.holders: set[str] = set()
        self.meanwhile: Callable[[], None] = lambda: None

    async def holds(self, channel: str) -> bool:
        self.meanwhile()
        return channel in self.holders


class Tracker(Known):
    """It knows no talk, unless a test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.talks: list[TalkParties] = []
        self.paused_for = ""

    @property
    def talks_under_way(self) -> list[TalkParties]:
        return self.talks

    def may_be_paused_for(self, interface: str, reason: str) -> bool:
        return not self.paused_for or self.paused_for == reason


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def tracker() -> Tracker:
    return Tracker()


@pytest.fixture
def assisting(tmp_path: Path, asterisk: Asterisk, tracker: Tracker) -> Assisting:
    def drop(work: Coroutine[Any, Any, None]) -> None:
        work.close()

    settings = Settings.model_validate(
        {"store": {"path": tmp_path / "callflow.db"}, "profiles": {"default": {"assist": "notify"}}}
    )
    phone: Any = asterisk
    names = SpokenNames(settings.assist, settings.store.path, lambda: 0)
    return Assisting(settings, phone, Listening(None, phone), lambda record, final: None, drop, tracker, names)


@pytest.mark.parametrize("leaver", ["", CALLER["Uniqueid"], AGENT["Uniqueid"]])
@pytest.mark.parametrize("asked_first", [True, False], ids=["before the list is read", "while holds are asked for"])
async def test_a_talk_that_ends_while_it_is_looked_for_is_not_assisted(
    assisting: Assisting, asterisk: Asterisk, leaver: str, asked_first: bool
) -> None:
    """Twice: what left during one look is a talk again in the next, and one that goes on is found once."""

    def leave() -> None:
        assisting.ami_event({"Event": "BridgeLeave", "Uniqueid": leaver, "BridgeUniqueid": "b1"})

    try:
        with assisting.looking():
            await asyncio.sleep(0)
            if asked_first:
                leave()
            else:
                asterisk.meanwhile = leave
            await assisting.take_snapshot([CALLER, AGENT])
        assert assisting.assistant.live == (0 if leaver else 1)
        asterisk.meanwhile = lambda: None
        with assisting.looking():
            await assisting.take_snapshot([CALLER, AGENT])
        assert assisting.assistant.live == 1
    finally:
        assisting.close()


@pytest.mark.parametrize("party", [CALLER, AGENT], ids=["caller", "agent"])
@pytest.mark.parametrize("told", ["Hold", "Unhold"])
async def test_a_hold_that_begins_or_ends_while_talks_are_looked_for_counts(
    assisting: Assisting, asterisk: Asterisk, told: str, party: dict[str, str]
) -> None:
    """Asterisk was asked before it told: in a hold nothing may be attached."""
    if told == "Unhold":
        asterisk.holders = {party["Channel"]}
    asterisk.meanwhile = lambda: assisting.ami_event({"Event": told, "Uniqueid": party["Uniqueid"]})
    try:
        with assisting.looking():
            await assisting.take_snapshot([CALLER, AGENT])
        (talk,) = assisting.assistant._talks.values()
        assert (talk.case.state is State.HELD) is (told == "Hold")
    finally:
        assisting.close()


@pytest.mark.parametrize("known", [True, False])
async def test_whoever_leaves_a_talk_that_the_tracker_knows_may_consult(
    assisting: Assisting, tracker: Tracker, known: bool
) -> None:
    """The tracker tells of its end. Of a talk that it does not know, to leave the bridge is all that is told."""
    if known:
        tracker.talks = talks_of([CALLER, AGENT], tracker)
    try:
        with assisting.looking():
            await assisting.take_snapshot([CALLER, AGENT])
        assisting.ami_event({"Event": "BridgeLeave", "Uniqueid": AGENT["Uniqueid"], "BridgeUniqueid": "b1"})
        assert assisting.assistant.live == known
    finally:
        assisting.close()


@pytest.mark.parametrize(
    ("reason", "of_itself", "ended"),
    [("lunch", True, False), ("lunch", False, True), ("wrapup", True, True), ("", True, True)],
    ids=["lunch", "lunch, and the agent is ready", "wrap-up", "unknown"],
)
async def test_a_wrap_up_that_ends_of_itself_leaves_a_pause_for_something_else(
    assisting: Assisting, asterisk: Asterisk, tracker: Tracker, reason: str, of_itself: bool, ended: bool
) -> None:
    tracker.paused_for = reason
    asked = []

    async def pause(interface: str, paused: bool, reason: str) -> None:
        asked.append((interface, paused))

    stage: Any = asterisk
    stage.pause = pause
    try:
        await assisting._carry(PauseAgent("", "PJSIP/8012", False, of_itself))
    finally:
        assisting.close()
    assert asked == ([("PJSIP/8012", False)] if ended else [])
