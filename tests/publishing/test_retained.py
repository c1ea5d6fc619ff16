"""The retained messages of one connection: states by topic, announcements, and what an earlier life has left."""

import json
from typing import Any

import pytest

from callflow.core.publishing.discovery import Discovery
from callflow.core.publishing.retained import RetainedMessages
from callflow.core.publishing.states import StateBoard, StateMaker
from callflow.core.rings.current_states import QueueState
from tests.publishing import samples

DISCOVERY = Discovery(samples.TOPICS, "homeassistant", "0.1.0")
SUPPORT = samples.TOPICS.state("queue", "support")
SALES = samples.TOPICS.state("queue", "sales")


def queue(name: str, waiting: int, as_of_ms: int = samples.T0) -> QueueState:
    return QueueState(name, as_of_ms, waiting, as_of_ms if waiting else None)


class Site:
    """A board that shows some queues."""

    def __init__(self, *queues: QueueState) -> None:
        self.board = StateBoard()
        self.maker = StateMaker(samples.HIDDEN)
        self.show(*queues)

    def show(self, *queues: QueueState) -> None:
        self.board.replace(self.maker.states(queues, (), (), {}))

    def connect(self, discovery: Discovery | None = None) -> RetainedMessages:
        return RetainedMessages(self.board, samples.TOPICS, discovery)


def test_changes_coalesce_and_time_alone_is_no_news() -> None:
    site = Site(queue("support", 1))
    connection = site.connect()
    for waiting in (2, 3):
        site.show(queue("support", waiting))
    ((topic, payload),) = connection.take(10, complete=True)
    assert (topic, json.loads(payload)["waiting"]) == (SUPPORT, 3)
    site.show(QueueState("support", samples.T0 + 99, 3, samples.T0))
    assert not connection.has_news(complete=True)
    assert connection.take(10, complete=True) == []


@pytest.mark.parametrize("name", ["a/b", "all#", "+", "x\x07y"])
def test_a_queue_with_an_unfit_name_is_left_out_and_noted(name: str) -> None:
    site = Site(queue(name, 1), queue("support", 1))
    assert [topic for topic, _ in site.connect().take(10, complete=True)] == [SUPPORT]
    assert site.maker.unfit == {name}


def test_a_queue_that_is_gone_goes_with_its_announcement() -> None:
    site = Site(queue("support", 1), queue("sales", 1))
    connection = site.connect(DISCOVERY)
    first = dict(connection.take(10, complete=True))
    site.show(queue("support", 2))
    later = dict(connection.take(10, complete=True))
    gone = {topic for topic, payload in later.items() if not payload}
    assert gone == {SALES, *DISCOVERY.of_queue("sales")}
    assert set(later) - gone == {SUPPORT}, "an announcement is sent once"
    assert gone < first.keys()


@pytest.mark.parametrize("seen_first", [True, False])
def test_what_no_state_claims_is_removed_once_the_board_is_complete(seen_first: bool) -> None:
    left = [samples.TOPICS.state("queue", "closed"), *DISCOVERY.of_queue("closed")]
    site = Site()
    connection = site.connect(DISCOVERY)
    if seen_first:
        for topic in (*left, SUPPORT):
            connection.seen(topic)
        assert not [topic for topic, payload in connection.take(10, complete=False) if not payload]
    site.show(queue("support", 1))
    sent = dict(connection.take(10, complete=True))
    if not seen_first:
        for topic in (*left, SUPPORT):
            connection.seen(topic)
        assert connection.has_news(complete=True)
        sent |= dict(connection.take(10, complete=True))
    assert {topic for topic, payload in sent.items() if not payload} == set(left)
    assert sent[SUPPORT]
    assert not connection.has_news(complete=True)


def test_a_snapshot_taken_in_pages_removes_nothing_that_comes_on_a_later_page() -> None:
    names = [f"q{number}" for number in range(20)]
    site = Site(*(queue(name, 1) for name in names))
    connection = site.connect()
    for name in names:
        connection.seen(samples.TOPICS.state("queue", name))
    sent = []
    while connection.has_news(complete=True):
        sent += connection.take(3, complete=True)
    assert len(sent) == len(names)
    assert all(payload for _, payload in sent)


def test_everything_again_includes_the_removal_of_what_went_meanwhile() -> None:
    site = Site(queue("support", 1), queue("sales", 1))
    connection = site.connect(DISCOVERY)
    connection.take(10, complete=True)
    site.show(queue("support", 1))
    connection.all_again()
    sent = dict(connection.take(10, complete=True))
    assert {topic for topic, payload in sent.items() if not payload} == {SALES, *DISCOVERY.of_queue("sales")}
    assert {SUPPORT, *DISCOVERY.of_queue("support"), *DISCOVERY.of_daemon()} <= sent.keys()


# -- what Home Assistant makes of it ----------------------------------------------------------------------------------


def rendered(key: str, state: dict[str, Any]) -> str:
    """What the sensor's template gives for a state, as Home Assistant's JSON templates work."""
    import jinja2

    (config,) = [config for topic, config in DISCOVERY.of_queue("support").items() if f"_{key}/" in topic]
    return jinja2.Environment(autoescape=False).from_string(config["value_template"]).render(value_json=state)


STATE = {"waiting": 2, "oldest_joined_at": "2026-01-31T13:05:03.120Z", "window": {"service_level": 0.8190}}


def test_sensors_show_the_figures() -> None:
    assert rendered("waiting", STATE) == "2"
    assert rendered("oldest", STATE) == STATE["oldest_joined_at"]
    assert rendered("service_level", STATE) == "81.9"
    assert rendered("service_level", STATE | {"window": {"service_level": 0.0}}) == "0.0"


@pytest.mark.parametrize("window", [None, {"service_level": None}, {}])
def test_a_number_or_time_that_is_not_known_is_none(window: dict[str, Any] | None) -> None:
    """Home Assistant refuses every other word, `unknown` too, for a number or a time stamp."""
    state = STATE | {"window": window, "oldest_joined_at": None}
    assert (rendered("service_level", state), rendered("oldest", state)) == ("None", "None")
