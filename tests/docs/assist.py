"""Draws the states of assistance in a talk, from their table."""

from callflow.core.assist.states import AFTER_PARTING, TRANSITIONS, UNHEARD, Input, State

GROUPS: dict[str, frozenset[State]] = {"not_heard": UNHEARD, "parted": AFTER_PARTING}
"""States that share most of their inputs are drawn in a frame, and what all of them do is drawn from the frame."""


def mermaid() -> str:
    """The state diagram as Mermaid text."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {State.ARMING}"]
    for name, states in GROUPS.items():
        inside = [_arrow(s, t, i) for s, i, t in _own() if s in states and t in states]
        lines += [f"    state {name} {{", *(f"    {line}" for line in inside), "    }"]
        lines += [f"    {name} --> {_name(target)}: {what}" for what, target in _shared(states)]
    framed = [(s, t) for states in GROUPS.values() for s in states for t in states]
    lines += [_arrow(s, t, i) for s, i, t in _own() if (s, t) not in framed]
    lines += [
        f"    note left of {State.DONE}",
        f"        from every state:<br>{'<br>'.join(_everywhere())}",
        "    end note",
    ]
    return "\n".join([*lines, f"    {State.DONE} --> [*]", "```"]) + "\n"


def transitions_table() -> str:
    """Every transition, one row each; those that all states of a frame share stand once."""
    rows = [f"| {source} | {what} | {target} |" for source, what, target in _own()]
    for name, states in GROUPS.items():
        rows += [f"| every state of `{name}` | {what} | {target} |" for what, target in _shared(states)]
    rows += [f"| every state but done | {what} | {State.DONE} |" for what in _everywhere()]
    return "\n".join(["| state | input | next state |", "|---|---|---|", *rows]) + "\n"


def _shared(states: frozenset[State]) -> list[tuple[Input, State]]:
    first = next(state for state in State if state in states)
    return [
        (what, target)
        for what, target in TRANSITIONS[first].items()
        if what not in _everywhere() and all(TRANSITIONS[state].get(what) is target for state in states)
    ]


def _everywhere() -> list[Input]:
    """Inputs that lead from every state but DONE to DONE."""
    return [what for what in Input if all(what in inputs for state, inputs in TRANSITIONS.items() if inputs)]


def _own() -> list[tuple[State, Input, State]]:
    ends = set(_everywhere())
    shared = {(state, what) for states in GROUPS.values() for state in states for what, _ in _shared(states)}
    return [
        (source, what, target)
        for source, inputs in TRANSITIONS.items()
        for what, target in inputs.items()
        if (source, what) not in shared and what not in ends
    ]


def _arrow(source: State, target: State, what: Input) -> str:
    return f"    {_name(source)} --> {_name(target)}: {what}"


def _name(state: State) -> str:
    return state.value.replace(" ", "_")
