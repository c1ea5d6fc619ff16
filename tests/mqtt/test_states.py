"""Retained messages: what a newcomer finds at the broker is what is true now."""

import json
from pathlib import Path

from callflow.core.rings.current_states import AgentState, LineState
from callflow.core.rings.records import AgentWork
from callflow.processes.ports import PortBlock
from tests.mqtt.consumer import Consumer, consuming
from tests.mqtt.sending import sending
from tests.mqtt.waiting import soon
from tests.publishing import samples
from tests.services.mosquitto import Broker, settings_for

ROOT = "callflow/v1/lab"
STATUS = f"{ROOT}/status"
SUPPORT = f"{ROOT}/queue/support/state"


async def test_a_newcomer_finds_status_and_states(tmp_path: Path, broker: Broker) -> None:
    async with sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        sender.show(3, "support")
        sender.agents = [AgentState("1007", samples.T0, AgentWork.TALKING, samples.T0, ("support",))]
        sender.lines = [LineState("1001", samples.T0, 1, 0)]
        for number in range(4):
            sender.tell(number)
        await soon(lambda: sender.outbox.sent >= 12)
        newcomer = Consumer()
        async with consuming(broker.port, newcomer, "newcomer"):
            await soon(lambda: {SUPPORT, STATUS} <= newcomer.states.keys() and newcomer.states[SUPPORT] != "")
            await soon(lambda: json.loads(newcomer.states[SUPPORT])["window"])
            queue = json.loads(newcomer.states[SUPPORT])
            assert (queue["id"], queue["waiting"], queue["members"]) == ("support", 3, {"available": 2, "paused": 1})
            await soon(lambda: f"{ROOT}/line/1001/state" in newcomer.states)
            assert json.loads(newcomer.states[f"{ROOT}/agent/1007/state"])["work"] == "talking"
            status = json.loads(newcomer.states[STATUS])
            assert status["state"] == "online"
            assert set(status) == {"state", "session", "seq", "version"}
            assert newcomer.arrivals == [], "events are never retained"


async def test_a_queues_window_counts_an_answer_while_the_talk_lasts(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        sender.answer(1)
        sender.show(0, "support")
        await soon(lambda: SUPPORT in consumer.states)
        assert json.loads(consumer.states[SUPPORT])["window"]["answered_in_time"] == 1
        assert consumer.arrivals == [], "no event before the end"


async def test_a_clean_stop_says_offline_and_a_kill_leaves_it_to_the_will(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer):
        async with sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
            await soon(lambda: consumer.states.get(STATUS))
            born = json.loads(consumer.states[STATUS])
            assert sender.link.connected
        await soon(lambda: json.loads(consumer.states[STATUS])["state"] == "offline")
        gone = json.loads(consumer.states[STATUS])
        assert (gone["session"], gone["seq"]) == (born["session"], born["seq"])


async def test_a_late_will_does_not_bury_a_new_birth(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        await soon(lambda: consumer.states.get(STATUS))
        old = json.dumps({"state": "offline", "session": "an earlier life", "seq": 1, "version": "0"})
        async with broker.client() as other:
            await other.publish(STATUS, old, qos=1, retain=True)
        await soon(lambda: json.loads(consumer.states[STATUS])["session"] != "an earlier life")
        assert json.loads(consumer.states[STATUS])["state"] == "online"
        assert sender.link.counts["connections"] == 1


async def test_a_broker_that_forgot_everything_is_told_again(tmp_path: Path, ports: PortBlock) -> None:
    consumer = Consumer()
    async with (
        Broker(tmp_path / "forgetful", ports.named(), persistent=False) as forgetful,
        sending(tmp_path / "d", dict(settings_for(forgetful.port))) as sender,
    ):
        sender.show(1, "support", "sales")
        await soon(lambda: sender.link.connected)
        await forgetful.kill()
        await forgetful.start()
        async with consuming(forgetful.port, consumer):
            await soon(lambda: {SUPPORT, STATUS, f"{ROOT}/queue/sales/state"} <= consumer.states.keys())


async def test_a_queue_that_is_gone_is_removed_also_one_of_an_earlier_life(tmp_path: Path, broker: Broker) -> None:
    left_over = f"{ROOT}/queue/closed/state"
    async with broker.client() as other:
        await other.publish(left_over, '{"id": "closed"}', qos=1, retain=True)
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        sender.show(1, "support", "sales")
        await soon(lambda: f"{ROOT}/queue/sales/state" in consumer.states)
        sender.show(1, "support")
        await soon(lambda: consumer.states[f"{ROOT}/queue/sales/state"] == "")
        await soon(lambda: consumer.states.get(left_over) == "")


async def test_states_wait_while_ami_is_away(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        sender.show(1, "support")
        await soon(lambda: SUPPORT in consumer.states)
        sender.connected = False
        sender.show(9)
        sender.tell(1)
        await soon(lambda: len(consumer.table) == 3)
        assert consumer.states[SUPPORT], "what is not known now is not taken for gone"


async def test_states_wait_until_a_connected_asterisk_has_told_of_its_queues(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    mqtt = dict(settings_for(broker.port)) | {"home_assistant": True}
    async with consuming(broker.port, consumer), sending(tmp_path / "d", mqtt) as sender:
        sender.show(1, "support")
        await soon(lambda: SUPPORT in consumer.states)
        sender.queues_known = False
        sender.show(0)
        await sender.read_off_again()
        assert all(consumer.states.values()), "nothing is removed"
        sender.queues_known = True
        await soon(lambda: consumer.states[SUPPORT] == "")


async def test_home_assistant_finds_the_queues_and_is_told_again_when_it_starts(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    config = "homeassistant/sensor/callflow_lab/support_waiting/config"
    mqtt = dict(settings_for(broker.port)) | {"home_assistant": True}
    async with consuming(broker.port, consumer), sending(tmp_path / "d", mqtt) as sender:
        sender.show(2, "support")
        await soon(lambda: consumer.states.get(config))
        told = json.loads(consumer.states[config])
        assert told["state_topic"] == SUPPORT
        assert told["availability_topic"] == STATUS
        assert "homeassistant/binary_sensor/callflow_lab/connected/config" in consumer.states
        consumer.states.pop(config)
        async with broker.client() as home_assistant:
            await home_assistant.publish("homeassistant/status", "online", qos=1)
        await soon(lambda: consumer.states.get(config))
        sender.show(0)
        await soon(lambda: consumer.states[config] == "")


async def test_what_was_announced_of_a_queue_that_is_gone_is_removed_after_a_restart(
    tmp_path: Path, broker: Broker
) -> None:
    mqtt = dict(settings_for(broker.port)) | {"home_assistant": True}
    announced = {
        f"homeassistant/sensor/callflow_lab/sales_{key}/config" for key in ("waiting", "service_level", "oldest")
    }
    other_site = "homeassistant/sensor/callflow_elsewhere/sales_waiting/config"
    async with broker.client() as other:
        await other.publish(other_site, "{}", qos=1, retain=True)
    consumer = Consumer()
    async with consuming(broker.port, consumer):
        async with sending(tmp_path / "d", mqtt) as sender:
            sender.show(1, "support", "sales")
            await soon(lambda: announced <= consumer.states.keys())
        async with sending(tmp_path / "d", mqtt) as sender:
            sender.show(1, "support")
            await soon(lambda: not any(consumer.states[topic] for topic in announced))
            assert consumer.states["homeassistant/sensor/callflow_lab/support_waiting/config"]
    newcomer = Consumer()
    async with consuming(broker.port, newcomer, "newcomer"):
        await soon(lambda: STATUS in newcomer.states and other_site in newcomer.states)
        assert not announced & newcomer.states.keys()
        assert f"{ROOT}/queue/sales/state" not in newcomer.states


async def test_home_assistant_is_told_nothing_unless_asked(tmp_path: Path, broker: Broker) -> None:
    consumer = Consumer()
    async with consuming(broker.port, consumer), sending(tmp_path / "d", dict(settings_for(broker.port))) as sender:
        sender.show(2, "support")
        await soon(lambda: SUPPORT in consumer.states)
        assert not [topic for topic in consumer.states if topic.startswith("homeassistant/")]
