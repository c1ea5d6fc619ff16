"""From a scenario to a caller: its timeline turned into an audio file and a moment to hang up."""

from dataclasses import dataclass, replace
from pathlib import Path

from callflow.lab import mulaw
from callflow.lab.audio import Sound, timeline, write_mulaw
from callflow.lab.configs import FAX_CALLER
from callflow.lab.mulaw import Samples
from callflow.lab.ports import LOOPBACK
from callflow.lab.scenario import Anchors, Scenario
from callflow.lab.sipp import Caller
from callflow.lab.stream import write_stream

_PATIENCE_S = 6.0


@dataclass(frozen=True)
class Part:
    """What a caller sends and when they leave, in seconds after the answer."""

    sounds: list[Sound]
    keys: list[tuple[float, str]]
    rtp: tuple[float, float] | None
    leaves_s: float


def cast(scenario: Scenario, anchors: Anchors) -> Part:
    """The scenario's deeds with their times worked out."""
    deeds = [(deed.at_s(anchors), deed) for deed in scenario.caller]
    leaves_s = min([at_s for at_s, deed in deeds if deed.hang_up], default=anchors["end"] + _PATIENCE_S)
    ends_s = min([at_s for at_s, deed in deeds if deed.stop_rtp], default=leaves_s)
    sounds = [Sound(at_s, deed.sound, deed.for_s, deed.level_dbov) for at_s, deed in deeds if deed.sound]
    begins_s = 0.0 if scenario.media == "silence" else min([sound.at_s for sound in sounds], default=ends_s)
    return Part(
        sounds=sounds,
        keys=[(at_s, deed.key) for at_s, deed in deeds if deed.key],
        rtp=(begins_s, ends_s) if begins_s < ends_s else None,
        leaves_s=leaves_s,
    )


def make_caller(scenario: Scenario, anchors: Anchors, number: str, voice: Samples, folder: Path) -> Caller:
    """The caller of a scenario, with what they send written below `folder`."""
    part = cast(scenario, anchors)
    caller = Caller(number, scenario.entry, hang_up_at_s=part.leaves_s, address=_address(part))
    name = folder / f"{number}-{scenario.name}"
    folder.mkdir(parents=True, exist_ok=True)
    if part.rtp is None:
        if not part.keys:
            return caller
        first_s = min(at_s for at_s, _ in part.keys)
        keys = [(at_s - first_s, key) for at_s, key in part.keys]
        return replace(caller, audio=write_stream(name.with_suffix(".pcap"), b"", keys), audio_at_s=first_s)
    begins_s, ends_s = part.rtp
    samples = timeline([replace(sound, at_s=sound.at_s - begins_s) for sound in part.sounds], ends_s - begins_s, voice)
    if part.keys:
        keys = [(at_s - begins_s, key) for at_s, key in part.keys]
        audio = write_stream(name.with_suffix(".pcap"), mulaw.encode(samples), keys)
    else:
        audio = write_mulaw(name.with_suffix(".ul"), samples)
    return replace(caller, audio=audio, audio_at_s=begins_s)


def _address(part: Part) -> str:
    return FAX_CALLER if any(sound.name == "fax" for sound in part.sounds) else LOOPBACK
