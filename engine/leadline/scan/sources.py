"""What to read: paths, globs, folders and objects to sources in lineage order."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import takewhile
from pathlib import PurePath
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from ..errors import InputError
from ..locations import LocalFile, Location, local_files
from ..schema import LeafPath, is_encodable
from .formats.base import Source, Task
from .formats.csv import CsvSource
from .formats.ipc import IpcSource
from .formats.json_lines import JsonLinesSource
from .formats.parquet import ParquetSource
from .objects import source_of_object

_Open = Callable[[Location, str], Source]

_TEXT: dict[str, _Open] = {
    ".csv": lambda location, name: CsvSource(location, name, ","),
    ".tsv": lambda location, name: CsvSource(location, name, "\t"),
    ".jsonl": JsonLinesSource,
    ".ndjson": JsonLinesSource,
    ".json": JsonLinesSource,
}
_FORMATS: dict[str, _Open] = {
    ".parquet": ParquetSource,
    ".pq": ParquetSource,
    ".arrow": IpcSource,
    ".arrows": IpcSource,
    ".feather": IpcSource,
    ".ipc": IpcSource,
    **_TEXT,
    **{suffix + packed: opens for suffix, opens in _TEXT.items() for packed in (".gz", ".zst")},
}
_KNOWN = ", ".join(suffix for suffix in _FORMATS if suffix.count(".") == 1)
_PARTITION = re.compile(r"([^=/]+)=([^/]*)")
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"

PartitionValue = str | int | None


def resolve(data: Any) -> list[Source]:
    """Turn what the user gave into sources.

    Raises
    ------
    InputError
        If a path is missing, nothing matches, a folder holds no known format, a file is not what
        its name says, or an object cannot be read.
    """
    if isinstance(data, str | os.PathLike):
        return _open_files(locate([os.fspath(data)]))
    if isinstance(data, Sequence) and not isinstance(data, bytes) and len(data):
        if isinstance(data[0], LocalFile):  # the command has found the files already
            return _open_files(data)
        paths = [isinstance(item, str | os.PathLike) for item in data]
        if all(paths):
            return _open_files(locate([os.fspath(item) for item in data]))
        if any(paths):
            raise InputError("paths and objects cannot be mixed in one list")
    if isinstance(data, list | tuple) and not len(data):
        raise InputError("there is nothing to profile: the list is empty")
    return [source_of_object(data)]


def locate(arguments: Sequence[str | bytes]) -> list[Location]:
    """Files of paths, folders and globs, in the order given; one given twice counts once."""
    found: dict[tuple[str, tuple[str, ...]], Location] = {}
    for argument in arguments:
        for file in local_files(os.fsdecode(argument), known=_is_known, formats=_KNOWN):
            found.setdefault((file.store, file.parts), file)
    return list(found.values())


def _open_files(locations: Sequence[Location]) -> list[Source]:
    names = _lineage_names(locations)
    partitions = _partitions([location.folders for location in locations])
    return [
        _with_partitions(_open(location, name), values)
        for location, name, values in zip(locations, names, partitions, strict=True)
    ]


def _is_known(name: str) -> bool:
    return _format_of(name) is not None


def _format_of(name: str) -> _Open | None:
    suffixes = [suffix.lower() for suffix in PurePath(name).suffixes[-2:]]
    return _FORMATS.get("".join(suffixes)) or _FORMATS.get("".join(suffixes[-1:]))


def _open(location: Location, name: str) -> Source:
    label = location.label
    opens = _format_of(location.name)
    if not is_encodable(label):
        raise InputError(f"the name of the file {label!r} is not valid UTF-8; rename it")
    if opens is None:
        raise InputError(
            f"{label} has no suffix of a known format ({_KNOWN}, the text ones also with .gz "
            "or .zst)"
        )
    try:
        return opens(location, name)
    except OSError as error:
        raise InputError(f"{label} cannot be read: {error.strerror or error}") from error


def _lineage_names(locations: Sequence[Location]) -> list[str]:
    """Names relative to the folder that all files share, with ``/`` on every system."""
    folders = zip(*(location.parts[:-1] for location in locations), strict=False)
    root = sum(1 for _ in takewhile(lambda names: len(set(names)) == 1, folders))
    return ["/".join(location.parts[root:]) for location in locations]


def _partitions(folders: Sequence[Sequence[str]]) -> list[dict[str, PartitionValue]]:
    """Values of ``key=value`` folders; integers where every value of a key is one."""
    found = []
    for names in folders:
        matches = (_PARTITION.fullmatch(name) for name in names)
        found.append({unquote(m[1]): unquote(m[2]) for m in matches if m is not None})
    texts = {
        key
        for values in found
        for key, value in values.items()
        if value != _NO_VALUE and not re.fullmatch(r"0|-?[1-9][0-9]{0,17}", value)
    }
    return [
        {
            key: None if value == _NO_VALUE else value if key in texts else int(value)
            for key, value in values.items()
        }
        for values in found
    ]


def _with_partitions(source: Source, values: Mapping[str, PartitionValue]) -> Source:
    return _Partitioned(source, values) if values else source


class _Partitioned:
    """A file with further columns from the names of its folders; its own columns win."""

    def __init__(self, source: Source, values: Mapping[str, PartitionValue]) -> None:
        self._source = source
        self._values = dict(values)
        self.name, self.label, self.size = source.name, source.label, source.size
        self.prompt = source.prompt

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

    def tasks(self, leaves: Sequence[LeafPath], unit_rows: int) -> Iterator[Task]:
        own = self._source.schema().names
        values = {key: value for key, value in self._values.items() if key not in own}
        inner = [path for path in leaves if path[0] in own]
        for task in self._source.tasks(inner, unit_rows):
            yield _PartitionedTask(task, values)


class _PartitionedTask:
    def __init__(self, task: Task, values: Mapping[str, PartitionValue]) -> None:
        self._task, self._values = task, values

    @property
    def rows(self) -> Sequence[int]:
        return self._task.rows

    def read(self, path: LeafPath) -> Iterator[pa.ChunkedArray]:
        if path[0] not in self._values:
            yield from self._task.read(path)
            return
        value = self._values[path[0]]
        for rows in self._task.rows:
            yield pa.chunked_array([pa.repeat(pa.scalar(value, _type_of(value)), rows)])

    def close(self) -> None:
        self._task.close()


def _type_of(value: PartitionValue) -> pa.DataType:
    if value is None:
        return pa.null()
    return pa.int64() if isinstance(value, int) else pa.string()
