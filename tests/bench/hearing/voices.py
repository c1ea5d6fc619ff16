"""The voices of the benchmark: recorded people from Debian's sound packages, and synthetic callers; cached, 8 kHz."""

import shutil
import subprocess
import sys
import tomllib
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from scipy.signal import find_peaks, firwin, lfilter

from callflow.lab.roots import cache_folder
from tests.bench.hearing.line import active_level_dbov

Kind = Literal["running", "word", "syllable"]
Half = Literal["fit", "report"]

SOUNDS = Path(__file__).parents[3] / "dialplan" / "sounds"
CALLERS = Path(__file__).with_name("callers.toml")
KOKORO_JS = "kokoro-js@1.2.1"


@dataclass(frozen=True)
class Package:
    """A Debian package with one person's voice."""

    name: str
    language: str
    sex: str
    half: Half


PACKAGES = (
    Package("asterisk-core-sounds-en-wav", "en", "f", "fit"),
    Package("asterisk-core-sounds-es-wav", "es", "f", "fit"),  # the same speaker as English: both on one side
    Package("asterisk-core-sounds-it-wav", "it", "m", "fit"),
    Package("asterisk-prompt-fr-armelle", "fr", "f", "fit"),
    Package("asterisk-core-sounds-fr-wav", "fr", "f", "report"),
    Package("asterisk-core-sounds-ru-wav", "ru", "f", "report"),
    Package("asterisk-prompt-it-menardi-wav", "it", "f", "report"),
    Package("asterisk-prompt-es-co", "es", "f", "report"),
)
_SINGLE = ("letters", "digits")
_FILES_EACH = 140


@dataclass(frozen=True)
class Utterance:
    """One thing said: 8 kHz, trimmed to the voice, 300 to 3400 Hz; `samples` run from -1 to 1."""

    voice: str
    language: str
    sex: str
    half: Half
    kind: Kind
    samples: np.ndarray
    level_dbov: float
    """Active level, P.56."""


def utterances() -> list[Utterance]:
    """Every utterance of every voice; made on first use (about five minutes for the synthetic ones), then cached."""
    folder = cache_folder().parent / "voices"
    folder.mkdir(parents=True, exist_ok=True)
    found = [one for package in PACKAGES for one in _recorded(package, folder)]
    return found + list(_synthetic(_spoken(folder)))


def _recorded(package: Package, folder: Path) -> Iterator[Utterance]:
    """A spread of the package's prompts; letters and digits are its lone syllables."""
    paths = sorted(path for path in _unpacked(package.name, folder).rglob("*") if path.suffix in (".wav", ".gsm"))
    paths = [path for path in paths if "silence" not in path.parts and path.stat().st_size > 1000]
    step = max(1, len(paths) // _FILES_EACH)
    for path in paths[::step]:
        voice = _trimmed(_band(_read(path)))
        if (kind := _kind(voice, path.parent.name in _SINGLE)) is not None:
            yield Utterance(
                package.name, package.language, package.sex, package.half, kind, voice, active_level_dbov(voice)
            )


def _unpacked(name: str, folder: Path) -> Path:
    into = folder / name
    if not into.exists():
        subprocess.run(["apt-get", "download", "-qq", name], cwd=folder, check=True, stderr=subprocess.DEVNULL)
        deb = next(folder.glob(f"{name}_*.deb"))
        subprocess.run(["dpkg-deb", "-x", deb, into], check=True)
        deb.unlink()
    return into / "usr"


def _read(path: Path) -> np.ndarray:
    if path.suffix == ".gsm":
        command = ["sox", str(path), "-t", "raw", "-r", "8000", "-e", "signed", "-b", "16", "-"]
        data = subprocess.run(command, capture_output=True, check=True).stdout
    else:
        with wave.open(str(path)) as file:
            data = file.readframes(file.getnframes())
    return np.frombuffer(data, dtype="<i2") / 32768


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
                    kind, heard = kinds[name.partition("/")[0]], _trimmed(_band(samples / 32768))
                    yield Utterance(voice, language, voice[1], half, kind, heard, active_level_dbov(heard))


_TELEPHONE = firwin(129, (300, 3400), fs=8000, pass_zero=False)


def _band(samples: np.ndarray) -> np.ndarray:
    """What a telephone lets through."""
    return np.asarray(lfilter(_TELEPHONE, 1.0, np.concatenate((samples, np.zeros(64))))[64:])


def _envelope(samples: np.ndarray) -> np.ndarray:
    """Power of each 10 ms."""
    return np.asarray(np.mean(np.square(samples[: samples.size // 80 * 80].reshape(-1, 80)), axis=1) + 1e-12)


def _trimmed(samples: np.ndarray) -> np.ndarray:
    """From the first to the last 10 ms that reach 25 dB below the loudest."""
    power = _envelope(samples)
    loud = np.flatnonzero(power > power.max() * 10**-2.5)
    return samples[loud[0] * 80 : (loud[-1] + 1) * 80]


def _kind(voice: np.ndarray, single: bool) -> Kind | None:
    """Counts syllables by the peaks of the envelope; None for what is too short to say anything of."""
    smooth = np.convolve(_envelope(voice), np.hanning(9) / np.hanning(9).sum(), mode="same")
    syllables = len(find_peaks(10 * np.log10(np.pad(smooth, 1, constant_values=1e-12)), prominence=3)[0])
    seconds = voice.size / 8000
    if seconds < 0.15:
        return None
    if syllables == 1:
        return "syllable" if seconds < 1.0 else None
    if seconds < 0.3:
        return None
    if seconds < 1.3:
        return "word"
    return None if single else "running"
