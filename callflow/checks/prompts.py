"""Checks that Asterisk finds the prompts: it starts each on its own Local channel, for a second."""

import uuid

from callflow.adapters.ami.actions import AmiActions
from callflow.checks.finding import Finding, fail, ok, warn
from callflow.checks.inbox import Inbox
from callflow.core.assist.rules import TO_AGENT, Prompt
from callflow.core.profile import Assist, Profile
from callflow.core.rating.states import PROMPT
from callflow.errors import LinkError
from callflow.settings.model import Settings

ANSWER_S = 3.0


async def check_prompts(settings: Settings, actions: AmiActions, inbox: Inbox) -> list[Finding]:
    """One finding for each language. A made-up prompt goes last: once it is reported missing, all have been."""
    names = sorted(_prompt_files(settings))
    ghost = f"callflow-no-such-prompt-{uuid.uuid4().hex[:8]}"
    try:
        for language in settings.prompts.languages:
            for name in names:
                await actions.try_prompt(_path(settings, language, name))
        await actions.try_prompt(ghost)
    except LinkError as error:
        return [fail("prompts", error.problem, error.remedy)]
    if not await inbox.until(lambda: ghost in _missing(inbox), ANSWER_S):
        return [warn("prompts", "Asterisk did not say which prompts it has", "look for errors in its own log")]
    return [_of_language(settings, language, names, _missing(inbox)) for language in settings.prompts.languages]


def _of_language(settings: Settings, language: str, names: list[str], missing: set[str]) -> Finding:
    lost = [path for name in names if (path := _path(settings, language, name)) in missing]
    if lost:
        remedy = "run callflow install, or copy them to Asterisk's sounds folder, readable by the user asterisk"
        return fail(f"prompts {language}", f"missing: {', '.join(lost)}", remedy)
    return ok(f"prompts {language}", f"{', '.join(names)} are there")


def _prompt_files(settings: Settings) -> set[str]:
    """File names of the prompts that any profile plays."""
    ratings = set(PROMPT.values()) if settings.ratings.enabled else set()
    return {profile.prompts.get(name, name) for profile in settings.profiles.values() for name in ratings} | {
        profile.prompts.get(name, name)
        for profile in settings.profiles.values()
        for name in (*_of_assistance(settings, profile), *_of_ladders(settings, profile))
    }


def _of_ladders(settings: Settings, profile: Profile) -> list[str]:
    ladders = [profile.ladder, profile.quiet.ladder]
    if profile.assist is not Assist.OFF:
        ladders += [settings.assist.ladder, settings.assist.quiet_ladder]
    return [rung.prompt for ladder in ladders for rung in settings.ladders[ladder].rungs if rung.prompt]


def _of_assistance(settings: Settings, profile: Profile) -> list[str]:
    if profile.assist is Assist.OFF:
        return []
    spoken = profile.assist in (Assist.PROMPT, Assist.ACT)
    said = [prompt for prompt in Prompt if prompt is not Prompt.SAY_YOUR_NAME or settings.assist.ask_name]
    return [prompt.value for prompt in said if spoken or prompt in TO_AGENT]


def _path(settings: Settings, language: str, name: str) -> str:
    return settings.prompts.path.format(language=language, prompt=name)


def _missing(inbox: Inbox) -> set[str]:
    return {e.get("Prompt", "") for e in inbox.events if e.get("UserEvent") == "CallflowPromptMissing"}
