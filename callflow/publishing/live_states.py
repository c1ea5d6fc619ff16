"""Keeps the board of live states up to date, and wakes those who wait for a change."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import structlog

from callflow.adapters.http.sample import Sample
from callflow.core.publishing.discovery import Discovery
from callflow.core.publishing.privacy import Pseudonymizer
from callflow.core.publishing.retained import RetainedMessages
from callflow.core.publishing.states import State, StateBoard, StateKey, StateMaker, callback_states
from callflow.core.publishing.topics import Topics
from callflow.core.publishing.window import Window

PERIOD_S = 1.0

log = structlog.get_logger()


class LiveStates:
    """Serves any number of readers: each takes a `board.reader()` and uses `wait_for` until it has news."""

    def __init__(
        self,
        pseudonymizer: Pseudonymizer,
        read_off: Callable[[], Sample],
        windows: Mapping[str, Window],
        now_ms: Callable[[], int],
        more: Callable[[], Mapping[StateKey, State]] = dict,
    ) -> None:
        """`more`: states that are not read off the daemon's sample."""
        self.board = StateBoard(first_version=now_ms())
        self.complete = False
        """The board holds all there is: AMI has listed every queue since the start."""
        self._maker = StateMaker(pseudonymizer)
        self._read_off = read_off
        self._windows = windows
        self._more = more
        self._bell = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._warned: set[str] = set()
        self.failures: Counter[str] = Counter()
        """Updates that failed, by the name of the error."""

    def start(self) -> None:
        """Begin to follow the daemon, once a second."""
        self._task = asyncio.create_task(self._follow(), name="live states")

    def stop(self) -> None:
        """Leave the board as it is."""
        if self._task is not None:
            self._task.cancel()

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Return as soon as `condition` holds; it is checked again after every `ring`."""
        while not condition():
            await self._bell.wait()

    def ring(self) -> None:
        """Make every `wait_for` check its condition again."""
        bell, self._bell = self._bell, asyncio.Event()
        bell.set()

    @property
    def unfit(self) -> int:
        """How many names have no state because they cannot be part of a topic."""
        return len(self._maker.unfit)

    async def _follow(self) -> None:
        while True:
            try:
                self.update(self._read_off())
            except Exception as error:  # noqa: BLE001 - one bad sample must not end the states
                say = log.debug if self.failures[type(error).__name__] else log.error
                say("the live states could not be updated; tried again in a second", reason=repr(error))
                self.failures[type(error).__name__] += 1
            await asyncio.sleep(PERIOD_S)

    def update(self, sample: Sample) -> None:
        """Bring the board up to a sample; a sample without complete knowledge from AMI changes nothing."""
        if not (sample.ami_connected and sample.queues_known):
            return
        before = self.complete, self.board.version
        states = self._maker.states(sample.queues, sample.agents, sample.lines, self._windows)
        lists = callback_states(sample.now_ms, sample.callbacks, sample.cases)
        self.board.replace({**states, **lists, **self._more()})
        self.complete = True
        if before != (self.complete, self.board.version):
            self.ring()
        for name in sorted(self._maker.unfit - self._warned):
            log.warning("a name cannot be part of a topic; no state is published for it", name=name[:128])
        self._warned |= self._maker.unfit


class RetainedStates:
    """The MQTT link's way to the board: one `Connection` for each connection to the broker."""

    def __init__(self, live: LiveStates, topics: Topics, discovery: Discovery | None) -> None:
        self._live = live
        self._topics = topics
        self._discovery = discovery

    @property
    def filters(self) -> Sequence[str]:
        """Topic filters to subscribe to: they show which of our topics the broker retains."""
        announced = [] if self._discovery is None else [self._discovery.own_configs]
        return [self._topics.state_filter, *announced]

    @property
    def birth(self) -> str | None:
        """The topic on which Home Assistant says `online` and then wants everything again; None without it."""
        return None if self._discovery is None else self._discovery.birth

    def connect(self) -> "Connection":
        """A reader that starts from a snapshot."""
        return Connection(self._live, RetainedMessages(self._live.board, self._topics, self._discovery))


class Connection:
    """The states as one connection to the broker sends them."""

    def __init__(self, live: LiveStates, messages: RetainedMessages) -> None:
        self._live = live
        self._messages = messages

    async def news(self) -> None:
        """Wait until `take` has something to return."""
        await self._live.wait_for(lambda: self._messages.has_news(self._live.complete))

    def take(self, most: int) -> list[tuple[str, str]]:
        """Topic and payload of what is to be sent next, about `most` of them; an empty payload removes the topic."""
        return self._messages.take(most, self._live.complete)

    def seen(self, topic: str) -> None:
        """The broker retains this topic."""
        self._messages.seen(topic)
        self._live.ring()

    def all_again(self) -> None:
        """Send everything once more."""
        self._messages.all_again()
        self._live.ring()
