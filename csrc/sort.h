/* Ordered keys, whose unsigned order is the order of the values, and their ascending sort. */
#ifndef LEADLINE_SORT_H
#define LEADLINE_SORT_H

#include "number.h"

/* Values as signed numbers in their own order: negative doubles compare in reverse as integers. */
LL_INLINE int64_t ll_signed_order(uint64_t value, int storage) {
    if (storage == LL_STORAGE_INT64) return (int64_t)value;
    if (storage == LL_STORAGE_UINT64) return (int64_t)(value ^ LL_SIGN_BIT);
    /* Without a branch: no CPU foresees the signs of values that were drawn from a block. */
    return (int64_t)(value ^ ((uint64_t)((int64_t)value >> 63) >> 1));
}

LL_INLINE uint64_t ll_ordered_key(uint64_t value, int storage) {
    return (uint64_t)ll_signed_order(value, storage) ^ LL_SIGN_BIT;
}

/* Sort `count` keys in place; `work` has room for `count` more. */
LL_HIDDEN void ll_sort_keys(uint64_t *keys, uint64_t *work, size_t count);

#endif
