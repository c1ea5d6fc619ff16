"""AMI's actions, answered as Asterisk answers them, word for word."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from callflow.simulator.pretend.ami_server import AmiSession, Request
from callflow.simulator.pretend.astdb_actions import db_get, read_function
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.dialplan import Step
from callflow.simulator.pretend.keys import inject
from callflow.simulator.pretend.local import CHECK, LocalCall
from callflow.simulator.pretend.member import QUEUE
from callflow.simulator.pretend.originating import LONGEST_ID, OriginatedLocal, OriginatedPhone
from callflow.simulator.pretend.rtp_tapping import TECHNOLOGY
from callflow.simulator.pretend.tapping import EAR, TAP, Taps
from callflow.simulator.pretend.world import World

_CONTROLS = frozenset({"stop", "forward", "reverse", "pause", "restart"})


class Actions:
    """Carries out the actions of AMI sessions."""

    def __init__(self, world: World, dialplan: list[Step]) -> None:
        self._world, self._dialplan = world, dialplan
        self._taps = Taps(world)
        self._challenges = Random(1)
        self.counts: dict[str, int] = {}
        self.originated = 0
        """Originates that were taken."""

    def __call__(self, session: AmiSession, action: str, request: Request) -> None:
        """Carry out one action of a session."""
        known = _ACTIONS.get(action.lower())
        if known is None:
            text = f"Invalid/unknown command: {action}. Use Action: ListCommands to show available commands."
            session.error(request, "Permission denied" if action.lower() in _FORBIDDEN else text)
            return
        name, needs, _, do = known
        self.counts[name] = self.counts.get(name, 0) + 1
        if needs and session.user is not None and not needs & session.user.write:
            session.error(request, "Permission denied")
            return
        do(self, session, request)

    # -- the session itself ---------------------------------------------------------------------------------------

    def ping(self, session: AmiSession, request: Request) -> None:
        session.success(request, "Ping: Pong", f"Timestamp: {self._world.clock.stamp()}")

    def logoff(self, session: AmiSession, request: Request) -> None:
        session.answer(request, "Goodbye", "Message: Thanks for all the fish.")
        session.close()

    def challenge(self, session: AmiSession, request: Request) -> None:
        if request.get("AuthType").lower() == "md5":
            session.success(request, f"Challenge: {self._challenges.randrange(10**8, 10**9)}")
        else:
            session.error(request, "Must specify AuthType")

    def events(self, session: AmiSession, request: Request) -> None:
        session.success(request, f"Events: {'On' if session.listen(request.get('EventMask')) else 'Off'}")

    def list_commands(self, session: AmiSession, request: Request) -> None:
        user = session.user
        allowed = [
            f"{name}: {about}  (Priv: {','.join((*sorted(needs), 'all')) if needs else '<none>'})"
            for name, needs, about, _ in _ACTIONS.values()
            if not needs or (user is not None and needs & user.write)
        ]
        session.success(request, *allowed)

    # -- one channel ----------------------------------------------------------------------------------------------

    def setvar(self, session: AmiSession, request: Request) -> None:
        name, variable, value = request.get("Channel"), request.get("Variable"), request.get("Value")
        if not variable:
            session.error(request, "No variable specified")
            return
        if not name and variable.startswith("QUEUE_MEMBER("):
            if self._world.members.set(variable[len("QUEUE_MEMBER(") : -1], value):
                session.success(request, "Message: Variable Set")
            else:
                session.error(request, "Variable not set")
        elif not name and variable.startswith("DB("):
            session.error(request, "Variable not set")  # Asterisk writes it for a channel alone
        elif not name:
            if not self._world.astdb.write(variable, value):
                self._globals[variable] = value
            session.success(request, "Message: Variable Set")
        elif (channel := self._channel(session, request)) is not None:
            if channel.set(variable, value):
                session.success(request, "Message: Variable Set")
            else:
                session.error(request, "Variable not set")

    def getvar(self, session: AmiSession, request: Request) -> None:
        variable = request.get("Variable")
        if not variable:
            session.error(request, "No variable specified")
        elif not request.get("Channel"):
            session.success(request, f"Variable: {variable}", f"Value: {self._global(variable)}")
        elif (channel := self._channel(session, request)) is not None:
            value = channel.get(variable, self._world.clock.now()) or ""
            session.success(request, f"Variable: {variable}", f"Value: {value}")

    def control_playback(self, session: AmiSession, request: Request) -> None:
        control = request.get("Control")
        if not request.get("Channel"):
            session.error(request, "Channel not specified")
        elif not control:
            session.error(request, "Control not specified")
        elif (channel := self._channel(session, request)) is not None:
            if control.lower() not in _CONTROLS:
                session.error(request, "Unknown control type")
                return
            session.success(request)
            if control.lower() == "stop" and channel.owner is not None:
                channel.owner.stop_playback()

    def hangup(self, session: AmiSession, request: Request) -> None:
        cause = request.get("Cause")
        if not request.get("Channel"):
            session.error(request, "No channel specified")
        elif (channel := self._channel(session, request)) is not None:
            session.success(request, "Message: Channel Hungup")
            if channel.owner is not None:
                channel.owner.soft_hangup(int(cause) if cause.isdigit() else None)

    def redirect(self, session: AmiSession, request: Request) -> None:
        name = request.get("Channel")
        switch = self._world.switch
        channel = switch.channels.get(name) or switch.with_uniqueid(name)
        context, exten, priority = request.get("Context"), request.get("Exten"), int(request.get("Priority") or 1)
        if not name:
            session.error(request, "Channel not specified")
        elif channel is None:
            session.error(request, f"Channel does not exist: {name}")
        elif channel.owner is not None and channel.owner.redirect(context, exten, priority):
            session.success(request, "Message: Redirect successful")
        else:
            session.error(request, "Redirect failed")

    def play_dtmf(self, session: AmiSession, request: Request) -> None:
        digit, duration = request.get("Digit"), request.get("Duration")
        if not digit:
            session.error(request, "No digit specified")
        elif (channel := self._channel(session, request)) is not None:
            session.success(request, "Message: DTMF successfully queued")
            if request.get("Receive").lower() in ("true", "yes", "on", "1"):
                inject(self._world, channel, digit, int(duration or 100))

    def atxfer(self, session: AmiSession, request: Request) -> None:
        if not request.get("Channel"):
            session.error(request, "No channel specified")
        elif not request.get("Exten"):
            session.error(request, "No extension specified")
        elif (channel := self._channel(session, request)) is not None:
            session.success(request, "Message: Atxfer successfully queued")
            if channel.talk is not None:
                channel.talk.consult(channel, request.get("Exten"), request.get("Context"))

    def _channel(self, session: AmiSession, request: Request) -> Channel | None:
        switch, name = self._world.switch, request.get("Channel")
        channel = switch.channels.get(name) or switch.with_uniqueid(name)
        if channel is None:
            session.error(request, "No such channel")
        return channel

    def _global(self, variable: str) -> str:
        """A global variable, or a function that needs no channel."""
        if variable.startswith("QUEUE_MEMBER("):
            return self._world.members.get(variable[len("QUEUE_MEMBER(") : -1]) or ""
        kept = read_function(self._world.astdb, variable)
        return self._globals.get(variable, "") if kept is None else kept

    @property
    def _globals(self) -> dict[str, str]:
        return self._world.globals

    # -- calls ----------------------------------------------------------------------------------------------------

    def originate(self, session: AmiSession, request: Request) -> None:
        channel, context, exten = request.get("Channel"), request.get("Context"), request.get("Exten")
        extensions = {(step.context, step.exten) for step in self._dialplan}
        if not channel:
            session.error(request, "Channel not specified")
        elif "/" not in channel:
            session.error(request, "Invalid channel")
        elif (context, exten) not in extensions and self._world.dialplan.step(context, exten, 1) is None:
            session.error(request, "Extension does not exist.")
        elif len(request.get("ChannelId")) > LONGEST_ID:
            session.error(request, f"Uniqueid length exceeds maximum of {LONGEST_ID}")
        else:
            session.success(request, "Message: Originate successfully queued")
            self.originated += 1
            called = channel.partition("@")[2].partition("/")[0]
            if channel.startswith(TECHNOLOGY):
                self._taps.open_rtp(request)
            elif not channel.startswith("Local/"):
                OriginatedPhone(self._world, request).start()
            elif (called, context) == (TAP, EAR):
                self._taps.open(request)
            elif called == CHECK:
                LocalCall(self._world, request).start()
            else:
                OriginatedLocal(self._world, request).start()

    # -- the database -------------------------------------------------------------------------------------------------

    def db_get(self, session: AmiSession, request: Request) -> None:
        db_get(self._world.astdb, session, request)

    # -- lists ----------------------------------------------------------------------------------------------------

    def core_show_channels(self, session: AmiSession, request: Request) -> None:
        channels = list(self._world.switch.channels.values())
        session.success(request, "EventList: start", "Message: Channels will follow")
        now = self._world.clock.now()
        for channel in reversed(channels):
            seconds = int(now - channel.created_at)
            lasted = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            session.entry(
                "CoreShowChannel",
                request,
                f"{channel.snapshot()}Application: {channel.application}\r\nApplicationData: {channel.data}\r\n"
                f"Duration: {lasted}\r\nBridgeId: {channel.bridge}\r\n",
            )
        self._complete(session, request, "CoreShowChannelsComplete", len(channels))

    def show_dialplan(self, session: AmiSession, request: Request) -> None:
        context = request.get("Context")
        steps = [step for step in self._dialplan if not context or step.context == context]
        if not steps:
            session.error(request, f"Did not find context {context}")
            return
        session.success(request, "EventList: start", "Message: DialPlan list will follow")
        for step in steps:
            session.entry("ListDialplan", request, step.headers())
        extensions = len({(step.context, step.exten) for step in steps})
        contexts = len({step.context for step in steps})
        more = f"ListExtensions: {extensions}\r\nListPriorities: {len(steps)}\r\nListContexts: {contexts}\r\n"
        self._complete(session, request, "ShowDialPlanComplete", len(steps), more)

    def queue_status(self, session: AmiSession, request: Request) -> None:
        member, asked = self._world.member, request.get("Queue")
        session.success(request, "EventList: start", "Message: Queue status will follow")
        params = (
            f"Event: QueueParams\r\nQueue: {QUEUE}\r\nMax: 0\r\nStrategy: ringall\r\nCalls: {len(member.waiting)}\r\n"
            f"Holdtime: 0\r\nTalkTime: 0\r\nCompleted: {member.completed}\r\nAbandoned: {member.abandoned}\r\n"
            "ServiceLevel: 0\r\nServicelevelPerf: 0.0\r\nServicelevelPerf2: 0.0\r\nWeight: 0\r\n"
        )
        lists_own = self._world.has_lab_queue and asked in ("", QUEUE)
        own = (params, f"Event: QueueMember\r\n{member.listed()}") if lists_own else ()
        entries = (*own, *self._world.members.listed(asked))
        for entry in entries:
            session.send(f"{entry}ActionID: {request.get('ActionID')}\r\n\r\n".encode("utf-8", "surrogateescape"))
        self._complete(session, request, "QueueStatusComplete", len(entries))

    def queue_pause(self, session: AmiSession, request: Request) -> None:
        interface, paused = request.get("Interface"), request.get("Paused")
        if not interface or not paused:
            session.error(request, "Need 'Interface' and 'Paused' parameters.")
            return
        pauses = paused.lower() in ("yes", "true", "y", "t", "1", "on")
        if self._world.members.pause_all(request.get("Queue"), interface, pauses, request.get("Reason")):
            session.success(request, f"Message: Interface {'paused' if pauses else 'unpaused'} successfully")
        else:
            session.error(request, "Interface not found")

    def core_settings(self, session: AmiSession, request: Request) -> None:
        flavour = self._world.flavour
        lines = [
            f"AMIversion: {flavour.ami_version}", f"AsteriskVersion: {flavour.version}", "SystemName: ",
            "CoreMaxCalls: 0", "CoreMaxLoadAvg: 0.000000", "CoreRunUser: ", "CoreRunGroup: ",
            "CoreMaxFilehandles: 0", "CoreRealTimeEnabled: No", "CoreCDRenabled: No", "CoreHTTPenabled: No",
        ]  # fmt: skip
        session.success(request, *lines, *(["SoundsSearchCustomDir: No"] if flavour.counts_calls else []))

    def core_status(self, session: AmiSession, request: Request) -> None:
        world = self._world
        began = datetime.fromtimestamp(world.member.login_time, UTC)
        day, hour = began.strftime("%Y-%m-%d"), began.strftime("%H:%M:%S")
        lines = [f"CoreStartupDate: {day}", f"CoreStartupTime: {hour}", f"CoreReloadDate: {day}"]
        lines += [f"CoreReloadTime: {hour}", f"CoreCurrentCalls: {len(world.switch.channels)}"]
        if world.flavour.counts_calls:
            lines.append(f"CoreProcessedCalls: {world.switch.processed}")
        session.success(request, *lines)

    def _complete(self, session: AmiSession, request: Request, name: str, items: int, more: str = "") -> None:
        session.entry(name, request, f"EventList: Complete\r\nListItems: {items}\r\n{more}")


_Do = Callable[[Actions, AmiSession, Request], None]
_NOBODY: frozenset[str] = frozenset()
_CALL, _REPORTING = frozenset({"call"}), frozenset({"system", "reporting"})
_ACTIONS: dict[str, tuple[str, frozenset[str], str, _Do]] = {
    name.lower(): (name, needs, about, do)
    for name, needs, about, do in (
        ("Atxfer", _CALL, "Attended transfer.", Actions.atxfer),
        ("Challenge", _NOBODY, "Generate Challenge for MD5 Auth.", Actions.challenge),
        ("ControlPlayback", _CALL, "Control the playback of a file being played to a channel.",
         Actions.control_playback),
        ("CoreSettings", _REPORTING, "Show PBX core settings (version etc).", Actions.core_settings),
        ("CoreShowChannels", _REPORTING, "List currently active channels.", Actions.core_show_channels),
        ("CoreStatus", _REPORTING, "Show PBX core status variables.", Actions.core_status),
        ("DBGet", _REPORTING, "Get DB Entry.", Actions.db_get),
        ("Events", _NOBODY, "Control Event Flow.", Actions.events),
        ("Getvar", frozenset({"call", "reporting"}), "Gets a channel variable or function value.", Actions.getvar),
        ("Hangup", frozenset({"system", "call"}), "Hangup channel.", Actions.hangup),
        ("ListCommands", _NOBODY, "List available manager commands.", Actions.list_commands),
        ("Logoff", _NOBODY, "Logoff Manager.", Actions.logoff),
        ("Originate", frozenset({"originate"}), "Originate a call.", Actions.originate),
        ("PlayDTMF", _CALL, "Play DTMF signal on a specific channel.", Actions.play_dtmf),
        ("Ping", _NOBODY, "Keepalive command.", Actions.ping),
        ("QueuePause", frozenset({"agent"}), "Makes a queue member temporarily unavailable.", Actions.queue_pause),
        ("QueueStatus", _NOBODY, "Show queue status.", Actions.queue_status),
        ("Redirect", _CALL, "Redirect (transfer) a call.", Actions.redirect),
        ("Setvar", _CALL, "Sets a channel variable or function value.", Actions.setvar),
        ("ShowDialPlan", frozenset({"config", "reporting"}), "Show dialplan contexts and extensions",
         Actions.show_dialplan),
    )
}  # fmt: skip
_FORBIDDEN = frozenset(
    {"command", "filter", "modulecheck", "moduleload", "updateconfig", "userevent", "reload"}
    | {"queueadd", "queueremove"}
)
"""Actions there are, but never for a user of least privilege."""
