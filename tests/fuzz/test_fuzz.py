"""The kept inputs and some hundred made from them break no reader; `python -m tests.fuzz` goes on for hours."""

import re
from pathlib import Path
from random import Random

import pytest

from callflow.web.app import make_app
from callflow.web.options import WebOptions
from callflow.web.server import site_for
from tests.fuzz import pool
from tests.fuzz.hunt import Hung, hunt, try_one
from tests.fuzz.mutator import LONGEST_BYTES, mutated
from tests.fuzz.readers import READERS
from tests.web.database import seven_calls

INPUTS = 150


@pytest.mark.parametrize("name", READERS)
def test_no_input_breaks_a_reader(name: str) -> None:
    reader = READERS[name]
    with reader.begin() as read:
        for found in hunt(read, reader.seeds(name), Random(1), lambda number: number < INPUTS, reader.longest_s):
            raise AssertionError(f"{name}: {found.data[:300]!r}") from found.error


def test_the_same_chance_makes_the_same_inputs() -> None:
    made = [mutated([b"Event: Hangup\r\n\r\n", b"[ami]\nport = 1\n"], Random(seed)) for seed in (1, 1, 2, 3, 4)]
    assert made[0] == made[1]
    assert len(set(made)) > 2
    assert all(len(one) <= LONGEST_BYTES for one in made)


def test_an_input_that_never_ends_is_found() -> None:
    def hangs(data: bytes) -> None:
        while True:
            pass

    found = try_one(hangs, b"x", longest_s=0.05)
    assert found is not None
    assert isinstance(found.error, Hung)


def test_a_fault_is_found_with_its_input() -> None:
    def breaks(data: bytes) -> None:
        assert b"\xff" not in data

    (found,) = hunt(breaks, [b"good", b"\xff"], Random(1), lambda number: False)
    assert found.data == b"\xff"


def test_every_address_of_the_page_has_a_request_to_begin_with(tmp_path: Path) -> None:
    app = make_app(site_for(WebOptions(), seven_calls(tmp_path / "callflow.db"), lambda: 1, dict))
    requests = [
        seed.split(b"\n")[0].partition(b"?")[0].decode("utf-8", "replace") for seed in READERS["http"].seeds("http")
    ]
    for path, methods in app.openapi()["paths"].items():
        if path == "/api/v1/events":
            continue  # a stream without an end
        one = re.sub(r"{\w+}", "[^/]+", path)
        for method in methods:
            assert any(re.fullmatch(f"{method.upper()} {one}", request) for request in requests), (method, path)


def test_the_small_inputs_of_a_grown_pool_are_kept_and_the_same_ones_make_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "FOLDER", tmp_path / "kept")
    grown = tmp_path / "grown"
    grown.mkdir()
    for number, data in enumerate((b"bb", b"a", b"x" * (pool.LARGEST_BYTES + 1))):
        (grown / str(number)).write_bytes(data)
    assert pool.keep("rtp", grown) == 2
    assert pool.kept("rtp") == [b"a", b"bb"]
    written = (tmp_path / "kept" / "rtp.tar.xz").read_bytes()
    pool.keep("rtp", grown)
    assert (tmp_path / "kept" / "rtp.tar.xz").read_bytes() == written
