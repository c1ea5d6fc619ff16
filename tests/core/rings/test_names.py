"""Names of queues, agents and lines: safe in topics and labels, bounded, and never a personal one where avoidable."""

import pytest

from callflow.core.rings.names import OTHER, Names, interface_of, local_pair, safe_name
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


def test_channels_tell_their_phone() -> None:
    assert interface_of("PJSIP/8012-0000001a") == "PJSIP/8012"
    assert interface_of("Local/8012@agents-0000001a;1") == "Local/8012@agents"
    assert local_pair("Local/8012@agents-0000001a;2") == ("Local/8012@agents-0000001a", "2")
    assert local_pair("PJSIP/8012-0000001a") is None
