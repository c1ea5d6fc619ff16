"""Phones that send back what they receive: nobody speaks on them, so callflow must hear nobody."""

import asyncio
from collections.abc import Mapping
from random import Random

import pytest

from callflow.lab.lab import open_lab
from callflow.lab.phone.call import Call, State
from callflow.lab.phone.media import FRAME_S, SILENCE
from callflow.lab.phone.phone import PhoneBank
from callflow.lab.screening.run import SCENARIO_CONFIG
from callflow.processes.ports import LOOPBACK, PortBlock
from callflow.sound import mulaw
from tests.labs import rows

pytestmark = [pytest.mark.lab, pytest.mark.timeout(120)]

ECHO = 10 ** (-20 / 20)
DRIFTING = [str(number) for number in range(5001, 5009)]
THROUGH_GSM = "5009"
LADDER_S = 40.0
_ENDPOINT = """
[{n}]
type = endpoint
context = from-lab
aors = {n}
disallow = all
allow = ulaw,gsm
direct_media = no
[{n}]
type = aor
max_contacts = 1
"""
_GSM = """
[gsm]
type = endpoint
context = nowhere
disallow = all
allow = gsm
direct_media = no
"""


def _additions(_: PortBlock) -> Mapping[str, str]:
    numbers = [*DRIFTING, THROUGH_GSM]
    loop = f"exten => _gsm!,1,Dial(PJSIP/gsm/sip:dial_zh_support@{LOOPBACK}:${{EXTEN:4}})\n"
    return {
        "pjsip.conf": _GSM + "".join(_ENDPOINT.format(n=number) for number in numbers),
        "extensions.conf": f"\n[from-lab]\n{loop}",
    }


async def _send_back(call: Call, seed: int, *, drifts: bool) -> None:
    """Send back all audio, 20 dB lower and 0.1 to 0.3 s late; if it `drifts`, with a delay that changes."""
    random, media = Random(seed), call.media
    taken, changes_at = 0, 0
    media.play(SILENCE * 5)
    while call.state is not State.ENDED:
        await asyncio.sleep(FRAME_S)
        fresh = media.received[taken:]
        taken += len(fresh)
        if drifts and taken >= changes_at:
            changes_at = taken + random.randrange(25, 100)
            if random.random() < 0.5:
                media.play(SILENCE * random.randrange(1, 4))
            else:
                fresh = fresh[random.randrange(1, 4) :]
        for frame in fresh:
            if frame.payload_type == 0:
                media.play(mulaw.encode(mulaw.decode(frame.payload) * ECHO))


async def test_phones_that_echo_with_a_changing_delay_or_through_gsm_are_nobody() -> None:
    async with open_lab("22", additions=_additions) as lab, PhoneBank((LOOPBACK, lab.asterisk.ports.sip)) as bank:
        daemon = await lab.start_daemon(SCENARIO_CONFIG)
        calls, echoing = [], []
        for seed, number in enumerate([*DRIFTING, THROUGH_GSM]):
            through_gsm = number == THROUGH_GSM
            call = bank.phone(number, 0).call(f"gsm_{lab.asterisk.ports.sip}" if through_gsm else "dial_zh_support")
            await call.until(State.TALKING)
            calls.append(call)
            echoing.append(asyncio.create_task(_send_back(call, seed, drifts=not through_gsm)))
        await asyncio.gather(*(call.until(State.ENDED, LADDER_S) for call in calls))
        await asyncio.gather(*echoing)
        await daemon.stop()
        found = rows(daemon.database, "select caller_number, result, heard from calls")
        assert len(found) == len(calls)
        assert not [tuple(row) for row in found if row["result"] != "silent"]
        assert bank.failures == []
