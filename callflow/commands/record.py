"""`callflow record`: write the events of a real Asterisk to a file, to look at and to replay."""

import asyncio
import os
import time
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from callflow.captures.anonymizer import Anonymizer
from callflow.captures.capture_file import CaptureWriter
from callflow.captures.recorder import Listener, Recorder, Relay
from callflow.commands.times import parse_length
from callflow.errors import CallflowError, SettingError
from callflow.settings.model import Settings

REFRESH_S = 0.25
ReplaceOption = Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")]


@dataclass(frozen=True)
class Taps:
    """Relay ports between the daemon and Asterisk; 0 for none."""

    ami: int
    agi: int


def record(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="Capture file to write.")],
    lasts_s: Annotated[
        float | None,
        typer.Option(
            "--for", parser=parse_length, metavar="TIME", help="How long: `60s`, `5m`, `1h`; else until Ctrl-C."
        ),
    ] = None,
    purpose: Annotated[str, typer.Option(help="What the capture shows, in a sentence, for its header.")] = "",
    ami_tap: Annotated[
        int, typer.Option(help="Port in front of Asterisk's AMI: connect the daemon to it.", max=65535, min=0)
    ] = 0,
    agi_tap: Annotated[
        int, typer.Option(help="Port in front of the daemon's FastAGI: name it in CALLFLOW_AGI.", max=65535, min=0)
    ] = 0,
    force: ReplaceOption = False,
) -> None:
    """Record the events of a real Asterisk, with all numbers, names and addresses replaced.

    Without the two taps, the command logs in to AMI beside the daemon and only listens. With them, it stands between
    the daemon and Asterisk and records everything both say; `callflow replay` can then check every decision.

    Example: `callflow record morning.txt --for 10m --purpose "Monday, the new trunk"`
    """
    settings: Settings = context.obj.settings()
    if bool(ami_tap) != bool(agi_tap):
        raise SettingError("--ami-tap and --agi-tap", "one was given without the other", "give both ports, or neither")
    if os.access(file, os.F_OK) and not force:
        raise SettingError(str(file), "the file exists already", "choose another name, or add --force")
    console = Console(stderr=True)
    header = {"purpose": purpose or "not given"}
    with suppress(KeyboardInterrupt):
        asyncio.run(_record(settings, file, lasts_s, header, Taps(ami_tap, agi_tap), console))
    if os.access(file, os.F_OK):
        size = file.stat().st_size / 1000
        console.print(f"[green]written[/] {file}, {size:.0f} kB; now: callflow replay {file}", highlight=False)


async def _record(
    settings: Settings, file: Path, lasts_s: float | None, header: dict[str, str], taps: Taps, console: Console
) -> None:
    async with AsyncExitStack() as stack:
        listener = await stack.enter_async_context(Listener(settings.ami))
        asterisk = (await listener.ask("CoreSettings")).get("AsteriskVersion", "unknown")
        header |= {"asterisk": asterisk, "recorded": f"{datetime.now(UTC):%Y-%m-%d}", "numbers": "replaced"}
        header["procedures"] = settings.procedures().model_dump_json(exclude_unset=True)
        writer = _create(file, header)
        stack.callback(writer.close)
        recorder = Recorder(writer, Anonymizer())
        if taps.ami:
            await _stand_between(stack, recorder, settings, taps)
        live = stack.enter_context(Live(console=console, refresh_per_second=4, transient=True))
        showing = asyncio.create_task(_show(live, recorder, asterisk))
        stack.callback(showing.cancel)
        with suppress(TimeoutError):
            async with asyncio.timeout(lasts_s):
                await (asyncio.Event().wait() if taps.ami else _listen(listener, recorder))


async def _listen(listener: Listener, recorder: Recorder) -> None:
    async for message in listener.messages():
        if message.startswith(b"Event: "):
            recorder.take("ami", "<", message)
    raise CallflowError("Asterisk closed the connection", "see its log; what came until then is in the file")


async def _stand_between(stack: AsyncExitStack, recorder: Recorder, settings: Settings, taps: Taps) -> None:
    targets = {"ami": (settings.ami.host, settings.ami.port), "agi": (settings.agi.host, settings.agi.port)}
    for kind, port in (("ami", taps.ami), ("agi", taps.agi)):
        try:
            await stack.enter_async_context(Relay(recorder, kind, port, targets[kind]))  # type: ignore[arg-type]
        except OSError as error:
            remedy = "choose a free port"
            raise SettingError(f"--{kind}-tap", f"cannot listen on {port}: {error.strerror}", remedy) from None


def _create(file: Path, header: dict[str, str]) -> CaptureWriter:
    try:
        return CaptureWriter.create(file, header, time.time())
    except OSError as error:
        raise SettingError(str(file), f"cannot be written: {error.strerror}", "name another file") from None


async def _show(live: Live, recorder: Recorder, asterisk: str) -> None:
    began = time.monotonic()
    while True:
        most = ", ".join(f"{name} {number}" for name, number in recorder.counts.most_common(5))
        total = recorder.counts.total()
        live.update(Text(f"{time.monotonic() - began:5.0f} s  {total} messages of Asterisk {asterisk}  {most}"))
        await asyncio.sleep(REFRESH_S)
