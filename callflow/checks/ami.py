"""What AMI tells: login, version, privileges and the dialplan."""

import re
from collections.abc import AsyncIterator

from callflow.adapters.ami.actions import CHECK_CONTEXT, AmiActions
from callflow.adapters.ami.include import REMEDY, differs, version_in
from callflow.adapters.ami.link import AmiLink
from callflow.checks.finding import Finding, fail, hint, ok, warn
from callflow.checks.inbox import Inbox
from callflow.errors import LinkError

SCREEN_CONTEXT = "callflow-screen"
NEEDED_ACTIONS = ("Setvar", "ControlPlayback", "Originate", "CoreShowChannels", "Ping")
UNWANTED_ACTIONS = {"Command": "command", "UpdateConfig": "config", "ModuleLoad": "system"}
TALK_DETECT_FROM = {16: 23, 18: 9}
"""Minor release of a branch from which TALK_DETECT is sound; other branches from 16 on always were."""
DROPS_LATE_FRAMES = re.compile(r"~cs\d")
"""In the version of Debian's and Ubuntu's packages that bring further codecs, and with them a patch of the translator.

Measured: 22.10.1+dfsg+~cs6.17 goes deaf, 16.28.0~dfsg (without ~cs) does not. Read: asterisk/asterisk#1324 (the package
20.6.0~dfsg+~cs6.13 lost audio at a new SSRC, 20.15.0 from source did not) and #2046 (the maintainers on that patch).
"""
PRIVILEGES = "read = call,agent,dtmf,user and write = call,agent,originate,reporting for the AMI user"


async def check_version(link: AmiLink) -> list[Finding]:
    """Check whether this release reports talking correctly, and whether this build hears every caller."""
    try:
        text = (await link.action("CoreSettings")).get("AsteriskVersion", "")
    except LinkError as error:
        return [warn("version", error.problem, PRIVILEGES)]
    return [_release(text), *([_late_frames(text)] if DROPS_LATE_FRAMES.search(text) else [])]


def _release(text: str) -> Finding:
    number = re.match(r"(\d+)\.(\d+)", text)
    if number is None:
        return warn("version", f"Asterisk {text}: no release number to judge by", "16.23 or 18.9 is needed at least")
    major, minor = int(number[1]), int(number[2])
    if major < 16 or minor < TALK_DETECT_FROM.get(major, 0):
        return fail("version", f"Asterisk {text}: its TALK_DETECT is faulty", "update to 16.23, 18.9 or later")
    return ok("version", f"Asterisk {text}")


def _late_frames(text: str) -> Finding:
    measured = "measured" if re.match(r"22\.10\.1\b", text) else "measured on 22.10.1"
    seen = f"this build goes deaf to a caller whose RTP sequence numbers jump back, e.g. at a new SSRC ({measured})"
    remedy = (
        "callflow hands such callers to a person; to hear them, install Asterisk as its project releases it: "
        "Debian and Ubuntu add a patch for lost packets (enable_native_plc) to main/translate.c"
    )
    return warn("deaf build", seen, remedy)


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
    """Check that our contexts are loaded and of this release, and that some dialplan enters them."""
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
    if (found := differs(version_in(lines))) is not None:
        what, meanwhile = found
        yield warn("dialplan", f"{what}; meanwhile {meanwhile}", REMEDY)
    else:
        yield ok("dialplan", f"{SCREEN_CONTEXT} and {CHECK_CONTEXT} of this release are loaded")
    entries = {line.get("Context", "") for line in lines if SCREEN_CONTEXT in line.get("AppData", "")}
    entries.discard(CHECK_CONTEXT)
    if entries:
        yield ok("entries", f"callers enter from {', '.join(sorted(entries))}")
    else:
        remedy = "put Gosub(callflow-screen,s,1(PROFILE)) before your Queue or Dial"
        yield warn("entries", "nothing enters screening", remedy)


async def check_rings(actions: AmiActions, inbox: Inbox) -> Finding:
    """Check that dialling is reported (DialBegin of the self-test call) and that queues can be seen."""
    if not any(event["Event"] == "DialBegin" for event in inbox.events):
        remedy = (
            f"{PRIVILEGES}; no disabledevents, no eventfilter on Dial*, Newstate, Bridge*, Queue* and Agent* events"
        )
        return fail("rings", "dialling is not reported: rings cannot be counted", remedy)
    try:
        entries = await actions.queues()
    except LinkError as error:
        return warn("rings", error.problem, PRIVILEGES)
    queues = sum(entry.get("Event") == "QueueParams" for entry in entries)
    members = sum(entry.get("Event") == "QueueMember" for entry in entries)
    if not queues:
        return hint("rings", "dialling is reported; there are no queues", "direct lines are counted; see docs/rings.md")
    return ok("rings", f"dialling is reported; {queues} queues with {members} members can be seen")
