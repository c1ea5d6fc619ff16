"""A daemon that assists in talks on a real Asterisk, and phones of a caller and an agent that send sines."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from callflow.lab.ami import AmiClient
from callflow.lab.phone.call import Call
from callflow.lab.phone.heard import Span, gaps
from callflow.lab.phone.media import FRAME_S, Frame, audio, tone
from callflow.lab.phone.phone import Phone
from callflow.lab.phone.presence import Presence, presence
from callflow.lab.talks.talk_lab import TalkLab, talk_lab
from callflow.processes.daemon import Config, Daemon
from callflow.scenarios.site import Version
from callflow.sound import mulaw
from callflow.sound.audio import FRAME, RATE, read_wav
from tests.labs import rows

CALLER_HZ, AGENT_HZ = 650, 750
CALLER = "1301"
LONGEST_GAP_S = 0.06
UNDERTONES_HZ = {"caller": 3350, "agent": 3450}
UNDERTONE_DBOV = -58.0
"""So low that no ear takes it as a voice, loud enough to be measured on the wire. The tap takes it as noise."""
LEVEL_DB = 1.0
"""A whisper changes the level of both speakers by less than this."""
ATTACHED_S = 0.5
"""A whisper is attached at most this long before its prompt is heard."""
MUSIC_S = 0.2
"""Shorter sounds at the frequency of the music are parts of prompts."""
BROKEN_S = 0.4
"""Music that is missing for this long in all has not lasted."""
BUSY_S = 0.5
"""A stall of the phones of this length is one of Asterisk as well."""


@dataclass
class Talk:
    """One talk: both sides of it, and the daemon beside it."""

    talks: TalkLab
    daemon: Daemon
    caller: Call
    agent: Call
    stalls: list[Span] = field(default_factory=list)
    """When this machine was busy with other things."""
    undertones: bool = False
    """Both phones send a low tone, which `levels_ok` measures."""
    only: str = ""
    """Of several talks beside each other, the one of this agent."""

    async def says(self, call: Call, hz: int, seconds: float) -> None:
        """This phone speaks for so long; returns at the end of it."""
        call.media.play(tone(hz)[: FRAME * 50] * max(1, round(seconds)))
        await asyncio.sleep(max(1, round(seconds)))

    async def agent_greets(self) -> None:
        await self.says(self.agent, AGENT_HZ, 1)

    async def prompt_begins(self) -> None:
        """Until a whisper has sounded for a while. Raises TimeoutError."""
        await self.talks.ami.wait_event(lambda event: is_whisper(event, "ChanSpyStart"), 15)
        await asyncio.sleep(1.2)

    async def prompt_over(self) -> None:
        """Until the whisper has ended."""
        await self.talks.ami.wait_event(lambda event: is_whisper(event, "ChanSpyStop"), 15)

    def levels(self, call: Call, tones: Mapping[str, int]) -> Presence:
        """How loud these sines were in what a phone received."""
        return presence(call.media.received, tones)

    def steps(self) -> list[dict[str, object]]:
        """What the daemon has stored of it."""
        found = rows(self.daemon.database, "select * from assist_steps order by at_ms, seq")
        return [dict(row) for row in found if self.only in ("", row["agent"])]

    def holds(self) -> list[dict[str, object]]:
        """The holds that the daemon has stored, including those in progress."""
        return [dict(row) for row in rows(self.daemon.database, "select * from holds order by began_ms")]

    def at(self, call: Call, prompts: Sequence[str] = ()) -> Presence:
        """What a phone received, and which of `prompts` are in it."""
        folder = self.talks.lab.sounds / "en/callflow"
        samples = {name: read_wav(folder / f"{name}.wav") for name in prompts}
        tones = {"caller": CALLER_HZ, "agent": AGENT_HZ, "music": self.talks.tones["music"]}
        found = presence(call.media.received, tones)
        cleaned = without(call.media.received, tones["music"]) if found.spans("music") else call.media.received
        return replace(found, prompts=presence(cleaned, {}, samples).prompts)

    async def told(self, kind: str, what: str = "", outcome: str = "", timeout_s: float = 25.0) -> dict[str, object]:
        """The first step of this kind, once the daemon has stored it. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                for step in self.steps():
                    fits = str(step["what"]).startswith(what) and str(step["outcome"]).startswith(outcome)
                    if step["kind"] == kind and fits:
                        return step
                await asyncio.sleep(0.05)

    async def stored(self, query: str) -> dict[str, object]:
        """The first row that a query finds, once there is one. Raises TimeoutError."""
        async with asyncio.timeout(10):
            while True:
                for row in rows(self.daemon.database, query):
                    return dict(row)
                await asyncio.sleep(0.05)


def wire_ok(talk: Talk) -> None:
    """Ears and whispers leave no gap, and change nobody's level."""
    gaps_ok(talk)
    levels_ok(talk)


def gaps_ok(talk: Talk) -> None:
    """No gap when ears and whispers come and go, except pauses of the sending phone and stalls of the machine."""
    names = ("ChanSpyStart", "ChanSpyStop", "BridgeEnter")
    moments = [float(event["Timestamp"]) for event in talk.talks.ami.events if event["Event"] in names]
    for call, other in ((talk.caller, talk.agent), (talk.agent, talk.caller)):
        for gap in gaps(call.media.received, LONGEST_GAP_S):
            if any(gap.began - 0.5 < at < gap.ended + 0.1 for at in moments):
                no_hole(talk, gap, other.media.sent)


def unbroken(talk: Talk) -> None:
    """No gap for either in the whole talk."""
    for call, other in ((talk.caller, talk.agent), (talk.agent, talk.caller)):
        for gap in gaps(call.media.received, LONGEST_GAP_S):
            no_hole(talk, gap, other.media.sent)


def no_hole(talk: Talk, gap: Span, sent: Sequence[Frame] = ()) -> None:
    """A gap is no longer than the pause of the sending phone and the stalls of this machine explain."""
    paused = [one.lasted_s for one in gaps(sent, 0.03) if one.began < gap.ended and gap.began < one.ended]
    busy_s = sum(one.lasted_s for one in talk.stalls if abs(one.began - gap.began) < BUSY_S)
    hole_s = gap.lasted_s - max(paused, default=FRAME_S) - busy_s
    assert hole_s < LONGEST_GAP_S - FRAME_S, f"a gap of {gap.lasted_s:.3f} s"


def levels_ok(talk: Talk) -> None:
    """During a whisper each phone receives the other at the level of just before, unless the agent changes it."""
    raised = [int(str(step["at_ms"])) / 1000 for step in talk.steps() if step["kind"] == "gain"]
    measured = 0
    for began, ended in whispers(talk):
        before, while_said = (began - 1.0, began - ATTACHED_S), (began + 0.2, ended - 0.1)
        if any(before[0] - 0.1 < at < ended for at in raised):
            continue
        for name, speaker, listener in (("caller", talk.caller, talk.agent), ("agent", talk.agent, talk.caller)):
            hz = {name: UNDERTONES_HZ[name]}
            sent, got = presence(speaker.media.sent, hz), presence(listener.media.received, hz)
            sent_db = sent.level_dbov(name, *while_said) - sent.level_dbov(name, *before)
            if sent.level_dbov(name, *before) > UNDERTONE_DBOV - LEVEL_DB and abs(sent_db) < LEVEL_DB:
                changed_db = got.level_dbov(name, *while_said) - got.level_dbov(name, *before)
                assert abs(changed_db) < LEVEL_DB, f"the {name}'s level changes by {changed_db:.1f} dB"
                measured += 1
    assert measured or not talk.undertones, "no whisper was measured"


def whispers(talk: Talk) -> list[Span]:
    """When prompts sounded on the wire, only those of at least half a second."""
    said = {str(step["what"]) for step in talk.steps() if step["kind"] == "said"}
    found: list[Span] = []
    for to, call in (("caller", talk.caller), ("agent", talk.agent)):
        prompts = [what.split(" to ")[0] for what in sorted(said) if what.endswith(f" to {to}")]
        found += [one.span for one in talk.at(call, prompts).prompts.values()]
    return [span for span in found if span.lasted_s > 0.5]


def music_ok(talk: Talk) -> None:
    """From the first music to the last, the caller's sound has no gap except stalls of the machine."""
    music = [span for span in talk.at(talk.caller).spans("music") if span.lasted_s > MUSIC_S]
    assert music
    for gap in gaps(talk.caller.media.received, LONGEST_GAP_S):
        if music[0].began < gap.ended and gap.began < music[-1].ended:
            no_hole(talk, gap)


def music_lasts(talk: Talk, held_at: float, ended_at: float) -> bool:
    """Music plays from the hold to this moment, but for what the machine was held up for."""
    music = talk.at(talk.caller).spans("music")
    busy_s = sum(one.lasted_s for one in talk.stalls if held_at < one.began < ended_at)
    return ended_at - held_at - sum(span.lasted_s for span in music) < BROKEN_S + busy_s


def music_doubted(talk: Talk, uniqueid: str) -> bool:
    """callflow says that the music of this caller may have ended."""
    steps = [step for step in talk.steps() if step["call_id"] == uniqueid]
    return any((step["kind"], step["what"]) == ("doubt", "music") for step in steps)


def agent_freed_s(talk: Talk) -> float:
    """From the redirect until the agent's phone was sent its BYE."""
    parted = next(step for step in talk.steps() if step["kind"] == "parted")
    bye = next(one for one in talk.talks.bank.messages(talk.agent.call_id) if one.message.first.startswith("BYE"))
    return bye.at - int(str(parted["at_ms"])) / 1000


def own_channels(ami: AmiClient) -> list[str]:
    """Channels of callflow that have begun and not ended."""
    gone = {event["Uniqueid"] for event in ami.events if event["Event"] == "Hangup"}
    begun = [event for event in ami.events if event["Event"] == "Newchannel" and "@callflow-" in event["Channel"]]
    return [event["Channel"] for event in begun if event["Uniqueid"] not in gone]


async def watch_machine(stalls: list[Span]) -> None:
    while True:
        before = time.time()
        await asyncio.sleep(0.005)
        if time.time() - before > 0.015:
            stalls.append(Span(before, time.time()))


def without(frames: Sequence[Frame], hz: int) -> list[Frame]:
    """The frames with one sine removed: the music is as loud as the prompts that are spoken over it."""
    wave = np.exp(-2j * np.pi * hz * np.arange(FRAME) / RATE)
    kept = []
    for frame in audio(frames):
        samples = mulaw.decode(frame.payload[:FRAME].ljust(FRAME, b"\xff")).astype(np.float64)
        sine = 2 / FRAME * np.real(np.sum(samples * wave) * np.conj(wave))
        kept.append(frame._replace(payload=mulaw.encode(samples - sine)))
    return kept


def is_whisper(event: Mapping[str, str], name: str) -> bool:
    return event["Event"] == name and event.get("SpyerUniqueid", "").startswith("callflow-say-")


@asynccontextmanager
async def assisted(
    version: Version,
    assist: str,
    *,
    entry: str = "plain_support",
    rules: Config | None = None,
    more: Config | None = None,
    caller_sends: bool = True,
    undertone_dbov: float | None = None,
    **profile: object,
) -> AsyncIterator[Talk]:
    """A talk in this mode; both phones send silence until they speak. `more`: further sections of the settings.

    Without `caller_sends` the caller's phone sends no packet until it speaks. With `undertone_dbov` both send a low
    tone, which `levels_ok` measures.
    """
    async with talk_lab(version) as talks:
        default = {"assist": assist} | profile
        sections = {"profiles": {"default": default}, "assist": rules or {}} | (more or {})
        daemon = await talks.lab.start_daemon(sections)
        caller, agent = talks.phone(CALLER), talks.agent()
        caller.tone_hz, agent.tone_hz = 0 if caller_sends else None, 0
        made = await talk(talks, daemon, caller, agent, entry)
        if undertone_dbov is not None:
            made.caller.media.background = tone(UNDERTONES_HZ["caller"], undertone_dbov)
            made.agent.media.background = tone(UNDERTONES_HZ["agent"], undertone_dbov)
            made.undertones = True
        watching = asyncio.create_task(watch_machine(made.stalls))
        yield made
        watching.cancel()


async def talk(talks: TalkLab, daemon: Daemon, caller: Phone, agent: Phone, entry: str = "plain_support") -> Talk:
    """A call that the agent has answered."""
    call, there = await talks.talk(caller, agent, entry)
    return Talk(talks, daemon, call, there)


async def both_speak(there: Talk) -> None:
    """The agent greets, and the caller is heard."""
    await there.agent_greets()
    await there.says(there.caller, CALLER_HZ, 1)
    await there.told("heard")


def broken_s(talk: Talk, call: Call, since: float, until: float) -> float:
    """For how long of this time a phone hears no music, but for what the machine was held up for."""
    spans = talk.at(call).spans("music")
    heard_s = sum(max(0.0, min(span.ended, until) - max(span.began, since)) for span in spans)
    busy_s = sum(one.lasted_s for one in talk.stalls if since < one.began < until)
    return max(0.0, until - since - heard_s - busy_s)
