"""What assistance does now, beside the agent: the last step, gone with the talk."""

from dataclasses import replace

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.assist.wrap_up import EndedBy
from callflow.core.rings.current_states import AgentState
from callflow.core.rings.records import AgentWork
from callflow.publishing.assist_now import AssistNow
from callflow.web.state import live_state
from tests.metrics.scraped import sample_at
from tests.publishing import samples

STEP = AssistStep("s", "t", "c", 1, "1007", "support", "support", "prompt", samples.T0, StepKind.SILENT)


def test_the_last_step_is_shown_until_the_talk_ends() -> None:
    now = AssistNow()
    now.follow(STEP, final=True)
    now.follow(replace(STEP, kind=StepKind.SAID, what="hear_me", outcome="reached"), final=True)
    assert now.of("1007")["assist"]["what"] == "hear_me"
    now.follow(samples.talk(), final=False)
    assert now.of("1007")["assist"] is not None
    now.follow(samples.talk(), final=True)
    assert now.of("1007") == now.of("") == {"assist": None, "wrap_up": None}


def test_the_end_of_assistance_ends_it_too_and_no_agent_is_no_entry() -> None:
    now = AssistNow()
    now.follow(STEP, final=True)
    now.follow(replace(STEP, kind=StepKind.ENDED), final=True)
    now.follow(replace(STEP, agent=""), final=True)
    assert now.of("1007") == now.of("") == {"assist": None, "wrap_up": None}


def test_it_stands_in_the_live_state_of_the_agent() -> None:
    now = AssistNow()
    now.follow(STEP, final=True)
    agents = [AgentState(agent, samples.T0, AgentWork.TALKING, samples.T0) for agent in ("1007", "1008")]
    state = live_state(replace(sample_at(samples.T0), agents=agents), {}, now.of, {"1007": {"talks": 3}})
    assert state["agent/1007"]["assist"]["kind"] == "silent"
    assert state["agent/1008"]["assist"] is None
    assert state["today/1007"] == {"agent": "1007", "talks": 3}


def test_a_wrap_up_is_shown_from_its_asking_to_its_end() -> None:
    now, asked = AssistNow(), samples.wrap_up(ended_by=None)
    now.follow(asked, final=False)
    assert now.of(asked.agent)["wrap_up"] == {"began_ms": None, "outcome": "order"}
    begun = asked.begin(samples.T0 + 12_000, "enquiry")
    now.follow(begun, final=False)
    assert now.of(asked.agent)["wrap_up"] == {"began_ms": samples.T0 + 12_000, "outcome": "enquiry"}
    now.follow(begun.end(samples.T0 + 40_000, EndedBy.READY), final=True)
    assert now.of(asked.agent)["wrap_up"] is None
