"""Home Assistant finds our states by retained messages (its documentation: MQTT discovery)."""

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from callflow.core.publishing.topics import Topics

_SENSORS: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    (
        "waiting",
        "callers waiting",
        {
            "value_template": "{{ value_json.waiting }}",
            "state_class": "measurement",
            "unit_of_measurement": "callers",
            "icon": "mdi:phone-in-talk",
        },
    ),
    (
        "service_level",
        "service level",
        {
            "value_template": "{% if value_json.window and value_json.window.service_level is not none %}"
            "{{ (value_json.window.service_level * 100) | round(1) }}{% else %}unknown{% endif %}",
            "state_class": "measurement",
            "unit_of_measurement": "%",
            "icon": "mdi:gauge",
        },
    ),
    (
        "oldest",
        "oldest caller since",
        {
            "value_template": "{{ value_json.oldest_joined_at if value_json.oldest_joined_at else 'unknown' }}",
            "device_class": "timestamp",
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Discovery:
    """Makes one sensor for each figure of each queue, and one for the daemon itself."""

    topics: Topics
    prefix: str
    version: str

    def configs(self, queues: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Topic and payload of every config message."""
        found = {self._topic("binary_sensor", "connected"): self._connected()}
        for queue in queues:
            for key, name, config in _SENSORS:
                unique = f"{_object_id(queue)}_{key}"
                found[self._topic("sensor", unique)] = {
                    "name": f"{queue} {name}",
                    "unique_id": self._unique(unique),
                    "state_topic": self.topics.state("queue", queue),
                    **self._available(),
                    **config,
                    "device": self._device(),
                }
        return found

    def _connected(self) -> Mapping[str, Any]:
        return {
            "name": "connected",
            "unique_id": self._unique("connected"),
            "state_topic": self.topics.status,
            "value_template": "{{ value_json.state }}",
            "payload_on": "online",
            "payload_off": "offline",
            "device_class": "connectivity",
            "device": self._device(),
        }

    def _available(self) -> Mapping[str, Any]:
        return {
            "availability_topic": self.topics.status,
            "availability_template": "{{ value_json.state }}",
        }

    def _device(self) -> Mapping[str, Any]:
        return {
            "identifiers": [self._unique("daemon")],
            "name": f"callflow {self.topics.site}",
            "manufacturer": "callflow",
            "sw_version": self.version,
        }

    def _topic(self, component: str, unique: str) -> str:
        return f"{self.prefix}/{component}/{_object_id(f'callflow_{self.topics.site}')}/{unique}/config"

    def _unique(self, name: str) -> str:
        return f"{_object_id(f'callflow_{self.topics.site}')}_{name}"


def _object_id(name: str) -> str:
    """Only letters, digits, _ and - are allowed; a name that has others keeps apart from its like by a hash."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return plain if plain == name else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
