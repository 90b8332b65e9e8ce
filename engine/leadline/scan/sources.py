"""What to read: paths, globs, folders and objects to sources in lineage order."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from ..errors import InputError
from ..schema import LeafPath, is_encodable
from .formats.base import Source, Task
from .formats.csv import CsvSource
from .formats.ipc import IpcSource
from .formats.json_lines import JsonLinesSource
from .formats.parquet import ParquetSource
from .objects import source_of_object

_Open = Callable[[Path, str], Source]

_TEXT: dict[str, _Open] = {
    ".csv": lambda path, name: CsvSource(path, name, ","),
    ".tsv": lambda path, name: CsvSource(path, name, "\t"),
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
_GLOB = re.compile(r"[*?\[]")
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
        return _open_files([os.fspath(data)])
    if isinstance(data, Sequence) and not isinstance(data, bytes) and len(data):
        paths = [isinstance(item, str | os.PathLike) for item in data]
        if all(paths):
            return _open_files([os.fspath(item) for item in data])
        if any(paths):
            raise InputError("paths and objects cannot be mixed in one list")
    if isinstance(data, list | tuple) and not len(data):
        raise InputError("there is nothing to profile: the list is empty")
    return [source_of_object(data)]


def _open_files(arguments: Sequence[str | bytes]) -> list[Source]:
    paths: dict[str, Path] = {}
    for argument in arguments:
        if isinstance(argument, bytes):
            argument = os.fsdecode(argument)  # noqa: PLW2901
        for path in files_of(argument):
            paths.setdefault(os.path.realpath(path), path)  # a file given twice counts once
    names = _lineage_names(list(paths))
    partitions = _partitions(list(paths.values()))
    return [
        _with_partitions(_open(path, name), values)
        for path, name, values in zip(paths.values(), names, partitions, strict=True)
    ]


def files_of(argument: str) -> Iterator[Path]:
    """Files of one path, folder or glob, sorted.

    Raises
    ------
    InputError
        If there are none.
    """
    if not argument:
        raise InputError("a path is empty; use . for the current folder")
    if "\0" in argument:
        raise InputError(f"{argument!r} is not a path: it holds a zero byte")
    path = Path(argument)
    if not path.exists():
        if not _GLOB.search(argument):
            raise InputError(f"{argument} does not exist")
        found = sorted(glob.glob(argument, recursive=True))  # noqa: PTH207 (takes absolute ones too)
        if not found:
            raise InputError(f"no file matches {argument}")
        for match in found:
            yield from _files_under(Path(match))
        return
    yield from _files_under(path)


def _files_under(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    found = False
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        for name in sorted(files):
            if not name.startswith((".", "_")) and _format_of(Path(name)) is not None:
                found = True
                yield Path(folder, name)
    if not found:
        raise InputError(f"the folder {path} holds no file of a known format ({_KNOWN})")


def _format_of(path: Path) -> _Open | None:
    suffixes = [suffix.lower() for suffix in path.suffixes[-2:]]
    return _FORMATS.get("".join(suffixes)) or _FORMATS.get("".join(suffixes[-1:]))


def _open(path: Path, name: str) -> Source:
    opens = _format_of(path)
    try:
        if not is_encodable(str(path)):
            raise InputError(f"the name of the file {str(path)!r} is not valid UTF-8; rename it")
        if not path.is_file():
            raise InputError(f"{path} is not a regular file")
        if opens is None:
            raise InputError(
                f"{path} has no suffix of a known format ({_KNOWN}, the text ones also with .gz "
                "or .zst)"
            )
        return opens(path, name)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _lineage_names(paths: Sequence[str]) -> list[str]:
    """Names relative to the folder that all files share, with ``/`` on every system."""
    root = os.path.commonpath([os.path.dirname(path) for path in paths])  # noqa: PTH120
    return [Path(os.path.relpath(path, root)).as_posix() for path in paths]


def _partitions(paths: Sequence[Path]) -> list[dict[str, PartitionValue]]:
    """Values of ``key=value`` folders; integers where every value of a key is one."""
    found = []
    for path in paths:
        matches = (_PARTITION.fullmatch(part) for part in path.parent.parts)
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
