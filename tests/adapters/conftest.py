"""Peers for the adapters: each test gets its own, on a port the system chooses."""

from collections.abc import AsyncIterator

import pytest

from tests.adapters.agi_peer import Switchboard, switchboard
from tests.adapters.ami_peer import AmiPeer


@pytest.fixture
async def peer() -> AsyncIterator[AmiPeer]:
    peer = AmiPeer()
    await peer.listen()
    yield peer
    await peer.deafen()


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with switchboard() as board:
        yield board
