"""An action on its way: when its answer is whole."""

from typing import Any

from panoramisk.actions import Action

from callflow.errors import ActionRefused

Answer = list[dict[str, str]]

_GOOD = frozenset({"Success", "Follows", "Goodbye"})


class PendingAction(Action):  # type: ignore[misc]  # panoramisk is untyped
    """panoramisk's action with a rule of its own for the end of an answer, which always comes or fails.

    Everything but a list ends with its response: an Originate's outcome is an event, not an answer.
    """

    def __init__(self, headers: dict[str, Any], *, as_list: bool = False) -> None:
        super().__init__(headers, as_list=as_list)
        # Nobody may be waiting any more (a ping, a cancelled caller): its failure is then nobody's business.
        self.future.add_done_callback(lambda future: future.cancelled() or future.exception())

    @property
    def name(self) -> str:
        """The action's name, as Asterisk spells it."""
        return str(self["Action"])

    def add_message(self, message: dict[str, str]) -> bool:
        """Take one message of the answer; True when the answer is whole."""
        if self.future.done():
            return True
        response = None if "Event" in message else message.get("Response")
        if response is not None and response not in _GOOD:
            return self._fail(message.get("Message", response))
        ending = message.get("EventList", "").lower()
        if ending == "cancelled":
            return self._fail("list cancelled")
        self.responses.append(message)
        if self.as_list and not (ending == "complete" or message.get("Event", "").endswith("Complete")):
            return False
        self.future.set_result(self.responses)
        return True

    def fail(self, error: Exception) -> None:
        """End the wait with `error`."""
        if not self.future.done():
            self.future.set_exception(error)

    def _fail(self, message: str) -> bool:
        self.fail(ActionRefused(self.name, message))
        return True
