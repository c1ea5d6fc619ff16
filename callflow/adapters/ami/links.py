"""The daemon's two AMI links: an answer to an action never waits behind events."""

from collections.abc import Callable
from typing import Any, Literal

from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.options import AmiOptions
from callflow.errors import LoginRefused


class AmiLinks:
    """`events` takes the events that are `wanted`, `actions` none. AMI is there while both are up.

    `on_up` is called when the second one has come up, `on_down` when one of them has gone.
    """

    def __init__(
        self,
        options: AmiOptions,
        wanted: frozenset[bytes],
        *,
        on_event: Callable[[dict[str, str]], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        on_refused: Callable[[LoginRefused], None],
        log: Any,
    ) -> None:
        def link(
            events: Literal["on", "off"], wanted: frozenset[bytes], on_event: Callable[[dict[str, str]], None]
        ) -> AmiLink:
            return AmiLink(
                options,
                wanted=wanted,
                on_event=on_event,
                on_up=self._link_up,
                on_down=on_down,
                on_refused=on_refused,
                log=log.bind(link="events" if events == "on" else "actions"),
                events=events,
            )

        self._on_up = on_up
        self.events = link("on", wanted, on_event)
        self.actions = link("off", frozenset(), lambda event: None)

    @property
    def connected(self) -> bool:
        """Both are logged in, as far as they know."""
        return self.events.connected and self.actions.connected

    def _link_up(self) -> None:
        if self.connected:
            self._on_up()

    async def start(self) -> None:
        """Start both."""
        await self.events.start()
        await self.actions.start()

    async def stop(self) -> None:
        """Stop both."""
        await self.events.stop()
        await self.actions.stop()
