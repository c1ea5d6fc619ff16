#!/usr/bin/env python3
"""Speak the prompts of prompts.toml into sound files for Asterisk, or check those files.

Writes for each language and prompt LANGUAGE/callflow/PROMPT.wav (8 kHz) and .wav16 (16 kHz), both
16-bit mono PCM WAV with speech at an ITU-T P.56 active level of -20 dBov, and prompts.lock, which
remembers the words each one was made from. The same input gives the same files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from catalogue import Prompt, read_catalogue, select
from prompt_audio import Measure, PromptError, measure, read_wav, write_wav

if TYPE_CHECKING:
    from synthesis import Synthesizer

HERE = Path(__file__).resolve().parent
RATES = {"wav": 8_000, "wav16": 16_000}
VOICES = "kokoro-js-1.2.1.tgz"

EPILOG = f"""examples:
  build_prompts.py --voices {VOICES}      all prompts
  build_prompts.py en/greeting zh/greeting           only these
  build_prompts.py --check                           only look at the files (needs no packages)

exit status: 0 all is well, 1 a file fails the check, 2 something to put right first"""


def build(prompts: Sequence[Prompt], voices: Path, folder: Path) -> None:
    """Write the files of the prompts, and their entries in prompts.lock."""
    lock = read_lock(folder)
    for done, prompt in enumerate(prompts):
        show_progress(done, len(prompts), prompt.key)
        try:
            build_one(prompt, voices, folder)
        except PromptError as error:
            raise PromptError(f"{prompt.key}: {error}") from None
        lock[prompt.key] = prompt.digest()
        write_lock(folder, lock)
    show_progress(len(prompts), len(prompts), "done")


def build_one(prompt: Prompt, voices: Path, folder: Path) -> None:
    """Write the files of one prompt, from its recording or from the voice."""
    if prompt.recording is not None:
        source = read_wav(prompt.recording)
    else:
        source = load_synthesizer(voices).speak(prompt.text, prompt.voice)
    from shaping import shape

    for extension, rate in RATES.items():
        write_wav(folder / prompt.path(extension), shape(source, rate, prompt.shape.lead_s))


@cache
def load_synthesizer(voices: Path) -> Synthesizer:
    """Load the voices; raise PromptError if they cannot be found."""
    from synthesis import Synthesizer

    if not voices.is_file():
        raise PromptError(f"{voices}: no such file; get it with 'npm pack kokoro-js@1.2.1'")
    return Synthesizer(voices)


def read_lock(folder: Path) -> dict[str, str]:
    """Return the fingerprint of each prompt that was built into folder."""
    path = folder / "prompts.lock"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return dict(line.rsplit(" ", 1) for line in lines if " " in line and line[0] != "#")


def write_lock(folder: Path, lock: dict[str, str]) -> None:
    """Write the fingerprints, sorted."""
    lines = ["# Written by build_prompts.py: what each prompt was made from."]
    lines += [f"{key} {digest}" for key, digest in sorted(lock.items())]
    (folder / "prompts.lock").write_text("\n".join(lines) + "\n", encoding="utf-8")


def check(prompts: Sequence[Prompt], folder: Path) -> list[str]:
    """Print a table of the files and return what is wrong with them."""
    print("| file | ms | level dBov | peak dBFS | lead ms | tail ms | longest gap ms |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    lock, faults = read_lock(folder), list[str]()
    for prompt in prompts:
        if lock.get(prompt.key) != prompt.digest():
            faults.append(f"{prompt.key}: not built from what prompts.toml says now")
        for extension in RATES:
            faults += check_file(folder, prompt, extension)
    return faults


def strays(prompts: Sequence[Prompt], folder: Path) -> list[str]:
    """Name the sound files that no prompt stands for, so that a renamed one leaves nothing."""
    wanted = {prompt.path(extension) for prompt in prompts for extension in RATES}
    there = {path.relative_to(folder).as_posix() for path in folder.glob("*/callflow/*")}
    return [f"{path}: not in prompts.toml" for path in sorted(there - wanted)]


def check_file(folder: Path, prompt: Prompt, extension: str) -> list[str]:
    """Print one file's row of the table and return what is wrong with it."""
    path, rate = prompt.path(extension), RATES[extension]
    try:
        found = measure(read_wav(folder / path))
    except PromptError as error:
        return [str(error)]
    print(row(path, found), flush=True)
    wrong_rate = [f"{found.rate} Hz, not {rate}"] if found.rate != rate else []
    return [f"{path}: {fault}" for fault in (*wrong_rate, *found.faults(prompt.shape))]


def row(path: str, found: Measure) -> str:
    """Return a row of the table for one file."""
    times = (found.length_s, found.lead_s, found.tail_s, found.gap_s)
    length, lead, tail, gap = (round(1000 * time) for time in times)
    level = f"{found.dbov:.1f} | {found.peak_dbfs:.1f}"
    return f"| {path} | {length} | {level} | {lead} | {tail} | {gap} |"


def show_progress(done: int, total: int, label: str) -> None:
    """Draw the progress bar on standard error; on a terminal it stays on one line."""
    filled = 24 * done // max(total, 1)
    bar = f"[{'#' * filled}{'.' * (24 - filled)}] {done}/{total} {label}"
    if not sys.stderr.isatty():
        print(bar, file=sys.stderr, flush=True)
        return
    print(f"\r\x1b[K{bar}", end="\n" if done == total else "", file=sys.stderr, flush=True)


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the command line's options."""
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n\n")[0],
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("prompts", nargs="*", metavar="LANGUAGE/PROMPT", help="only these prompts (default: all)")
    add("--check", action="store_true", help="write nothing, check the files that are there")
    add("--texts", type=Path, default=HERE / "prompts.toml", help="the prompts' words")
    add("--out", type=Path, default=HERE, help="the sounds folder (default: the script's own)")
    add("--voices", type=Path, default=Path(VOICES), help=f"the npm package (default: {VOICES})")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status."""
    options = parse_arguments(arguments)
    try:
        prompts = select(read_catalogue(options.texts), options.prompts)
        if not options.check:
            build(prompts, options.voices, options.out)
        faults = check(prompts, options.out)
        if options.check and not options.prompts:
            faults += strays(prompts, options.out)
        for fault in faults:
            print(fault, file=sys.stderr)
        return 1 if faults else 0
    except ModuleNotFoundError as error:
        problem = f"package {error.name} is missing: pip install -r requirements.txt"
    except (PromptError, OSError) as error:
        problem = str(error)
    below_bar = "\n" if sys.stderr.isatty() and not options.check else ""
    print(f"{below_bar}{Path(__file__).name}: {problem}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
