"""The retained messages by which Home Assistant finds our states (MQTT discovery in its documentation)."""

import hashlib
import re
from collections.abc import Mapping
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
            "value_template": "{% set level = (value_json.window or {}).service_level %}"
            "{{ (level * 100) | round(1) if level is number else None }}",
            "state_class": "measurement",
            "unit_of_measurement": "%",
            "icon": "mdi:gauge",
        },
    ),
    (
        "oldest",
        "oldest caller since",
        {"value_template": "{{ value_json.oldest_joined_at or None }}", "device_class": "timestamp"},
    ),
)
"""Key, name and configuration of each. Home Assistant takes the text `None` for a number or time that is not known,
and refuses any other text there, also `unknown`."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """Makes one sensor for each figure of each queue, and one for the daemon itself."""

    topics: Topics
    prefix: str
    version: str

    @property
    def own_configs(self) -> str:
        """The topic filter of every announcement that this site has made."""
        return f"{self.prefix}/+/{self._node}/+/config"

    @property
    def birth(self) -> str:
        """The topic on which Home Assistant says `online` when it starts."""
        return f"{self.prefix}/status"

    def of_daemon(self) -> dict[str, Mapping[str, Any]]:
        """Topic and configuration of the daemon's own sensor."""
        return {self._topic("binary_sensor", "connected"): self._connected()}

    def of_queue(self, queue: str) -> dict[str, Mapping[str, Any]]:
        """Topic and configuration of each sensor of a queue."""
        return {
            self._topic("sensor", f"{_object_id(queue)}_{key}"): {
                "name": f"{queue} {name}",
                "unique_id": self._unique(f"{_object_id(queue)}_{key}"),
                "state_topic": self.topics.state("queue", queue),
                **self._available(),
                **config,
                "device": self._device(),
            }
            for key, name, config in _SENSORS
        }

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
        return f"{self.prefix}/{component}/{self._node}/{unique}/config"

    def _unique(self, name: str) -> str:
        return f"{self._node}_{name}"

    @property
    def _node(self) -> str:
        """The level of the topics that tells this site from others."""
        return _object_id(f"callflow_{self.topics.site}")


def _object_id(name: str) -> str:
    """A name with letters, digits, _ and - only; where others are replaced, a hash keeps two names apart."""
    plain = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    return plain if plain == name else f"{plain}_{hashlib.sha256(name.encode()).hexdigest()[:6]}"
