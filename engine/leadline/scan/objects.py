"""Objects in memory as sources: whatever speaks Arrow, NumPy arrays, dicts of arrays, batches.

Input is taken by protocol, not by the library it comes from: ``__arrow_c_stream__`` and
``__arrow_c_array__`` cover pyarrow, polars, pandas, DuckDB, ibis and nanoarrow.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ..errors import InputError
from ..schema import LeafPath, flatten, is_encodable
from .formats.base import InOrder, TableTask, reason, table_tasks

_UNNAMED = "value"  # the column of an array that has no name
_INDEX = re.compile(r"__index_level_\d+__")
_BAD_VALUES = (
    pa.ArrowException,
    TypeError,
    ValueError,
    OverflowError,
)
_ACCEPTED = (
    "paths, anything with the Arrow interface (pyarrow, polars, pandas, DuckDB), NumPy arrays, "
    "dicts of arrays, or an iterable of record batches"
)


class ObjectSource:
    """One object in memory.

    Parameters
    ----------
    schema
        Schema of the batches.
    batches
        Gives the batches; called once.
    rows
        Number of rows, if known.

    Raises
    ------
    InputError
        If a column's name repeats or is not valid text.
    """

    name = label = "<memory>"
    size = 0
    prompt = True

    def __init__(
        self,
        schema: pa.Schema,
        batches: Callable[[], Iterable[pa.RecordBatch]],
        rows: int | None,
    ) -> None:
        flatten(schema)
        # pandas sends an index without a name as a column; it holds row numbers, not data.
        names = [name for name in schema.names if not _INDEX.fullmatch(name)]
        keep = [place for place, name in enumerate(schema.names) if name in names]
        self._keep = keep if len(keep) < len(schema) else None
        self._schema = pa.schema([schema.field(place) for place in keep])
        self._batches = batches
        self._rows = rows

    def schema(self) -> pa.Schema:
        """Arrow schema of the object."""
        return self._schema

    def rows(self) -> int | None:
        """Number of rows, if known."""
        return self._rows

    def consumed(self) -> int:
        """Objects have no bytes on disk."""
        return 0

    def fingerprint(self) -> str:
        """Hash of the column names: the only thing of an object known before it is read."""
        names = "\0".join(self._schema.names)
        return hashlib.blake2b(names.encode(errors="replace"), digest_size=16).hexdigest()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The batches as they come."""
        return self._chosen(list(self._keep or range(len(self._schema))))

    def tasks(
        self,
        leaves: Sequence[LeafPath],
        unit_rows: int,
        in_order: InOrder,  # noqa: ARG002 (there is nothing to decode)
    ) -> Iterator[TableTask]:
        """Units of the batches joined and cut, without a copy."""
        places = sorted({self._schema.get_field_index(path[0]) for path in leaves})
        schema = pa.schema([self._schema.field(place) for place in places])
        keep = self._keep if self._keep is not None else range(len(self._schema))
        batches = self._chosen([keep[place] for place in places])
        yield from table_tasks(batches, schema, leaves, unit_rows, owned=False)

    def _chosen(self, places: list[int]) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._batches():
                yield batch.select(places)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{self.label}: its batches cannot be read: {reason(error)}"
            ) from error


def source_of_object(data: Any) -> ObjectSource:
    """Make a source of an object.

    Raises
    ------
    InputError
        If the object is nothing that can be read, or its arrays do not make a table.
    """
    if hasattr(data, "__arrow_c_stream__") or hasattr(data, "__arrow_c_array__"):
        return _from_arrow(data)
    if isinstance(data, np.ndarray):
        return _from_numpy(data)
    if isinstance(data, Mapping):
        return _from_mapping(data)
    if type(data).__module__.partition(".")[0] == "pandas":  # before pandas 2.2
        return _from_table(_pandas_table(data))
    if isinstance(data, Iterable) and not isinstance(data, str | bytes):
        return _from_batches(iter(data))
    hint = "; call .collect() first" if hasattr(data, "collect") else ""
    raise InputError(f"cannot profile a {type(data).__name__}{hint}; give {_ACCEPTED}")


def _from_arrow(data: Any) -> ObjectSource:
    if isinstance(data, pa.Table):
        return _from_table(data)
    if isinstance(data, pa.RecordBatchReader):
        return ObjectSource(data.schema, lambda: data, None)
    try:
        if hasattr(data, "__arrow_c_stream__"):
            return _from_stream(data)
        array = pa.array(data)
    except _BAD_VALUES as error:
        raise InputError(
            f"the {type(data).__name__} cannot be read as Arrow: {reason(error)}"
        ) from error
    if isinstance(data, pa.RecordBatch) or pa.types.is_struct(array.type):
        return _from_table(pa.table(data))
    return _from_table(pa.table({_name_of(data): array}))


def _from_stream(data: Any) -> ObjectSource:
    if isinstance(data, pa.ChunkedArray):
        return _from_table(pa.table({_UNNAMED: data}))
    try:
        reader = pa.RecordBatchReader.from_stream(data)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        # A stream of arrays, such as a Series.
        return _from_table(pa.table({_name_of(data): pa.chunked_array(data)}))
    # No len(data): for a lazy object that would run its query once more.
    return ObjectSource(reader.schema, lambda: reader, None)


def _from_table(table: pa.Table) -> ObjectSource:
    return ObjectSource(table.schema, table.to_batches, table.num_rows)


def _from_numpy(data: np.ndarray[Any, Any]) -> ObjectSource:
    if data.dtype.names is not None and data.ndim == 1:
        return _from_mapping({name: data[name] for name in data.dtype.names})
    return _from_mapping({_UNNAMED: data})


def _from_mapping(data: Mapping[Any, Any]) -> ObjectSource:
    columns: dict[str, Any] = {}
    for key, values in data.items():
        if not isinstance(key, str):
            raise InputError(f"column names are text, not {key!r}")
        if not is_encodable(key):
            raise InputError(f"the column name {key!r} is not valid text; rename the column")
        columns[key] = _column(key, values)
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        (first, rows), (other, others) = _two_that_differ(lengths)
        raise InputError(
            f"columns have different lengths: {first!r} has {rows:,} rows, {other!r} {others:,}"
        )
    return _from_table(pa.table(columns))


def _two_that_differ(lengths: Mapping[str, int]) -> list[tuple[str, int]]:
    first = next(iter(lengths.items()))
    return [first, next(item for item in lengths.items() if item[1] != first[1])]


def _column(name: str, values: Any) -> Any:
    """One column as an Arrow array."""
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise InputError(
            f"column {name!r} is a {type(values).__name__}; give an array with one value a row"
        )
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise InputError(
                f"column {name!r} has {values.ndim} dimensions; give one array a column"
            )
        if values.dtype.names is not None:
            columns = {field: _column(field, values[field]) for field in values.dtype.names}
            return pa.StructArray.from_arrays(list(columns.values()), list(columns))
        if not values.dtype.isnative:
            values = values.astype(values.dtype.newbyteorder("="))
    try:
        if hasattr(values, "__arrow_c_stream__"):
            return pa.chunked_array(values)
        return pa.array(values, from_pandas=type(values).__module__.startswith("pandas"))
    except _BAD_VALUES as error:
        raise InputError(f"column {name!r} cannot be read: {reason(error)}") from error


def _pandas_table(data: Any) -> pa.Table:
    try:
        frame = data.to_frame(_name_of(data)) if data.ndim == 1 else data
        return pa.Table.from_pandas(frame, preserve_index=False)
    except _BAD_VALUES as error:
        raise InputError(f"the pandas object cannot be read: {reason(error)}") from error


def _from_batches(items: Iterator[Any]) -> ObjectSource:
    """Batches, tables or anything with the Arrow interface, all of one schema."""
    first = next(items, None)
    if first is None:
        raise InputError("the iterable has no batches; give at least one, even without rows")
    schema = _batch_table(first, 0).schema

    def batches() -> Iterator[pa.RecordBatch]:
        yield from _batch_table(first, 0).to_batches()
        for position, item in enumerate(items, start=1):
            table = _batch_table(item, position)
            if not table.schema.equals(schema):
                raise InputError(
                    f"batch {position} has another schema than the first: "
                    f"{_difference(schema, table.schema)}"
                )
            yield from table.to_batches()

    return ObjectSource(schema, batches, None)


def _batch_table(item: Any, position: int) -> pa.Table:
    if not (hasattr(item, "__arrow_c_stream__") or hasattr(item, "__arrow_c_array__")):
        raise InputError(
            f"item {position} of the iterable is a {type(item).__name__}; give {_ACCEPTED}"
        )
    try:
        return pa.table(item)
    except _BAD_VALUES as error:
        raise InputError(f"batch {position} cannot be read: {reason(error)}") from error


def _difference(a: pa.Schema, b: pa.Schema) -> str:
    for field in a:
        if field.name not in b.names:
            return f"column {field.name!r} is missing"
        other = b.field(field.name)
        if not other.type.equals(field.type):
            return f"column {field.name!r} is {other.type}, not {field.type}"
    return "it has other columns"


def _name_of(data: Any) -> str:
    name = getattr(data, "name", None)
    return name if isinstance(name, str) and name else _UNNAMED
