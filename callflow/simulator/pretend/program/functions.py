"""Variables and functions of the dialplan, as one channel sees them."""

from typing import TYPE_CHECKING

from callflow.simulator.pretend.program.expression import is_true
from callflow.simulator.pretend.program.substitution import arguments, call

if TYPE_CHECKING:
    from callflow.simulator.pretend.program.program import Program


class Functions:
    """Reads and writes them; an unknown function is empty, as on an Asterisk without its module."""

    def __init__(self, program: "Program") -> None:
        self._program = program

    def get(self, name: str) -> str:
        """The value, "" without one."""
        channel, world = self._program.channel, self._program.world
        own = {
            "EXTEN": channel.exten, "CONTEXT": channel.context, "PRIORITY": str(channel.priority),
            "UNIQUEID": channel.uniqueid, "CHANNEL": channel.name, "EPOCH": str(int(world.clock.wall())),
        }.get(name)  # fmt: skip
        if own is not None:
            return own
        if "(" not in name:
            return self._variable(name)
        if (kept := world.astdb.read(name)) is not None:
            return kept
        function, data = call(name)
        return self._call(function, data, name)

    def _variable(self, name: str) -> str:
        channel, world = self._program.channel, self._program.world
        if name in channel.variables:
            return channel.variables[name]
        if name == "HANGUPCAUSE":
            return str(channel.cause)
        if name == "BRIDGEPEER":
            return channel.talk.other(channel).name if channel.talk is not None else ""
        return world.globals.get(name, "")

    def _call(self, function: str, data: str, whole: str) -> str:
        program, channel = self._program, self._program.channel
        parts = arguments(data)
        match function:
            case "CALLERID":
                number, name = channel.caller_number, channel.caller_name
                return {"num": number, "name": name, "dnid": channel.dnid}.get(parts[0], f'"{name}" <{number}>')
            case "CHANNEL":
                return self._channel(data)
            case "CUT":
                return _cut(program.get(parts[0]), parts[1] or "-", parts[2])
            case "DEVICE_STATE":
                busy = any(one.startswith(f"{data}-") for one in program.world.switch.channels)
                return "INUSE" if busy else "NOT_INUSE"
            case "DIALPLAN_EXISTS":
                context, exten, priority = (*parts, "1", "1")[:3]
                return str(int(program.world.dialplan.step(context, exten, int(priority)) is not None))
            case "STACK_PEEK":
                return program.left(int(parts[0]))
            case "GLOBAL":
                return program.world.globals.get(data, "")
            case "LEN":
                return str(len(data))
            case "IF":
                condition, _, rest = data.partition("?")
                then, _, other = rest.partition(":")
                return then if is_true(condition) else other
            case "EXISTS":
                return str(int(data != ""))
            case "ISNULL":
                return str(int(data == ""))
            case "FILTER":
                return _filtered(parts[0], ",".join(parts[1:]))
            case "QUEUE_MEMBER":
                return program.world.members.get(data) or ""
            case "BASE64_ENCODE" | "URIENCODE":
                return data
        return channel.get(whole, program.world.clock.now()) or ""

    def _channel(self, item: str) -> str:
        channel = self._program.channel
        own = {"linkedid": channel.linkedid, "name": channel.name, "uniqueid": channel.uniqueid, "state": "Up"}
        found = own.get(item)
        return found if found is not None else channel.get(f"CHANNEL({item})", self._program.world.clock.now()) or ""

    def set(self, name: str, value: str) -> None:
        """Write a variable or function."""
        channel, world = self._program.channel, self._program.world
        function, data = call(name) if "(" in name else ("", "")
        match function:
            case "":
                channel.variables[name.lstrip("_")] = value
                if name.startswith("_"):
                    channel.inherited[name.lstrip("_")] = name
            case "CALLERID":
                self._set_caller_id(data, value)
            case "GLOBAL":
                world.globals[data] = value
            case "LOCAL":
                (self._program.locals[-1] if self._program.locals else channel.variables)[data] = value
            case "CHANNEL" if data == "hangup_handler_push":
                context, exten, rest = value.split(",", 2)
                channel.hangup_handlers.append((context, exten, int(rest.partition("(")[0])))
            case "QUEUE_MEMBER":
                world.members.set(data, value)
            case "MASTER_CHANNEL" if (master := world.switch.with_uniqueid(channel.linkedid)) is not None:
                master.variables[data] = value
            case _ if not world.astdb.write(name, value):
                channel.set(name, value)

    def _set_caller_id(self, item: str, value: str) -> None:
        channel, events = self._program.channel, self._program.world.events
        item, _, _ = item.partition(",")
        if item == "num":
            channel.caller_number = value
        elif item == "name":
            channel.caller_name = value
        elif item == "all":
            name, _, number = value.partition("<")
            channel.caller_name, channel.caller_number = name.strip().strip('"'), number.rstrip("> ")
        else:
            return
        events.new_callerid(channel)


def _cut(value: str, delimiter: str, fields: str) -> str:
    """Fields of a text: "2", or "3-" for the third and all behind it."""
    parts = value.split(delimiter)
    first, dash, last = fields.partition("-")
    start = int(first or 1) - 1
    end = start + 1 if not dash else (int(last) if last else len(parts))
    return delimiter.join(parts[start:end])


def _filtered(allowed: str, text: str) -> str:
    """FILTER: the letters that are allowed; `0-9` is a range."""
    letters = set()
    place = 0
    while place < len(allowed):
        if allowed[place + 1 : place + 2] == "-" and place + 2 < len(allowed):
            letters |= {chr(code) for code in range(ord(allowed[place]), ord(allowed[place + 2]) + 1)}
            place += 3
        else:
            letters.add(allowed[place])
            place += 1
    return "".join(letter for letter in text if letter in letters)
