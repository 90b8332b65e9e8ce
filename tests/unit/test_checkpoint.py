"""A scan that is interrupted anywhere and goes on gives the bytes of one that was not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline.errors import InputError, LeadlineError
from leadline.profile import Profile
from leadline.scan import profile
from leadline.scan.checkpoint import Checkpoint
from leadline.scan.options import Progress
from leadline.snapshot import encode
from scanning import profile_in_units

PLAIN: dict[str, Any] = {}
WINDOWS: dict[str, Any] = {"time": "ts", "every": "1d", "segments": ("where",)}
STORED: dict[str, Any] = {**WINDOWS, "memory": 1}


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after every unit of work."""
    monkeypatch.setattr("leadline.scan.checkpoint.INTERVAL", 0.0)
    monkeypatch.setattr("leadline.scan.checkpoint.COSTS", 0)


def rows(seed: int, count: int = 300) -> pa.Table:
    random = np.random.default_rng(seed)
    begin = np.datetime64("2026-01-01", "us") + 86_400_000_000 * (seed % 5)
    return pa.table(
        {
            "ts": pa.array(begin + random.integers(0, 86_400_000_000, count), pa.timestamp("us")),
            "number": pa.array(random.normal(size=count), mask=random.random(count) < 0.1),
            "count": pa.array(random.integers(0, 50, count)),
            "text": pa.array([f"t{value}" for value in random.zipf(1.5, count) % 3_000]),
            "where": pa.array(random.choice(["DE", "FR", "IT"], count)),
        }
    )


def write(path: Path, data: pa.Table) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".csv":
        from pyarrow import csv

        csv.write_csv(data, path)
    elif path.suffix == ".arrow":
        with pa.ipc.new_file(path, data.schema) as writer:
            writer.write_table(data, max_chunksize=70)
    else:
        pq.write_table(data, path, row_group_size=70)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    for place in range(3):
        write(tmp_path / f"logs/{place}.parquet", rows(place))
    return tmp_path / "logs"


@pytest.fixture(params=["parquet", "csv", "arrow"])
def archives(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The same in several formats."""
    for place in range(3):
        write(tmp_path / f"logs/{place}.{request.param}", rows(place))
    return tmp_path / "logs"


def killed_after(saves: int) -> Callable[[pytest.MonkeyPatch], None]:
    """Let the process end right after so many checkpoints."""

    def arrange(monkeypatch: pytest.MonkeyPatch) -> None:
        left = [saves]
        save = Checkpoint.save

        def count(self: Checkpoint, *values: Any) -> None:
            if not left[0]:
                raise Killed
            left[0] -= 1
            save(self, *values)

        monkeypatch.setattr(Checkpoint, "save", count)

    return arrange


def interrupted(data: Any, path: Path, saves: int, **options: Any) -> bool:
    """Run until so many checkpoints are written; False if the scan ended before."""
    with pytest.MonkeyPatch.context() as patch, Checkpoint(path) as kept:
        killed_after(saves)(patch)
        try:
            profile_in_units(data, checkpoint=kept, **options)
        except Killed:
            return True
    return False


def resumed(data: Any, path: Path, **options: Any) -> Profile:
    with Checkpoint(path) as kept:
        result = profile_in_units(data, checkpoint=kept, resume=True, **options)
        kept.remove()
    return result


@pytest.mark.parametrize("options", [PLAIN, WINDOWS, STORED])
@pytest.mark.parametrize("threads", [1, 2])
def test_any_checkpoint_leads_to_the_same_bytes(
    archives: Path, tmp_path: Path, options: dict[str, Any], threads: int
) -> None:
    expected = encode(profile_in_units(archives, **options))
    path = tmp_path / "x.checkpoint"
    seen = 0
    for saves in (1, 3, 6, 10, 14):
        if not interrupted(archives, path, saves, threads=threads, **options):
            break
        seen += 1
        assert encode(resumed(archives, path, threads=3 - threads, **options)) == expected
        assert [entry.name for entry in tmp_path.iterdir()] == ["logs"]
    assert seen > 3


@settings(max_examples=8)
@given(st.lists(st.integers(1, 6), min_size=1, max_size=5), st.sampled_from([1, 60_000, 2**30]))
def test_many_interruptions_of_one_run(
    tmp_path_factory: pytest.TempPathFactory, steps: list[int], memory: int
) -> None:
    folder = tmp_path_factory.mktemp("many")
    for place, suffix in enumerate(("csv", "parquet", "csv", "arrow")):
        data = rows(place).drop_columns(["ts"])
        write(folder / f"logs/{place}.{suffix}", data)
    options: dict[str, Any] = {"segments": ("where",), "memory": memory}
    expected = encode(profile_in_units(folder / "logs", **options))
    path = folder / "x.checkpoint"
    going = interrupted(folder / "logs", path, steps[0], **options)
    for saves in steps[1:]:
        if going:
            going = interrupted(folder / "logs", path, saves, resume=True, **options)
    assert encode(resumed(folder / "logs", path, **options)) == expected


def test_going_on_reads_no_row_again(tmp_path: Path) -> None:
    data = [write(tmp_path / f"{place}.parquet", rows(place)) for place in range(3)]
    path = tmp_path / "x.checkpoint"
    assert interrupted(data, path, 7)  # of five units of a file
    reports: list[Progress] = []
    with Checkpoint(path) as kept:
        profile_in_units(data, checkpoint=kept, resume=True, progress=reports.append)
    assert reports[0].rows_done == 300 + 2 * 70
    assert reports[-1].rows_done == reports[-1].rows_total == 900
    done = [report.rows_done for report in reports]
    assert done == sorted(done)


LATE = ["1"] * 400 + ["2.5"] + ["3"] * 100


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("memory", [1, 2**30])
def test_types_that_change_inside_a_file(tmp_path: Path, place: int, memory: int) -> None:
    """Also when the change is met only after going on, and the file begins again."""
    from leadline.scan.formats import json_lines

    lines = [f'{{"v": {value}, "s": "{"ab"[len(value) % 2]}"}}\n' for value in LATE]
    folder = tmp_path / "logs"
    folder.mkdir()
    plain = '{"v": 7, "s": "a"}\n' * 130
    for number in range(3):
        text = "".join(lines) if number == place else plain
        (folder / f"{number}.jsonl").write_text(text)
    options: dict[str, Any] = {"segments": ("s",), "memory": memory, "unit_rows": 50}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_lines, "_BLOCK", 1_000)
        expected = encode(profile_in_units(folder, **options))
        path = tmp_path / "x.checkpoint"
        for saves in (2, 6, 9, 11, 13, 15):
            if not interrupted(folder, path, saves, **options):
                break
            assert encode(resumed(folder, path, **options)) == expected
    assert saves > 9


def test_an_update_can_be_gone_on_with(archives: Path, tmp_path: Path) -> None:
    files = sorted(archives.iterdir())
    base = profile_in_units(files[:1], **WINDOWS)
    expected = encode(profile_in_units(files, **WINDOWS))
    path = tmp_path / "x.checkpoint"
    for saves in (1, 4, 6):
        assert interrupted(files, path, saves, base=base)
        assert encode(resumed(files, path, base=base)) == expected
    assert interrupted(files, path, 2, base=base)
    with pytest.raises(InputError, match="interrupted run was adding new files to a snapshot"):
        resumed(files, path, **WINDOWS)
    other = profile_in_units(files[1:2], **WINDOWS)
    with pytest.raises(InputError, match="and not what is asked for now"):
        resumed(files, path, base=other)


def test_the_public_function(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.checkpoint"
    expected = encode(profile(archive))

    def stop(progress: Progress) -> None:
        if progress.rows_done > 500:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile(archive, checkpoint=path, progress=stop)
    assert path.exists()
    assert encode(profile(archive, checkpoint=str(path), resume=True)) == expected
    assert not path.exists()
    assert encode(profile(archive, checkpoint=path, resume=True)) == expected


def test_nobody_else_may_read_it(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 3, **STORED)
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "logs",
        "x.checkpoint",
        "x.checkpoint.cells",
    }
    for name in ("x.checkpoint", "x.checkpoint.cells"):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600


def test_starting_from_the_beginning_replaces_it(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 7, **STORED)
    (tmp_path / ".x.checkpoint.0123abcd.tmp").write_bytes(b"torn")
    with Checkpoint(path) as kept:
        found = profile_in_units(archive, checkpoint=kept, **WINDOWS)
        kept.remove()
    assert encode(found) == encode(profile_in_units(archive, **WINDOWS))
    assert [entry.name for entry in tmp_path.iterdir()] == ["logs"]


# --- refusals ------------------------------------------------------------------------------------


def rewrite(folder: Path) -> None:
    for path in folder.glob("0.*"):
        write(path, rows(8))


def touch(folder: Path) -> None:
    for path in folder.glob("1.*"):
        os.utime(path, (1, 1))


def remove(folder: Path) -> None:
    for path in folder.glob("0.*"):
        path.unlink()


def put_before(folder: Path) -> None:
    write(folder / "00.csv", rows(9))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rewrite, r"/0\.\w+ has changed since the interrupted run read it; start again"),
        (touch, r"/1\.\w+ has changed since"),
        (remove, r"^0\.\w+, which the interrupted run has read, is not among the paths"),
        (put_before, r"/00\.csv comes before files that the interrupted run has read"),
    ],
)
def test_inputs_that_changed(
    archives: Path, tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archives, path, 7)
    change(archives)
    with pytest.raises(InputError, match=message):
        resumed(archives, path)
    assert path.exists()


def test_files_behind_the_checkpoint_may_change(archives: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archives, path, 3, **WINDOWS)
    write(next(archives.glob("2.*")), rows(12))
    for name in ("3", "sub/4"):
        write(archives / f"{name}{next(archives.glob('2.*')).suffix}", rows(13))
    assert encode(resumed(archives, path, **WINDOWS)) == encode(
        profile_in_units(archives, **WINDOWS)
    )


def test_the_common_root_may_move(tmp_path: Path) -> None:
    days = tmp_path / "2026/01"
    for place in range(3):
        data = rows(place).append_column("late", pa.array([place] * 300))
        write(days / f"{place}.parquet", rows(0) if place == 0 else data)
    path = tmp_path / "x.checkpoint"
    assert interrupted(tmp_path / "2026", path, 6)
    write(tmp_path / "2026/02/0.parquet", rows(5))
    expected = profile_in_units(tmp_path / "2026")
    assert expected.events[0].source == "01/1.parquet"
    assert encode(resumed(tmp_path / "2026", path)) == encode(expected)


def test_a_later_file_that_has_earlier_ones_read_otherwise(tmp_path: Path) -> None:
    for place in range(2):
        write(tmp_path / f"logs/{place}.parquet", rows(place))
    path = tmp_path / "x.checkpoint"
    assert interrupted(tmp_path / "logs", path, 3, **WINDOWS)
    data = rows(7)
    finer = data.set_column(0, "ts", data["ts"].cast(pa.timestamp("ns")))
    pq.write_table(finer, tmp_path / "logs/2.parquet")
    expected = profile_in_units(tmp_path / "logs", **WINDOWS)
    assert expected["ts"].type == "timestamp[ns]"
    assert encode(resumed(tmp_path / "logs", path, **WINDOWS)) == encode(expected)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": "1h"}, "had every '1d', not '1h'"),
        ({"segments": ()}, r"had segments \['where'\], not \[\]"),
        ({"unit_rows": 65}, "had unit_rows 64, not 65"),
        ({"columns": ("text",)}, r"had no columns, not \['text'\]"),
    ],
)
def test_other_settings(
    archive: Path, tmp_path: Path, options: dict[str, Any], message: str
) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 3, **WINDOWS)
    with pytest.raises(InputError, match=message):
        resumed(archive, path, **{**WINDOWS, **options})


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
@pytest.mark.parametrize("name", ["x.checkpoint", "x.checkpoint.cells"])
def test_damage_is_told(archive: Path, tmp_path: Path, name: str, share: float) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 6, **STORED)
    with Checkpoint(path) as kept:
        saved = kept.load({})
    assert saved is not None
    data = bytearray((tmp_path / name).read_bytes())
    if name.endswith("cells"):
        del data[saved.state["end"] :]  # nobody looks at what follows
    data[int(share * len(data))] ^= 0x55
    (tmp_path / name).write_bytes(data)
    with pytest.raises(LeadlineError, match="start again"):
        resumed(archive, path, **STORED)
    (tmp_path / name).write_bytes(data[: int(share * len(data))])
    with pytest.raises(LeadlineError, match="start again"):
        resumed(archive, path, **STORED)


@pytest.mark.parametrize("name", ["x.checkpoint", "x.checkpoint.cells"])
def test_a_damaged_part_is_told_from_a_foreign_file(
    archive: Path, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 6, **STORED)
    (tmp_path / name).write_bytes(b"junk")
    for resume in (False, True):
        with pytest.raises(InputError, match=f"{name} begins like no part.*remove both, and start"):
            profile(archive, checkpoint=path, resume=resume, **STORED)
    assert (tmp_path / name).read_bytes() == b"junk"


def test_damaged_cells_are_found_before_anything_is_read(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, cells = tmp_path / "x.checkpoint", tmp_path / "x.checkpoint.cells"
    assert interrupted(archive, path, 6, **STORED)
    with Checkpoint(path) as kept:
        saved = kept.load({})
    assert saved is not None
    data = bytearray(cells.read_bytes())
    data[saved.state["end"] - 1] ^= 1  # inside a cell, not in the line that describes it
    cells.write_bytes(data)
    seen: list[Any] = []
    with pytest.raises(InputError, match=r"checkpoint cannot be used .*; start again"):
        resumed(archive, path, **STORED, progress=seen.append)
    assert not seen


def test_another_version(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 3)
    monkeypatch.setattr("leadline.scan.checkpoint.metadata.version", lambda _: "99.0")
    with pytest.raises(InputError, match=r"cannot be used \(leadline \S+ wrote it\); start again"):
        resumed(archive, path)


def test_only_one_scan_at_a_time(archive: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 3)
    with Checkpoint(path) as kept:
        assert kept.load({}) is not None
        for resume in (False, True):
            with pytest.raises(InputError, match="belongs to a run that is under way"):
                profile(archive, checkpoint=path, resume=resume)
    profile(archive, checkpoint=path, resume=False)


def test_objects_cannot_be_read_again(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="only files can be read again"):
        profile({"x": [1]}, checkpoint=tmp_path / "x.checkpoint")
    with pytest.raises(InputError, match="resume needs the path of the checkpoint"):
        profile({"x": [1]}, resume=True)


def test_a_disk_that_is_full_ends_no_scan(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(28, "No space left on device")

    expected = encode(profile(archive))
    with monkeypatch.context() as patch:
        patch.setattr("leadline.snapshot.files.os.fsync", refuse)
        with pytest.warns(UserWarning, match="no checkpoint could be written.*No space left"):
            found = profile(archive, checkpoint=tmp_path / "x.checkpoint")
    assert encode(found) == expected
    assert [entry.name for entry in tmp_path.iterdir()] == ["logs"]


def test_a_scan_that_fails_before_its_first_checkpoint_leaves_nothing(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadline.scan.checkpoint.INTERVAL", 1_000)
    path = tmp_path / "x.checkpoint"
    beside: set[bool] = set()

    def stop(progress: Any) -> None:
        beside.add((tmp_path / "x.checkpoint.cells").exists())
        if progress.rows_done == progress.rows_total:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Checkpoint(path) as kept:
        profile_in_units(archive, checkpoint=kept, progress=stop, **STORED)
    assert True in beside
    assert [entry.name for entry in tmp_path.iterdir()] == ["logs"]


def test_a_checkpoint_is_no_snapshot(archive: Path, tmp_path: Path) -> None:
    from leadline import snapshot
    from leadline.errors import SnapshotError

    path = tmp_path / "x.checkpoint"
    assert interrupted(archive, path, 2)
    with pytest.raises(SnapshotError, match="checkpoint of an interrupted run; go on with"):
        snapshot.read(path)
    snapshot.write(profile(archive), tmp_path / "y.checkpoint")
    with pytest.raises(InputError, match="there already and is no checkpoint"):
        resumed(archive, tmp_path / "y.checkpoint")
