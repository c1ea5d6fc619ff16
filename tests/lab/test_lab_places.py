"""Where a lab finds its ports, its mirror and the folders of dead labs."""

import fcntl
import socket
from pathlib import Path

import pytest

from callflow.lab.lab import remove_stale_labs
from callflow.lab.mirror import debian_mirror
from callflow.processes.errors import LabUnavailable
from callflow.processes.ports import BLOCK, is_free, take_ports


class TestPorts:
    def test_labs_side_by_side_share_nothing(self, tmp_path: Path) -> None:
        with take_ports(tmp_path) as first, take_ports(tmp_path) as second:
            assert first.last < second.base
            assert {first.named() for _ in range(20)}.isdisjoint(second.named() for _ in range(20))

    def test_a_released_block_is_taken_again(self, tmp_path: Path) -> None:
        with take_ports(tmp_path) as first:
            base = first.base
        with take_ports(tmp_path) as again:
            assert again.base == base

    def test_media_ranges_come_round_again(self, tmp_path: Path) -> None:
        with take_ports(tmp_path) as ports:
            ranges = [ports.media(400) for _ in range(7)]
        assert ranges[0] == ranges[3] == ranges[6]
        assert all(ports.base < first < last <= ports.base + BLOCK for first, last in ranges)

    def test_all_taken(self, tmp_path: Path) -> None:
        held: list[object] = []
        with pytest.raises(LabUnavailable, match="every block"):
            held.extend(take_ports(tmp_path) for _ in range(100))

    def test_a_port_in_use_is_not_free(self, tmp_path: Path) -> None:
        with take_ports(tmp_path) as ports, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
            port = ports.named()
            taken.bind(("127.0.0.1", port))
            assert not is_free(port)


class TestMirror:
    def test_the_stanza_of_this_release_is_used(self, tmp_path: Path) -> None:
        apt = _apt(tmp_path, "sources.list.d/debian.sources", _DEB822)
        assert debian_mirror(apt, tmp_path / "os-release") == "http://mirror.example/debian"

    def test_one_line_style(self, tmp_path: Path) -> None:
        text = (
            "deb http://other.example/apt bookworm stable\n"
            "deb [arch=amd64 signed-by=/a] http://mirror.example/debian/ bookworm main contrib # ours\n"
        )
        apt = _apt(tmp_path, "sources.list", text)
        assert debian_mirror(apt, tmp_path / "os-release") == "http://mirror.example/debian"

    def test_a_rolling_suite(self, tmp_path: Path) -> None:
        apt = _apt(tmp_path, "sources.list", "deb http://mirror.example/debian sid main\n")
        assert debian_mirror(apt, tmp_path / "os-release") == "http://mirror.example/debian"

    def test_none(self, tmp_path: Path) -> None:
        with pytest.raises(LabUnavailable, match="bookworm"):
            debian_mirror(_apt(tmp_path, "sources.list", "# nothing\n"), tmp_path / "os-release")

    def test_set_by_hand(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CALLFLOW_LAB_MIRROR", "http://chosen.example/debian")
        assert debian_mirror(tmp_path, tmp_path) == "http://chosen.example/debian"


def test_only_dead_labs_are_removed(tmp_path: Path) -> None:
    for name in ("dead", "alive", "kept"):
        (tmp_path / name).mkdir()
    (tmp_path / "dead/owner.lock").touch()
    with (tmp_path / "alive/owner.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        remove_stale_labs(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["alive", "kept"]


_DEB822 = """Types: deb
# a comment
URIs: http://security.example/debian-security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://tools.example/apt
Suites: bookworm
Components: stable

Types: deb deb-src
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
"""


def _apt(folder: Path, name: str, text: str) -> Path:
    (folder / "sources.list.d").mkdir()
    (folder / name).write_text(text)
    (folder / "os-release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    return folder
