"""One real Asterisk of the lab: its own folders, its own ports, started and stopped on demand."""

import asyncio
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from callflow.installed import FILES, SOUNDS
from callflow.lab.ami import AmiClient
from callflow.lab.asterisk_files import HOLD_HZ, HOLD_MUSIC, LAB_USER, PROMPT_TONES_HZ, LabPorts, config_files
from callflow.lab.host import Host, RootDirectory
from callflow.lab.phone.media import tone
from callflow.processes.errors import LabStartFailed
from callflow.processes.process import Process

_START_S = 30.0
_TONE_S = 4


class Asterisk:
    """An Asterisk on loopback with the project's dialplan, AMI user and prompts in it."""

    def __init__(
        self,
        host: Host,
        work: Path,
        ports: LabPorts,
        sounds: Path = SOUNDS,
        additions: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.host, self.work, self.ports, self.sounds = host, work, ports, sounds
        self._additions = additions
        self.process: Process | None = None
        self._ami: AmiClient | None = None
        self._make_folders()

    @property
    def ami(self) -> AmiClient:
        """The lab's AMI session; a new one after every start."""
        if self._ami is None:
            raise LabStartFailed("Asterisk is not running", remedy="call start() first")
        return self._ami

    @property
    def log(self) -> Path:
        return self.work / "log" / "messages"

    async def start(self) -> None:
        """Start it and wait until AMI answers and every module is loaded. Raises LabStartFailed."""
        command = self.host.command("asterisk", "-C", str(self.work / "etc/asterisk.conf"), "-f", "-n")
        self.process = await Process.start(command, self.work / "log", "asterisk", ahead=True)
        try:
            async with asyncio.timeout(_START_S):
                self._ami = await self._log_in(self.process)
                await self._ami.wait_event(lambda event: event["Event"] == "FullyBooted", _START_S)
        except TimeoutError:
            await self.kill()
            raise self._failure("did not come up") from None

    async def stop(self) -> None:
        """End it as `core stop now` would; calls in progress are cut."""
        await self._end(gently=True)

    async def kill(self) -> None:
        """End it with SIGKILL, as a crash would."""
        await self._end(gently=False)

    async def restart(self) -> None:
        """Kill it and start it again on the same ports."""
        await self.kill()
        await self.start()

    async def _end(self, *, gently: bool) -> None:
        if self._ami:
            await self._ami.close()
            self._ami = None
        if self.process:
            await (self.process.stop() if gently else self.process.kill())
            self.process = None

    async def _log_in(self, process: Process) -> AmiClient:
        while process.running:
            try:
                return await AmiClient.connect(self.ports.ami, *LAB_USER)
            except (OSError, TimeoutError):
                await asyncio.sleep(0.05)
        raise self._failure(f"ended with code {process.returncode}")

    def _failure(self, what: str) -> LabStartFailed:
        kept = self.log.read_text(errors="replace").splitlines()[-5:] if self.log.exists() else []
        return LabStartFailed(f"Asterisk {what}: {' / '.join(kept)}", remedy=f"read the logs in {self.work / 'log'}")

    def _make_folders(self) -> None:
        for name in ("etc", "lib", "spool", "run", "log", "data/sounds"):
            (self.work / name).mkdir(parents=True, exist_ok=True)
        self._write_configs()
        self._link_data()
        self._copy_prompts()
        self._make_tones()

    def _write_configs(self) -> None:
        etc, modules = self.work / "etc", self.host.modules
        outside = modules if not isinstance(self.host, RootDirectory) else self.host.path / modules.relative_to("/")
        available = {path.stem for path in outside.glob("*.so")}
        for name, text in config_files(self.work, modules, available, self.ports).items():
            (etc / name).write_text(text + self._additions.get(name, ""))
        for name in ("manager_callflow.conf", "features_callflow.conf"):
            shutil.copy(FILES / "config/asterisk" / name, etc)
        dialplan = (FILES / "dialplan/callflow.conf").read_text()
        (etc / "callflow.conf").write_text(dialplan.replace("127.0.0.1:4573", f"127.0.0.1:{self.ports.agi}"))

    @property
    def english(self) -> Path:
        """Asterisk's own English sounds, as seen from outside."""
        return next(path for path in (self.host.data / "sounds").iterdir() if (path / "vm-goodbye.wav").exists())

    def _link_data(self) -> None:
        """Link Asterisk's data files into the work folder; `sounds` is a real folder, for the project's prompts."""
        data = self.work / "data"
        for path in self.host.data.iterdir():
            if path.name != "sounds":
                (data / path.name).symlink_to(Path("/usr/share/asterisk") / path.name)
        (data / "sounds/en").mkdir()
        for path in self.english.iterdir():
            inside = Path("/usr/share/asterisk/sounds") / self.english.name / path.name
            (data / "sounds/en" / path.name).symlink_to(inside)

    def _copy_prompts(self) -> None:
        for language in self.sounds.glob("*/callflow"):
            target = self.work / "data/sounds" / language.parent.name / "callflow"
            target.parent.mkdir(exist_ok=True)
            shutil.copytree(language, target)

    def _make_tones(self) -> None:
        """Write music and prompts that are sines: each frame on the wire then shows which of them it contains."""
        data = self.work / "data"
        for folder in (data / HOLD_MUSIC, data / "sounds/lab"):
            folder.mkdir()
        (data / HOLD_MUSIC / "tone.ulaw").write_bytes(tone(HOLD_HZ) * _TONE_S)
        for hz in PROMPT_TONES_HZ:
            (data / "sounds/lab" / f"tone_{hz}.ulaw").write_bytes(tone(hz) * _TONE_S)
