"""The board of live states: every reader's view becomes the board, however slowly it reads and whatever others do."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from callflow.core.publishing.board import Board, Reader

KEYS = "abcdef"
ROOM, TOMBSTONES = 5, 2


@dataclass
class View:
    """What one reader knows, as a web page would keep it."""

    reader: Reader[str, int]
    known: dict[str, int] = field(default_factory=dict)
    last_version: int = 0

    def read(self, board: Board[str, int], most: int | None) -> None:
        """Take some changes in; checks that each of them is the newest of its key."""
        read = self.reader.take(most)
        if read.fresh:
            self.known.clear()
            self.last_version = 0
        for change in read:
            assert change.value == board.get(change.key), "a value that has been replaced was read"
            assert change.version > self.last_version, "changes were read out of order"
            self.last_version = change.version
            if change.value is None:
                self.known.pop(change.key, None)
            else:
                self.known[change.key] = change.value
        assert most is None or len(read) <= most


def contents(board: Board[str, int]) -> dict[str, int]:
    return {key: value for key in board.keys() if (value := board.get(key)) is not None}  # noqa: SIM118 - not a mapping


STEP = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(KEYS), st.integers(0, 3)),
    st.tuples(st.just("remove"), st.sampled_from(KEYS), st.just(0)),
    st.tuples(st.just("replace"), st.text(KEYS, max_size=4), st.integers(0, 3)),
    st.tuples(st.just("read"), st.integers(0, 3), st.integers(0, 3)),
    st.tuples(st.just("come back"), st.integers(0, 3), st.just(0)),
    st.tuples(st.just("join"), st.just(0), st.just(0)),
)


@given(steps=st.lists(STEP, max_size=80), first_version=st.sampled_from([0, 1_769_864_703_120]))
def test_every_view_becomes_the_board(steps: list[tuple[str, str | int, int]], first_version: int) -> None:
    board: Board[str, int] = Board(first_version, ROOM, TOMBSTONES)
    model: dict[str, int] = {}
    views = [View(board.reader())]
    for what, about, number in steps:
        match what, about:
            case "put", str(key):
                board.put(key, number)
                if key in model or len(model) < ROOM:
                    model[key] = number
            case "remove", str(key):
                board.remove(key)
                model.pop(key, None)
            case "replace", str(keys):
                model = dict.fromkeys(keys, number)
                board.replace(model)
            case "read", int(index):
                views[index % len(views)].read(board, number or None)
            case "come back", int(index):
                view = views[index % len(views)]
                view.reader = board.reader(after=view.reader.version)
            case _:
                views.append(View(board.reader()))
        assert contents(board) == model
        assert len(board._changes) <= ROOM + TOMBSTONES, "memory is bounded"
    for view in views:
        while view.reader.has_news:
            view.read(board, 1)
        assert view.known == model


def test_a_slow_reader_is_given_the_newest_value_alone() -> None:
    board: Board[str, int] = Board()
    fast, slow = board.reader(), board.reader()
    for value in range(1000):
        board.put("a", value)
        assert [change.value for change in fast.take()] == [value]
    assert [change.value for change in slow.take()] == [999]
    assert not slow.has_news


def test_a_removal_is_read_as_a_change() -> None:
    board: Board[str, int] = Board()
    reader = board.reader()
    board.put("a", 1)
    reader.take()
    board.remove("a")
    board.remove("a")
    assert [(change.key, change.value) for change in reader.take()] == [("a", None)]
    assert not board.reader().take().changes, "whoever joins later needs no word of it"


def test_who_has_missed_a_forgotten_removal_starts_anew() -> None:
    board: Board[str, int] = Board(tombstones=1)
    reader, prompt = board.reader(), board.reader()
    for key in "abc":
        board.put(key, 1)
    reader.take()
    for key in "ab":
        prompt.take()
        board.remove(key)
    read = reader.take()
    assert read.fresh
    assert [change.key for change in read] == ["c"]
    assert not prompt.take().fresh


def test_a_version_of_an_earlier_life_leads_to_a_snapshot() -> None:
    earlier: Board[str, int] = Board(first_version=1000)
    earlier.put("a", 1)
    later: Board[str, int] = Board(first_version=2000)
    for after in (earlier.version, 9_999_999):
        assert later.reader(after=after).take().fresh


def test_more_keys_than_there_is_room_for_are_refused_and_counted() -> None:
    board: Board[str, int] = Board(room=2)
    for key in "abc":
        board.put(key, 1)
    board.put("a", 2)
    assert (contents(board), board.refused) == ({"a": 2, "b": 1}, 1)
