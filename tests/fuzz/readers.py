"""The readers of outside input, each as a function of bytes that raises only for a fault of callflow."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from callflow.adapters.agi.answers import AnswerReader
from callflow.adapters.agi.arrival import call_arrived
from callflow.adapters.agi.introduction import Refused, introduce
from callflow.adapters.agi.options import Admission
from callflow.adapters.ami import translate, translate_assist, translate_callbacks
from callflow.adapters.ami.protocol import MAX_MESSAGE_BYTES
from callflow.adapters.ami.translate_rings import RINGS_WANTED, RingTranslator
from callflow.adapters.audio.framing import MAX_AUDIO_BYTES, Misframed, Splitter
from callflow.adapters.audio.rtp import RtpStream
from callflow.adapters.mqtt.session import Status
from callflow.adapters.store.callback_list import CallbackList
from callflow.captures.capture_file import CaptureInvalid, read_capture
from callflow.captures.replay import Replay, procedures_of
from callflow.core.callbacks.entry import Reason
from callflow.core.callbacks.raising import Wanted
from callflow.core.callbacks.rules import CallbackProfile, CallbackRules
from callflow.core.fleet.arrival import Arrival, announced
from callflow.core.fleet.orders import answer_of, order_of
from callflow.errors import SettingError
from callflow.runtime.caller_lookup import read_answer
from callflow.scenarios.errors import ScenarioInvalid
from callflow.scenarios.faults import read_faults
from callflow.scenarios.scenario import read_scenario
from callflow.settings.model import Settings, load_settings
from callflow.settings.standards import read_standards
from callflow.simulator.pretend.clock import VirtualLoop
from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from callflow.web.tokens import Role
from tests.adapters.test_ami_framing import protocol
from tests.fuzz.hunt import LONGEST_S, Read
from tests.fuzz.pool import kept
from tests.store.samples import T0
from tests.web.database import seven_calls

PROJECT = Path(__file__).parents[2]
LONGEST_FILE_S = 5.0
"""A file is read before any call depends on it."""
CORPUS = Path(__file__).parent / "corpus"
ROUND_THE_CLOCK = CallbackRules(
    dial="PJSIP/{number}@carrier", profiles={"default": CallbackProfile(zone="UTC", hours=("mon-sun 00:00-24:00",))}
)
CALLER = Wanted("13855550101", "default", Reason.SILENT, T0, "because")
_WANTED = RINGS_WANTED | {b"ChannelTalkingStart", b"ChannelTalkingStop", b"DTMFBegin", b"DTMFEnd"}


@dataclass(frozen=True)
class Reader:
    """`begin` gives the function to feed; `examples` are good inputs of the repository, beside those that are kept."""

    begin: Callable[[], Any]
    examples: str = ""
    longest_s: float = LONGEST_S

    def seeds(self, name: str) -> list[bytes]:
        """Good inputs, those that once broke it, and those that reached new code."""
        files = sorted(PROJECT.glob(self.examples))[:40] if self.examples else []
        told = [file.read_bytes()[:20_000] for file in (*files, *sorted((CORPUS / name).glob("*")))]
        return told + kept(name)


@contextmanager
def _ami() -> Iterator[Read]:
    """As the stream of a connection: framed, parsed, and translated by every translator."""
    rings = RingTranslator()

    def take(event: dict[str, str]) -> None:
        translate.translate(event, 1)
        translate.check_outcome(event)
        translate_assist.whisper_event(event)
        translate_assist.goodbye_spoken(event, 1)
        translate_assist.code_typed(event)
        translate_assist.hold_event(event, 1)
        translate_callbacks.signal_of(event)
        translate_callbacks.kept_place(event, 1)
        rings(event, 1)

    def read(data: bytes) -> None:
        made, owner, _ = protocol(_WANTED)
        stream = data.replace(b"\n", b"\r\n").replace(b"\r\r", b"\r")
        for start in range(0, len(stream), 997):
            made.data_received(stream[start : start + 997])
            assert len(made._tail) <= MAX_MESSAGE_BYTES
        made.connection_lost(None)
        for event in owner.events:
            take(event)

    yield read


@contextmanager
def _agi() -> Iterator[Read]:
    """As the header of a call with an answer behind it, and as answers to commands."""

    class Writer:
        def __init__(self, reader: asyncio.StreamReader) -> None:
            self.reader = reader

        def is_closing(self) -> bool:
            return False

        def write(self, command: bytes) -> None:
            marker = command.decode().strip().rpartition("/")[2]
            self.reader.feed_data(f"200 result=1 (/{marker})\n".encode())
            self.reader.feed_eof()

    async def one(data: bytes) -> None:
        reader = asyncio.StreamReader(limit=65_536)
        reader.feed_data(data)
        writer: Any = Writer(reader)
        if b"\nagi_callerid: " not in data:
            reader.feed_eof()
        with suppress(Refused, asyncio.LimitOverrunError, asyncio.IncompleteReadError, TimeoutError):
            async with asyncio.timeout(Admission().header_timeout_s):
                introduction = await introduce(reader, writer, "", None)
            assert introduction.uniqueid
            call_arrived(introduction.variables, 1)

    def read(data: bytes) -> None:
        runner.run(one(data))
        answers = AnswerReader()
        for line in data.split(b"\n"):
            if answer := answers.take(line):
                _ = answer.done, answer.failed, answer.number("result"), answer.number("endpos")

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:  # a header that never ends is waited for
        yield read


@contextmanager
def _audiosocket() -> Iterator[Read]:
    """Frames are the same however the stream is cut."""

    def frames(pieces: list[bytes]) -> list[tuple[int, bytes]] | None:
        splitter, found = Splitter(), list[tuple[int, bytes]]()
        try:
            for piece in pieces:
                splitter.audio(piece)
                found += splitter.split(piece)
                assert len(splitter._tail) <= MAX_AUDIO_BYTES + 3
        except Misframed:
            return None
        return found

    def read(data: bytes) -> None:
        cut = [data[start : start + 113] for start in range(0, len(data), 113)]
        assert frames([data]) == frames(cut)

    yield read


@contextmanager
def _rtp() -> Iterator[Read]:
    """As packets, each after its length; nothing read is longer than the input."""

    def read(data: bytes) -> None:
        packets, rest = [], data
        while rest:
            packets.append(rest[1 : 1 + rest[0]])
            rest = rest[1 + rest[0] :]
        dropped = Counter[str]()
        stream = RtpStream(dropped)
        heard = [stream.samples(packets[start : start + 3]) for start in range(0, len(packets), 3)]
        assert len(b"".join(heard)) <= 2 * len(data)
        assert dropped.total() <= len(packets)

    yield read


@contextmanager
def _mqtt() -> Iterator[Read]:
    """As the payload of every message that is subscribed to, and as a caller's lookup, which is JSON too."""
    from callflow.publishing.agent_commands import _read

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "replace")
        Status("session", 1, "version").is_older(text)
        _read(text)
        announced("callflow/1/site/node", text, 1, retained=False)
        with suppress(ValueError):
            Arrival("callflow/1/site/node/call/stay", text, 1).event()
        for read_message in (order_of, answer_of):
            with suppress(ValueError):
                read_message(text)
        with suppress(ValueError):
            read_answer(data)

    yield read


@contextmanager
def _http() -> Iterator[Read]:
    """As a request: method and address, headers, an empty line, the body. No answer may be a server's error."""
    with tempfile.TemporaryDirectory(prefix="callflow-fuzz-") as folder, asyncio.Runner() as runner:
        database = seven_calls(Path(folder) / "callflow.db")
        settings = Settings(callbacks=ROUND_THE_CLOCK, standards={"file": CORPUS / "standards" / "example"})
        entry, _ = CallbackList(database, "main").add(CALLER, ROUND_THE_CLOCK, T0)
        site = site_for(WebOptions(), database, lambda: T0, dict, lambda: settings)
        token = site.tokens.add("fuzz", Role.ADMIN)[1]
        app = make_app(site)

        async def one(data: bytes) -> None:
            head, _, body = data.partition(b"\n\n")
            first, *lines = head.split(b"\n")
            method, _, address = first.partition(b" ")
            address = b"/" + bytes(byte for byte in address if 0x20 < byte < 0x7F).lstrip(b"/")  # h11 lets no other in
            address = address.replace(b"KNOWN-ENTRY", entry.callback_id.encode())
            path, _, query = address.partition(b"?")
            if b"/events" in path:
                return  # a stream without an end
            given = [(b"authorization", f"Bearer {token}".encode()), (b"x-callflow", b"1"), (b"host", b"localhost")]
            given += [(key.lower(), value) for key, _, value in (line.partition(b": ") for line in lines) if key]
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": method.decode("latin-1").upper(),
                "scheme": "http",
                "path": unquote(path.decode("ascii")),
                "raw_path": path,
                "root_path": "",
                "query_string": query,
                "headers": given,
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 80),
            }
            told: list[Any] = []
            to_come = [{"type": "http.request", "body": body, "more_body": False}]

            async def receive() -> Any:
                return to_come.pop() if to_come else await asyncio.Event().wait()

            async def send(message: Any) -> None:
                told.append(message)

            await app(scope, receive, send)
            assert told[0]["status"] < 500 or told[0]["status"] == 503, told[:2]

        yield lambda data: runner.run(one(data))
        site.database.close()


@contextmanager
def _of_file(read_file: Callable[[Path], object], suffix: str, *expected: type[Exception]) -> Iterator[Read]:
    with tempfile.TemporaryDirectory(prefix="callflow-fuzz-") as folder:
        path = Path(folder) / f"input{suffix}"

        def read(data: bytes) -> None:
            path.unlink(missing_ok=True)  # ext4 flushes to the disk what takes the place of other content
            path.write_bytes(data)
            with suppress(*expected):
                read_file(path)

        yield read


def _read_and_replay(path: Path) -> None:
    capture = read_capture(path)
    if len(capture.blocks) <= 60:  # a long one takes seconds
        Replay(capture, procedures_of(capture) or Settings().procedures()).run()


def _read_scenario_and_faults(path: Path) -> None:
    with suppress(ScenarioInvalid):
        read_faults(path)
    read_scenario(path)


READERS: Mapping[str, Reader] = MappingProxyType(
    {
        "ami": Reader(_ami, "tests/traces/22/*.txt"),
        "agi": Reader(_agi),
        "audiosocket": Reader(_audiosocket),
        "rtp": Reader(_rtp),
        "mqtt": Reader(_mqtt),
        "http": Reader(_http),
        "settings": Reader(
            lambda: _of_file(load_settings, ".toml", SettingError), "tests/upgrades/*/callflow.toml", LONGEST_FILE_S
        ),
        "standards": Reader(lambda: _of_file(read_standards, ".toml", SettingError), longest_s=LONGEST_FILE_S),
        "scenario": Reader(
            lambda: _of_file(_read_scenario_and_faults, ".toml", ScenarioInvalid),
            "callflow/scenarios/library/*.toml",
            LONGEST_FILE_S,
        ),
        "capture": Reader(
            lambda: _of_file(_read_and_replay, ".txt", CaptureInvalid), "tests/traces/22/*.txt", LONGEST_FILE_S
        ),
    }
)
