"""Settings that change how a recorded direct line is counted and named."""

from collections.abc import Iterable

import pytest

from callflow.captures.capture_file import read_capture
from callflow.captures.ring_replay import capture_messages, replay_rings
from callflow.core.rings.records import Leg, Offer
from callflow.core.rings.rules import LineRules, RingRules
from tests.traces.make_ring_traces import FOLDER

LINE = "7119"
"""The extension that the capture's caller dials; its phone rings for 2.013 s."""


def messages(phone: str = "PJSIP/") -> Iterable[tuple[int, dict[str, str]]]:
    for at_ms, headers in capture_messages(read_capture(FOLDER / "22" / "line.txt")):
        yield at_ms, {name: value.replace("PJSIP/8200", f"{phone}8200") for name, value in headers.items()}


def counted(rules: RingRules, phone: str = "PJSIP/") -> tuple[Offer, Leg]:
    kept = replay_rings(messages(phone), rules)
    (offer,), (leg,) = kept.offers, kept.legs
    return offer, leg


@pytest.mark.parametrize(("phone", "ring_ms"), [("DAHDI/", 4513), ("PJSIP/", 2013)])
def test_analogue_phones_have_rung_before_asterisk_heard_of_it(phone: str, ring_ms: int) -> None:
    offer, leg = counted(RingRules(cadence="jp", analogue_offset_s=2.5), phone)
    assert (offer.ring_ms, leg.ring_ms) == (ring_ms, ring_ms)
    assert leg.rings == (2 if phone == "DAHDI/" else 1)


def test_a_line_with_a_name_and_a_cadence_of_its_own() -> None:
    rules = RingRules(lines={"reception": LineRules(numbers=(LINE,), cadence="us")})
    offer, _ = counted(rules)
    assert (offer.target, offer.cadence, offer.answer_class) == ("reception", "us", "acceptable")


def test_what_the_pattern_does_not_match_is_no_line_and_not_counted() -> None:
    kept = replay_rings(messages(), RingRules(line_pattern="9[0-9]{3}"))
    assert [offer.target for offer in kept.offers] != [LINE]
    assert counted(RingRules(line_pattern="71[0-9]{2}"))[0].target == LINE
