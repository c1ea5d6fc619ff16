"""Sound as arrays of samples: made, measured, read from files and coded as mu-law.

This module needs no numpy: scenarios name sounds where none is made.
"""

from typing import Literal

SoundName = Literal["speech", "click", "tone", "noise", "fax", "echo", "music", "dc", "child", "clipped", "television"]
