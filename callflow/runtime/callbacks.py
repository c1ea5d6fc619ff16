"""Call-backs in the daemon: the desk with the list and the dialler with the calls, as one part."""

import asyncio
from collections.abc import Callable
from typing import Any

import structlog

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.callback_actions import CallbackActions
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.translate_callbacks import kept_place
from callflow.core.rings.names import Names
from callflow.errors import CallflowError, LinkError
from callflow.runtime.callback_desk import CallbackDesk, Recorder
from callflow.runtime.callback_dialler import CallbackDialler
from callflow.runtime.spoken_names import SpokenNames
from callflow.settings.model import Settings

log = structlog.get_logger()


class Callbacks:
    """It never touches a caller's call; an error in here is logged and counted."""

    def __init__(
        self,
        settings: Settings,
        link: AmiLink,
        actions: AmiActions,
        recorder: Recorder,
        now_ms: Callable[[], int],
        names: SpokenNames,
    ) -> None:
        self._phone = CallbackActions(link, actions, Names(settings.rings), now_ms)
        self._now_ms = now_ms
        path = settings.prompts.path

        def prompt_path(language: str, prompt: str) -> str:
            return path.format(language=language, prompt=prompt)

        self.desk = CallbackDesk(settings.callbacks, settings.store.path, settings.node.name, recorder, now_ms)
        self.dialler = CallbackDialler(self.desk, self._phone, prompt_path, names.sound_of, now_ms)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to work; returns at once."""
        self.desk.start()

    async def stop(self) -> None:
        """Save what is known. Calls under way go on by themselves."""
        await self.dialler.stop()
        await self.desk.stop()

    def follow(self, record: Any, final: bool) -> None:
        """A record is being saved."""
        self.desk.follow(record, final)

    def ami_event(self, event: dict[str, str]) -> None:
        """Take in one AMI event; never raises."""
        try:
            name = event.get("Event", "")
            if name == "BridgeEnter":
                self.desk.bridge_entered(event)
            elif name == "UserEvent" and self.desk.rules.enabled and (kept := kept_place(event, self._now_ms())):
                task = asyncio.get_running_loop().create_task(self._keep_place(*kept))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            self.dialler.ami_event(event)
        except Exception as error:
            if not self.desk.counts[type(error).__name__]:
                log.exception("a call-back's event failed")
            self.desk.counts[type(error).__name__] += 1

    def link_up(self) -> None:
        """Both AMI links stand."""
        self.dialler.link_up()

    def link_lost(self) -> None:
        """AMI is gone."""
        self.dialler.link_lost()

    @property
    def counts(self) -> dict[str, int]:
        """What has happened since the start."""
        return {**self.desk.counts, **{f"ended_{name}": n for name, n in self.dialler.outcomes.items()}}

    async def _keep_place(self, uniqueid: str, wanted: Any) -> None:
        """Save the entry, then tell the caller's channel; it returns to the queue unless it is told in time."""
        try:
            entry = await self.desk.add_now(wanted)
            await self._phone.set_variable(uniqueid, "CALLFLOW_KEPT", "1")
        except (CallflowError, LinkError, ValueError) as error:
            log.warning("a place in a queue could not be kept; the caller waits on", reason=str(error))
        else:
            log.info("a caller's place is kept", callback=entry.callback_id, queue=wanted.queue, place=wanted.place)
