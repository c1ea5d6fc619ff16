"""The AMI link's life: logins refused, peers silent or gone, and an end that is one."""

import asyncio
from typing import Any

import pytest

from callflow.errors import NotConnected
from tests.adapters.ami_peer import AmiPeer, Watched, connected, friendly, mute, refusing
from tests.adapters.waiting import WAIT_S, until


async def test_a_peer_gone_silent_is_noticed(peer: AmiPeer) -> None:
    """Stock panoramisk waits for ever."""
    async with connected(peer, ping_interval_s=0.1, ping_timeout_s=0.1) as watched:
        peer.reply = mute("Ping", "Getvar")
        waiting = asyncio.create_task(watched.link.action("Getvar", timeout_s=WAIT_S))
        await peer.got("Getvar")
        silent_at = asyncio.get_running_loop().time()
        assert "no sign of life" in await watched.down()
        assert asyncio.get_running_loop().time() - silent_at < 2
        with pytest.raises(NotConnected):
            await waiting
        peer.reply = friendly
        await watched.up()


async def test_a_peer_that_answers_pings_is_kept(peer: AmiPeer) -> None:
    async with connected(peer, ping_interval_s=0.02, ping_timeout_s=0.5) as watched:
        await peer.got("Ping", count=5)
        assert watched.link.connected
        assert watched.downs.empty()
        assert peer.connections == 1


async def test_a_faulty_callback_does_not_end_the_link(peer: AmiPeer) -> None:
    watched = Watched(peer.port, frozenset())
    watched.link._on_up = lambda: 1 / 0  # type: ignore[assignment]
    await watched.link.start()
    await peer.got("Login")
    peer.drop()
    await watched.down()
    await peer.got("Login", count=2)
    assert watched.link.counts["callback_failures"] >= 1
    await watched.link.stop()


async def test_a_refused_first_login_is_fatal(peer: AmiPeer) -> None:
    """Stock panoramisk says nothing and tries again every two seconds."""
    peer.reply = refusing
    watched = Watched(peer.port, frozenset())
    await watched.link.start()
    refusal = await watched.refused()
    assert refusal.fatal
    assert refusal.message == "Authentication failed"
    assert "manager.conf" in refusal.remedy
    await ended(watched)
    with pytest.raises(NotConnected, match="login refused"):
        await watched.link.action("Ping")
    assert peer.connections == 1


async def test_later_refusals_back_off_and_the_fifth_in_a_row_is_fatal(peer: AmiPeer) -> None:
    async with connected(peer) as watched:
        peer.reply = refusing
        peer.drop()
        await watched.down()
        refusals = [await watched.refused() for _ in range(5)]
        assert [refusal.fatal for refusal in refusals] == [False] * 4 + [True]
        await ended(watched)


async def test_a_login_in_between_begins_the_count_anew(peer: AmiPeer) -> None:
    async with connected(peer) as watched:
        for _ in range(2):
            peer.reply = refusing
            peer.drop()
            await watched.down()
            refusals = [await watched.refused() for _ in range(3)]
            assert [refusal.in_a_row for refusal in refusals] == [1, 2, 3]
            peer.reply = friendly
            await watched.up()
            while not watched.refusals.empty():
                watched.refusals.get_nowait()


async def test_a_login_that_is_not_answered_is_tried_again(peer: AmiPeer) -> None:
    peer.reply = mute("Login")
    watched = Watched(peer.port, frozenset(), login_timeout_s=0.05)
    await watched.link.start()
    await peer.got("Login", count=2)
    peer.reply = friendly
    await watched.up()
    assert watched.refusals.empty()
    await watched.link.stop()


async def test_a_peer_that_comes_late_is_found(peer: AmiPeer) -> None:
    """The first failure is a warning, its repeats are told at debug."""
    await peer.deafen()
    watched = Watched(peer.port, frozenset())
    told: list[str] = []
    watched.link._log = Teller(told)
    await watched.link.start()
    await until(lambda: watched.link.counts["failed_connects"] >= 4)
    assert told[:4] == ["warning", "debug", "debug", "debug"]
    await peer.listen(peer.port)
    await watched.up()
    await watched.link.stop()


@pytest.mark.parametrize("moment", ["connecting", "logging in", "waiting", "up"])
async def test_stop_is_final(peer: AmiPeer, moment: str) -> None:
    """Stock panoramisk reconnects after a close() while it waits, and never after a cancelled connect."""
    if moment == "waiting":
        await peer.deafen()
    peer.reply = mute("Login") if moment == "logging in" else friendly
    watched = Watched(peer.port, frozenset(), reconnect_min_s=30, reconnect_max_s=30)
    await watched.link.start()
    if moment == "logging in":
        await peer.got("Login")
    elif moment == "up":
        await watched.up()
    elif moment == "waiting":
        await until(lambda: watched.link.counts["failed_connects"])
    await watched.link.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ami-")]
    assert watched.downs.empty()
    with pytest.raises(NotConnected, match="stopped"):
        await watched.link.action("Ping")
    await watched.link.start()
    if moment not in ("waiting", "logging in"):
        await watched.up()
    await watched.link.stop()


async def test_megabytes_without_an_end_cut_the_peer_off(peer: AmiPeer) -> None:
    async with connected(peer) as watched:
        peer.send(b"Event: Hangup\r\nUniqueid: " + b"x" * 2_000_000)
        assert await watched.down() == "a message without an end"
        await watched.up()


class Teller:
    """A log that remembers how loud it was told things."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def __getattr__(self, level: str) -> Any:
        return lambda *_, **__: self._told.append(level)


async def ended(watched: Watched) -> None:
    """Wait until the link has given up."""
    assert watched.link._task is not None
    await asyncio.wait_for(asyncio.shield(watched.link._task), WAIT_S)
