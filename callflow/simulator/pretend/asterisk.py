"""The pretend Asterisk: assembles its parts, places the calls of a scenario, and can fail on purpose."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from callflow.installed import SOUNDS
from callflow.scenarios.scenario import CallerGroup, Scenario
from callflow.scenarios.schedule import PlannedCall, schedule
from callflow.simulator.pretend.actions import Actions
from callflow.simulator.pretend.ami_server import AmiServer, AmiSession, User
from callflow.simulator.pretend.call import Call
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.dialplan import Dialplan, read_dialplan
from callflow.simulator.pretend.entry_call import EntryCall
from callflow.simulator.pretend.flavour import ASTERISK_22, Flavour
from callflow.simulator.pretend.program.table import APPLICATIONS
from callflow.simulator.pretend.report import Outcome, Status
from callflow.simulator.pretend.script import Script, make_script
from callflow.simulator.pretend.sounds import Sounds
from callflow.simulator.pretend.world import LOOPBACK, Places, World

SHIPPED_USERS = {"callflow": User("change-me")}  # as config/asterisk/manager_callflow.conf is shipped
_AHEAD_S = 0.001
_CATCH_UP = 50
_LINE_FREE_S = 0.05
"""How often a caller who waits for a line looks for one."""


class PretendAsterisk:
    """`start`, `begin` when the calls may come, `done` when all of them have ended; `close` at the end.

    `on_outcome` is told each call's end.

    Faults that only Asterisk itself can have: `restart` and `step_clock`.
    """

    def __init__(
        self,
        scenario: Scenario,
        places: Places,
        *,
        flavour: Flavour = ASTERISK_22,
        sounds: Path | None = None,
        users: dict[str, User] | None = None,
        on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self._scenario = scenario
        self._on_outcome = on_outcome
        self._sounds = Sounds(sounds or SOUNDS)
        self._scripts: dict[str, Script] = {}
        clock = Clock(asyncio.get_running_loop())
        self.world = World(clock, flavour, self._sounds, places, self._emit, scenario.seed, scenario.phones)
        self.world.on_outcome = self._ended
        agent, agi = f"{LOOPBACK}:{places.agent_port}", f"agi://{LOOPBACK}:{places.agi_port}/{places.agi_script}"
        include = self._sounds.folder.parent / "callflow.conf"
        steps = read_dialplan(
            include if include.is_file() else SOUNDS.parent / "callflow.conf", agi, agent, scenario.dialplan
        )
        self.world.dialplan, self.world.applications = Dialplan(steps), APPLICATIONS
        in_lab_queue = any(caller.route == "queue" and not caller.dials for caller in scenario.callers)
        self.world.has_lab_queue = in_lab_queue or not self.world.members.queues
        self.world.music, self.world.exit_contexts = scenario.music, scenario.exit_contexts
        self._sounds.others_s.update(scenario.sounds_s)
        self.actions = Actions(self.world, steps)
        self.ami = AmiServer(clock, flavour.ami_version, users or SHIPPED_USERS, self.actions)
        self._port = 0
        self._plan: Iterator[PlannedCall] = schedule(scenario)
        self._next: PlannedCall | None = None
        self._begun = False
        self._down = False
        self._live: dict[int, Call | EntryCall] = {}
        self.on_begin: Callable[[], None] = lambda: None
        self.results: Counter[str] = Counter()
        self.done = asyncio.Event()

    def _emit(self, kind: str, name: str, headers: str) -> None:
        self.ami.emit(kind, name, headers)

    # -- its life -------------------------------------------------------------------------------------------------

    async def start(self, ami_port: int) -> None:
        """Listen for AMI on loopback (0: any free port). Raises OSError."""
        await self.ami.start(ami_port)
        self._port = self.ami.port

    def begin(self) -> None:
        """Start the scenario's clock: its calls come from now on."""
        if self._begun:
            return
        self._begun = True
        for group in self._scenario.callers:
            self._script(group)
        self.world.began_at = self.world.clock.now()
        self._next = next(self._plan, None)
        self.on_begin()
        self._place_due()

    def close(self) -> None:
        """End everything."""
        self._next = None
        self.ami.close()
        self.world.die()

    def status(self) -> Status:
        """The present state."""
        world = self.world
        states = {state: calls for state, calls in world.states.items() if calls}
        now_s = world.now_s() if self._begun else 0.0
        return Status(
            round(now_s, 3), world.placed, world.ended, states, dict(self.results), self.ami.logged_in,
            self.done.is_set(),
        )  # fmt: skip

    # -- faults ---------------------------------------------------------------------------------------------------

    async def restart(self, down_s: float = 1.0) -> None:
        """Die as by SIGKILL, with every call, and start again on the same port; the calls end as lost."""
        self._down = True
        lost, self._live = list(self._live.values()), {}
        self.ami.close()
        for call in lost:
            call.lost()
        self.world.die()
        await asyncio.sleep(down_s)
        await self.ami.start(self._port)
        self._down = False
        self._place_due()

    def step_clock(self, ms: int) -> None:
        """The system clock is set: stamps jump by so much, durations do not."""
        self.world.clock.offset_s += ms / 1000

    # -- placing calls --------------------------------------------------------------------------------------------

    def _place_due(self) -> None:
        """Place the calls that are due; while Asterisk is down none is placed."""
        world, placed = self.world, 0
        while self._next is not None and not self._down:
            wait_s = self._next.at_s - world.now_s()
            if self._scenario.lines is not None and len(self._live) >= self._scenario.lines:
                world.later(_LINE_FREE_S, self._place_due)
                return
            if wait_s > _AHEAD_S or placed >= _CATCH_UP:
                world.later(max(wait_s, 0.0), self._place_due)
                return
            self._place(self._next)
            placed += 1
            self._next = next(self._plan, None)
        self._look_if_done()

    def _place(self, planned: PlannedCall) -> None:
        script = self._script(planned.caller)
        call: Call | EntryCall = (
            EntryCall(self.world, planned, script)
            if planned.caller.dials
            else Call(self.world, planned, script, self._scenario.agent(planned.index))
        )
        self._live[planned.index] = call
        call.place()

    def _script(self, group: CallerGroup) -> Script:
        script = self._scripts.get(group.name)
        if script is None:
            drops = self.world.flavour.drops_late_frames
            script = self._scripts[group.name] = make_script(group, self._sounds, drops_late_frames=drops)
        return script

    def _ended(self, outcome: Outcome) -> None:
        self._live.pop(outcome.index, None)
        self.results[outcome.result or "lost"] += 1
        self._on_outcome(outcome)
        if self._next is None:
            self._look_if_done()

    def _look_if_done(self) -> None:
        if self._begun and self._next is None and not self._live and not self._down:
            self.done.set()


def on_first_listener(asterisk: PretendAsterisk, settle_s: float) -> None:
    """Begin `settle_s` after the first session that takes events has logged in."""

    def logged_in(session: AmiSession) -> None:
        if session.listens_to:
            asterisk.ami.on_login = lambda session: None
            asterisk.world.later(settle_s, asterisk.begin)

    asterisk.ami.on_login = logged_in
