"""Keys that a FastAGI command waits for: GET DATA, STREAM FILE with digits, WAIT FOR DIGIT."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

TIMED_OUT = "200 result= (timeout)\n"
FOREVER = 1e9


@dataclass(slots=True)
class Reading:
    """One command that takes keys; `answer` sends its result."""

    command: str
    timeout_s: float
    most: int
    stops: str
    """Keys that end STREAM FILE; others are ignored and lost."""
    answer: Callable[[str], None]
    digits: str = ""
    timer: asyncio.TimerHandle | None = None

    def listen(self) -> None:
        """The prompt has ended, or there is none: the timeout begins."""
        if self.timer is not None:
            self.timer.cancel()
        if self.timeout_s < FOREVER:
            self.timer = asyncio.get_running_loop().call_later(self.timeout_s, self.expire)

    def expire(self) -> None:
        """The timeout has passed."""
        if self.command == "GET DATA":
            self.finish(f"200 result={self.digits}{' (timeout)' if not self.digits else ''}\n")
        else:
            self.finish("200 result=0\n")

    def take(self, key: str) -> bool:
        """A key was released; True if it stops the prompt."""
        if self.command == "WAIT FOR DIGIT":
            self.finish(f"200 result={ord(key)}\n")
        elif self.command == "STREAM FILE":
            return key in self.stops
        elif key == "#":
            self.finish(f"200 result={self.digits}\n")
        else:
            self.digits += key
            if len(self.digits) >= self.most:
                self.finish(f"200 result={self.digits}\n")
            else:
                self.listen()
        return True

    def finish(self, text: str) -> None:
        """Send the result; the command is over."""
        self.cancel()
        self.answer(text)

    def cancel(self) -> None:
        """Stop the timeout."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None
