"""aiomqtt's client, with a guard: stock aiomqtt takes a broker's refusal of a message for a confirmation."""

from typing import Any

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode

from callflow.adapters.mqtt.options import MqttOptions

SHOWN_PENDING = 5


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


def collecting_client(options: MqttOptions, client_id: str, tls_context: Any) -> "Client":
    """A client for whom the broker keeps nothing: a queue would double what the publishers send again."""
    return Client(
        options.host,
        options.port,
        username=options.username or None,
        password=options.password.get_secret_value() or None,
        identifier=client_id,
        protocol=aiomqtt.ProtocolVersion.V5,
        clean_start=True,
        keepalive=options.keepalive_s,
        timeout=options.timeout_s,
        max_queued_incoming_messages=20_000,
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
