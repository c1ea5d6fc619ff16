"""One call of a phone, from its INVITE to its end: ring, answer, refuse, hold, transfer, press keys, hang up."""

import asyncio
import re
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from typing import Literal, Protocol

from callflow.lab.phone import sdp
from callflow.lab.phone.dialog import Dialog, cancel_of
from callflow.lab.phone.media import Media, Pacer
from callflow.lab.phone.messages import Address, Message, respond, uri_of
from callflow.lab.phone.transactions import NoAnswer, Transactions

_TALK_PATIENCE_S = 10.0
_BOTH_ASKED = 491  # Request Pending: the peer's own re-INVITE is under way
_AGAIN_S, _MOST_INVITES = 0.3, 5


class State(StrEnum):
    """State of a call, in the order of its progress."""

    CALLING = "calling"
    RINGING = "ringing"
    TALKING = "talking"
    ENDED = "ended"


_ORDER = list(State)


class Line(Protocol):
    """What a call needs from the UDP port that the phones share."""

    transactions: Transactions
    pacer: Pacer
    proxy: Address
    host: str


class Call:
    """One side of one call; wait for its states with `until`."""

    def __init__(self, line: Line, dialog: Dialog, media: Media, invite: Message | None = None) -> None:
        self.dialog, self.media = dialog, media
        self.invite = invite
        self.incoming = invite is not None
        self.state = State.CALLING
        self.refused_with = 0
        """The status of the final refusal, sent or received; 0 without one."""
        self.referred: list[Message] = []
        """REFERs that came from the peer."""
        self._line = line
        self._here = media.open(line.host)
        self._peer: sdp.Described | None = sdp.read(invite.body) if invite else None
        self._direction: sdp.Direction = "sendrecv"
        self._version = 0
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []
        self._answer = ""
        self._transfer_status = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def call_id(self) -> str:
        return self.dialog.call_id

    async def until(self, state: State | Callable[[], bool], timeout_s: float | None = 10.0) -> None:
        """Wait for a state, or one beyond it, or for any condition of this call. Raises TimeoutError.

        `timeout_s` None: for ever.
        """
        reached: Callable[[], bool] = partial(self._is_at, state) if isinstance(state, State) else state
        if not reached():
            waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append((reached, waiting))
            await asyncio.wait_for(waiting, timeout_s)

    def _is_at(self, state: State) -> bool:
        return _ORDER.index(self.state) >= _ORDER.index(state)

    def _changed(self, state: State | None = None) -> None:
        if state is not None and _ORDER.index(state) > _ORDER.index(self.state):
            self.state = state
        for reached, waiting in self._waiting:
            if not waiting.done() and reached():
                waiting.set_result(None)
        self._waiting = [pair for pair in self._waiting if not pair[1].done()]

    def _describe(self, direction: sdp.Direction) -> str:
        self._version += 1
        self._direction = direction
        return sdp.write(sdp.Described(self._here, direction), self._version)

    def _connect(self) -> None:
        if self._peer is not None:
            self.media.connect(self._peer)
            self._line.pacer.add(self.media)

    # A call that this phone places

    def begin(self) -> None:
        """Send the INVITE; `state` follows the responses."""
        self.invite = self.dialog.request("INVITE", body=self._describe("sendrecv"))
        self._task = asyncio.create_task(self._ask(self.invite))

    async def _ask(self, invite: Message) -> None:
        try:
            response = await self._line.transactions.ask(invite, self._line.proxy, self._provisional)
        except NoAnswer:
            self._end()
            return
        if response.status >= 300:
            self.refused_with = response.status
            self._end()
            return
        self._provisional(response)
        ack = self.dialog.request("ACK", cseq=invite.cseq)
        self._line.transactions.acknowledge(response, ack, self._line.proxy)
        self._changed(State.TALKING)

    def _provisional(self, response: Message) -> None:
        self.dialog.learn(response)
        if described := sdp.read(response.body):
            self._peer = described
            self._connect()
        if response.status in (180, 183):
            self._changed(State.RINGING)

    # A call that comes in

    def ring(self, status: Literal[180, 181, 183] = 180, *, early_media: bool = False) -> None:
        """Send a provisional response, with SDP (and audio from here on) if `early_media`."""
        body = self._answer_body() if early_media else ""
        self._respond(status, body)
        if early_media:
            self._connect()
        self._changed(State.RINGING)

    async def answer(self) -> None:
        """Pick up; returns with the peer's ACK. Raises NoAnswer."""
        invite = self._invited()
        contact, tag = self.dialog.contact, self.dialog.local_tag
        response = respond(invite, 200, tag=tag, contact=contact, body=self._answer_body())
        self._connect()
        self._changed(State.TALKING)
        await self._line.transactions.answer_invite(invite, response, self._line.proxy)

    async def refuse(self, status: int = 486, contact: str = "") -> None:
        """End a call that has not been answered."""
        self.refused_with = status
        tag = self.dialog.local_tag
        response = respond(self._invited(), status, tag=tag, contact=contact)
        self._end()
        await self._line.transactions.answer_invite(self._invited(), response, self._line.proxy)

    async def forward(self, to: str) -> None:
        """Send the caller on to another number (302)."""
        await self.refuse(302, contact=f"sip:{to}@{self._line.proxy[0]}:{self._line.proxy[1]}")

    def _invited(self) -> Message:
        if self.invite is None:
            raise RuntimeError("this call has no INVITE yet")
        return self.invite

    def _answer_body(self) -> str:
        """The SDP that answers the INVITE: the same in every response to it."""
        self._answer = self._answer or self._describe(self._peer.answer_direction() if self._peer else "sendrecv")
        return self._answer

    def _respond(self, status: int, body: str = "") -> None:
        contact, tag = self.dialog.contact, self.dialog.local_tag
        response = respond(self._invited(), status, tag=tag, contact=contact, body=body)
        self._line.transactions.answer(self._invited(), response, self._line.proxy)

    # Both

    async def hang_up(self) -> None:
        """Send BYE, CANCEL or a refusal, depending on the state; nothing once the call has ended."""
        if self.state is State.ENDED:
            return
        if self.state is State.TALKING:
            self._end()
            await self._ask_peer(self.dialog.request("BYE"))
        elif self.incoming:
            await self.refuse(603)
        else:
            await self.cancel()

    async def cancel(self) -> None:
        """Give up an unanswered call; returns when it has ended."""
        await self._ask_peer(cancel_of(self._invited()))
        await self.until(lambda: self.state in (State.TALKING, State.ENDED))
        await self.hang_up()  # the peer may have answered before the CANCEL reached it

    async def hold(self, direction: Literal["sendonly", "inactive"] = "sendonly", *, silent: bool = True) -> None:
        """Put the peer on hold; `silent` phones send no RTP meanwhile."""
        await self._reinvite(direction)
        self.media.holding = silent

    async def resume(self) -> None:
        """Take the peer back from hold."""
        self.media.holding = False
        await self._reinvite("sendrecv")

    async def _reinvite(self, direction: sdp.Direction) -> None:
        """Negotiate another direction with the peer. Raises NoAnswer."""
        for _ in range(_MOST_INVITES):
            invite = self.dialog.request("INVITE", body=self._describe(direction))
            response = await self._ask_peer(invite)
            if response.status < 300:
                ack = self.dialog.request("ACK", cseq=invite.cseq)
                self._line.transactions.acknowledge(response, ack, self._line.proxy)
                self._peer = sdp.read(response.body) or self._peer
                self._connect()
                return
            if response.status != _BOTH_ASKED:
                break
            await asyncio.sleep(_AGAIN_S)
        raise NoAnswer(f"the re-INVITE with {direction} was refused: {response.first}")

    async def refer(self, to: str, timeout_s: float = _TALK_PATIENCE_S) -> int:
        """Transfer the peer blind to a number; the status of the transfer. Raises TimeoutError."""
        return await self._refer(f"<sip:{to}@{self._line.proxy[0]}:{self._line.proxy[1]}>", timeout_s)

    async def refer_replaces(self, other: "Call", timeout_s: float = _TALK_PATIENCE_S) -> int:
        """Connect the peer with the peer of `other`, whether that one talks or still rings. Raises TimeoutError."""
        status = await self._refer(f"<{other.dialog.remote}?Replaces={other.dialog.replaces}>", timeout_s)
        if status < 300:
            await other.hang_up()
        return status

    async def _refer(self, refer_to: str, timeout_s: float) -> int:
        """The final status: that of the REFER's refusal, or of the last NOTIFY. A phone hangs up once it succeeded."""
        self._transfer_status = 0
        more = [("Refer-To", refer_to), ("Referred-By", f"<{self.dialog.local}>")]
        response = await self._ask_peer(self.dialog.request("REFER", more=more))
        if response.status >= 300:
            return response.status
        await self.until(lambda: self._transfer_status >= 200 or self.state is State.ENDED, timeout_s)
        if self._transfer_status < 300:
            await self.hang_up()
        return self._transfer_status

    async def press(self, keys: str, by: Literal["rfc4733", "info"] = "rfc4733", held_s: float = 0.1) -> None:
        """Press keys, in the audio stream or by SIP INFO; returns when the last is sent."""
        if by == "rfc4733":
            await self.media.press(keys, held_s)
            return
        for key in keys:
            body = f"Signal={key}\r\nDuration={round(held_s * 1000)}\r\n"
            await self._ask_peer(self.dialog.request("INFO", body=body, kind="application/dtmf-relay"))

    async def _ask_peer(self, request: Message) -> Message:
        return await self._line.transactions.ask(request, self._line.proxy)

    def _end(self) -> None:
        self._line.pacer.remove(self.media)
        self.media.close()
        self._changed(State.ENDED)

    # What the peer asks

    def take(self, request: Message) -> None:
        """A request within this call has arrived; it is answered here."""
        match request.method:
            case "BYE":
                self._accept(request)
                self._end()
            case "CANCEL":
                self._cancelled(request)
            case "INVITE":
                self._reinvited(request)
            case "NOTIFY":
                self._accept(request)
                if found := re.search(r"SIP/2\.0 (\d+)", request.body):
                    self._transfer_status = int(found[1])
                    self._changed()
            case "REFER":
                self.referred.append(request)
                self._accept(request, 202)
                self._changed()
            case _:
                self._accept(request)

    def _accept(self, request: Message, status: int = 200, body: str = "") -> None:
        contact = self.dialog.contact
        self._line.transactions.answer(request, respond(request, status, contact=contact, body=body), self._line.proxy)

    def _cancelled(self, request: Message) -> None:
        self._accept(request)
        if self.state in (State.CALLING, State.RINGING):
            self._end()
            response = respond(self._invited(), 487, tag=self.dialog.local_tag)
            self._task = asyncio.create_task(
                self._line.transactions.answer_invite(self._invited(), response, self._line.proxy)
            )

    def _reinvited(self, request: Message) -> None:
        """The peer holds, resumes or moves its media: agree."""
        if described := sdp.read(request.body):
            self._peer = described
            self._connect()
        body = self._describe(self._peer.answer_direction(self._direction) if self._peer else self._direction)
        response = respond(request, 200, contact=self.dialog.contact, body=body)
        self._task = asyncio.create_task(self._line.transactions.answer_invite(request, response, self._line.proxy))

    async def notify(self, status: int) -> None:
        """Report the progress of the transfer that the peer asked for."""
        more = [("Event", "refer"), ("Subscription-State", "terminated" if status >= 200 else "active")]
        body = f"SIP/2.0 {status} Transfer\r\n"
        await self._ask_peer(self.dialog.request("NOTIFY", body=body, kind="message/sipfrag", more=more))

    @property
    def refer_target(self) -> str:
        """The URI of the last transfer that the peer asked for, "" without one."""
        return uri_of(self.referred[-1].get("Refer-To")) if self.referred else ""
