"""Ratings on real Asterisk: what callers and agents do at the end of a call, judged from wire and database."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from statistics import median

import pytest

from callflow.lab.phone.call import State
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.processes.daemon import Daemon
from callflow.scenarios.site import Version
from tests.lab.rating_lab import PROMPTS, SPACING_S, Raters, rating_files
from tests.labs import EACH_ASTERISK, rows

pytestmark = [pytest.mark.lab, pytest.mark.timeout(170)]
NEXT_QUESTION_MS = 150.0


async def all_three(one: Raters) -> None:
    await one.agent_leaves(await one.talk())
    for key in "543":
        await one.press(key)
    await one.over()


async def caller_hangs_up_first(one: Raters) -> None:
    await all_three(one)
    there = await one.talk()
    await one.mine.hang_up()
    await there.until(State.ENDED)


async def skips(one: Raters) -> None:
    await one.agent_leaves(await one.talk())
    for key in "#2#":
        await one.press(key)
    await one.over()


async def never_presses(one: Raters) -> None:
    await one.agent_leaves(await one.talk())
    await one.over(60)


async def wrong_keys(one: Raters) -> None:
    await one.agent_leaves(await one.talk())
    for key in "9*704":  # twice at the first question; once at the second, then 0; 4 at the third
        await one.press(key)
    await one.over()


async def leaves_in_the_middle(one: Raters) -> None:
    await one.agent_leaves(await one.talk())
    await one.press("4")
    await asyncio.sleep(1.0)
    await one.mine.hang_up()


async def agent_transfers_blind(one: Raters) -> None:
    there = await one.talk()
    await there.refer("99")  # its final status is that of the extension's end
    await there.hang_up()
    await one.over()


async def agent_transfers_attended(one: Raters) -> None:
    there = await one.talk()
    second_phone = one.lab.phone(one.second_agent)
    consultation = one.lab.bank.phones[one.agent].call(one.second_agent)
    second = await second_phone.next_call()
    second.ring()
    await second.answer()
    await consultation.until(State.TALKING)
    # Before that, Asterisk puts the caller into the consultation's Dial: its dialplan is over when the second agent
    # hangs up.
    await one.lab.event("BridgeEnter", Exten=one.second_agent)
    assert await there.refer_replaces(consultation) < 300
    await asyncio.sleep(0.5)
    await second.hang_up()
    await one.over()


def scenarios() -> list[Raters]:
    made = [
        ("all-three", "queue", all_three, "rfc4733"),
        ("info-keys", "queue", all_three, "info"),
        ("line", "line", all_three, "rfc4733"),
        ("caller-first", "queue", caller_hangs_up_first, "rfc4733"),
        ("skips", "queue", skips, "rfc4733"),
        ("never-presses", "queue", never_presses, "rfc4733"),
        ("wrong-keys", "queue", wrong_keys, "rfc4733"),
        ("leaves-in-the-middle", "queue", leaves_in_the_middle, "rfc4733"),
        ("blind", "queue", agent_transfers_blind, "rfc4733"),
        ("attended", "queue", agent_transfers_attended, "rfc4733"),
        ("deaf", "deaf", never_presses, "rfc4733"),
    ]
    return [Raters(name, n, entry, act, by) for n, (name, entry, act, by) in enumerate(made, 1)]  # type: ignore[arg-type]


@asynccontextmanager
async def rating_lab(version: Version, raters: Sequence[Raters]) -> AsyncIterator[tuple[TalkLab, Daemon]]:
    async with talk_lab(version, lambda port: rating_files(port, list(raters))) as talks:
        for one in raters:
            one.talks = talks
        yield talks, await talks.lab.start_daemon({"prompts": {"default_language": "en"}})


async def place(raters: Sequence[Raters]) -> None:
    async def one_after(one: Raters, after_s: float) -> None:
        await asyncio.sleep(after_s)
        await one.act(one)

    await asyncio.gather(*(one_after(one, n * SPACING_S) for n, one in enumerate(raters)))


def ratings_of(daemon: Daemon, one: Raters) -> list[sqlite3.Row]:
    return rows(daemon.database, f"select * from ratings where agent = '{one.agent}' order by came_ms")


def scores(row: sqlite3.Row) -> tuple[int | None, ...]:
    return row["efficiency"], row["attitude"], row["correctness"]


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_what_callers_and_agents_do_at_the_end_of_a_call(version: Version) -> None:
    raters = scenarios()
    by_name = {one.name: one for one in raters}
    async with rating_lab(version, raters) as (talks, daemon):
        await place(raters)
        await daemon.stop()
        told = {event["Number"]: event["Rating"] for event in talks.ami.events if event.get("UserEvent") == "LabRating"}
        assert talks.bank.failures == []

        waits_ms: list[float] = []
        for name in ("all-three", "info-keys", "line", "caller-first"):
            one = by_name[name]
            first = ratings_of(daemon, one)[0]
            assert scores(first) == (5, 4, 3), name
            assert (first["ending"], first["not_asked"], first["wrong_keys"]) == ("completed", None, 0)
            assert told[one.caller] == "rated"
        for name in ("all-three", "info-keys", "line"):
            one = by_name[name]
            assert all(one.heard(prompt) is not None for prompt in PROMPTS)
            waits_ms += [one.next_prompt_ms(number) for number in range(3)]
        assert max(waits_ms) <= NEXT_QUESTION_MS, waits_ms
        print(f"\nkey to next question on {version}: median {median(waits_ms):.0f} ms, worst {max(waits_ms):.0f} ms")

        (_, first_to_leave) = ratings_of(daemon, by_name["caller-first"])
        assert first_to_leave["not_asked"] == "hung_up_first"

        (skipped,) = ratings_of(daemon, by_name["skips"])
        assert (scores(skipped), skipped["ending"]) == ((None, 2, None), "completed")
        (silent,) = ratings_of(daemon, by_name["never-presses"])
        assert (scores(silent), silent["ending"]) == ((None, None, None), "completed")
        (wrong,) = ratings_of(daemon, by_name["wrong-keys"])
        assert (scores(wrong), wrong["wrong_keys"]) == ((None, None, 4), 4)
        (left,) = ratings_of(daemon, by_name["leaves-in-the-middle"])
        assert (scores(left), left["ending"]) == ((4, None, None), "hung_up")

        for name in ("blind", "attended"):
            one = by_name[name]
            found = rows(
                daemon.database, f"select not_asked from ratings where agent in ('{one.agent}', '{one.second_agent}')"
            )
            assert [row["not_asked"] for row in found] == ["transferred"], (name, told.get(one.caller))
            assert told[one.caller] == "not_asked:transferred", name
            assert one.heard("rate_efficiency") is None

        deaf = by_name["deaf"]
        assert ratings_of(daemon, deaf) == []
        assert told[deaf.caller] == "unavailable"
        ended = next(one.at for one in talks.bank.messages(deaf.mine.call_id) if one.message.method == "BYE")
        audio = [frame.at for frame in deaf.mine.media.received]
        assert ended - audio[-1] < 1.0
        assert rows(daemon.database, "select * from ratings where ended_ms is null") == []


@pytest.mark.parametrize("version", EACH_ASTERISK)
async def test_a_daemon_that_dies_in_a_question_holds_nobody_up(version: Version) -> None:
    async def answers_once(one: Raters) -> None:
        await one.agent_leaves(await one.talk())
        await one.press("5")

    one = Raters("killed", 1, "queue", answers_once)
    async with rating_lab(version, [one]) as (talks, daemon):
        await place([one])
        await asyncio.sleep(0.5)
        await daemon.kill()
        await one.over(2.0)
        await talks.event("UserEvent", UserEvent="LabRating", Number=one.caller, Rating="unavailable")
        await daemon.start()
        await daemon.stop()
        (row,) = ratings_of(daemon, one)
    assert scores(row) == (5, None, None)
    assert row["ending"] == "interrupted"
