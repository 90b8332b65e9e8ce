/* Log-linear histogram: the bucket of a value is a shift of its bits, so a block is indexed by
 * vector code and counted by scalar increments. Included by histogram.c only.
 *
 * What costs time is an increment that waits for the store of the one before it: 0.4 ns a value on
 * spread data, 2.0 on one repeated bucket (Sapphire Rapids, 2.6 GHz). So each tile counts its near
 * repeats first. Few: one table, which keeps the working set in L1. Many: four tables in turn (0.7
 * at worst). All in one bucket: one addition. Always using four tables costs 0.1 ns on wide data.
 */
#ifndef LEADLINE_HISTOGRAM_BODY_H
#define LEADLINE_HISTOGRAM_BODY_H

#include "number.h"

/* Zeros in a row take turns at as many scrap counters, so that they do not wait for each other. */
enum { TILE = 1024, AHEAD = 2, MANY_REPEATS = TILE / 4, SCRAP_LANES = 16 };

#define SCRAP          ((uint32_t)(LL_HISTOGRAM_PAGES * LL_HISTOGRAM_PAGE))
#define TOUCHED_SPREAD (LL_HISTOGRAM_PAGES + 1)

/* The top 20 bits; zero goes to the scrap page. Infinities keep pages of their own, 0x7ff and
 * 0xfff, which nothing reads. */
LL_INLINE uint32_t index_of(uint64_t value, int storage, int set, uint32_t scrap) {
    uint64_t bits = ll_truncated_bits(value, storage, set);
    return (uint32_t)ll_select(value == 0, scrap, bits >> 44);
}

LL_INLINE void histogram_index_body(const uint64_t *values, int64_t count, int storage, int set,
                                    uint32_t *index) {
    for (int64_t i = 0; i < count; i++)
        index[i] = index_of(values[i], storage, set, SCRAP);
}

LL_INLINE void count_once(const uint32_t *index, int count, uint32_t *counters, uint8_t *touched) {
    for (int i = 0; i < count; i++) {
        counters[index[i]]++;
        touched[index[i] / LL_HISTOGRAM_PAGE] = 1;
    }
}

LL_INLINE void count_spread(const uint32_t *index, int count, uint32_t *counters,
                            uint8_t *touched) {
    for (int i = 0; i < count; i += LL_HISTOGRAM_TABLES) {
        for (int table = 0; table < LL_HISTOGRAM_TABLES; table++) {
            counters[table * LL_HISTOGRAM_TABLE + index[i + table]]++;
            touched[index[i + table] / LL_HISTOGRAM_PAGE] = 1;
        }
    }
}

LL_INLINE void count_tile(const uint64_t *values, int storage, int set, uint32_t *counters,
                          uint8_t *touched) {
    uint32_t index[TILE + AHEAD];
    for (int i = 0; i < TILE; i++)
        index[i] = index_of(values[i], storage, set, SCRAP + (uint32_t)i % SCRAP_LANES);
    for (int i = 0; i < AHEAD; i++)
        index[TILE + i] = index[i];
    uint32_t next = 0, second = 0;
    for (int i = 0; i < TILE; i++) {
        next += index[i] == index[i + 1];
        second += index[i] == index[i + 2];
    }
    if (LL_LIKELY(next + second < MANY_REPEATS))
        count_once(index, TILE, counters, touched);
    else if (next < TILE)
        count_spread(index, TILE, counters, touched + TOUCHED_SPREAD);
    else {
        counters[index[0]] += TILE;
        touched[index[0] / LL_HISTOGRAM_PAGE] = 1;
    }
}

LL_INLINE void histogram_add_body(const uint64_t *values, int64_t count, int storage, int set,
                                  uint32_t *counters, uint8_t *touched) {
    int64_t begin = 0;
    for (; begin + TILE <= count; begin += TILE)
        count_tile(values + begin, storage, set, counters, touched);
    uint32_t index[TILE];
    histogram_index_body(values + begin, count - begin, storage, set, index);
    count_once(index, (int)(count - begin), counters, touched);
}

#endif
