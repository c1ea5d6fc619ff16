"""Talks and call-backs, one scene after the other: the same on a real Asterisk and on the pretend one."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import inf
from typing import Any

from callflow.lab.ami import AmiClient
from callflow.lab.phone.behaviour import Behaviour, Does, Hold, Keys
from callflow.lab.phone.call import State
from callflow.lab.talks.asterisk_files import FEATURES, QUEUES
from callflow.lab.talks.talk_lab import TalkLab

AGENT, CUSTOMER, FIRST_CALLER = "8003", "13800001111", 1021
QUEUE = "sales"
PROMPT, PROMPT_S = "lab/tone_1550", 4.0
PATIENCE_S = 20.0
Phone = dict[str, Any]


@dataclass(frozen=True)
class Act:
    """An AMI action, this many seconds after caller and agent were connected."""

    at_s: float
    action: str
    variables: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    """CALLER and AGENT in a value stand for their channels, CALLERID for the caller's uniqueid."""


@dataclass(frozen=True)
class Scene:
    """One call: by a caller who dials, or originated with `channel_id`."""

    name: str
    lasts_s: float
    agent: Phone | None = None
    customer: Phone | None = None
    dials: str = ""
    stays_s: float = 60.0
    key_at_s: float = 0.0
    timeout_ms: int = 30000
    acts: tuple[Act, ...] = ()

    @property
    def channel_id(self) -> str:
        return f"cb-{self.name}"


def _phone(*acts: dict[str, Any], **more: Any) -> Phone:
    return {"after_s": 0.2, "context": "talk-phones", "acts": list(acts)} | more


def _whisper(at_s: float, to: str = "CALLERID", number: int = 1) -> Act:
    headers = (
        ("Channel", "Local/s@talk-whisper/n"), ("Context", "talk-say"), ("Exten", "s"), ("Priority", "1"),
        ("Async", "true"), ("ChannelId", f"cb-say-{number}"), ("OtherChannelId", f"cb-ear-{number}"),
    )  # fmt: skip
    return Act(at_s, "Originate", (("SPYCHAN", to), ("PROMPT", PROMPT)), headers)


def _setvar(at_s: float, channel: str, variable: str, value: str) -> Act:
    return Act(at_s, "Setvar", (), (("Channel", channel), ("Variable", variable), ("Value", value)))


_ACCEPTS = {"at_s": 0.5, "keys": "1"}
CALL_BACKS = (
    Scene("answers", 3.5, _phone(_ACCEPTS), _phone(talk_s=1.0)),
    Scene("customer-busy", 2.5, _phone(_ACCEPTS), _phone(does="busy")),
    Scene("customer-refuses", 2.5, _phone(_ACCEPTS), _phone(does="refuse")),
    Scene("agent-busy", 1.5, _phone(does="busy")),
    Scene("agent-refuses", 1.5, _phone(does="refuse")),
    Scene("agent-sleeps", 3.5, _phone(does="ignore"), timeout_ms=2000),
    Scene("other-key", 2.5, _phone({"at_s": 0.5, "keys": "2"})),
    Scene("agent-leaves", 2.5, _phone(talk_s=1.0)),
    Scene("agent-gives-up", 5.0, _phone(_ACCEPTS, talk_s=3.0), _phone(does="ignore")),
)
_REDIRECT = (("Channel", "CALLER"), ("Context", "talk-goodbye"), ("Exten", "s"), ("Priority", "1"))
TALKS = (
    Scene("whisper", 6.0, _phone(talk_s=5.0), dials=f"plain_{QUEUE}", acts=(_whisper(0.3),)),
    Scene(
        "whisper-stopped", 3.5, _phone(talk_s=2.5), dials=f"plain_{QUEUE}",
        acts=(_whisper(0.3, number=2), Act(1.3, "Hangup", (), (("Channel", "cb-say-2"),))),
    ),
    Scene("whisper-to-nobody", 2.5, _phone(talk_s=1.5), dials=f"plain_{QUEUE}", acts=(_whisper(0.3, "1.1", 3),)),
    Scene(
        "music-lost", 4.0, _phone({"at_s": 0.5, "hold": True}, {"at_s": 2.0, "resume": True}, talk_s=3.0),
        dials=f"plain_{QUEUE}", acts=(_setvar(1.0, "CALLER", "TALK_DETECT(set)", "160,256"),),
    ),
    Scene(
        "music-kept", 4.0, _phone({"at_s": 0.5, "hold": True}, {"at_s": 2.0, "resume": True}, talk_s=3.0),
        dials=f"plain_{QUEUE}", acts=(_setvar(0.2, "CALLER", "TALK_DETECT(set)", "160,256"),),
    ),
    Scene("redirect", 8.5, _phone(), dials=f"plain_{QUEUE}", acts=(Act(0.5, "Redirect", (), _REDIRECT),)),
    Scene("code", 3.5, _phone({"at_s": 0.5, "keys": "*71"}, talk_s=2.5), dials=f"features_{QUEUE}"),
    Scene("agent-leaves", 5.0, _phone(talk_s=1.0), dials=f"stays_{QUEUE}"),
    Scene("caller-leaves", 2.5, _phone(), dials=f"stays_{QUEUE}", stays_s=1.5),
    Scene("line", 5.0, _phone(talk_s=1.0), dials=f"line_{AGENT}"),
    Scene("exit-key", 2.5, None, dials="plain_nobody", key_at_s=1.0),
)  # fmt: skip
_CONSULT = (("Channel", "AGENT"), ("Exten", CUSTOMER), ("Context", "talk-phones"))
CONSULTATIONS = (
    Scene(
        "supervisor", 11.0, _phone(talk_s=5.0), _phone(talk_s=5.0), dials=f"transfer_{QUEUE}",
        acts=(Act(0.5, "Atxfer", (), _CONSULT),),
    ),
)  # fmt: skip


def _name(at_s: float, seconds: int, number: int) -> Act:
    headers = (
        ("Channel", "Local/s@callflow-name-spy/n"), ("Context", "callflow-name"), ("Exten", "s"), ("Priority", "1"),
        ("Async", "true"), ("ChannelId", f"cb-name-{number}"), ("OtherChannelId", f"cb-name-spy-{number}"),
    )  # fmt: skip
    variables = (("NAMECHAN", "CALLERID"), ("NAMEFILE", f"spoken-{number}"), ("NAMESECONDS", str(seconds)))
    return Act(at_s, "Originate", variables, headers)


_HELD = _phone({"at_s": 0.5, "hold": True}, {"at_s": 3.5, "resume": True}, talk_s=4.5)
_LISTENS = tuple(_setvar(0.2, who, "TALK_DETECT(set)", "160,256") for who in ("CALLER", "AGENT"))
NAMES = (
    Scene(
        "name-stopped", 6.0, _HELD, dials=f"plain_{QUEUE}",
        acts=(*_LISTENS, _name(1.0, 5, 1), Act(2.2, "Hangup", (), (("Channel", "cb-name-1"),))),
    ),
    Scene("name-longest", 6.0, _HELD, dials=f"plain_{QUEUE}", acts=(*_LISTENS, _name(1.0, 1, 2))),
    Scene("name-without-caller", 4.0, _phone(talk_s=1.5), dials=f"plain_{QUEUE}", acts=(*_LISTENS, _name(0.8, 5, 3))),
)  # fmt: skip


def _pause(at_s: float, interface: str, paused: str, *more: tuple[str, str]) -> Act:
    return Act(at_s, "QueuePause", (), (("Interface", interface), ("Paused", paused), *more))


_MEMBER = f"PJSIP/{AGENT}"
PAUSES = (
    Scene(
        "pauses", 4.0, _phone(talk_s=3.0), dials=f"plain_{QUEUE}",
        acts=(
            _pause(0.5, _MEMBER, "true", ("Reason", "wrapup")), _pause(0.8, _MEMBER, "true", ("Queue", QUEUE)),
            _pause(1.1, _MEMBER, "false", ("Reason", "")), _pause(1.4, _MEMBER, "false"),
            _pause(1.7, "PJSIP/8099", "true"), _pause(2.0, _MEMBER, "true", ("Queue", "nobody")),
            _pause(2.3, _MEMBER, ""),
        ),
    ),
)  # fmt: skip
SETS = {"callbacks": CALL_BACKS, "talks": TALKS, "consultations": CONSULTATIONS, "names": NAMES, "pauses": PAUSES}
Place = Callable[[int, Scene], Awaitable[None]]


def starts_s(scenes: tuple[Scene, ...]) -> list[float]:
    """When each scene begins."""
    return [0.0, *accumulate(scene.lasts_s for scene in scenes)][: len(scenes)]


async def perform(ami: AmiClient, scenes: tuple[Scene, ...], place: Place) -> None:
    """Do what is done over AMI, scene by scene; `place` lets a scene's caller call."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number, (scene, at_s) in enumerate(zip(scenes, starts_s(scenes), strict=True)):
        await asyncio.sleep(max(0.0, began + at_s - loop.time()))
        if scene.dials:
            await place(number, scene)
            await _act(ami, scene, str(FIRST_CALLER + number))
        else:
            await place(number, scene)
            await _originate(ami, scene)
    await asyncio.sleep(max(0.0, began + sum(scene.lasts_s for scene in scenes) - loop.time()))


async def _originate(ami: AmiClient, scene: Scene) -> None:
    await ami.action(
        "Originate", {"CBNUM": CUSTOMER}, Channel=f"PJSIP/{AGENT}", Context="talk-callback", Exten="s", Priority="1",
        Async="true", ChannelId=scene.channel_id, Timeout=str(scene.timeout_ms), CallerID=f'"Call back" <{CUSTOMER}>',
    )  # fmt: skip


async def _act(ami: AmiClient, scene: Scene, number: str) -> None:
    if not scene.acts:
        return
    met = await ami.wait_event(lambda e: e["Event"] == "BridgeEnter" and e["CallerIDNum"] == number, PATIENCE_S)
    agents = [e["Channel"] for e in ami.events if e["Event"] == "BridgeEnter" and f"/{AGENT}-" in e["Channel"]]
    known = {"CALLER": met["Channel"], "CALLERID": met["Uniqueid"], "AGENT": agents[-1]}
    for before, act in pairwise((Act(0.0, ""), *scene.acts)):
        await asyncio.sleep(act.at_s - before.at_s)
        variables = {name: known.get(value, value) for name, value in act.variables}
        await ami.action(act.action, variables, **{name: known.get(value, value) for name, value in act.headers})


def scenario(scenes: tuple[Scene, ...]) -> dict[str, Any]:
    """The phones and callers of these scenes for the pretend Asterisk."""
    agents = [{"number": AGENT, "queues": [QUEUE], "features": _features()} | s.agent for s in scenes if s.agent]
    customers = [{"number": CUSTOMER} | s.customer for s in scenes if s.customer]
    callers = [
        {
            "name": scene.name, "at_s": at_s, "number": str(FIRST_CALLER + number), "dials": scene.dials,
            "language": "en", "stays_s": scene.stays_s,
            "does": [{"at": scene.key_at_s, "key": "1"}] if scene.key_at_s else [],
        }
        for number, (scene, at_s) in enumerate(zip(scenes, starts_s(scenes), strict=True))
        if scene.dials
    ]  # fmt: skip
    empty = {"number": "8009", "does": "absent", "queues": ["nobody"]}
    return {
        "phones": [*agents, *customers, empty],
        "callers": callers,
        "music": True,
        "exit_contexts": dict.fromkeys(QUEUES, "talk-exit"),
        "sounds_s": {"lab/tone_1450": PROMPT_S, PROMPT: PROMPT_S},
    }


def _features() -> dict[str, str]:
    return {code: f"Gosub(talk-feature,s,1({name.removeprefix('talk-')}))" for name, code in FEATURES.items()}


async def place_on_lab(talks: TalkLab, number: int, scene: Scene) -> None:
    """The phones of a scene, and its caller, on a real Asterisk; all of them send silence."""
    for phone, who in ((scene.agent, AGENT), (scene.customer, CUSTOMER)):
        if phone is not None:
            talks.bank.phone(who, 0, _behaviour(phone))
    if scene.dials:
        talks.bank.run(_call(talks, number, scene))


async def _call(talks: TalkLab, number: int, scene: Scene) -> None:
    call = talks.bank.phone(str(FIRST_CALLER + number), 0).call(scene.dials)
    await call.until(State.TALKING)
    if scene.key_at_s:
        await asyncio.sleep(scene.key_at_s)
        await call.press("1")
    try:
        await call.until(State.ENDED, scene.stays_s)
    except TimeoutError:
        await call.hang_up()


def _behaviour(phone: Phone) -> Behaviour:
    acts: list[dict[str, Any]] = phone["acts"]
    holds = [act["at_s"] for act in acts if act.get("hold")]
    resumed = [act["at_s"] for act in acts if act.get("resume")]
    does: Does = phone.get("does", "answer")
    return Behaviour(
        does, phone["after_s"], talk_s=phone.get("talk_s", inf),
        keys=tuple(Keys(act["at_s"], act["keys"]) for act in acts if act.get("keys")),
        holds=tuple(Hold(at_s, until_s - at_s) for at_s, until_s in zip(holds, resumed, strict=True)),
    )  # fmt: skip
