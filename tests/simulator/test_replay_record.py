"""Recording: bytes are passed on unchanged, messages are kept, and no person can be identified."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from callflow.adapters.ami.options import AmiOptions
from callflow.captures.anonymizer import Anonymizer
from callflow.captures.capture_file import Block, CaptureInvalid, CaptureWriter, read_capture
from callflow.captures.recorder import Listener, MessageSplitter, Recorder, Relay
from callflow.cli import app
from callflow.errors import LoginRefused, NotConnected
from tests.adapters.ami_peer import AmiPeer, message, refusing
from tests.adapters.waiting import until

WAIT_S = 20.0


def event(*lines: str) -> Block:
    return Block(1.0, "ami", "<", lines)


def disguised(*lines: str) -> list[str]:
    return list(Anonymizer().block(event(*lines)).lines)


# -- stand-ins --------------------------------------------------------------------------------------------------------


def test_the_same_number_is_the_same_stand_in_everywhere() -> None:
    anonymizer = Anonymizer()
    lines = anonymizer.block(
        event(
            "Event: DialBegin",
            "Channel: PJSIP/8613800138000-0000002a",
            "CallerIDNum: 8613800138000",
            "ConnectedLineNum: +8613800138000",
            "DestChannel: PJSIP/204-0000002b",
            "DestCallerIDNum: 204",
            "DialString: 204/sip:204@10.1.2.3:5060",
            "Uniqueid: 1763775000.42",
            "Timestamp: 1763775000.123456",
        )
    ).lines
    assert lines == (
        "Event: DialBegin",
        "Channel: PJSIP/15550100-0000002a",
        "CallerIDNum: 15550100",
        "ConnectedLineNum: +15550100",
        "DestChannel: PJSIP/1001-0000002b",
        "DestCallerIDNum: 1001",
        "DialString: 1001/sip:1001@192.0.2.1:5060",
        "Uniqueid: 1763775000.42",
        "Timestamp: 1763775000.123456",
    )
    assert anonymizer.line("CallerIDNum: 02012345678") == "CallerIDNum: 15550101"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("CallerIDName: 张伟", "CallerIDName: Caller 1"),
        ("MemberName: Ann Smith", "MemberName: Caller 1"),
        ("Interface: Local/2041@from-queue/n", "Interface: Local/1001@from-queue/n"),
        ("Interface: SIP/ann.smith", "Interface: SIP/phone-1"),
        ("AccountCode: ACME", "AccountCode: account-1"),
        ("CallerIDNum: <unknown>", "CallerIDNum: <unknown>"),
        ("Exten: s", "Exten: s"),
        ("Exten: 01087654321", "Exten: 15550100"),
        ("DialString: 204@from-queue/n", "DialString: 1001@from-queue/n"),
        ("DialString: s@callflow-check/n", "DialString: s@callflow-check/n"),
        ("Secret: hush", "Secret: ***"),
        ("Digit: 7", "Digit: 5"),
        ("ChanVariable(PJSIP/204-0000002b): customer=Ann", "ChanVariable(PJSIP/204-0000002b): customer=x"),
        ("Variable: __CALLFLOW_CHECK=abc", "Variable: __CALLFLOW_CHECK=abc"),
        ("agi_callerid: 8613800138000", "agi_callerid: 15550100"),
        ("agi_calleridname: Ann", "agi_calleridname: Caller 1"),
        ("agi_request: agi://10.0.0.5:4573/s3cret/screen", "agi_request: agi://127.0.0.1:4573/screen"),
        ("agi_network_script: s3cret/screen", "agi_network_script: screen"),
        ("agi_threadid: 140363969119936", "agi_threadid: 140363969119936"),
        ("200 result=0 endpos=33400", "200 result=0 endpos=33400"),
        ("Duration: 123456", "Duration: 123456"),
        ("LoginTime: 1763775000", "LoginTime: 1763775000"),
        ("AppData: PJSIP/ann&PJSIP/204,30", "AppData: PJSIP/phone-1&PJSIP/1001,30"),
        ("Contact: sip:ann@pbx.acme.com:5060", "Contact: sip:phone-1@host-1.example:5060"),
        ("Address: 2001:db8::17", "Address: 192.0.2.1"),
        ("Host: 127.0.0.1", "Host: 127.0.0.1"),
    ],
)
def test_what_names_a_person_is_replaced_and_nothing_else(line: str, expected: str) -> None:
    if line.startswith("ChanVariable"):
        expected = expected.replace("204", "1001") if "1001" in disguised(line)[0] else expected
    assert disguised(line) == [expected]


def test_a_sites_own_events_keep_their_shape_only() -> None:
    lines = disguised("Event: UserEvent", "Uniqueid: 1.1", "UserEvent: CustomerFound", "Name: Ann", "Phone: 204")
    assert lines == ["Event: UserEvent", "Uniqueid: 1.1", "UserEvent: CustomerFound", "Name: x", "Phone: x"]
    ours = ["Event: UserEvent", "UserEvent: CallflowCheck", "Id: 1", "Result: spoke"]
    assert disguised(*ours) == ours


def test_a_thousand_numbers_have_a_thousand_stand_ins() -> None:
    anonymizer = Anonymizer()
    given = {anonymizer.number(str(13_000_000_000 + number)) for number in range(1000)}
    assert len(given) == 1000
    assert all("55501" in number for number in given)


# -- the file ---------------------------------------------------------------------------------------------------------


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    blocks = (
        Block(0.0, "agi-1", "opened"),
        Block(0.25, "agi-1", "<", ("agi_network: yes", "agi_accountcode: ", "agi_calleridname: 张\udcff")),
        Block(0.5, "ami", "<", ("Event: Hangup", "Cause: 16", "AccountCode: ")),
        Block(0.75, "agi-1", "closed by daemon"),
    )
    writer = CaptureWriter.create(file := tmp_path / "c.txt", {"purpose": "a test"}, 1763775000.5)
    for block in blocks:
        writer.write(block)
    writer.close()
    capture = read_capture(file)
    assert capture.blocks == blocks
    assert (capture.began_s, capture.header["purpose"]) == (1763775000.5, "a test")
    assert capture.at_ms(blocks[1]) == 1763775000750
    assert not any(line.endswith(" ") for line in file.read_bytes().decode("utf-8", "replace").split("\n"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "line 1: not a capture"),
        ("PK\3\4", "line 1: not a capture"),
        ("callflow capture 1\npurpose: x\n\n", "when it began"),
        ("callflow capture 1\nbegan: nan\n\n", "when it began"),
        ("callflow capture 1\nbegan: 1e300\n\n", "when it began"),
        ("callflow capture 1\nbegan: 1.5\n\n" + "9" * 400 + ".0 ami <\nEvent: A\n\n", "begins no block"),
        ("callflow capture 1\nbegan: 1.5\n\n99999999999.0 ami <\nEvent: A\n\n", "more than 31 days"),
        ("Event: A\nTimestamp: 1.5\n\nEvent: B\nTimestamp: 99999999999.0\n\n", "more than 31 days"),
        ("callflow capture 1\nbegan: 1.5\n\n0.1 ami <\nEvent: A\n\nEvent: B\n\n", "line 7: 'Event: B' begins no block"),
    ],
)
def test_what_is_no_capture_is_refused_with_its_line(tmp_path: Path, text: str, says: str) -> None:
    (file := tmp_path / "c.txt").write_text(text)
    with pytest.raises(CaptureInvalid, match=says):
        read_capture(file)


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_ami_messages_from_a_socket_are_a_capture_too(tmp_path: Path, line_end: str) -> None:
    lines = [
        "# copied from a bug report", "Event: Newchannel", "Timestamp: 1795000000.100000", "Uniqueid: 1795000000.1",
        "ame: torn", "Uniqueid: 1795000000.7", "", "Response: Success", "", "Event: Hangup",
        "Timestamp: 1795000002.600000", "Uniqueid: 1795000000.1",
    ]  # fmt: skip
    (file := tmp_path / "socket.bin").write_bytes(line_end.join(lines).encode())
    capture = read_capture(file)
    assert [(block.at_s, block.name) for block in capture.blocks] == [
        (0.0, "Newchannel"), (0.0, ""), (pytest.approx(2.5), "Hangup")
    ]  # fmt: skip
    assert capture.at_ms(capture.blocks[0]) == 1795000000100
    assert capture.blocks[0].lines.count("Uniqueid: 1795000000.7") == 1, "a torn message stays as it came"
    result = CliRunner().invoke(app, ["replay", str(file)])
    assert result.exit_code == 0, result.output
    assert "3, 2 of them events" in result.output


# -- taps and listeners -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_messages_are_whole_however_the_bytes_come(size: int) -> None:
    banner, said = b"Asterisk Call Manager/9.0.0", message(Event="A", Name="\u5f20")
    stream = banner + b"\r\n" + said + b"\r\n" + message(Response="Success")
    cutter = MessageSplitter("ami", "<")
    found = [m for at in range(0, len(stream), size) for m in cutter.feed(stream[at : at + size])]
    assert b"".join(found).replace(b"\r\n", b"") == stream.replace(b"\r\n", b"")
    assert [m.strip().split(b"\r\n")[0] for m in found] == [banner, b"Event: A", b"Response: Success"]


async def test_a_tap_passes_every_byte_and_keeps_every_message(tmp_path: Path) -> None:
    async def daemon(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\n\n")
        writer.write(b'SET VARIABLE "CALLFLOW_RESULT" "spoke"\n')
        assert await reader.readline() == b"200 result=1\n"
        writer.close()

    recorder = Recorder(CaptureWriter.create(tmp_path / "c.txt", {}, 0.0), Anonymizer(), lambda: 1.0)
    async with await asyncio.start_server(daemon, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with Relay(recorder, "agi", 0, ("127.0.0.1", port)) as tap:
            reader, writer = await asyncio.open_connection("127.0.0.1", tap.port)
            writer.write(b"agi_network: yes\nagi_callerid: 8613800138000\n\n")
            assert await asyncio.wait_for(reader.readline(), WAIT_S) == b'SET VARIABLE "CALLFLOW_RESULT" "spoke"\n'
            writer.write(b"200 result=1\n")
            assert await asyncio.wait_for(reader.read(), WAIT_S) == b""
            writer.close()
    told = [(block.what, block.lines[-1:]) for block in read_capture(tmp_path / "c.txt").blocks]
    assert told == [
        ("opened", ()),
        ("<", ("agi_callerid: 15550100",)),
        (">", ('SET VARIABLE "CALLFLOW_RESULT" "spoke"',)),
        ("<", ("200 result=1",)),
        ("closed by daemon", ()),
    ]


async def test_a_listener_hears_every_event_and_says_why_it_cannot() -> None:
    peer = AmiPeer()
    await peer.listen()
    options = AmiOptions.model_validate({"port": peer.port, "secret": "hush"})
    async with Listener(options) as listener:
        peer.send(message(Event="Newchannel") + message(Event="Hangup"))
        peer_messages = listener.messages()
        assert [await anext(peer_messages), await anext(peer_messages)] == [
            message(Event="Newchannel"),
            message(Event="Hangup"),
        ]
    peer.reply = refusing
    with pytest.raises(LoginRefused):
        await Listener(options).__aenter__()
    await peer.deafen()
    with pytest.raises(NotConnected):
        await Listener(options).__aenter__()


# -- the commands -----------------------------------------------------------------------------------------------------


async def test_record_writes_until_ctrl_c_and_what_it_wrote_can_be_replayed(tmp_path: Path) -> None:
    peer = AmiPeer()
    await peer.listen()
    file = tmp_path / "c.txt"
    environment = os.environ | {"CALLFLOW_AMI__PORT": str(peer.port), "CALLFLOW_AMI__SECRET": "hush"}
    command = (sys.executable, "-m", "callflow", "record", str(file), "--purpose", "A test.")
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, cwd=tmp_path, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    await peer.got("CoreSettings")
    await until(file.exists)  # it is made when Asterisk has answered; from then on every event is written
    peer.send(message(Event="Hangup", CallerIDNum="8613800138000", Uniqueid="1.1"))
    await until(lambda: "Hangup" in file.read_text())
    process.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(process.communicate(), WAIT_S)
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
    assert b"hush" not in file.read_bytes()
    assert b"8613800138000" not in file.read_bytes()
    result = CliRunner().invoke(app, ["replay", str(file), "--every-start"])
    assert result.exit_code == 0, result.output


def test_a_replay_shows_who_was_rung_and_for_how_long() -> None:
    capture = Path(__file__).parents[1] / "traces" / "rings" / "22" / "queue-late.txt"
    result = CliRunner().invoke(app, ["replay", str(capture)], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    stay, offer, leg = [line for line in result.output.splitlines() if line.startswith("179")]
    assert "queue ring-queue-late" in stay
    assert ("offer" in offer, "PJSIP/8360" in leg) == (True, True)
    assert all(" 9.505" in line and " 3  late" in line for line in (offer, leg))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["record", "{file}", "--ami-tap", "5"], "one was given without the other"),
        (["record", "{folder}"], "the file exists already"),
        (["replay", "{tune}"], "the cadence 'tune'"),
        (["replay", "{file}"], "cannot be read: No such file"),
        (["replay", "{real}", "--from", "99999"], "--from"),
    ],
)
def test_a_mistake_is_one_sentence_with_a_remedy(tmp_path: Path, arguments: list[str], says: str) -> None:
    real = Path(__file__).parents[1] / "traces" / "22" / "self-test.txt"
    (tune := tmp_path / "tune.txt").write_text("callflow capture 1\nbegan: 1.5\ncadence: tune\n\n0.1 ami-1 opened\n\n")
    places = {"{tune}": str(tune), "{file}": str(tmp_path / "c.txt"), "{folder}": str(tmp_path), "{real}": str(real)}
    command = [sys.executable, "-m", "callflow", *(places.get(one, one) for one in arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    assert says in done.stderr
    assert "remedy:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_port_that_there_is_not_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["record", str(tmp_path / "c.txt"), "--ami-tap", "99999", "--agi-tap", "5000"])
    assert result.exit_code == 2
    assert "--ami-tap" in result.output


def test_a_length_of_time_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["record", str(tmp_path / "c.txt"), "--for", "soon"])
    assert result.exit_code == 2
    assert "'soon' is not a length of time" in result.output
