"""One FastAGI connection: every answer finds its command, every end is told once."""

import asyncio

import pytest

from callflow.adapters.agi import session as agi_session
from callflow.adapters.agi.answers import AnswerReader, quoted
from callflow.errors import AgiClosedEarly, AgiHangup, AgiRefused, AgiTimeout, AgiUnsafe
from tests.adapters.agi_peer import Switchboard
from tests.adapters.waiting import until

USAGE = (
    "520-Invalid command syntax.  Proper usage follows:\n"
    "Usage: STREAM FILE\n200 result=0 is what it says\n520 End of proper usage.\n"
)


async def test_a_prompt_is_played(board: Switchboard) -> None:
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("zh/callflow/greeting"))
    assert await channel.command() == 'STREAM FILE "zh/callflow/greeting" ""'
    channel.say("100 Trying...\n")
    channel.say("200 result=0 endpos=54197\n")
    assert await playing == 54197


async def test_a_missing_file_is_zero(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi_session, "ENDING_S", 0.01)
    channel, session = await board.call()
    for answer in ("200 result=-1 endpos=0\n", "200 result=0 endpos=0\n"):
        playing = asyncio.create_task(session.stream_file("nothing"))
        await channel.command()
        channel.say(answer)
        assert await playing == 0


async def test_a_prompt_cut_short_by_the_end_of_the_call_says_which(board: Switchboard) -> None:
    """Asterisk answers the command first and says HANGUP afterwards."""
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("a"))
    await channel.command()
    channel.say("200 result=-1 endpos=800\n")
    await until(lambda: not session._awaited)
    channel.say("HANGUP\n")
    with pytest.raises(AgiHangup):
        await playing
    assert await board.end() == "hangup"


async def test_the_last_words_are_said_to_a_hang_up_and_to_nothing_else(board: Switchboard) -> None:
    for ending, said in (("HANGUP\n", "SET VARIABLE A 1"), ("", "")):
        channel, session = await board.call()
        session.last_words = "SET VARIABLE A 1"
        if ending:
            channel.say(ending)
        else:
            session.close()
        assert await channel.command() == said
        assert await channel.command() == ""


async def test_a_prompt_cut_short_by_nothing_known_is_refused(
    board: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(agi_session, "ENDING_S", 0.01)
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("a"))
    await channel.command()
    channel.say("200 result=-1 endpos=800\n")
    with pytest.raises(AgiRefused):
        await playing
    assert not session.closed


async def test_set_variable(board: Switchboard) -> None:
    channel, session = await board.call()
    setting = asyncio.create_task(session.set_variable("NAME", 'he said "hi" \\ 王'))
    assert await channel.command() == 'SET VARIABLE "NAME" "he said \\"hi\\" \\\\ 王"'
    channel.say("200 result=1\n")
    await setting


@pytest.mark.parametrize("text", ["a\nHANGUP", "a\rb", "a\0b"])
async def test_a_text_cannot_carry_a_second_command(board: Switchboard, text: str) -> None:
    channel, session = await board.call()
    with pytest.raises(AgiUnsafe):
        await session.stream_file(text)
    with pytest.raises(AgiUnsafe):
        await session.set_variable("A", text)
    with pytest.raises(ValueError, match="line break"):
        await session.set_variable(text, "A")
    session.close()
    assert await channel.reader.read() == b""


async def test_hangup_while_idle_is_noticed(board: Switchboard) -> None:
    """Stock panoramisk reads only while a command is on its way."""
    channel, session = await board.call()
    channel.say("HANGUP\n")
    assert await board.end() == "hangup"
    assert await channel.gone()
    with pytest.raises(AgiHangup):
        await session.stream_file("a")
    with pytest.raises(AgiHangup):
        await session.set_variable("A", "b")


async def test_hangup_in_the_middle_of_a_command(board: Switchboard) -> None:
    """In stock panoramisk it is taken for the answer, and every later answer is one off."""
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("a"))
    await channel.command()
    channel.say("HANGUP\n200 result=-1 endpos=160\n")
    with pytest.raises(AgiHangup):
        await playing
    assert await board.end() == "hangup"
    assert board.ends.empty()


async def test_end_of_file_while_idle_is_noticed(board: Switchboard) -> None:
    channel, session = await board.call()
    channel.close()
    assert await board.end() == "closed"
    with pytest.raises(AgiClosedEarly):
        await session.stream_file("a")


async def test_end_of_file_in_the_middle_of_a_command(board: Switchboard) -> None:
    """In stock panoramisk this is a ValueError, now and for every later command."""
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("a"))
    await channel.command()
    channel.close()
    with pytest.raises(AgiClosedEarly):
        await playing
    assert await board.end() == "closed"
    with pytest.raises(AgiClosedEarly):
        await session.stream_file("a")


async def test_a_reset_is_an_end_like_any_other(board: Switchboard) -> None:
    channel, _ = await board.call()
    channel.writer.transport.abort()
    assert await board.end() == "closed"


async def test_hangup_and_end_of_file_are_told_once(board: Switchboard) -> None:
    channel, _ = await board.call()
    channel.say("HANGUP\nHANGUP\n")
    channel.close()
    assert await board.end() == "hangup"
    await until(lambda: not board.server.live)
    assert board.ends.empty()


async def test_our_own_close_is_not_told(board: Switchboard) -> None:
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("a"))
    await channel.command()
    session.close()
    session.close()
    with pytest.raises(AgiClosedEarly):
        await playing
    assert await channel.gone()
    await until(lambda: not board.server.live)
    assert board.ends.empty()


async def test_a_usage_error_of_many_lines_is_one_answer(board: Switchboard) -> None:
    """In stock panoramisk every later answer is off by its lines."""
    channel, session = await board.call()
    wrong = asyncio.create_task(session.send_command("STREAM FILE"))
    await channel.command()
    channel.say(USAGE)
    with pytest.raises(AgiRefused, match="Proper usage"):
        await wrong
    setting = asyncio.create_task(session.set_variable("A", "b"))
    await channel.command()
    channel.say("200 result=1\n")
    await setting
    assert board.server.counts["unasked answers"] == 0


@pytest.mark.parametrize("answer", ["510 Invalid or unknown command", "511 Command Not Permitted on a dead channel"])
async def test_a_refusal_is_told(board: Switchboard, answer: str) -> None:
    channel, session = await board.call()
    asking = asyncio.create_task(session.send_command("NOSUCH"))
    await channel.command()
    channel.say(f"{answer}\n")
    with pytest.raises(AgiRefused, match=answer):
        await asking


async def test_one_command_at_a_time_and_each_its_answer(board: Switchboard) -> None:
    channel, session = await board.call()
    asked = [asyncio.create_task(session.send_command(f"GET VARIABLE {number}")) for number in range(3)]
    for number in range(3):
        assert await channel.command() == f"GET VARIABLE {number}"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(channel.reader.read(1), 0.005)
        channel.say(f"200 result=1 ({number})\n")
    assert [(await one).fields["result"][1] for one in asked] == ["0", "1", "2"]


async def test_the_answer_to_a_command_nobody_waits_for_goes_to_nobody_else(board: Switchboard) -> None:
    channel, session = await board.call()
    playing = asyncio.create_task(session.stream_file("a"))
    await channel.command()
    playing.cancel()
    await asyncio.wait({playing})
    setting = asyncio.create_task(session.send_command("GET VARIABLE A"))
    await channel.command()
    channel.say("200 result=0 endpos=1\n200 result=1 (mine)\n")
    assert (await setting).fields["result"] == ("1", "mine")


async def test_no_answer_is_timed_out(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi_session, "COMMAND_TIMEOUT_S", 0.02)
    _, session = await board.call()
    with pytest.raises(AgiTimeout):
        await session.set_variable("A", "b")


async def test_answers_nobody_asked_for_are_counted(board: Switchboard) -> None:
    channel, session = await board.call()
    channel.say("200 result=0\n\nnonsense\n\xff\n")
    await until(lambda: board.server.counts["unasked answers"])
    setting = asyncio.create_task(session.set_variable("A", "b"))
    await channel.command()
    channel.say("200 result=1\n")
    await setting


async def test_an_endless_line_ends_the_session(board: Switchboard) -> None:
    channel, _ = await board.call()
    channel.say("x" * 200_000)
    assert await board.end() == "closed"
    assert board.server.counts["endless line"] == 1


def test_a_usage_error_without_an_end_is_kept_short() -> None:
    reader = AnswerReader()
    reader.take(b"520-Invalid\n")
    assert [reader.take(b"more\n") for _ in range(10_000)] == [None] * 10_000
    answer = reader.take(b"520 End\n")
    assert answer is not None
    assert len(answer.text) < 500


def test_quoting() -> None:
    assert quoted('a "b" \\c') == '"a \\"b\\" \\\\c"'


KEYS = {
    "200 result=3": "3",
    "200 result=9": "9",
    "200 result=*": "*",
    "200 result=": "",
    "200 result= (timeout)": None,
}
"""As Asterisk 22 and 16 answered in the lab."""


@pytest.mark.parametrize("answer", KEYS)
async def test_a_key(board: Switchboard, answer: str) -> None:
    channel, session = await board.call()
    asking = asyncio.create_task(session.get_data("en/callflow/rate_attitude", 4000))
    assert await channel.command() == 'GET DATA "en/callflow/rate_attitude" 4000 1'
    channel.say(answer + "\n")
    assert await asking == KEYS[answer]


async def test_a_hang_up_ends_a_question(board: Switchboard) -> None:
    channel, session = await board.call()
    asking = asyncio.create_task(session.get_data("a", 4000))
    await channel.command()
    channel.say("200 result=-1\n")
    await until(lambda: not session._awaited)
    channel.say("HANGUP\n")
    with pytest.raises(AgiHangup):
        await asking


async def test_a_question_whose_file_is_missing_is_refused(board: Switchboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agi_session, "ENDING_S", 0.01)
    channel, session = await board.call()
    asking = asyncio.create_task(session.get_data("a", 4000))
    await channel.command()
    channel.say("200 result=-1\n")
    with pytest.raises(AgiRefused):
        await asking
