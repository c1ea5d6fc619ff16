"""Asterisk's side of one FastAGI connection: the header, the answers, the end."""

import asyncio
import re
import socket
from collections.abc import Callable
from contextlib import suppress

from callflow.simulator.pretend.agi_keys import FOREVER, Reading
from callflow.simulator.pretend.channel import Channel
from callflow.simulator.pretend.clock import Clock
from callflow.simulator.pretend.report import PromptHeard
from callflow.simulator.pretend.sounds import Sounds

CONNECT_S = 2.0
_TWO_WRITES_S = 0.001
"""Asterisk writes an answer and HANGUP one after the other, without TCP_NODELAY: the second waits for the first."""
_RATE = 8000
_FRAME = 160
_WORDS = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_DEAD = "511 Command Not Permitted on a dead channel or intercept routine\n"
_UNKNOWN = "510 Invalid or unknown command\n"
_USAGE = "520-Invalid command syntax.  Proper usage follows:\n{usage}\n520 End of proper usage.\n"
_USAGES = {
    "SET VARIABLE": "Sets a variable to the current channel.",
    "GET VARIABLE": "Returns <literal>0</literal> if <replaceable>variablename</replaceable> is not set.",
    "STREAM FILE": "Send the given file, allowing playback to be interrupted by the given digits, if any.",
}
_WITHOUT_DEATH = frozenset({"GET DATA", "WAIT FOR DIGIT", "STREAM FILE", "ANSWER", "CHANNEL STATUS"})
"""Commands that Asterisk refuses on a channel that was hung up."""


class AgiCall(asyncio.Protocol):
    """One channel that a script controls. `on_end(status)` is called once: SUCCESS, FAILURE or HANGUP."""

    def __init__(
        self,
        channel: Channel,
        script: str,
        arguments: tuple[str, ...],
        clock: Clock,
        sounds: Sounds,
        version: str,
        on_end: Callable[[str], None],
        on_prompt: Callable[[PromptHeard], None],
        on_state: Callable[[str], None],
        on_hangup: Callable[[], None],
    ) -> None:
        self._channel, self._script, self._arguments = channel, script, arguments
        self._clock, self._sounds, self._version = clock, sounds, version
        self._on_end, self._on_prompt, self._on_state, self._on_hangup = on_end, on_prompt, on_state, on_hangup
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: list[str] = []
        self._timer: asyncio.TimerHandle | None = None
        self._playing: tuple[str, float, int] | None = None
        self._reading: Reading | None = None
        self._hung_up = False
        self._ended = False

    # -- the connection -------------------------------------------------------------------------------------------

    async def connect(self, host: str, port: int) -> None:
        """Connect to the daemon, or end with FAILURE."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                await loop.create_connection(lambda: self, host, port)
        except (OSError, TimeoutError):
            self._end("FAILURE")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self._ended:
            transport.close()
            return
        self._transport = transport  # type: ignore[assignment]  # a TCP connection is a Transport
        sock = transport.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)  # Asterisk does not set it either
        self._channel.on_key = self._key
        self._write(self._environment())
        self._on_state("listening")
        if self._hung_up:
            self._write("HANGUP\n")

    def data_received(self, data: bytes) -> None:
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            self._waiting.append(line.decode("utf-8", "replace").rstrip("\r"))
        self._next()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The script has closed the connection: the prompt stops and the dialplan goes on."""
        if self._playing:
            self._played(cut=True)
        self._transport = None
        self._end("HANGUP" if self._hung_up else "SUCCESS")

    @property
    def playing(self) -> bool:
        """A prompt is being played."""
        return self._playing is not None

    # -- what happens to the channel ------------------------------------------------------------------------------

    def hang_up(self) -> None:
        """The channel is hung up or redirected: the prompt stops and the script is told."""
        if self._hung_up or self._ended:
            return
        self._hung_up = True
        if (reading := self._reading) is not None:
            self._stop_reading()
            endpos = f" endpos={self._played(cut=True)}" if self._playing else ""
            self._write(f"200 result=-1{endpos if reading.command == 'STREAM FILE' else ''}\n")
            asyncio.get_running_loop().call_later(_TWO_WRITES_S, self._tell_hang_up)
        elif self._playing:
            self._write(f"200 result=-1 endpos={self._played(cut=True)}\n")
            asyncio.get_running_loop().call_later(_TWO_WRITES_S, self._tell_hang_up)
        else:
            self._tell_hang_up()

    def _tell_hang_up(self) -> None:
        if self._transport is not None and not self._ended:
            self._write("HANGUP\n")
            self._next()

    def stop_playback(self) -> None:
        """ControlPlayback stop."""
        if self._playing:
            endpos = self._played(cut=True)
            if self._reading is not None and self._reading.command == "GET DATA":
                self._reading.listen()
                return
            self._stop_reading()
            self._write(f"200 result=0 endpos={endpos}\n")
            self._next()

    def _key(self, key: str) -> None:
        """A key was released on the channel; if no command waits for it, it is lost."""
        reading = self._reading
        if reading is None or not reading.take(key):
            return
        if self._playing:
            endpos = self._played(cut=True)
            if reading.command == "STREAM FILE":
                self._stop_reading()
                self._write(f"200 result={ord(key)} endpos={endpos}\n")
                self._next()

    def _read(self, command: str, timeout_s: float, most: int, stops: str = "") -> Reading:
        self._reading = Reading(command, timeout_s, most, stops, self._read_out)
        return self._reading

    def _read_out(self, text: str) -> None:
        self._reading = None
        if self._playing:
            self._played(cut=True)
        self._write(text)
        self._next()

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def abort(self) -> None:
        """Asterisk itself dies."""
        self._ended, self._playing = True, None
        self._stop_reading()
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.abort()

    # -- commands -------------------------------------------------------------------------------------------------

    def _next(self) -> None:
        while self._waiting and self._playing is None and self._reading is None and not self._ended:
            answer = self._do(self._waiting.pop(0))
            if answer:
                self._write(answer)

    def _do(self, line: str) -> str:
        words = [_unescaped(quoted) if bare == "" else bare for quoted, bare in _WORDS.findall(line)]
        name = " ".join(words[:2]).upper()
        if name == "WAIT FOR":
            name, words = "WAIT FOR DIGIT", words[1:]
        if name == "GET FULL" and len(words) == 4:
            return f"200 result=1 ({self._evaluated(words[3])})\n"
        if not words or (name not in _TWO_WORDS and words[0].upper() not in _ONE_WORD):
            return _UNKNOWN
        if name not in _TWO_WORDS:
            name, words = words[0].upper(), words[1:]
        else:
            words = words[2:]
        if self._hung_up and name in _WITHOUT_DEATH:
            return _DEAD
        if len(words) < _TWO_WORDS.get(name, 0):
            return _USAGE.format(usage=_USAGES.get(name, name))
        return self._carry_out(name, words)

    def _carry_out(self, name: str, words: list[str]) -> str:
        match name:
            case "STREAM FILE":
                if words[1:] and words[1]:
                    self._read(name, FOREVER, 1, words[1])
                return self._play(words[0], int(words[2]) if len(words) > 2 and words[2].isdigit() else 0)
            case "GET DATA":
                return self._get_data(*words[:3])
            case "WAIT FOR DIGIT":
                wait_ms = int(words[0])
                self._read(name, FOREVER if wait_ms < 0 else wait_ms / 1000, 1).listen()
                return ""
            case "SET VARIABLE":
                self._channel.set(words[0], words[1])
                return "200 result=1\n"
            case "GET VARIABLE":
                value = self._channel.get(words[0], self._clock.now())
                return f"200 result=1 ({value})\n" if value else "200 result=0\n"
            case "CHANNEL STATUS":
                return f"200 result={self._channel.state}\n"
            case "VERBOSE":
                return "200 result=1\n"
            case "HANGUP":
                if words and words[0] != self._channel.name:
                    return "200 result=-1\n"
                self._write("200 result=1\n")
                self._on_hangup()
                return ""
        return "200 result=0\n"

    def _evaluated(self, text: str) -> str:
        """A text with the values of the channel's variables in it."""
        return _VARIABLE.sub(lambda found: self._channel.get(found[1], self._clock.now()) or "", text)

    def _get_data(self, path: str, timeout_ms: str = "", most: str = "") -> str:
        """The keys behind a prompt, which the first of them stops; the time counts from the prompt's end."""
        self._read("GET DATA", (int(timeout_ms or 0) or 6000) / 1000, int(most or 1024))
        if self._play(path, 0):
            self._stop_reading()
            return "200 result=-1\n"
        return ""

    def _play(self, path: str, offset: int) -> str:
        samples = self._sounds.found(path, self._channel.language)
        if samples is None or offset >= samples:
            self._stop_reading()
            return f"200 result=-1 endpos={0 if samples is None else offset}\n"
        self._playing = path, self._clock.now() - offset / _RATE, samples
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later((samples - offset) / _RATE, self._played_out)
        self._on_state(path.rpartition("/")[2])
        return ""

    def _played_out(self) -> None:
        endpos = self._played(cut=False)
        if self._reading is not None and self._reading.command == "GET DATA":
            self._reading.listen()
            return
        self._stop_reading()
        self._write(f"200 result=0 endpos={endpos}\n")
        self._next()

    def _played(self, *, cut: bool) -> int:
        """End the prompt; returns the sample at which it ended."""
        assert self._playing is not None
        path, began, samples = self._playing
        self._playing = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock.now()
        endpos = samples if not cut else min(samples, (int((now - began) * _RATE) // _FRAME + 1) * _FRAME)
        language, _, name = path.replace("/callflow/", "/").rpartition("/")
        self._on_prompt(PromptHeard(name, language, began, now, cut))
        self._on_state("listening")
        return endpos

    def _write(self, text: str) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(text.encode())

    def _end(self, status: str) -> None:
        if not self._ended:
            self._ended = True
            self._stop_reading()
            if self._channel.on_key == self._key:
                self._channel.on_key = None
            self._on_end(status)

    def _environment(self) -> str:
        c, arguments = self._channel, self._arguments
        script = self._script.rpartition("/")[2] if self._script.count("/") == 3 else self._script.split("/", 3)[-1]
        return (
            f"agi_network: yes\nagi_network_script: {script}\nagi_request: {self._script}\nagi_channel: {c.name}\n"
            f"agi_language: {c.language}\nagi_type: {c.kind}\nagi_uniqueid: {c.uniqueid}\n"
            f"agi_version: {self._version}\nagi_callerid: {c.caller_number or 'unknown'}\n"
            f"agi_calleridname: {c.caller_name or 'unknown'}\n"
            f"agi_callingpres: {0 if c.caller_number else 67}\nagi_callingani2: 0\nagi_callington: 0\n"
            f"agi_callingtns: 0\nagi_dnid: {c.dnid or 'unknown'}\nagi_rdnis: unknown\nagi_context: {c.context}\n"
            f"agi_extension: {c.exten}\nagi_priority: {c.priority}\nagi_enhanced: 0.0\n"
            f"agi_accountcode: {c.accountcode}\nagi_threadid: {id(self) & 0x7FFFFFFFFFFF}\n"
            + "".join(f"agi_arg_{number}: {value}\n" for number, value in enumerate(arguments, 1))
            + "\n"
        )


_TWO_WORDS = {
    "GET DATA": 1,
    "WAIT FOR DIGIT": 1,
    "STREAM FILE": 2,
    "SET VARIABLE": 2,
    "GET VARIABLE": 1,
    "CHANNEL STATUS": 0,
}
_ONE_WORD = frozenset({"NOOP", "ANSWER", "VERBOSE", "HANGUP"})


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text) if "\\" in text else text
