"""The rating desk in the daemon: a session is asked, held up by nothing, and given back whatever happens."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import median

import pytest

from callflow.core.assist.steps import AssistStep, StepKind
from callflow.core.profile import Procedures
from callflow.core.rating.record import Ending, NotAsked, Rating, RatingOutcome
from callflow.core.rating.rules import RatingRules
from callflow.errors import AgiHangup, AgiRefused, StoreError
from callflow.runtime import rating_watch
from callflow.runtime.rating_watch import RatingWatch
from tests.adapters.waiting import until
from tests.core.rating.desk_driver import CALL, procedures, talk

NEXT_QUESTION_MS = 150.0


class Caller:
    """A FastAGI session whose caller presses these keys; an exception is raised in place of a key."""

    def __init__(self, *keys: str | Exception | None, uniqueid: str = CALL, number: str = "+15550100") -> None:
        self.variables: Mapping[str, str] = {
            "agi_uniqueid": uniqueid,
            "agi_language": "en",
            "agi_callerid": number,
            "agi_arg_1": "",
            "agi_arg_2": "1",
            "agi_arg_3": "",
        }
        self.on_hangup: Callable[[], None] = lambda: None
        self.on_closed: Callable[[], None] = lambda: None
        self.keys = deque(keys)
        self.asked: list[tuple[str, float]] = []
        """Each prompt, and when it was asked for."""
        self.answered: list[float] = []
        self.result = ""
        self.over = asyncio.Event()

    async def get_data(self, path: str, answer_ms: int) -> str | None:
        self.asked.append((path, time.perf_counter()))
        await asyncio.sleep(0)
        key = self.keys.popleft()
        if isinstance(key, Exception):
            raise key
        self.answered.append(time.perf_counter())
        return key

    async def stream_file(self, path: str) -> int:
        self.asked.append((path, time.perf_counter()))
        return 1

    async def set_variable(self, name: str, value: str) -> None:
        assert name == "CALLFLOW_RATING"
        self.result = value

    def close(self) -> None:
        self.over.set()


@dataclass
class History:
    """A database that answers, fails, or hangs."""

    asked: dict[str, int] = field(default_factory=dict)
    fault: Exception | None = None
    takes_s: float = 0.0

    def asked_ms(self, caller: str) -> int | None:
        time.sleep(self.takes_s)
        if self.fault is not None:
            raise self.fault
        return self.asked.get(caller)


class Watch:
    def __init__(self, history: History | None = None, known: Procedures | None = None) -> None:
        self.saved: list[Rating] = []
        self.watch = RatingWatch(
            RatingRules(),
            known or procedures(),
            "{language}/callflow/{prompt}",
            history or History(),
            lambda number: f"h{number}",
            lambda record, final: self.saved.append(record),
        )

    async def rate(self, caller: Caller) -> Rating:
        """From the agent's hang-up to the end of the rating."""
        self.watch.talk(talk(caller.variables["agi_uniqueid"]))
        self.watch.came(caller)
        async with asyncio.timeout(5):
            await caller.over.wait()
        return self.saved[-1]


async def test_a_caller_rates() -> None:
    watch, caller = Watch(), Caller("5", "", "3")
    rating = await watch.rate(caller)
    assert [path for path, _ in caller.asked] == [
        f"en/callflow/rate_{prompt}" for prompt in ("efficiency", "attitude", "correctness", "thanks")
    ]
    assert (rating.scores, rating.caller, caller.result) == (
        {"efficiency": 5, "correctness": 3},
        "h+15550100",
        "partly_rated",
    )


async def test_the_next_question_follows_a_key_at_once() -> None:
    watch = Watch()
    callers = [Caller("5", "4", "3", uniqueid=f"1.{n}", number=f"{n}") for n in range(200)]
    await asyncio.gather(*(watch.rate(caller) for caller in callers))
    waits_ms = [
        1000 * (asked - answered)
        for caller in callers
        for answered, (_, asked) in zip(caller.answered, caller.asked[1:], strict=True)
    ]
    assert median(waits_ms) < NEXT_QUESTION_MS


async def test_a_hang_up_in_a_question_ends_the_session_at_once() -> None:
    watch, caller = Watch(), Caller("5", AgiHangup("the caller hung up"))
    watch.watch.talk(talk())
    watch.watch.came(caller)
    await until(lambda: bool(watch.saved and watch.saved[-1].ended_ms))
    assert (watch.saved[-1].ending, watch.saved[-1].scores) == (Ending.HUNG_UP, {"efficiency": 5})


async def test_a_missing_prompt_gives_the_caller_back() -> None:
    caller = Caller(AgiRefused("GET DATA", "200 result=-1"))
    rating = await Watch().rate(caller)
    assert (rating.ending, rating.outcome, caller.result) == (Ending.FAILED, RatingOutcome.UNRATED, "unrated")


@pytest.mark.parametrize(
    "history", [History(fault=StoreError("the database is gone")), History(takes_s=0.3)], ids=["fails", "hangs"]
)
async def test_a_database_that_does_not_answer_asks_nobody(history: History, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rating_watch, "HISTORY_S", 0.05)
    caller = Caller("5")
    rating = await Watch(history).rate(caller)
    assert (rating.not_asked, caller.result) == (NotAsked.UNKNOWN_HISTORY, "not_asked:unknown_history")


async def test_a_caller_who_was_asked_lately_is_not_asked() -> None:
    caller = Caller("5")
    history = History({"h+15550100": time.time_ns() // 1_000_000 - 3 * 86_400_000})
    rating = await Watch(history).rate(caller)
    assert (rating.not_asked, caller.asked) == (NotAsked.ASKED_LATELY, [])


async def test_a_caller_who_leaves_before_the_first_question_is_not_asked() -> None:
    watch, caller = Watch(History(takes_s=0.05)), Caller()
    watch.watch.talk(talk())
    watch.watch.came(caller)
    caller.on_hangup()
    await asyncio.gather(*watch.watch._tasks)
    assert watch.saved == []
    assert watch.watch._desk.live == 0


@pytest.mark.parametrize(
    ("kind", "what", "outcome", "why"),
    [
        (StepKind.CALLBACK_OFFERED, "", "", NotAsked.CALL_BACK),
        (StepKind.CALLBACK_ASKED, "", "", NotAsked.CALL_BACK),
        (StepKind.WOULD_HANG_UP, "", "", NotAsked.SILENT),
        (StepKind.ACTION, "nuisance", "done", NotAsked.NUISANCE),
        (StepKind.ACTION, "nuisance", "off", None),
        (StepKind.ACTION, "louder", "done", None),
        (StepKind.SAID, "", "", None),
    ],
)
async def test_what_happened_in_the_talk_says_whether_the_caller_is_asked(
    kind: StepKind, what: str, outcome: str, why: NotAsked | None
) -> None:
    watch, caller = Watch(), Caller("5", "5", "5")
    step = AssistStep("s", "t", CALL, 1, "8012", "support", "default", "act", 1, kind, what, outcome)
    watch.watch.follow(step, final=True)
    rating = await watch.rate(caller)
    assert rating.not_asked is why
