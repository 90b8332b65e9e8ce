"""The only module that looks inside Arrow memory.

Every other module passes Arrow arrays on unopened. Here they become what the kernels read: an
``ArrayView`` (addresses, offset, length) for numbers, dictionary codes over distinct byte strings
for text. Nothing is copied where the memory already has the right shape.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ._native import (
    TEXT_BLOCK,
    ArrayView,
    ArrowType,
    CodeView,
    TextCounter,
    TextView,
)

_T = TypeVar("_T")

_NUMBER_TYPES: dict[pa.DataType, ArrowType] = {
    pa.bool_(): ArrowType.BOOL,
    pa.int8(): ArrowType.INT8,
    pa.int16(): ArrowType.INT16,
    pa.int32(): ArrowType.INT32,
    pa.int64(): ArrowType.INT64,
    pa.uint8(): ArrowType.UINT8,
    pa.uint16(): ArrowType.UINT16,
    pa.uint32(): ArrowType.UINT32,
    pa.uint64(): ArrowType.UINT64,
    pa.float16(): ArrowType.FLOAT16,
    pa.float32(): ArrowType.FLOAT32,
    pa.float64(): ArrowType.FLOAT64,
}


# Bytes, offsets included, from which joined texts get wide offsets.
_NARROW_BYTES = 2**31 - 1
# Dictionaries of so many entries are ranked however few rows there are.
_FEW_ENTRIES = 256
# What an empty array's buffers point to.
_NO_OFFSETS = pa.py_buffer(bytes(16))

# The largest power of ten that is a double.
EXACT_POWER = 22


@dataclass(frozen=True, slots=True)
class TextCodes:
    """Text as codes into distinct byte strings.

    Parameters
    ----------
    codes
        int32, one a row; -1 where the row is null.
    offsets, data
        Entry ``i`` is ``data[offsets[i]:offsets[i + 1]]``; int64 and uint8.
    """

    codes: NDArray[np.int32]
    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def entries(self) -> list[bytes]:
        """The bytes of every entry."""
        data = self.data.tobytes()
        return [data[begin:end] for begin, end in itertools.pairwise(self.offsets.tolist())]


def number_views(data: pa.ChunkedArray, *, single: bool) -> list[ArrayView]:
    """Views of a column of numbers, dates, times or booleans.

    Parameters
    ----------
    data
        The column, of any number of chunks.
    single
        Whether rows must be addressable in one view: chunks are then joined (a copy).
    """
    arrays = [_numbers(chunk) for chunk in data.chunks if len(chunk)]
    if single and len(arrays) > 1:
        arrays = [pa.concat_arrays(arrays)]
    return [_view(array) for array in arrays]


def number_type(type_: pa.DataType) -> ArrowType:
    """How values of an Arrow type are read, where no array is at hand."""
    return _NUMBER_TYPES[_numbers(pa.array([], type_)).type]


def null_count(data: pa.ChunkedArray) -> int:
    """Null rows of a column of any type, nulls inside dictionaries and runs included."""
    if pa.types.is_null(data.type):
        return len(data)
    count: int = pc.count(data, mode="only_null").as_py()
    return count


def null_flags(data: pa.ChunkedArray) -> NDArray[np.bool_]:
    """One flag a row, True where the row is null."""
    return np.concatenate(
        [np.zeros(0, dtype=np.bool_)] + [plain_values(pc.is_null(chunk)) for chunk in data.chunks]
    )


def plain_values(array: pa.Array) -> NDArray[Any]:
    """Values of an array of integers or booleans in NumPy's type; null rows hold anything.

    Read from the buffer: pyarrow's own conversions import pandas where that is installed (0.3 s,
    and an interrupt during the import is lost).
    """
    buffer = array.buffers()[1] or b""  # an empty array may have none
    if pa.types.is_boolean(array.type):
        packed = np.frombuffer(buffer, dtype=np.uint8)
        bits = np.unpackbits(packed, count=array.offset + len(array), bitorder="little")
        return bits[array.offset :].view(np.bool_)
    sign = "u" if pa.types.is_unsigned_integer(array.type) else "i"
    values = np.frombuffer(buffer, dtype=f"{sign}{array.type.bit_width // 8}")
    return values[array.offset : array.offset + len(array)]


def filled_values(array: pa.Array, fill: int) -> NDArray[Any]:
    """Values of an array of integers, null rows replaced by ``fill``."""
    values = plain_values(array)
    if array.null_count:
        values = values.copy()
        values[plain_values(array.is_null())] = fill
    return values


def count_texts(
    data: pa.ChunkedArray,
    order: NDArray[np.int32] | None,
    starts: NDArray[np.int64],
    counter: TextCounter,
    *,
    take: Callable[[TextCounter], Iterable[_T]],
) -> Iterator[_T]:
    """Count the texts of every cell; null rows and rows whose entry is null are left out.

    Parameters
    ----------
    data
        The column, in any encoding and any number of chunks.
    order, starts
        How the rows fall into cells; see `TextCounter.texts`.
    counter
        Work memory of the calling thread.
    take
        What is wanted of the cells; see `TextCounter.texts`.
    """
    chunks = [decode(chunk) for chunk in data.chunks if len(chunk)]
    encoded = _with_one_dictionary(chunks, len(data))
    single = order is not None
    if encoded is not None:
        dictionary = _text_view(_binary(encoded[0].dictionary))
        indices = [chunk.indices for chunk in encoded]
        if single and len(indices) > 1:
            indices = [pa.concat_arrays(indices)]
        views = [_code_view(array) for array in indices]
        return counter.codes(views, dictionary, order, starts, take=take)
    plain = [_binary(_without_dictionary(chunk)) for chunk in chunks]
    if single and len(plain) > 1:
        plain = [_joined(plain)]
    return counter.texts([_text_view(array) for array in plain], order, starts, take=take)


def text_codes(data: pa.ChunkedArray) -> TextCodes:
    """Encode a text column; entries are distinct, null entries and null rows are both -1."""
    chunks = [decode(chunk) for chunk in data.chunks]
    if not chunks or not all(map(_is_dictionary, chunks)) or _cannot_unify(chunks):
        encoded = _encode_plain(chunks)
        return TextCodes(_codes(encoded.indices), *_byte_strings(encoded.dictionary))
    if len(chunks) > 1:
        chunks = [pa.chunked_array(chunks).unify_dictionaries().combine_chunks()]
    (encoded,) = chunks
    codes = _codes(encoded.indices)
    # A dictionary may repeat an entry or hold a null: encode the dictionary itself once more.
    entries = _binary(encoded.dictionary).dictionary_encode()
    if len(entries.dictionary) < len(encoded.dictionary):
        remap = np.append(_codes(entries.indices), np.int32(-1))  # code -1 finds the last
        codes = remap[codes]
    return TextCodes(codes, *_byte_strings(entries.dictionary))


def conform(array: pa.Array, type_: pa.DataType) -> pa.Array:
    """Cast one file's array to the type that all files of the scan share.

    Text stays in its own encoding: a chunked column may not mix them, but a unit never does.
    """
    array = decode(array)
    same_text = is_text(array.type) and is_text(type_)
    if same_text or array.type.equals(type_):
        return array
    if pa.types.is_decimal(array.type) and pa.types.is_float64(type_):
        return _nearest_doubles(array)
    return array.cast(type_, safe=False)


def is_text(type_: pa.DataType) -> bool:
    """Whether values are byte strings, plain or dictionary-encoded."""
    if pa.types.is_dictionary(type_):
        type_ = type_.value_type
    types = pa.types
    return bool(
        types.is_string(type_)
        or types.is_large_string(type_)
        or types.is_string_view(type_)
        or types.is_binary(type_)
        or types.is_large_binary(type_)
        or types.is_binary_view(type_)
        or types.is_fixed_size_binary(type_)
    )


def decode(array: pa.Array) -> pa.Array:
    """Undo extension types, run-end encoding and dictionaries of anything but text."""
    if isinstance(array, pa.ExtensionArray):
        return decode(array.storage)
    if pa.types.is_run_end_encoded(array.type):
        return decode(pc.run_end_decode(array))
    if pa.types.is_dictionary(array.type) and not is_text(array.type):
        return decode(array.dictionary.take(array.indices))
    return array


def _numbers(array: pa.Array) -> pa.Array:
    """The array as one of the kernels' number types, by reinterpretation where possible."""
    array = decode(array)
    type_ = array.type
    if pa.types.is_decimal(type_):
        return _nearest_doubles(array)
    if pa.types.is_date64(type_):
        return array.cast(pa.date32(), safe=False).view(pa.int32())
    if pa.types.is_date32(type_) or pa.types.is_time32(type_):
        return array.view(pa.int32())
    if pa.types.is_timestamp(type_) or pa.types.is_time64(type_) or pa.types.is_duration(type_):
        return array.view(pa.int64())
    return array


def _nearest_doubles(array: pa.Array) -> pa.Array:
    """Decimals as the nearest doubles.

    Arrow's own cast multiplies by a rounded power of ten: 13 to 52 % of prices with two to five
    digits come out one double off, and then differ from the same prices logged as floats.
    """
    scale = array.type.scale
    if pa.types.is_decimal128(array.type) and 0 <= scale <= EXACT_POWER:
        words = np.frombuffer(array.buffers()[1], dtype=np.int64)
        words = words[2 * array.offset : 2 * (array.offset + len(array))].reshape(-1, 2)
        low, high = words[:, 0], words[:, 1]
        nulls = plain_values(array.is_null())
        small = (high == low >> 63) & (low >= -(2**53)) & (low <= 2**53)
        if bool((small | nulls).all()):
            # Both are exact doubles, so the quotient is rounded once.
            return pa.array(low / 10.0**scale, mask=nulls)
    return array.cast(pa.string()).cast(pa.float64())


def _view(array: pa.Array) -> ArrayView:
    validity, values = array.buffers()[:2]
    has_nulls = array.null_count > 0
    return ArrayView(
        type=_NUMBER_TYPES[array.type],
        values=values.address if values is not None else 0,
        validity=validity.address if has_nulls and validity is not None else 0,
        offset=array.offset,
        length=len(array),
        owner=array,
    )


def _encode_plain(chunks: list[pa.Array]) -> pa.DictionaryArray:
    """Encode chunks of which not all are dictionaries."""
    return _joined([_binary(_without_dictionary(chunk)) for chunk in chunks]).dictionary_encode()


def _joined(plain: list[pa.Array]) -> pa.Array:
    """Chunks of byte strings as one array, with wide offsets if they need them."""
    if not plain:
        return pa.array([], pa.binary())
    narrow = all(pa.types.is_binary(chunk.type) for chunk in plain)
    if not narrow or sum(chunk.nbytes for chunk in plain) >= _NARROW_BYTES:
        plain = [chunk.cast(pa.large_binary()) for chunk in plain]
    return pa.concat_arrays(plain)


def _without_dictionary(array: pa.Array) -> pa.Array:
    """The texts themselves, with wide offsets: repeated, they may need them."""
    if not _is_dictionary(array):
        return array
    return _binary(array.dictionary).cast(pa.large_binary()).take(array.indices)


def _with_one_dictionary(chunks: list[pa.Array], rows: int) -> list[pa.Array] | None:
    """The chunks with codes into one dictionary; None if plain texts are counted sooner.

    A dictionary is ranked once a unit, 25 ns an entry, and its texts looked up 35 ns a row.
    """
    if not chunks or not all(map(_is_dictionary, chunks)) or _cannot_unify(chunks):
        return None
    if len(chunks) > 1:
        chunks = pa.chunked_array(chunks).unify_dictionaries().chunks
    entries = len(chunks[0].dictionary)
    return chunks if entries <= min(TEXT_BLOCK, max(rows, _FEW_ENTRIES)) else None


def _cannot_unify(chunks: list[pa.Array]) -> bool:
    """Arrow unifies no dictionaries that hold a null."""
    return len(chunks) > 1 and any(chunk.dictionary.null_count for chunk in chunks)


def _is_dictionary(array: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(array.type))


def _binary(array: pa.Array) -> pa.Array:
    """Bytes without a promise of UTF-8; free for the offset-based layouts."""
    types = pa.types
    narrow = types.is_string(array.type) or types.is_binary(array.type) or types.is_null(array.type)
    return array.cast(pa.binary() if narrow else pa.large_binary())


def _text_view(array: pa.Array) -> TextView:
    validity, offsets, data = array.buffers()
    has_nulls = array.null_count > 0 and validity is not None
    return TextView(
        offsets=_NO_OFFSETS.address if offsets is None or not offsets.size else offsets.address,
        data=_NO_OFFSETS.address if data is None or not data.size else data.address,
        data_size=0 if data is None else data.size,
        wide=pa.types.is_large_binary(array.type),
        validity=validity.address if has_nulls else 0,
        offset=array.offset,
        length=len(array),
        owner=array,
    )


def _code_view(array: pa.Array) -> CodeView:
    validity, codes = array.buffers()
    has_nulls = array.null_count > 0 and validity is not None
    return CodeView(
        type=_NUMBER_TYPES[array.type],
        codes=_NO_OFFSETS.address if codes is None else codes.address,
        validity=validity.address if has_nulls else 0,
        offset=array.offset,
        length=len(array),
        owner=array,
    )


def _codes(indices: pa.Array) -> NDArray[np.int32]:
    """Dictionary indices as int32, -1 for null."""
    return filled_values(indices.cast(pa.int32()), -1)


def _byte_strings(array: pa.Array) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Offsets (from zero) and bytes of a binary array without nulls."""
    if len(array) == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    _, offsets_buffer, data_buffer = array.buffers()
    wide = pa.types.is_large_binary(array.type)
    offsets = np.frombuffer(offsets_buffer, dtype=np.int64 if wide else np.int32)
    offsets = offsets[array.offset : array.offset + len(array) + 1].astype(np.int64)
    if data_buffer is None:
        return offsets - offsets[0], np.zeros(0, dtype=np.uint8)
    data = np.frombuffer(data_buffer, dtype=np.uint8)[offsets[0] : offsets[-1]]
    return offsets - offsets[0], data
