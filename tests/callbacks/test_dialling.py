"""One attempt: never two calls for one claim, never a claim without an end, whatever is lost, repeated or killed."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callflow.core.callbacks import signals
from callflow.core.callbacks.attempt import CALLER_NOT_REACHED, Outcome
from callflow.core.callbacks.dialling import Dialling, Stage
from callflow.core.callbacks.look import CallerSeen, ChannelSeen, Look, Plan, UnderWay
from callflow.core.callbacks.signals import Signal
from tests.callbacks.model import MEMBER, NUMBER, PHONE, PLAN, QUIET, RING_MS, Life, World

T0 = 1_769_864_703_000
ACCEPTED = signals.CallReported("accepted", True, False, "", "", "")
REACHED = signals.CallReported("reached", True, True, "", "", "")
ENDED = signals.CallReported("ended", True, True, "ANSWER", "", "")


def told(status: str, gosub: str = "") -> signals.CallReported:
    return signals.CallReported("dialled", True, False, status, gosub, "17")


def placed() -> Life:
    """A life whose call has just been placed."""
    life = Life(World(), T0)
    while not life.world.placed:
        if life.commands:
            life.act()
        else:
            assert life.pass_time()
    return life


def ended(life: Life, *told_signals: Signal) -> Outcome | None:
    for signal in told_signals:
        life.tell(signal)
    while life.dialling.stage is not Stage.ENDED:
        if life.commands:
            life.act()
        elif not life.pass_time():
            break
    while life.commands:
        life.act()
    return life.world.attempt.outcome if life.world.attempt else None


UP = (signals.LegRang(True), signals.OriginateEnded(True), signals.LegAnswered())
GONE = signals.CallEnded("16")
OUTCOMES = [
    ((*UP, ACCEPTED, REACHED, ENDED, GONE), Outcome.REACHED),
    ((*UP, ACCEPTED, told("BUSY"), GONE), Outcome.BUSY),
    ((*UP, ACCEPTED, told("NOANSWER"), GONE), Outcome.NO_ANSWER),
    ((*UP, ACCEPTED, told("CHANUNAVAIL"), GONE), Outcome.FAILED),
    ((*UP, ACCEPTED, told("ANSWER", "CONTINUE"), GONE), Outcome.NOT_CONFIRMED),
    ((*UP, ACCEPTED, signals.CallReported("ended", True, False, "CANCEL", "", ""), GONE), Outcome.CANCELLED),
    ((*UP, signals.CallReported("ended", False, False, "", "", ""), GONE), Outcome.AGENT_DECLINED),
    ((signals.LegDialEnded("BUSY"), GONE, signals.OriginateEnded(False)), Outcome.AGENT_BUSY),
    ((signals.OriginateEnded(False), signals.LegDialEnded("NOANSWER"), GONE), Outcome.AGENT_NO_ANSWER),
    ((signals.OriginateEnded(False), signals.LegDialEnded("CONGESTION")), Outcome.AGENT_FAILED),
    ((signals.OriginateEnded(False),), Outcome.AGENT_NO_ANSWER),
]


@pytest.mark.parametrize(("events", "outcome"), OUTCOMES, ids=[outcome.value for _, outcome in OUTCOMES])
def test_how_a_call_that_is_seen_to_the_end_ends(events: Sequence[Signal], outcome: Outcome) -> None:
    assert ended(placed(), *events) is outcome


CUSTOMER_FIRST = [
    (signals.LegDialEnded("BUSY"), "17", Outcome.BUSY),
    (signals.LegDialEnded("NOANSWER"), "19", Outcome.NO_ANSWER),  # 480
    (None, "19", Outcome.NO_ANSWER),  # time-out, Asterisk 22
    (None, "0", Outcome.NO_ANSWER),  # time-out, Asterisk 16
    (signals.LegDialEnded("NOANSWER"), "21", Outcome.FAILED),  # 603, 403
    (signals.LegDialEnded("NOANSWER"), "1", Outcome.FAILED),  # 404
    (signals.LegDialEnded("CONGESTION"), "34", Outcome.FAILED),  # 503
]


@pytest.mark.parametrize(("dial_ended", "cause", "outcome"), CUSTOMER_FIRST)
@pytest.mark.parametrize("response_first", [True, False])
def test_a_caller_who_is_called_first_and_refuses_has_not_just_not_answered(
    dial_ended: Signal | None, cause: str, outcome: Outcome, response_first: bool
) -> None:
    life = placed()
    life.dialling.attempt = replace(life.dialling.attempt, first="customer")
    seen = [*([dial_ended] if dial_ended else []), signals.CallEnded(cause)]
    response = signals.OriginateEnded(False)
    assert ended(life, *([response, *seen] if response_first else [*seen, response])) is outcome


def test_the_claim_is_on_the_disk_before_the_agent_is_paused_and_marked_before_the_call() -> None:
    life = Life(World(), T0)
    seen = []
    while not life.world.placed:
        if life.commands:
            seen.append(type(life.commands[0]))
            life.act()
        else:
            life.pass_time()
    order = [signals.TakeLook, signals.SaveClaim, signals.Pause, signals.SavePlacing, signals.TakeLook, signals.Place]
    assert seen == order
    assert life.world.attempt is not None
    assert life.world.attempt.placed_ms is not None
    assert life.world.attempt.paused_in == ("support",)


BUSY_LINES = [
    Look((MEMBER,), (), (ChannelSeen(f"{PHONE}-0000001a", "1.1", "8012", "", "Dial()"),)),
    Look((MEMBER,), (), (ChannelSeen("PJSIP/carrier-0000001a", "1.1", f"+{NUMBER}", "", "Queue(support)"),)),
    Look((MEMBER,), (), (ChannelSeen("PJSIP/9-0000001a", "1.1", "9", "", f"Dial(PJSIP/c/sip:{NUMBER}@x)"),)),
    Look((MEMBER,), (CallerSeen("support", NUMBER, T0),), ()),
]


@pytest.mark.parametrize("look", BUSY_LINES, ids=["agent", "caller calls", "caller is called", "caller waits"])
@pytest.mark.parametrize("second", [False, True], ids=["first look", "second look"])
def test_nobody_is_called_who_is_on_the_line(look: Look, second: bool) -> None:
    life = Life(World(), T0)
    life.act(lost=True)
    life.tell(QUIET_LOOK if second else signals.Looked(look))
    while life.dialling.stage is not Stage.ENDED:
        if life.commands and isinstance(life.commands[0], signals.TakeLook):
            life.act(lost=True)
            life.tell(signals.Looked(look))
        elif life.commands:
            life.act()
        else:
            assert life.pass_time()
    assert life.world.placed == []
    assert life.dialling.ended_unclaimed is not second
    while life.commands:
        life.act()
    assert [attempt.outcome for attempt in life.world.ends] == ([Outcome.UNPLACED] if second else [])


UNDER_WAY = {
    "the same agent": (UnderWay(agents=frozenset(("8012",))), "the agent has a call-back"),
    "the same phone": (UnderWay(agents=frozenset((PHONE,))), "the agent has a call-back"),
    "the same caller": (UnderWay(callers=frozenset((NUMBER,))), "the caller has a call-back"),
    "others": (UnderWay(frozenset(("8013", "PJSIP/8013")), frozenset(("13855550199",))), ""),
}


@pytest.mark.parametrize(("under_way", "refusal"), UNDER_WAY.values(), ids=UNDER_WAY)
def test_nobody_is_called_whom_another_call_back_is_about_to_call(under_way: UnderWay, refusal: str) -> None:
    """Its call may not be a channel yet."""
    attempt = replace(placed().dialling.attempt, interface="", agent=PHONE)
    dialling = Dialling(attempt, replace(PLAN, number=f"+{NUMBER}", agent=PHONE), RING_MS)
    dialling.begin(T0)
    assert not dialling.calls, "it does not know yet whom it calls"
    dialling.receive(signals.Looked(QUIET, under_way), T0)
    assert (dialling.refusal, dialling.calls) == (refusal, not refusal)
    assert dialling.called_agents == {"8012", PHONE}


def test_an_agent_whose_call_back_was_reached_is_called_again_as_soon_as_their_phone_is_free() -> None:
    """The caller may have been transferred, and still be on the line."""
    life = placed()
    assert life.dialling.calls
    for signal in (*UP, ACCEPTED, REACHED):
        life.tell(signal)
    assert life.dialling.stage is Stage.WATCHING
    assert not life.dialling.calls


QUIET_LOOK = signals.Looked(QUIET)


def test_automatic_calls_wait_for_callers_who_wait_but_a_kept_place_only_for_those_before_it() -> None:
    waiting = signals.Looked(Look((MEMBER,), (CallerSeen("support", "13855550199", T0),), ()))
    plans = {
        replace(PLAN, automatic=True): False,
        PLAN: True,
        Plan(NUMBER, "8012", True, T0 - 1000, True): True,
        Plan(NUMBER, "8012", True, T0 + 1000, True): False,
    }
    for plan, goes_on in plans.items():
        dialling = Dialling(placed().dialling.attempt, plan, RING_MS)
        dialling.begin(T0)
        dialling.receive(waiting, T0)
        assert (dialling.stage is Stage.CLAIMING) is goes_on


def test_an_agent_whom_no_queue_knows_is_refused() -> None:
    dialling = Dialling(replace(placed().dialling.attempt, interface="", paused_in=()), replace(PLAN, agent="9999"), 1)
    dialling.begin(T0)
    assert dialling.receive(QUIET_LOOK, T0) == []
    assert "9999" in dialling.refusal


SIGNALS = st.sampled_from(
    [
        *UP,
        ACCEPTED,
        REACHED,
        ENDED,
        GONE,
        told("BUSY"),
        signals.OriginateEnded(False),
        signals.OriginateUnanswered(),
        signals.OriginateTaken(),
        signals.LinkLost(),
        signals.LinkUp(),
        signals.Saved(),
        signals.Paused(),
        QUIET_LOOK,
        signals.ChannelFound(),
        signals.Failed("late"),
    ]
)
MOVES = st.lists(
    st.one_of(
        st.just("act"),
        st.just("act"),
        st.just("act"),
        st.sampled_from(["lose", "fail", "kill", "time", "hang up"]),
        SIGNALS,
    ),
    max_size=60,
)


def moved(life: Life, move: object) -> Life:
    """The life that goes on after one move: this one, or after a kill another one."""
    match move:
        case "kill":
            return Life(life.world, life.now_ms + 5)
        case "time":
            life.pass_time()
        case "hang up":
            life.world.channels.clear()
        case "act" | "lose" | "fail":
            if life.commands:
                life.act(lost=move == "lose", fails=move == "fail")
        case _:
            assert not isinstance(move, str)
            life.tell(move)  # type: ignore[arg-type]
    return life


@settings(max_examples=1500)
@given(MOVES)
def test_never_two_calls_for_one_claim_and_never_a_claim_without_an_end(moves: list[object]) -> None:
    world = World()
    life = Life(world, T0)
    for move in moves:
        if move == "kill" and life.dialling.stage is Stage.ENDED and not life.commands:
            break
        life = moved(life, move)
        assert len(world.placed) <= 1
    life.tell(signals.LinkUp())
    for _ in range(200):
        if not life.commands:
            world.channels.clear()
        if life.commands:
            life.act()
        elif life.dialling.stage is Stage.ENDED or not life.pass_time():
            break
    assert len(world.placed) <= 1
    assert life.dialling.stage is Stage.ENDED
    if world.attempt is not None:
        assert len({attempt.outcome for attempt in world.ends}) == 1
        outcome = world.attempt.outcome
        assert outcome is not None
        if world.placed and outcome is Outcome.UNPLACED:
            raise AssertionError("a call was placed, and its entry may be dialled again")
        if world.reached:
            assert outcome is Outcome.REACHED


@settings(max_examples=300)
@given(st.integers(0, 12), st.booleans(), st.booleans())
def test_killed_at_every_point_between_claim_and_answer(kill_after: int, lasts: bool, reply_lost: bool) -> None:
    world = World()
    life = Life(world, T0)
    steps = 0
    while steps < kill_after and life.dialling.stage not in (Stage.WATCHING, Stage.ENDED):
        if life.commands:
            life.act(lost=reply_lost and isinstance(life.commands[0], signals.Place))
        elif not life.pass_time():
            break
        steps += 1
    claimed = world.attempt is not None
    if not lasts:
        world.channels.clear()
    life = Life(world, life.now_ms + 1000)
    if lasts and world.channels:
        while life.dialling.stage is not Stage.WATCHING:
            assert life.commands or life.pass_time()
            if life.commands:
                life.act()
        assert ended(life, ACCEPTED, REACHED, ENDED, GONE) is Outcome.REACHED
    elif claimed:
        ended(life)
        expected = (Outcome.UNPLACED,) if life.dialling.attempt.placed_ms is None else (Outcome.UNKNOWN,)
        assert world.attempt is not None
        assert world.attempt.outcome in expected
        assert world.attempt.outcome not in CALLER_NOT_REACHED
    assert len(world.placed) <= 1
