"""A caller whom no ear would hear is never taken for a silent one."""

import pytest

from callflow.core import commands, events
from callflow.core.profile import Profile
from callflow.core.screening.engine import Engine
from tests.core.driver import START_MS, UNIQUEID, Driver, procedures, tapped


def untapped(*, may_go_deaf: bool = True, profile: Profile | None = None) -> Driver:
    call = Driver(Engine(procedures(profiles={"default": profile or Profile()})), verified=False)
    call.tell(events.LinkUp(call.now, may_go_deaf))
    call.tell(events.SoundStarted("selftest.2", call.now))
    return call.arrive("default")


@pytest.mark.parametrize("at_ms", [2000, 5500, 12_500, 16_000, 19_000])
def test_a_call_whose_ear_goes_deaf_goes_on_at_once(at_ms: int) -> None:
    call = tapped().run_until(START_MS + at_ms)
    call.tell(events.EarDeafened(UNIQUEID))
    assert call.results == ["unavailable"]


def test_nobody_is_hung_up_without_evidence_that_a_sound_would_have_been_heard() -> None:
    call = tapped()
    call.verified = False
    assert call.run_for(60_000).results == ["unavailable"]
    assert call.prompts[-1] == "en/goodbye"


@pytest.mark.parametrize(("may_go_deaf", "result"), [(True, "unavailable"), (False, "silent")])
def test_without_a_tap_evidence_is_needed_where_asterisk_may_go_deaf(may_go_deaf: bool, result: str) -> None:
    assert untapped(may_go_deaf=may_go_deaf).run_for(60_000).results == [result]


def test_packets_are_counted_from_the_beginning_of_the_last_rung_on() -> None:
    call = untapped().run_for(60_000)
    assert call.offset(commands.CountPackets) == call.offset(commands.PlayPrompt)[-1:]
    assert untapped(may_go_deaf=False).run_for(60_000).offset(commands.CountPackets) == []
    assert tapped().run_for(60_000).offset(commands.CountPackets) == []


def test_a_profile_without_a_tap_has_one_as_a_witness_in_the_last_rung() -> None:
    call = untapped(profile=Profile(ear="talk_detect"))
    call.tap = call.verified = True
    call.run_for(60_000)
    assert call.offset(commands.OpenTap) == call.offset(commands.PlayPrompt)[-1:]
    assert call.results == ["silent"]
    assert call.final.ear == "talk_detect"
