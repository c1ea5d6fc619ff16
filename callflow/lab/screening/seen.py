"""A lab's call as the simulator's tables show it."""

from collections.abc import Iterable

from callflow.lab.screening.judge import Observed, reaction
from callflow.lab.screening.run import Outcome
from callflow.scenarios.seen import HeardPrompt, SeenCall

WITNESS = "the wire (SIP and RTP)"


def seen_call(
    caller: str, number: str, index: int, observed: Observed | None, disagreements: Iterable[str] = ()
) -> SeenCall:
    """What the wire says of one call; None if it is not on the wire."""
    if observed is None:
        return SeenCall(caller, number, index, disagreements=tuple(disagreements))
    call = observed.call
    return SeenCall(
        caller=caller,
        number=number,
        index=index,
        result=observed.result,
        prompts=tuple(HeardPrompt(burst.prompt or "", burst.was_cut) for burst in observed.prompts),
        ended_by=call.ended_by,
        agent=call.agent_reached,
        reaction_s=reaction(observed),
        disagreements=tuple(disagreements),
    )


def seen_outcome(outcome: Outcome) -> SeenCall:
    """The call of one scenario folder."""
    return seen_call(outcome.scenario.name, outcome.number, int(outcome.number), outcome.seen, outcome.disagreements)
