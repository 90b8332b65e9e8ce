"""The parts of the benchmark: who runs against whom, on which data, how often."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from .data import DICTIONARIES, FLOATS, Data, make_billion
from .environments import Peer, find
from .exact import Truth, read_truths, truth_of, truth_of_parquet, write_truths
from .measure import Contestant, Measured, WorkerError, median_peak, once, take_turns
from .worker import Options

# How pyarrow may read the archive. That low-cardinality strings pay as dictionaries shows in the
# first two; the others only get what is better.
READING = {
    "column chunks": DICTIONARIES,
    "column chunks, plain strings": (),
    "row groups": DICTIONARIES,
    "row groups, plain strings": (),
    "batches": DICTIONARIES,
    "whole file": DICTIONARIES,
    "dataset": DICTIONARIES,
}
SHAPES = (
    "uniform", "all equal", "sorted", "all null", "lognormal(0, 3)", "70 % zeros", "1.7e9 +- 10",
    "rounded to 0.1",
)  # fmt: skip
THREADS = 2
NEEDED = ("leadline", "numpy", "pyarrow")  # without them there is nothing to measure

Figures = dict[str, Measured]
Truths = Mapping[str, Truth]


@dataclass
class Bench:
    """Data, peers and what is true: everything that parts share, made when first needed."""

    data: Data
    environments: Path
    threads: int = THREADS

    def __post_init__(self) -> None:
        self.peers: dict[str, Peer] = {}

    def peer(self, name: str) -> Peer:
        if name not in self.peers:
            self.peers[name] = find(name, self.environments)
        if name in NEEDED and self.peers[name].missing is not None:
            raise WorkerError(f"{name}: {self.peers[name].missing}")
        return self.peers[name]

    def path(self, name: str) -> str:
        return str(self.data.file(name))

    def output(self, name: str) -> str:
        return str(self.data.folder / name)

    @cached_property
    def anchor_truth(self) -> Truths:
        """Kept beside the archive: to sort all its columns takes longer than most parts."""
        kept = self.data.folder / "anchor-truth.json"
        if not kept.exists():
            write_truths(kept, truth_of_parquet(self.data.file("anchor.parquet")))
        return read_truths(kept)

    def once(self, label: str, path: str) -> Measured:
        """The command in a new process, with ``path`` to profile."""
        output = self.data.folder / "command.lead"
        arguments = [path, "-o", str(output), "--threads", str(self.threads)]
        found = once(self.ours(label, "command", {"arguments": arguments}))
        return replace(found, written=output.stat().st_size)

    def anew(self, paths: Mapping[str, str], rounds: int) -> Figures:
        """The command on each path in turn, in a new process each time."""
        found = [
            {label: self.once(label, path) for label, path in paths.items()} for _ in range(rounds)
        ]
        return {label: median_peak([each[label] for each in found]) for label in paths}

    def array_truth(self, name: str) -> Truths:
        return {"x": truth_of(pa.array(np.load(self.data.file(name))))}

    def contestant(
        self, label: str, peer: str, task: str, options: Options, truth: Truths | None = None
    ) -> Contestant:
        return Contestant(label, self.peer(peer), task, options, truth)

    def ours(
        self, label: str, task: str, options: Options, truth: Truths | None = None
    ) -> Contestant:
        return self.contestant(label, "leadline", task, options, truth)


def turns(contestants: list[Contestant], rounds: int) -> Figures:
    """Those that are there take turns; one that is not has no figures."""
    return take_turns([each for each in contestants if each.peer.missing is None], rounds)


def column(bench: Bench) -> Figures:
    """One column in memory, one thread, against NumPy's sum of it."""
    floats = {"path": bench.path("float64.npy"), "threads": 1}
    integers = {"path": bench.path("int32.npy"), "threads": 1}
    truth, truth_32 = bench.array_truth("float64.npy"), bench.array_truth("int32.npy")
    return turns(
        [
            bench.contestant("numpy.sum, float64", "numpy", "column", floats, truth),
            bench.ours("leadline, float64", "column", floats, truth),
            bench.ours("leadline, 5 % nulls", "column", {**floats, "shape": "5 % nulls"}),
            bench.ours("leadline, 1 % NaN", "column", {**floats, "shape": "1 % NaN"}),
            bench.contestant("numpy.sum, int32", "numpy", "column", integers, truth_32),
            bench.ours("leadline, int32", "column", integers, truth_32),
            bench.ours("moments, our kernel", "moments", {**floats, "user": False}, truth),
            bench.ours("moments, a user's", "moments", {**floats, "user": True}, truth),
        ],
        9,
    )


def column_peers(bench: Bench) -> Figures:
    """The same float64 column through every peer, one thread."""
    names = ("leadline", "duckdb", "polars", "pandas", "datasketches", "whylogs")
    options, truth = (
        {"path": bench.path("float64.npy"), "threads": 1},
        bench.array_truth("float64.npy"),
    )
    return turns([bench.contestant(name, name, "column", options, truth) for name in names], 3)


def shapes(bench: Bench) -> Figures:
    """Columns that other engines stumble over, against a uniform one."""
    options = {"path": bench.path("float64.npy"), "threads": 1}
    return turns([bench.ours(shape, "column", {**options, "shape": shape}) for shape in SHAPES], 5)


def texts(bench: Bench) -> Figures:
    """The archive's string columns in memory, one thread."""
    options, truth = (
        {"path": bench.path("anchor.parquet"), "threads": 1},
        bench.anchor_truth,
    )
    few, many = ({**options, "column": name, "dictionary": True} for name in DICTIONARIES)
    plain = {**options, "column": "u", "dictionary": False}
    return turns(
        [
            bench.ours("leadline, 10 entries", "texts", few, truth),
            bench.ours("leadline, 1,000 entries", "texts", many, truth),
            bench.ours("leadline, plain", "texts", plain, truth),
            bench.contestant("pyarrow, value_counts", "pyarrow", "value counts", plain, truth),
        ],
        5,
    )


def anchor(bench: Bench) -> Figures:
    """The archive to a snapshot file, against only reading it."""
    truth = bench.anchor_truth
    options = {"path": bench.path("anchor.parquet"), "threads": bench.threads}
    contestants = []
    for way, names in READING.items():
        reading = {**options, "way": way.split(",")[0], "dictionaries": list(names)}
        contestants.append(bench.contestant(f"pyarrow, {way}", "pyarrow", "anchor", reading, truth))
    # How far a second thread can help at all.
    alone = {**options, "way": "column chunks", "dictionaries": list(DICTIONARIES), "threads": 1}
    contestants.append(
        bench.contestant("pyarrow, column chunks, one thread", "pyarrow", "anchor", alone, truth)
    )
    for label, others in (
        ("leadline", {"output": bench.output("a.lead")}),
        ("leadline, one thread", {"output": bench.output("b.lead"), "threads": 1}),
        ("leadline, cells", {"output": bench.output("c.lead"), "cells": True}),
    ):
        contestants.append(bench.ours(label, "anchor", {**options, **others}, truth))
    return turns(contestants, 5)


def anchor_peers(bench: Bench) -> Figures:
    """The archive through every peer that can read it."""
    most = {"leadline": None, "duckdb": None, "polars": None, "pandas": None, "whylogs": 1}
    options = {
        "path": bench.path("anchor.parquet"),
        "threads": bench.threads,
        "output": bench.output("a.lead"),
    }
    truth = bench.anchor_truth
    contestants = [bench.contestant(name, name, "anchor", options, truth) for name in most]
    return turns([replace(each, most=most[each.label]) for each in contestants], 3)


def memory(bench: Bench) -> Figures:
    """Peak memory of the command in a process of its own; a new one every round."""
    sizes = bench.data.sizes
    paths = {
        "anchor": bench.path("anchor.parquet"),
        "huge row group": bench.path("huge.parquet"),
        "few files": str(bench.data.parts(sizes.few_parts)),
        "many files": str(bench.data.parts(sizes.many_parts)),
    }
    return bench.anew(paths, 3)


def wide(bench: Bench) -> Figures:
    """Many columns of some rows, against one column of many; one thread."""
    sizes = bench.data.sizes
    many = {"columns": sizes.wide_columns, "rows": sizes.wide_rows, "threads": 1}
    one = {"columns": 1, "rows": sizes.long_rows, "threads": 1}
    return turns(
        [bench.ours("many columns", "wide", many), bench.ours("one column", "wide", one)], 3
    )


def small(bench: Bench) -> Figures:
    """Whole calls on 1,000 rows of 20 columns."""
    return turns(
        [
            bench.ours("profile, mixed columns", "small", {}),
            bench.ours("profile, float columns", "small", {"floats": True}),
            bench.ours("compare", "compare small", {}),
        ],
        9,
    )


def compare(bench: Bench) -> Figures:
    """Two wide snapshots, read from disk and compared."""
    sizes = bench.data.sizes
    options = {
        "folder": str(bench.data.folder),
        "columns": sizes.wide_columns,
        "rows": sizes.wide_rows,
    }
    return turns([bench.ours("compare", "compare wide", options)], 5)


def snapshot(bench: Bench) -> Figures:
    """The snapshot of the archive's float columns; its size is the figure."""
    output = bench.output("floats.lead")
    options = {
        "path": bench.path("anchor.parquet"),
        "threads": bench.threads,
        "columns": list(FLOATS),
        "output": output,
    }
    figures = turns([bench.ours("floats", "anchor", options, bench.anchor_truth)], 1)
    return {"floats": replace(figures["floats"], written=Path(output).stat().st_size)}


def billion(bench: Bench) -> Figures:
    """A billion rows in a hundred files through the command, and a tenth of them."""
    folder = bench.data.folder / "billion"
    make_billion(folder, bench.data.sizes)
    return bench.anew({"a tenth": str(folder / "part-000*.parquet"), "all": str(folder)}, 3)


PARTS: dict[str, Callable[[Bench], Figures]] = {
    each.__name__.replace("_", "-"): each
    for each in (
        column,
        column_peers,
        shapes,
        texts,
        anchor,
        anchor_peers,
        memory,
        wide,
        small,
        compare,
        snapshot,
        billion,
    )
}
ON_DEMAND = ("billion",)  # too long, or too large, for every day
