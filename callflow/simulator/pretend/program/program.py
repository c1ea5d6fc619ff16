"""One channel on its way through the dialplan: step by step, until it hangs up or is hung up on."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.program.expression import ExpressionInvalid
from callflow.simulator.pretend.program.functions import Functions
from callflow.simulator.pretend.program.substitution import substituted
from callflow.simulator.pretend.report import PromptHeard
from callflow.simulator.pretend.world import World

if TYPE_CHECKING:
    from callflow.simulator.pretend.agi_client import AgiCall

T = TypeVar("T")
Place = tuple[str, str, int]
Application = Callable[["Program", str], Awaitable[None]]


class HungUp(Exception):
    """The channel has been hung up, by anybody."""


class Moved(Exception):
    """AMI has redirected the channel."""


class Unpretended(Exception):
    """The dialplan uses something that the pretend Asterisk does not know."""


class Program:
    """Runs the dialplan on a channel, which it owns meanwhile."""

    def __init__(
        self,
        world: World,
        channel: Channel,
        on_prompt: Callable[[PromptHeard], None] | None = None,
        *,
        owns: bool = True,
    ) -> None:
        self.world, self.channel = world, channel
        self.on_prompt = on_prompt or (lambda prompt: None)
        self.on_state: Callable[[str], None] = lambda state: None
        self.cause = 16
        """What Hangup will say."""
        self.returns: list[Place | None] = []
        """Where each Gosub returns to; None: not into the dialplan."""
        self.locals: list[dict[str, str]] = []
        self.next: Place | None = None
        self.agi: AgiCall | None = None
        self.spies_on: Channel | None = None
        """Whom ChanSpy listens to on this channel."""
        self.hears: Callable[[], Channel | None] = lambda: channel
        """Whose sound comes to this channel."""
        self.on_agent: Callable[[Channel], None] = lambda agent: None
        self.on_leave: list[Callable[[], None]] = []
        """Called when the channel has left the dialplan, before its Hangup."""
        self.playing: asyncio.Future[None] | None = None
        self._gone = self._over = False
        self._redirected: Place | None = None
        self._interrupted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._functions = Functions(self)
        if owns:
            channel.owner = self

    # -- the dialplan ---------------------------------------------------------------------------------------------

    async def run(self, context: str, exten: str, priority: int = 1) -> None:
        """Until the end, without `h`; `cause` says how it ended."""
        self.next = (context, exten, priority)
        while self.next is not None and not self._gone:
            try:
                await self._run_step(*self.next)
            except Moved:
                self.next = None if self._redirected is None else self._redirected
                self._redirected, self.returns, self.locals = None, [], []
                self._interrupted = asyncio.get_running_loop().create_future()
            except HungUp:
                break
            except ExpressionInvalid as error:
                self.world.failures.append(error)
                break
        self._over = True

    async def run_one(self, name: str, data: str) -> None:
        """One application; a Gosub with all that it leads to, until it returns."""
        with suppress(HungUp, Moved):
            self.next = None
            await self.world.applications[name.lower()](self, data)
            while self.next is not None:
                await self._run_step(*self.next)

    async def _run_step(self, context: str, exten: str, priority: int) -> None:
        channel, dialplan = self.channel, self.world.dialplan
        step = dialplan.step(context, exten, priority)
        channel.at(context, exten, priority)
        if step is None:
            self.next = None
            return
        self.next = (context, exten, priority + 1)
        application = self.world.applications.get(step.application.lower())
        if application is None:
            unknown = Unpretended(f"application {step.application} in {context},{exten},{priority}")
            self.world.failures.append(unknown)
            raise HungUp  # as an Asterisk without that module does
        data = substituted(step.data, self.get)
        if step.application.lower() not in _QUIET:
            channel.application, channel.data = step.application, data
        await application(self, data)
        if self._gone:
            raise HungUp
        if self._redirected is not None:
            raise Moved

    async def run_h(self) -> None:
        """The extension `h` of the context in which the channel was, if there is one; then the hang-up handlers."""
        context = self.channel.context
        if self.world.dialplan.step(context, "h", 1) is not None:
            await self._run_after(context, "h", 1)
        for handler in reversed(self.channel.hangup_handlers):
            await self._run_after(*handler)

    async def _run_after(self, context: str, exten: str, priority: int) -> None:
        """Steps of a channel that is hung up: they may set variables and send events, and hear nothing."""
        self._gone = self._over = False
        self._interrupted = asyncio.get_running_loop().create_future()
        self.returns, self.locals, self.next = [], [], (context, exten, priority)
        with suppress(HungUp, Moved):
            while self.next is not None:
                await self._run_step(*self.next)
        self._over = True

    # -- values ---------------------------------------------------------------------------------------------------

    def get(self, name: str) -> str:
        """A variable or function, "" without one."""
        for scope in reversed(self.locals[-1:]):
            if name in scope:
                return scope[name]
        return self._functions.get(name)

    def set(self, name: str, value: str) -> None:
        """Set a variable or function."""
        self._functions.set(name, value)

    def left(self, depth: int) -> str:
        """The context that the Gosub so many levels up has left, "" without one."""
        place = self.returns[-depth] if 0 < depth <= len(self.returns) else None
        return place[0] if place else ""

    # -- waiting --------------------------------------------------------------------------------------------------

    async def until(self, done: "asyncio.Future[T]", timeout_s: float | None = None) -> T | None:
        """The result, or None after the time. Raises HungUp, Moved."""
        either: list[asyncio.Future[Any]] = [done, self._interrupted]
        await asyncio.wait(either, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
        if self._gone:
            raise HungUp
        if self._redirected is not None:
            raise Moved
        return done.result() if done.done() else None

    async def sleep(self, seconds: float) -> None:
        """Wait. Raises HungUp, Moved."""
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        await self.until(never, seconds)

    @property
    def gone(self) -> bool:
        """The channel was hung up."""
        return self._gone

    def _interrupt(self) -> None:
        if not self._interrupted.done():
            self._interrupted.set_result(None)

    # -- what others do to it -------------------------------------------------------------------------------------

    def hang_up(self, cause: int) -> None:
        """The far end has hung up, or something inside."""
        if self._gone or self._over:
            return
        self._gone, self.cause = True, cause
        if self.agi is not None:
            self.agi.hang_up()  # the script ends the step
        else:
            self._interrupt()

    def forget(self) -> None:
        """Asterisk itself has died: nothing more happens."""
        self._over = True

    def stop_playback(self) -> None:
        """AMI ControlPlayback stop."""
        if self.agi is not None:
            self.agi.stop_playback()
        elif self.playing is not None and not self.playing.done():
            self.playing.set_result(None)

    def soft_hangup(self, cause: int | None) -> None:
        """AMI Hangup."""
        self.hang_up(cause or 0)

    def redirect(self, context: str, exten: str, priority: int = 1) -> bool:
        """AMI Redirect."""
        if self.world.dialplan.step(context, exten, priority) is None:
            return False
        if not self._gone and not self._over:
            self._redirected = (context, exten, priority)
            self.channel.at(context, exten, priority)
            if self.agi is not None:
                self.agi.hang_up()
            else:
                self._interrupt()
        return True


_QUIET = frozenset({"set", "noop", "goto", "gotoif", "gosub", "gosubif", "return", "execif", "userevent"})
"""Applications that end at once: no list of channels shows them."""
