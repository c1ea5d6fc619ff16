"""Notes of calls that came while callflow was away: each call is recorded once, and no note is deleted before."""

from collections.abc import Collection, Iterator
from itertools import islice

from callflow.core.events import CallNoted
from callflow.runtime.noted_calls import MOST_NOTES, NotedCalls

AT_ONCE = 3


def note(result: str = "unavailable", number: str = "5550101") -> str:
    return f"1795892936|1795892939|{result}|PJSIP/trunk-00000001|en|support|{number}|4000"


class Asterisk:
    """Its database and its counter, as AMI shows them."""

    def __init__(self, notes: dict[str, str]) -> None:
        self.notes = notes
        self.count = len(notes)
        self.keeps = ""
        """The name of a note that cannot be deleted."""
        self.reads = 0

    async def names(self) -> list[str]:
        self.reads += 1
        first = list(islice(self.notes, AT_ONCE))
        cut_off = [name[:-1] for name in islice(self.notes, AT_ONCE, AT_ONCE + 1)]
        return first + cut_off

    async def text(self, name: str) -> str:
        return self.notes.get(name, "")

    async def delete(self, name: str) -> None:
        if name != self.keeps:
            self.notes.pop(name, None)

    async def counted(self) -> int:
        return self.count

    async def count_anew(self) -> None:
        self.count = 0


class Records:
    """A database that saves, or does not."""

    def __init__(self, *known: str) -> None:
        self.saved = set(known)
        self.waiting: list[CallNoted] = []
        self.received: list[CallNoted] = []
        self.answers: Iterator[bool] | None = None

    def known(self, call_ids: Collection[str]) -> set[str]:
        return self.saved & set(call_ids)

    async def flush(self, timeout_s: float) -> bool:
        if self.answers is not None and not next(self.answers):
            return False
        self.saved |= {noted.arrived.call_id for noted in self.waiting}
        self.waiting.clear()
        return True

    def receive(self, noted: CallNoted) -> None:
        self.waiting.append(noted)
        self.received.append(noted)


def reading(asterisk: Asterisk, records: Records) -> NotedCalls:
    return NotedCalls(asterisk, records.known, records.flush, records.receive)


async def test_every_note_becomes_one_call_however_many_there_are() -> None:
    asterisk, records = Asterisk({f"1795892936.{n}-1": note() for n in range(10, 20)}), Records()
    assert await reading(asterisk, records).look() == 10
    assert records.saved == {f"1795892936.{n}" for n in range(10, 20)}
    assert (asterisk.notes, asterisk.count) == ({}, 0)
    assert await reading(asterisk, records).look() == 0


async def test_what_a_note_says() -> None:
    asterisk, records = Asterisk({"1795892936.18-2": note("hangup")}), Records()
    await reading(asterisk, records).look()
    (noted,) = records.received
    arrived = noted.arrived
    assert (arrived.call_id, arrived.uniqueid, arrived.channel) == (
        "1795892936.18-2",
        "1795892936.18",
        "PJSIP/trunk-00000001",
    )
    assert (arrived.profile, arrived.language, arrived.caller_number, arrived.dialled) == (
        "support",
        "en",
        "5550101",
        "4000",
    )
    assert (arrived.at_ms, noted.left_ms, noted.hung_up) == (1795892936000, 1795892939000, True)


async def test_a_call_that_is_recorded_is_not_recorded_again() -> None:
    asterisk, records = Asterisk({"1.1-1": note(), "1.2-1": note()}), Records("1.1")
    assert await reading(asterisk, records).look() == 1
    assert [noted.arrived.call_id for noted in records.received] == ["1.2"]
    assert asterisk.notes == {}


async def test_no_note_goes_before_its_call_is_saved() -> None:
    asterisk, records = Asterisk({"1.1-1": note()}), Records()
    for answers, received in (([False], 0), ([True, False], 1)):
        records.answers = iter(answers)
        assert await reading(asterisk, records).look() == 0
        assert (len(records.received), list(asterisk.notes)) == (received, ["1.1-1"])
    records.answers = None
    await reading(asterisk, records).look()
    assert (records.saved, asterisk.notes) == ({"1.1"}, {})


async def test_damaged_notes_go_and_others_are_read() -> None:
    damaged = {"x-1": "garbage", "y-1": "|||||||", "z-1": note().replace("1795892939", "soon"), "w-1": note() + "|"}
    asterisk, records = Asterisk(damaged | {"1.1-1": note()}), Records()
    assert await reading(asterisk, records).look() == 1
    assert asterisk.notes == {}


async def test_a_note_that_cannot_be_deleted_is_not_read_for_ever() -> None:
    asterisk, records = Asterisk({"1.1-1": note()}), Records()
    asterisk.keeps = "1.1-1"
    assert await reading(asterisk, records).look() == 1
    assert asterisk.reads == 2


async def test_the_count_begins_anew_when_all_is_read() -> None:
    asterisk, records = Asterisk({"1.1-1": note()}), Records()
    asterisk.count = MOST_NOTES + 5
    await reading(asterisk, records).look()
    assert asterisk.count == 0
