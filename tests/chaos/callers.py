"""Callers of a chaos run: silent ones, ones who speak or press a key at every stage of the ladder, on lossy lines."""

from dataclasses import dataclass, replace
from pathlib import Path

from callflow.lab.caller_plan import plan_caller, with_audio
from callflow.lab.lab import Lab
from callflow.lab.prompts import prompt_durations
from callflow.lab.sipp import Caller, Sipp
from callflow.processes.process import Process
from callflow.scenarios.behaviour import CallerAction, ladder_anchors

_ENTRY = "dial_en_support"


@dataclass(frozen=True)
class Kind:
    """Callers who do the same; `share` of all calls are theirs."""

    name: str
    share: float
    does: tuple[CallerAction, ...] = ()
    stays_s: float | None = None


def _speaks(at: float | str) -> tuple[CallerAction, ...]:
    return (CallerAction(at=at, sound="speech"),)


KINDS = (
    Kind("silent", 0.15),
    Kind("speaks-soon", 0.30, _speaks(0.8)),
    Kind("speaks-while-listening", 0.15, _speaks("listen1+1")),
    Kind("speaks-in-goodbye", 0.10, _speaks("goodbye+1")),
    Kind("presses-a-key", 0.20, (CallerAction(at=1.5, key="1"),)),
    Kind("hangs-up", 0.10, stays_s=2.5),
)


@dataclass
class Load:
    """Places the calls of all kinds, each kind by one SIPp, every caller with their own number."""

    lab: Lab
    sipp: tuple[Sipp, ...]
    """One for each block of ports: the phones of one kind need many."""

    async def begin(self, rate_per_s: float, for_s: float, loss: float = 0.0) -> list[Process]:
        """Start them; each process ends with the last of its calls."""
        prompts = self.lab.sounds / "en" / "callflow"
        anchors = ladder_anchors("silence", prompt_durations(prompts))
        processes = []
        for number, kind in enumerate(KINDS):
            plan = replace(plan_caller(kind.does, "silence", anchors, kind.stays_s), loss=loss)
            caller = Caller(f"{10 + number}[call_number]", _ENTRY)
            caller = with_audio(plan, caller, self.lab.voice, _audio(self.lab, kind, loss))
            calls = max(1, round(rate_per_s * kind.share * for_s))
            sipp = self.sipp[number % len(self.sipp)]
            processes.append(await sipp.call(caller, calls, rate_per_s * kind.share))
        return processes


def _audio(lab: Lab, kind: Kind, loss: float) -> Path:
    return lab.work / "audio" / f"{kind.name}-{round(loss * 100)}"
