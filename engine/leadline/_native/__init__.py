"""Checked calls of the compiled kernels, one file a family.

Every function takes NumPy arrays of exactly the type it names, contiguous, and works on their
memory. cffi releases the interpreter lock around each kernel.
"""

from __future__ import annotations

from .arena import Arena, Parts
from .arrow import ArrayView, ArrowType, Tally, gather
from .calendar import calendar_count, calendar_microseconds
from .cells import cells_sort, cells_windows
from .counts import (
    FEW_PLACES,
    counts_dense,
    counts_few,
    counts_groups,
    counts_merge,
    counts_range,
)
from .distinct import DISTINCT_REGISTERS, distinct_add, distinct_add_hashes, distinct_hash
from .histogram import (
    HISTOGRAM_COUNTERS,
    HISTOGRAM_PAGE,
    HISTOGRAM_PAGES,
    HISTOGRAM_TOUCHED,
    HistogramCounters,
    histogram_index,
)
from .keys import keys_decode, keys_encode
from .library import (
    MissingKernelsError,
    Storage,
    active_instruction_set,
    force_instruction_set,
    instruction_sets,
)
from .moments import moments_block, moments_weighted
from .numbers import BLOCK, FEW_DISTINCT, NUMBER_FIELDS, SMALL_TOTAL, UNIT_ROWS, NumbersWork
from .packing import packing_gaps, packing_numbers
from .pages import (
    PLAIN,
    PLAIN_DICTIONARY,
    FooterChunk,
    FooterChunks,
    PageCodec,
    PageColumn,
    PageDeclined,
    PageKind,
    PageLayout,
    PageList,
    PageRows,
    PageUnpacker,
    plain_page,
)
from .quantiles import (
    quantiles_block,
    quantiles_bytes,
    quantiles_capacity,
    quantiles_merge,
    quantiles_weighted,
)
from .records import records_end
from .text import (
    TEXT_BLOCK,
    TEXT_CAPACITY,
    TEXT_CLASSES,
    TEXT_CUT_KEY,
    TEXT_KEY_BYTES,
    TEXT_PREFIX,
    CodeView,
    CountedTexts,
    EncodedTexts,
    RawForm,
    TextCounter,
    TextView,
    text_ascending,
    text_describe,
    text_hash,
    text_merge,
)
from .zstd import ZstdContext, zstd_library

__all__ = [
    "BLOCK",
    "DISTINCT_REGISTERS",
    "FEW_DISTINCT",
    "FEW_PLACES",
    "HISTOGRAM_COUNTERS",
    "HISTOGRAM_PAGE",
    "HISTOGRAM_PAGES",
    "HISTOGRAM_TOUCHED",
    "NUMBER_FIELDS",
    "PLAIN",
    "PLAIN_DICTIONARY",
    "SMALL_TOTAL",
    "TEXT_BLOCK",
    "TEXT_CAPACITY",
    "TEXT_CLASSES",
    "TEXT_CUT_KEY",
    "TEXT_KEY_BYTES",
    "TEXT_PREFIX",
    "UNIT_ROWS",
    "Arena",
    "ArrayView",
    "ArrowType",
    "CodeView",
    "CountedTexts",
    "EncodedTexts",
    "FooterChunk",
    "FooterChunks",
    "HistogramCounters",
    "MissingKernelsError",
    "NumbersWork",
    "PageCodec",
    "PageColumn",
    "PageDeclined",
    "PageKind",
    "PageLayout",
    "PageList",
    "PageRows",
    "PageUnpacker",
    "Parts",
    "RawForm",
    "Storage",
    "Tally",
    "TextCounter",
    "TextView",
    "ZstdContext",
    "active_instruction_set",
    "calendar_count",
    "calendar_microseconds",
    "cells_sort",
    "cells_windows",
    "counts_dense",
    "counts_few",
    "counts_groups",
    "counts_merge",
    "counts_range",
    "distinct_add",
    "distinct_add_hashes",
    "distinct_hash",
    "force_instruction_set",
    "gather",
    "histogram_index",
    "instruction_sets",
    "keys_decode",
    "keys_encode",
    "moments_block",
    "moments_weighted",
    "packing_gaps",
    "packing_numbers",
    "plain_page",
    "quantiles_block",
    "quantiles_bytes",
    "quantiles_capacity",
    "quantiles_merge",
    "quantiles_weighted",
    "records_end",
    "text_ascending",
    "text_describe",
    "text_hash",
    "text_merge",
    "zstd_library",
]
