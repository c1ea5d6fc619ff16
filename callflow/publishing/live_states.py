"""The board of retained states, with a bell for whoever sends them."""

import asyncio
from collections.abc import Iterable, Sequence

from callflow.core.publishing.states import StateBoard


class LiveStates:
    """Tells the MQTT link when the board has news."""

    def __init__(self, board: StateBoard) -> None:
        self.board = board
        self._bell = asyncio.Event()

    def ring(self) -> None:
        """The board may have changed."""
        if self.board.waiting:
            self._bell.set()

    async def told(self) -> None:
        """Wait until there is news."""
        await self._bell.wait()
        self._bell.clear()

    def all_again(self) -> None:
        """Send everything once more."""
        self.board.all_again()
        self.ring()

    def take(self, most: int) -> Sequence[tuple[str, str]]:
        """Up to `most` (topic, payload)."""
        return self.board.take(most)

    def put_back(self, topics: Iterable[str]) -> None:
        """These may not have arrived."""
        self.board.put_back(topics)
        self.ring()

    def seen(self, topic: str) -> None:
        """The broker keeps this topic."""
        self.board.seen(topic)
