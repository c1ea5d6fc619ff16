"""What assistance does now, beside the agent: the last step, gone with the talk."""

from dataclasses import replace

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.rings.records import AgentState, AgentWork
from callflow.publishing.assist_now import AssistNow
from callflow.web.state import live_state
from tests.metrics.scraped import sample_at
from tests.publishing import samples

STEP = AssistStep("s", "t", "c", 1, "1007", "support", "support", "prompt", samples.T0, StepKind.SILENT)


def test_the_last_step_is_shown_until_the_talk_ends() -> None:
    now = AssistNow()
    now.follow(STEP, final=True)
    now.follow(replace(STEP, kind=StepKind.SAID, what="hear_me", outcome="reached"), final=True)
    assert now.all()["1007"]["what"] == "hear_me"
    now.follow(samples.talk(), final=False)
    assert "1007" in now.all()
    now.follow(samples.talk(), final=True)
    assert now.all() == {}


def test_the_end_of_assistance_ends_it_too_and_no_agent_is_no_entry() -> None:
    now = AssistNow()
    now.follow(STEP, final=True)
    now.follow(replace(STEP, kind=StepKind.ENDED), final=True)
    now.follow(replace(STEP, agent=""), final=True)
    assert now.all() == {}


def test_it_stands_in_the_live_state_of_the_agent() -> None:
    now = AssistNow()
    now.follow(STEP, final=True)
    agents = [AgentState(agent, samples.T0, AgentWork.TALKING, samples.T0) for agent in ("1007", "1008")]
    state = live_state(replace(sample_at(samples.T0), agents=agents), {}, now.all())
    assert state["agent/1007"]["assist"]["kind"] == "silent"
    assert state["agent/1008"]["assist"] is None
