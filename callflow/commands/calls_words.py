"""Calls in words: what became of them, in a phrase for a table and in a sentence for one call."""

from callflow.adapters.store.queries import Summary
from callflow.adapters.store.rows import StoredCall
from callflow.commands.calls_when import seconds
from callflow.core.call_record import CallRecord
from callflow.core.screening.states import Result

STYLES = {
    Result.SPOKE: "green",
    Result.KEY: "green",
    Result.RESCUED: "bold green",
    Result.PASSED: "yellow",
    Result.SILENT: "red",
    Result.QUIET: "red",
    Result.OBSERVED: "cyan",
    Result.OFF: "dim",
    Result.UNAVAILABLE: "magenta",
    Result.TAKEN: "blue",
    Result.HANGUP: "yellow",
}

OUTCOMES = {
    Result.PASSED: "nobody was heard; the ladder handed the call to a person",
    Result.SILENT: "nobody was heard; callflow said goodbye and hung up",
    Result.QUIET: "the voice stayed too low to understand; callflow said goodbye and hung up",
    Result.OFF: "not screened",
    Result.UNAVAILABLE: "could not be screened to the end; went on to a person",
    Result.TAKEN: "a fax tone, a redirect or a transfer took the call",
    Result.HANGUP: "the caller hung up",
}


def printable(text: str) -> str:
    """Text from outside without what could steer a terminal: control and format characters are spelt out."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def outcome(call: StoredCall) -> str:
    """What happened, in one phrase."""
    record = call.record
    if call.interrupted:
        return "callflow stopped during this call; what followed is not known"
    match record.result:
        case None:
            return f"still going on, at rung {record.rung}"
        case Result.SPOKE:
            return f"the caller spoke{_when_heard(record)}"
        case Result.KEY:
            return f"the caller pressed a key{_when_heard(record)}"
        case Result.RESCUED:
            return f"the caller was heard{_when_heard(record)}, after the last rung had begun"
        case Result.OBSERVED:
            return _observed(record)
        case _:
            return OUTCOMES[record.result]


def sentence(call: StoredCall) -> str:
    """The outcome as a sentence, with what it meant for the caller."""
    result = call.record.result
    went_on = result in (Result.SPOKE, Result.KEY, Result.RESCUED) and not call.interrupted
    end = ", and went on to a person" if went_on else ""
    missed = " Not everything was heard, so the record is partial." if call.record.partial else ""
    text = outcome(call)
    return f"{text[0].upper()}{text[1:]}{end}.{missed}"


def summary_line(summary: Summary) -> str:
    """`12 calls: 9 spoke, 3 silent; 1 still going on`."""
    parts = ", ".join(f"{count:,} {result.value}" for result, count in summary.by_result.items())
    line = f"{summary.total:,} call{'' if summary.total == 1 else 's'}" + (f": {parts}" if parts else "")
    if summary.live:
        line += f"; {summary.live:,} still going on"
    if summary.interrupted:
        line += f"; {summary.interrupted:,} interrupted by a stop of callflow"
    return line


def observe_line(summary: Summary) -> str:
    """How observe mode fared: would-be hang-ups, and how many of those callers spoke afterwards."""
    line = f"observe mode: {summary.observed:,} observed, {summary.would_hang_up:,} would have been hung up"
    if not summary.would_hang_up:
        return line
    share = 100 * summary.false_hang_ups / summary.would_hang_up
    return f"{line}, {summary.false_hang_ups:,} of them spoke afterwards (false hang-ups: {share:.1f} %)"


def lasted(record: CallRecord) -> str:
    """How long the screening took, "" while it lasts."""
    return "" if record.ended_ms is None else f"{(record.ended_ms - record.arrived_ms) / 1000:.1f} s"


def heard(record: CallRecord) -> str:
    """What was heard last, how loud it was, and what it was raised by; "" where nothing was judged."""
    if record.heard is None:
        return ""
    level = "" if record.level_dbov is None else f", {record.level_dbov:g} dBov"
    gain = f", raised by {record.gain_db:g} dB" if record.gain_db else ""
    return f"{record.heard.value}{level}{gain}"


def _when_heard(record: CallRecord) -> str:
    return "" if record.heard_at_ms is None else f" {seconds(record.heard_at_ms - record.arrived_ms)} after arriving"


def _observed(record: CallRecord) -> str:
    match record.would:
        case None:
            return "observed; nothing was concluded"
        case Result.SILENT if record.heard_after_would:
            return f"would have been hung up, but spoke{_when_heard(record)}: a false hang-up"
        case Result.SILENT:
            return "would have been hung up; nobody was heard afterwards"
        case _:
            return f"observed; would have been: {record.would.value}{_when_heard(record)}"
