"""Ring facts from AMI events: names without AMI's escapes, times that are usable, ids that are the same everywhere."""

import pytest

from callflow.adapters.ami.translate_rings import RingTranslator, channel_of, waiting_of
from callflow.core.rings import facts

NOW_MS = 1_800_000_000_000
NEW = {"Event": "Newchannel", "Uniqueid": "1.1", "Channel": "PJSIP/trunk-00000001"}


def began(event: dict[str, str], translate: RingTranslator | None = None, at_ms: int = NOW_MS) -> facts.ChannelBegan:
    fact = (translate or RingTranslator())(event, at_ms)
    assert isinstance(fact, facts.ChannelBegan)
    return fact


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        (r"O\'Brien", "O'Brien"),
        (r"\"Bob\" \\ Co\?", r'"Bob" \ Co?'),
        (r"ACME\n\nGmbH", "ACME  GmbH"),
        (r"C:\x", r"C:\x"),
        ("王小姐", "王小姐"),
        ("<unknown>", ""),
    ],
)
def test_a_name_is_stored_without_the_escapes_of_ami(sent: str, meant: str) -> None:
    assert began(NEW | {"CallerIDName": sent}).party.name == meant


def stamped(seconds: float) -> dict[str, str]:
    return NEW | {"Timestamp": f"{seconds:.6f}"}


@pytest.mark.parametrize("stamp", ["", "nan", "0.000001", "99999999999.0", "noon"])
def test_an_unusable_time_is_taken_by_the_known_difference_of_the_clocks(stamp: str) -> None:
    translate, skew_ms = RingTranslator(), 7_200_000
    began(stamped((NOW_MS - skew_ms) / 1000), translate)
    fact = began(NEW | {"Timestamp": stamp}, translate, NOW_MS + 50)
    assert (fact.when.at_ms, fact.when.stamped) == (NOW_MS + 50 - skew_ms, False)


def test_an_id_is_the_same_in_events_and_snapshots() -> None:
    odd = NEW | {"Uniqueid": "Head Office-1795000000.1"}
    party = began(odd).party
    assert party.uniqueid == channel_of(odd).party.uniqueid == waiting_of(odd | {"Queue": "q"}).caller.uniqueid
    assert " " not in party.uniqueid


def test_a_snapshot_tells_what_a_channel_runs_and_where() -> None:
    seen = channel_of(NEW | {"ChannelStateDesc": "Up", "Application": "AppQueue", "BridgeId": "b"})
    assert (seen.up, seen.application, seen.bridge) == (True, "AppQueue", "b")
    assert channel_of(NEW).application == ""


def test_of_a_header_that_comes_twice_the_first_counts() -> None:
    fact = began(NEW | {"Uniqueid": "1.1\n1.7"})
    assert (fact.party.uniqueid, fact.when.anomalies) == ("1.1", ("repeated_header",))


def test_a_queue_event_of_somebody_else_and_a_state_that_says_nothing_are_no_facts() -> None:
    translate = RingTranslator()
    assert translate({"Event": "UserEvent", "UserEvent": "Lunch", "Uniqueid": "1.1", "Queue": "q"}, NOW_MS) is None
    assert translate(NEW | {"Event": "Newstate", "ChannelStateDesc": "Ring"}, NOW_MS) is None
    assert translate({"Event": "VarSet"}, NOW_MS) is None


@pytest.mark.parametrize("header", ["ChanVariable", "DestChanVariable"])
@pytest.mark.parametrize("value", ["CAMPAIGN=a\nRECFILE=b", f"NOTE={'x' * 3_000}"], ids=["repeated", "long"])
def test_variables_that_asterisk_adds_to_every_event_are_no_anomaly(header: str, value: str) -> None:
    """`channelvars = CAMPAIGN,RECFILE` in manager.conf: a header for each, by design."""
    fact = began(NEW | {header: value, "CallerIDName": "Anne"})
    assert (fact.party.name, fact.when.anomalies) == ("Anne", ())


def test_an_event_with_variables_may_still_be_torn() -> None:
    fact = began(NEW | {"Uniqueid": "1.1\n1.7", "ChanVariable": "A=a\nB=b"})
    assert (fact.party.uniqueid, fact.when.anomalies) == ("1.1", ("repeated_header",))
