"""What assistance in talks needs of Asterisk, where any profile asks for it: contexts, actions, modules."""

import os

from callflow.adapters.ami.actions import (
    GOODBYE_CONTEXT,
    NAME_CONTEXT,
    NAME_SPY_CONTEXT,
    RETURN_CONTEXT,
    SAY_CONTEXT,
    WHISPER_CONTEXT,
)
from callflow.adapters.ami.link import AmiLink
from callflow.checks.ami import PRIVILEGES
from callflow.checks.finding import Finding, fail, ok, warn
from callflow.core.profile import Assist
from callflow.errors import LinkError
from callflow.settings.model import Settings

CONTEXTS = (WHISPER_CONTEXT, SAY_CONTEXT, GOODBYE_CONTEXT, RETURN_CONTEXT)
NAME_CONTEXTS = (NAME_SPY_CONTEXT, NAME_CONTEXT)
ACTIONS = ("Hangup", "Redirect", "Getvar", "Atxfer", "QueuePause")
FREE_AGENT = "DEVICE_STATE(Custom:callflow)"
"""Its function tells whether the agent's phone is free; "" if Asterisk has not loaded it."""


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
        state = await link.action("Getvar", Variable=FREE_AGENT) if _acts(settings) else None
    except LinkError as error:
        return [warn("assistance", error.problem, PRIVILEGES)]
    if forbidden := [name for name in ACTIONS if name not in allowed]:
        return [fail("assistance", f"not allowed: {', '.join(forbidden)}", PRIVILEGES)]
    contexts = {line.get("Context", "") for line in lines}
    wanted = CONTEXTS + (NAME_CONTEXTS if settings.assist.ask_name else ())
    if missing := [context for context in wanted if context not in contexts]:
        remedy = "install this version's callflow.conf, then `dialplan reload`"
        return [fail("assistance", f"there is no context {', '.join(missing)}", remedy)]
    found = [ok("assistance", f"its contexts are loaded, for {', '.join(wanting)}"), *_check_names(settings)]
    if state is not None and not state.get("Value"):
        remedy = "load func_devstate.so; until then such a caller goes to the front of the queue"
        found.append(
            warn("same agent", "Asterisk cannot tell whether the agent of a caller who returns is free", remedy)
        )
    return found


def _acts(settings: Settings) -> bool:
    """A profile parts silent callers from their agents, and may have to take them back."""
    return any(profile.assist is Assist.ACT for profile in settings.profiles.values())


def _check_names(settings: Settings) -> list[Finding]:
    """Callers' names are written by Asterisk and deleted by callflow; nothing where callers are asked for none."""
    if not settings.assist.ask_name:
        return []
    folder = settings.assist.names_dir
    if not os.access(folder, os.W_OK | os.X_OK):
        remedy = f"install -d -o asterisk -g callflow -m 2770 {folder}; callers are asked for a name in vain until then"
        return [fail("spoken names", f"callflow cannot write to {folder}", remedy)]
    return [ok("spoken names", f"they lie in {folder}, which Asterisk must be able to write to as well")]
