"""The main job on real data: 336,776 flights of 2013 as twelve monthly files.

Every expected value is computed from the raw rows by NumPy, pandas or SciPy.
"""

from __future__ import annotations

import math
import struct
from collections import Counter
from pathlib import Path

import datasketches
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import zstandard

import leadline as ll
import oracle
from leadline import _native, snapshot
from leadline.profile import Profile
from leadline.profile.summaries import NumericSummary, TextSummary, TimestampSummary

SHARES = (0.001, 0.01, *(round(0.05 * step, 2) for step in range(1, 20)), 0.99, 0.999)
# The project's promise for a column where buckets do not do better, and for the others.
RANK_ERROR, FINE_RANK_ERROR = 0.007, 0.002


@pytest.fixture(scope="module")
def table(flights: Path) -> pa.Table:
    files = sorted(flights.glob("*.parquet"))
    assert len(files) == 12
    return pa.concat_tables([pq.read_table(file) for file in files])


@pytest.fixture(scope="module")
def profile(flights: Path) -> Profile:
    return ll.profile(flights, threads=2)


@pytest.fixture(scope="module")
def cells(flights: Path) -> Profile:
    return ll.profile(
        flights, time="time_hour", every="1d", tz="America/New_York", segments=["origin"]
    )


def numbers(table: pa.Table, name: str) -> np.ndarray:
    column = table[name].drop_null()
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
    values = column.to_numpy()
    return values[~np.isnan(values)] if values.dtype.kind == "f" else values


def numeric_names(table: pa.Table) -> list[str]:
    return [
        f.name for f in table.schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)
    ]


def test_counts_and_extremes_are_exact(table: pa.Table, profile: Profile) -> None:
    assert profile.rows == table.num_rows == 336_776
    assert profile.names == tuple(table.column_names)
    for name in table.column_names:
        figures = profile[name]
        assert figures.rows == table.num_rows, name
        assert figures.nulls == table[name].null_count, name
    for name in numeric_names(table):
        values = numbers(table, name)
        column = profile[name]
        assert column.nan == len(table[name].drop_null()) - len(values), name
        assert column.min == values.min(), name
        assert column.max == values.max(), name
    assert profile["time_hour"].min == pc.min(table["time_hour"]).as_py()
    assert profile["time_hour"].max == pc.max(table["time_hour"]).as_py()


def test_mean_and_deviation_agree_with_numpy(table: pa.Table, profile: Profile) -> None:
    for name in numeric_names(table):
        values = numbers(table, name).astype(np.float64)
        column = profile[name]
        assert column.mean == pytest.approx(np.mean(values), rel=1e-12), name
        assert column.std == pytest.approx(np.std(values, ddof=1), rel=1e-12), name


def test_every_quantile_lies_in_its_interval(table: pa.Table, profile: Profile) -> None:
    for name in [*numeric_names(table), "time_hour"]:
        values = np.sort(numbers(table, name))
        for share in SHARES:
            true = values[max(math.ceil(share * len(values)) - 1, 0)]
            estimate = profile[name].quantile(share)
            assert estimate.lower <= true <= estimate.upper, (name, share)
            below = np.searchsorted(values, [estimate.value, np.nextafter(estimate.value, np.inf)])
            error = max(below[0] / len(values) - share, share - below[1] / len(values), 0.0)
            assert error <= profile[name].band.rank_error + 1 / len(values), (name, share)


def test_printed_rank_errors_keep_the_promise(profile: Profile, table: pa.Table) -> None:
    for name in numeric_names(table):
        summary = profile[name].numeric
        assert summary is not None
        if summary.counts is not None:
            assert profile[name].band.rank_error == 0.0, name
            continue
        heaviest = summary.get_histogram().heaviest / summary.total
        bound = FINE_RANK_ERROR if heaviest <= 0.002 else RANK_ERROR
        assert profile[name].band.rank_error <= bound, name


def test_distinct_counts_lie_in_their_intervals(table: pa.Table, profile: Profile) -> None:
    for name in table.column_names:
        column = table[name].drop_null()
        true = (
            len(np.unique(numbers(table, name)))
            if name in numeric_names(table)
            else len(column.unique())
        )
        estimate = profile[name].distinct
        assert estimate.lower <= true <= estimate.upper, name


@pytest.mark.parametrize("name", ["carrier", "origin", "dest"])
def test_categories_are_counted_exactly(table: pa.Table, profile: Profile, name: str) -> None:
    true = Counter(table[name].drop_null().to_pylist())
    summary = profile[name].text
    assert summary is not None
    assert summary.counts.exact
    counted = {
        key.decode(): int(n)
        for key, n in zip(summary.counts.keys, summary.counts.counts, strict=True)
    }
    assert counted == dict(true)


def assert_same_exact_states(a: Profile, b: Profile) -> None:
    """All states that are promised as exact or order-free are equal."""
    assert a.names == b.names
    for name in a.names:
        left, right = a[name].state, b[name].state
        assert (left.rows, left.nulls) == (right.rows, right.nulls), name
        x, y = left.summary, right.summary
        assert type(x) is type(y), name
        if isinstance(x, TextSummary) and isinstance(y, TextSummary):
            assert (x.empty, x.lengths, x.classes) == (y.empty, y.lengths, y.classes), name
            assert x.counts.exact == y.counts.exact, name
            assert x.counts == y.counts or not x.counts.exact, name
            assert x.distinct == y.distinct, name
        elif isinstance(x, NumericSummary) and isinstance(y, NumericSummary):
            for part in ("nan", "positive_infinity", "negative_infinity", "zeros", "negatives"):
                assert getattr(x, part) == getattr(y, part), (name, part)
            assert x.counts == y.counts, name
            assert x.histogram == y.histogram, name
            assert x.distinct == y.distinct, name
            p, q = x.get_moments(), y.get_moments()
            scale = max(abs(p.mean), p.std)
            assert (p.count, p.minimum, p.maximum) == (q.count, q.minimum, q.maximum), name
            assert abs(p.mean - q.mean) <= 1e-12 * scale, name
            assert abs(p.std - q.std) <= 1e-12 * scale, name
        elif isinstance(x, TimestampSummary) and isinstance(y, TimestampSummary):
            assert (x.minimum, x.maximum, x.total) == (y.minimum, y.maximum, y.total), name
            assert x.get_calendar() == y.get_calendar(), name
            assert x.distinct == y.distinct, name


def test_monthly_snapshots_merge_to_the_whole(
    flights: Path, profile: Profile, tmp_path: Path
) -> None:
    parts = []
    for file in sorted(flights.glob("*.parquet")):
        ll.profile(file).save(tmp_path / f"{file.stem}.lead")
        parts.append(ll.read(tmp_path / f"{file.stem}.lead"))
    merged = ll.merge(parts)
    assert merged.rows == profile.rows
    assert_same_exact_states(profile, merged)
    for name in profile.names:
        if profile[name].numeric is None or profile[name].numeric.counts is not None:
            continue
        for share in SHARES:
            a, b = profile[name].quantile(share), merged[name].quantile(share)
            assert max(a.lower, b.lower) <= min(a.upper, b.upper), (name, share)


def test_bytes_do_not_depend_on_threads_runs_or_instruction_sets(flights: Path) -> None:
    def run(threads: int) -> bytes:
        return snapshot.encode(
            ll.profile(
                flights,
                threads=threads,
                time="time_hour",
                every="1mo",
                tz="America/New_York",
                segments=["origin"],
            )
        )

    expected = run(1)
    assert run(2) == expected
    assert run(4) == expected
    assert run(1) == expected
    active = _native.active_instruction_set()
    try:
        for name in _native.instruction_sets():
            _native.force_instruction_set(name)
            assert run(2) == expected, name
    finally:
        _native.force_instruction_set(active)


# Pairs of months, from 0: neighbours and opposite seasons, also backwards.
PAIRS = ((0, 6), (1, 7), (2, 8), (3, 11), (4, 10), (5, 6), (9, 0), (11, 0))
NUMERIC = ("ks", "psi", "jensen_shannon", "wasserstein")
CATEGORICAL = ("chi2", "jensen_shannon", "psi", "total_variation")


def test_statistics_of_months_hold_the_raw_value(flights: Path) -> None:
    files = sorted(flights.glob("*.parquet"))
    raw = [pq.read_table(file) for file in files]
    profiles = [ll.profile(file) for file in files]
    for first, second in PAIRS:
        comparison = ll.compare(profiles[first], profiles[second])
        for name in numeric_names(raw[0]):
            check_numbers(comparison[name], *(numbers(raw[i], name) for i in (first, second)))
        for field in raw[0].schema:
            if pa.types.is_string(field.type):
                sides = (raw[i][field.name].drop_null().to_pylist() for i in (first, second))
                check_categories(comparison[field.name], *sides)


def check_inside(column: ll.ColumnComparison, name: str, true: float) -> None:
    statistic = column[name]
    assert statistic.lower <= true <= statistic.upper, (column.name, name, statistic, true)


def check_numbers(column: ll.ColumnComparison, a: np.ndarray, b: np.ndarray) -> None:
    assert set(column.statistics) >= set(NUMERIC)
    if len(a) == 0 or len(b) == 0:
        assert all(math.isnan(column[name].value) for name in NUMERIC), column.name
        return
    check_inside(column, "ks", oracle.ks(a, b))
    check_inside(column, "wasserstein", oracle.wasserstein(a, b))
    for name in ("psi", "jensen_shannon"):
        p, q = (oracle.counts_in(side, column[name].edges) for side in (a, b))
        check_inside(column, name, getattr(oracle, name)(p, q))


def check_categories(column: ll.ColumnComparison, a: list[str], b: list[str]) -> None:
    assert set(column.statistics) >= set(CATEGORICAL)
    for name in ("psi", "jensen_shannon", "total_variation"):
        p, q = (oracle.counts_of(side, column[name].categories) for side in (a, b))
        check_inside(column, name, getattr(oracle, name)(p, q))
    if all(side.text.counts.exact for side in (column.reference, column.current)):
        assert column.psi.categories == tuple(sorted({*a, *b})), column.name
    found = column.chi2
    p, q = (oracle.counts_of(side, found.categories) for side in (a, b))
    assert (p.sum(), q.sum()) == (len(a), len(b)), column.name
    value, p_value = oracle.chi2(p, q)
    check_inside(column, "chi2", value)
    if not found.note:  # else the p-value is that of fewer cells
        assert found.p_value == pytest.approx(p_value, rel=1e-6, abs=1e-300), column.name


def test_the_cells_fit_memory_and_the_snapshot_is_smaller_than_the_files(
    flights: Path, cells: Profile, tmp_path: Path
) -> None:
    assert len(cells.cells) == 1_095
    assert len(cells.windows) == 365
    assert cells.rows == 336_776
    assert cells.nbytes <= 2**30
    assert max(state.nbytes for cell in cells.cells for state in cell.states.values()) <= 768 * 1024
    cells.save(tmp_path / "cells.lead")
    archive = sum(file.stat().st_size for file in flights.glob("*.parquet"))
    assert (tmp_path / "cells.lead").stat().st_size < archive


def test_days_are_local_days(table: pa.Table, cells: Profile) -> None:
    local = table["time_hour"].cast(pa.timestamp("s", "America/New_York"))
    days = pc.strftime(local, "%Y-%m-%d").to_pylist()
    true = Counter(zip(days, table["origin"].to_pylist(), strict=True))
    for (day, origin), rows in list(true.items())[::37]:
        cell = cells.select(window=f"{day}T17:00:00+00:00", segment={"origin": origin})
        assert cell.rows == rows, (day, origin)
    lengths = {window.end - window.start for window in cells.windows}
    assert {length // 3_600_000_000 for length in lengths} == {23, 24, 25}


def test_other_libraries_read_the_snapshot(
    table: pa.Table, profile: Profile, tmp_path: Path
) -> None:
    """zstandard and pyarrow give the tables, datasketches the quantiles within its own error."""
    profile.save(tmp_path / "year.lead")
    rest, tables = (tmp_path / "year.lead").read_bytes(), []
    while rest:
        magic, size = struct.unpack("<II", rest[:8])
        if magic & ~0xF == 0x184D2A50:  # a skippable frame: header or index
            rest = rest[8 + size :]
            continue
        frame = zstandard.ZstdDecompressor().decompressobj()
        content = frame.decompress(rest)
        rest = frame.unused_data
        tables.append(pa.ipc.open_stream(content).read_all())
    lineage, cell = tables
    assert lineage["name"].to_pylist() == [f"2013-{month:02d}.parquet" for month in range(1, 13)]
    assert cell["name"].to_pylist() == table.column_names
    assert cell["nulls"].to_pylist() == [column.null_count for column in table.columns]
    sketches = dict(zip(cell["name"].to_pylist(), cell["quantiles"].to_pylist(), strict=True))
    doubles = [name for name, data in sketches.items() if data and name != "time_hour"]
    assert doubles == ["speed", "humid", "pressure"]
    for name in doubles:
        values = np.sort(numbers(table, name))
        sketch = datasketches.kll_doubles_sketch.deserialize(sketches[name])
        assert (sketch.n, sketch.get_min_value(), sketch.get_max_value()) == (
            len(values),
            values[0],
            values[-1],
        )
        error = sketch.normalized_rank_error(False)
        for share in SHARES:
            value = sketch.get_quantile(share)
            below, upto = (
                np.searchsorted(values, value, side) / len(values) for side in ("left", "right")
            )
            assert below - error <= share <= upto + error, (name, share)
