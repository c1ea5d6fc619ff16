"""Names of queues, agents and lines: safe in topics and labels, bounded, and never a personal one where avoidable."""

import pytest

from callflow.core.rings.names import (
    OTHER,
    Names,
    interface_of,
    local_pair,
    safe_name,
    trunk_dialled,
    trunk_of,
)
from callflow.core.rings.rules import LineRules, RingRules


@pytest.mark.parametrize("name", ["support", "客服", "a.b-c_9", "8012"])
def test_a_good_name_stays(name: str) -> None:
    assert safe_name(name) == name


@pytest.mark.parametrize("name", ["", "a/b", "a#b", "a+b", "a b", "x\ny", "n" * 65, 'quo"te', "\x00"])
def test_an_odd_name_is_made_safe_and_stays_apart(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert len(safe) <= 64
    assert not set(safe) & set('/#+ \n"\x00')
    assert safe != safe_name(name + "!")


@pytest.mark.parametrize(
    ("interface", "member", "agent"),
    [
        ("PJSIP/8012", "PJSIP/8012", "8012"),
        ("PJSIP/8012", "Zhang Wei", "8012"),
        ("PJSIP/alice", "Agent 8044", "8044"),
        ("Local/8031@agents/n", "", "8031"),
        ("PJSIP/alice", "Alice", "alice"),
        ("PJSIP/mapped", "Somebody", "7001"),
        ("", "", ""),
    ],
)
def test_who_an_agent_is(interface: str, member: str, agent: str) -> None:
    names = Names(RingRules(work_numbers={"PJSIP/mapped": "7001"}))
    assert names.agent(interface, member) == agent


def test_a_member_is_known_outside_the_queue() -> None:
    names = Names(RingRules())
    names.learn_member("PJSIP/alice", "Alice 8055")
    assert names.agent("PJSIP/alice") == "8055"


@pytest.mark.parametrize(
    ("exten", "interface", "dialled", "line"),
    [
        ("101", "PJSIP/alice", "101", "101"),
        ("s", "PJSIP/102", "4001234567", "102"),
        ("s", "PJSIP/alice", "103", "103"),
        ("4001234567", "PJSIP/alice", "4001234567", "sales"),
        ("0871234567", "PJSIP/trunk", "0871234567", None),
    ],
)
def test_what_a_line_is(exten: str, interface: str, dialled: str, line: str | None) -> None:
    names = Names(RingRules(lines={"sales": LineRules(numbers=("4001234567",))}))
    assert names.line(names.line_numbers(exten, dialled, interface)) == line


def test_names_are_bounded() -> None:
    names = Names(RingRules(max_names=3))
    given = [names.queue(f"queue{n}") for n in range(10)]
    assert given == ["queue0", "queue1", "queue2", *[OTHER] * 7]
    assert names.queue("queue1") == "queue1"


@pytest.mark.parametrize(
    ("channel", "phone", "trunk"),
    [
        ("PJSIP/carrier-0000001a", "PJSIP/carrier", "PJSIP/carrier"),
        ("SIP/my-trunk-000000ff", "SIP/my-trunk", "SIP/my-trunk"),
        ("SCCP/reception-000000B7", "SCCP/reception", "SCCP/reception"),
        ("PJSIP/carrier-2024-0000001a", "PJSIP/carrier-2024", "PJSIP/carrier-2024"),
        ("Mobile/nokia-1a2b", "Mobile/nokia", "Mobile/nokia"),
        ("Local/7@agents-00000002;2", "Local/7@agents", "Local/7@agents"),
        ("IAX2/carrier-7", "IAX2/carrier", "IAX2/carrier"),
        ("IAX2/192.0.2.1:4569-12345", "IAX2/192.0.2.1:4569", "IAX2/192.0.2.1:4569"),
        ("DAHDI/4-1", "DAHDI/4", "DAHDI/4"),
        ("DAHDI/i1/5550100-4d", "DAHDI/i1/5550100", "DAHDI/i1"),
        ("DAHDI/i2/-1", "DAHDI/i2/", "DAHDI/i2"),
        ("Console/dsp", "Console/dsp", "Console/dsp"),
        ("", "", ""),
    ],
)
def test_a_channel_tells_its_phone_and_its_trunk(channel: str, phone: str, trunk: str) -> None:
    assert (interface_of(channel), trunk_of(channel)) == (phone, trunk)


def test_the_halves_of_a_local_channel_belong_together() -> None:
    assert local_pair("Local/8012@agents-0000001a;2") == ("Local/8012@agents-0000001a", "2")
    assert local_pair("PJSIP/8012-0000001a") is None


@pytest.mark.parametrize("trunk", ["PJSIP/carrier", "PJSIP/carrier-2024", "IAX2/carrier", "DAHDI/i1", "DAHDI/4"])
def test_a_trunk_is_its_own_trunk(trunk: str) -> None:
    assert trunk_of(trunk) == trunk


def test_a_redirected_channel_keeps_its_phone() -> None:
    """AMI Redirect takes a channel out of its bridge under another name."""
    assert interface_of("Surrogate/PJSIP/carrier-00000002") == "PJSIP/carrier"
    assert trunk_of("Surrogate/DAHDI/i1/13855550100-2") == "DAHDI/i1"


@pytest.mark.parametrize(
    ("destination", "trunk"),
    [
        ("PJSIP/8012", ""),
        ("PJSIP/8012/sip:8012@10.0.0.5:5060", ""),
        ("PJSIP/100012/sip:100012@10.0.0.5", ""),
        ("PJSIP/8012/sip:q7f2k@b.invalid;transport=ws", ""),
        ("PJSIP/8012/sip:10.0.0.5", ""),
        ("Local/8012@agents/n", ""),
        ("Agent/8012", ""),
        ("8012", ""),
        ("", ""),
        ("PJSIP/13855550100@carrier", "PJSIP/carrier"),
        ("PJSIP/8012@other-site", "PJSIP/other-site"),
        ("PJSIP/carrier/sip:+13855550100@carrier.example", "PJSIP/carrier"),
        ("SIP/carrier/13855550100", "SIP/carrier"),
        ("IAX2/me:secret@carrier/13855550100", "IAX2/carrier"),
        ("DAHDI/g0/13855550100", "DAHDI/g0"),
    ],
)
def test_a_trunk_is_known_by_what_is_dialled_through_it(destination: str, trunk: str) -> None:
    assert trunk_dialled(destination) == trunk
