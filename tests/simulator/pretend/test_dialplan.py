"""The pretend dialplan against the real one: dialplan/callflow.conf."""

import pytest

from callflow.installed import SOUNDS
from callflow.simulator.pretend.call import AGI, ANSWER, ARMED, END, SCREEN
from callflow.simulator.pretend.dialplan import Step, read_dialplan
from callflow.simulator.pretend.local import CHECK, PROMPT_S, TONE_S

STEPS = read_dialplan(SOUNDS.parent / "callflow.conf", "agi://127.0.0.1:4999/screen", "127.0.0.1:5070")


def step(context: str, exten: str, priority: int) -> Step:
    (found,) = [one for one in STEPS if (one.context, one.exten, one.priority) == (context, exten, priority)]
    return found


@pytest.mark.parametrize(
    ("priority", "application", "data"),
    [
        (ANSWER, "Answer", ""),
        (ANSWER + 1, "Set", f"TALK_DETECT(set)={ARMED}"),
        (AGI, "AGI", "${CALLFLOW_CALL},${ARG1},${CALLFLOW_SCREENING},${CALLFLOW_CHECK}"),
        (END, "Hangup", "16"),
    ],
)
def test_calls_stand_where_the_include_puts_them(priority: int, application: str, data: str) -> None:
    found = step(SCREEN, "s", priority)
    assert (found.application, found.data) == (application, data)


def test_the_check_context_does_what_the_local_channels_do() -> None:
    assert step(CHECK, "tone", 3).data == f"{TONE_S:g}"
    assert step(CHECK, "prompt", 2).data == f"TIMEOUT(absolute)={PROMPT_S:g}"
    assert step(CHECK, "prompt", 5).data == "CallflowPromptMissing,Prompt: ${CALLFLOW_PROMPT}"
    assert step(CHECK, "prompt", 6).label == "end"
    assert step(CHECK, "s", 2).application == "UserEvent"


def test_the_address_of_the_daemon_is_the_pretend_one() -> None:
    assert step(SCREEN, "s", 5).data == "CALLFLOW_CALL=agi://127.0.0.1:4999/screen"


def test_every_priority_of_the_include_is_listed() -> None:
    lines = [line.strip() for line in (SOUNDS.parent / "callflow.conf").read_text("utf-8").splitlines()]
    written = [line for line in lines if line.startswith(("exten =>", "same =>"))]
    assert len([one for one in STEPS if one.context.startswith("callflow-")]) == len(written)
