"""Who is let in on the FastAGI port: only Asterisk, with its header read to the true end, whatever a value contains."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.adapters.agi.arrival import call_arrived, parse_variables
from callflow.adapters.agi.introduction import Introduction, Refused, introduce
from tests.adapters.agi_peer import VARIABLES, Switchboard, Vouching, header, switchboard
from tests.adapters.waiting import WAIT_S, until

WHOLE_HEADER = header(agi_uniqueid="9.9", agi_arg_1="other").decode()
LOOK_ALIKES = (
    "\n", "\n\n", "\r\n", "\0", "agi_arg_1: other", "agi_threadid: 1", "agi_calleridname: x", "agi_uniqueid: 9.9",
    "agi_callingpres: 0", "agi_dnid: 5", "HANGUP", "200 result=1 (", "200 result=1 (/0123456789abcdef)", ": ", "agi_",
    WHOLE_HEADER, WHOLE_HEADER.partition("agi_calleridname: ")[2], "王", "\x1b[2J", "x" * 12_000,
)  # fmt: skip
HOSTILE = st.lists(st.sampled_from(LOOK_ALIKES) | st.text(max_size=5), max_size=8).map("".join)
CALLERS = st.fixed_dictionaries(
    {"agi_calleridname": HOSTILE},
    optional={"agi_callerid": HOSTILE, "agi_dnid": HOSTILE, "agi_rdnis": HOSTILE, "agi_accountcode": HOSTILE},
)


@given(CALLERS)
def test_no_value_of_a_caller_changes_what_the_dialplan_says(changes: dict[str, str]) -> None:
    variables = parse_variables(header(**changes))
    for name in ("agi_network_script", "agi_channel", "agi_language", "agi_uniqueid"):
        assert variables[name] == VARIABLES[name]
    assert [variables[f"agi_arg_{number}"] for number in (1, 2, 3)] == ["sales", "1", ""]
    arrived = call_arrived(variables, 7)
    assert (arrived.call_id, arrived.profile) == ("1700000000.1", "sales")
    for shown in (arrived.caller_name, arrived.caller_number, arrived.dialled):
        assert len(shown) <= 256
        assert not set(shown) & set("\n\r\0\x1b")


@given(HOSTILE)
def test_a_name_reaches_the_record_whole(name: str) -> None:
    """Only where it holds the very field that stands behind a name could its end be seen elsewhere."""
    variables = parse_variables(header(agi_calleridname=name))
    assert variables["agi_calleridname"] == name.encode("utf-8", "replace").decode("utf-8", "replace")


@given(st.integers(min_value=0, max_value=header().index(b"agi_arg_1: ")))
def test_a_header_cut_short_names_no_profile(length: int) -> None:
    assert "agi_arg_1" not in parse_variables(header()[:length])


class Wire:
    """A writer whose Asterisk answers behind the true header, and nowhere else."""

    def __init__(self, reader: asyncio.StreamReader, rest: bytes, before: bytes = b"", proof: str = "") -> None:
        self.reader, self.rest, self.before, self.proof = reader, rest, before, proof

    def is_closing(self) -> bool:
        return False

    def write(self, command: bytes) -> None:
        marker = command.decode().strip().rpartition("/")[2]
        self.reader.feed_data(self.rest + self.before + f"200 result=1 ({self.proof}/{marker})\n".encode())


async def introduced(raw: bytes, cut: int, before: bytes = b"") -> Introduction:
    """What is understood when the first `cut` bytes of a header come at once, and the rest while we wait for it."""
    reader = asyncio.StreamReader(limit=1_000_000)
    reader.feed_data(raw[:cut])
    wire: Any = Wire(reader, raw[cut:], before)
    return await introduce(reader, wire, "", None)


@given(HOSTILE, st.data())
def test_a_header_ends_where_asterisk_ends_it(name: str, data: st.DataObject) -> None:
    """Wherever the stream is cut, a forged end inside a name ends nothing."""
    raw = header(agi_calleridname=name)
    number_at = raw.index(b"\nagi_callerid: ") + len(b"\nagi_callerid: ")
    cut = data.draw(st.integers(min_value=number_at, max_value=len(raw)))
    introduction = asyncio.run(introduced(raw, cut))
    assert (introduction.uniqueid, introduction.variables["agi_arg_1"]) == ("1700000000.1", "sales")
    assert not introduction.hung_up


def test_a_caller_who_hung_up_meanwhile_is_noticed() -> None:
    assert asyncio.run(introduced(header(), 400, b"HANGUP\n")).hung_up


@pytest.mark.parametrize(
    "raw",
    [
        header().replace(b"agi_threadid: 140584885925568\n", b""),
        header().replace(b"agi_arg_1: sales\n", b""),
        header().partition(b"agi_threadid")[0] + b"\n",
        header().replace(b"agi_arg_2", b"agi_arg_4"),
        header().replace(b"agi_rdnis: unknown\n", b""),
        header()[:-1] + b"garbage\n\n",  # as an argument it would make a self-test of the call
        header(agi_arg_1="sales\nagi_x: y"),
    ],
)
def test_a_header_without_its_last_fields_is_doubt(raw: bytes) -> None:
    with pytest.raises(Refused, match="last fields"):
        asyncio.run(introduced(raw, len(raw)))


# -- strangers --------------------------------------------------------------------------------------------------------


async def test_only_the_script_of_a_channel_can_speak_for_it() -> None:
    vouching = Vouching("1700000000.1")
    async with switchboard(vouching) as board:
        before = board.server.refused.copy()
        assert await (await board.introduce(header(), "guessed")).gone()
        assert board.server.refused - before == {"not the channel that it names": 1}
        vouching.proofs.clear()
        channel = await board.connect(header())
        await until(lambda: "1700000000.1" in vouching.proofs)
        await channel.answer_marker(vouching.proofs["1700000000.1"])
        assert (await asyncio.wait_for(board.calls.get(), WAIT_S)).variables["agi_arg_1"] == "sales"


async def test_a_channel_that_asterisk_does_not_have_is_refused() -> None:
    async with switchboard(Vouching()) as board:
        assert await board.refused(header()) == "Asterisk has no such channel"


@pytest.mark.parametrize("uniqueid", ["1\0", "x" * 12_000, "1.1\x1b[2J"])
async def test_an_impossible_uniqueid_is_refused(board: Switchboard, uniqueid: str) -> None:
    assert await board.refused(header(agi_uniqueid=uniqueid)) == "no channel named"


@pytest.mark.parametrize("reachable", [True, False])
async def test_nobody_replaces_a_live_call(reachable: bool) -> None:
    """Twelve strangers who know a caller's uniqueid and channel change nothing for that caller."""
    vouching = Vouching("1700000000.1")
    vouching.reachable = False
    async with switchboard(vouching) as board:
        channel, session = await board.call()
        vouching.reachable = reachable
        for _ in range(12):
            assert await (await board.introduce(header())).gone()
            assert await (await board.introduce(header(agi_arg_2="2"))).gone()
        assert board.ends.empty()
        assert board.server.live == 1
        setting = asyncio.create_task(session.set_variable("A", "b"))
        assert await channel.command() == 'SET VARIABLE "A" "b"'
        channel.say("200 result=1\n")
        await setting


async def test_the_next_screening_of_a_channel_releases_the_last() -> None:
    vouching = Vouching("1700000000.1")
    async with switchboard(vouching) as board:
        vouching.reachable = False
        first, _ = await board.call()
        vouching.reachable = True
        second = await board.connect(header(agi_arg_2="2"))
        await until(lambda: vouching.proofs)
        await second.answer_marker(vouching.proofs["1700000000.1"])
        session = await asyncio.wait_for(board.calls.get(), WAIT_S)
        assert await first.gone()
        assert not session.closed
        assert board.server.live == 1


async def test_a_call_without_the_token_has_it_told_again() -> None:
    vouching = Vouching("1700000000.1")
    async with switchboard(vouching, token="s3cret") as board:
        assert await board.refused(header()) == "wrong path or token"
        assert vouching.renewed == 1
        assert await board.refused(b"\n") == "not FastAGI"
        assert vouching.renewed == 1
