"""A broker of its own for each test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from callflow.processes.ports import PortBlock, take_ports
from tests.services.mosquitto import Broker


@pytest.fixture
def ports() -> Iterator[PortBlock]:
    with take_ports() as ports:
        yield ports


@pytest.fixture
async def broker(tmp_path: Path, ports: PortBlock) -> AsyncIterator[Broker]:
    async with Broker(tmp_path / "mosquitto", ports.named()) as broker:
        yield broker
