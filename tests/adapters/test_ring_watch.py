"""Whether Asterisk has told of its queues: what is not known yet must not be taken for gone."""

from pathlib import Path

import pytest

from callflow.core.commands import Command
from callflow.errors import LinkError
from callflow.runtime.ring_watch import RingWatch
from callflow.settings.model import Settings

MEMBER = {"Event": "QueueMember", "Queue": "support", "Location": "PJSIP/8012", "Name": "8012", "Status": "1"}


class Asterisk:
    """Answers QueueStatus, or fails to."""

    def __init__(self) -> None:
        self.fails = False

    async def queues(self) -> list[dict[str, str]]:
        if self.fails:
            raise LinkError("no answer in time")
        return [MEMBER]


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
        await watch.take_snapshot(0)
        assert watch.queues_known
        assert [agent.agent for agent in watch.tracker.agents(watch.now_ms())] == ["8012"]
        watch.link_lost("cut")
        assert not watch.queues_known
    watch.close()


async def test_an_asterisk_that_does_not_tell_is_not_waited_for(watch: RingWatch, asterisk: Asterisk) -> None:
    asterisk.fails = True
    watch.link_up()
    await watch.take_snapshot(0)
    assert watch.queues_known
    watch.close()
