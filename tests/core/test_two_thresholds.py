"""Without a tap: a low voice is told by two thresholds of TALK_DETECT."""

from callflow.core import commands
from tests.core.driver import START_MS, Driver, gains


class Line:
    """A call without a tap, and a line whose sound TALK_DETECT hears at the low threshold alone, or at both."""

    def __init__(self) -> None:
        self.call = Driver().link_up().arrive()

    def thresholds(self) -> list[int]:
        return [c.threshold for _, c in self.call.log if isinstance(c, commands.ArmEar)]

    def low_set(self) -> "Line":
        """Run to the second half of the first listening time."""
        self.call.run_until(START_MS + 5600)
        assert self.thresholds() == [256, 60]
        return self


def test_the_second_half_of_a_listening_time_is_listened_to_more_closely() -> None:
    line = Line()
    line.call.run_for(60_000)
    assert line.thresholds() == [256, 60, 256, 60, 256], "and what is said is listened to as usual"
    assert line.call.results == ["silent"]


def test_a_voice_heard_at_both_thresholds_goes_on_unraised() -> None:
    line = Line().low_set()
    line.call.sound(3000)
    line.call.run_for(700)
    assert line.call.results == ["spoke"]
    assert line.call.final.gain_db == 0


def test_a_voice_heard_only_at_the_low_threshold_is_raised_and_handed_on() -> None:
    line = Line().low_set()
    line.call.sound(300, low=True)
    line.call.run_for(1300)
    line.call.sound(400, low=True)
    line.call.run_for(600)
    line.call.sound(400, low=True)
    line.call.run_for(3000)
    assert line.thresholds() == [256, 60, 256, 60, 256]
    assert line.call.results == ["spoke"]
    assert (line.call.final.heard, line.call.final.gain_db) == ("quiet", 7.5)
    assert gains(line.call) == [(7.5, "volume", -38)], "nobody knows how low it is"


def test_a_sound_that_never_pauses_is_noise_and_goes_to_a_person() -> None:
    line = Line().low_set()
    line.call.sound(300, low=True)
    line.call.run_until(START_MS + 5600 + 280 + 600 + 60)
    line.call.sound(None, low=True)
    line.call.run_for(3000)
    assert line.call.results == ["passed"]
    assert line.call.final.heard == "noise"


def test_a_short_word_and_no_more_is_a_caller_as_they_are() -> None:
    line = Line().low_set()
    line.call.sound(300, low=True)
    line.call.run_for(10_000)
    assert line.call.results == ["spoke"]
    assert (line.call.final.heard, line.call.final.gain_db) == (None, 0)


def test_a_click_at_the_low_threshold_changes_nothing() -> None:
    line = Line().low_set()
    line.call.sound(30)
    line.call.run_for(60_000)
    assert line.call.results == ["silent"]
