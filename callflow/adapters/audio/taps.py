"""All taps: opens and closes them, keeps them alive, and runs the hearing for all of them together."""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from callflow.adapters.audio.options import Patience, TapOptions
from callflow.adapters.audio.recording import Recorder
from callflow.adapters.audio.reference import read_prompt
from callflow.adapters.audio.rtp import RtpLine
from callflow.adapters.audio.server import AudioServer
from callflow.adapters.audio.tap import MOST_UNJUDGED, Tap
from callflow.adapters.audio.ticker import PunctualTicker
from callflow.core import events
from callflow.errors import ActionUnsafe, LinkError, NotConnected, TapFailed
from callflow.hearing import Finding, Hearing

HEAR_S = 0.032
"""Seconds between two ticks: one frame of the hearing."""
FRAMES_A_TICK = 2
"""Most frames of one caller in a tick: a caller who is behind catches up over many ticks, so that no tick is long."""
CATCH_UP_FRAMES = 16
"""Most frames that a finding judges first: half a second of audio."""
TURNS = 5
"""Ticks in which every tap gets 80 ms of silence twice: 160 ms."""
LOST_AFTER_S = 0.25
"""A tap ends with its caller; if the call still lives after this time, the tap was lost."""
FAILURES_IN_A_ROW = 3
REST_S = 60.0

CHANNEL = "callflow-tap-"
"""So the uniqueids of channels that send RTP begin."""


class TapPhone(Protocol):
    """What is asked of Asterisk; raises LinkError."""

    @property
    def has_audio_socket(self) -> bool:
        """This release of Asterisk has AudioSocket."""

    async def open_tap(self, uniqueid: str, uuid: str, address: str) -> None:
        """Tap the channel with this uniqueid over AudioSocket, under this uuid, to this address."""

    async def open_rtp_tap(self, channel_id: str, uniqueid: str, address: str) -> tuple[str, int]:
        """Tap it by a channel with the uniqueid `channel_id`, which sends RTP to this address; where it sends from."""

    def keep_rtp_tap(self, channel_id: str) -> None:
        """Put off the time at which Asterisk ends that channel."""

    def end_rtp_tap(self, channel_id: str) -> None:
        """End that channel."""


class Taps:
    """At most `max_taps` at once, and none while `late_s`, by which the daemon is late, is above `max_lag_s`.

    `tell` takes VoiceBegan, MediaBegan and TapLost.
    """

    def __init__(
        self,
        options: TapOptions,
        phone: TapPhone,
        tell: Callable[[events.Event], None],
        now_ms: Callable[[], int],
        log: Any,
        patience: Patience = Patience(),  # noqa: B008 - frozen
        late_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self._options = options
        self._open_timeout_s = patience.open_timeout_s
        self._phone = phone
        self._tell = tell
        self._now_ms = now_ms
        self._late_s = late_s
        self._log = log
        self._hearing = Hearing()
        self._server = AudioServer(options, log, patience)
        self._taps: dict[str, Tap] = {}
        self._turn = 0
        self._ticker = PunctualTicker(HEAR_S, self._tick)
        self._failures = 0
        self._rest_until = 0.0
        self._recorder = (
            Recorder(options.debug_audio_dir, options.debug_audio_days, log) if (options.debug_audio_dir) else None
        )
        self._dropped: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """By outcome: opened, over max_taps, late, resting, not had, lost, unknown prompts."""

    @property
    def refused(self) -> Counter[str]:
        """Connections that the server closed, and RTP packets that were left out, by reason."""
        return self._server.refused + self._dropped

    @property
    def live(self) -> int:
        """Taps open or being opened."""
        return len(self._taps)

    async def start(self) -> None:
        """Listen for Asterisk; raises SettingError."""
        await self._server.start()

    async def stop(self) -> None:
        """Close every tap."""
        for call_id in list(self._taps):
            self.close(call_id)
        await self._server.stop()

    # -- one call -------------------------------------------------------------------------------------------------

    async def open(self, call_id: str, uniqueid: str, *, some_will_do: bool = False) -> bool:
        """Tap a caller; returns when Asterisk has connected: True if all of the audio comes. Raises TapFailed.

        Asterisk 16 leaves out up to one frame in five (measured): only who says that some will do has it by RTP.
        """
        # Raised out here: one that is raised while another is handled keeps its frames, and so the tap, for minutes.
        is_by_rtp = self._options.is_by_rtp(has_audio_socket=self._phone.has_audio_socket)
        if is_by_rtp and not some_will_do:
            raise TapFailed("by RTP callers are tapped in talks alone")
        if problem := await self._problem(call_id, uniqueid, is_by_rtp=is_by_rtp):
            raise TapFailed(problem)
        return not is_by_rtp

    async def _problem(self, call_id: str, uniqueid: str, *, is_by_rtp: bool) -> str:
        """Why a caller could not be tapped; "" once Asterisk has connected. Raises TapFailed before it is asked."""
        loop = asyncio.get_running_loop()
        self._refuse_if_useless(loop.time())
        tap = Tap(call_id, self._hearing.listener(), self._tell, self._now_ms)
        self._taps[call_id] = tap
        self._ticker.start()
        tap.on_disconnected = partial(self._lost, tap)
        try:
            async with asyncio.timeout(self._open_timeout_s):
                await (self._by_rtp(tap, uniqueid) if is_by_rtp else self._by_socket(tap, uniqueid))
        except (ActionUnsafe, NotConnected) as error:
            self.close(call_id)  # Asterisk was not asked, so this says nothing of what it can do
            self.counts["not asked"] += 1
            return error.problem
        except (OSError, LinkError) as error:
            if self._taps.get(call_id) is not tap:
                return "the call was over before it was tapped"
            self._failed(tap, loop.time())
            return str(error) or "Asterisk did not connect in time"
        self._failures = 0
        self.counts["opened"] += 1
        if self._recorder is not None and self._taps.get(call_id) is tap:
            tap.recording = self._recorder.open(call_id)
        return ""

    async def _by_socket(self, tap: Tap, uniqueid: str) -> None:
        """Returns when Asterisk has connected. Raises LinkError."""
        connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        tap.on_connected = partial(_settle, connected)
        self._server.expect(tap.uuid, tap)
        await self._phone.open_tap(uniqueid, str(tap.uuid), self._server.address)
        await connected

    async def _by_rtp(self, tap: Tap, uniqueid: str) -> None:
        """Returns when Asterisk has a channel that sends. Raises LinkError, and OSError without a socket."""
        phone, channel_id = self._phone, _channel_id(tap)
        keep, end = partial(phone.keep_rtp_tap, channel_id), partial(phone.end_rtp_tap, channel_id)
        line = RtpLine(self._options.host, tap.heard, keep, end, self._dropped)
        tap.connected(line)
        place = await phone.open_rtp_tap(channel_id, uniqueid, self._options.address_of(line.port))
        try:
            line.listen_to(*place)
        except OSError:
            end()  # closed meanwhile; the channel may not have been there yet when that was told
            raise

    def channel_ended(self, uniqueid: str) -> None:
        """A channel has ended; a tap whose channel it was is lost."""
        if uniqueid.startswith(CHANNEL):
            for tap in self._taps.values():
                if _channel_id(tap) == uniqueid and tap.connection is not None:
                    tap.connection.close()
                    tap.disconnected("Asterisk ended the tap")

    def close(self, call_id: str) -> None:
        """Stop listening to this call."""
        tap = self._taps.pop(call_id, None)
        if tap is not None:
            self._server.forget(tap.uuid)
            tap.close()
        if not self._taps:
            self._ticker.stop()

    def begin_window(self, call_id: str) -> None:
        """Begin a window of this call."""
        if tap := self._taps.get(call_id):
            tap.begin_window()

    def finding(self, call_id: str) -> Finding | None:
        """The finding of this call's window; None without a tap, or when no audio came."""
        tap = self._taps.get(call_id)
        if tap is None:
            return None
        tap.take_in()
        if tap.is_behind:
            self._catch_up(tap)
        return tap.finding()

    def is_behind(self, call_id: str) -> bool:
        """True when much of this caller's audio waits to be judged: then there is no finding."""
        tap = self._taps.get(call_id)
        return tap is not None and tap.is_behind

    def _catch_up(self, tap: Tap) -> None:
        """Judge what waits of this caller, and of all others in the same steps.

        After a moment without a processor many callers are due at once: one after another they would be the next such
        moment (measured: 0.26 ms for a step with one caller, 0.83 ms with sixty).
        """
        live = self._take_in()
        for _ in range(min(tap.listener.waiting - MOST_UNJUDGED, CATCH_UP_FRAMES)):
            self._hearing.step([one.listener for one in live if one.listener.waiting > MOST_UNJUDGED])

    def flows(self, call_id: str) -> bool:
        """True when this caller's audio came without gaps in this window."""
        tap = self._taps.get(call_id)
        return tap is not None and tap.flows

    def quiet_ms(self, call_id: str) -> int | None:
        """So long no audio of this caller has come; None without an open tap."""
        tap = self._taps.get(call_id)
        return None if tap is None else tap.quiet_ms

    def plays(self, call_id: str, prompt: str) -> None:
        """This prompt (path below the sounds folder) begins in this call; "": it has ended."""
        tap = self._taps.get(call_id)
        if tap is None:
            return
        samples = read_prompt(self._options.sounds / f"{prompt}.wav") if prompt else None
        if prompt and samples is None:
            self.counts["unknown prompts"] += 1
        tap.plays(samples)

    # -- all calls ------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._hear()
        self._keep_alive()

    def _hear(self) -> None:
        live = self._take_in()
        waiting = [(tap.listener.waiting, tap.listener) for tap in live]
        for frame in range(FRAMES_A_TICK):
            self._hearing.step([listener for frames, listener in waiting if frames > frame])
        for tap in live:
            tap.look()

    def _take_in(self) -> list[Tap]:
        """Read what has come of every caller; the taps whose audio comes."""
        for tap in self._taps.values():
            tap.take_in()
        return [tap for tap in self._taps.values() if tap.connection is not None]

    def _keep_alive(self) -> None:
        """Turn to two fifths of the taps: all at once would make this tick long."""
        self._turn = (self._turn + 1) % TURNS
        taps = list(self._taps.values())
        for turn in (self._turn, (self._turn + 2) % TURNS):
            for tap in taps[turn::TURNS]:
                if tap.connection is not None:
                    tap.connection.keep_alive()

    # -- faults --------------------------------------------------------------------------------------------------

    def _refuse_if_useless(self, now_s: float) -> None:
        if len(self._taps) >= self._options.max_taps:
            self.counts["over max_taps"] += 1
            raise TapFailed("more calls than [tap] max_taps")
        if (late_s := self._late_s()) > self._options.max_lag_s:
            self.counts["late"] += 1
            raise TapFailed(f"callflow is late by {late_s:.1f} s: [tap] max_lag_s")
        if now_s < self._rest_until:
            self.counts["resting"] += 1
            raise TapFailed("Asterisk could not tap the last callers; next try within a minute")

    def _failed(self, tap: Tap, now_s: float) -> None:
        """Count a failure; after three in a row rest for a minute: this Asterisk may have neither way."""
        self.close(tap.call_id)
        self.counts["not had"] += 1
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW:
            self._rest_until = now_s + REST_S
            if self._failures == FAILURES_IN_A_ROW:
                self._log.warning("cannot tap callers; using TALK_DETECT instead", remedy="run `callflow check`")

    def _lost(self, tap: Tap, reason: str) -> None:
        asyncio.get_running_loop().call_later(LOST_AFTER_S, self._tell_lost, tap, reason)

    def _tell_lost(self, tap: Tap, reason: str) -> None:
        if self._taps.get(tap.call_id) is tap:
            self.counts["lost"] += 1
            self.close(tap.call_id)
            self._tell(events.TapLost(tap.call_id, reason))


def _channel_id(tap: Tap) -> str:
    return f"{CHANNEL}{tap.uuid}"


def _settle(connected: "asyncio.Future[None]") -> None:
    if not connected.done():
        connected.set_result(None)
