/* What other files ask of exact counts. */
#ifndef LEADLINE_COUNTS_H
#define LEADLINE_COUNTS_H

#include "common.h"

/* How often a value that ll_counts_few has entered occurs. */
LL_HIDDEN uint32_t ll_few_count(uint64_t value, const uint64_t *keys, const uint32_t *counts);

/* The sum of `ways` tables of `size` counters, which begin at the integer `low`, to a table of the
 * low 16 bits. */
LL_HIDDEN void ll_counts_join(const uint32_t *tables, size_t ways, size_t size, uint64_t low,
                              uint32_t *table);

#endif
