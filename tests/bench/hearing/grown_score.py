"""The second set against its bars, and group by group."""

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from tests.bench.hearing.codecs import CODECS
from tests.bench.hearing.score import LABELS, Bar, Pair, Share, called_silence, missed, share, taken, talker
from tests.bench.hearing.tables import Rows

NEVER = ("hum", "buzz", "thumps", "noise or hum with DC")
CODED = tuple(f"{codec}{times}" for codec in CODECS for times in ("", " twice"))


def grown_bars(pairs: Sequence[Pair], coded_echoes: Share, drifting_echoes: Share) -> list[Bar]:
    """All bars of the second set."""

    def of(groups: Iterable[str], when: Callable[..., bool]) -> Share:
        wanted = set(groups)
        return share(pairs, lambda case: case.group in wanted, when)

    with_dc = {f"DC of {percent} %" for percent in (1, 3, 5, 10)}
    clear_dc = share(pairs, lambda c: c.group in with_dc and c.clear, lambda c, r: c.label == r.label)
    unseen = of(("unseen voices, running", "unseen voices, words"), missed)
    over_quiet = of(("over a television", "over a second talker"), lambda c, r: r.label == "quiet")
    music = [case.group for case, _ in pairs if case.label == "music"]
    return [
        Bar("unseen voices: running speech and words missed", unseen, "<=", 2),
        Bar("DC of 1 to 10 % missed", of(with_dc, missed), "<=", 2),
        Bar("DC of 1 to 10 %: level label right, 3 dB from the boundary", clear_dc, ">=", 97),
        Bar("high voices: words missed", of(("high voices, words",), missed), "<=", 2),
        Bar("clipped by 30 dB missed", of(("clipped by 30 dB",), missed), "<=", 5),
        Bar("whisper at SNR 15 missed", of(("whisper at SNR 15",), missed), "<=", 5),
        Bar("talker over a television or another talker called quiet", over_quiet, "<=", 5),
        Bar("own echo through codecs taken for the caller", coded_echoes, "<=", 1),
        Bar("own echo of changing delay taken for the caller", drifting_echoes, "<=", 1),
        Bar("music taken for a talker", of(music, taken), "<=", 3),
        Bar("music called music", of(music, lambda c, r: r.label == "music"), ">=", 90),
        *(Bar(f"{name} taken for a talker", of((name,), taken), "<=", 1) for name in NEVER),
        Bar("call tones and modems taken for a talker", of(("call tones", "modems"), taken), "<=", 1),
        Bar("through codecs missed", of(CODED, missed), "<=", 4),
        Bar("running speech at -58 dBov missed", of(("running at -58 dBov",), missed), "<=", 2),
        Bar("talkers called silence", share(pairs, talker, called_silence), "<=", 0),
    ]  # fmt: skip


def groups_table(pairs: Sequence[Pair]) -> Rows:
    """Each group: what it was called, and what went wrong with it."""
    rows = []
    labels = (*LABELS, "music")
    for name, some in groupby(pairs, key=lambda pair: pair[0].group):
        found = list(some)
        given = [result.label for _, result in found]
        is_talker = talker(found[0][0])
        wrong = share(found, lambda _: True, missed if is_talker else taken)
        shares = (f"{100 * given.count(label) / len(given):.0f}" for label in labels)
        rows.append([name, "missed" if is_talker else "taken", str(wrong), *shares])
    headings = ["", "a talker", "share", *labels]
    return (
        "The second set: talkers missed, other sounds taken for a talker; and what the tap called each, %",
        headings,
        rows,
    )
