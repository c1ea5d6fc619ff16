"""Phones that share one UDP port: each has its own number, its own calls, and a part in the common log."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NamedTuple, Self

from callflow.lab.phone.call import Call, State
from callflow.lab.phone.dialog import Dialog
from callflow.lab.phone.media import SILENCE, Media, Pacer, tone
from callflow.lab.phone.messages import Address, Message, parse, respond, user_of
from callflow.lab.phone.transactions import Transactions
from callflow.lab.phone.udp import TimedSocket

OnCall = Callable[[Call], Awaitable[None]]
_EXPIRES_S = 600
_METHODS = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, NOTIFY, REFER, UPDATE"


class Logged(NamedTuple):
    """One SIP message; `at` is the kernel's time of arrival, or when it was sent (epoch seconds)."""

    at: float
    sent: bool
    message: Message


class Phone:
    """One number. It sends `tone_hz`, silence (0) or nothing (None) while it talks.

    Without `on_call` an incoming call waits in `next_call` for somebody to ring and answer it.
    """

    def __init__(self, bank: "PhoneBank", number: str, tone_hz: int | None, on_call: OnCall | None) -> None:
        self.number, self.tone_hz = number, tone_hz
        self.calls: list[Call] = []
        self.bank, self.on_call = bank, on_call
        self._arrived: asyncio.Queue[Call] = asyncio.Queue()

    def call(self, to: str, name: str = "") -> Call:
        """Place a call to a number at the bank's proxy; `name` is the caller's display name."""
        host, port = self.bank.proxy
        uri = f"sip:{to}@{host}:{port}"
        dialog = Dialog(self.bank.uri(self.number), uri, self.bank.address, target=uri, name=name)
        call = Call(self.bank, dialog, self._media())
        self._keep(call)
        call.begin()
        return call

    async def next_call(self, timeout_s: float = 10.0) -> Call:
        """The next call that comes in. Raises TimeoutError."""
        return await asyncio.wait_for(self._arrived.get(), timeout_s)

    async def register(self) -> None:
        """Tell the proxy where this number is. Raises NoAnswer, RuntimeError."""
        host, port = self.bank.proxy
        own = f"sip:{self.number}@{host}:{port}"
        dialog = Dialog(own, own, self.bank.address, target=f"sip:{host}:{port}")
        request = dialog.request("REGISTER", more=[("Expires", str(_EXPIRES_S))])
        response = await self.bank.transactions.ask(request, self.bank.proxy)
        if response.status != 200:
            raise RuntimeError(f"{self.number} could not register: {response.first}")

    def invited(self, invite: Message) -> None:
        """A call has come in."""
        call = Call(self.bank, Dialog.of_invite(invite, self.bank.address), self._media(), invite)
        self._keep(call)
        if self.on_call is None:
            self._arrived.put_nowait(call)
        else:
            self.bank.run(self.on_call(call))

    def _keep(self, call: Call) -> None:
        self.calls.append(call)
        self.bank.calls[call.call_id] = call

    def _media(self) -> Media:
        if self.tone_hz is None:
            return Media()
        return Media(background=tone(self.tone_hz) if self.tone_hz else SILENCE)


class PhoneBank:
    """The phones of one UDP port; everything they send goes to `proxy`, an Asterisk or another bank."""

    def __init__(self, proxy: Address, port: int = 0, host: str = "127.0.0.1") -> None:
        self.proxy, self.host = proxy, host
        self.phones: dict[str, Phone] = {}
        self.calls: dict[str, Call] = {}
        self.log: list[Logged] = []
        self.pacer = Pacer()
        self.transactions = Transactions(self._send)
        self._port = port
        self._socket: TimedSocket | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.failures: list[BaseException] = []
        """Exceptions in the phones' own behaviour."""

    async def __aenter__(self) -> Self:
        self._socket = TimedSocket.open(self._received, self.host, self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(call.hang_up() for call in self.calls.values()), return_exceptions=True)
        await self.pacer.stop()
        self._own.close()

    @property
    def address(self) -> Address:
        return self._own.address

    @property
    def _own(self) -> TimedSocket:
        if self._socket is None:
            raise RuntimeError("the phones are not open: use `async with`")
        return self._socket

    def phone(self, number: str, tone_hz: int | None = None, on_call: OnCall | None = None) -> Phone:
        """A new phone with this number."""
        self.phones[number] = Phone(self, number, tone_hz, on_call)
        return self.phones[number]

    def uri(self, number: str) -> str:
        """The URI of one of these phones."""
        return f"sip:{number}@{self.address[0]}:{self.address[1]}"

    def run(self, behaviour: Awaitable[None]) -> None:
        """Run a phone's behaviour as a task; its exception is kept in `failures`."""

        async def running() -> None:
            try:
                await behaviour
            except Exception as error:  # noqa: BLE001 - the judge of the scenario reads `failures`
                self.failures.append(error)

        task = asyncio.create_task(running())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def messages(self, call_id: str) -> list[Logged]:
        """Every message of one call, in order."""
        return [logged for logged in self.log if logged.message.call_id == call_id]

    def _send(self, message: Message, to: Address) -> None:
        self.log.append(Logged(self._own.send(message.encode(), to), True, message))

    def _received(self, data: bytes, sender: Address, at: float) -> None:
        try:
            message = parse(data)
        except ValueError:  # a keep-alive
            return
        self.log.append(Logged(at, False, message))
        if message.status:
            self.transactions.take_response(message)
        elif message.method == "ACK":
            self.transactions.take_ack(message)
        elif not self.transactions.is_repeated(message):
            self._take(message, sender)

    def _take(self, request: Message, sender: Address) -> None:
        if call := self.calls.get(request.call_id):
            call.take(request)
        elif request.method == "INVITE" and (phone := self.phones.get(user_of(request.uri))):
            self.transactions.answer(request, respond(request, 100), sender)
            phone.invited(request)
        else:
            status = {"OPTIONS": 200, "REGISTER": 200, "NOTIFY": 200, "INVITE": 404}.get(request.method, 481)
            self.transactions.answer(request, respond(request, status, more=[("Allow", _METHODS)]), sender)


__all__ = ["Call", "Logged", "OnCall", "Phone", "PhoneBank", "State"]
