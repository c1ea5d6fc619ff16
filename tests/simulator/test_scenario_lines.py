"""The line of a key in a TOML text."""

import tracemalloc

import pytest

from callflow.scenarios.toml_file import line_of

TEXT = """\
a = 1  # [[x]]
"b c" = "x = 2 # [[y]]"

[table]
k = [
  1,
  2, # a comment, with , in it
  { in = "}", out = [3,
     4] },
]
[table.sub]
d.e = 1

[[list]]
n = 1
[[list]]
n = { m = 2 }
[[list.inner]]
z = '''two "
lines = 1'''
last = 0
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (["a"], 1),
        (["b c"], 2),
        (["table"], 4),
        (["table", "k"], 5),
        (["table", "k", 2], 8),
        (["table", "k", 2, "in"], 8),
        (["table", "k", 2, "out"], 8),
        (["table", "sub", "d", "e"], 12),
        (["list", 0], 14),
        (["list", 0, "n"], 15),
        (["list", 1, "n"], 17),
        (["list", 1, "n", "m"], 17),
        (["list", 1, "inner", 0, "z"], 19),
        (["list", 1, "inner", 0, "last"], 21),
        (["list", 1, "n", "other", 3], 17),
        (["nowhere"], None),
        ([], None),
    ],
)
def test_line_of_the_longest_known_beginning(path: list[str | int], line: int | None) -> None:
    assert line_of(TEXT, path) == line


def test_what_is_deep_takes_no_more_than_its_text() -> None:
    """Paths as long as the text is deep took 117 MB for 38 kB."""
    text = 'a = """\n' + '{"k": [' * 5000 + '\n"""\nb = 1\n'
    tracemalloc.start()
    try:
        assert line_of(text, ["a"]) == 1
        assert tracemalloc.get_traced_memory()[1] < 20 * len(text)
    finally:
        tracemalloc.stop()
