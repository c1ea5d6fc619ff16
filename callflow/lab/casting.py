"""From a scenario to a caller: its timeline turned into an audio file and a moment to hang up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from callflow.lab.configs import FAX_CALLER
from callflow.lab.scenario import Anchors, Scenario
from callflow.lab.sipp import Caller
from callflow.lab.stream import Renumbering, write_stream
from callflow.processes.ports import LOOPBACK
from callflow.scenarios.deeds import Deed, Media
from callflow.sound import mulaw
from callflow.sound.audio import Sound, read_wav, timeline, write_mulaw
from callflow.sound.mulaw import Samples

_PATIENCE_S = 6.0


@dataclass(frozen=True)
class Part:
    """What a caller sends and when they leave, in seconds after the answer."""

    sounds: list[Sound]
    keys: list[tuple[float, str]]
    rtp: tuple[float, float] | None
    leaves_s: float
    renumberings: tuple[Renumbering, ...] = ()
    loss: float = 0.0
    """Share of what they send that never arrives."""
    first_sequence: int = 0


def cast(
    deeds: Sequence[Deed],
    media: Media,
    anchors: Anchors,
    stays_s: float | None = None,
    prompts: Mapping[str, Samples] = MappingProxyType({}),
) -> Part:
    """A caller's deeds with their times; they leave after `stays_s`, else 6 s after a silent caller's end.

    `prompts` are what can be echoed, by name.
    """
    timed = [(deed.at_s(anchors), deed) for deed in deeds]
    patience_s = anchors["end"] + _PATIENCE_S if stays_s is None else stays_s
    leaves_s = min([patience_s, *(at_s for at_s, deed in timed if deed.hang_up)])
    ends_s = min([at_s for at_s, deed in timed if deed.stop_rtp], default=leaves_s)
    sounds = [
        Sound(at_s, deed.sound, deed.for_s, deed.level_dbov, prompts.get(deed.anchor))
        for at_s, deed in timed
        if deed.sound
    ]
    begins_s = 0.0 if media == "silence" else min([sound.at_s for sound in sounds], default=ends_s)
    return Part(
        sounds=sounds,
        keys=[(at_s, deed.key) for at_s, deed in timed if deed.key],
        rtp=(begins_s, ends_s) if begins_s < ends_s else None,
        leaves_s=leaves_s,
        renumberings=tuple(
            Renumbering(at_s, deed.rtp_jump or 0, deed.new_ssrc) for at_s, deed in timed if deed.renumbers
        ),
    )


def make_caller(
    scenario: Scenario, anchors: Anchors, number: str, voice: Samples, prompts: Path, folder: Path
) -> Caller:
    """The caller of a scenario who hears the prompts in `prompts`, with what they send written below `folder`."""
    echoed = {deed.anchor: read_wav(prompts / f"{deed.anchor}.wav") for deed in scenario.caller if deed.sound == "echo"}
    part = cast(scenario.caller, scenario.media, anchors, scenario.stays_s, echoed)
    part = replace(part, loss=scenario.loss, first_sequence=scenario.first_sequence)
    return dress(part, Caller(number, scenario.entry), voice, folder / f"{number}-{scenario.name}")


def dress(part: Part, caller: Caller, voice: Samples, name: Path) -> Caller:
    """This caller as one who plays the part; what they send is written to `name` with an ending of its own."""
    caller = replace(caller, hang_up_at_s=part.leaves_s, address=_address(part))
    name.parent.mkdir(parents=True, exist_ok=True)
    if part.rtp is None:
        if not part.keys:
            return caller
        first_s = min(at_s for at_s, _ in part.keys)
        keys = [(at_s - first_s, key) for at_s, key in part.keys]
        return replace(caller, audio=write_stream(_file(name, ".pcap"), b"", keys), audio_at_s=first_s)
    begins_s, ends_s = part.rtp
    samples = timeline([replace(sound, at_s=sound.at_s - begins_s) for sound in part.sounds], ends_s - begins_s, voice)
    if part.keys or part.loss or part.renumberings or part.first_sequence:
        keys = [(at_s - begins_s, key) for at_s, key in part.keys]
        renumberings = [replace(change, at_s=change.at_s - begins_s) for change in part.renumberings]
        audio = write_stream(
            _file(name, ".pcap"), mulaw.encode(samples), keys, part.loss, renumberings, part.first_sequence
        )
    else:
        audio = write_mulaw(_file(name, ".ul"), samples)
    return replace(caller, audio=audio, audio_at_s=begins_s)


def _file(name: Path, ending: str) -> Path:
    """Not `with_suffix`: a name may have a dot in it."""
    return name.with_name(name.name + ending)


def _address(part: Part) -> str:
    return FAX_CALLER if any(sound.name == "fax" for sound in part.sounds) else LOOPBACK
