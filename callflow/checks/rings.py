"""Can rings be counted here? Dialling must be told, and the queues be seen."""

from callflow.adapters.ami.actions import AmiActions
from callflow.checks.ami import PRIVILEGES
from callflow.checks.finding import Finding, fail, hint, ok, warn
from callflow.checks.inbox import Inbox
from callflow.errors import LinkError


async def check_rings(actions: AmiActions, inbox: Inbox) -> Finding:
    """The self-test call has been dialled like any phone: did its DialBegin reach us?"""
    if not any(event["Event"] == "DialBegin" for event in inbox.events):
        remedy = (
            f"{PRIVILEGES}; no disabledevents, no eventfilter on Dial*, Newstate, Bridge*, Queue* and Agent* events"
        )
        return fail("rings", "dialling is not told: no ring can be counted", remedy)
    try:
        entries = await actions.queues()
    except LinkError as error:
        return warn("rings", error.problem, PRIVILEGES)
    queues = sum(entry.get("Event") == "QueueParams" for entry in entries)
    members = sum(entry.get("Event") == "QueueMember" for entry in entries)
    if not queues:
        return hint("rings", "dialling is told; there are no queues", "direct lines are counted; see docs/rings.md")
    return ok("rings", f"dialling is told; {queues} queues with {members} members can be seen")
