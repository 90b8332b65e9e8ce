/* Ascending sort of ordered 64-bit keys in caller's memory; see sort.c for the method. */
#ifndef LEADLINE_SORT_H
#define LEADLINE_SORT_H

#include "common.h"

/* Sort `count` keys in place; `work` has room for `count` more. */
LL_HIDDEN void ll_sort_keys(uint64_t *keys, uint64_t *work, size_t count);

#endif
