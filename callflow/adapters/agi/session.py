"""One caller's FastAGI connection: commands out, answers, hang-up and end of file in."""

import asyncio
import re
import socket
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from panoramisk.fast_agi import Request

from callflow.adapters.agi.answers import Answer, AnswerReader, quoted
from callflow.adapters.agi.sending import sent
from callflow.errors import AgiClosedEarly, AgiError, AgiHangup, AgiRefused, AgiTimeout

COMMAND_TIMEOUT_S = 2.0
LONGEST_PROMPT_S = 60.0
ENDING_S = 0.1
"""How long Asterisk may take, after the answer to a command cut short, to say what ended the call; 1 ms is usual."""
CLOSED = "Asterisk closed the FastAGI connection"

_KEY = re.compile(r"200 result=(?P<key>[0-9A-D*]?)(?P<timeout> \(timeout\))?")


def _nothing() -> None:
    pass


class AgiSession(Request):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's request with a reader that always runs, so that an idle session notices the end of its call.

    Exactly one of `on_hangup` and `on_closed` is called, once, and neither after `close`. A session whose caller has
    hung up closes itself: Asterisk keeps a dead channel until its script has gone. Asterisk says HANGUP to a redirect
    and a fax tone, too: whether the caller has gone, only AMI can tell.
    """

    def __init__(
        self,
        app: Any,
        headers: Mapping[str, str],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        counts: Counter[str],
    ) -> None:
        super().__init__(app, headers, reader, writer, encoding="utf-8")
        self.variables: Mapping[str, str] = headers
        self.on_hangup: Callable[[], None] = _nothing
        self.on_closed: Callable[[], None] = _nothing
        self.last_words = ""
        """A command to send when the caller has hung up; nobody waits for its answer."""
        self._counts = counts
        self._turn = asyncio.Lock()
        self._awaited: deque[asyncio.Future[Answer]] = deque()
        self._ended: AgiError | None = None
        self._over = asyncio.Event()

    @property
    def closed(self) -> bool:
        """No command can be sent any more."""
        return self._ended is not None

    # -- commands -------------------------------------------------------------------------------------------------

    async def stream_file(self, path: str) -> int:
        """Play a sound file to its end or until it is stopped; the sample it ended at, 0 when nothing was played."""
        command = f'STREAM FILE {quoted(path)} ""'
        answer = await self._ask(command, None)
        if answer.failed:
            await self._raise_if_ending()
        if not answer.done and (not answer.failed or answer.number("endpos") > 0):
            raise AgiRefused(command, answer.text)
        return max(0, answer.number("endpos"))

    async def get_data(self, path: str, answer_ms: int) -> str | None:
        """Play a sound file that a key ends, and wait for one key after it: the key, "" for #, None for no key.

        `answer_ms` is counted from the end of the file.
        """
        command = f"GET DATA {quoted(path)} {answer_ms} 1"
        answer = await self._ask(command, LONGEST_PROMPT_S + answer_ms / 1000)
        if answer.failed:
            await self._raise_if_ending()
        found = _KEY.fullmatch(answer.text)
        if found is None:
            raise AgiRefused(command, answer.text)
        return None if found["timeout"] else found["key"]

    async def set_variable(self, name: str, value: str) -> None:
        """Set a variable of the channel."""
        await self.send_command(f"SET VARIABLE {quoted(name)} {quoted(value)}", COMMAND_TIMEOUT_S)

    async def send_command(self, command: str, timeout_s: float | None = None) -> Answer:
        """One command after the other; raises AgiHangup, AgiClosedEarly, AgiRefused or AgiTimeout."""
        answer = await self._ask(command, timeout_s)
        if not answer.done:
            raise AgiRefused(command, answer.text)
        return answer

    async def _ask(self, command: str, timeout_s: float | None) -> Answer:
        try:
            async with asyncio.timeout(timeout_s), self._turn:
                return await self._exchange(command)
        except TimeoutError:
            raise AgiTimeout(command, timeout_s or 0.0) from None

    async def _raise_if_ending(self) -> None:
        """A command cut short by the end of the call answers just before Asterisk says what ended it."""
        self._acknowledge()
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING_S):
                await self._over.wait()
        if self._ended is not None:
            raise type(self._ended)(str(self._ended))

    async def _exchange(self, command: str) -> Answer:
        if self._ended is not None:
            raise type(self._ended)(str(self._ended))
        if not sent(self.writer, command):
            raise AgiClosedEarly(CLOSED)
        awaited: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        # The future stays in line even if its caller has gone: answers carry no id, only an order.
        self._awaited.append(awaited)
        return await awaited

    def close(self) -> None:
        """Return the channel to the dialplan at once."""
        self._end(AgiClosedEarly("we closed the FastAGI connection"), _nothing)

    def _acknowledge(self) -> None:
        """Acknowledge at once: Asterisk holds back its next line until then, and Linux would take 40 ms."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None and hasattr(socket, "TCP_QUICKACK"):
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    # -- what comes in --------------------------------------------------------------------------------------------

    async def run(self, *, hung_up: bool = False) -> None:
        """Read until the connection ends. `hung_up`: HANGUP has come already."""
        if hung_up:
            self._hung_up()
        answers = AnswerReader()
        try:
            while line := await self.reader.readline():
                if line.rstrip(b"\r\n") == b"HANGUP":
                    self._hung_up()
                elif answer := answers.take(line):
                    self._answered(answer)
        except (ConnectionError, OSError):
            pass  # the same as the end of file
        except ValueError:
            self._counts["endless line"] += 1
        self._end(AgiClosedEarly(CLOSED), self.on_closed)

    def _hung_up(self) -> None:
        if self.last_words and not self.closed:
            sent(self.writer, self.last_words)
        self._end(AgiHangup("the caller hung up"), self.on_hangup)

    def _answered(self, answer: Answer) -> None:
        if not self._awaited:
            self._counts["unasked answers"] += 1
            return
        awaited = self._awaited.popleft()
        if not awaited.done():
            awaited.set_result(answer)

    def _end(self, error: AgiError, callback: Callable[[], None]) -> None:
        if self._ended is not None:
            return
        self._ended = error
        self._over.set()
        waiting, self._awaited = self._awaited, deque()
        for awaited in waiting:
            if not awaited.done():
                awaited.set_exception(error)
                awaited.exception()  # the waiter may be gone
        self._hang_up_socket()
        callback()

    def _hang_up_socket(self) -> None:
        """Close now, without waiting for a peer that does not read."""
        transport = self.writer.transport
        if transport.get_write_buffer_size():
            transport.abort()
        else:
            transport.close()
