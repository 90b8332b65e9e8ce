/* Log-linear histogram: the bucket of a value is the top 20 bits of its double, so counting is one
 * shift and one increment. Included by histogram.c only.
 *
 * What costs time is an increment that waits for the store of the one before it: 0.35 ns a value on
 * spread data, 2.0 on one repeated bucket (a Xeon with AMX at 2.6 GHz). So each tile is looked over
 * first, in vector code. All of it in one bucket: one addition. Many repeats among neighbours: four
 * tables in turn (0.7 at worst). Otherwise one table, which keeps the working set in L1; always
 * using four costs 0.1 on wide data. Marking pages by their range over the tile costs 0.1, a store
 * for each value 0.25; the price is that a marked page may be empty.
 */
#ifndef LEADLINE_HISTOGRAM_BODY_H
#define LEADLINE_HISTOGRAM_BODY_H

#include "dispatch.h"
#include "number.h"

enum { TILE = 1024, SAMPLE = 256, MANY_REPEATS = SAMPLE / 4 };

#define SCRAP          ((uint32_t)(LL_HISTOGRAM_PAGES * LL_HISTOGRAM_PAGE))
#define NEGATIVE_PAGE  (LL_HISTOGRAM_PAGES / 2)
#define BUCKET_SHIFT   44
#define TOUCHED_SPREAD LL_HISTOGRAM_PAGES

/* What a tile holds, from the upper halves of its doubles. Read as unsigned integers, non-negative
 * doubles ascend below negative ones; read as signed ones, negative doubles ascend (by size) below
 * non-negative ones. So the four extremes are the ends of both signs' ranges. */
typedef struct survey {
    uint32_t unsigned_low; /* of half - 1, so that zeros do not hide the smallest positive value */
    uint32_t unsigned_high;
    int32_t signed_low;
    int32_t signed_high;
    uint32_t zeros;
    uint32_t repeats; /* among the first SAMPLE values, with the next and the next but one */
} survey;

/* How many of a tile's first values share a bucket with the next one or the next but one. */
LL_INLINE uint32_t count_repeats(const uint64_t *bits, int count) {
    uint32_t repeats = 0;
    for (int i = 0; count == TILE && i < SAMPLE; i++) {
        repeats += (bits[i] ^ bits[i + 1]) >> BUCKET_SHIFT == 0;
        repeats += (bits[i] ^ bits[i + 2]) >> BUCKET_SHIFT == 0;
    }
    return repeats;
}

LL_INLINE survey survey_tile(const uint64_t *bits, int count) {
    uint32_t unsigned_low = UINT32_MAX, unsigned_high = 0, zeros = 0;
    int32_t signed_low = INT32_MAX, signed_high = INT32_MIN;
    for (int i = 0; i < count; i++) {
        uint32_t half = (uint32_t)(bits[i] >> 32), lower = half - 1;
        int32_t as_signed = (int32_t)half;
        unsigned_low = lower < unsigned_low ? lower : unsigned_low;
        unsigned_high = half > unsigned_high ? half : unsigned_high;
        signed_low = as_signed < signed_low ? as_signed : signed_low;
        signed_high = as_signed > signed_high ? as_signed : signed_high;
        zeros += bits[i] == 0;
    }
    return (survey){unsigned_low, unsigned_high, signed_low,
                    signed_high,  zeros,         count_repeats(bits, count)};
}

LL_INLINE uint32_t upper_half(double value) {
    return (uint32_t)(ll_bits_of_double(value) >> 32);
}

/* The same of doubles that were looked at, but for the signs of the smallest magnitudes: where both
 * signs occur, both may get more marks than they need. */
LL_INLINE survey survey_of_look(const uint64_t *bits, int count, const ll_look *look) {
    const uint32_t low = upper_half(look->low), high = upper_half(look->high);
    const uint32_t nearest = upper_half(look->nearest);
    const bool below = look->low < 0, mixed = below && look->high >= 0;
    return (survey){.unsigned_low = nearest ? nearest - 1 : 0,
                    .unsigned_high = below ? low : high,
                    .signed_low = (int32_t)(mixed   ? nearest | (uint32_t)1 << 31
                                            : below ? high
                                                    : low),
                    .signed_high = (int32_t)(below && !mixed ? low : high),
                    .zeros = (uint32_t)look->zeros,
                    .repeats = count_repeats(bits, count)};
}

/* Mark the pages from the smallest to the largest absolute value of each sign. Page 0 is marked
 * with any of its neighbours: a half of 0 stands for zero and for the smallest subnormals alike. */
LL_INLINE void mark_pages(const survey *found, uint8_t *touched) {
    if (found->signed_high >= 0) {
        uint32_t first = found->unsigned_low >> 20, last = (uint32_t)found->signed_high >> 20;
        if (first > last) first = last; /* zeros only */
        memset(touched + first, 1, last - first + 1);
        touched[0] = 1;
    }
    if (found->signed_low < 0) {
        uint32_t first = (uint32_t)found->signed_low >> 20, last = found->unsigned_high >> 20;
        memset(touched + first, 1, last - first + 1);
    }
}

/* Bits become the top 20: the bucket. Infinities have pages of their own, which nothing reads;
 * zeros land with the smallest subnormals and are taken back. */
LL_INLINE void count_tile(const uint64_t *bits, int count, survey found, const uint8_t *ahead,
                          uint32_t *restrict counters, uint8_t *restrict touched) {
    if (LL_UNLIKELY(found.signed_low >> 12 == found.signed_high >> 12)) {
        counters[bits[0] >> BUCKET_SHIFT] += (uint32_t)count;
        mark_pages(&found, touched);
    } else if (LL_LIKELY(found.repeats < MANY_REPEATS)) {
        int i = 0;
        for (; i + 8 <= count; i += 8) {
            ll_fetch(ahead, (size_t)i);
#pragma GCC unroll 8
            for (int j = i; j < i + 8; j++)
                counters[bits[j] >> BUCKET_SHIFT]++;
        }
        for (; i < count; i++)
            counters[bits[i] >> BUCKET_SHIFT]++;
        mark_pages(&found, touched);
    } else {
        for (int i = 0; i < TILE; i += LL_HISTOGRAM_TABLES)
            for (int table = 0; table < LL_HISTOGRAM_TABLES; table++)
                counters[table * LL_HISTOGRAM_TABLE + (bits[i + table] >> BUCKET_SHIFT)]++;
        mark_pages(&found, touched + TOUCHED_SPREAD);
    }
    counters[0] -= found.zeros; /* may wrap below 0 here and back where the tables are added */
}

LL_INLINE void histogram_add_body(const uint64_t *values, int64_t count, int storage, int set,
                                  uint32_t *counters, uint8_t *touched) {
    uint64_t bits[TILE];
    for (int64_t begin = 0; begin < count; begin += TILE) {
        int size = (int)ll_smaller(TILE, count - begin);
        for (int i = 0; storage != LL_STORAGE_FLOAT64 && i < size; i++)
            bits[i] = ll_truncated_bits(values[begin + i], storage, set);
        const uint64_t *tile = storage == LL_STORAGE_FLOAT64 ? values + begin : bits;
        count_tile(tile, size, survey_tile(tile, size), (const uint8_t *)tile, counters, touched);
    }
}

LL_INLINE void histogram_index_body(const uint64_t *values, int64_t count, int storage, int set,
                                    uint32_t *index) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t bits = ll_truncated_bits(values[i], storage, set);
        bool infinite = (bits & LL_INFINITY_BITS) == LL_INFINITY_BITS;
        index[i] = (uint32_t)ll_select(bits == 0 || infinite, SCRAP, bits >> BUCKET_SHIFT);
    }
}

#endif
