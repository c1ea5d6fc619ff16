"""The self-test call: a tone through a Local channel into the screening, as at every connection of the daemon."""

import asyncio
import uuid
from typing import Any

from callflow.adapters.agi.options import AgiOptions
from callflow.adapters.agi.server import AgiServer
from callflow.adapters.agi.session import AgiSession
from callflow.adapters.ami.actions import AmiActions
from callflow.adapters.ami.translate import check_outcome, stamped_ms
from callflow.checks.ami import PRIVILEGES
from callflow.checks.finding import Finding, fail, ok, warn
from callflow.checks.inbox import Inbox
from callflow.core.profile import TalkDetect
from callflow.core.screening.states import Result
from callflow.errors import AgiError, LinkError, SettingError
from callflow.runtime.vouching import Vouching

END_S = 6.0
HEAR_S = 2.0


class SelfTest:
    """One self-test; while no daemon runs, it answers the FastAGI port itself."""

    def __init__(self, actions: AmiActions, inbox: Inbox, agi: AgiOptions, log: Any) -> None:
        self._actions = actions
        self._inbox = inbox
        self._options = agi
        self._log = log
        self._id = f"check-{uuid.uuid4().hex[:8]}"
        self._answering: asyncio.Task[None] | None = None

    async def run(self) -> list[Finding]:
        """Place the call and judge its result."""
        stand_in = await self._stand_in()
        try:
            await self._actions.prove_ear(self._id)
            await self._inbox.until(self._outcome, END_S)
        except LinkError as error:
            return [fail("self-test call", error.problem, error.remedy)]
        finally:
            if stand_in is not None:
                await stand_in.stop()
        return self._judge("the running daemon" if stand_in is None else "this check")

    def _judge(self, answerer: str) -> list[Finding]:
        outcome = self._outcome()
        if outcome is None:
            remedy = f"{PRIVILEGES}; no disabledevents, no eventfilter on UserEvent"
            return [fail("self-test call", "its end was never reported", remedy)]
        _, agi_status, result = outcome
        return [self._reached(agi_status, answerer), self._heard(result), self._stamped()]

    def _reached(self, agi_status: str, answerer: str) -> Finding:
        where = f"agi://{self._options.host}:{self._options.port}"
        if agi_status == "SUCCESS":
            return ok("FastAGI", f"Asterisk reached {answerer} at {where}")
        remedy = "agi.host, agi.port, agi.token and the dialplan's global CALLFLOW_AGI must name the same place"
        return fail("FastAGI", f"Asterisk cannot reach {where} ({agi_status or 'res_agi is not loaded'})", remedy)

    def _heard(self, result: str) -> Finding:
        if result == Result.SPOKE:
            return ok("hearing", "the self-test tone was heard")
        remedy = (
            "load => func_talkdetect.so, app_playtones.so and res_timing_timerfd.so; "
            f"{PRIVILEGES}; no disabledevents, no eventfilter on ChannelTalkingStart"
        )
        return fail("hearing", f"the self-test tone was not heard ({result})", remedy)

    def _stamped(self) -> Finding:
        if any(stamped_ms(event) is not None for event in self._inbox.events):
            return ok("time stamps", "events carry Asterisk's own time")
        return warn("time stamps", "events carry no time", "timestampevents = yes in [general] of manager.conf")

    async def _stand_in(self) -> AgiServer | None:
        vouching = Vouching(self._options, self._actions)
        server = AgiServer(vouching.options, self._on_call, self._log, voucher=vouching)
        try:
            await server.start()
        except SettingError:
            return None
        vouching.give_token()
        return server

    def _on_call(self, script: str, session: AgiSession) -> None:
        self._answering = asyncio.create_task(self._answer(session))

    async def _answer(self, session: AgiSession) -> None:
        """Do what the daemon would do with the call."""
        uniqueid, channel = session.variables["agi_uniqueid"], session.variables["agi_channel"]
        ear = TalkDetect()
        try:
            await self._actions.arm_ear(channel, ear.silence_ms, ear.threshold)
            heard = await self._inbox.until(lambda: self._talked(uniqueid), HEAR_S)
            await session.set_variable("CALLFLOW_RESULT", Result.SPOKE if heard else Result.PASSED)
        except (LinkError, AgiError) as error:
            self._log.debug("the self-test was not answered", reason=error.problem)
        session.close()

    def _talked(self, uniqueid: str) -> bool:
        return any(e["Event"] == "ChannelTalkingStart" and e.get("Uniqueid") == uniqueid for e in self._inbox.events)

    def _outcome(self) -> tuple[str, str, str] | None:
        found = (check_outcome(event) for event in self._inbox.events)
        return next((outcome for outcome in found if outcome and outcome[0] == self._id), None)
