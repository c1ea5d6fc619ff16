"""The standard of a queue holds for it whatever its name is."""

import pytest

from callflow.core.rings.names import safe_name
from callflow.core.service.targets import QueueTarget
from callflow.settings.model import Settings

OWN = QueueTarget(threshold_s=60, target_percent=95)


@pytest.mark.parametrize("name", ["sales", "Sales Team", "R&D", "sales@hq", "sales:2", "客服 一"])
def test_a_queue_has_its_own_standard_under_its_name_and_its_safe_name(name: str) -> None:
    targets = Settings(queues={name: OWN}).targets()
    assert targets.of(name) == targets.of(safe_name(name)) == OWN
    assert targets.of("another") == QueueTarget()
    assert targets.queues == {"default": QueueTarget(), safe_name(name): OWN}
