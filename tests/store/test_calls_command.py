"""`callflow calls`, as people type it."""

import json
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from callflow.adapters.store.store import Store
from callflow.cli import main
from callflow.commands.calls import calls_app
from callflow.core.call_record import Kind, TimelineEntry
from callflow.core.printable import printable
from callflow.core.rings.records import HeldBy
from callflow.core.screening.states import Result
from callflow.publishing.recording import Recording
from tests.publishing import samples
from tests.store.command_line import EVIL, fill, run
from tests.store.plausible_day import plausible_day
from tests.store.samples import T0, ended, live_call, observed, silent_story

pytestmark = pytest.mark.usefixtures("shanghai")


# -- list -------------------------------------------------------------------------------------------------------------


def test_the_list_tells_what_happened_newest_first_and_counts(database: Path) -> None:
    silent = replace(ended(live_call("1.2", T0 + 60_000), Result.SILENT, 20_019), rung=3)
    fill(database, ended(live_call("1.1")), silent, live_call("1.3", T0 + 120_000))
    done = run("--db", database)
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["id", "1.3", "1.2", "1.1"]
    assert "2026-01-31 21:06:03 CST" in lines[2]
    assert "no sound from the caller; callflow said goodbye and hung up" in lines[2]
    assert "20.0 s" in lines[2]
    assert "the caller spoke 2.220 s after arriving" in lines[3]
    assert lines[4].startswith("3 calls: 1 spoke, 1 silent; 1 in progress")


def test_list_is_also_a_command(database: Path) -> None:
    fill(database, ended(live_call("1.1")))
    assert run("--db", database).stdout == run("list", "--db", database).stdout == run("--db", database, "list").stdout


def test_observe_mode_has_a_line_of_its_own(database: Path) -> None:
    calls = [observed(live_call(f"1.{n}"), Result.SILENT, spoke_after=n == 0) for n in range(4)]
    fill(database, *calls)
    assert (
        "observe mode: 4 observed, 4 would have been hung up on, 1 of them spoke afterwards (false hang-ups: 25.0 %)"
        in run("--db", database).stdout
    )


def test_every_result_has_its_words(database: Path) -> None:
    calls = [ended(live_call(f"1.{n}", T0 + n), result) for n, result in enumerate(Result)]
    would = [observed(live_call(f"2.{n}", T0 + n), result) for n, result in enumerate([*Result, None])]
    fill(database, *calls, *would)
    done = run("--db", database)
    assert done.exit_code == 0
    for result in Result:
        assert result.value in done.stdout
    for call in (*calls, *would):
        assert run("show", call.call_id, "--db", database).exit_code == 0


def test_options_narrow_the_list(database: Path) -> None:
    fill(database, ended(live_call("1.1")), ended(live_call("1.2", T0 + 86_400_000), Result.SILENT))
    for words in (
        ["--since", "2026-02-01"],
        ["--since", "2026-02-01T21:05:03", "--until", "2026-02-01T21:05:04"],
        ["--since", "2026-02-01T13:05:03+00:00"],
        ["--result", "silent"],
        ["--result", "silent", "--profile", "support", "--caller", "+1-555-0100", "--mode", "act", "--node", "main"],
        ["--limit", "1"],
    ):
        done = run("--db", database, "--json", *words)
        assert [call["call_id"] for call in json.loads(done.stdout)["calls"]] == ["1.2"], words
    assert "showing the newest 1" in run("--db", database, "--limit", 1).stdout
    assert run("--db", database, "--since", "1h", "--json").exit_code == 0


def test_ages_count_back_from_now(database: Path) -> None:
    now_ms = int(time.time() * 1000)
    fill(database, *(ended(live_call(f"1.{age_h}", now_ms - age_h * 3_600_000 - 60_000)) for age_h in (0, 2, 30, 200)))
    for age, expected in (("90m", 1), ("3h", 2), ("2d", 3), ("2w", 4), ("30s", 0)):
        assert json.loads(run("--db", database, "--since", age, "--json").stdout)["summary"]["total"] == expected


def test_json_has_every_field_and_both_kinds_of_time(database: Path) -> None:
    fill(database, ended(live_call("1.1")))
    listed = json.loads(run("--db", database, "--json").stdout)
    (call,) = listed["calls"]
    assert call["arrived_ms"] == T0
    assert call["arrived"] == "2026-01-31T21:05:03.120+08:00"
    assert (call["result"], call["mode"], call["interrupted"], call["would"]) == ("spoke", "act", False, None)
    assert listed["summary"]["by_result"] == {"spoke": 1}


@pytest.mark.parametrize("columns", ["40", "80", "300"])
def test_the_list_fits_a_terminal(database: Path, columns: str) -> None:
    fill(database, ended(live_call("1.1")))
    environment = {"COLUMNS": columns, "FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}
    done = CliRunner(env=environment).invoke(calls_app, ["--db", str(database)])
    assert done.exit_code == 0
    assert "1.1" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if "\x1b" not in line) <= int(columns)


@pytest.mark.parametrize("when", ["blue", "2026-13-01", "", "-2h", "99999999w", "9999-12-31T23:59:59+00:00x"])
def test_a_time_that_is_none_is_explained(database: Path, when: str) -> None:
    done = run("--db", database, "--since", when)
    assert done.exit_code == 2
    assert "is not a time" in done.stderr


def test_an_option_that_would_be_ignored_is_refused(database: Path) -> None:
    fill(database, ended(live_call("1.1")))
    done = run("--db", database, "--since", "2h", "export")
    assert done.exit_code == 2
    assert "write --since after export" in done.stderr


# -- show -------------------------------------------------------------------------------------------------------------


def test_show_explains_a_call_from_arrival_to_hang_up(database: Path) -> None:
    call = replace(ended(live_call(), Result.SILENT, 20_019), rung=3)
    fill(database, call, story=silent_story())
    done = run("show", "17698647", "--db", database)
    assert done.exit_code == 0
    for part in (
        f"{call.call_id} on node main",
        "2026-01-31 21:05:03.120 CST, screened for 20.0 s",
        '+1-555-0100 "Alice", dialled 1001',
        "silent at rung 3",
        "0.000 s  asterisk  starts screening, profile support  (act with ladder silent)",
        "8.000 s  caller    clicks for 60 ms  (too short for speech)",
        "3.000 s later",
        "20.019 s  callflow  decides: silent  (nobody was heard to the end of the ladder)",
        "No sound from the caller; callflow said goodbye and hung up.",
    ):
        assert part in done.stdout, part
    (drawn,) = (line for line in done.stdout.splitlines() if line.startswith("callflow  █"))
    assert drawn.split()[1].strip("█░·") == ""
    assert drawn.endswith("░")


def test_show_puts_happenings_in_order_of_time(database: Path) -> None:
    story = [
        TimelineEntry(1, T0, Kind.ARRIVED, "support"),
        TimelineEntry(2, T0 + 900, Kind.PROMPT_STOPPED, "greeting"),
        TimelineEntry(3, T0 + 600, Kind.SPEECH, "", "a sound that went on"),
    ]
    fill(database, ended(live_call()), story=story)
    shown = run("show", "17", "--db", database).stdout
    assert shown.index("0.600 s  caller    speaks") < shown.index("0.900 s  callflow  stops greeting")
    assert shown.rstrip().endswith("The caller spoke 2.220 s after arriving, and went on to a person.")


def test_show_tells_which_phones_rang_afterwards(database: Path) -> None:
    day = plausible_day(calls=120)
    offer = next(o for o in day.offers if o.target == "sales" and o.legs == 2 and o.pickup_ms and not o.partial)
    (call,) = (c for c in day.calls if c.uniqueid == offer.call_id)
    with Store(database, "main") as store:
        store.save(call, final=True)
        for records in (day.stays, day.offers, day.legs):
            for record in records:
                store.save(record, final=True)
    shown = run("show", call.call_id, "--db", database).stdout
    (stay,) = (s for s in day.stays if s.call_id == offer.call_id)
    assert stay.wait_ms is not None
    assert offer.ring_ms is not None
    assert f"joins queue sales: answered by {stay.agent} after {stay.wait_ms / 1000:.3f} s, talked for" in shown
    assert f"queue sales rings, {offer.ring_ms / 1000:.3f} s, {offer.rings} ring" in shown
    assert f"phone of {offer.agent}: answered" in shown
    assert "elsewhere" in shown
    told = json.loads(run("show", call.call_id, "--json", "--db", database).stdout)
    assert [leg["call_id"] for leg in told["legs"]] == [offer.call_id] * 2
    assert told["stays"][0]["outcome"] == "answered"


def test_show_tells_who_talked_and_who_was_on_hold(database: Path) -> None:
    call = ended(live_call())
    talk = replace(samples.talk(at_ms=T0 + 9000), call_id=call.uniqueid, hold_count=2, hold_ms=23_000)
    hold = replace(samples.hold(at_ms=T0 + 19_000), call_id=call.uniqueid)
    caller_s = replace(samples.hold(held_by=HeldBy.CALLER, at_ms=T0 + 50_000), call_id=call.uniqueid, hold_id="2")
    fill(database, call)
    with Store(database, "main") as store:
        for record in (talk, hold, caller_s):
            store.save(record, final=True)
    shown = run("show", "17", "--db", database).stdout
    assert "9.000 s  talks to 1007 for 90.000 s, on hold twice for 23.000 s, longest 20.000 s" in shown
    assert "19.000 s    1007 puts the caller on hold for 20.000 s" in shown
    assert "50.000 s    the caller puts the agent on hold for 20.000 s" in shown
    told = json.loads(run("show", "17", "--json", "--db", database).stdout)
    assert [(one["hold_count"], one["longest_hold_ms"]) for one in told["talks"]] == [(2, 20_000)]
    assert [one["held_by"] for one in told["holds"]] == ["agent", "caller"]


def test_show_tells_of_rings_that_asterisk_stamped_before_the_arrival(database: Path) -> None:
    day = plausible_day(calls=120)
    stay = next(stay for stay in day.stays if stay.agent)
    (call,) = (c for c in day.calls if c.uniqueid == stay.call_id)
    with Store(database, "main") as store:
        store.save(call, final=True)
        store.save(replace(stay, joined_ms=call.arrived_ms - 40), final=True)
    assert "-0.040 s  joins queue" in run("show", call.call_id, "--db", database).stdout


def test_show_as_json_has_the_happenings(database: Path) -> None:
    fill(database, ended(live_call(), Result.SILENT), story=silent_story())
    shown = json.loads(run("show", "17", "--json", "--db", database).stdout)
    assert len(shown["happenings"]) == 13
    assert shown["happenings"][2] == {
        "seq": 3,
        "at_ms": T0 + 12,
        "kind": "said",
        "what": "greeting",
        "why": "rung 1 of 3 in en",
    }


def test_show_says_that_a_call_was_interrupted(database: Path) -> None:
    fill(database, live_call())
    with closing(Store(database, "main")) as store:
        Recording(store).open()
    shown = run("show", "17", "--db", database).stdout
    assert "Callflow stopped during this call; the outcome is not known." in shown
    assert "no timeline is stored for this call" in shown


def test_no_text_from_a_caller_steers_the_terminal(database: Path) -> None:
    call = replace(ended(live_call("1.1")), caller_name=EVIL, caller_number="[red]1\x07", dialled="\x9b2J")
    fill(database, call, story=[TimelineEntry(1, T0, Kind.KEY, "\x1b[2J", "[bold]")])
    for words in (["--db", database], ["show", "1.1", "--db", database], ["--json", "--db", database]):
        out = run(*words).stdout
        assert not set(out) & {"\x1b", "\x07", "\x9b", "\u202e"}, words
        assert "[red]1" in out


def test_printable_leaves_names_alone() -> None:
    assert printable("王小明 Zoë") == "王小明 Zoë"
    assert printable("a\u202eb\x1b") == "a\\u202eb\\x1b"


# -- what goes wrong --------------------------------------------------------------------------------------------------


def test_the_database_of_the_settings_is_the_default(database: Path) -> None:
    fill(database, ended(live_call("1.1")))
    settings = SimpleNamespace(records=lambda: database)
    assert "1 call: 1 spoke" in run(obj=settings).stdout
    assert "1.1 on node main" in run("show", "1.1", obj=settings).stdout


def test_without_settings_a_database_must_be_named() -> None:
    done = run("list")
    assert "--db" in getattr(done.exception, "remedy", "")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["calls", "--db", "{folder}/missing.db"], "there is no call database at"),
        (["calls", "show", "9", "--db", "{db}"], "no call has the id '9'"),
        (["calls", "show", "1", "--db", "{db}"], "the id '1' fits several calls: 1.1 (node main), 1.2 (node main)"),
        (["calls", "show", "\udcff", "--db", "{db}"], "what is looked for is not UTF-8 text"),
        (["calls", "--caller", "\udcff", "--db", "{db}"], "what is looked for is not UTF-8 text"),
        (["report", "--agents", "\udcff", "--db", "{db}"], "what is looked for is not UTF-8 text"),
        (["report", "--queues", "\udcff", "--db", "{db}"], "there are no records of queue "),
        (["calls", "--db", "{folder}/garbage.db"], "file is not a database"),
        (["calls", "--db", "{folder}/empty.db"], "holds no calls of callflow"),
        (["calls", "export", "{folder}/no/such.csv", "--db", "{db}"], "cannot be written: No such file or directory"),
        (["calls", "export", "{folder}", "--db", "{db}"], "cannot be written: Is a directory"),
    ],
)
def test_mistakes_are_one_sentence_and_exit_code_2(
    database: Path,
    tmp_path: Path,
    words: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(database, ended(live_call("1.1")), ended(live_call("1.2")))
    (tmp_path / "garbage.db").write_bytes(b"garbage " * 1000)
    (tmp_path / "empty.db").touch()
    monkeypatch.setattr(sys, "argv", ["callflow", *(word.format(folder=tmp_path, db=database) for word in words)])
    with pytest.raises(SystemExit) as exit_with:
        main()
    told = capsys.readouterr().err
    assert exit_with.value.code == 2
    assert sentence in told
    assert "remedy:" in told
    assert "Traceback" not in told


def test_help_teaches_with_examples() -> None:
    for words in (["--help"], ["show", "--help"], ["export", "--help"]):
        done = run(*words)
        assert done.exit_code == 0
        assert "Example:" in done.stdout
