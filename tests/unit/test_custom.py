"""Users' own summaries: run in the scan, stored, merged, compared; expectations by NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numba import njit

import leadline as ll
from leadline.errors import ComparisonError, InputError
from leadline.snapshot import encode

ROOT = Path(__file__).resolve().parents[2]


@njit(nogil=True)
def add_up(state: Any, values: Any) -> None:
    for value in values:
        state[0] += 1
        state[1] += value
        state[2] = max(state[2], value)


@njit(nogil=True)
def join(state: Any, other: Any) -> None:
    state[0] += other[0]
    state[1] += other[1]
    state[2] = max(state[2], other[2])


@njit(nogil=True)
def first_wins(state: Any, values: Any) -> None:
    if state[0] == 0 and len(values):
        state[0] = values[0]


@njit(nogil=True)
def keep_first(state: Any, other: Any) -> None:
    if state[0] == 0:
        state[0] = other[0]


@njit(nogil=True)
def divide(state: Any, values: Any) -> None:
    state[0] += 1 // int(values[0])


def mean_change(reference: Any, current: Any) -> float:
    return float(current[1] / current[0] - reference[1] / reference[0])


def totals(**options: Any) -> ll.CustomSummary:
    initial = np.array([0.0, 0.0, -np.inf])
    return ll.CustomSummary("totals", initial, update=add_up, merge=join, **options)


def expected(values: np.ndarray) -> list[float]:
    values = np.asarray(values, dtype=np.float64)
    return [len(values), values.sum(), values.max()]


@pytest.fixture
def integers() -> np.ndarray:
    """Whole numbers as doubles: their sums are exact in any order."""
    return np.random.default_rng(3).integers(-1000, 1000, 2_500_000).astype(np.float64)


def test_the_state_is_that_of_all_values_for_any_threads(integers: np.ndarray) -> None:
    for threads in (1, 2, 3):
        profile = ll.profile({"x": integers}, summaries=[totals()], threads=threads)
        assert profile["x"].custom["totals"].tolist() == expected(integers)


def test_units_are_merged_in_the_order_of_the_rows(integers: np.ndarray) -> None:
    first = ll.CustomSummary("first", np.zeros(1), update=first_wins, merge=keep_first)
    integers[:5] = [0, 0, 0, 0, 7]
    profile = ll.profile({"x": np.where(integers == 0, np.nan, integers)}, summaries=[first])
    assert profile["x"].custom["first"][0] == 7


def test_nulls_and_nan_are_not_among_the_values() -> None:
    column = pa.array([1.0, None, float("nan"), 3.0, float("inf")])
    profile = ll.profile({"x": column}, summaries=[totals()])
    assert profile["x"].custom["totals"].tolist() == [3, np.inf, np.inf]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (pa.array([True, False, None, True]), [1, 0, 1]),
        (pa.array([1, 200], pa.uint8()), [1, 200]),
        (pa.array([2**40, None], pa.uint64()), [2**40]),
        (pa.array([1, 3], pa.date32()), [1, 3]),
        (pa.array([1.5, 2.5], pa.float32()), [1.5, 2.5]),
    ],
)
def test_every_numeric_type_is_taken(column: pa.Array, values: list[float]) -> None:
    profile = ll.profile({"x": column}, summaries=[totals()])
    assert profile["x"].custom["totals"].tolist() == expected(np.array(values))


def test_every_cell_has_a_state_of_its_own(integers: np.ndarray) -> None:
    keys = np.random.default_rng(4).integers(0, 300, len(integers))
    profile = ll.profile({"x": integers, "key": keys}, segments=["key"], summaries=[totals()])
    for key in (0, 7, 299):
        part = profile.select(segment=[key])
        assert part["x"].custom["totals"].tolist() == expected(integers[keys == key])
    assert profile["x"].custom["totals"].tolist() == expected(integers)


def test_cells_that_left_memory_are_merged_alike(integers: np.ndarray) -> None:
    data = {"x": integers, "key": np.arange(len(integers)) % 500}
    wide, tight = (
        ll.profile(data, segments=["key"], summaries=[totals()], memory=memory)
        for memory in (2**30, 2**16)
    )
    assert wide["x"].custom["totals"].tolist() == tight["x"].custom["totals"].tolist()


def test_files_of_other_types_and_without_values_are_merged(tmp_path: Path) -> None:
    for number, column in enumerate([pa.array([1, 2]), pa.array([0.5]), pa.nulls(3)]):
        pq.write_table(pa.table({"x": column}), tmp_path / f"{number}.parquet")
    profile = ll.profile(tmp_path, summaries=[totals()])
    assert profile["x"].custom["totals"].tolist() == [3, 3.5, 2]


def test_only_named_columns_get_it() -> None:
    data = {"a": [1.0], "b": [2.0], "c": ["x"]}
    profile = ll.profile(data, summaries=[totals(columns=["b"])])
    assert [name for name in profile if profile[name].custom] == ["b"]
    everywhere = ll.profile(data, summaries=[totals()])
    assert [name for name in everywhere if everywhere[name].custom] == ["a", "b"]


# --- files ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "initial",
    [
        np.array([[1, -2], [3, 4]], np.int16),
        np.array(2.5),
        np.array([True, False]),
        np.array([1 + 2j], np.complex64),
        np.array([0.1, np.nan, -np.inf]),
    ],
)
def test_a_snapshot_gives_the_state_back(tmp_path: Path, initial: np.ndarray) -> None:
    @njit(nogil=True)
    def nothing(state: Any, values: Any) -> None:
        pass

    own = ll.CustomSummary("own", initial, update=nothing, merge=nothing)
    ll.profile({"x": [1.0]}, summaries=[own]).save(tmp_path / "x.lead")
    read = ll.read(tmp_path / "x.lead")["x"].custom["own"]
    assert (read.dtype, read.shape) == (initial.dtype, initial.shape)
    assert read.tobytes() == initial.tobytes()


def test_a_profile_read_with_its_functions_merges(tmp_path: Path) -> None:
    for name, values in (("a", [1.0, 2.0]), ("b", [5.0])):
        ll.profile({"x": values}, summaries=[totals()]).save(tmp_path / f"{name}.lead")
    a, b = (ll.read(tmp_path / f"{name}.lead", summaries=[totals()]) for name in "ab")
    assert a.merge(b)["x"].custom["totals"].tolist() == [3, 8, 5]
    bare = ll.read(tmp_path / "b.lead")
    assert a.merge(bare)["x"].custom["totals"].tolist() == [3, 8, 5]
    with pytest.raises(ComparisonError, match=r"'totals' cannot be merged.*summaries="):
        ll.read(tmp_path / "a.lead").merge(bare)


def test_cells_without_functions_still_give_every_other_figure(tmp_path: Path) -> None:
    data = {"x": [1.0, 2.0], "key": ["a", "b"]}
    ll.profile(data, segments=["key"], summaries=[totals()]).save(tmp_path / "x.lead")
    column = ll.read(tmp_path / "x.lead")["x"]
    assert column.mean == 1.5
    with pytest.raises(ComparisonError, match="functions are not known"):
        _ = column.custom
    assert "functions are not known" in column.to_dict()["custom"]["totals"]["problem"]


def test_a_state_of_a_part_of_the_rows_is_not_shown_as_the_whole() -> None:
    with_state = ll.profile({"x": [1.0]}, summaries=[totals()])
    merged = with_state.merge(ll.profile({"x": [2.0]}), allow_repeats=True)
    with pytest.raises(ComparisonError, match="a part of the rows only"):
        _ = merged["x"].custom


def test_functions_of_another_state_are_refused(tmp_path: Path) -> None:
    ll.profile({"x": [1.0]}, summaries=[totals()]).save(tmp_path / "x.lead")
    other = ll.CustomSummary("totals", np.zeros(2), update=add_up, merge=join)
    with pytest.raises(InputError, match=r"float64\[3\] in the snapshot and float64\[2\]"):
        ll.read(tmp_path / "x.lead", summaries=[other])


# --- comparisons ---------------------------------------------------------------------------------


def test_two_states_are_compared() -> None:
    a, b = (
        ll.profile({"x": values}, summaries=[totals(compare=mean_change)])
        for values in ([1.0, 3.0], [5.0, 9.0])
    )
    column = ll.compare(a, b)["x"]
    assert column.custom["totals"].value == 5.0
    assert column.to_dict()["custom"]["totals"]["value"] == 5.0


def test_a_comparison_without_a_function_of_two_states_has_none() -> None:
    a = ll.profile({"x": [1.0]}, summaries=[totals()])
    assert ll.compare(a, a)["x"].custom == {}


def test_a_failing_comparison_names_summary_and_column() -> None:
    def fails(reference: Any, current: Any) -> float:
        raise ValueError("no")

    a = ll.profile({"x": [1.0]}, summaries=[totals(compare=fails)])
    with pytest.raises(ComparisonError, match="summary 'totals' failed on column 'x': ValueError"):
        _ = ll.compare(a, a)["x"].custom


# --- refusals ------------------------------------------------------------------------------------


def plain(state: Any, values: Any) -> None:
    state[0] += len(values)


@njit
def holding_the_lock(state: Any, values: Any) -> None:
    state[0] += len(values)


@njit(nogil=True)
def nonsense(state: Any, values: Any) -> None:
    state.append(values)


@njit(nogil=True)
def of_one(state: Any) -> None:
    state[0] += 1


@njit(nogil=True)
def with_a_result(state: Any, values: Any) -> Any:
    return state + len(values)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"update": of_one}, "update of summary 'own' cannot be called with two arguments"),
        ({"update": plain}, "update of summary 'own' is not compiled"),
        ({"merge": plain}, "merge of summary 'own' is not compiled"),
        ({"update": holding_the_lock}, "without nogil=True"),
        ({"name": "my own"}, "cannot name a summary"),
        ({"initial": np.array(["a"])}, "use an array of numbers"),
        ({"initial": np.zeros(2**17 + 1)}, "has 1,048,584 bytes"),
        ({"initial": np.zeros((0, 3))}, "has 0 bytes"),
        ({"columns": "x"}, "is a list of names"),
        ({"compare": 3}, "is not a function"),
    ],
)
def test_what_cannot_work_is_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    given = {"name": "own", "initial": np.zeros(3), "update": add_up, "merge": join} | arguments
    with pytest.raises(InputError, match=re.escape(message)):
        ll.CustomSummary(given.pop("name"), given.pop("initial"), **given)


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (lambda: [totals(columns=["z"])], {}, "there is no column 'z'"),
        (lambda: [totals(columns=["t"])], {}, "column 't' is string"),
        (lambda: [totals(columns=["x"])], {"redact": ["x"]}, "is redacted"),
        (lambda: [totals(), totals()], {}, "two summaries are named 'totals'"),
        (totals, {}, "summaries is a list"),
        (lambda: [add_up], {}, "list of leadline.CustomSummary objects, not of"),
        (
            lambda: [ll.CustomSummary("own", np.zeros(1), update=nonsense, merge=join)],
            {},
            "update of summary 'own' for float64 cannot be compiled: line",
        ),
        (
            lambda: [ll.CustomSummary("own", np.zeros(1), update=with_a_result, merge=join)],
            {},
            "update of summary 'own' for float64 returns a value, which is not used; change its",
        ),
        (
            lambda: [ll.CustomSummary("own", np.zeros(1), update=divide, merge=join)],
            {},
            "summary 'own' failed: ZeroDivisionError",
        ),
    ],
)
def test_what_does_not_fit_the_data_is_one_error(
    make: Callable[[], Any], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        ll.profile({"x": [0.0, 1.0], "t": ["a", "b"]}, summaries=make(), **options)


def test_redacted_columns_get_no_summary_by_default() -> None:
    profile = ll.profile({"x": [1.0], "y": [2.0]}, summaries=[totals()], redact=["x"])
    assert not profile["x"].custom
    assert profile["y"].custom


# --- the documented example ----------------------------------------------------------------------


def test_the_documented_example_runs(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "summaries.md").read_text(encoding="utf-8")
    example, session = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    code = [line for line in example.splitlines() if line.strip()]
    assert len(code) <= 20
    scope: dict[str, Any] = {}
    exec(compile(example, "large.py", "exec"), scope)
    exec(compile(session, "session.py", "exec"), scope)
    assert scope["profile"]["amount"].custom["large"].tolist() == [2, 4]


def test_updates_and_interrupted_scans_keep_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [tmp_path / f"{place}.parquet" for place in range(3)]
    for place, path in enumerate(files):
        pq.write_table(pa.table({"x": [place, 10.0], "s": ["a", "b"]}), path)
    options: dict[str, Any] = {"summaries": [totals()], "segments": ["s"]}
    whole = encode(ll.profile(files, **options))
    ll.profile(files[:1], **options).save(tmp_path / "x.lead")
    assert encode(ll.profile(files, update=tmp_path / "x.lead", summaries=[totals()])) == whole
    with pytest.raises(InputError, match=r"holds the summaries \['totals'\]"):
        ll.profile(files, update=tmp_path / "x.lead")

    def stop(progress: Any) -> None:
        if progress.rows_done == 4:
            raise KeyboardInterrupt

    monkeypatch.setattr("leadline.scan.checkpoint.INTERVAL", 0.0)
    kept = tmp_path / "x.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        ll.profile(files, checkpoint=kept, progress=stop, memory=1, **options)
    with pytest.raises(InputError, match="had other summaries"):
        ll.profile(files, checkpoint=kept, resume=True, segments=["s"])
    assert encode(ll.profile(files, checkpoint=kept, resume=True, **options)) == whole
