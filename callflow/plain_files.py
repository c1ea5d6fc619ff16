"""What is written beside a file and then takes its place: that place must be a plain file's, or nobody's."""

from errno import EEXIST
from pathlib import Path


def check_replaceable(path: Path) -> None:
    """Raises OSError for a device, a pipe, a socket and a folder: a file that takes their place removes them."""
    if path.exists() and not path.is_file():
        raise FileExistsError(EEXIST, "it is not a regular file")
