"""What AMI tells: login, version, privileges and the dialplan."""

import re
from collections.abc import AsyncIterator

from callflow.adapters.ami.actions import CHECK_CONTEXT
from callflow.adapters.ami.link import AmiLink
from callflow.checks.finding import Finding, fail, ok, warn
from callflow.errors import LinkError

SCREEN_CONTEXT = "callflow-screen"
NEEDED_ACTIONS = ("Setvar", "ControlPlayback", "Originate", "CoreShowChannels", "Ping")
UNWANTED_ACTIONS = {"Command": "command", "UpdateConfig": "config", "ModuleLoad": "system"}
TALK_DETECT_FROM = {16: 23, 18: 9}
"""Minor release of a branch from which TALK_DETECT is sound; other branches from 16 on always were."""
PRIVILEGES = "read = call,agent,dtmf,user and write = call,originate,reporting for the AMI user"


async def check_version(link: AmiLink) -> Finding:
    """Old releases report talking wrongly."""
    try:
        text = (await link.action("CoreSettings")).get("AsteriskVersion", "")
    except LinkError as error:
        return warn("version", error.problem, PRIVILEGES)
    number = re.match(r"(\d+)\.(\d+)", text)
    if number is None:
        return warn("version", f"Asterisk {text}: no release number to judge by", "16.23 or 18.9 is needed at least")
    major, minor = int(number[1]), int(number[2])
    if major < 16 or minor < TALK_DETECT_FROM.get(major, 0):
        return fail("version", f"Asterisk {text}: its TALK_DETECT is faulty", "update to 16.23, 18.9 or later")
    return ok("version", f"Asterisk {text}")


async def check_privileges(link: AmiLink) -> AsyncIterator[Finding]:
    """ListCommands names only what the user may do."""
    try:
        allowed = await link.action("ListCommands")
    except LinkError as error:
        yield warn("privileges", error.problem, PRIVILEGES)
        return
    missing = [name for name in NEEDED_ACTIONS if name not in allowed]
    if missing:
        remedy = f"{PRIVILEGES}; load => app_controlplayback.so"
        yield fail("privileges", f"not allowed, or not loaded: {', '.join(missing)}", remedy)
    else:
        yield ok("privileges", f"{', '.join(NEEDED_ACTIONS)} are allowed")
    too_many = [privilege for action, privilege in UNWANTED_ACTIONS.items() if action in allowed]
    if too_many:
        yield warn("least privilege", f"the AMI user also has {', '.join(too_many)}", PRIVILEGES)


async def check_dialplan(link: AmiLink) -> AsyncIterator[Finding]:
    """Are our contexts loaded, and does anybody enter them?"""
    try:
        lines = await link.action_list("ShowDialPlan", timeout_s=10)
    except LinkError as error:
        yield warn("dialplan", f"cannot be read: {error.problem}", PRIVILEGES)
        return
    contexts = {line.get("Context", "") for line in lines}
    for context in (SCREEN_CONTEXT, CHECK_CONTEXT):
        if context not in contexts:
            remedy = "#include callflow.conf in extensions.conf, then `dialplan reload`"
            yield fail("dialplan", f"there is no context {context}", remedy)
            return
    yield ok("dialplan", f"{SCREEN_CONTEXT} and {CHECK_CONTEXT} are loaded")
    entries = {line.get("Context", "") for line in lines if SCREEN_CONTEXT in line.get("AppData", "")}
    entries.discard(CHECK_CONTEXT)
    if entries:
        yield ok("entries", f"callers enter from {', '.join(sorted(entries))}")
    else:
        remedy = "put Gosub(callflow-screen,s,1(PROFILE)) before your Queue or Dial"
        yield warn("entries", "nothing enters screening", remedy)
