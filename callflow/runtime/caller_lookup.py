"""One question about one caller, answered in time or not at all."""

import asyncio
from collections import Counter
from contextlib import suppress
from urllib.parse import quote, urlsplit

from callflow.core.documents import json_of
from callflow.core.greetings.greeting import Acquaintance
from callflow.core.greetings.rules import GreetingRules
from callflow.core.section import NAME

LONGEST_ANSWER = 4096
MOST_AT_ONCE = 20
"""Questions beyond these are not asked: a site that does not answer must not gather them."""


class CallerLookup:
    """`ask` never raises and never takes longer than `lookup_ms`; `counts` has the outcomes."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._asking = 0

    async def ask(self, rules: GreetingRules, number: str) -> Acquaintance:
        """What the site knows of a number; a stranger if it does not say."""
        if not number or not (rules.lookup_url or rules.lookup_command):
            return Acquaintance()
        if self._asking >= MOST_AT_ONCE:
            self.counts["not asked"] += 1
            return Acquaintance()
        self._asking += 1
        try:
            async with asyncio.timeout(rules.lookup_ms / 1000):
                answer = await (_by_http(rules.lookup_url, number) if rules.lookup_url else _by_program(rules, number))
            found = read_answer(answer)
        except TimeoutError:
            self.counts["timeout"] += 1
        except (OSError, ValueError, EOFError, asyncio.LimitOverrunError):
            self.counts["failed"] += 1
        else:
            self.counts["known" if found.known else "unknown"] += 1
            return found
        finally:
            self._asking -= 1
        return Acquaintance()


def read_answer(answer: bytes) -> Acquaintance:
    """JSON: {"known": true}, and "prompt" for a recording of the caller's own. Raises ValueError."""
    told = json_of(answer)
    if not isinstance(told, dict) or not isinstance(told.get("known"), bool):
        raise ValueError("the answer has no known: true or false")
    prompt = told.get("prompt", "")
    if not isinstance(prompt, str) or (prompt and not NAME.fullmatch(prompt)):
        raise ValueError("the answer's prompt is no name of a sound file")
    return Acquaintance(told["known"], prompt if told["known"] else "")


async def _by_program(rules: GreetingRules, number: str) -> bytes:
    command = [part.replace("{number}", number) for part in rules.lookup_command]
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LONGEST_ANSWER,
    )
    try:
        if process.stdout is None:
            raise ValueError("the program has no output")
        return await process.stdout.read(LONGEST_ANSWER)
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await asyncio.shield(asyncio.ensure_future(process.wait()))


async def _by_http(url: str, number: str) -> bytes:
    """GET without redirects, over plain HTTP/1.0: the answer ends with the connection."""
    parts = urlsplit(url.replace("{number}", quote(number, safe="")))
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80, limit=LONGEST_ANSWER)
    try:
        target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        writer.write(f"GET {target} HTTP/1.0\r\nHost: {parts.netloc.rpartition('@')[2]}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] != [b"200"]:
            raise ValueError("the answer is not 200")
        body = b""
        while chunk := await reader.read(LONGEST_ANSWER - len(body)):
            body += chunk
        return body
    finally:
        writer.transport.abort()
