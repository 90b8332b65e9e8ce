"""Files of one process of a service: what is written where, rolled up when, and removed when."""

from __future__ import annotations

import os
import re
from pathlib import Path

import numpy as np
import pytest

import storing
from leadline import snapshot
from leadline.cli import main
from leadline.errors import InputError, SnapshotError
from leadline.profile import Cell, Settings, Window
from leadline.serve import compact, folder
from leadline.serve import store as store_module
from leadline.serve.folder import Folder, SteadyTime
from leadline.snapshot import files
from storing import DAY, HOUR, MINUTE, START, Time, cell, files_of, numbers_in, windows_of


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is begun is done at once, however slow the machine is."""
    for name in ("_LEAST_PORTION", "_LONGEST_PORTION", "_AT_CLOSE"):
        monkeypatch.setattr(store_module, name, 60.0)


def run(folder: Path, time: Time, minutes: int, **options: object) -> int:
    """Write ten rows a minute for some minutes, and tidy; how many rows there are."""
    store = storing.store(folder, time, **options)
    rows = 0
    for _ in range(minutes):
        minute = time.wall // MINUTE * MINUTE
        store.append([cell(minute, range(rows % 60_000, rows % 60_000 + 10))])
        rows += 10
        store.tidy()
        time.pass_by(MINUTE)
    store.close()
    return rows


def test_names_say_service_day_host_process_and_start(tmp_path: Path) -> None:
    store = storing.store(tmp_path)
    assert store.append([cell(START, [1])])
    (path,) = store.files
    pattern = rf"fraud-20260504-[0-9a-f]{{6}}-{os.getpid()}-[0-9a-f]{{8}}\.lead"
    assert re.fullmatch(pattern, path.name)
    assert files_of(tmp_path) == [path]
    assert snapshot.read(path).settings == storing.SETTINGS


def test_a_window_belongs_to_the_day_on_which_it_begins_in_the_profiles_zone(
    tmp_path: Path,
) -> None:
    settings = Settings(every="1ms", tz="America/New_York")
    store = storing.store(tmp_path, settings=settings)
    midnight = START + 4 * HOUR  # in New York, in summer
    cells = [cell(midnight + late, [late % 60_000], length=1_000) for late in (-1_000, 0, 1_000)]
    assert store.append(cells) == cells
    days = {path.name.split("-")[1]: snapshot.read(path).rows for path in files_of(tmp_path)}
    assert days == {"20260503": 1, "20260504": 2}


def test_frames_of_one_window_are_one_cell_when_they_are_read(tmp_path: Path) -> None:
    store = storing.store(tmp_path, tags={"model": "7"})
    for row in range(3):
        store.append([cell(START, [row]), cell(START + MINUTE, [100 + row])])
    profile = snapshot.read(store.files[0])
    assert windows_of(profile) == [(0, 1), (1, 1)]
    assert [held.rows for held in profile.cells] == [3, 3]
    assert profile.tags == {"model": "7"}
    assert profile.events == ()


def test_nothing_is_written_before_the_first_cells(tmp_path: Path) -> None:
    store = storing.store(tmp_path / "new")
    assert store.append([]) == []
    store.tidy()
    store.close()
    assert not (tmp_path / "new").exists()
    assert store.files == ()


def test_a_new_column_begins_a_new_file_and_the_schema_never_goes_back(tmp_path: Path) -> None:
    store = storing.store(tmp_path)
    store.append([cell(START, [1])])
    store.append([cell(START, [2], names=("id", "age"))])
    store.append([cell(START, [3])])  # without it: the same file
    first, second = store.files
    assert second.name == first.name.replace(".lead", "-2.lead")
    assert [snapshot.read(path).names for path in store.files] == [("id",), ("id", "age")]
    assert [snapshot.read(path).rows for path in store.files] == [1, 2]
    store.append([cell(START + DAY, [4])])  # the next day begins with all columns
    assert snapshot.read(store.files[2]).names == ("id", "age")


def test_a_column_of_whole_numbers_may_widen_once(tmp_path: Path) -> None:
    import leadline as ll

    store = storing.store(tmp_path)
    for values in ([1, 2], [0.5], [3], [4.5], [5]):
        states = ll.profile({"id": values}).cells[0].states
        store.append([Cell(Window(START, START + MINUTE), (), len(values), states)])
    assert [snapshot.read(path)["id"].type for path in store.files] == ["int64", "double"]
    whole = snapshot.read(store.files[0]) | snapshot.read(store.files[1])
    assert whole["id"].mean == pytest.approx(16 / 6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sync": "often"}, "sync is 'flush'"),
        ({"sync": -1}, "sync is 'flush'"),
        ({"sync": True}, "sync is 'flush'"),
        ({"rollup": "1x"}, "'1x' is not a window length"),
        ({"rollup": ["1d", "1h"]}, "windows of 1d do not add up to windows of 1h"),
        ({"rollup": "90s"}, "windows of 1m do not add up to windows of 90s"),
        ({"rollup": "1m"}, "windows of 1m do not add up to windows of 1m"),
        ({"rollup": ["1w", "1mo"]}, "windows of 1w do not add up to windows of 1mo"),
        ({"rollup": {"1h": "soon"}}, "'soon' is not a window length"),
        ({"settings": Settings()}, "need a window length"),
    ],
)
def test_wrong_options_are_refused(
    tmp_path: Path, options: dict[str, object], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        storing.store(tmp_path, **options)


@pytest.mark.parametrize("name", ["", "-", "a/b", "a.b", "-a", "a" * 101, "a b", "..", "a\n"])
def test_names_that_are_no_beginning_of_a_file_name_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot begin the names of files"):
        Folder(tmp_path, name, "UTC")


def test_cells_without_a_window_are_refused(tmp_path: Path) -> None:
    store = storing.store(tmp_path)
    with pytest.raises(InputError, match="windows of time only"):
        store.append([Cell(None, (), 1, cell(START, [1]).states)])


# --- rolling up ----------------------------------------------------------------------------------


def test_minutes_become_hours_and_days_in_the_same_file(tmp_path: Path) -> None:
    time = Time()
    rows = run(tmp_path, time, 25 * 60 + 30, sync="never", rollup=["1h", "1d"])
    first, second = files_of(tmp_path)
    assert windows_of(snapshot.read(first)) == [(0, 24 * 60)]
    minutes = [(25 * 60 + minute, 1) for minute in range(30)]
    assert windows_of(snapshot.read(second)) == [(24 * 60, 60), *minutes]
    assert snapshot.read(first).settings.every == "1m"
    assert sum(snapshot.read(path).rows for path in (first, second)) == rows
    assert numbers_in([first])[10_000] == 1


def test_windows_are_kept_as_long_as_asked_before_they_are_merged(tmp_path: Path) -> None:
    time = Time()
    run(tmp_path, time, 4 * 60, rollup={"1h": "2h"})
    windows = windows_of(snapshot.read(files_of(tmp_path)[0]))
    assert windows == [(0, 60), *((60 + minute, 1) for minute in range(180))]


def test_what_is_appended_while_a_file_is_rewritten_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_LONGEST_PORTION", 0.0)  # a step at a time
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    for minute in range(60):
        store.append([cell(START + minute * MINUTE, [minute])])
    time.pass_by(62 * MINUTE)
    portions = 0
    while not store.health.rewritten:
        store.append([cell(START + HOUR + portions * MINUTE, [100 + portions])])
        store.tidy()
        assert snapshot.read(store.files[0]).rows == 61 + portions
        portions += 1
    assert portions > 30
    assert numbers_in(store.files) == dict.fromkeys([*range(60), *range(100, 100 + portions)], 1)
    assert windows_of(snapshot.read(store.files[0]))[:2] == [(0, 60), (60, 1)]


def test_late_rows_of_an_hour_that_was_rolled_up_join_it(tmp_path: Path) -> None:
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    store.append([cell(START, [1])])
    time.pass_by(2 * HOUR)
    store.tidy()
    store.append([cell(START + MINUTE, [2])])
    assert windows_of(snapshot.read(store.files[0])) == [(0, 60), (1, 1)]
    time.pass_by(HOUR)
    store.tidy()
    assert windows_of(snapshot.read(store.files[0])) == [(0, 60)]
    assert numbers_in(store.files) == {1: 1, 2: 1}


def test_frames_of_one_window_are_merged_when_they_are_most_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_WORTHWHILE", 20_000)
    time = Time()
    store = storing.store(tmp_path, time)
    largest = 0
    for row in range(400):
        store.append([cell(START, [row])])
        largest = max(largest, store.files[0].stat().st_size)
        time.pass_by(10 * storing.SECOND)
        store.tidy()
    assert store.health.rewritten > 3
    assert largest < 50_000 < store.health.written
    assert numbers_in(store.files) == dict.fromkeys(range(400), 1)
    store.close()
    assert store.files[0].stat().st_size < 5_000


def test_files_are_not_rewritten_again_where_that_saves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, random: np.random.Generator
) -> None:
    monkeypatch.setattr(store_module, "_WORTHWHILE", 5_000)
    time = Time()
    store = storing.store(tmp_path, time)
    for frame in range(20):  # rows that are kept value by value take the same bytes in one frame
        store.append([storing.wide_cell(START, range(100 * frame, 100 * frame + 100), random)])
        time.pass_by(10 * storing.SECOND)
        store.tidy()
    assert store.health.rewritten == 1
    assert numbers_in(store.files) == dict.fromkeys(range(2_000), 1)


def test_a_cell_in_parts_and_large_frames_survive_rewriting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import leadline as ll
    from leadline.snapshot import cells as encoding

    monkeypatch.setattr(encoding, "PART_BYTES", 20_000)
    monkeypatch.setattr(compact, "_PORTION", 1_000)
    monkeypatch.setattr(compact, "_MOST_BYTES", 100_000)
    random = np.random.default_rng(3)
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    profiles = [ll.profile({f"c{i}": random.normal(size=900) for i in range(9)}) for _ in range(4)]
    for minute, profile in enumerate(profiles):
        window = Window(START + minute * MINUTE, START + (minute + 1) * MINUTE)
        store.append([Cell(window, (), 900, profile.cells[0].states)])
    time.pass_by(2 * HOUR)
    store.close()
    held = snapshot.read(store.files[0])
    whole = ll.merge(profiles, allow_repeats=True)
    assert windows_of(held) == [(0, 60)]
    for name in whole:
        assert held[name].quantile(0.5).value == whole[name].quantile(0.5).value
        assert held[name].mean == pytest.approx(whole[name].mean, rel=1e-12)


def test_redacted_columns_stay_redacted(tmp_path: Path) -> None:
    import leadline as ll

    settings = Settings(every="1m", tz="UTC", redacted=("city",))
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h", settings=settings)
    for minute in range(3):
        states = ll.profile({"city": ["Bergen", "Oslo"]}).cells[0].states
        start = START + minute * MINUTE
        store.append([Cell(Window(start, start + MINUTE), (), 2, states)])
    before = snapshot.read(store.files[0])["city"].to_dict()["top"]
    time.pass_by(2 * HOUR)
    store.close()
    profile = snapshot.read(store.files[0])
    assert windows_of(profile) == [(0, 60)]
    assert profile["city"].to_dict()["top"] == before
    assert "Bergen" not in str(profile.to_dict())


def test_a_journal_that_cannot_be_read_back_is_left_as_it_is(tmp_path: Path) -> None:
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    for minute in range(3):
        store.append([cell(START + minute * MINUTE, [minute])])
    (path,) = store.files
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    time.pass_by(2 * HOUR)
    with pytest.raises(SnapshotError, match="at byte"):
        store.tidy()
    time.pass_by(HOUR)
    store.tidy()  # not tried again, and what comes next has another file
    assert path.read_bytes() == data
    assert files_of(tmp_path) == [path]


def test_a_file_that_somebody_removed_is_followed_by_another(tmp_path: Path) -> None:
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    store.append([cell(START, [1])])
    store.files[0].unlink()
    store.append([cell(START, [2])])
    time.pass_by(2 * HOUR)
    with pytest.raises(SnapshotError, match="is gone"):
        store.tidy()
    store.tidy()
    store.close()
    assert numbers_in(files_of(tmp_path)) == {2: 1}


# --- removing ------------------------------------------------------------------------------------


def kept(folder: Path) -> list[str]:
    return [path.name.split("-")[1][4:] for path in files_of(folder)]


def write_days(folder: Path, time: Time, days: int, step: int = 1) -> None:
    """A file of a process that has ended for each of some days."""
    for _ in range(days):
        store = storing.store(folder, time)
        store.append([cell(time.wall // MINUTE * MINUTE, [1])])
        store.close()
        time.pass_by(step * DAY)


def test_files_are_removed_when_they_are_old_enough_and_no_others(tmp_path: Path) -> None:
    time = Time()
    write_days(tmp_path, time, 10)  # 4 to 13 May; it is the 14th now
    others = [
        "fraud-eu-20200101-abcdef-1-00000000.lead",
        "fraud-20200101-abcdef-1-00000000.lead.txt",
        "fraud-20200101.lead",
        "frau-20200101-abcdef-1-00000000.lead",
        "fraud-20209999-abcdef-1-00000000.lead",
    ]
    for name in others:
        (tmp_path / name).write_bytes(b"other")
    store = storing.store(tmp_path, time, retain=5 * 86_400.0)
    store.append([cell(time.wall, [1])])
    store.tidy()
    for name in others:
        (tmp_path / name).unlink()
    assert kept(tmp_path) == ["0509", "0510", "0511", "0512", "0513", "0514"]
    assert store.health.removed == 5
    time.pass_by(3 * DAY)
    store.append([cell(time.wall, [2])])
    store.tidy()
    assert kept(tmp_path) == ["0512", "0513", "0514", "0517"]
    time.pass_by(9 * DAY)  # the own files, too, but never the one that is written
    store.append([cell(time.wall, [3])])
    store.tidy()
    assert kept(tmp_path)[-1] == "0526"


def test_files_of_a_process_that_lives_are_not_removed(tmp_path: Path) -> None:
    time = Time()
    living = storing.store(tmp_path, time)
    living.append([cell(START, [1])])
    time.pass_by(DAY)
    write_days(tmp_path, time, 6)
    store = storing.store(tmp_path, time, retain=86_400.0)
    store.tidy()
    assert "0504" in kept(tmp_path)
    living.close()
    time.pass_by(2 * HOUR)
    store.tidy()
    assert "0504" not in kept(tmp_path)


@pytest.mark.parametrize("years", [1, 30, -30])
def test_a_clock_that_jumps_removes_nothing_early(tmp_path: Path, years: int) -> None:
    time = Time()
    write_days(tmp_path, time, 20)
    store = storing.store(tmp_path, time, retain=15 * 86_400.0)
    store.append([cell(time.wall, [1])])
    store.tidy()
    before = files_of(tmp_path)
    time.wall += years * 365 * DAY
    for _ in range(48):
        store.append([cell(time.wall // MINUTE * MINUTE, [2])])
        store.tidy()
        time.pass_by(HOUR // 2)
    # Each day that the service ran counts, as it would have without the jump.
    assert set(before[1:]) <= set(files_of(tmp_path))
    assert {path for path in files_of(tmp_path) if path not in before} <= set(store.files)


def test_a_process_that_starts_with_a_wrong_clock_removes_nothing_early(tmp_path: Path) -> None:
    time = Time()
    write_days(tmp_path, time, 20)
    before = files_of(tmp_path)
    time.wall += 10 * 365 * DAY
    for _ in range(5):  # workers come and go, and each leaves a file of the wrong day
        store = storing.store(tmp_path, time, retain=20 * 86_400.0)
        store.append([cell(time.wall // MINUTE * MINUTE, [1])])
        store.tidy()
        store.close()
        time.pass_by(HOUR)
    assert set(before) <= set(files_of(tmp_path))


def test_a_service_that_runs_once_a_week_has_its_files_removed_in_time(tmp_path: Path) -> None:
    time = Time()
    write_days(tmp_path, time, 10, step=7)
    store = storing.store(tmp_path, time, retain=30 * 86_400.0)
    store.tidy()
    assert len(files_of(tmp_path)) == 4


def test_small_jumps_count_only_as_far_as_time_passes() -> None:
    time = Time()
    steady = SteadyTime(time.clock)
    time.pass_by(HOUR)
    assert steady.now() == START + HOUR
    time.wall += DAY
    assert steady.now() == START + HOUR
    time.pass_by(HOUR)
    assert steady.now() == START + 3 * HOUR
    time.wall -= 2 * DAY
    assert steady.now() == START + 2 * HOUR - DAY
    time.pass_by(HOUR)
    assert steady.now() == START + 3 * HOUR - DAY


def test_windows_keep_their_place_when_the_clock_is_set_back(tmp_path: Path) -> None:
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    times = [START, START + HOUR, START - DAY, START + MINUTE, START + 400 * DAY, START]
    for row, wall in enumerate(times):
        time.wall = wall
        time.running += HOUR
        store.append([cell(wall, [row])])
        store.tidy()
    store.close()
    found = {
        (window, held.rows)
        for path in files_of(tmp_path)
        for held in snapshot.read(path).cells
        for window in [(held.window.start, held.window.end)]  # type: ignore[union-attr]
    }
    assert sum(rows for _, rows in found) == 6
    assert {start for (start, _), _ in found} <= {*times, *(t // HOUR * HOUR for t in times)}
    assert numbers_in(files_of(tmp_path)) == dict.fromkeys(range(6), 1)


# --- processes -----------------------------------------------------------------------------------


def test_left_over_temporary_files_of_dead_processes_are_removed(tmp_path: Path) -> None:
    living = storing.store(tmp_path)
    living.append([cell(START, [1])])
    journal = living.files[0].name
    dead = tmp_path / f".{journal}.0123abcd.tmp"
    dead.write_bytes(b"half")
    twin = tmp_path / f".{journal}.0123abce.tmp"  # killed between the two calls that make a file
    os.link(living.files[0], twin)
    other = tmp_path / ".fraud-eu.lead.0123abcd.tmp"
    other.write_bytes(b"other")
    store = storing.store(tmp_path)
    store.tidy()
    assert not dead.exists()
    assert other.exists()
    assert twin.exists()  # its writer lives
    living.close()
    storing.store(tmp_path).tidy()
    assert not twin.exists()
    assert snapshot.read(living.files[0]).rows == 1


def test_a_temporary_file_that_another_process_takes_for_left_over_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flock, taken = files.fcntl.flock, []

    def late(descriptor: int, operation: int) -> None:
        for path in tmp_path.glob(".*.tmp"):
            if len(taken) < 2:
                taken.append(path)
                path.unlink()
        flock(descriptor, operation)

    monkeypatch.setattr(files.fcntl, "flock", late)
    store = storing.store(tmp_path)
    store.append([cell(START, [1])])
    assert len(taken) == 2
    assert numbers_in(files_of(tmp_path)) == {1: 1}
    assert list(tmp_path.glob(".*")) == []


def test_a_forked_child_writes_its_own_file(tmp_path: Path) -> None:
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    for minute in range(30):
        store.append([cell(START + minute * MINUTE, [minute])])
    time.pass_by(2 * HOUR)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            store.append([cell(time.wall, [1_000])])  # noticed without `forget`, too
            assert len(store.files) == 1
            assert str(os.getpid()) in store.files[0].name
            store.close()
            code = 0
        finally:
            os.write(writer, b"x")
            os._exit(code)
    os.close(writer)
    assert os.read(reader, 1) == b"x"
    os.close(reader)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    store.append([cell(time.wall, [31])])
    store.close()
    assert len(files_of(tmp_path)) == 2
    assert numbers_in(files_of(tmp_path)) == dict.fromkeys([*range(30), 31, 1_000], 1)


def test_a_fork_in_the_middle_of_rewriting_leaves_it_to_the_parent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_LONGEST_PORTION", 0.0)
    time = Time()
    store = storing.store(tmp_path, time, rollup="1h")
    for minute in range(30):
        store.append([cell(START + minute * MINUTE, [minute])])
    time.pass_by(2 * HOUR)
    for _ in range(5):
        store.tidy()
    assert [path.suffix for path in tmp_path.glob(".*")] == [".tmp"]
    child = os.fork()
    if child == 0:
        try:
            store.forget()
            store.append([cell(time.wall, [1_000])])
            store.tidy()
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    while not store.health.rewritten:
        store.tidy()
    assert windows_of(snapshot.read(store.files[0])) == [(0, 60)]
    assert numbers_in(files_of(tmp_path)) == dict.fromkeys([*range(30), 1_000], 1)
    assert list(tmp_path.glob(".*")) == []


def test_two_processes_of_one_identity_never_share_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder.secrets, "token_hex", lambda size: "0" * 2 * size)
    first, second = storing.store(tmp_path), storing.store(tmp_path)
    first.append([cell(START, [1])])
    with pytest.raises(SnapshotError, match="exists already"):
        second.append([cell(START, [2])])
    second.append([cell(START, [2])])
    assert [path.name.count("-") for path in (*first.files, *second.files)] == [4, 5]
    assert numbers_in(files_of(tmp_path)) == {1: 1, 2: 1}


def test_several_processes_never_write_one_file(tmp_path: Path) -> None:
    children = []
    for place in range(4):
        child = os.fork()
        if child == 0:
            code = 1
            try:
                store = storing.store(tmp_path, rollup="1h")
                for row in range(1_000 * place, 1_000 * place + 200):
                    store.append([cell(START + row % 50 * MINUTE, [row])])
                    store.tidy()
                store.close()
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert codes == [0] * 4
    assert len(files_of(tmp_path)) == 4
    rows = [1_000 * place + row for place in range(4) for row in range(200)]
    assert numbers_in(files_of(tmp_path)) == dict.fromkeys(rows, 1)
    assert list(tmp_path.glob(".*")) == []


def test_the_command_merges_and_shows_the_files_of_all_processes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    time = Time()
    for place in range(2):
        store = storing.store(tmp_path, Time(START), rollup="1h")
        for minute in range(90):
            store.append([cell(START + minute * MINUTE, [100 * place + minute])])
        store.close()
    time.pass_by(2 * HOUR)
    store = storing.store(tmp_path, time, rollup="1h")
    store.append([cell(START + minute * MINUTE, [300 + minute]) for minute in range(90)])
    store.close()  # this one has rolled up its first hour
    paths = files_of(tmp_path)
    torn = paths[0]
    torn.write_bytes(torn.read_bytes()[:-10])
    whole = tmp_path / "whole.lead"
    files = [str(path) for path in paths]
    assert main(["merge", *files, "-o", str(whole), "--quiet"]) == 0
    assert snapshot.read(whole).rows == 269
    capsys.readouterr()
    assert main(["show", str(whole)]) == 0
    assert "lost" in capsys.readouterr().out
    assert main(["show", str(torn)]) == 0
    assert "lost" in capsys.readouterr().out
    whole.unlink()
    assert main(["merge", *files, "-o", str(whole), "--every", "1d", "--quiet"]) == 0
    assert windows_of(snapshot.read(whole)) == [(0, 24 * 60)]
