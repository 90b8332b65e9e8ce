"""pyarrow: the archive only read, in every way worth trying; and values of strings counted.

The best of the ways is the yardstick: nobody profiles a file faster than it can be decoded.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from ..worker import Options, Work, serve

Read = Callable[[], int]


def in_threads(threads: int, tasks: Iterable[Read]) -> int:
    """Rows x columns of all tasks; each thread takes the next as soon as it is free."""
    waiting: Iterator[Read] = iter(list(tasks))
    lock = threading.Lock()
    found: list[int] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                with lock:
                    task = next(waiting, None)
                if task is None:
                    return
                found.append(task())
        except BaseException as failure:  # noqa: BLE001 -- raised below, in the caller's thread
            failures.append(failure)

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    if failures:
        raise failures[0]
    return sum(found)


class Archive:
    """One file, and the ways of reading all of it."""

    def __init__(self, options: Options) -> None:
        self.path: str = options["path"]
        self.threads: int = options["threads"]
        self.dictionaries: list[str] = options.get("dictionaries", [])
        with self.open() as file:
            self.groups: int = file.num_row_groups
            self.names: list[str] = file.schema_arrow.names

    def open(self) -> pq.ParquetFile:
        return pq.ParquetFile(self.path, read_dictionary=self.dictionaries, pre_buffer=False)

    def chunk(self, group: int, columns: list[str] | None) -> int:
        with self.open() as file:
            table = file.read_row_group(group, columns=columns, use_threads=False)
        return int(table.num_rows * table.num_columns)

    def by_column_chunk(self) -> int:
        chunks = [(group, [name]) for group in range(self.groups) for name in self.names]
        return in_threads(self.threads, [partial(self.chunk, *chunk) for chunk in chunks])

    def by_row_group(self) -> int:
        groups = range(self.groups)
        return in_threads(self.threads, [partial(self.chunk, group, None) for group in groups])

    def batches(self, group: int) -> int:
        with self.open() as file:
            found = file.iter_batches(65_536, row_groups=[group], use_threads=False)
            return sum(batch.num_rows * batch.num_columns for batch in found)

    def by_batch(self) -> int:
        groups = range(self.groups)
        return in_threads(self.threads, [partial(self.batches, group) for group in groups])

    def whole(self) -> int:
        with self.open() as file:
            table = file.read(use_threads=self.threads > 1)
        return int(table.num_rows * table.num_columns)

    def dataset(self) -> int:
        form = ds.ParquetFileFormat(dictionary_columns=self.dictionaries)
        batches = ds.dataset(self.path, format=form).to_batches(use_threads=self.threads > 1)
        return sum(batch.num_rows * batch.num_columns for batch in batches)


WAYS: dict[str, Callable[[Archive], int]] = {
    "column chunks": Archive.by_column_chunk,
    "row groups": Archive.by_row_group,
    "batches": Archive.by_batch,
    "whole file": Archive.whole,
    "dataset": Archive.dataset,
}


def anchor(options: Options) -> Work:
    pa.set_cpu_count(options["threads"])
    pa.set_io_thread_count(options["threads"])
    archive, way = Archive(options), WAYS[options["way"]]
    columns = len(archive.names)
    return Work(
        lambda: way(archive),
        lambda values: {archive.names[0]: {"rows": values / columns}},
    )


def value_counts(options: Options) -> Work:
    name = options["column"]
    column = pq.read_table(options["path"], columns=[name]).column(0)

    def answers(found: pa.StructArray) -> dict[str, dict[str, int]]:
        return {name: {"distinct": len(found), "rows": pc.sum(found.field("counts")).as_py()}}

    return Work(lambda: pc.value_counts(column), answers)


if __name__ == "__main__":
    serve({"anchor": anchor, "value counts": value_counts}, "pyarrow")
