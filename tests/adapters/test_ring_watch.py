"""Whether Asterisk has told of its queues: what is not known yet must not be taken for gone."""

from pathlib import Path

import pytest

from callflow.captures.capture_file import read_capture
from callflow.core.commands import Command
from callflow.core.rings.talk_events import TalkBegan, TalkEnded, TalkEvent
from callflow.errors import LinkError
from callflow.runtime.ring_watch import RingWatch
from callflow.settings.model import Settings
from tests.traces.make_ring_traces import FOLDER

MEMBER = {"Event": "QueueMember", "Queue": "support", "Location": "PJSIP/8012", "Name": "8012", "Status": "1"}


class Asterisk:
    """Answers QueueStatus, or fails to."""

    def __init__(self) -> None:
        self.fails = False
        self.waiting: list[dict[str, str]] = []

    async def queues(self) -> list[dict[str, str]]:
        if self.fails:
            raise LinkError("no answer in time")
        return [MEMBER, *self.waiting]


@pytest.fixture
def asterisk() -> Asterisk:
    return Asterisk()


@pytest.fixture
def watch(tmp_path: Path, asterisk: Asterisk) -> RingWatch:
    def keep(command: Command) -> None:
        pass

    return RingWatch(Settings(store={"path": tmp_path / "callflow.db"}), asterisk, keep)


async def test_queues_are_known_from_the_snapshot_until_the_link_is_lost(watch: RingWatch) -> None:
    assert not watch.queues_known
    for _ in range(2):
        watch.link_up()
        assert (watch.queues_known, watch.tracker.agents(watch.now_ms())) == (False, [])
        await watch.take_snapshot(0, None)
        assert watch.queues_known
        assert [agent.agent for agent in watch.tracker.agents(watch.now_ms())] == ["8012"]
        watch.link_lost("cut")
        assert not watch.queues_known
    watch.close()


async def test_an_asterisk_that_does_not_tell_is_not_waited_for(watch: RingWatch, asterisk: Asterisk) -> None:
    asterisk.fails = True
    watch.link_up()
    assert not await watch.take_snapshot(0, None)
    assert watch.queues_known
    asterisk.fails = False
    assert await watch.take_snapshot(0, None)
    watch.close()


JOIN = {
    "Event": "QueueCallerJoin",
    "Queue": "support",
    "Uniqueid": "Head Office-1795000000.1",
    "Channel": "PJSIP/trunk-00000001",
}


async def test_a_system_name_with_a_blank_does_not_split_a_stay_at_a_snapshot(
    watch: RingWatch, asterisk: Asterisk
) -> None:
    watch.link_up()
    watch.ami_event({"Event": "Newchannel"} | {name: JOIN[name] for name in ("Uniqueid", "Channel")})
    watch.ami_event(JOIN)
    asterisk.waiting = [JOIN | {"Event": "QueueEntry", "Wait": "0"}]
    await watch.take_snapshot(watch.now_ms() + 10, [{"Uniqueid": JOIN["Uniqueid"], "Channel": JOIN["Channel"]}])
    (queue,) = watch.tracker.queues(watch.now_ms())
    assert (queue.waiting, watch.tracker.live, watch.tracker.unresolved.total()) == (1, 1, 0)
    watch.close()


async def test_every_subscriber_hears_of_talks_whatever_another_does(watch: RingWatch) -> None:
    heard: list[TalkEvent] = []

    def fails(event: TalkEvent) -> None:
        raise ValueError("not today")

    watch.subscribe(fails)
    watch.subscribe(heard.append)
    for block in read_capture(FOLDER / "22" / "line.txt").events:
        watch.ami_event(dict(block.headers) | {"Timestamp": ""})
    assert [type(event) for event in heard] == [TalkBegan, TalkEnded]
    assert watch.failures == {"ValueError": 2}
    watch.close()


async def test_what_ended_unseen_is_over_though_the_queues_are_not_told(watch: RingWatch, asterisk: Asterisk) -> None:
    channel = {name: JOIN[name] for name in ("Uniqueid", "Channel")}
    watch.link_up()
    assert await watch.take_snapshot(0, None)
    watch.ami_event({"Event": "Newchannel"} | channel)
    watch.ami_event(JOIN)
    watch.link_lost("cut")
    watch.link_up()
    watch.ami_event(MEMBER | {"Event": "QueueMemberStatus", "Interface": "PJSIP/8012", "MemberName": "8012"})
    asterisk.fails = True
    assert not await watch.take_snapshot(watch.now_ms() + 10, [channel])
    assert [queue.waiting for queue in watch.tracker.queues(watch.now_ms())] == [1], "it may still wait"
    assert not await watch.take_snapshot(watch.now_ms() + 10, [])
    (queue,) = watch.tracker.queues(watch.now_ms())
    assert (queue.waiting, dict(watch.tracker.unresolved)) == (0, {"stay": 1})
    assert [agent.agent for agent in watch.tracker.agents(watch.now_ms())] == ["8012"], "members are not known to go"
    watch.close()
