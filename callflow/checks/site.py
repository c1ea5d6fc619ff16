"""All checks of one site, in the order in which a person would make them."""

from collections.abc import AsyncIterator
from pathlib import Path

import structlog

from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.link import AmiLink
from callflow.checks.ami import check_dialplan, check_privileges, check_rings, check_version
from callflow.checks.assist import check_assist
from callflow.checks.callbacks import check_callbacks
from callflow.checks.feature_codes import check_feature_codes
from callflow.checks.finding import Finding, fail, hint, ok
from callflow.checks.host import check_host
from callflow.checks.inbox import Inbox
from callflow.checks.prompts import check_prompts
from callflow.checks.selftest import SelfTest
from callflow.checks.tap import check_gain, check_tap
from callflow.errors import LoginRefused
from callflow.settings.model import Settings

LOGIN_S = 5.0
WANTED = frozenset({b"UserEvent", b"ChannelTalkingStart", b"DialBegin", b"BridgeEnter"})


async def check_site(settings: Settings, config: Path | None) -> AsyncIterator[Finding]:
    """Findings as they become known; ends early when AMI cannot be had."""
    for finding in check_host(settings, config):
        yield finding
    inbox = Inbox()
    refusals: list[LoginRefused] = []

    def on_refused(refused: LoginRefused) -> None:
        refusals.append(refused)
        inbox.wake()

    log = structlog.get_logger()
    link = AmiLink(
        settings.ami,
        wanted=WANTED,
        on_event=inbox.add,
        on_up=inbox.wake,
        on_down=lambda reason: inbox.wake(),
        on_refused=on_refused,
        log=log,
    )
    await link.start()
    try:
        await inbox.until(lambda: link.connected or refusals, LOGIN_S)
        if not link.connected:
            yield _no_login(settings, refusals)
            return
        yield ok("AMI login", f"{settings.ami.username} at {settings.ami.host}:{settings.ami.port}")
        async for finding in _check_asterisk(settings, link, inbox):
            yield finding
    finally:
        await link.stop()


async def _check_asterisk(settings: Settings, link: AmiLink, inbox: Inbox) -> AsyncIterator[Finding]:
    for finding in await check_version(link):
        yield finding
    async for finding in check_privileges(link):
        yield finding
    async for finding in check_dialplan(link):
        yield finding
    for finding in await check_assist(settings, link):
        yield finding
    async for finding in check_callbacks(settings.callbacks, link):
        yield finding
    actions = AmiActions(link, link)
    for finding in await SelfTest(actions, inbox, settings.agi, structlog.get_logger()).run():
        yield finding
    for finding in await check_tap(settings, actions, structlog.get_logger()):
        yield finding
    for finding in await check_gain(settings, actions):
        yield finding
    yield await check_rings(actions, inbox)
    for finding in await check_feature_codes(settings, link, inbox):
        yield finding
    for finding in await check_prompts(settings, actions, inbox):
        yield finding
    yield hint(
        "media",
        "AMI does not show endpoints to a least-privilege user",
        "direct_media = no on trunks and agents; rtp_timeout, if set, longer than the ladder",
    )


def _no_login(settings: Settings, refusals: list[LoginRefused]) -> Finding:
    if refusals:
        return fail("AMI login", refusals[0].problem, refusals[0].remedy)
    where = f"{settings.ami.host}:{settings.ami.port}"
    remedy = "enabled = yes in manager.conf and `manager reload`; compare ami.host and ami.port"
    return fail("AMI login", f"no AMI answers at {where}", remedy)
