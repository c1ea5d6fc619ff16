"""A call drawn on two lines: when callflow spoke, and when the caller was heard."""

from collections.abc import Iterator

from callflow.core.call_record import Kind, TimelineEntry

CELLS = 60
MARKS = {Kind.SPEECH: "S", Kind.KEY: "K", Kind.CLICK: "c", Kind.HUNG_UP: "H"}
PROMPT_ENDS = (Kind.PROMPT_ENDED, Kind.PROMPT_STOPPED, Kind.PROMPT_FAILED)


def picture(arrived_ms: int, happened: list[TimelineEntry], *, ascii_only: bool) -> list[str]:
    """Lines of text, none for a call too short to draw; `happened` in order of time."""
    end_ms = max((entry.at_ms for entry in happened), default=arrived_ms)
    length_ms = end_ms - arrived_ms
    if length_ms <= 0:
        return []

    def cell(at_ms: int) -> int:
        return max(0, min(CELLS - 1, (at_ms - arrived_ms) * CELLS // length_ms))

    prompt, pause, nothing = ("=", "-", ".") if ascii_only else ("█", "░", "·")
    callflow, caller = [nothing] * CELLS, [nothing] * CELLS
    for start_ms, stop_ms, is_prompt in _spans(happened, end_ms):
        for at in range(cell(start_ms), cell(stop_ms) + 1):
            callflow[at] = prompt if is_prompt else pause
    for entry in happened:
        if entry.kind in MARKS:
            caller[cell(entry.at_ms)] = MARKS[entry.kind]
    right = f"{length_ms / 1000:.1f} s"
    return [
        f"{'':10}0 s{right:>{CELLS - 3}}",
        f"{'callflow':10}{''.join(callflow)}",
        f"{'caller':10}{''.join(caller)}",
        f"{'':10}{prompt} prompt  {pause} pause  S speech  K key  c click  H hangs up",
    ]


def _spans(happened: list[TimelineEntry], end_ms: int) -> Iterator[tuple[int, int, bool]]:
    """Start, end and True for each prompt, False for each pause."""
    start_ms: int | None = None
    for entry in happened:
        if entry.kind is Kind.SAID:
            start_ms = entry.at_ms
        elif entry.kind in PROMPT_ENDS and start_ms is not None:
            yield start_ms, entry.at_ms, True
            start_ms = None
        elif entry.kind is Kind.PAUSE:
            start_ms = None
            yield entry.at_ms, end_ms, False
    if start_ms is not None:
        yield start_ms, end_ms, True
