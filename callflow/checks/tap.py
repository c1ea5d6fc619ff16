"""Checks the tap and the gain: a tone inside Asterisk must be heard through a tap."""

import asyncio
import errno
import os
import uuid
from typing import Any

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.audio.options import TapOptions
from callflow.adapters.audio.taps import Taps
from callflow.checks.finding import Finding, Verdict, hint, ok, warn
from callflow.core.heard import Heard
from callflow.errors import ActionRefused, HearingFailed, LinkError, SettingError, TapFailed
from callflow.settings.model import Settings

HEAR_S = 2.0
SOUNDING_S = 0.2
"""From the answer to the Originate until the channel can be spied on."""
MODULES = {
    False: "load => app_audiosocket.so, res_audiosocket.so and app_chanspy.so",
    True: "load => chan_rtp.so, res_rtp_multicast.so, app_chanspy.so and func_timeout.so",
}
"""What a tap needs, by whether it is by RTP."""


def _remedy(*, is_by_rtp: bool) -> str:
    rest = "`dialplan reload` with the callflow.conf of this release; tap.address, if set, is where Asterisk reaches"
    return f"{MODULES[is_by_rtp]}; {rest} this host"


async def check_tap(settings: Settings, actions: AmiActions, log: Any) -> list[Finding]:
    """Check that a tap brings audio and that our prompts can be read. Without a tap TALK_DETECT alone serves."""
    if not settings.tap.enabled or all(profile.ear != "tap" for profile in settings.profiles.values()):
        return [hint("tap", "off; low voices, noise and tones are not told apart", "tap.enabled = true")]
    options = settings.tap.model_copy(update={"debug_audio_dir": None})
    is_by_rtp = options.is_by_rtp(has_audio_socket=actions.has_audio_socket)
    try:
        finding = await _through(options, actions, log)
        if finding is None and not options.address:  # Asterisk is told the port, so any will do
            finding = await _through(options.model_copy(update={"port": 0}), actions, log)
    except HearingFailed as error:
        return [warn("tap", f"{error.problem}; TALK_DETECT alone serves", error.remedy)]
    except (LinkError, SettingError, TapFailed) as error:
        return [warn("tap", f"{error.problem}; TALK_DETECT alone serves", _remedy(is_by_rtp=is_by_rtp))]
    if finding is None:
        seen = f"port {options.port} is in use, by the running daemon perhaps; whether Asterisk reaches it is not seen"
        finding = hint("tap", seen, "stop the daemon for a moment and check again")
    return [finding] if finding.verdict is Verdict.WARN else [finding, _prompts(settings)]


async def _through(options: TapOptions, actions: AmiActions, log: Any) -> Finding | None:
    """The finding of a tone through a tap; None: the port is in use. Raises HearingFailed, LinkError, TapFailed."""
    taps = Taps(options, actions, lambda event: None, lambda: 0, log)
    try:
        await taps.start()
        heard = await _tone_through(taps, actions)
    except SettingError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
            return None
        raise
    finally:
        await taps.stop()
    is_by_rtp = options.is_by_rtp(has_audio_socket=actions.has_audio_socket)
    if heard is not Heard.TONE:
        seen = f"the tone was not heard through it ({heard or 'no audio came'})"
        return warn("tap", seen, _remedy(is_by_rtp=is_by_rtp))
    return ok("tap", "a tone was heard through it" + (", by RTP: for talks, not for screening" if is_by_rtp else ""))


async def check_gain(settings: Settings, actions: AmiActions) -> list[Finding]:
    """Check automatic gain, if a profile asks for it."""
    wanting = [name for name, profile in settings.profiles.items() if profile.quiet.gain == "agc"]
    if not wanting:
        return []
    try:
        await actions.set_agc(await _sounding(actions), settings.profiles[wanting[0]].quiet.target_dbov)
    except ActionRefused:
        seen = f"no automatic gain for {', '.join(wanting)}: low voices are raised by a fixed one"
        return [warn("gain", seen, 'load => func_speex.so, or quiet.gain = "volume" in these profiles')]
    except LinkError as error:
        return [warn("gain", error.problem, "run it again")]
    return [ok("gain", f"automatic for {', '.join(wanting)}")]


async def _sounding(actions: AmiActions) -> str:
    """The uniqueid of a new channel that hears a tone. Raises LinkError."""
    channel_id = f"callflow-check-{uuid.uuid4().hex[:12]}"
    await actions.sound_tone(channel_id)
    await asyncio.sleep(SOUNDING_S)
    return channel_id


async def _tone_through(taps: Taps, actions: AmiActions) -> Heard | None:
    """What a tap hears of a channel that sounds a tone."""
    channel_id = await _sounding(actions)
    await taps.open(channel_id, channel_id, some_will_do=True)
    heard = None
    for _ in range(round(HEAR_S / 0.1)):
        await asyncio.sleep(0.1)
        found = taps.finding(channel_id)
        heard = found.heard if found is not None else None
        if heard is Heard.TONE:
            break
    return heard


def _prompts(settings: Settings) -> Finding:
    prompts, sounds = settings.prompts, settings.tap.sounds
    for language in prompts.languages:
        path = sounds / f"{prompts.path.format(language=language, prompt='greeting')}.wav"
        if not os.access(path, os.R_OK):
            remedy = "tap.sounds = Asterisk's sounds folder, readable by the daemon"
            return warn("echo", f"{path} cannot be read: our own prompt may be taken for a caller", remedy)
    return ok("echo", f"prompts are read in {sounds}")
