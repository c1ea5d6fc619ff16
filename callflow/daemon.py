"""The daemon: puts core, runtime and adapters together, and runs them until a signal."""

import asyncio
import resource
import signal
from collections.abc import Callable
from functools import partial

import structlog

from callflow import __version__
from callflow.adapters.agi.arrival import call_arrived
from callflow.adapters.agi.server import AgiOptions, AgiServer
from callflow.adapters.agi.session import AgiSession
from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.options import AmiOptions
from callflow.adapters.ami.translate import WANTED, translate
from callflow.adapters.store.store import Store
from callflow.core import events as it
from callflow.core.engine import Engine
from callflow.errors import CallflowError, LinkError, LoginRefused
from callflow.runtime.clock import Clock
from callflow.runtime.dispatch import Dispatcher
from callflow.runtime.garbage import spare_what_lasts
from callflow.runtime.loop import CoreLoop
from callflow.runtime.watchdog import Watchdog
from callflow.settings import Settings

READY_WITHOUT_EAR_S = 5.0
STOP_TIMEOUT_S = 1.0
HANGUP_TOLD_S = 0.25

log = structlog.get_logger()


class Daemon:
    """One callflow beside one Asterisk."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._clock = Clock()
        self._engine = Engine(settings.procedures())
        self._store = Store(settings.store.path, settings.node.name)
        options = ami_options(settings)
        self._events_link = self._link(options, WANTED, self._on_ami_event)
        self._actions_link = self._link(options.model_copy(update={"events": "off"}), frozenset(), lambda event: None)
        actions = AmiActions(self._actions_link, self._events_link)
        self._actions = actions
        self._dispatch = Dispatcher(actions, self._store, settings.prompts.path, self._clock.now_ms)
        self._loop = CoreLoop(self._engine, self._clock, self._dispatch)
        self._dispatch.receive = self._receive
        self._agi: AgiServer | None = None
        self._watchdog = Watchdog(settings.limits.stall_s)
        self._end: asyncio.Future[CallflowError | None] | None = None
        self._ready = False
        self._was_up = False
        self._stopping = False

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; raises CallflowError for what only the user can mend."""
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._finish, None)
        _allow_files(2 * self._settings.limits.max_calls + 100)
        interrupted = self._store.open()
        log.info("callflow starts", version=__version__, node=self._settings.node.name, interrupted=interrupted)
        try:
            self._agi = AgiServer(agi_options(self._settings), self._on_call, log)
            await self._agi.start()
            self._watchdog.start()
            await self._events_link.start()
            await self._actions_link.start()
            loop.call_later(READY_WITHOUT_EAR_S, self._tell_ready)
            spare_what_lasts()
            error = await self._end
        finally:
            await self._stop()
        if error is not None:
            raise error

    async def _stop(self) -> None:
        """Hand every caller on, save everything, close."""
        self._stopping = True
        self._watchdog.tell("STOPPING=1")
        self._receive(it.LinkLost(self._clock.now_ms(), "the daemon stops"))
        await self._dispatch.drain(STOP_TIMEOUT_S)
        self._loop.close()
        if self._agi is not None:
            await self._agi.stop()
        await self._events_link.stop()
        await self._actions_link.stop()
        self._store.close()
        self._watchdog.stop()
        log.info("callflow has stopped", unexpected=dict(self._engine.unexpected), dropped=self._store.dropped)

    def _finish(self, error: CallflowError | None) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_result(error)

    # -- what reaches the core ------------------------------------------------------------------------------------

    def _receive(self, event: it.Event) -> None:
        self._loop.receive(event)
        if self._engine.ear_proven:
            self._tell_ready()

    def _on_ami_event(self, message: dict[str, str]) -> None:
        event = translate(message, self._clock.now_ms())
        if event is not None:
            self._receive(event)

    def _on_call(self, session: AgiSession) -> None:
        arrived = call_arrived(session.variables, self._clock.now_ms())
        session.on_hangup = partial(self._on_hangup, arrived)
        session.on_closed = partial(self._on_closed, arrived)
        self._dispatch.add_session(arrived.call_id, session)
        self._receive(arrived)

    def _on_hangup(self, arrived: it.CallArrived) -> None:
        """AGI's HANGUP stands for a redirect as well as for a hang-up; AMI tells of a real one within milliseconds."""
        self._dispatch.drop_session(arrived.call_id)
        asyncio.get_running_loop().call_later(HANGUP_TOLD_S, self._on_closed, arrived)

    def _on_closed(self, arrived: it.CallArrived) -> None:
        self._dispatch.drop_session(arrived.call_id)
        self._receive(it.AgiClosed(arrived.call_id, self._clock.now_ms()))

    # -- the AMI links --------------------------------------------------------------------------------------------

    def _link(
        self, options: AmiOptions, wanted: frozenset[bytes], on_event: Callable[[dict[str, str]], None]
    ) -> AmiLink:
        return AmiLink(
            options,
            wanted=wanted,
            on_event=on_event,
            on_up=self._on_link_up,
            on_down=self._on_link_down,
            on_refused=self._on_refused,
            log=log.bind(link="events" if options.events == "on" else "actions"),
        )

    def _on_link_up(self) -> None:
        if not (self._events_link.connected and self._actions_link.connected):
            return
        if self._was_up:
            self._dispatch.spawn(self._take_snapshot())
        self._was_up = True
        log.info("AMI is connected", host=self._settings.ami.host, port=self._settings.ami.port)
        self._receive(it.LinkUp(self._clock.now_ms()))

    def _on_link_down(self, reason: str) -> None:
        if self._engine.link_up and not self._stopping:
            log.warning("AMI is lost; callers go on unscreened until it is back", reason=reason)
            self._receive(it.LinkLost(self._clock.now_ms(), reason))

    def _on_refused(self, refused: LoginRefused) -> None:
        if refused.fatal:
            self._finish(refused)

    async def _take_snapshot(self) -> None:
        try:
            uniqueids = await self._actions.snapshot()
        except LinkError as error:
            log.warning("no snapshot of the channels after the reconnect", reason=str(error))
            return
        self._receive(it.ChannelsSeen(uniqueids, self._clock.now_ms()))

    def _tell_ready(self) -> None:
        if self._ready:
            return
        self._ready = True
        heard = "the ear is proven" if self._engine.ear_proven else "nothing heard yet: nobody is hung up"
        self._watchdog.tell(f"READY=1\nSTATUS=screening; {heard}")
        log.info("callflow is ready", ear_proven=self._engine.ear_proven)


def ami_options(settings: Settings) -> AmiOptions:
    """The [ami] section, for the adapter."""
    return AmiOptions.model_validate(settings.ami.model_dump())


def agi_options(settings: Settings) -> AgiOptions:
    """The [agi] section, for the adapter."""
    agi = settings.agi
    return AgiOptions(
        host=agi.host,
        port=agi.port,
        token=agi.token.get_secret_value(),
        max_sessions=2 * settings.limits.max_calls,  # the core turns away, and records, what is above its own limit
    )


def _allow_files(wanted: int) -> None:
    """Each call holds a socket; raise the soft limit as far as the hard one, and the system, let us."""
    try:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        if soft != resource.RLIM_INFINITY and allowed > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    except (OSError, ValueError) as error:
        log.warning("the limit of open files could not be raised", wanted=wanted, reason=str(error))


def run_daemon(settings: Settings) -> None:
    """Run the daemon in an event loop of its own, uvloop's where it is installed."""
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(Daemon(settings).run())
