"""What assistance in talks needs of Asterisk, where any profile asks for it: contexts, actions, modules."""

from callflow.adapters.ami.actions import GOODBYE_CONTEXT, RETURN_CONTEXT, SAY_CONTEXT, WHISPER_CONTEXT, AmiActions
from callflow.adapters.ami.link import AmiLink
from callflow.checks.ami import PRIVILEGES
from callflow.checks.finding import Finding, fail, hint, ok, warn
from callflow.checks.inbox import Inbox
from callflow.core.profile import Assist
from callflow.errors import LinkError
from callflow.settings.model import Settings

CONTEXTS = (WHISPER_CONTEXT, SAY_CONTEXT, GOODBYE_CONTEXT, RETURN_CONTEXT)
ACTIONS = ("Hangup", "Redirect", "Getvar", "Atxfer", "QueuePause")
ANSWER_S = 3.0


def _wanting(settings: Settings) -> list[str]:
    return [name for name, profile in settings.profiles.items() if profile.assist is not Assist.OFF]


async def check_assist(settings: Settings, link: AmiLink) -> list[Finding]:
    """Nothing where every profile has `assist = "off"`."""
    wanting = _wanting(settings)
    if not wanting:
        return []
    try:
        allowed = await link.action("ListCommands")
        lines = await link.action_list("ShowDialPlan", timeout_s=10)
    except LinkError as error:
        return [warn("assistance", error.problem, PRIVILEGES)]
    if forbidden := [name for name in ACTIONS if name not in allowed]:
        return [fail("assistance", f"not allowed: {', '.join(forbidden)}", PRIVILEGES)]
    contexts = {line.get("Context", "") for line in lines}
    if missing := [context for context in CONTEXTS if context not in contexts]:
        remedy = "install this version's callflow.conf, then `dialplan reload`"
        return [fail("assistance", f"there is no context {', '.join(missing)}", remedy)]
    return [ok("assistance", f"its contexts are loaded, for {', '.join(wanting)}")]


async def check_features(settings: Settings, actions: AmiActions, inbox: Inbox) -> list[Finding]:
    """Whether the application map has the feature codes; a site whose agents use none can do without."""
    if not _wanting(settings):
        return []
    try:
        await actions.tell_features()
    except LinkError as error:
        return [warn("feature codes", error.problem, PRIVILEGES)]
    if not await inbox.until(lambda: _codes(inbox) != [], ANSWER_S):
        remedy = "install this version's callflow.conf, then `dialplan reload`"
        return [warn("feature codes", "Asterisk did not say whether it has them", remedy)]
    if not _codes(inbox)[0]:
        remedy = "for agents who type codes: `#include features_callflow.conf` in features.conf, then reload features"
        return [hint("feature codes", "the application map has none of callflow's", remedy)]
    return [ok("feature codes", f"the application map is loaded; {_codes(inbox)[0]} says that an agent is ready")]


def _codes(inbox: Inbox) -> list[str]:
    return [event.get("Code", "") for event in inbox.events if event.get("UserEvent") == "CallflowFeatures"]
