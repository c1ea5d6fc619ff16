"""The MQTT link: reconnects with a new client whenever the connection ends."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

import aiomqtt

from callflow.adapters.mqtt.awaiting import AwaitedCollector
from callflow.adapters.mqtt.client import Client, new_client
from callflow.adapters.mqtt.options import MqttOptions
from callflow.adapters.mqtt.outgoing import Commands, Outbox, RecentlyConfirmed, States
from callflow.adapters.mqtt.session import MqttSession, Status
from callflow.core.backoff import Backoff
from callflow.core.publishing.topics import Topics
from callflow.errors import first_of

STOP_S = 2.5
AGAIN_S = 0.1


class MqttLink:
    """Sends what waits, for as long as it runs. While the broker is away everything waits."""

    def __init__(
        self,
        options: MqttOptions,
        topics: Topics,
        version: str,
        outbox: Outbox,
        states: States,
        now_ms: Callable[[], int],
        log: Any,
        awaited: AwaitedCollector | None = None,
        commands: Sequence[Commands] = (),
    ) -> None:
        """`commands`: what is taken from the broker."""
        self._awaited = awaited
        self._options = options
        self._topics = topics
        self._version = version
        self._outbox = outbox
        self._states = states
        self._now_ms = now_ms
        self._log = log
        self._commands = commands
        self._tls = options.tls_context()
        self._task: asyncio.Task[None] | None = None
        self._confirmed = RecentlyConfirmed(now_ms, options.unnoticed_ms)
        self._backoff = Backoff(options.reconnect_min_s, options.reconnect_max_s)
        self._reason = ""
        self._leaving = False
        self.connected = False
        self.counts: Counter[str] = Counter()
        """connections, failures."""

    def start(self) -> None:
        """Begin connecting; returns at once."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="mqtt")

    async def stop(self) -> None:
        """Say `offline` if the broker is connected, and end; takes `STOP_S` at most."""
        task, self._task = self._task, None
        ends = asyncio.get_running_loop().time() + STOP_S
        while task is not None and not task.done() and asyncio.get_running_loop().time() < ends:
            if not self._leaving:  # Python 3.11's wait_for loses a cancellation that comes together with its answer
                task.cancel()
            await asyncio.wait({task}, timeout=AGAIN_S)

    async def _run(self) -> None:
        while True:
            began_ms = self._now_ms()
            reason = await self._connection(began_ms)
            self.counts["failures"] += 1
            if self._backoff.session_ended((self._now_ms() - began_ms) / 1000):
                self._reason = ""
            self._warn(reason)
            await asyncio.sleep(self._backoff.pause_s())

    async def _connection(self, began_ms: int) -> str:
        """One connection; returns why it ended."""
        status = Status(uuid4().hex, began_ms, self._version)
        will = aiomqtt.Will(self._topics.status, status.payload("offline"), qos=1, retain=True)
        reason = "the connection ended"
        try:
            client_id = self._options.client_id or f"callflow-{self._topics.site}"
            client = new_client(self._options, client_id, will, self._tls)
            async with client:
                await self._live(client, status)
        except* (aiomqtt.MqttError, OSError, ValueError) as errors:
            reason = _reason(errors)
        finally:
            self.connected = False
        return reason

    async def _live(self, client: Client, status: Status) -> None:
        self.connected = True
        self.counts["connections"] += 1
        self._log.info("MQTT broker is connected", host=self._options.host, port=self._options.port)
        session = MqttSession(
            client,
            self._topics,
            status,
            self._outbox,
            self._states,
            self._confirmed,
            self._options,
            self._log,
            self._awaited,
            self._commands,
        )
        try:
            await session.run()
        except asyncio.CancelledError:
            self._leaving = True
            with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                await session.say_offline()
            raise
        finally:
            session.give_back()
            self._confirmed.broken()

    def _warn(self, reason: str) -> None:
        """The first failure of a kind is a warning; its repeats are logged at debug."""
        say = self._log.debug if reason == self._reason else self._log.warning
        self._reason = reason
        say(
            "MQTT broker is not connected; events wait in the outbox",
            host=self._options.host,
            port=self._options.port,
            reason=reason,
            remedy="see the broker, and [mqtt] host, port, username, password and tls",
        )


def _reason(errors: BaseExceptionGroup[BaseException]) -> str:
    """The first of the errors in one line."""
    error = first_of(errors)
    return str(error) or type(error).__name__
