"""Draws what the documentation shows of the code: states, transitions, timeline, settings.

`python -m tests.docs.diagram` writes the pictures to docs/images and the generated parts into the pages of docs/
and of dialplan/sounds, between `<!-- generated NAME -->` and `<!-- end NAME -->`. A test compares both with the code.
"""

import io
import re
import subprocess
import sys
import textwrap
import tomllib
import wave
from collections.abc import Iterator
from contextlib import redirect_stdout
from html import escape
from pathlib import Path

from callflow.commands.settings import print_reference
from callflow.core.profile import SILENT_LADDER, TalkDetect
from callflow.core.screening.states import TRANSITIONS, Input, State
from tests.docs import assist

PROJECT = Path(__file__).resolve().parents[2]
DOCS = PROJECT / "docs"
SOUNDS = PROJECT / "dialplan" / "sounds"
SPOKEN = "en"

EVERYWHERE = [i for i in Input if all(i in inputs for state, inputs in TRANSITIONS.items() if state is not State.DONE)]
"""Inputs that lead from every state but DONE to DONE."""

# The card under each picture is its own, so that it is legible whatever the page's colour.
STYLE = """
text { font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1f2328 }
.card { fill: #ffffff; stroke: #d1d9e0 } .small { font-size: 11.5px; fill: #59636e }
.bold { font-weight: 600 } .inside { fill: #ffffff; font-size: 12px } .said { font-size: 12px; font-style: italic }
.prompt { fill: #0969da } .listen { fill: #ddf4ff; stroke: #54aeff } .pause { fill: #fff8c5; stroke: #d4a72c }
.on { fill: #1a7f37 } .end { fill: #cf222e } .mark { fill: #1f2328 }
.axis { stroke: #d1d9e0 } .line { stroke: #59636e; fill: none } .fatal { stroke: #cf222e; fill: none }
.state { fill: #ddf4ff; stroke: #0969da } .done { fill: #dafbe1; stroke: #1a7f37 } .all { fill: none; stroke: #1a7f37 }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 } .card { fill: #0d1117; stroke: #3d444d } .small { fill: #9198a1 } .inside { fill: #ffffff }
  .prompt { fill: #1f6feb } .listen { fill: #10243e; stroke: #388bfd } .pause { fill: #3a2d0a; stroke: #bb8009 }
  .on { fill: #238636 } .end { fill: #f85149 } .mark { fill: #e6edf3 }
  .axis { stroke: #3d444d } .line { stroke: #9198a1 } .fatal { stroke: #f85149 }
  .state { fill: #10243e; stroke: #388bfd } .done { fill: #0f2d1a; stroke: #3fb950 } .all { stroke: #3fb950 }
}"""


def main() -> None:
    """Write everything that is out of date, and say what was written."""
    for path in files():
        text = generated(path)
        if not path.exists() or path.read_text("utf-8") != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(path.relative_to(PROJECT))


def files() -> list[Path]:
    """Every file that holds something generated."""
    pictures = [DOCS / "images" / name for name in ("timeline.svg", *PICTURES)]
    return [*pictures, *sorted(DOCS.glob("*.md")), SOUNDS / "README.md"]


def generated(path: Path) -> str:
    """The text that one of `files` should have."""
    if path.suffix == ".svg":
        return states_svg(path.name) if path.name in PICTURES else timeline_svg()
    blocks = {
        "mermaid": mermaid,
        "transitions": transitions_table,
        "settings": settings_table,
        "words": words_table,
        "measured": measured_table,
        "assist mermaid": assist.mermaid,
        "assist transitions": assist.transitions_table,
    }
    text = path.read_text("utf-8")
    for name, block in blocks.items():
        found = rf"(<!-- generated {name} -->\n).*?(<!-- end {name} -->)"
        text = re.sub(found, lambda m, block=block: f"{m[1]}{block()}{m[2]}", text, flags=re.DOTALL)  # type: ignore[misc]
    return text


def settings_table() -> str:
    """What `callflow settings reference` prints."""
    with redirect_stdout(io.StringIO()) as printed:
        print_reference()
    return printed.getvalue()


def words_table() -> str:
    """What each prompt says, in each language."""
    catalogue = tomllib.loads((SOUNDS / "prompts.toml").read_text("utf-8"))
    languages = catalogue["languages"]
    head = " | ".join(f"{language['name']} (`{code}`)" for code, language in languages.items())
    lines = [f"| prompt | {head} |", "|---|" + "---|" * len(languages)]
    for name, prompt in catalogue["prompts"].items():
        row, _, _ = prompt["purpose"].partition(":")
        lines.append(f"| `{name}` ({row}) | {' | '.join(prompt[code] for code in languages)} |")
    return "\n".join(lines) + "\n"


def measured_table() -> str:
    """Length and level of every sound file, as `make check-prompts` prints them. It takes ten seconds."""
    command = [sys.executable, str(SOUNDS / "build_prompts.py"), "--check"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def transitions_table() -> str:
    """Every transition, one row each; those that all states share stand once, at the end."""
    rows = [f"| {s} | {i.value} | {t} |" for s, inputs in TRANSITIONS.items() for i, t in inputs.items()]
    own = [row for row in rows if not any(f"| {i.value} |" in row for i in EVERYWHERE)]
    shared = [f"| every state but done | {i.value} | {State.DONE} |" for i in EVERYWHERE]
    return "\n".join(["| state | input | next state |", "|---|---|---|", *own, *shared]) + "\n"


def mermaid() -> str:
    """The state diagram as Mermaid text."""
    lines = ["```mermaid", "stateDiagram-v2", "    direction LR", f"    [*] --> {State.ARMING}"]
    for source, target, inputs in _edges():
        lines += [f"    {source} --> {target}: {i.value}" for i in inputs]
    also = "<br>".join(i.value for i in EVERYWHERE)
    lines += [f"    note left of {State.DONE}", f"        from every state:<br>{also}", "    end note"]
    return "\n".join([*lines, f"    {State.DONE} --> [*]", "```"]) + "\n"


def _edges() -> Iterator[tuple[State, State, list[Input]]]:
    """Source, target and inputs of each arrow; those from everywhere left out."""
    for source, inputs in TRANSITIONS.items():
        for target in dict.fromkeys(inputs.values()):
            own = [i for i, to in inputs.items() if to is target and i not in EVERYWHERE]
            if own:
                yield source, target, own


# -- states.svg -------------------------------------------------------------------------------------------------------

STATE_W, STATE_H, STEP, TOP, LANE = 112, 48, 222, 64, 26
DOWN = 190
"""From the lower edge of the states to DONE."""

PICTURES: dict[str, tuple[str, tuple[State, ...]]] = {
    "states.svg": (
        "The ladders",
        (
            State.ARMING,
            State.SPEAKING,
            State.LISTENING,
            State.JUDGING,
            State.MEASURING,
            State.WEIGHING,
            State.RAISING,
            State.PAUSING,
        ),
    ),
    "states-hang-up.svg": (
        "The last moments before a hang-up",
        (
            State.PAUSING,
            State.FENCING,
            State.HOLDING,
            State.CONFIRMING,
            State.RELEASING,
            State.WATCHING,
            State.MEASURING,
            State.RAISING,
            State.SPEAKING,
        ),
    ),
    "states-probe.svg": (
        "Low voices without a tap",
        (State.LISTENING, State.PROBING, State.TRYING, State.PACING, State.JUDGING, State.RAISING, State.SPEAKING),
    ),
}
"""Each picture's title and states, left to right. A transition is drawn wherever both its states stand."""


def states_svg(name: str) -> str:
    """One picture: states from left to right, DONE below them all, long ways and ways back in lanes above."""
    title, states = PICTURES[name]
    row = list(states)
    edges = [(a, b, inputs) for a, b, inputs in _edges() if a in row and b in (*row, State.DONE)]
    left = {state: 44 + STEP * n for n, state in enumerate(row)}
    lanes = _lanes(row, edges)
    y = TOP + LANE * (1 + max(lanes.values()))
    done_y = y + STATE_H + DOWN
    width = left[row[-1]] + STATE_W + 88
    around = f'x="22" y="52" width="{width - 44}" height="{y + STATE_H - 20}"'
    body = [f'<rect class="all" stroke-dasharray="5 5" {around} rx="14"/>']
    for state in row:
        body += _state(left[state], y, STATE_W, state)
    body += _state(22, done_y, width - 44, State.DONE)
    for source, target, inputs in edges:
        if target is State.DONE:
            body += _down(left[source], y + STATE_H, inputs)
        elif lane := lanes.get((source, target)):
            body += _in_lane(left[source], left[target], y, lane, inputs)
        else:
            body += _across(left[source], left[target], y + STATE_H // 2, inputs)
    x = left[next(s for s in row if State.DONE not in [target for source, target, _ in edges if source is s])] + 16
    body += [
        _line(f"M{x} {y + STATE_H + 32}V{done_y - 7}", "all", "on"),
        *_words(x + 10, y + STATE_H + 54, ["from every state:", *_names(EVERYWHERE)]),
    ]
    return _svg(width, done_y + STATE_H + 24, title, body)


def _lanes(row: list[State], edges: list[tuple[State, State, list[Input]]]) -> dict[tuple[State, State], int]:
    """Source and target of each arrow that does not lead to the next state, and its lane from 1; shorter ones lower."""
    ways = [(row.index(a), row.index(b)) for a, b, _ in edges if b is not State.DONE]
    taken: list[list[tuple[int, int]]] = []
    lanes = {}
    for a, b in sorted((way for way in ways if way[1] != way[0] + 1), key=lambda way: abs(way[0] - way[1])):
        span = (min(a, b), max(a, b))
        free = (n for n, spans in enumerate(taken) if all(span[1] < s or e < span[0] for s, e in spans))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append(span)
        lanes[row[a], row[b]] = lane + 1
    return lanes


def _state(x: int, y: int, w: int, state: State) -> list[str]:
    kind = "done" if state is State.DONE else "state"
    middle = _text(x + w // 2, y + STATE_H // 2 + 5, state.value, "bold", "middle")
    return [f'<rect class="{kind}" x="{x}" y="{y}" width="{w}" height="{STATE_H}" rx="9"/>', middle]


def _across(source: int, target: int, y: int, inputs: list[Input]) -> list[str]:
    """An arrow to the next state."""
    start, end = source + STATE_W, target
    above, *below = _names(inputs)
    first = textwrap.wrap(above, 16)
    return [
        _line(f"M{start} {y}H{end - 7}", "line", "mark"),
        *_words((start + end) // 2 - 3, y - 8 - 15 * (len(first) - 1), first, "middle"),
        *_words((start + end) // 2 - 3, y + 19, [t for b in below for t in textwrap.wrap(b, 16)], "middle"),
    ]


def _in_lane(source: int, target: int, y: int, lane: int, inputs: list[Input]) -> list[str]:
    """An arrow past other states: up, along its lane, down. Lanes begin and end beside each other."""
    aside = STATE_W // 2 + (5 * lane if target > source else -5 * lane)
    start, end, height = source + aside, target + STATE_W - aside, y - LANE * lane - 8
    way = _line(f"M{start} {y}V{height}H{end}V{y - 7}", "line", "mark")
    return [way, _text((start + end) // 2, height - 5, "; ".join(_names(inputs)), "small", "middle")]


def _down(x: int, y: int, inputs: list[Input]) -> list[str]:
    """Arrows to DONE; the only one behind which a caller is hung up is drawn as such."""
    drawn: list[str] = []
    for n, what in enumerate(inputs):
        at = x + 16 + n * 92
        fatal = what is Input.RELEASED
        drawn.append(_line(f"M{at} {y}V{y + DOWN - 7}", *(("fatal", "end") if fatal else ("line", "mark"))))
        drawn += _words(at + 9, y + 60, textwrap.wrap(what.value, 12 if len(inputs) > 1 else 20))
        if fatal:
            drawn += _words(at + 9, y + 112, ["the only way", "to a hang-up"])
    return drawn


def _names(inputs: list[Input]) -> list[str]:
    return [i.value for i in inputs]


# -- timeline.svg -----------------------------------------------------------------------------------------------------

LEFT, PX_PER_S, ROW_Y, ROW_STEP, BAR_H = 196, 36, 116, 56, 26


def timeline_svg() -> str:
    """Four callers on the shipped ladder, with the lengths of the shipped English prompts."""
    steps = list(_steps())
    end_s = steps[-1][2]
    longest_s = end_s + 2.5
    goodbye_s = next(start for kind, start, _, name in steps if name == "goodbye")
    height = ROW_Y + 4 * ROW_STEP + 50
    body = [*_axis(longest_s, height - 66), *_said(steps)]
    body += _row(0, "says nothing", steps, end_s, longest_s)
    body += _row(1, "speaks in the goodbye", steps, goodbye_s + 2.4, longest_s, "speaks", _reaction_s())
    body += _row(2, "presses a key", steps, steps[1][1] + 1.4, longest_s, "key")
    body += _row(3, "daemon not running", steps, 0.0, longest_s)
    body += _legend(height - 18)
    return _svg(round(LEFT + longest_s * PX_PER_S + 22), height, "What four callers hear", body)


def _steps() -> Iterator[tuple[str, float, float, str]]:
    """(prompt | listen | pause, start s, end s, prompt's name or seconds) of a caller who stays silent."""
    at = 0.0
    for rung in SILENT_LADDER.rungs:
        pause_s = rung.pause_s if rung.then == "hang_up" else 0.0
        parts = (("prompt", _prompt_s(rung.prompt or ""), rung.prompt or ""), ("listen", rung.listen_s, ""))
        for kind, length, name in (*parts, ("pause", pause_s, "")):
            if length:
                yield kind, at, at + length, name or f"{length:g} s"
                at += length


def _prompt_s(name: str) -> float:
    with wave.open(str(SOUNDS / SPOKEN / "callflow" / f"{name}.wav")) as sound:
        return float(sound.getnframes() / sound.getframerate())


def _reaction_s() -> float:
    ear = TalkDetect()
    return (ear.silence_ms + ear.min_speech_ms) / 1000


def _axis(longest_s: float, bottom: int) -> Iterator[str]:
    for second in range(0, int(longest_s) + 1, 5):
        x = _x(second)
        yield f'<path class="axis" d="M{x} {ROW_Y - 14}V{bottom}"/>'
        yield _text(x, bottom + 16, f"{second} s", "small", "middle")


def _said(steps: list[tuple[str, float, float, str]]) -> Iterator[str]:
    """The words of each prompt above its bar."""
    words = tomllib.loads((SOUNDS / "prompts.toml").read_text("utf-8"))["prompts"]
    prompts = [(start, name) for kind, start, _, name in steps if kind == "prompt"]
    for (start, name), (following, _) in zip(prompts, [*prompts[1:], (steps[-1][2] + 2, "")], strict=True):
        lines = textwrap.wrap(f"“{words[name][SPOKEN]}”", int((following - start) * PX_PER_S / 6.7))
        yield from _words(_x(start), ROW_Y - 26 - 16 * (len(lines) - 1), lines, kind="said", step=16)


def _row(
    number: int,
    who: str,
    steps: list[tuple[str, float, float, str]],
    until_s: float,
    longest_s: float,
    sign: str = "",
    reaction_s: float = 0.0,
) -> Iterator[str]:
    """One caller, screened until a sign of life at `until_s`."""
    y = ROW_Y + number * ROW_STEP
    cut_s = until_s + reaction_s
    yield _text(LEFT - 16, y + 18, who, "bold", "end")
    for kind, start, end, name in steps:
        if start < cut_s:
            yield _bar(kind, start, min(end, cut_s), y, name if end <= cut_s or kind == "prompt" else "")
    if sign:
        yield f'<path class="mark" d="M{_x(until_s)} {y - 3}l-6 -9h12z"/>'
        yield _text(_x(until_s) + 10, y - 4, sign, "small")
    if cut_s < steps[-1][2]:
        yield _bar("on", cut_s, longest_s, y, "goes on to the queue")
    else:
        yield f'<circle class="end" cx="{_x(cut_s)}" cy="{y + BAR_H // 2}" r="8"/>'
        yield _text(_x(cut_s) + 14, y + 18, "hung up", "bold")


def _bar(kind: str, start: float, end: float, y: int, label: str) -> str:
    x, w = _x(start), round((end - start) * PX_PER_S, 1)
    bar = f'<rect class="{kind}" x="{x}" y="{y}" width="{w}" height="{BAR_H}" rx="4"/>'
    fits = len(label) * 7 < w
    shade = "inside" if kind in ("prompt", "on") else "small"
    return bar + (_text(x + w / 2, y + 17, label.replace("_", " "), shade, "middle") if fits else "")


def _legend(y: int) -> Iterator[str]:
    words = {"prompt": "prompt", "listen": "listening", "pause": "pause before the hang-up", "on": "with the queue"}
    x = LEFT
    for kind, word in words.items():
        yield f'<rect class="{kind}" x="{x}" y="{y - 11}" width="14" height="14" rx="3"/>' + _text(
            x + 21, y, word, "small"
        )
        x += 48 + len(word) * 7


def _x(second: float) -> float:
    return round(LEFT + second * PX_PER_S, 1)


# -- SVG --------------------------------------------------------------------------------------------------------------


def _svg(width: int, height: int, title: str, body: list[str]) -> str:
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    tips = "".join(
        f'<marker id="{kind}" viewBox="0 0 8 8" refX="2" refY="4" markerWidth="9" markerHeight="9" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path class="{kind}" d="M0 0L8 4L0 8z"/></marker>'
        for kind in ("mark", "end", "on")
    )
    card = f'<rect class="card" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"/>'
    heading = _text(22, 32, title, "bold")
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img"><title>{title}</title><style>{STYLE}</style>'
    return "\n".join([head, f"<defs>{tips}</defs>", card, heading, *body, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(text, quote=False)}</text>'


def _words(
    x: float, y: float, lines: list[str], anchor: str = "start", kind: str = "small", step: int = 15
) -> list[str]:
    return [_text(x, y + n * step, line, kind, anchor) for n, line in enumerate(lines)]


def _line(path: str, kind: str, tip: str) -> str:
    return f'<path class="{kind}" stroke-width="1.5" d="{path}" marker-end="url(#{tip})"/>'


if __name__ == "__main__":
    main()
