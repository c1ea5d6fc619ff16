"""The AMI actions that callflow uses, one method for each."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType

from callflow.adapters.ami.framing import HeaderValue
from callflow.adapters.ami.link import AmiLink
from callflow.adapters.ami.translate import has_audio_socket
from callflow.errors import ActionRefused, NotConnected

NO_IDS: Mapping[str, HeaderValue] = MappingProxyType({})
NO_VARIABLES: Mapping[str, str] = MappingProxyType({})
DISARM = "TALK_DETECT(remove)"
CHECK_CONTEXT = "callflow-check"
TAP_CONTEXT, EAR_CONTEXT, RTP_CONTEXT = "callflow-tap", "callflow-ear", "callflow-rtp"
CHANNEL_BEGINS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
"""Pauses between questions: Asterisk answers Originate some milliseconds before the channel is there (measured)."""
RTP_TAP_S = 10
"""A channel that sends RTP ends so long after the daemon has last asked for more; callflow-rtp begins with the same."""
WHISPER_CONTEXT, SAY_CONTEXT = "callflow-whisper", "callflow-say"
NAME_SPY_CONTEXT, NAME_CONTEXT = "callflow-name-spy", "callflow-name"
NAME_PREFIX = "callflow-name-"
"""So the ids of our recordings begin."""
GOODBYE_CONTEXT, RETURN_CONTEXT = "callflow-goodbye", "callflow-return"
OWN_CHANNELS = f"Local/s@{WHISPER_CONTEXT}-"
"""So the names of our whispers begin."""
SAY_TO_AGENT, SAY_TO_CALLER = "AA", "AB"
"""Feature codes in keys that phones do not have: the agent's own channel plays a prompt, or the peer's."""
SAY_FEATURE = "callflow-say-self"
KEY_MS = 100
AGC_FULL_SCALE = 32768
AGC_BELOW_DB = 11.5
"""func_speex weighs what it hears by its pitch: speech comes out so far below the level it is given (measured)."""
PROOF_S = 0.3
"""A caller waits for it: a slower AMI gives no proof."""
FENCE_SETTLE_S = 0.03
"""A channel's event takes its way to AMI through a thread of its own, and a Ping sent at once overtakes it: up to 12 ms
were seen on a machine with more work than processors."""


class AmiActions:
    """Sends actions over two links: `events` for those that must be answered after the events, `actions` for the rest.

    Every method raises NotConnected, ActionTimeout, ActionRefused or ActionUnsafe.
    """

    def __init__(self, actions: AmiLink, events: AmiLink) -> None:
        self._actions = actions
        self._events = events

    async def arm_ear(self, channel: str, silence_ms: int, threshold: int) -> None:
        """Listen afresh: a caller who is talking already is reported again."""
        self._actions.tell("Setvar", Channel=channel, Variable=DISARM, Value="")
        await self._set(channel, "TALK_DETECT(set)", f"{silence_ms},{threshold}")

    async def disarm_ear(self, channel: str) -> None:
        """Stop listening; a channel that nobody listens to, or that is gone, is left as it is."""
        with suppress(ActionRefused):
            await self._set(channel, DISARM, "")

    async def open_tap(self, uniqueid: str, uuid: str, address: str) -> None:
        """Make Asterisk send a caller's audio to the AudioSocket server at `address`, which sees whether it arrives."""
        await self._actions.action(
            "Originate",
            Channel=f"Local/s@{TAP_CONTEXT}/n",
            Context=EAR_CONTEXT,
            Exten="s",
            Priority="1",
            Variable=[f"TAPCHAN={uniqueid}", f"TAPUUID={uuid}", f"TAPADDRESS={address}"],
        )

    @property
    def has_audio_socket(self) -> bool:
        """This release of Asterisk has AudioSocket, as far as is known."""
        return has_audio_socket(self._events.protocol_version)

    async def open_rtp_tap(self, channel_id: str, uniqueid: str, address: str) -> tuple[str, int]:
        """Make Asterisk send a caller's audio to `address` as RTP in mu-law; host and port that it is sent from.

        The channel that sends has the uniqueid `channel_id`.
        """
        await self._actions.action(
            "Originate",
            Channel=f"UnicastRTP/{address}/c(ulaw)",
            Context=RTP_CONTEXT,
            Exten="s",
            Priority="1",
            ChannelId=channel_id,
            Variable=f"TAPCHAN={uniqueid}",
        )
        for pause_s in CHANNEL_BEGINS_S:
            with suppress(ActionRefused):
                return await self._sends_from(channel_id)
            await asyncio.sleep(pause_s)
        return await self._sends_from(channel_id)

    async def _sends_from(self, channel_id: str) -> tuple[str, int]:
        """Host and port of a channel that sends RTP; raises ActionRefused while there is no such channel."""
        host, port = await asyncio.gather(
            *(self._get(channel_id, f"UNICASTRTP_LOCAL_{name}") for name in ("ADDRESS", "PORT"))
        )
        if not port.isdigit():
            raise ActionRefused("Getvar", "UnicastRTP does not tell its port")
        return host, int(port)

    def keep_rtp_tap(self, channel_id: str) -> None:
        """Put off the end of a channel that sends RTP; without AMI it ends by itself."""
        with suppress(NotConnected):
            self._actions.tell("Setvar", Channel=channel_id, Variable="TIMEOUT(absolute)", Value=str(RTP_TAP_S))

    def end_rtp_tap(self, channel_id: str) -> None:
        """End a channel that sends RTP."""
        with suppress(NotConnected):
            self._actions.tell("Hangup", Channel=channel_id, Cause="16")

    async def whisper(self, say_id: str, uniqueid: str, path: str) -> None:
        """Play a prompt to the channel of this uniqueid; `say_id` becomes the uniqueid of the half that plays it.

        The half that spies has `say_id` and ";spy": ChanSpyStart tells that it is attached.
        """
        variables = [f"SAYCHAN={uniqueid}", f"SAYPROMPT={path}"]
        await self._spy(WHISPER_CONTEXT, SAY_CONTEXT, say_id, variables)

    async def record_name(self, name_id: str, uniqueid: str, path: str, longest_s: int) -> None:
        """Record what the channel of this uniqueid says into `path`.wav; Hangup of NAME_PREFIX + `name_id` ends it."""
        variables = [f"NAMECHAN={uniqueid}", f"NAMEFILE={path}", f"NAMESECONDS={longest_s}"]
        await self._spy(NAME_SPY_CONTEXT, NAME_CONTEXT, f"{NAME_PREFIX}{name_id}", variables)

    async def _spy(self, spy_context: str, context: str, own_id: str, variables: list[str]) -> None:
        """Begin a Local channel whose half `own_id`;spy spies on a channel, while `own_id` runs `context`."""
        await self._actions.action(
            "Originate",
            Channel=f"Local/s@{spy_context}/n",
            Context=context,
            Exten="s",
            Priority="1",
            Async="true",
            ChannelId=own_id,
            OtherChannelId=f"{own_id};spy",
            Variable=variables,
        )

    async def stop_recording(self, name_id: str) -> None:
        """End a recording; what was recorded is kept."""
        await self.hang_up(f"{NAME_PREFIX}{name_id}")

    async def has_codes(self, channel: str) -> bool:
        """The dialplan has given our feature codes to this agent's channel; whether the map is loaded is not known."""
        return SAY_FEATURE in (await self._get(channel, "DYNAMIC_FEATURES")).split("#")

    async def play_by_code(self, say_id: str, listener: str, agent: str, path: str) -> None:
        """Have the listener's own channel play a prompt, by a feature code typed in the agent's name.

        UserEvent CallflowSaying tells of its beginning, CallflowSaid of its end. Meanwhile the two hear nothing of each
        other.
        """
        await self._set(listener, "CALLFLOW_SAYID", say_id)
        await self._set(listener, "CALLFLOW_SAY", path)
        for key in SAY_TO_AGENT if listener == agent else SAY_TO_CALLER:
            await self._actions.action("PlayDTMF", Channel=agent, Digit=key, Duration=str(KEY_MS), Receive="true")

    async def stop_by_code(self, listener: str) -> None:
        """End such a prompt, or keep it from beginning. Raises ActionRefused when the channel is gone."""
        await self._set(listener, "CALLFLOW_SAY", "")
        await self.stop_prompt(listener)

    async def hang_up(self, channel: str) -> None:
        """Hang up a channel, given by name or uniqueid; one that is gone already is no error."""
        with suppress(ActionRefused):
            await self._actions.action("Hangup", Channel=channel, Cause="16")

    async def leave(self, channel: str, context: str, variables: Mapping[str, str] = NO_VARIABLES) -> None:
        """Take a channel out of its bridge to the start of this context, with these variables set."""
        for name, value in variables.items():
            await self._set(channel, name, value)
        await self._actions.action("Redirect", Channel=channel, Context=context, Exten="s", Priority="1")

    async def context(self, channel: str) -> str:
        """Where the channel is in the dialplan; "" if that is one of callflow's own contexts."""
        context = await self._get(channel, "CONTEXT")
        return "" if context.startswith("callflow-") else context

    async def holds(self, channel: str) -> bool | None:
        """The phone of this channel has put the other party on hold; None where Asterisk does not know."""
        with suppress(ActionRefused):
            return {"1": True, "0": False}.get(await self._get(channel, "CHANNEL(rtp,hold)"))
        return None

    async def set_volume(self, channel: str, gain_db: float) -> None:
        """Raise what Asterisk hears of a channel, for this and every later application; func_volume takes a factor."""
        await self._set(channel, "VOLUME(RX)", f"{10 ** (gain_db / 20):.3f}")

    async def set_agc(self, channel: str, target_dbov: float) -> None:
        """Have func_speex hold the caller at this level."""
        level = AGC_FULL_SCALE * 10 ** ((target_dbov + AGC_BELOW_DB) / 20)
        await self._set(channel, "AGC(rx)", f"{min(level, AGC_FULL_SCALE):.0f}")

    async def consult(self, channel: str, exten: str, context: str) -> None:
        """Begin an attended transfer in the name of the phone of this channel, whose talk must allow transfers."""
        await self._actions.action("Atxfer", Channel=channel, Exten=exten, Context=context)

    async def pause(self, interface: str, paused: bool, reason: str) -> None:
        """Pause a member in all its queues, or end the pause; one that is in no queue is refused."""
        await self._actions.action(
            "QueuePause", Interface=interface, Paused="true" if paused else "false", Reason=reason
        )

    async def media(self, channel: str) -> tuple[int, int] | None:
        """RTP packets received and lost so far; None where Asterisk cannot tell."""
        try:
            received, lost = await asyncio.gather(
                *(self._get(channel, f"CHANNEL(rtcp,{name})") for name in ("rxcount", "rxploss"))
            )
        except ActionRefused:
            return None
        return (int(received), int(lost) if lost.isdigit() else 0) if received.isdigit() else None

    async def packets(self, channel: str) -> int | None:
        """RTP packets received from the source (SSRC) that sends now; None where Asterisk cannot tell."""
        try:
            received = await self._get(channel, "CHANNEL(rtcp,rxcount)")
        except ActionRefused:
            return None
        return int(received) if received.isdigit() else None

    async def prove_channel(self, uniqueid: str, proof: str) -> None:
        """Write `proof` to the channel's variable CALLFLOW_PROOF, which only that channel's own script can read."""
        await self._actions.action(
            "Setvar", timeout_s=PROOF_S, Channel=uniqueid, Variable="CALLFLOW_PROOF", Value=proof
        )

    def give_token(self, token: str) -> None:
        """Put the FastAGI token into Asterisk's global CALLFLOW_TOKEN, before anything that is asked afterwards."""
        self._actions.tell("Setvar", Variable="CALLFLOW_TOKEN", Value=token)

    async def stop_prompt(self, channel: str) -> None:
        """End the playing prompt at once; does nothing to a channel that plays none, ActionRefused when it is gone."""
        await self._actions.action("ControlPlayback", Channel=channel, Control="stop")

    async def set_result(self, channel: str, result: str) -> None:
        """Set the dialplan's variable CALLFLOW_RESULT."""
        await self._set(channel, "CALLFLOW_RESULT", result)

    async def fence(self) -> None:
        """Return after every event that Asterisk had raised when this was called."""
        await asyncio.sleep(FENCE_SETTLE_S)
        await self._events.action("Ping")

    async def prove_ear(self, check_id: str) -> None:
        """Place the self-test call: one half of it sounds a tone, the other is screened like any caller."""
        await self._originate("s", f"__CALLFLOW_CHECK={check_id}")

    async def sound_tone(self, channel_id: str) -> None:
        """Make a channel of this uniqueid that hears a tone for five seconds."""
        await self._originate(
            "still", "CALLFLOW_CHECK=", {"ChannelId": f"tone-{channel_id}", "OtherChannelId": channel_id}
        )

    async def begin_test_agent(self, agent_id: str) -> None:
        """Begin the Local channel that plays an agent; it has this uniqueid, and gets the feature codes."""
        ids = {"ChannelId": f"tone-{agent_id}", "OtherChannelId": agent_id}
        await self._originate("agent", "CALLFLOW_CHECK=", ids)

    async def begin_test_talk(self, agent_id: str) -> None:
        """Bring a second Local channel together with that one, which has the codes in the talk that it had before."""
        await self._originate("talk", f"CALLFLOW_TALK={agent_id}")

    async def try_prompt(self, path: str) -> None:
        """Begin a prompt where no caller hears it; a missing one is told by UserEvent CallflowPromptMissing."""
        await self._originate("prompt", f"__CALLFLOW_PROMPT={path}")

    async def channels(self) -> list[dict[str, str]]:
        """Entries of CoreShowChannels: every channel that exists now."""
        return [entry for entry in await self._actions.action_list("CoreShowChannels") if "Uniqueid" in entry]

    async def queues(self) -> list[dict[str, str]]:
        """Entries of QueueStatus: QueueParams, QueueMember and QueueEntry of every queue; none without app_queue."""
        with suppress(ActionRefused):
            return await self._actions.action_list("QueueStatus")
        return []

    async def _originate(self, extension: str, variable: str, ids: Mapping[str, HeaderValue] = NO_IDS) -> None:
        """Call `extension` of the check context from its extension `tone`, over a Local channel."""
        await self._actions.action(
            "Originate",
            Channel=f"Local/{extension}@{CHECK_CONTEXT}/n",
            Context=CHECK_CONTEXT,
            Exten="tone",
            Priority="1",
            Variable=variable,
            **ids,  # type: ignore[arg-type]
        )

    async def _get(self, channel: str, variable: str) -> str:
        return (await self._actions.action("Getvar", Channel=channel, Variable=variable)).get("Value", "")

    async def _set(self, channel: str, variable: str, value: str) -> None:
        await self._actions.action("Setvar", Channel=channel, Variable=variable, Value=value)
