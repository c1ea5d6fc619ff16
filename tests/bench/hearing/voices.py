"""The voices of the benchmark: recorded people from Debian's packages, and synthetic callers; cached, 8 kHz."""

import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tests.bench.hearing.line import active_level_dbov
from tests.bench.hearing.packages import UNSEEN, VOICES, Half, folder, install_programs
from tests.bench.hearing.recordings import Kind, Utterance, band, recorded, trimmed

SOUNDS = Path(__file__).parents[3] / "dialplan" / "sounds"
CALLERS = Path(__file__).with_name("callers.toml")
KOKORO_JS = "kokoro-js@1.2.1"


def utterances() -> list[Utterance]:
    """Every utterance of the professional and synthetic voices (first use: five minutes for the synthetic ones)."""
    install_programs()
    return [one for package in VOICES for one in recorded(package)] + list(_synthetic(_spoken(folder())))


def unseen() -> list[Utterance]:
    """Every utterance of the amateurs: women, men and children with microphones of their own."""
    install_programs()
    return [one for package in UNSEEN for one in recorded(package)]


def _spoken(folder: Path) -> Path:
    """The folder with a file for each synthetic voice; their sex is the second letter of the voice's name."""
    out, venv = folder / "spoken", folder / "venv"
    languages = tomllib.loads(CALLERS.read_text(encoding="utf-8"))
    wanted = {f"{language}-{voice}.npz" for language, said in languages.items() for voice in said["voices"]}
    if not wanted <= {path.name for path in out.glob("*.npz")}:
        python = venv / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "-qq", "-r", SOUNDS / "requirements.txt"], check=True)
        subprocess.run(["npm", "pack", KOKORO_JS], cwd=folder, check=True, capture_output=True)
        archive = next(folder.glob("kokoro-js-*.tgz"))
        subprocess.run([python, CALLERS.with_name("speak.py"), SOUNDS, archive, CALLERS, out], check=True)
        shutil.rmtree(venv)
    return out


def _synthetic(folder: Path) -> Iterator[Utterance]:
    kinds: dict[str, Kind] = {"running": "running", "words": "word", "syllables": "syllable"}
    for language, said in tomllib.loads(CALLERS.read_text(encoding="utf-8")).items():
        for number, voice in enumerate(said["voices"]):
            half: Half = "fit" if number < len(said["voices"]) // 2 else "report"
            with np.load(folder / f"{language}-{voice}.npz") as spoken:
                for name, samples in spoken.items():
                    kind, heard = kinds[name.partition("/")[0]], trimmed(band(samples / 32768))
                    yield Utterance(voice, language, voice[1], half, kind, heard, active_level_dbov(heard))
