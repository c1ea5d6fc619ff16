"""The look-up of a caller: in time, or not at all; garbage is a stranger."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from callflow.core.greetings.greeting import Acquaintance
from callflow.core.greetings.rules import GreetingRules
from callflow.runtime.caller_lookup import MOST_AT_ONCE, CallerLookup, read_answer

NUMBER = "+86 138/0000"


@asynccontextmanager
async def answering(
    answer: bytes, asked: list[bytes] | None = None, hold: bool = False
) -> AsyncIterator[GreetingRules]:
    """Settings for an HTTP server that says this; `hold` keeps the connection open behind it."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if asked is not None:
            asked.append(await reader.readline())
        writer.write(answer)
        if hold:
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield GreetingRules(lookup_url=f"http://127.0.0.1:{port}/callers/{{number}}?full=1")


def ok(body: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{body}".encode()


async def test_a_known_caller_and_their_own_prompt() -> None:
    asked: list[bytes] = []
    async with answering(ok('{"known": true, "prompt": "dear_friend"}'), asked) as rules:
        assert await CallerLookup().ask(rules, NUMBER) == Acquaintance(True, "dear_friend")
    assert asked == [b"GET /callers/%2B86%20138%2F0000?full=1 HTTP/1.0\r\n"]


@pytest.mark.parametrize(
    "answer",
    [b"", b"\xff\x00", b"HTTP/1.1 404 Not Found\r\n\r\n{}", ok(""), ok("[]"), ok('{"known": 1}'), ok("{" * 9000),
     ok('{"known": true, "prompt": "../../secret"}')],
)  # fmt: skip
async def test_garbage_is_a_stranger(answer: bytes) -> None:
    lookup = CallerLookup()
    async with answering(answer) as rules:
        assert await lookup.ask(rules, NUMBER) == Acquaintance()
    assert lookup.counts == {"failed": 1}


async def test_a_look_up_that_hangs_is_given_up() -> None:
    lookup = CallerLookup()
    async with answering(b"HTTP/1.1 200 OK\r\n", hold=True) as rules:
        began = time.monotonic()
        assert await lookup.ask(rules, NUMBER) == Acquaintance()
        assert time.monotonic() - began >= 0.29
    assert lookup.counts == {"timeout": 1}


async def test_only_so_many_are_asked_at_once() -> None:
    lookup = CallerLookup()
    async with answering(b"HTTP/1.1 200 OK\r\n", hold=True) as rules:
        await asyncio.gather(*(lookup.ask(rules, NUMBER) for _ in range(MOST_AT_ONCE + 5)))
    assert lookup.counts == {"timeout": MOST_AT_ONCE, "not asked": 5}


async def test_nobody_is_asked_about_a_withheld_number_or_without_a_hook() -> None:
    lookup = CallerLookup()
    assert await lookup.ask(GreetingRules(), NUMBER) == Acquaintance()
    assert await lookup.ask(GreetingRules(lookup_command=("/nowhere",)), "") == Acquaintance()
    assert lookup.counts == {}


@pytest.mark.parametrize(
    ("program", "counted"),
    [
        ('print(\'{"known": true}\') if sys.argv[1] == "+86 138/0000" else None', "known"),
        ("sys.stdout.write('x')", "failed"),
        ("import time; time.sleep(60)", "timeout"),
    ],
)
async def test_a_program_is_asked_with_the_number_as_one_argument(program: str, counted: str) -> None:
    lookup = CallerLookup()
    rules = GreetingRules(lookup_command=(sys.executable, "-S", "-c", f"import sys; {program}", "{number}"))
    for _ in range(20):  # a busy machine may start it too late
        await lookup.ask(rules, NUMBER)
        if lookup.counts[counted]:
            break
    assert lookup.counts[counted]


async def test_a_program_that_is_not_there_is_a_stranger() -> None:
    lookup = CallerLookup()
    assert await lookup.ask(GreetingRules(lookup_command=("/nowhere/at-all",)), NUMBER) == Acquaintance()
    assert lookup.counts == {"failed": 1}


def test_an_unknown_caller_has_no_prompt() -> None:
    assert read_answer(b'{"known": false, "prompt": "dear_friend"}') == Acquaintance()
