"""The kept corpus: inputs each of which reached new code, an archive for each reader. Every run begins with them."""

import io
import tarfile
from pathlib import Path

FOLDER = Path(__file__).parent / "pool"
LARGEST_BYTES = 4096
MOST = 300


def kept(name: str) -> list[bytes]:
    """The inputs kept for a reader."""
    file = FOLDER / f"{name}.tar.xz"
    if not file.exists():
        return []
    with tarfile.open(file) as pool:
        return [content.read() for member in pool if (content := pool.extractfile(member)) is not None]


def keep(name: str, grown: Path) -> int:
    """Keep the smallest inputs of a folder that has grown; how many. The same inputs make the same file."""
    FOLDER.mkdir(exist_ok=True)
    inputs = sorted((file.read_bytes() for file in grown.iterdir()), key=lambda data: (len(data), data))
    chosen = [data for data in inputs if len(data) <= LARGEST_BYTES][:MOST]
    with tarfile.open(FOLDER / f"{name}.tar.xz", "w:xz", preset=9) as pool:
        for number, data in enumerate(chosen):
            member = tarfile.TarInfo(f"{number:03}")
            member.size = len(data)
            pool.addfile(member, io.BytesIO(data))
    return len(chosen)
