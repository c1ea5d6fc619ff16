"""Checks the agents' feature codes: one that is typed in a test call must do what the application map says.

AMI shows the map to nobody without the privilege `command`, and what a file says need not be loaded.
"""

import asyncio
import uuid
from contextlib import suppress

from callflow.adapters.ami.actions import CHECK_CONTEXT, AmiActions
from callflow.adapters.ami.include import FEATURES_VERSION, REMEDY
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.translate_assist import SAYING_EVENT
from callflow.checks.ami import PRIVILEGES
from callflow.checks.finding import Finding, hint, ok, warn
from callflow.checks.inbox import Inbox
from callflow.core.assist.rules import Prompt
from callflow.core.profile import Assist
from callflow.errors import ActionRefused, LinkError
from callflow.settings.model import Settings

CODES_S, LOOK_S = 2.0, 0.05
BRIDGE_S = 2.0
ANSWER_S = 1.2
TRIES = 3
"""Keys that come while the two are still being brought together may be lost."""
AGENT_CONTEXT = "callflow-agent"
SUBJECT = "feature codes"


async def check_feature_codes(settings: Settings, link: AmiLink, inbox: Inbox) -> list[Finding]:
    """Nothing where every profile has `assist = "off"`; a test call of two Local channels, which no phone hears."""
    if all(profile.assist is Assist.OFF for profile in settings.profiles.values()):
        return []
    language = settings.prompts.default_language
    path = settings.prompts.path.format(language=language, prompt=Prompt.ONE_MOMENT.value)
    try:
        lines = await link.action_list("ShowDialPlan", timeout_s=10)
        loaded = await _typed(AmiActions(link, link), inbox, path)
    except LinkError as error:
        remedy = f"{PRIVILEGES}; install this version's callflow.conf, then `dialplan reload`"
        return [warn(SUBJECT, f"not tested: {error.problem}", remedy)]
    if loaded is None:
        remedy = "#include features_callflow.conf at the end of features.conf, then `module reload features`"
        return [warn(SUBJECT, "a code typed in a test call did nothing: agents cannot type codes", remedy)]
    if loaded < FEATURES_VERSION:
        seen = "the map of feature codes, or the dialplan behind it, is of an older release: new codes do nothing"
        return [warn(SUBJECT, seen, f"{REMEDY}; `module reload features` loads them")]
    given = {line.get("Context", "") for line in lines if AGENT_CONTEXT in line.get("AppData", "")} - {CHECK_CONTEXT}
    if not given:
        remedy = f"b({AGENT_CONTEXT}^s^1) in the options of Queue or Dial, for agents who type codes"
        return [hint(SUBJECT, "loaded: a code typed in a test call arrived; no Queue or Dial gives agents any", remedy)]
    return [ok(SUBJECT, f"a code typed in a test call arrived; agents have codes in {', '.join(sorted(given))}")]


async def _typed(actions: AmiActions, inbox: Inbox, path: str) -> int | None:
    """The version of the map by which Asterisk carries out a code that is typed in the name of a test agent.

    0 is of before it had one; None if the code does nothing. Raises LinkError.
    """
    agent = f"callflow-check-{uuid.uuid4().hex[:12]}"
    await actions.begin_test_agent(agent)
    try:
        await _gets_codes(actions, agent)
        await actions.begin_test_talk(agent)
        await inbox.until(lambda: _talks(inbox, agent), BRIDGE_S)
        for _ in range(TRIES):
            await actions.play_by_code(agent, agent, agent, path)
            if await inbox.until(lambda: _told(inbox, agent), ANSWER_S):
                return max(int(version) for version in _told(inbox, agent))
        return None
    finally:
        await actions.hang_up(agent)


async def _gets_codes(actions: AmiActions, agent: str) -> None:
    """Wait until the dialplan has given the agent its codes: a talk that begins earlier is one without."""
    with suppress(TimeoutError):
        async with asyncio.timeout(CODES_S):
            while True:
                with suppress(ActionRefused):  # the channel is not there yet
                    if await actions.has_codes(agent):
                        return
                await asyncio.sleep(LOOK_S)


def _talks(inbox: Inbox, agent: str) -> bool:
    return any(event["Event"] == "BridgeEnter" and event.get("Uniqueid") == agent for event in inbox.events)


def _told(inbox: Inbox, test_id: str) -> list[str]:
    """The code has begun to play a prompt: what it says of the version of its map."""
    told = (event for event in inbox.events if event.get("UserEvent") == SAYING_EVENT and event.get("Id") == test_id)
    return [event.get("Features", "") if event.get("Features", "").isdecimal() else "0" for event in told]
