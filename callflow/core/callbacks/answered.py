"""Finds answered calls from or to callers on the list, in the events of bridges."""

from collections import OrderedDict
from collections.abc import Container, Mapping

from callflow.core.callbacks.numbers import caller_of

BRIDGES = 2_000


class AnsweredCalls:
    """A call is answered when a second channel comes into a bridge and one of the two names the caller."""

    def __init__(self) -> None:
        self._first: OrderedDict[str, str] = OrderedDict()
        """The caller who is named by the first channel of a bridge."""
        self._own: OrderedDict[str, None] = OrderedDict()

    def own_call(self, linkedid: str) -> None:
        """Our own call-backs are left out: whether they reached the caller is their attempt's to say."""
        self._own[linkedid] = None
        if len(self._own) > BRIDGES:
            self._own.popitem(last=False)

    def entered(self, event: Mapping[str, str], numbers: Container[str]) -> str | None:
        """The number, without `+`, of the caller with whom a call is answered now; `event` is BridgeEnter."""
        if event.get("Linkedid", "") in self._own:
            return None
        bridge = event.get("BridgeUniqueid", "")
        named = next(
            (n for name in ("CallerIDNum", "ConnectedLineNum") if (n := caller_of(event.get(name, ""))) in numbers), ""
        )
        if event.get("BridgeNumChannels", "") in ("0", "1"):
            if named:
                self._first[bridge] = named
                if len(self._first) > BRIDGES:
                    self._first.popitem(last=False)
            return None
        return self._first.pop(bridge, "") or named or None
