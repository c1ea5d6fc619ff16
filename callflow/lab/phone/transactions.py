"""Transactions over UDP: retransmits unanswered requests, and answers retransmitted ones (RFC 3261, 17)."""

import asyncio
from collections.abc import Callable
from typing import Any

from callflow.lab.phone.dialog import ack_of
from callflow.lab.phone.messages import Address, Message

T1_S, T2_S = 0.5, 4.0
Send = Callable[[Message, Address], None]
OnResponse = Callable[[Message], None]


class NoAnswer(Exception):
    """The peer did not answer a request in time."""


class _Asked:
    """A request of ours that waits for its final response."""

    def __init__(self, request: Message, to: Address, on_provisional: OnResponse | None) -> None:
        self.request, self.to, self.on_provisional = request, to, on_provisional
        loop = asyncio.get_running_loop()
        self.provisional: asyncio.Future[None] = loop.create_future()
        self.final: asyncio.Future[Message] = loop.create_future()
        self.ack: Message | None = None


class Transactions:
    """Every transaction of one UDP port."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._asked: dict[tuple[str, str], _Asked] = {}
        self._answers: dict[tuple[str, int, str], tuple[Message, Address]] = {}
        self._unacknowledged: dict[tuple[str, int], asyncio.Future[None]] = {}

    async def ask(
        self, request: Message, to: Address, on_provisional: OnResponse | None = None, timeout_s: float = 10.0
    ) -> Message:
        """The final response; a refusal of an INVITE is acknowledged. An INVITE that rings waits without end.

        Raises NoAnswer.
        """
        asked = _Asked(request, to, on_provisional)
        self._asked[request.branch, request.method] = asked
        loop = asyncio.get_running_loop()
        ends_at, pause_s = loop.time() + timeout_s, T1_S
        enough: list[asyncio.Future[Any]] = [asked.final, *([asked.provisional] if request.method == "INVITE" else [])]
        while not any(future.done() for future in enough):
            if loop.time() > ends_at:
                raise NoAnswer(f"{request.method} {request.uri} was not answered in {timeout_s:g} s")
            self._send(request, to)
            await asyncio.wait(enough, timeout=pause_s, return_when=asyncio.FIRST_COMPLETED)
            pause_s = min(2 * pause_s, T2_S)
        return await asked.final

    def acknowledge(self, response: Message, ack: Message, to: Address) -> None:
        """Send the ACK of a 200, now and whenever that 200 is repeated."""
        if asked := self._asked.get((response.branch, response.method)):
            asked.ack = ack
        self._send(ack, to)

    def take_response(self, response: Message) -> None:
        """A response has arrived."""
        asked = self._asked.get((response.branch, response.method))
        if asked is None:
            return
        if response.status < 200:
            if not asked.provisional.done():
                asked.provisional.set_result(None)
            if asked.on_provisional and not asked.final.done():
                asked.on_provisional(response)
            return
        if response.method == "INVITE" and response.status >= 300:
            asked.ack = asked.ack or ack_of(asked.request, response)
            self._send(asked.ack, asked.to)
        elif asked.ack and asked.final.done():
            self._send(asked.ack, asked.to)
        if not asked.final.done():
            asked.final.set_result(response)

    def is_repeated(self, request: Message) -> bool:
        """True for a request that came before; its answer, if there is one, is sent again."""
        key = (request.call_id, request.cseq, request.method)
        if key not in self._answers:
            return False
        answer, to = self._answers[key]
        self._send(answer, to)
        return True

    def answer(self, request: Message, response: Message, to: Address) -> None:
        """Send a response, and keep it for a repeated request."""
        self._answers[request.call_id, request.cseq, request.method] = response, to
        self._send(response, to)

    async def answer_invite(self, request: Message, response: Message, to: Address, timeout_s: float = 10.0) -> None:
        """Send a final response to an INVITE until its ACK comes. Raises NoAnswer."""
        acknowledged: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._unacknowledged[request.call_id, request.cseq] = acknowledged
        loop = asyncio.get_running_loop()
        ends_at, pause_s = loop.time() + timeout_s, T1_S
        while not acknowledged.done():
            if loop.time() > ends_at:
                raise NoAnswer(f"the {response.status} to INVITE was not acknowledged in {timeout_s:g} s")
            self.answer(request, response, to)
            await asyncio.wait([acknowledged], timeout=pause_s)
            pause_s = min(2 * pause_s, T2_S)

    def take_ack(self, ack: Message) -> None:
        """An ACK has arrived."""
        waiting = self._unacknowledged.get((ack.call_id, ack.cseq))
        if waiting and not waiting.done():
            waiting.set_result(None)
