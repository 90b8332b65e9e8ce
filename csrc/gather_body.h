/* From Arrow memory to a dense block, in three small steps over a tile that stays in L1: load and
 * widen, drop the null rows, then drop NaN while normalising and counting. Each step is skipped or
 * a single vector loop in the common case. Included by gather.c only.
 */
#ifndef LEADLINE_GATHER_BODY_H
#define LEADLINE_GATHER_BODY_H

#include "number.h"

enum { TILE = 1024, WORDS = TILE / 64 };

/* Eight bytes at any address. */
typedef uint64_t loose_word __attribute__((aligned(1), may_alias));

/* Bit 0 is the lowest of the first byte (Arrow columnar format, "Validity bitmaps"). */
LL_INLINE uint64_t bit_at(const uint8_t *bitmap, int64_t position) {
    return (bitmap[position >> 3] >> (position & 7)) & 1;
}

/* IEEE 754 binary16, by integers: exact, and right for subnormals whatever the CPU's flush mode. */
LL_INLINE uint64_t double_bits_of_half(uint16_t half) {
    uint64_t sign = (uint64_t)(half >> 15) << 63;
    uint64_t exponent = (half >> 10) & 31, fraction = half & 1023;
    uint64_t normal = ((exponent + 1023 - 15) << 52) | (fraction << 42);
    uint64_t special = LL_INFINITY_BITS | (fraction << 42);
    /* fraction * 2^-24: the fraction as the low bits of a double of 2^52, which is taken away. */
    double subnormal = (ll_double_of_bits(fraction | 0x4330000000000000u) - 0x1p52) * 0x1p-24;
    uint64_t finite = ll_select(exponent == 0, ll_bits_of_double(subnormal), normal);
    return sign | ll_select(exponent == 31, special, finite);
}

/* Arrow recommends alignment but foreign producers need not align; x86 loads cost the same. */
#define LOAD_LOOP(c_type, convert)                                                                 \
    do {                                                                                           \
        typedef c_type loose __attribute__((aligned(1), may_alias));                               \
        const loose *typed = (const loose *)values;                                                \
        if (rows)                                                                                  \
            for (int i = 0; i < count; i++)                                                        \
                out[i] = convert(typed[first + rows[i]]);                                          \
        else                                                                                       \
            for (int i = 0; i < count; i++)                                                        \
                out[i] = convert(typed[first + i]);                                                \
    } while (0)

#define TO_INT64(x)  ((uint64_t)(int64_t)(x))
#define TO_UINT64(x) ((uint64_t)(x))
#define TO_DOUBLE(x) ll_bits_of_double((double)(x))

/* out[i] = the raw storage of value first + rows[i], or of value first + i. */
LL_INLINE void gather_load_body(int type, const void *values, int64_t first, const int32_t *rows,
                                int count, uint64_t *out) {
    switch (type) {
    case LL_TYPE_BOOL:
        for (int i = 0; i < count; i++)
            out[i] = bit_at((const uint8_t *)values, first + (rows ? rows[i] : i));
        break;
    case LL_TYPE_INT8:
        LOAD_LOOP(int8_t, TO_INT64);
        break;
    case LL_TYPE_INT16:
        LOAD_LOOP(int16_t, TO_INT64);
        break;
    case LL_TYPE_INT32:
        LOAD_LOOP(int32_t, TO_INT64);
        break;
    case LL_TYPE_UINT8:
        LOAD_LOOP(uint8_t, TO_INT64);
        break;
    case LL_TYPE_UINT16:
        LOAD_LOOP(uint16_t, TO_INT64);
        break;
    case LL_TYPE_UINT32:
        LOAD_LOOP(uint32_t, TO_INT64);
        break;
    case LL_TYPE_FLOAT16:
        LOAD_LOOP(uint16_t, double_bits_of_half);
        break;
    case LL_TYPE_FLOAT32:
        LOAD_LOOP(float, TO_DOUBLE);
        break;
    default: /* the three types that are their own storage */
        LOAD_LOOP(uint64_t, TO_UINT64);
        break;
    }
}

/* Keep the values whose bit is set, in place and in order; returns how many. */
LL_INLINE int gather_keep_body(uint64_t *values, int count, const uint64_t *keep) {
    int kept = 0;
    for (int begin = 0; begin < count; begin += 64) {
        uint64_t word = keep[begin / 64];
        int size = (int)ll_smaller(64, count - begin);
        if (word == UINT64_MAX) { /* a whole word: bits beyond count are zero */
            if (kept < begin) memmove(values + kept, values + begin, 64 * sizeof *values);
            kept += 64;
            continue;
        }
        for (int i = 0; word != 0 && i < size; i++) {
            values[kept] = values[begin + i];
            kept += (int)((word >> i) & 1);
        }
    }
    return kept;
}

/* Copy all that is not NaN; `to` may be where the values are, or before. */
LL_INLINE int keep_numbers(const uint64_t *values, int count, uint64_t *to) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
        uint64_t bits = values[i];
        to[kept] = bits;
        kept += bits << 1 <= LL_INFINITY_BITS << 1;
    }
    return kept;
}

/* Copy all values that are not NaN and whose bit is set, if there are bits. */
LL_INLINE int gather_take_body(const loose_word *from, int count, const uint64_t *keep,
                               uint64_t *to) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
        uint64_t bits = from[i], wanted = keep ? keep[i / 64] >> (i % 64) & 1 : 1;
        to[kept] = bits;
        kept += (int)wanted & (bits << 1 <= LL_INFINITY_BITS << 1);
    }
    return kept;
}

/* What only tiles with NaN or infinities need; returns how many values are NaN. */
LL_INLINE int count_special(const uint64_t *values, int count, ll_tally *tally) {
    const uint64_t infinity = LL_INFINITY_BITS << 1; /* without the sign */
    uint64_t nan = 0, negative_nan = 0, infinite = 0, negative_infinite = 0;
    for (int i = 0; i < count; i++) {
        uint64_t absolute = values[i] << 1, negative = values[i] >> 63;
        nan += absolute > infinity;
        negative_nan += ll_select(absolute > infinity, negative, 0);
        infinite += absolute == infinity;
        negative_infinite += ll_select(absolute == infinity, negative, 0);
    }
    tally->nan += (int64_t)nan;
    tally->negatives -= (int64_t)negative_nan;
    tally->positive_infinity += (int64_t)(infinite - negative_infinite);
    tally->negative_infinity += (int64_t)negative_infinite;
    return (int)nan;
}

LL_INLINE int clean_floats(const loose_word *from, int count, uint64_t *to, ll_tally *tally) {
    uint64_t zeros = 0, negatives = 0, special = 0;
    for (int i = 0; i < count; i++) {
        uint64_t bits = from[i];
        bool zero = bits << 1 == 0;
        bits = ll_select(zero, 0, bits);
        zeros += zero;
        negatives += bits >> 63;
        special |= (bits & LL_INFINITY_BITS) == LL_INFINITY_BITS;
        to[i] = bits;
    }
    tally->zeros += (int64_t)zeros;
    tally->negatives += (int64_t)negatives;
    return LL_LIKELY(!special) ? 0 : count_special(to, count, tally);
}

LL_INLINE void clean_integers(const loose_word *from, int count, int storage, uint64_t *to,
                              ll_tally *tally) {
    uint64_t zeros = 0, below = 0;
    for (int i = 0; i < count; i++) {
        uint64_t bits = from[i];
        zeros += bits == 0;
        below += bits >> 63;
        to[i] = bits;
    }
    tally->zeros += (int64_t)zeros;
    tally->negatives += storage == LL_STORAGE_INT64 ? (int64_t)below : 0;
}

/* Copy the values (`to` may be where they are), count what the tally asks for and make -0.0 0.0;
 * returns how many values are NaN. */
LL_INLINE int gather_clean_body(const void *from, int count, int storage, uint64_t *to,
                                ll_tally *tally) {
    if (storage == LL_STORAGE_FLOAT64) return clean_floats(from, count, to, tally);
    clean_integers(from, count, storage, to, tally);
    return 0;
}

#endif
