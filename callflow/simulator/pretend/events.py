"""AMI's events, as text, header by header as Asterisk sends them (without name, Privilege and Timestamp)."""

from collections.abc import Callable

from callflow.simulator.pretend.channel import UNKNOWN, Channel
from callflow.simulator.pretend.flavour import CAUSES, SIP_CODES, UP, Flavour

Emit = Callable[[str, str, str], None]
"""Sends one event to all sessions that take its class: class, name, headers (each line ended)."""


class Bridge:
    """A bridge of two channels; simple at first, native RTP as soon as no audio hook is on them."""

    def __init__(self, uniqueid: str) -> None:
        self.uniqueid = uniqueid
        self.technology = "simple_bridge"
        self.channels = 0

    def headers(self, prefix: str = "") -> str:
        """The bridge's headers, each begun with `prefix`."""
        p = f"{prefix}Bridge"
        return (
            f"{p}Uniqueid: {self.uniqueid}\r\n{p}Type: basic\r\n{p}Technology: {self.technology}\r\n"
            f"{p}Creator: {UNKNOWN}\r\n{p}Name: {UNKNOWN}\r\n{p}NumChannels: {self.channels}\r\n"
            f"{p}VideoSourceMode: none\r\n"
        )


class Events:
    """One method for each event that this Asterisk makes."""

    def __init__(self, emit: Emit, flavour: Flavour) -> None:
        self._emit = emit
        self._flavour = flavour

    # -- one channel ----------------------------------------------------------------------------------------------

    def newchannel(self, channel: Channel) -> None:
        self._emit("call", "Newchannel", channel.snapshot())

    def newstate(self, channel: Channel, state: int) -> None:
        channel.state = state
        self._emit("call", "Newstate", channel.snapshot())

    def answered(self, channel: Channel) -> None:
        self.newstate(channel, UP)

    def new_callerid(self, channel: Channel) -> None:
        presentation = "CID-CallingPres: 0 (Presentation Allowed, Not Screened)\r\n"
        self._emit("call", "NewCallerid", channel.snapshot() + presentation)

    def new_connected_line(self, channel: Channel) -> None:
        self._emit("call", "NewConnectedLine", channel.snapshot())

    def talking_start(self, channel: Channel) -> None:
        self._emit("call", "ChannelTalkingStart", channel.snapshot())

    def talking_stop(self, channel: Channel, duration_ms: int) -> None:
        self._emit("call", "ChannelTalkingStop", f"{channel.snapshot()}Duration: {duration_ms}\r\n")

    def dtmf_begin(self, channel: Channel, key: str, direction: str = "Received") -> None:
        self._emit("dtmf", "DTMFBegin", f"{channel.snapshot()}Digit: {key}\r\nDirection: {direction}\r\n")

    def dtmf_end(self, channel: Channel, key: str, lasted_ms: int, direction: str = "Received") -> None:
        body = f"{channel.snapshot()}Digit: {key}\r\nDurationMs: {lasted_ms}\r\nDirection: {direction}\r\n"
        self._emit("dtmf", "DTMFEnd", body)

    def hold(self, channel: Channel) -> None:
        self._emit("call", "Hold", f"{channel.snapshot()}MusicClass: default\r\n")

    def unhold(self, channel: Channel) -> None:
        self._emit("call", "Unhold", channel.snapshot())

    def music_on_hold_start(self, channel: Channel) -> None:
        self._emit("call", "MusicOnHoldStart", f"{channel.snapshot()}Class: default\r\n")

    def music_on_hold_stop(self, channel: Channel) -> None:
        self._emit("call", "MusicOnHoldStop", channel.snapshot())

    def hangup_request(self, channel: Channel, cause: int | None) -> None:
        """The far end hung up; `cause` None: Asterisk names none."""
        told = "" if cause is None else f"Cause: {cause}\r\n{self._tech_cause(channel, cause)}"
        self._emit("call", "HangupRequest", channel.snapshot() + told)

    def soft_hangup_request(self, channel: Channel, cause: int = 16) -> None:
        self._emit("call", "SoftHangupRequest", f"{channel.snapshot()}Cause: {cause}\r\n")

    def hangup(self, channel: Channel, cause: int) -> None:
        told = f"Cause: {cause}\r\nCause-txt: {CAUSES[cause]}\r\n{self._tech_cause(channel, cause)}"
        self._emit("call", "Hangup", channel.snapshot() + told)

    def user_event(self, channel: Channel, name: str, **headers: str) -> None:
        told = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        self._emit("user", "UserEvent", f"{channel.snapshot()}UserEvent: {name}\r\n{told}")

    def _tech_cause(self, channel: Channel, cause: int) -> str:
        code = (channel.sip_code or SIP_CODES.get(cause)) if self._flavour.tech_cause else None
        return f"TechCause: {code}\r\n" if code else ""

    # -- two channels ---------------------------------------------------------------------------------------------

    def dial(self, name: str, caller: Channel | None, dialled: Channel, **headers: str) -> None:
        """DialBegin, DialState and DialEnd; AgentCalled, AgentConnect and the like are of class agent."""
        kind = "agent" if name.startswith("Agent") else "call"
        told = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        self._emit(kind, name, (caller.snapshot() if caller else "") + dialled.snapshot("Dest") + told)

    def local_bridge(self, one: Channel, two: Channel, context: str, exten: str) -> None:
        told = f"Context: {context}\r\nExten: {exten}\r\nLocalOptimization: No\r\n"
        self._emit("call", "LocalBridge", one.snapshot("LocalOne") + two.snapshot("LocalTwo") + told)

    def bridge_create(self, bridge: Bridge) -> None:
        self._emit("call", "BridgeCreate", bridge.headers())

    def bridge_enter(self, bridge: Bridge, channel: Channel) -> None:
        bridge.channels += 1
        channel.bridge = bridge.uniqueid
        self._emit("call", "BridgeEnter", bridge.headers() + channel.snapshot())

    def bridge_leave(self, bridge: Bridge, channel: Channel) -> None:
        bridge.channels -= 1
        channel.bridge = ""
        self._emit("call", "BridgeLeave", bridge.headers() + channel.snapshot())

    def bridge_destroy(self, bridge: Bridge) -> None:
        self._emit("call", "BridgeDestroy", bridge.headers())

    # -- an attended transfer -------------------------------------------------------------------------------------

    def bridge_merge(self, to: Bridge, origin: Bridge) -> None:
        self._emit("call", "BridgeMerge", to.headers("To") + origin.headers("From"))

    def attended_transfer(
        self, agent: Channel, first: Bridge, second: Bridge, caller: Channel, target: Channel
    ) -> None:
        """The agent has handed the caller over."""
        self._emit(
            "call",
            "AttendedTransfer",
            f"Result: Success\r\n{agent.snapshot('OrigTransferer')}{first.headers('Orig')}"
            f"{agent.snapshot('SecondTransferer')}{second.headers('Second')}{caller.snapshot('Transferee')}"
            f"{target.snapshot('TransferTarget')}IsExternal: No\r\nDestType: Bridge\r\n"
            f"DestBridgeUniqueid: {first.uniqueid}\r\n",
        )

    def local_optimization_begin(self, one: Channel, two: Channel, source: Channel, number: int) -> None:
        told = f"DestUniqueId: {two.uniqueid}\r\nId: {number}\r\n"
        halves = one.snapshot("LocalOne") + two.snapshot("LocalTwo")
        self._emit("call", "LocalOptimizationBegin", halves + source.snapshot("Source") + told)

    def local_optimization_end(self, one: Channel, two: Channel, number: int) -> None:
        halves = one.snapshot("LocalOne") + two.snapshot("LocalTwo")
        self._emit("call", "LocalOptimizationEnd", f"{halves}Success: No\r\nId: {number}\r\n")

    # -- queues and originated calls ------------------------------------------------------------------------------

    def queue_caller(self, name: str, caller: Channel, queue: str = "lab", **headers: str | int) -> None:
        """QueueCallerJoin, QueueCallerLeave and QueueCallerAbandon."""
        told = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        self._emit("agent", name, f"{caller.snapshot()}Queue: {queue}\r\n{told}")

    def agent_complete(self, caller: Channel, **headers: str) -> None:
        """AgentComplete of a caller whose agent has gone before."""
        told = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
        self._emit("agent", "AgentComplete", caller.snapshot() + told)

    def chan_spy(self, name: str, spy: Channel, spied: Channel) -> None:
        """ChanSpyStart and ChanSpyStop."""
        self._emit("call", name, spy.snapshot("Spyer") + spied.snapshot("Spyee"))

    def queue_member_pause(self, headers: str) -> None:
        self._emit("agent", "QueueMemberPause", headers)

    def queue_member_status(self, headers: str) -> None:
        self._emit("agent", "QueueMemberStatus", headers)

    def originate_response(
        self,
        action_id: str,
        response: str,
        channel: str,
        context: str,
        exten: str,
        reason: int,
        uniqueid: str,
        caller: tuple[str, str] = ("", ""),
    ) -> None:
        """The result of an Originate; `caller` is the number and name from the action."""
        number, name = caller
        named = f"ActionID: {action_id}\r\n" if action_id else ""
        self._emit(
            "call",
            "OriginateResponse",
            f"{named}Response: {response}\r\nChannel: {channel}\r\nContext: {context}\r\nExten: {exten}\r\n"
            f"Reason: {reason}\r\nUniqueid: {uniqueid}\r\nCallerIDNum: {number or UNKNOWN}\r\n"
            f"CallerIDName: {name or UNKNOWN}\r\n",
        )
