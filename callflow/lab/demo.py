"""The demo: a handful of different callers at once on a real Asterisk, watched live, judged from the wire."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from callflow.lab.daemon import Daemon
from callflow.lab.lab import Lab, open_lab
from callflow.lab.roots import Version
from callflow.lab.run import SCENARIO_CONFIG, SCENARIOS, Outcome, run_scenarios
from callflow.lab.scenario import Scenario, read_scenarios

CAST = {
    "silent-english": "says nothing at all",
    "silent-without-rtp": "a phone that sends no sound whatever",
    "clicks": "a line that clicks now and then",
    "speaks-after-2s": "answers in the middle of the greeting",
    "speaks-while-listening-1": "answers after the greeting",
    "speaks-in-goodbye": "finds the words during the goodbye",
    "speaks-at-the-last-moment": "speaks just before the hang-up",
    "key-in-prompt": "cannot speak, presses a key",
    "hangup-while-listening": "gives up",
}
EXPECTED_S = 24
REFRESH_S = 0.1
RUNGS = {"greeting": "S1", "can_you_hear": "S2", "goodbye": "S3"}
CUT = "✂"
COLOURS = {"silent": "red", "spoke": "green", "key": "green", "rescued": "bold green", "hangup": "yellow"}


@dataclass
class Row:
    """One caller on the screen."""

    deed: str
    heard: list[str] = field(default_factory=list)
    now: str = "ringing"
    result: str = ""


class Screen:
    """The live table, fed by the daemon's log and the lab's own AMI session."""

    def __init__(self, console: Console, lab: Lab, daemon: Daemon) -> None:
        self.rows: dict[str, Row] = {}
        self._lab = lab
        self._daemon = daemon
        self._numbers: dict[str, str] = {}
        self._read_to = 0
        self._progress = Progress(
            TextColumn("calls"), BarColumn(), TextColumn("{task.fields[left]}"), TimeElapsedColumn()
        )
        self._task = self._progress.add_task("calls", total=EXPECTED_S, left="")
        self._live = Live(console=console, refresh_per_second=8)

    async def show(self) -> None:
        """Keep the table up to date until cancelled."""
        with self._live:
            while True:
                self.refresh()
                await asyncio.sleep(REFRESH_S)

    def refresh(self) -> None:
        """Take in what is new and draw."""
        for event in self._lab.asterisk.ami.events:
            if event["Event"] == "Newchannel" and event.get("CallerIDNum") in self.rows:
                self._numbers.setdefault(event["Uniqueid"], event["CallerIDNum"])
        self._read_log()
        left = sum(not row.result for row in self.rows.values())
        self._progress.update(self._task, advance=REFRESH_S, left=f"{left} in progress")
        self._live.update(Group(self._table(), self._progress))

    def _read_log(self) -> None:
        with self._daemon.log.open("rb") as log:
            log.seek(self._read_to)
            *lines, rest = log.read().split(b"\n")
            self._read_to = log.tell() - len(rest)
        for line in lines:
            try:
                said: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            if row := self.rows.get(self._numbers.get(str(said.get("call")), "")):
                _follow(row, str(said.get("event")), str(said.get("what")))

    def _table(self) -> Table:
        title = "real SIP callers on a real Asterisk (S1 greeting, S2 can you hear me, S3 goodbye, ✂ cut short)"
        table = Table(title=title, expand=True)
        for heading in ("caller", "who", "has heard", "now", "result"):
            table.add_column(heading, no_wrap=True)
        for number, row in self.rows.items():
            colour = COLOURS.get(row.result, "white")
            table.add_row(number, row.deed, " ".join(row.heard), row.now, f"[{colour}]{row.result}[/]")
        return table


def _follow(row: Row, happened: str, what: str) -> None:
    """One line of the daemon's log on the screen."""
    match happened:
        case "said":
            row.heard.append(RUNGS.get(what, what))
            row.now = "listens to us"
        case "prompt_ended":
            row.now = "silence"
        case "prompt_stopped" if row.heard:
            row.heard[-1] += CUT
        case "pause":
            row.now = "2 s to go"
        case "speech" | "key" | "click":
            row.now = {"speech": "speaks!", "key": f"pressed {what}", "click": "click"}[happened]
        case "decided":
            row.result = what
            row.now = {"silent": "hung up", "hangup": "has gone"}.get(what, "with an agent")


async def run_demo(version: Version, console: Console) -> list[Outcome]:
    """Run the cast, show it live, return what the wire says of each."""
    scenarios = read_scenarios(SCENARIOS, tuple(CAST))
    status = console.status(f"starting Asterisk {version}, the agents' phones and the daemon")
    status.start()
    async with open_lab(version) as lab:
        daemon = await lab.start_daemon(SCENARIO_CONFIG | {"log": {"format": "json"}})
        status.stop()
        screen = Screen(console, lab, daemon)
        watching = asyncio.create_task(screen.show())
        outcomes = await run_scenarios(lab, scenarios, _introduce(screen))
        screen.refresh()
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    console.print(verdict_table(outcomes))
    return outcomes


def _introduce(screen: Screen) -> Callable[[Scenario, str], None]:
    def introduce(scenario: Scenario, number: str) -> None:
        screen.rows[number] = Row(CAST[scenario.name])

    return introduce


def verdict_table(outcomes: list[Outcome]) -> Table:
    """What SIP and RTP on the wire say of each call."""
    table = Table(title="judged from the wire (SIP and RTP), not from our own log", expand=True)
    for heading in ("scenario", "heard", "result", "ended by", "agent", "reaction", "ok"):
        table.add_column(heading, no_wrap=heading not in ("scenario", "ok"))
    for outcome in outcomes:
        seen = outcome.seen
        if seen is None:
            table.add_row(outcome.scenario.name, "", "", "", "", "", f"[red]{'; '.join(outcome.disagreements)}[/]")
            continue
        prompts = " ".join(f"{RUNGS.get(b.prompt or '', b.prompt)}{CUT if b.was_cut else ''}" for b in seen.prompts)
        reaction = "" if outcome.reaction_s is None else f"{outcome.reaction_s * 1000:.0f} ms"
        verdict = "[green]yes[/]" if outcome.passed else f"[red]{'; '.join(outcome.disagreements)}[/]"
        agent = "reached" if seen.call.agent_reached else "-"
        table.add_row(outcome.scenario.name, prompts, seen.result, seen.call.ended_by, agent, reaction, verdict)
    return table


def summary(outcomes: list[Outcome]) -> str:
    """The closing sentence."""
    results = [o.seen.result for o in outcomes if o.seen]
    heard = sum(result in ("spoke", "key", "rescued") for result in results)
    rescued = results.count("rescued")
    passed = sum(outcome.passed for outcome in outcomes)
    return (
        f"{len(outcomes)} callers: {heard} were heard and reached an agent ({rescued} of them during or after the "
        f"goodbye), {results.count('silent')} were silent to the end, {results.count('hangup')} hung up themselves. "
        f"{passed} of {len(outcomes)} as expected."
    )
