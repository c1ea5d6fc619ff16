"""What a snapshot of Asterisk would have shown at any moment of a capture, from the events before it."""

from collections.abc import Iterable

from callflow.adapters.ami.translate_rings import channel_of, member_of, waiting_of
from callflow.core.rings import facts

Message = dict[str, str]


def channels_after(before: Iterable[tuple[int, Message]]) -> list[Message]:
    """What CoreShowChannels would list after these events."""
    return _follow(before)[0]


def snapshot(before: Iterable[tuple[int, Message]], now_ms: int) -> facts.SnapshotTaken:
    """Channels, members and waiting callers after these events; asked for, and answered, at `now_ms`."""
    channels, waiting, members = _follow(before)
    return facts.SnapshotTaken(
        facts.When(now_ms, stamped=False),
        now_ms,
        frozenset(channel["Uniqueid"] for channel in channels),
        tuple(map(member_of, members)),
        tuple(
            waiting_of(message | {"Uniqueid": uniqueid, "Wait": str((now_ms - at_ms) // 1000)})
            for uniqueid, (at_ms, message) in waiting.items()
        ),
        tuple(map(channel_of, channels)),
    )


def _follow(
    before: Iterable[tuple[int, Message]],
) -> tuple[list[Message], dict[str, tuple[int, Message]], list[Message]]:
    """Channels, who waits since when, and members."""
    channels: dict[str, Message] = {}
    waiting: dict[str, tuple[int, Message]] = {}
    members: dict[tuple[str, str], Message] = {}
    for at_ms, message in before:
        uniqueid, event = message.get("Uniqueid", "").partition("\n")[0], message["Event"]
        match event:
            case "Newchannel":
                channels[uniqueid] = dict(message)
            case "Newstate" if uniqueid in channels:
                channels[uniqueid]["ChannelStateDesc"] = message["ChannelStateDesc"]
            case "BridgeEnter" if uniqueid in channels:
                channels[uniqueid]["BridgeId"] = message["BridgeUniqueid"]
            case "BridgeLeave" if channels.get(uniqueid, {}).get("BridgeId") == message.get("BridgeUniqueid"):
                channels[uniqueid]["BridgeId"] = ""
            case "QueueCallerJoin":
                _runs(channels, uniqueid, "Queue", f"{message['Queue']},,,,20")
                waiting[uniqueid] = (at_ms, message)
            case "AgentCalled":
                _runs(channels, message["DestUniqueid"], "AppQueue")
                members.setdefault((message["Queue"], message["Interface"]), message)
            case "DialBegin":
                by_queue = channels.get(uniqueid, {}).get("Application") == "Queue"
                _runs(channels, message["DestUniqueid"], "AppQueue" if by_queue else "AppDial")
                if not by_queue:
                    _runs(channels, uniqueid, "Dial", f"{_destination(message)},20")
            case "Hangup":
                channels.pop(uniqueid, None)
            case "QueueCallerLeave":
                waiting.pop(uniqueid, None)
            case "AttendedTransfer":
                _hand_over(message, waiting)
            case "QueueMemberStatus":
                members[message["Queue"], message["Interface"]] = message
    return list(channels.values()), waiting, list(members.values())


def _runs(channels: dict[str, Message], uniqueid: str, application: str, data: str = "(Outgoing Line)") -> None:
    if uniqueid in channels:
        channels[uniqueid] |= {"Application": application, "ApplicationData": data}


def _destination(message: Message) -> str:
    """What Dial was given: DialBegin leaves the technology out."""
    return f"{message['DestChannel'].partition('/')[0]}/{message.get('DialString', '')}"


def _hand_over(message: Message, waiting: dict[str, tuple[int, Message]]) -> None:
    """Who waited for a caller and hands over to them leaves the place in the queue to them."""
    second, transferee = message.get("SecondTransfererUniqueid", ""), message.get("TransfereeUniqueid", "")
    if message.get("DestType") == "App" and transferee and second in waiting:
        waiting[transferee] = waiting.pop(second)
