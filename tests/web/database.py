"""What the page has to show: a database with a few calls."""

from dataclasses import replace
from pathlib import Path

from callflow.adapters.store.store import Store
from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.assist.wrap_up import EndedBy
from callflow.core.screening.states import Result
from tests.publishing import samples
from tests.store.samples import T0, ended, live_call, observed, silent_story


def seven_calls(path: Path) -> Path:
    """Two silent, four who spoke (one with all that a talk may have), one observed, heard afterwards."""
    with Store(path, "main") as store:
        story = live_call("silent-1", T0)
        store.save(story, final=False)
        for entry in silent_story():
            store.add_to_timeline("silent-1", entry)
        store.save(ended(story, Result.SILENT, 20_019), final=True)
        store.save(ended(live_call("silent-2", T0 + 1000), Result.SILENT, 20_019), final=True)
        for number in range(4):
            store.save(ended(live_call(f"spoke-{number}", T0 + 10_000 * (number + 1))), final=True)
        for record in (samples.stay(), samples.offer(), samples.leg(), samples.talk(at_ms=T0 + 20_000)):
            store.save(replace(record, call_id="spoke"), final=True)
        step = AssistStep(
            "s-1", samples.talk(at_ms=T0 + 20_000).talk_id, "spoke", 1, "1007", "support", "support", "prompt",
            T0 + 50_000, StepKind.SAID, "please_go_on", "reached", "the caller has stopped in mid-sentence",
        )  # fmt: skip
        store.save(step, final=True)
        store.save(replace(samples.transfer(at_ms=T0 + 52_000), call_id="spoke"), final=True)
        wrap_up = replace(samples.wrap_up(None), call_id="spoke", asked_ms=T0 + 55_000)
        store.save(wrap_up.begin(T0 + 60_000, "order").end(T0 + 90_000, EndedBy.READY), final=True)
        hold = replace(samples.hold(at_ms=T0 + 40_000), talk_id=samples.talk(at_ms=T0 + 20_000).talk_id)
        store.save(replace(hold, call_id="spoke"), final=True)
        store.save(observed(live_call("observed-1", T0 + 60_000), Result.SILENT, spoke_after=True), final=True)
    return path
