"""What to read: paths, globs, folders and objects to sources in lineage order."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from ..errors import InputError
from ..locations import REQUESTS, Location, Stream, find, lineage_names
from ..schema import LeafPath, is_encodable
from .formats.base import InOrder, Learning, Source, Task, reason
from .formats.csv import CsvSource
from .formats.ipc import IpcSource, begins_a_stream
from .formats.json_lines import JsonLinesSource
from .formats.parquet import ParquetSource
from .formats.plans import Portions
from .formats.text import packing_of

_Open = Callable[[Location, str, bool], Source]

# How each format is opened: what, its name in the lineage, whether compression shows by content
# rather than by the file's suffix.
_OPENS: dict[str, _Open] = {
    "parquet": lambda location, name, _: ParquetSource(location, name),
    "arrow": lambda location, name, by_content: IpcSource(location, name, by_content=by_content),
    "csv": lambda location, name, by_content: CsvSource(location, name, ",", by_content=by_content),
    "tsv": lambda location, name, by_content: CsvSource(
        location, name, "\t", by_content=by_content
    ),
    "jsonl": lambda location, name, by_content: JsonLinesSource(
        location, name, by_content=by_content
    ),
}
_STREAMS = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
}
_SUFFIXES = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    **_STREAMS,
    **{suffix + packed: name for suffix, name in _STREAMS.items() for packed in (".gz", ".zst")},
}
_KNOWN = ", ".join(suffix for suffix in _SUFFIXES if suffix.count(".") == 1)
_PARTITION = re.compile(r"([^=/]+)=([^/]*)")
_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

PartitionValue = str | int | date | None


@dataclass(frozen=True, slots=True)
class Files:
    """Files that have been found, and how to read them: by ``kind``, or each by its suffix."""

    locations: Sequence[Location]
    kind: str | None = None

    @property
    def once(self) -> bool:
        """Whether they are a stream, which cannot be found and read again."""
        return any(isinstance(location, Stream) for location in self.locations)


def files_of(
    data: Any, *, kind: str | None = None, storage_options: Mapping[str, Any] | None = None
) -> Files | None:
    """The files that the user gave, in order; None for an object in memory.

    Parameters
    ----------
    data
        Paths, URLs, an open file, or objects; or what `locate` has found.
    kind, storage_options
        See `locate`.

    Raises
    ------
    InputError
        If a path is missing, nothing matches, or a folder holds no known format.
    """
    if isinstance(data, Files):
        return data
    if isinstance(data, str | os.PathLike):
        data = [data]
    if isinstance(data, Sequence) and not isinstance(data, bytes) and data:
        paths = [isinstance(item, str | os.PathLike) for item in data]
        if all(paths):
            texts = [os.fspath(item) for item in data]
            return locate(texts, kind=kind, storage_options=storage_options)
        if any(paths):
            raise InputError("paths and objects cannot be mixed in one list")
    if isinstance(data, list | tuple) and not data:
        raise InputError("there is nothing to profile: the list is empty")
    if callable(getattr(data, "read", None)) and not hasattr(data, "__arrow_c_stream__"):
        return stream_of(data, kind=kind)
    return None


def locate(
    arguments: Sequence[str | bytes],
    *,
    kind: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
) -> Files:
    """Files of paths, folders, globs and URLs, in the order given; one given twice counts once.

    Parameters
    ----------
    arguments
        What the user gave.
    kind
        How to read every file, whatever its name: ``parquet``, ``arrow``, ``csv``, ``tsv`` or
        ``jsonl``.
    storage_options
        Arguments for the file systems of URLs.
    """
    _require_kind(kind)
    if storage_options is not None and not isinstance(storage_options, Mapping):
        raise InputError("storage_options takes a mapping from name to value")
    known = (lambda _: True) if kind else _is_known
    return Files(find(arguments, known=known, formats=_KNOWN, options=storage_options), kind)


def stream_of(file: object, *, kind: str | None = None) -> Files:
    """An open binary file, such as standard input; its format shows by content if not given."""
    _require_kind(kind)
    if file is None:
        raise InputError("standard input is closed")
    standard = sys.stdin is not None and file in (sys.stdin, sys.stdin.buffer)
    stream = Stream(file, "<stdin>" if standard else "<stream>")
    return Files([stream], kind or _format_by_content(stream))


def _require_kind(kind: str | None) -> None:
    if kind is not None and kind not in _OPENS:
        raise InputError(f"format is one of {', '.join(_OPENS)}, not {kind!r}")


def _format_by_content(stream: Stream) -> str:
    try:
        head = stream.head(65_536)
        packing = packing_of(head)[0]
        if packing is not None:
            head = pa.CompressedInputStream(pa.BufferReader(head), packing).read(64)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{stream.label} cannot be read: {reason(error)}") from error
    if begins_a_stream(head[:8]) or head.startswith(b"ARROW1"):
        return "arrow"
    if head.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[")) else "csv"


def open_files(
    files: Files, names: Sequence[str] | None = None, listed: Sequence[str] = ()
) -> list[Source]:
    """Files as sources.

    Parameters
    ----------
    names
        Their names in the lineage; by default relative to the folder that all of them share.
    listed
        Names of further files, which are not read, but whose folders count for the types of
        ``key=value`` columns.

    Raises
    ------
    InputError
        If a file cannot be opened, or is not what its name says.
    """
    names = names or lineage_names(files.locations)
    if any(location.store for location in files.locations):
        # Far away every file costs a request's time: wait for several at once.
        with ThreadPoolExecutor(REQUESTS) as threads:
            opens = partial(_open_remote, kind=files.kind)
            sources = list(threads.map(opens, files.locations, names))
    else:
        sources = [
            _open(location, name, files.kind)
            for location, name in zip(files.locations, names, strict=True)
        ]
    folders = [location.folders for location in files.locations]
    partitions = _partitions([*folders, *(name.split("/")[:-1] for name in listed)])
    return list(map(_with_partitions, sources, partitions))


def fingerprints_of(files: Files) -> list[str]:
    """Hashes by which files are recognised."""
    return [source.fingerprint() for source in open_files(files)]


def _open_remote(location: Location, name: str, kind: str | None) -> Source:
    source = _open(location, name, kind)
    source.fingerprint()
    return source


def _is_known(name: str) -> bool:
    return _format_of(name) is not None


def _format_of(name: str) -> str | None:
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    return _SUFFIXES.get("".join(suffixes)) or _SUFFIXES.get("".join(suffixes[-1:]))


def _open(location: Location, name: str, kind: str | None) -> Source:
    label = location.label
    if not is_encodable(label):
        raise InputError(f"the name of the file {label!r} is not valid UTF-8; rename it")
    by_content = kind is not None
    kind = kind or _format_of(location.name)
    if kind is None:
        raise InputError(
            f"{label} has no suffix of a known format ({_KNOWN}, the text ones also with .gz "
            "or .zst)"
        )
    try:
        return _OPENS[kind](location, name, by_content)
    except OSError as error:
        raise InputError(f"{label} cannot be read: {error.strerror or error}") from error


def _partitions(folders: Sequence[Sequence[str]]) -> list[dict[str, PartitionValue]]:
    """Values of ``key=value`` folders; integers or dates where every value of a key is one."""
    found: list[dict[str, str]] = []
    for names in folders:
        matches = (_PARTITION.fullmatch(name) for name in names)
        found.append({unquote(m[1]): unquote(m[2]) for m in matches if m is not None})
    texts: dict[str, set[str]] = {}
    for values in found:
        for key, text in values.items():
            texts.setdefault(key, set()).add(text)
    meanings = {key: _meanings(held) for key, held in texts.items()}
    return [{key: meanings[key][text] for key, text in values.items()} for values in found]


def _meanings(texts: Iterable[str]) -> dict[str, PartitionValue]:
    values = {text: None for text in texts if text == _NO_VALUE}
    given = [text for text in texts if text != _NO_VALUE]
    for pattern, meaning in ((_WHOLE, int), (_DATE, date.fromisoformat)):
        if all(map(pattern.fullmatch, given)):
            with contextlib.suppress(ValueError):  # the 30th of February
                return {**values, **{text: meaning(text) for text in given}}
    return {**values, **{text: text for text in given}}


def _with_partitions(source: Source, values: Mapping[str, PartitionValue]) -> Source:
    return _Partitioned(source, values) if values else source


class _Partitioned:
    """A file with further columns from the names of its folders; its own columns win."""

    def __init__(self, source: Source, values: Mapping[str, PartitionValue]) -> None:
        self._source = source
        self._values = dict(values)
        self.name, self.label = source.name, source.label
        self.prompt = source.prompt

    @property
    def size(self) -> int:
        return self._source.size

    def schema(self) -> pa.Schema:
        schema = self._source.schema()
        for key, value in self._values.items():
            if key not in schema.names:
                schema = schema.append(pa.field(key, _type_of(value)))
        return schema

    def rows(self) -> int | None:
        return self._source.rows()

    def consumed(self) -> int:
        return self._source.consumed()

    def fingerprint(self) -> str:
        return self._source.fingerprint()

    def learned(self) -> pa.Schema | None:
        return self._source.learned() if isinstance(self._source, Learning) else None

    def assume(self, types: pa.Schema) -> None:
        assert isinstance(self._source, Learning)
        self._source.assume(types)

    def tasks(
        self, leaves: Sequence[LeafPath], unit_rows: int, in_order: InOrder
    ) -> Iterator[Task]:
        own = self._source.schema().names
        values: dict[LeafPath, PartitionValue] = {
            (key,): value for key, value in self._values.items() if key not in own
        }
        inner = [path for path in leaves if path[0] in own]
        chosen = {path: values[path] for path in leaves if path in values}
        for task in self._source.tasks(inner, unit_rows, in_order):
            yield _PartitionedTask(task, chosen)


class _PartitionedTask:
    def __init__(self, task: Task, values: Mapping[LeafPath, PartitionValue]) -> None:
        self._task, self._values = task, values
        self.rows, self.nbytes = task.rows, task.nbytes

    @property
    def portions(self) -> Portions:
        return [*self._task.portions, *([list(self._values)] if self._values else [])]

    def read(self, leaves: Sequence[LeafPath]) -> Iterator[Sequence[pa.ChunkedArray]]:
        if leaves[0] not in self._values:
            yield from self._task.read(leaves)
            return
        values = [pa.scalar(self._values[path], _type_of(self._values[path])) for path in leaves]
        for rows in self.rows:
            yield [pa.chunked_array([pa.repeat(value, rows)]) for value in values]

    def close(self) -> None:
        self._task.close()


def _type_of(value: PartitionValue) -> pa.DataType:
    if value is None:
        return pa.null()
    if isinstance(value, date):
        return pa.date32()
    return pa.int64() if isinstance(value, int) else pa.string()
