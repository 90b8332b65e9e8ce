/* What the parts of the quantile sketch share; see quantiles.c. */
#ifndef LEADLINE_QUANTILES_H
#define LEADLINE_QUANTILES_H

#include "dispatch.h"
#include "mix.h"

#define LL_QUANTILE_WIDTH                                                                          \
    8 /* DataSketches' m: the least capacity of a level, and the smallest k                        \
       */
/* Capacity is that of at least so many levels: below (2/3)^12 a level has the minimum width. */
#define LL_QUANTILE_FULL 12

/* One sketch in the caller's memory. items has room for the capacity of all levels. */
typedef struct ll_part {
    uint64_t *items;
    uint32_t offsets[LL_QUANTILE_LEVELS + 1];
    int32_t levels;
    int32_t height; /* of the sampler; the largest that entered */
    int32_t order;  /* a part of 2^order blocks, or of fewer at the end */
    uint64_t low;
    uint64_t high;
} ll_part;

LL_INLINE uint64_t ll_quantiles_budget(int k, int levels) {
    int full = levels > LL_QUANTILE_FULL ? levels : LL_QUANTILE_FULL;
    return (uint64_t)ll_quantiles_capacity(k, full);
}

/* Look at the first or next values of a block, the last time at any number and before at a multiple
 * of eight; then finish. */
LL_HIDDEN void ll_scan_begin(ll_scan *scan, uint64_t seed);
LL_HIDDEN void ll_scan_finish(ll_scan *scan, uint64_t seed, ll_scanned *found);

/* The sketch of a block that was looked at; see ll_quantiles_block. */
LL_HIDDEN void ll_quantiles_of_block(const uint64_t *values, size_t count, int storage,
                                     unsigned height, int k, const ll_scanned *found,
                                     uint64_t *keys, uint64_t *work, ll_part *to);

/* Where many keys are equal: the distinct ones in order, with *weights, both in keys; returns how
 * many, 0 (with the keys as they were) where it does not pay. work has room for `count`. */
LL_HIDDEN size_t ll_ties_join(uint64_t *keys, size_t count, uint64_t *work, uint64_t **weights);

/* *to becomes the sketch of both; work and spare have room for the items of both. False, which only
 * items that are nobody's sketch can cause, if they cannot be brought down to their capacity. */
LL_HIDDEN bool ll_quantiles_join(int k, uint64_t seed, const ll_part *a, const ll_part *b,
                                 uint64_t *work, uint64_t *spare, ll_part *to);

#endif
