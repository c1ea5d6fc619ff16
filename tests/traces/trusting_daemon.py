"""The daemon, believing that Asterisk hears every caller: the captures are about Asterisk, not about that doubt."""

from callflow.adapters.ami import translate
from callflow.cli import main

translate.NEVER_DEAF = 1_000
main()
