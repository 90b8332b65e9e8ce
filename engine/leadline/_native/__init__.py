"""Checked calls of the compiled kernels, one file a family.

Every function takes NumPy arrays of exactly the type it names, contiguous, and works on their
memory. cffi releases the interpreter lock around each kernel.
"""

from __future__ import annotations

from .arrow import ArrayView, ArrowType, Tally, gather
from .calendar import calendar_count, calendar_microseconds
from .counts import (
    FEW_PLACES,
    codes_count,
    codes_groups,
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
from .quantiles import quantiles_block, quantiles_capacity, quantiles_merge, quantiles_weighted
from .text import TEXT_CLASSES, text_measure, text_weigh

__all__ = [
    "DISTINCT_REGISTERS",
    "FEW_PLACES",
    "HISTOGRAM_COUNTERS",
    "HISTOGRAM_PAGE",
    "HISTOGRAM_PAGES",
    "HISTOGRAM_TOUCHED",
    "TEXT_CLASSES",
    "ArrayView",
    "ArrowType",
    "HistogramCounters",
    "MissingKernelsError",
    "Storage",
    "Tally",
    "active_instruction_set",
    "calendar_count",
    "calendar_microseconds",
    "codes_count",
    "codes_groups",
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
    "quantiles_block",
    "quantiles_capacity",
    "quantiles_merge",
    "quantiles_weighted",
    "text_measure",
    "text_weigh",
]
