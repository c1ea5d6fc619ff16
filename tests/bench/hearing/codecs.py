"""Speech codecs of mobile and IP networks, each through its own reference library or program of Debian's."""

import ctypes
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from scipy.signal import resample_poly

from tests.bench.hearing.packages import shared_library

PAD = 1600
"""Samples of silence between two sounds, so that they do not touch each other."""

_RAW = ("-e", "signed", "-b", "16", "-c", "1")


def _by_sox(kind: str, *options: str) -> Callable[[np.ndarray], np.ndarray]:
    def through(pcm: np.ndarray) -> np.ndarray:
        with TemporaryDirectory() as folder:
            coded = str(Path(folder, f"coded.{kind}"))
            raw = ("-t", "raw", "-r", "8000", *_RAW)
            encode = ["sox", "-V0", *raw, "-", *options, coded]
            subprocess.run(encode, input=pcm.tobytes(), check=True, capture_output=True)
            decode = ["sox", "-V0", coded, "-t", "raw", "-r", "8000", *_RAW, "-"]
            return np.frombuffer(subprocess.run(decode, check=True, capture_output=True).stdout, dtype="<i2")

    return through


def _opus(pcm: np.ndarray) -> np.ndarray:
    encode = ["ffmpeg", "-v", "error", "-f", "s16le", "-ar", "8000", "-ac", "1", "-i", "-", "-c:a", "libopus",
              "-b:a", "8k", "-application", "voip", "-f", "ogg", "-"]  # fmt: skip
    coded = subprocess.run(encode, input=pcm.tobytes(), check=True, capture_output=True).stdout
    decode = ["ffmpeg", "-v", "error", "-i", "-", "-f", "s16le", "-ar", "8000", "-ac", "1", "-"]
    return np.frombuffer(subprocess.run(decode, input=coded, check=True, capture_output=True).stdout, dtype="<i2")


def _g729(pcm: np.ndarray) -> np.ndarray:
    library = ctypes.CDLL(str(shared_library("libbcg729-0", "libbcg729")))
    library.initBcg729EncoderChannel.restype = library.initBcg729DecoderChannel.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(library.initBcg729EncoderChannel(0))
    decoder = ctypes.c_void_p(library.initBcg729DecoderChannel())
    heard, bits, length = np.zeros_like(pcm), (ctypes.c_uint8 * 10)(), ctypes.c_uint8()
    for at in range(0, pcm.size - 79, 80):
        said = np.ascontiguousarray(pcm[at : at + 80], dtype=np.int16)
        back = np.zeros(80, dtype=np.int16)
        library.bcg729Encoder(encoder, said.ctypes.data_as(ctypes.c_void_p), bits, ctypes.byref(length))
        library.bcg729Decoder(decoder, bits, length, 0, 0, 0, back.ctypes.data_as(ctypes.c_void_p))
        heard[at : at + 80] = back
    library.closeBcg729EncoderChannel(encoder)
    library.closeBcg729DecoderChannel(decoder)
    return heard


def _amr_wb(pcm: np.ndarray) -> np.ndarray:
    """12.65 kbit/s, narrowed at both ends."""
    library = ctypes.CDLL(str(shared_library("libvo-amrwbenc0", "libvo-amrwbenc")))
    library.E_IF_init.restype = ctypes.c_void_p
    state, frame = ctypes.c_void_p(library.E_IF_init()), (ctypes.c_uint8 * 64)()
    wide = np.clip(resample_poly(pcm.astype(np.float64), 2, 1), -32768, 32767).astype(np.int16)
    coded = bytearray(b"#!AMR-WB\n")
    for at in range(0, wide.size - 319, 320):
        said = np.ascontiguousarray(wide[at : at + 320])
        size = library.E_IF_encode(state, 2, said.ctypes.data_as(ctypes.c_void_p), frame, 0)
        coded += bytes(frame[:size])
    library.E_IF_exit(state)
    with TemporaryDirectory() as folder:
        path = Path(folder, "coded.amr-wb")
        path.write_bytes(coded)
        decode = ["sox", "-V0", str(path), "-t", "raw", "-r", "8000", *_RAW, "-"]
        return np.frombuffer(subprocess.run(decode, check=True, capture_output=True).stdout, dtype="<i2")


CODECS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "GSM": _by_sox("gsm"),
    "AMR 12.2": _by_sox("amr-nb", "-C", "7"),
    "AMR 4.75": _by_sox("amr-nb", "-C", "0"),
    "G.729": _g729,
    "AMR-WB": _amr_wb,
    "Opus 8": _opus,
}


def through(name: str, sounds: Sequence[np.ndarray], times: int = 1) -> list[np.ndarray]:
    """Each sound (-1 to 1) after so many passes, as long as it was; one run of the codec for all of them."""
    whole = np.concatenate([np.concatenate((sound, np.zeros(PAD))) for sound in sounds])
    pcm = np.clip(np.rint(whole * 32768), -32768, 32767).astype(np.int16)
    for _ in range(times):
        coded = CODECS[name](pcm)
        pcm = np.pad(coded[: pcm.size], (0, max(0, pcm.size - coded.size)))
    starts = np.cumsum([0, *(sound.size + PAD for sound in sounds)])
    return [pcm[start : start + sound.size] / 32768 for start, sound in zip(starts, sounds, strict=False)]
