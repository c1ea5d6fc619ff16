"""Greets the callers who reach callflow-greet in the dialplan; whatever goes wrong, they go on at once."""

import asyncio
from typing import Any, Protocol

import structlog

from callflow.adapters.agi.arrival import GreetingArrived, greeting_arrived
from callflow.core.greetings.greeting import Acquaintance, greeting
from callflow.core.greetings.rules import GreetingRules
from callflow.errors import AgiClosedEarly, AgiError, AgiHangup
from callflow.runtime.clock import Clock

log = structlog.get_logger()


class Session(Protocol):
    """What is asked of one FastAGI connection; `stream_file` may raise AgiError."""

    @property
    def variables(self) -> Any: ...
    async def stream_file(self, path: str) -> int: ...
    def close(self) -> None: ...


class Lookup(Protocol):
    """Whether a caller is known; never raises."""

    async def ask(self, rules: GreetingRules, number: str) -> Acquaintance: ...


class Greeter:
    """`came` takes each FastAGI session of callflow-greet."""

    def __init__(self, rules: GreetingRules, prompt_path: str, lookup: Lookup) -> None:
        self._rules, self._prompt_path, self._lookup = rules, prompt_path, lookup
        self._clock = Clock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._warned = False

    def came(self, session: Session) -> None:
        """A caller is to be greeted."""
        task = asyncio.get_running_loop().create_task(self._greet(greeting_arrived(session.variables), session))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def change(self, rules: GreetingRules) -> None:
        """Callers who come from now on are greeted by these settings."""
        self._rules = rules

    def close(self) -> None:
        """Greet nobody any more; greetings under way end."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _greet(self, arrived: GreetingArrived, session: Session) -> None:
        rules = self._rules
        try:
            if rules.enabled:
                caller = await self._lookup.ask(rules, arrived.caller_number)
                for prompt in greeting(rules, arrived.line, self._clock.now_ms(), caller):
                    await session.stream_file(self._prompt_path.format(language=arrived.language, prompt=prompt))
        except (AgiHangup, AgiClosedEarly):
            pass  # the caller has gone
        except AgiError as error:
            self._warn(arrived, error)
        finally:
            session.close()

    def _warn(self, arrived: GreetingArrived, error: AgiError) -> None:
        """The first failure is a warning, the repeats are debug."""
        tell = log.debug if self._warned else log.warning
        self._warned = True
        tell("a greeting was not said", line=arrived.line, language=arrived.language, error=str(error))
