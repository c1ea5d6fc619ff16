"""Whether call-backs can be placed: settings, dialplan, and the calling hours."""

import time
from collections.abc import AsyncIterator

from callflow.adapters.ami.callback_actions import AGENT_CONTEXT, CUSTOMER_CONTEXT
from callflow.adapters.ami.link import AmiLink
from callflow.checks.finding import Finding, fail, hint, ok, warn
from callflow.core.callbacks.hours import UnknownHours
from callflow.core.callbacks.rules import CallbackRules
from callflow.errors import LinkError

CONTEXTS = (AGENT_CONTEXT, CUSTOMER_CONTEXT, "callflow-callback-second", "callflow-keep-place")


async def check_callbacks(rules: CallbackRules, link: AmiLink) -> AsyncIterator[Finding]:
    """Whether the dialplan has what a call-back runs, and which profiles may be called."""
    if not rules.enabled:
        return
    if not rules.dial:
        yield hint("call-backs", "callers are put on the list; callflow places no call", "set [callbacks] dial")
        return
    try:
        found = {line.get("Context", "") for line in await link.action_list("ShowDialPlan", timeout_s=10)}
    except LinkError as error:
        yield warn("call-backs", f"the dialplan cannot be read: {error.problem}", "see the AMI user's privileges")
        return
    if missing := [context for context in CONTEXTS if context not in found]:
        remedy = "install the dialplan/callflow.conf of this callflow, then `dialplan reload`"
        yield fail("call-backs", f"there is no context {', '.join(missing)}", remedy)
        return
    for name, profile in rules.profiles.items():
        try:
            profile.calling_hours().next_allowed(time.time_ns() // 1_000_000, profile.zone)
        except UnknownHours as error:
            yield warn("call-backs", f"callers of profile {name} are never called: {error}", "set its zone and hours")
        else:
            yield ok("call-backs", f"profile {name}: {', '.join(profile.hours)} in {profile.zone}")
