"""Applications that need no sound: jumps, variables, events and answering."""

from callflow.simulator.pretend.flavour import UP
from callflow.simulator.pretend.program.expression import is_true
from callflow.simulator.pretend.program.program import Application, HungUp, Place, Program
from callflow.simulator.pretend.program.substitution import arguments, call


async def set_variable(program: Program, data: str) -> None:
    name, _, value = data.partition("=")
    program.set(name.strip(), value.strip('"') if value.count('"') == 2 and value[:1] == '"' == value[-1:] else value)


async def set_variables(program: Program, data: str) -> None:
    """MSet: several at once."""
    for one in arguments(data):
        await set_variable(program, one)


async def nothing(program: Program, data: str) -> None:
    """NoOp and Verbose."""


def up(program: Program) -> None:
    """Answer the channel, if it is not answered yet."""
    channel, world = program.channel, program.world
    if channel.state != UP:
        world.events.answered(channel)
        channel.answered_at = world.clock.now()
        if channel.on_answer is not None:
            channel.on_answer()


async def answer(program: Program, data: str) -> None:
    """Answer, and wait for the first packet."""
    channel, world = program.channel, program.world
    if channel.state == UP:
        return
    up(program)
    await program.sleep(channel.stream.first_s(world.clock.now() - channel.answered_at, _ANSWER_WAIT_S))


async def hang_up(program: Program, data: str) -> None:
    program.cause = int(data) if data.isdigit() else (program.channel.cause or 16)
    raise HungUp


async def goto(program: Program, data: str) -> None:
    program.next = place_of(program, data)


async def goto_if(program: Program, data: str) -> None:
    condition, _, rest = data.partition("?")
    then, _, other = rest.partition(":")
    target = then if is_true(condition) else other
    if target.strip():
        program.next = place_of(program, target)


async def exec_if(program: Program, data: str) -> None:
    condition, _, rest = data.partition("?")
    then, _, other = _halves(rest)
    chosen = then if is_true(condition) else other
    if chosen.strip():
        name, given = call(chosen)
        await program.world.applications[name.lower()](program, given)


async def gosub(program: Program, data: str) -> None:
    target, _, given = data.partition("(")
    place = place_of(program, target)
    values = arguments(given.rsplit(")", 1)[0]) if given else []
    if program.world.dialplan.step(*place) is None:
        program.set("GOSUB_RETVAL", "")
        raise HungUp  # Asterisk: "Attempt to reach a non-existent destination for gosub"
    program.returns.append(program.next)
    program.locals.append(
        {f"ARG{number}": value for number, value in enumerate(values, 1)} | {"ARGC": str(len(values))}
    )
    program.next = place


async def gosub_if(program: Program, data: str) -> None:
    condition, _, rest = data.partition("?")
    then, _, other = _halves(rest)
    chosen = then if is_true(condition) else other
    if chosen.strip():
        await gosub(program, chosen)


async def come_back(program: Program, data: str) -> None:
    """Return."""
    if not program.returns:
        raise HungUp
    program.next = program.returns.pop()
    program.locals.pop()
    if data:
        program.set("GOSUB_RETVAL", data)


async def stack_pop(program: Program, data: str) -> None:
    if program.returns:
        program.returns.pop()
        program.locals.pop()


async def user_event(program: Program, data: str) -> None:
    name, *pairs = arguments(data)
    headers = {key.strip(): value.strip() for key, _, value in (pair.partition(":") for pair in pairs)}
    program.world.events.user_event(program.channel, name, **headers)


def place_of(program: Program, text: str) -> Place:
    """context,exten,priority of a target that may leave out the first ones; the priority may be a label."""
    channel = program.channel
    parts = [part.strip() for part in arguments(text.strip())]
    context, exten, priority = ([channel.context, channel.exten][: 3 - len(parts)] + parts)[:3]
    return context, exten, program.world.dialplan.priority(context, exten, priority)


def _halves(text: str) -> tuple[str, str, str]:
    """The parts before and after a colon outside all parentheses."""
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ":" and not depth:
            return text[:place], ":", text[place + 1 :]
    return text, "", ""


_ANSWER_WAIT_S = 0.5
BUILTINS: dict[str, Application] = {
    "set": set_variable, "mset": set_variables, "noop": nothing, "verbose": nothing, "answer": answer,
    "hangup": hang_up, "goto": goto, "gotoif": goto_if, "execif": exec_if, "gosub": gosub, "gosubif": gosub_if,
    "return": come_back, "stackpop": stack_pop, "userevent": user_event,
}  # fmt: skip
