"""Mosquitto as Debian installs it starts with our configuration beside its own."""

import asyncio
import os
import re
from pathlib import Path

import aiomqtt

from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.processes.process import Process
from tests.docs.diagram import PROJECT
from tests.services.mosquitto import PASSWORD, Broker
from tests.services.programs import program

START_S = 10.0


async def test_our_configuration_goes_beside_debians(tmp_path: Path, ports: PortBlock) -> None:
    port = ports.named()
    (tmp_path / "conf.d").mkdir()
    Broker(tmp_path, port)  # makes the passwords
    ours = (PROJECT / "config/mosquitto/mosquitto.conf").read_text("utf-8").replace("1883", f"{port} {LOOPBACK}")
    ours = re.sub(r"^password_file .*$", f"password_file {tmp_path}/passwords", ours, flags=re.MULTILINE)
    ours = re.sub(r"^acl_file .*$", f"acl_file {PROJECT}/config/mosquitto/callflow.acl", ours, flags=re.MULTILINE)
    (tmp_path / "conf.d" / "callflow.conf").write_text(ours)
    debians = ["persistence true", f"persistence_location {tmp_path}/", f"include_dir {tmp_path}/conf.d"]
    if os.geteuid() == 0:
        debians.insert(0, "user root")
    (tmp_path / "mosquitto.conf").write_text("\n".join(debians) + "\n")
    process = await Process.start([program("mosquitto"), "-c", f"{tmp_path}/mosquitto.conf"], tmp_path, "mosquitto")
    try:
        async with asyncio.timeout(START_S):
            while not await _lets_in(port):  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.1)
    finally:
        await process.stop()


async def _lets_in(port: int) -> bool:
    try:
        async with aiomqtt.Client(LOOPBACK, port, username="callflow", password=PASSWORD):
            return True
    except aiomqtt.MqttError:
        return False
