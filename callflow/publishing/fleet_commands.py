"""What this node of a fleet is asked over MQTT: an order in, its answer out."""

from collections.abc import Callable
from typing import Protocol

import structlog

from callflow.core.fleet.orders import Answer, ListStep, Order, order_of
from callflow.core.publishing.topics import Topics
from callflow.errors import CallflowError

log = structlog.get_logger()


class ObeysFleet(Protocol):
    """Where orders go."""

    async def obey(self, order: Order | ListStep) -> Answer:
        """What came of an order, which may come twice; raises CallflowError when it is to be tried again."""
        ...


class FleetCommands:
    """An order without an answer comes again."""

    def __init__(self, topics: Topics, orders: Callable[[], ObeysFleet | None]) -> None:
        self._topics = topics
        self._orders = orders

    @property
    def filter(self) -> str:
        """What to subscribe to."""
        return self._topics.fleet_command

    def takes(self, topic: str) -> bool:
        """This is the topic of orders."""
        return topic == self._topics.fleet_command

    async def answer(self, topic: str, payload: str) -> tuple[str, str]:
        """Topic and payload of the answer; "" for an order that cannot be read or is to come again."""
        orders = self._orders()
        try:
            answer = None if orders is None else await orders.obey(order_of(payload))
        except (ValueError, CallflowError) as error:
            log.info("an order of the fleet was not carried out", reason=str(error)[:200])
            answer = None
        except Exception:
            log.exception("an order of the fleet failed")  # the connection to the broker goes on
            answer = None
        return self._topics.fleet_answer, answer.body() if answer is not None else ""
