"""The only module that looks inside Arrow memory.

Every other module passes Arrow arrays on unopened. Here they become what the kernels read: an
``ArrayView`` (addresses, offset, length) for numbers, dictionary codes over distinct byte strings
for text. Nothing is copied where the memory already has the right shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from ._native import ArrayView, ArrowType

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

    def entry(self, code: int) -> bytes:
        """The bytes of one entry."""
        return self.data[self.offsets[code] : self.offsets[code + 1]].tobytes()


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
    plain = [
        _binary(chunk.dictionary.take(chunk.indices) if _is_dictionary(chunk) else chunk)
        for chunk in chunks
    ]
    joined = pa.chunked_array(plain, None if plain else pa.binary()).combine_chunks()
    if isinstance(joined, pa.ChunkedArray):  # more than 2 GiB of text in one unit
        joined = pa.concat_arrays([chunk.cast(pa.large_binary()) for chunk in joined.chunks])
    return joined.dictionary_encode()


def _cannot_unify(chunks: list[pa.Array]) -> bool:
    """Arrow unifies no dictionaries that hold a null."""
    return len(chunks) > 1 and any(chunk.dictionary.null_count for chunk in chunks)


def _is_dictionary(array: pa.Array) -> bool:
    return bool(pa.types.is_dictionary(array.type))


def _binary(array: pa.Array) -> pa.Array:
    """Bytes without a promise of UTF-8; free for the offset-based layouts."""
    large = pa.types.is_large_string(array.type) or pa.types.is_large_binary(array.type)
    return array.cast(pa.large_binary() if large else pa.binary())


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
