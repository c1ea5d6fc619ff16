"""AMI framing: bytes in, whole messages out, unwanted events dropped before anything is parsed."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from panoramisk.ami_protocol import AMIProtocol

from callflow.adapters.ami.framing import END, PendingAction, parse
from callflow.errors import NotConnected

MAX_MESSAGE_BYTES = 262_144
TURN_S = 0.01
"""Longest time that a flood of messages takes from the loop at once, so that prompts and the watchdog stay on time."""

_EVENT = b"Event: "
_BANNER = b"Asterisk Call Manager/"


def _event_name(raw: bytes) -> bytes:
    """Name of the event that `raw` begins with."""
    end = raw.find(b"\r\n")
    return raw[len(_EVENT) :] if end < 0 else raw[len(_EVENT) : end]


class GatedProtocol(AMIProtocol):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's AMI protocol without its faults; `factory` is the session that owns it.

    Nothing that a peer sends, and nothing that a callback raises, gets out of `data_received`.
    """

    def __init__(self, wanted: frozenset[bytes], factory: Any) -> None:
        self.wanted = wanted
        self._owner = factory
        self._now: Callable[[], float] = factory.loop.time
        self._tail = bytearray()
        self._lists = 0
        self._outgoing: list[str] = []
        self._inbox: deque[bytes] = deque()
        self._paused = False
        self.responses: dict[str, PendingAction] = {}
        self.counts: Counter[str] = factory.counts
        self.closed = False
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.factory = self._owner
        self.log = self._owner.log
        self.last_byte_at = self._now()

    # -- in -------------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Split the stream into messages and keep an incomplete one for later."""
        self.last_byte_at = self._now()
        if self._tail:
            # The end can only be in the seam or the new bytes, so a slow peer costs nothing extra.
            seam = max(0, len(self._tail) - 3)
            self._tail += data
            if self._tail.find(END, seam) < 0:
                self._bound_tail()
                return
            data = bytes(self._tail)
        messages = data.split(END)
        self._tail = bytearray(messages.pop())
        self._bound_tail()
        waiting = bool(self._inbox)
        self._inbox.extend(messages)
        if not waiting:
            self._read_inbox()

    def _read_inbox(self) -> None:
        """Handle the waiting messages for at most TURN_S; leave the rest to the next turns of the loop."""
        ends_at, inbox = self._now() + TURN_S, self._inbox
        while inbox:
            if self._take(inbox.popleft()) and self._now() > ends_at and inbox:
                self._pause_reading(True)
                self._owner.loop.call_soon(self._read_inbox)
                return
        self._pause_reading(False)

    def _pause_reading(self, pause: bool) -> None:
        if pause == self._paused or self.transport is None or self.transport.is_closing():
            return
        self._paused = pause
        if pause:
            self.transport.pause_reading()
        else:
            self.transport.resume_reading()

    def _take(self, raw: bytes) -> bool:
        """Handle one message; False for an unwanted event, which costs next to nothing."""
        if self._lists or not raw.startswith(_EVENT):
            self._answer(raw)
        elif _event_name(raw) in self.wanted:
            self._event(parse(raw))
        else:
            return False
        return True

    def _bound_tail(self) -> None:
        if len(self._tail) > MAX_MESSAGE_BYTES:
            self._tail = bytearray()
            self.abort("a message without an end")

    def _event(self, message: dict[str, str]) -> None:
        if self.closed:
            return
        if "\n" in message.get("Uniqueid", ""):
            self._torn(message)
        try:
            self.factory.dispatch(message)
        except Exception:
            self.counts["event_failures"] += 1
            self.log.exception("AMI event could not be handled", name=message.get("Event"))

    def _torn(self, message: dict[str, str]) -> None:
        """Count a message that contains a second one: the first values count, the rest of the second is lost."""
        self.counts["torn_messages"] += 1
        log = self.log.warning if self.counts["torn_messages"] == 1 else self.log.debug
        log("an AMI message has two Uniqueid headers; the first counts", name=message.get("Event"))

    def _answer(self, raw: bytes) -> None:
        """Handle a response, the banner, or an event while a list is being received."""
        raw = raw.lstrip(b"\r\n")  # Asterisk sometimes ends a message with one line break too many
        if raw.startswith(_BANNER):
            banner, _, raw = raw.partition(b"\r\n")
            self.version = banner[len(_BANNER) :].decode("ascii", "replace")
        message = parse(raw)
        action = self.responses.get(message.get("ActionID", ""))
        if action is not None:
            if action.add_message(message):
                self.forget(action)
        elif raw.startswith(_EVENT) and _event_name(raw) in self.wanted:
            self._event(message)
        elif "Response" in message and "Event" not in message:
            self.counts["unclaimed"] += 1

    # -- out ------------------------------------------------------------------------------------------------------

    def send(self, action: PendingAction) -> "asyncio.Future[list[dict[str, str]]]":
        """Write one action, together with the others of this turn; raises NotConnected if the connection is down."""
        if self.closed or self.transport is None or self.transport.is_closing():
            raise NotConnected("the connection is down")
        self.responses[action.id] = action
        self._lists += action.as_list
        if not self._outgoing:
            self._owner.loop.call_soon(self._write)
        self._outgoing.append(action.text)
        return action.future

    def _write(self) -> None:
        outgoing, self._outgoing = self._outgoing, []
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write("".join(outgoing).encode())

    def forget(self, action: PendingAction) -> None:
        """Stop waiting for the answer to `action`."""
        if self.responses.pop(action.id, None) is not None:
            self._lists -= action.as_list

    # -- the end --------------------------------------------------------------------------------------------------

    def abort(self, reason: str) -> None:
        """Drop the connection without waiting for the peer."""
        self._end(reason)
        if self.transport is not None:
            self.transport.abort()

    def close(self) -> None:
        """Close the connection; every pending action fails at once."""
        self._end("closed by us")
        self._write()
        if self.transport is not None:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer is gone. Pending actions fail and are not sent again."""
        while self._inbox:
            self._take(self._inbox.popleft())
        self._end(str(exc) if exc else "Asterisk closed the connection")

    def _end(self, reason: str) -> None:
        if self.closed:
            return
        self.closed = True
        waiting, self.responses, self._lists = list(self.responses.values()), {}, 0
        for action in waiting:
            action.fail(NotConnected(reason))
        self._owner.connection_lost(reason)
