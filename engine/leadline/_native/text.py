"""Counts of texts, and what keys are: hashes, lengths, kinds of characters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from .arena import Arena, Parts, follow
from .arrow import ArrowType
from .distinct import DISTINCT_REGISTERS
from .library import ffi, lib, memory, refuse, words

TEXT_BLOCK: int = lib.LL_TEXT_BLOCK
TEXT_CAPACITY: int = lib.LL_TEXT_CAPACITY
TEXT_KEY_BYTES: int = lib.LL_TEXT_KEY_BYTES
TEXT_PREFIX: int = lib.LL_TEXT_PREFIX
TEXT_CUT_KEY: int = lib.LL_TEXT_CUT_KEY
TEXT_CLASSES: int = lib.LL_TEXT_CLASSES
TEXT_OCTAVES: int = lib.LL_TEXT_OCTAVES
_FORM_HEAD: int = lib.LL_TEXT_FORM_HEAD
_FORM_WORDS: int = lib.LL_TEXT_FORM_WORDS
_CELL_FIELDS = ffi.sizeof("ll_text_cell") // 8
_ERROR, _FORM = 3, 4
_REGISTERS_ROOM = 1 + DISTINCT_REGISTERS // 2 + DISTINCT_REGISTERS
_T = TypeVar("_T")

# What one call of a counting kernel may return; it goes on in the next call.
_CELLS, _KEYS, _KEY_BYTES, _FORMS = 4_096, 4 * TEXT_CAPACITY, 2 * TEXT_KEY_BYTES, 4


class RawForm(NamedTuple):
    """Lengths and kinds of characters, as the kernel leaves them.

    ``lengths`` holds 256 counts for every length octave whose bit is set in ``octaves``.
    """

    empty: int
    minimum: int
    maximum: int
    total: int
    classes: list[int]
    octaves: list[int]
    lengths: NDArray[np.uint64]


class CountedTexts(NamedTuple):
    """What a counting kernel found in one cell.

    Key ``i``, ascending, is ``keys[offsets[i]:offsets[i + 1]]``. The form is None where it follows
    from the keys; registers are there where ``error`` is above 0.
    """

    total: int
    error: int
    offsets: NDArray[np.uint32]
    keys: bytes
    counts: NDArray[np.uint64]
    form: RawForm | None
    registers: NDArray[np.uint8] | None


class EncodedTexts(NamedTuple):
    """What a counting kernel found in some cells, as a snapshot holds it.

    Parameters
    ----------
    totals, errors
        int64, as in `CountedTexts`.
    parts
        Keys, their counts, registers where there are some.
    forms
        By the cell's place, where they do not follow from the keys.
    """

    totals: NDArray[np.int64]
    errors: NDArray[np.int64]
    parts: Parts
    forms: dict[int, RawForm]


@dataclass(frozen=True, slots=True)
class TextView:
    """Addresses of one Arrow array of byte strings; nothing is copied.

    Parameters
    ----------
    offsets, data, data_size
        Addresses of the buffers and bytes of the second one.
    wide
        Whether offsets have 8 bytes instead of 4.
    validity
        Address of the bitmap; 0 if no row is null.
    offset, length
        In rows; the offset applies to offsets and validity.
    owner
        Whatever keeps the memory alive.
    """

    offsets: int
    data: int
    data_size: int
    wide: bool
    validity: int
    offset: int
    length: int
    owner: object

    @property
    def fields(self) -> tuple[Any, ...]:
        """The fields of the C structure."""
        return (
            ffi.cast("void *", self.offsets),
            ffi.cast("uint8_t *", self.data),
            self.data_size,
            ffi.cast("uint8_t *", self.validity),
            self.offset,
            self.length,
            self.wide,
        )


@dataclass(frozen=True, slots=True)
class CodeView:
    """Addresses of one Arrow array of dictionary codes; see `TextView`."""

    type: ArrowType
    codes: int
    validity: int
    offset: int
    length: int
    owner: object

    @property
    def fields(self) -> tuple[Any, ...]:
        """The fields of the C structure."""
        return (
            ffi.cast("void *", self.codes),
            ffi.cast("uint8_t *", self.validity),
            self.offset,
            self.length,
            self.type,
        )


class TextCounter:
    """Work memory of one thread for counting texts, about 6 MB once all of it was used."""

    def __init__(self) -> None:
        self._memory = np.empty(lib.LL_TEXT_WORK_WORDS, dtype=np.uint64)
        self._cells = np.empty((_CELLS, _CELL_FIELDS), dtype=np.int64)
        self._offsets = np.empty(_KEYS + _CELLS, dtype=np.uint32)
        self._counts = np.empty(_KEYS, dtype=np.uint64)
        self._keys = np.empty(_KEY_BYTES, dtype=np.uint8)
        self._forms = np.empty((_FORMS, _FORM_WORDS), dtype=np.uint64)
        self._registers = np.empty((_FORMS, DISTINCT_REGISTERS), dtype=np.uint8)
        self._work = ffi.cast("ll_text_work *", words(self._memory))
        self._output = ffi.new(
            "ll_text_output *",
            {
                "cells": ffi.cast("ll_text_cell *", memory(self._cells, np.int64)),
                "offsets": memory(self._offsets, np.uint32),
                "counts": words(self._counts),
                "data": memory(self._keys, np.uint8),
                "forms": ffi.cast("ll_text_form *", words(self._forms)),
                "registers": memory(self._registers, np.uint8),
                "cells_capacity": _CELLS,
                "keys_capacity": _KEYS,
                "bytes_capacity": _KEY_BYTES,
                "forms_capacity": _FORMS,
            },
        )

    def texts(
        self,
        views: Sequence[TextView],
        order: NDArray[np.int32] | None,
        starts: NDArray[np.int64],
        *,
        take: Callable[[TextCounter], Iterable[_T]],
    ) -> Iterator[_T]:
        """Count the texts of every cell.

        Parameters
        ----------
        views
            The column's chunks; exactly one if there is an order.
        order
            Row numbers, cell after cell; None for the rows as they lie.
        starts
            Cell ``i`` holds rows (or places in the order) ``starts[i]`` to ``starts[i + 1]``.
        take
            Called after every step, for what is given of the step's cells: `found` or `encoded`.

        Raises
        ------
        InputError
            If a row or an offset lies outside its array.
        """
        chunks = ffi.new("ll_text_chunk[]", [view.fields for view in views])
        rows = sum(view.length for view in views)

        def count(cells: Any, following: Any) -> int:
            code: int = lib.ll_text_count(
                chunks, len(views), cells, self._work, self._output, following
            )
            return code

        return self._run(count, "text", rows, order, starts, views, take)

    def codes(
        self,
        views: Sequence[CodeView],
        dictionary: TextView,
        order: NDArray[np.int32] | None,
        starts: NDArray[np.int64],
        *,
        take: Callable[[TextCounter], Iterable[_T]],
    ) -> Iterator[_T]:
        """Count the texts of every cell by codes into at most 65,536 entries; see `texts`."""
        chunks = ffi.new("ll_code_chunk[]", [view.fields for view in views])
        entries = ffi.new("ll_text_chunk *", dictionary.fields)
        ranks, ranked = np.empty((2, dictionary.length), dtype=np.int32)
        ranks_memory, ranked_memory = memory(ranks, np.int32), memory(ranked, np.int32)
        distinct = ffi.new("int64_t *")
        code = lib.ll_text_rank(entries, self._work, ranks_memory, ranked_memory, distinct)
        if code:
            refuse(code, "dictionary")
        rows = sum(view.length for view in views)

        def count(cells: Any, following: Any) -> int:
            code: int = lib.ll_codes_count(
                chunks,
                len(views),
                entries,
                ranks_memory,
                ranked_memory,
                distinct[0],
                cells,
                self._work,
                self._output,
                following,
            )
            return code

        return self._run(count, "codes", rows, order, starts, (views, dictionary), take)

    def _run(
        self,
        count: Any,
        kernel: str,
        rows: int,
        order: NDArray[np.int32] | None,
        starts: NDArray[np.int64],
        owners: object,
        take: Callable[[TextCounter], Iterable[_T]],
    ) -> Iterator[_T]:
        cells = ffi.new("ll_text_cells *")
        cells.order = ffi.NULL if order is None else memory(order, np.int32)
        cells.rows = rows if order is None else len(order)
        cells.starts = starts_memory = memory(starts, np.int64)
        following = ffi.new("int64_t *")
        cells.last = len(starts) - 1
        output = self._output
        while cells.first < cells.last:
            output.cells_used = output.keys_used = output.bytes_used = output.forms_used = 0
            code = count(cells, following)
            if code:
                refuse(code, kernel)
            yield from take(self)
            cells.first = following[0]
        del starts_memory, owners  # kept alive until here: the kernel knows only addresses

    def encoded(self, arena: Arena) -> Iterator[EncodedTexts]:
        """What the last step found, as a snapshot holds it."""
        output = self._output
        used: int = output.cells_used
        found = self._cells[:used].copy()
        room = 12 * used + 12 * output.keys_used + output.bytes_used
        room += _REGISTERS_ROOM * output.forms_used
        sizes = np.zeros((used, lib.LL_TEXT_PARTS), dtype=np.int64)
        address, out, free = arena.room(room)
        code = lib.ll_text_bytes(output, out, free, memory(sizes.reshape(-1), np.int64))
        if code:
            refuse(code, "text")
        addresses = np.zeros(sizes.shape, dtype=np.uint64)
        arena.fill(follow(address, sizes, addresses))
        formed = np.flatnonzero(found[:, _FORM] >= 0).tolist()
        forms = {cell: _raw_form(self._forms[found[cell, _FORM]]) for cell in formed}
        yield EncodedTexts(
            found[:, 0].copy(), found[:, _ERROR].copy(), Parts(addresses, sizes), forms
        )

    def found(self) -> Iterator[CountedTexts]:
        """What the last step found, cell by cell."""
        output = self._output
        data = self._keys[: output.bytes_used].tobytes()
        key = byte = 0
        found = self._cells[: output.cells_used].tolist()
        for cell, (total, keys, key_bytes, error, form, sketched) in enumerate(found):
            yield CountedTexts(
                total,
                error,
                self._offsets[key + cell : key + cell + keys + 1].copy(),
                data[byte : byte + key_bytes],
                self._counts[key : key + keys].copy(),
                None if form < 0 else _raw_form(self._forms[form]),
                self._registers[form].copy() if sketched else None,
            )
            key += keys
            byte += key_bytes


def text_hash(offsets: NDArray[np.uint32], keys: bytes) -> NDArray[np.uint64]:
    """First hash word of the text behind every key, cut ones included."""
    hashes = np.empty(len(offsets) - 1, dtype=np.uint64)
    code = lib.ll_text_hash(
        memory(offsets, np.uint32),
        len(hashes),
        ffi.from_buffer("uint8_t[]", keys),
        len(keys),
        words(hashes),
    )
    if code:
        refuse(code, "text")
    return hashes


def text_describe(offsets: NDArray[np.uint32], keys: bytes, counts: NDArray[np.uint64]) -> RawForm:
    """Lengths and kinds of characters of texts that occur ``counts[i]`` times."""
    if len(counts) != len(offsets) - 1:
        raise ValueError(f"{len(offsets) - 1} keys have {len(counts)} counts")
    form = np.empty(_FORM_WORDS, dtype=np.uint64)
    code = lib.ll_text_describe(
        memory(offsets, np.uint32),
        len(counts),
        ffi.from_buffer("uint8_t[]", keys),
        len(keys),
        words(counts),
        ffi.cast("ll_text_form *", words(form)),
    )
    if code:
        refuse(code, "text")
    return _raw_form(form)


def text_ascending(offsets: NDArray[np.uint32], keys: bytes) -> bool:
    """Whether the keys ascend and are distinct."""
    answer = ffi.new("int32_t *")
    code = lib.ll_text_ascending(
        memory(offsets, np.uint32),
        len(offsets) - 1,
        ffi.from_buffer("uint8_t[]", keys),
        len(keys),
        answer,
    )
    if code:
        refuse(code, "text")
    return bool(answer[0])


def text_merge(
    a_offsets: NDArray[np.uint32],
    a_keys: bytes,
    a_counts: NDArray[np.uint64],
    b_offsets: NDArray[np.uint32],
    b_keys: bytes,
    b_counts: NDArray[np.uint64],
) -> tuple[NDArray[np.uint32], bytes, NDArray[np.uint64], int]:
    """Two ascending lists of keys with counts into one, and what was subtracted so that it fits."""
    if len(a_offsets) != len(a_counts) + 1 or len(b_offsets) != len(b_counts) + 1:
        raise ValueError("keys and counts differ in length")
    most = len(a_counts) + len(b_counts)
    offsets, counts = np.empty(most + 1, dtype=np.uint32), np.empty(most, dtype=np.uint64)
    keys = ffi.new("uint8_t[]", len(a_keys) + len(b_keys))
    found = ffi.new("uint64_t[2]")
    code = lib.ll_text_merge(
        memory(a_offsets, np.uint32),
        ffi.from_buffer("uint8_t[]", a_keys),
        len(a_keys),
        words(a_counts),
        len(a_counts),
        memory(b_offsets, np.uint32),
        ffi.from_buffer("uint8_t[]", b_keys),
        len(b_keys),
        words(b_counts),
        len(b_counts),
        memory(offsets, np.uint32),
        keys,
        words(counts),
        found,
    )
    if code:
        refuse(code, "text")
    held = int(found[0])
    if held < most:
        offsets, counts = offsets[: held + 1].copy(), counts[:held].copy()
    return offsets, bytes(ffi.buffer(keys, int(offsets[-1]))), counts, int(found[1])


def _raw_form(form: NDArray[np.uint64]) -> RawForm:
    empty, minimum, maximum, total, *classes, octaves = form[:_FORM_HEAD].tolist()
    held = [octave for octave in range(TEXT_OCTAVES) if octaves >> octave & 1]
    lengths = form[_FORM_HEAD:].reshape(TEXT_OCTAVES, 256)[held]
    return RawForm(empty, minimum, maximum, total, classes, held, lengths)
