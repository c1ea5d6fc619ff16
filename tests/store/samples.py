"""Made-up calls, as the core would tell them."""

from dataclasses import replace
from multiprocessing.synchronize import Barrier
from pathlib import Path

from callflow.adapters.store.store import Store
from callflow.core.call_record import CallRecord, Kind, TimelineEntry
from callflow.core.profile import Mode
from callflow.core.screening.states import Result

T0 = 1_769_864_703_120
"""2026-01-31 13:05:03.120 UTC."""


def live_call(call_id: str = "1769864703.12-1", arrived_ms: int = T0) -> CallRecord:
    return CallRecord(
        call_id=call_id,
        uniqueid=call_id.partition("-")[0],
        channel="PJSIP/trunk-0000000c",
        profile="support",
        mode=Mode.ACT,
        ladder="silent",
        ear="talk_detect",
        language="en",
        caller_number="+1-555-0100",
        caller_name="Alice",
        dialled="1001",
        arrived_ms=arrived_ms,
        ended_ms=None,
        result=None,
        would=None,
        rung=1,
        heard_at_ms=None,
        heard_after_would=False,
        partial=False,
    )


def ended(call: CallRecord, result: Result = Result.SPOKE, after_ms: int = 2500) -> CallRecord:
    heard = result in (Result.SPOKE, Result.KEY, Result.RESCUED)
    return replace(
        call,
        result=result,
        ended_ms=call.arrived_ms + after_ms,
        heard_at_ms=call.arrived_ms + after_ms - 280 if heard else None,
    )


def observed(call: CallRecord, would: Result | None, *, spoke_after: bool = False) -> CallRecord:
    return replace(
        ended(call, Result.OBSERVED, 40_000),
        mode=Mode.OBSERVE,
        would=would,
        heard_after_would=spoke_after,
        heard_at_ms=call.arrived_ms + 21_000 if spoke_after else None,
    )


def silent_story(start_ms: int = T0) -> list[TimelineEntry]:
    """The happenings of a caller who said nothing to the end of the ladder."""
    story = [
        (0, Kind.ARRIVED, "support", "act with ladder silent"),
        (12, Kind.EAR, "talk_detect", "armed"),
        (12, Kind.SAID, "greeting", "rung 1 of 3 in en"),
        (3012, Kind.PROMPT_ENDED, "greeting", ""),
        (6012, Kind.SILENCE, "3 s", ""),
        (6012, Kind.SAID, "can_you_hear", "rung 2 of 3 in en"),
        (8000, Kind.CLICK, "60 ms", "too short for speech"),
        (8012, Kind.PROMPT_ENDED, "can_you_hear", ""),
        (11012, Kind.SILENCE, "3 s", ""),
        (11012, Kind.SAID, "goodbye", "rung 3 of 3 in en"),
        (18012, Kind.PROMPT_ENDED, "goodbye", ""),
        (18012, Kind.PAUSE, "2 s", ""),
        (20019, Kind.DECIDED, "silent", "nobody was heard to the end of the ladder"),
    ]
    return [TimelineEntry(seq, start_ms + at, kind, what, why) for seq, (at, kind, what, why) in enumerate(story, 1)]


def tell_whole_call(store: Store, call_id: str, happenings: int = 3, arrived_ms: int = T0) -> CallRecord:
    """Arrival, first save, happenings, last save: in the order in which the core tells a call."""
    call = live_call(call_id, arrived_ms)
    store.add_to_timeline(call_id, TimelineEntry(1, arrived_ms, Kind.ARRIVED, "support"))
    store.save(call, final=False)
    for seq in range(2, happenings + 1):
        store.add_to_timeline(
            call_id, TimelineEntry(seq, arrived_ms + 10 * seq, Kind.SAID, "greeting", "rung 1 of 3 in en")
        )
    final = ended(call)
    store.save(final, final=True)
    return final


def open_and_write(path: Path, node: str, barrier: Barrier) -> None:
    """In a process of its own: open at the same moment as others, write 20 calls, close."""
    barrier.wait()
    with Store(path, node) as store:
        for number in range(20):
            tell_whole_call(store, f"{node}-{number}")
