"""Speaks callers.toml with Kokoro's voices. Run by the Python of the prompts' own environment (dialplan/sounds).

Usage: speak.py SOUNDS_FOLDER KOKORO_JS_TGZ CALLERS_TOML OUT_FOLDER
"""

import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soxr

sounds, voices, callers, out = (Path(argument) for argument in sys.argv[1:5])
sys.path.insert(0, str(sounds))
from catalogue import Voice, read_catalogue  # noqa: E402
from synthesis import RATE, Synthesizer  # noqa: E402

PAUSE_S = 0.3


def texts(language: str, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Kind and text of everything that this language's callers say, some of the project's own prompts among it."""
    prompts = {one.name: one.text for one in read_catalogue(sounds / "prompts.toml") if one.language == language}
    own = [(kind, text) for kind in ("syllables", "words", "running") for text in said[kind]]
    return own + [("running", prompts[name]) for name in said["prompts"]]


def main() -> None:
    """Write OUT_FOLDER/language-voice.npz with an array for each utterance (kind/number); what is there is left."""
    out.mkdir(parents=True, exist_ok=True)
    speaker = Synthesizer(voices)
    for language, said in tomllib.loads(callers.read_text(encoding="utf-8")).items():
        for voice in said["voices"]:
            path = out / f"{language}-{voice}.npz"
            if not path.exists():
                print(f"speaking: {language} {voice}", flush=True)
                spoken = speak(speaker, texts(language, said), Voice(said["g2p"], voice, 1.0, PAUSE_S))
                partial = path.with_suffix(".partial.npz")
                np.savez(partial, **spoken)  # type: ignore[arg-type]  # the stub takes any name for allow_pickle
                partial.rename(path)


def speak(speaker: Synthesizer, said: list[tuple[str, str]], voice: Voice) -> dict[str, np.ndarray]:
    """Everything this voice says, 8 kHz."""
    spoken = {}
    for number, (kind, text) in enumerate(said):
        sound = speaker.speak(text, voice)
        low = soxr.resample(np.asarray(sound.samples, dtype=np.float32), RATE, 8000)
        spoken[f"{kind}/{number}"] = np.clip(low * 16000, -32768, 32767).astype(np.int16)
    return spoken


main()
