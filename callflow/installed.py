"""Where the files beside the code are: in a checkout, or inside the installed package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent
CHECKOUT = PACKAGE.parent
FILES = CHECKOUT if (CHECKOUT / "dialplan" / "callflow.conf").is_file() else PACKAGE / "share"
"""The folder with dialplan/ and config/ in it."""

SOUNDS = FILES / "dialplan" / "sounds"
