"""/api/v1/agents/AGENT/actions: what an agent asks for in a talk, or after it."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Response
from pydantic import Field

from callflow.core.assist.actions import Action, Door, Refusal
from callflow.web.access import Visitor
from callflow.web.errors import Conflict, Forbidden
from callflow.web.models import Shape
from callflow.web.site import Site, site_of, visitor_of
from callflow.web.tokens import Role

router = APIRouter(prefix="/agents", tags=["agents' actions"])

Me = Annotated[Visitor, Depends(visitor_of)]
Here = Annotated[Site, Depends(site_of)]
STATUS = {Refusal.TOO_MANY: 429, Refusal.NOT_YOURS: 403, Refusal.NO_TALK: 404, Refusal.ASTERISK: 503}
"""HTTP status of a refusal; 409 for any other."""


class ActionAsked(Shape):
    """What is asked for, and in which call."""

    action: Action
    call_id: Annotated[str, Field(max_length=150, description="Empty: the call that the agent is in.")] = ""


class ActionOutcome(Shape):
    """The answer to a request."""

    action: Action
    done: bool
    refused: Refusal | None = Field(description="Why it was refused; null where it is done.")
    why: str = Field(description="The same as a sentence.")


@router.post("/{agent}/actions", summary="Ask for something in the talk of an agent")
async def act(
    me: Me,
    site: Here,
    agent: Annotated[str, Path(max_length=64, description="Work number.")],
    asked: ActionAsked,
    response: Response,
) -> ActionOutcome:
    """An agent asks for the own call alone, a supervisor for any agent's; written to the audit trail and the call."""
    if me.role is Role.AGENT:
        if agent != me.agent:
            raise Forbidden("agents ask for actions in their own calls", "use your own work number")
    else:
        me.need(Role.SUPERVISOR)
    actions = site.agent_actions()
    if actions is None:
        raise Conflict("this page shows a database alone; there are no calls", "open the page of a running daemon")
    answer = await actions.act(asked.action, Door.HTTP, agent, asked.call_id, me.queues)
    if answer.refusal is not Refusal.TOO_MANY:
        site.audit.note(me, "agent action", agent=agent, asked=asked.action.value, refused=answer.refusal or "")
    if answer.refusal is not None:
        response.status_code = STATUS.get(answer.refusal, 409)
    return ActionOutcome(action=asked.action, done=answer.done, refused=answer.refusal, why=answer.why)
