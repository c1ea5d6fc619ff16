"""One lab: an Asterisk, its agents and callers, the daemon under test, and the wire between them."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from callflow.installed import SOUNDS
from callflow.lab.asterisk import Asterisk
from callflow.lab.asterisk_files import LabPorts
from callflow.lab.prompts import PromptBook
from callflow.lab.proxy import Proxy
from callflow.lab.roots import asterisk_root, tools_root
from callflow.lab.sipp import Agents, Caller, Sipp
from callflow.lab.tcpdump import PacketCapture
from callflow.lab.wire import Wire, read_wire
from callflow.processes.daemon import RUN_CALLFLOW, Config, Daemon
from callflow.processes.ports import LOOPBACK, PortBlock, take_ports
from callflow.processes.process import LAB_FOLDER, Process
from callflow.scenarios.site import AMI_SECRET, AMI_USER, STALL_S, Version
from callflow.sound.audio import voice_from
from callflow.sound.mulaw import Samples

_OWNER = "owner.lock"  # a folder with this file, unlocked, belongs to a lab that has died
Additions = Callable[[PortBlock], Mapping[str, str]]


class Lab:
    """A running Asterisk with agents; get one from `open_lab`."""

    def __init__(
        self,
        version: Version,
        work: Path,
        ports: PortBlock,
        sounds: Path,
        additions: Additions | None = None,
        rtp: PortBlock | None = None,
    ) -> None:
        self.version, self.work, self.ports, self.sounds = version, work, ports, sounds
        self.tools = tools_root(version)
        sip, ami, agi, agent, nobody = (ports.named() for _ in range(5))
        media = (rtp.base, rtp.last) if rtp else ports.asterisk_rtp
        self._blocks = [ports, rtp] if rtp else [ports]
        numbers = LabPorts(sip, ami, agi, agent, nobody, media)
        more = additions(ports) if additions else {}
        self.asterisk = Asterisk(asterisk_root(version), work / "asterisk", numbers, sounds, more)
        self.sipp = Sipp(self.tools, work / "sipp", ports, numbers.sip)
        self._captures = 0
        self._processes: list[Process] = []
        self.daemons: list[Daemon] = []

    @property
    def voice(self) -> Samples:
        """Speech of Asterisk's own sound package, for callers to speak with."""
        return voice_from(self.asterisk.english)

    def prompts(self, language: str) -> PromptBook:
        """The prompts of one language, to recognise on the wire."""
        return PromptBook(self.sounds / language / "callflow")

    def config(self, changes: Config | None = None) -> Config:
        """Settings for a daemon of this lab; sections in `changes` are merged into the lab's own."""
        ports = self.asterisk.ports
        made: Config = {
            "ami": {"host": LOOPBACK, "port": ports.ami, "username": AMI_USER, "secret": AMI_SECRET},
            "agi": {"host": LOOPBACK, "port": ports.agi, "token": "auto"},
            "tap": {"sounds": str(self.sounds), "max_lag_s": STALL_S},
            "store": {"path": str(self.work / "callflow.db")},
            "http": {"port": 0},
            "web": {"enabled": False},
            "limits": {"stall_s": STALL_S, "max_lag_s": STALL_S},
            "assist": {"names_dir": str(self.work)},
        }
        for section, values in (changes or {}).items():
            made[section] = made.get(section, {}) | values
        return made

    async def start_daemon(self, changes: Config | None = None, command: Sequence[str] = RUN_CALLFLOW) -> Daemon:
        """A daemon that is ready for this lab's calls; ended with the lab."""
        daemon = self.daemon(changes, command)
        await daemon.start()
        return daemon

    def daemon(self, changes: Config | None = None, command: Sequence[str] = RUN_CALLFLOW) -> Daemon:
        """A daemon for this lab's calls that was not started yet; ended with the lab."""
        daemon = Daemon(self.work / f"daemon-{len(self.daemons)}", self.config(changes), command, ahead=True)
        self.daemons.append(daemon)
        return daemon

    async def call(self, caller: Caller, calls: int = 1, rate_per_s: float = 10.0) -> Process:
        """Place calls; the process ends with the last of them."""
        process = await self.sipp.call(caller, calls, rate_per_s)
        self._processes.append(process)
        return process

    async def start_agents(self, agents: Agents | Sequence[Agents], calls: int = 200) -> Process:
        """Agents' phones that answer what this lab dials; ended with the lab."""
        process = await self.sipp.answer(agents, self.asterisk.ports.agent, calls)
        self._processes.append(process)
        return process

    def capture(self, *, control: bool = False) -> PacketCapture:
        """Records the lab's packets while its context lasts; with `control`, AMI and FastAGI as well."""
        self._captures += 1
        ports = (self.asterisk.ports.ami, self.asterisk.ports.agi) if control else ()
        return PacketCapture(self.tools, self.work / f"capture-{self._captures}.pcap", *self._blocks, tcp_ports=ports)

    def read(self, capture: PacketCapture) -> Wire:
        """The calls of a finished capture."""
        return read_wire(capture.path, self.asterisk.ports.sip)

    def ami_proxy(self) -> Proxy:
        """A proxy to AMI that can cut the connection; set `[ami] port` of the daemon to its `port`."""
        return Proxy(self.ports.named(), self.asterisk.ports.ami)

    async def close(self) -> None:
        """End everything this lab started."""
        for daemon in self.daemons:
            if daemon.running:
                daemon.resume()
                await daemon.stop()
        for process in self._processes:
            await process.stop()
        await self.asterisk.stop()


@asynccontextmanager
async def open_lab(
    version: Version,
    sounds: Path = SOUNDS,
    agents: Agents | Sequence[Agents] | None = None,
    additions: Additions | None = None,
    rtp: PortBlock | None = None,
) -> AsyncIterator[Lab]:
    """A lab with Asterisk and agents running; its folder is kept if CALLFLOW_LAB_KEEP is set. Raises LabError.

    `additions` gives texts to add to Asterisk's files, by file name. With `rtp`, Asterisk has ports for 1,000 legs at
    once instead of 250.
    """
    remove_stale_labs()
    with take_ports() as ports, _work_folder(version) as work:
        lab = Lab(version, work, ports, sounds, additions, rtp)
        try:
            await lab.asterisk.start()
            await lab.start_agents(agents or Agents())
            yield lab
        finally:
            await lab.close()


def remove_stale_labs(folder: Path = LAB_FOLDER) -> None:
    """Delete the folders of labs whose process is gone; the kernel has ended their programs already."""
    for owner in folder.glob(f"*/{_OWNER}"):
        with owner.open("r") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            shutil.rmtree(owner.parent, ignore_errors=True)


@contextmanager
def _work_folder(version: Version) -> Iterator[Path]:
    """A folder below the lab folder that is locked by us while we live."""
    LAB_FOLDER.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix=f"asterisk-{version}-", dir=LAB_FOLDER))
    with (path / _OWNER).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            yield path
        finally:
            if os.environ.get("CALLFLOW_LAB_KEEP"):
                (path / _OWNER).unlink()
            else:
                shutil.rmtree(path, ignore_errors=True)
