"""Makes a SIPp caller from a scenario: what the caller sends and when, and the audio file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from callflow.lab.asterisk_files import FAX_CALLER
from callflow.lab.rtp_pcap import Renumbering, write_stream
from callflow.lab.screening.scenario import Anchors, Scenario
from callflow.lab.sipp import Caller
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.behaviour import CallerAction, Media
from callflow.sound import mulaw
from callflow.sound.audio import Sound, read_wav, timeline, write_mulaw
from callflow.sound.mulaw import Samples

_PATIENCE_S = 6.0


@dataclass(frozen=True)
class CallerPlan:
    """What a caller sends and when the caller leaves; seconds after the answer."""

    sounds: list[Sound]
    keys: list[tuple[float, str]]
    rtp: tuple[float, float] | None
    """When RTP begins and ends; None: no RTP."""
    leaves_s: float
    renumberings: tuple[Renumbering, ...] = ()
    loss: float = 0.0
    """Share of the packets that is lost."""
    first_sequence: int = 0


def plan_caller(
    actions: Sequence[CallerAction],
    media: Media,
    anchors: Anchors,
    stays_s: float | None = None,
    prompts: Mapping[str, Samples] = MappingProxyType({}),
) -> CallerPlan:
    """A caller's actions with their times; the caller leaves after `stays_s`, else 6 s after a silent caller's end.

    `prompts` are those that can be echoed, by name.
    """
    timed = [(action.at_s(anchors), action) for action in actions]
    patience_s = anchors["end"] + _PATIENCE_S if stays_s is None else stays_s
    leaves_s = min([patience_s, *(at_s for at_s, action in timed if action.hang_up)])
    ends_s = min([at_s for at_s, action in timed if action.stop_rtp], default=leaves_s)
    sounds = [
        Sound(at_s, action.sound, action.for_s, action.level_dbov, prompts.get(action.anchor))
        for at_s, action in timed
        if action.sound
    ]
    begins_s = 0.0 if media == "silence" else min([sound.at_s for sound in sounds], default=ends_s)
    return CallerPlan(
        sounds=sounds,
        keys=[(at_s, action.key) for at_s, action in timed if action.key],
        rtp=(begins_s, ends_s) if begins_s < ends_s else None,
        leaves_s=leaves_s,
        renumberings=tuple(
            Renumbering(at_s, action.rtp_jump or 0, action.new_ssrc) for at_s, action in timed if action.renumbers
        ),
    )


def scenario_caller(
    scenario: Scenario, anchors: Anchors, number: str, voice: Samples, prompts: Path, folder: Path
) -> Caller:
    """The caller of a scenario; `prompts` has the WAV files of the prompts, the audio is written to `folder`."""
    echoed = {
        action.anchor: read_wav(prompts / f"{action.anchor}.wav")
        for action in scenario.caller
        if action.sound == "echo"
    }
    plan = plan_caller(scenario.caller, scenario.media, anchors, scenario.stays_s, echoed)
    plan = replace(plan, loss=scenario.loss, first_sequence=scenario.first_sequence)
    return with_audio(plan, Caller(number, scenario.entry), voice, folder / f"{number}-{scenario.name}")


def with_audio(plan: CallerPlan, caller: Caller, voice: Samples, name: Path) -> Caller:
    """The caller with the audio of the plan, which is written to `name` plus a file extension."""
    caller = replace(caller, hang_up_at_s=plan.leaves_s, address=_address(plan))
    name.parent.mkdir(parents=True, exist_ok=True)
    if plan.rtp is None:
        if not plan.keys:
            return caller
        first_s = min(at_s for at_s, _ in plan.keys)
        keys = [(at_s - first_s, key) for at_s, key in plan.keys]
        return replace(caller, audio=write_stream(_file(name, ".pcap"), b"", keys), audio_at_s=first_s)
    begins_s, ends_s = plan.rtp
    samples = timeline([replace(sound, at_s=sound.at_s - begins_s) for sound in plan.sounds], ends_s - begins_s, voice)
    if plan.keys or plan.loss or plan.renumberings or plan.first_sequence:
        keys = [(at_s - begins_s, key) for at_s, key in plan.keys]
        renumberings = [replace(change, at_s=change.at_s - begins_s) for change in plan.renumberings]
        audio = write_stream(
            _file(name, ".pcap"), mulaw.encode(samples), keys, plan.loss, renumberings, plan.first_sequence
        )
    else:
        audio = write_mulaw(_file(name, ".ul"), samples)
    return replace(caller, audio=audio, audio_at_s=begins_s)


def _file(name: Path, ending: str) -> Path:
    """Not `with_suffix`: a name may have a dot in it."""
    return name.with_name(name.name + ending)


def _address(plan: CallerPlan) -> str:
    return FAX_CALLER if any(sound.name == "fax" for sound in plan.sounds) else LOOPBACK
