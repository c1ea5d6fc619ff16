"""aiomqtt's client, with a guard: stock aiomqtt takes a broker's refusal of a message for a confirmation."""

from typing import Any

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from callflow.adapters.mqtt.options import MqttOptions

SHOWN_PENDING = 5
AT_ONCE = 1000
"""Most messages that a broker sends to a collector before one is taken; Mosquitto 2.0.11 now and then sends more."""


def new_client(options: MqttOptions, client_id: str, will: aiomqtt.Will, tls_context: Any) -> "Client":
    """A client for one connection; a client that is entered again sends what it had kept once more."""
    client = Client(
        options.host,
        options.port,
        username=options.username or None,
        password=options.password.get_secret_value() or None,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        will=will,
        keepalive=options.keepalive_s,
        timeout=options.timeout_s,
        max_inflight_messages=options.in_flight,
        max_queued_incoming_messages=1000,
        tls_context=tls_context,
    )
    client.pending_calls_threshold = 2 * options.in_flight + SHOWN_PENDING  # fewer are normal here
    return client


def collecting_client(options: MqttOptions, client_id: str, tls_context: Any) -> "CollectingClient":
    """A client for whom the broker keeps nothing when it goes: a queue would double what the publishers send again."""
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = AT_ONCE
    return CollectingClient(
        options.host,
        options.port,
        username=options.username or None,
        password=options.password.get_secret_value() or None,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        keepalive=options.keepalive_s,
        timeout=options.timeout_s,
        max_queued_incoming_messages=None,  # aiomqtt discards what a bounded queue has no room for
        properties=properties,
        tls_context=tls_context,
    )


class Client(aiomqtt.Client):
    """Ends the connection when the broker refuses a message (PUBACK with a failure)."""

    def _on_publish(self, client: Any, userdata: Any, mid: int, reason_code: Any, properties: Any) -> None:
        if isinstance(reason_code, ReasonCode) and reason_code.is_failure:
            if not self._disconnected.done():
                self._disconnected.set_exception(aiomqtt.MqttCodeError(reason_code, "the broker refused a message"))
            client.disconnect()  # aiomqtt does not close a connection that it takes for closed
            return
        super()._on_publish(client, userdata, mid, reason_code, properties)


class CollectingClient(Client):
    """Confirms a message once it is taken: the broker keeps what the collector has no room for, in its own queue."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._client.manual_ack_set(True)

    def taken(self, message: aiomqtt.Message) -> None:
        """The broker may send another one."""
        self._client.ack(message.mid, message.qos)
