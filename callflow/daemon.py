"""The daemon: puts core, runtime and adapters together, and runs them until a signal."""

import asyncio
import signal
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from callflow import __version__
from callflow.adapters.agi.arrival import call_arrived
from callflow.adapters.agi.introduction import GREET, RATE
from callflow.adapters.agi.options import Admission
from callflow.adapters.agi.server import AgiServer
from callflow.adapters.agi.session import AgiSession
from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.call_notes import CallNotes
from callflow.adapters.ami.include import loaded_version
from callflow.adapters.ami.links import AmiLinks
from callflow.adapters.ami.translate import WANTED, first, may_go_deaf, stamped_ms, translate
from callflow.adapters.ami.translate_assist import ASSIST_WANTED
from callflow.adapters.ami.translate_callbacks import CALLBACKS_WANTED
from callflow.adapters.ami.translate_rings import RINGS_WANTED
from callflow.adapters.http.connections import CONNECTIONS
from callflow.adapters.http.sample import Sample
from callflow.adapters.store.counting import file_counting
from callflow.adapters.store.known_calls import KnownCalls
from callflow.adapters.store.rating_history import RatingHistory
from callflow.adapters.store.retention import Retention
from callflow.adapters.store.store import Store
from callflow.core import events
from callflow.core.assist.wrap_up import WrapUp
from callflow.core.rings.records import Stay
from callflow.core.screening.engine import Engine
from callflow.errors import CallflowError, HearingFailed, LoginRefused
from callflow.publishing.publisher import Publishing
from callflow.publishing.vitals import take_sample
from callflow.runtime.arenas import share_arenas
from callflow.runtime.assisting import Assisting
from callflow.runtime.callbacks import Callbacks
from callflow.runtime.caller_lookup import CallerLookup
from callflow.runtime.clock import Clock
from callflow.runtime.dispatch import KNOWN, Dispatcher
from callflow.runtime.fleet_orders import FleetOrders
from callflow.runtime.greeter import Greeter
from callflow.runtime.include_watch import IncludeWatch
from callflow.runtime.listening import Listening
from callflow.runtime.loop import CoreLoop
from callflow.runtime.noted_calls import NotedCalls
from callflow.runtime.open_files import allow_files
from callflow.runtime.pauses import keep_pauses_short, let_the_loop_in_soon
from callflow.runtime.rating_watch import RatingWatch
from callflow.runtime.reloading import Reloading
from callflow.runtime.ring_watch import RingWatch, log_talk
from callflow.runtime.snapshots import Snapshots
from callflow.runtime.spoken_names import SpokenNames
from callflow.runtime.vouching import Vouching
from callflow.runtime.watchdog import Watchdog, start_goes_on
from callflow.settings.model import Settings

if TYPE_CHECKING:
    from callflow.adapters.audio.taps import Taps

READY_WITHOUT_AMI_S = 5.0
SCREENING_WITHOUT_EAR_S = 5.0
STOP_TIMEOUT_S = 1.0

log = structlog.get_logger()


class Daemon:
    """One callflow beside one Asterisk; `reread` reads the settings again for a reload."""

    def __init__(self, settings: Settings, reread: Callable[[], Settings] | None = None) -> None:
        self._settings = settings
        self._reloading = Reloading(settings, reread or (lambda: settings), self._apply)
        self._clock = Clock()
        self._engine = Engine(settings.procedures())
        self._watchdog = Watchdog(settings.limits.stall_s)
        self._store = Store(settings.store.path, settings.node.name, migrating=self._watchdog.take_longer)
        self._publishing = Publishing(settings, self._store, self._sample, self._clock.now_ms)
        self._retention = Retention(settings.store)
        self._counting = file_counting(settings.store.path)
        wanted = WANTED | RINGS_WANTED | CALLBACKS_WANTED | ASSIST_WANTED
        self._links = AmiLinks(
            settings.ami,
            wanted,
            on_event=self._on_ami_event,
            on_up=self._on_link_up,
            on_down=self._on_link_down,
            on_refused=self._on_refused,
            log=log,
        )
        self._actions = actions = AmiActions(self._links.actions, self._links.events)
        self._taps = self._make_taps()
        self._listening = Listening(self._taps, actions, settings.tap.max_taps)
        self._dispatch = Dispatcher(
            actions, self._publishing.recording, self._listening, settings.prompts.path, self._clock.now_ms
        )
        self._loop = CoreLoop(self._engine, self._clock, self._dispatch)
        self._dispatch.receive = self._receive
        self._rings = RingWatch(settings, actions, self._dispatch)
        self._rings.subscribe(log_talk)
        self._ratings = self._make_ratings()
        self._greeter = Greeter(settings.greetings, settings.prompts.path, CallerLookup())
        self._names = SpokenNames(settings.assist, settings.store.path, self._clock.now_ms)
        self._callbacks = Callbacks(
            settings, self._links.actions, actions, self._publishing.recording, self._clock.now_ms, self._names
        )
        self._publishing.recording.follow(self._callbacks.follow)
        self._assist = Assisting(
            settings,
            actions,
            self._listening,
            self._publishing.recording.save,
            self._dispatch.spawn,
            self._rings.tracker,
            self._names,
        )
        self._publishing.agent_actions = self._assist
        self._publishing.fleet_orders = FleetOrders(
            self._callbacks.desk, settings.store.path, self._publishing.pseudonymizer, self._clock.now_ms
        )
        self._rings.subscribe(self._assist.receive)
        self._snapshots = Snapshots(actions, self._rings, self._assist, self._channels_seen, self._dispatch.spawn)
        self._vouching = Vouching(settings.agi, actions)
        known, flush = KnownCalls(settings.store.path, settings.node.name).among, self._publishing.recording.flush
        self._noted = NotedCalls(CallNotes(self._links.actions), known, flush, self._receive)
        self._include = IncludeWatch(partial(loaded_version, self._links.actions))
        self._agi: AgiServer | None = None
        self._end: asyncio.Future[CallflowError | None] | None = None
        self._linked = asyncio.Event()
        """AMI has been there."""
        self._open = False
        """Calls are let in."""
        self._told_screening = False
        self._stopping = False

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; raises CallflowError for what only the user can mend."""
        loop = asyncio.get_running_loop()
        self._end = loop.create_future()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._finish, None)
        loop.add_signal_handler(signal.SIGHUP, self._reloading.ask)
        allow_files(2 * self._settings.limits.max_calls + self._settings.tap.max_taps + 4 * CONNECTIONS + 100)
        start_goes_on()
        left = self._publishing.recording.open()
        start_goes_on()
        self._retention.start()
        self._counting.start()
        log.info("callflow starts", version=__version__, node=self._settings.node.name, interrupted=left.calls)
        try:
            self._publishing.start()
            self._rings.resume(left.of(Stay))
            self._assist.resume(left.of(WrapUp))
            self._agi = self._make_agi_server()
            if not self._settings.agi.token.get_secret_value():
                remedy = 'set [agi] token = "auto"'
                log.warning("FastAGI has no token: any program that reaches its port is answered", remedy=remedy)
            if self._taps is not None:
                await self._taps.start()
            self._watchdog.start()
            self._callbacks.start()
            self._names.start()
            await self._agi.bind()
            await self._links.start()
            await self._let_calls_in(self._agi, self._end)
            self._noted.start()
            loop.call_later(SCREENING_WITHOUT_EAR_S, self._tell_screening)
            await self._publishing.start_page()
            keep_pauses_short(lambda: not self._engine.live)
            error = await self._end
        finally:
            await self._stop()
        if error is not None:
            raise error

    async def _let_calls_in(self, agi: AgiServer, end: "asyncio.Future[CallflowError | None]") -> None:
        """Once AMI is there, or after 5 s: until then Asterisk is refused, and each caller goes on at once.

        From READY=1 on systemd ends a daemon that freezes, so that no caller ever waits for one that nobody watches.
        """
        linked = asyncio.create_task(self._linked.wait())
        either: tuple[asyncio.Future[Any], ...] = (linked, end)
        await asyncio.wait(either, timeout=READY_WITHOUT_AMI_S, return_when=asyncio.FIRST_COMPLETED)
        linked.cancel()
        if end.done():
            return
        self._watchdog.tell("READY=1\nSTATUS=waiting for sound detection; callflow never hangs up")
        agi.listen()
        self._open = True
        if self._links.connected:
            self._on_link_up()

    async def _stop(self) -> None:
        """Hand every caller on, save everything, close."""
        self._stopping = True
        self._reloading.stop()
        self._noted.stop()
        self._watchdog.tell("STOPPING=1")
        self._snapshots.link_lost()
        self._receive(events.LinkLost(self._clock.now_ms(), "the daemon stops"))
        self._rings.link_lost("the daemon stops")
        self._assist.link_lost("the daemon stops")
        await self._dispatch.drain(STOP_TIMEOUT_S)
        self._loop.close()
        self._rings.close()
        self._ratings.close()
        self._greeter.close()
        self._assist.close()
        if self._agi is not None:
            await self._agi.stop()
        if self._taps is not None:
            await self._taps.stop()
            log.info("taps", refused=dict(self._taps.refused), **self._taps.counts)
        await self._callbacks.stop()
        await self._names.stop()
        await self._links.stop()
        await self._publishing.stop()
        self._retention.stop()
        self._counting.stop()
        await asyncio.to_thread(self._store.close)
        self._watchdog.stop()
        log.info("callflow has stopped", unexpected=dict(self._engine.unexpected), dropped=self._store.dropped)

    def _finish(self, error: CallflowError | None) -> None:
        if self._end is not None and not self._end.done():
            self._end.set_result(error)

    def _apply(self, settings: Settings) -> None:
        """New settings for new calls."""
        changed = events.ProceduresChanged(settings.procedures())
        self._receive(changed)
        self._assist.receive(changed)
        self._assist.change(settings.assist)
        self._names.change(settings.assist)
        self._ratings.change(settings.ratings, settings.procedures())
        self._greeter.change(settings.greetings)
        self._publishing.settings = settings
        self._retention.change(settings.store)
        if self._taps is None and settings.tap.enabled and taps_wanted(settings):
            remedy = "systemctl restart callflow"
            log.warning('no tap is open, so profiles with ear = "tap" use TALK_DETECT until a restart', remedy=remedy)

    # -- what reaches the core ------------------------------------------------------------------------------------

    def _receive(self, event: events.Event) -> None:
        self._loop.receive(event)
        if isinstance(event, events.GainSet):  # it stays on the channel in the talks that follow
            self._assist.receive(event)
        if self._engine.ear_proven:
            self._tell_screening()

    def _on_ami_event(self, message: dict[str, str]) -> None:
        now_ms = self._loop.now_ms()
        self._publishing.ami_event(stamped_ms(message), now_ms)
        event = translate(message, now_ms)
        if event is not None:
            self._receive(event)
            self._assist.receive(event)
        self._assist.ami_event(message)
        self._rings.ami_event(message)
        if message.get("Event") == "Hangup":
            self._ratings.channel_ended(first(message, "Uniqueid"))
            if self._taps is not None:
                self._taps.channel_ended(first(message, "Uniqueid"))
        self._callbacks.ami_event(message)

    def _make_agi_server(self) -> AgiServer:
        admission = Admission(max_sessions=2 * self._settings.limits.max_calls)
        return AgiServer(self._vouching.options, self._on_call, log, admission, self._vouching)

    def _make_ratings(self) -> RatingWatch:
        settings, recording = self._settings, self._publishing.recording
        ratings = RatingWatch(
            settings.ratings,
            settings.procedures(),
            settings.prompts.path,
            RatingHistory(settings.store.path),
            self._publishing.pseudonymizer.hashed,
            recording.save,
        )
        self._rings.subscribe(ratings.talk)
        recording.follow(ratings.follow)
        return ratings

    def _on_call(self, script: str, session: AgiSession) -> None:
        if script == RATE:
            self._ratings.came(session)
            return
        if script == GREET:
            self._greeter.came(session)
            return
        arrived = call_arrived(session.variables, self._loop.now_ms(), self._late_s())
        session.on_hangup = partial(self._dispatch.hang_up_told, arrived.call_id)
        session.on_closed = partial(self._dispatch.closed, arrived.call_id)
        session.last_words = f"SET VARIABLE {KNOWN} 1"
        self._dispatch.add_session(arrived.call_id, session)
        self._receive(arrived)
        self._assist.receive(arrived)

    def _late_s(self) -> float:
        return self._publishing.loop_lag.recent_s

    # -- the taps -------------------------------------------------------------------------------------------------

    def _make_taps(self) -> "Taps | None":
        """None where no profile wants one, or nothing can be heard with them: Asterisk's own ear then serves."""
        if not self._settings.tap.enabled or not taps_wanted(self._settings):
            return None
        from callflow.adapters.audio.taps import Taps  # only where callers are tapped: NumPy takes 11 MB

        try:
            return Taps(self._settings.tap, self._actions, self._heard, self._clock.now_ms, log, late_s=self._late_s)
        except HearingFailed as error:
            log.error("callers cannot be tapped; Asterisk's own ear serves", reason=error.problem, remedy=error.remedy)
            return None

    def _heard(self, event: events.Event) -> None:
        self._listening.heard(event)

    # -- the AMI links --------------------------------------------------------------------------------------------

    def _on_link_up(self) -> None:
        self._linked.set()
        if not self._open:
            return
        self._vouching.give_token()
        self._dispatch.spawn(self._include.look())
        self._snapshots.link_up()
        log.info("AMI is connected", host=self._settings.ami.host, port=self._settings.ami.port)
        up = events.LinkUp(self._clock.now_ms(), may_go_deaf(self._links.events.protocol_version))
        self._receive(up)
        self._assist.receive(up)
        self._rings.link_up()
        self._callbacks.link_up()

    def _on_link_down(self, reason: str) -> None:
        if self._engine.link_up and not self._stopping:
            log.warning("AMI is lost; callers go on unscreened until it is back", reason=reason)
            self._snapshots.link_lost()
            self._receive(events.LinkLost(self._clock.now_ms(), reason))
            self._rings.link_lost(reason)
            self._callbacks.link_lost()
            self._assist.link_lost(reason)

    def _on_refused(self, refused: LoginRefused) -> None:
        if refused.fatal:
            self._finish(refused)

    def _channels_seen(self, uniqueids: frozenset[str]) -> None:
        self._receive(events.ChannelsSeen(uniqueids, self._clock.now_ms()))

    def _sample(self) -> Sample:
        """How everything here is now, for metrics and states."""
        now_ms = self._clock.now_ms()
        return take_sample(
            now_ms, self._engine, self._rings, self._store, self._links, self._agi, self._taps, self._callbacks
        )

    def _tell_screening(self) -> None:
        if self._told_screening:
            return
        self._told_screening = True
        heard = (
            "sound detection is verified" if self._engine.ear_proven else "no sound heard yet: callflow never hangs up"
        )
        self._watchdog.tell(f"STATUS=screening; {heard}")
        log.info("callflow is ready", ear_proven=self._engine.ear_proven)


def taps_wanted(settings: Settings) -> bool:
    """Whether any profile listens through a tap."""
    return any(profile.ear == "tap" for profile in settings.profiles.values())


def run_daemon(settings: Settings, reread: Callable[[], Settings]) -> None:
    """Run the daemon in an event loop of its own, uvloop's where it is installed; SIGHUP reads the settings anew."""
    share_arenas()
    let_the_loop_in_soon()
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] | None = uvloop.new_event_loop
    except ImportError:
        factory = None
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(Daemon(settings, reread).run())
