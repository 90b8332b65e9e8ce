/* Moments of a block: per tile of 1,024 values the mean first, then powers of the deviations from
 * it (Chan, Golub and LeVeque 1983), with the deviations' own sum taking back the rounding of the
 * mean; tiles are combined pairwise (Pebay 2008). Included by moments.c only.
 *
 * The 8 lanes are written out as a vector type, so every instruction set adds the same numbers in
 * the same order: value i of a tile belongs to lane i % 8, and lanes are added as a tree.
 */
#ifndef LEADLINE_MOMENTS_BODY_H
#define LEADLINE_MOMENTS_BODY_H

#include "number.h"

enum { TILE = 1024, LANES = 8, MOST_LEVELS = 56 };

typedef double lanes __attribute__((vector_size(8 * LANES)));
typedef int64_t lane_mask __attribute__((vector_size(8 * LANES)));
/* The same at any address of a double. */
typedef double loose_lanes __attribute__((vector_size(8 * LANES), aligned(8), may_alias));

LL_INLINE double add_lanes(const lanes *v) {
    return (((*v)[0] + (*v)[1]) + ((*v)[2] + (*v)[3])) +
           (((*v)[4] + (*v)[5]) + ((*v)[6] + (*v)[7]));
}

/* chosen where the mask is set, else other; C has no vector conditional. */
#define SELECT_LANES(mask, chosen, other)                                                          \
    ((lanes)(((lane_mask)(chosen) & (mask)) | ((lane_mask)(other) & ~(mask))))

/* The last, incomplete group of a tile, filled up with `filler`. */
LL_INLINE void last_lanes(const double *values, int count, double filler, lanes *result) {
    for (int i = 0; i < LANES; i++)
        (*result)[i] = i < count ? values[i] : filler;
}

LL_INLINE double add_tile(const double *values, int count) {
    lanes sum = {0};
    int whole = count - count % LANES;
    for (int i = 0; i < whole; i += LANES)
        sum += *(const loose_lanes *)(values + i);
    if (whole < count) {
        lanes last;
        last_lanes(values + whole, count - whole, 0.0, &last);
        sum += last;
    }
    return add_lanes(&sum);
}

/* Mean of finite values whose plain sum overflows: halved 11 times, 1,024 of them cannot. */
LL_NOINLINE static double mean_of_huge(const double *values, int count) {
    double scaled[TILE];
    for (int i = 0; i < count; i++)
        scaled[i] = values[i] * 0x1p-11;
    return add_tile(scaled, count) / count * 0x1p11;
}

/* count, mean, m2, m3, m4 of 1 to TILE finite values whose sum is known. */
LL_INLINE void tile_powers(const double *values, int count, double sum, ll_moments *result) {
    double center = sum / count;
    if (LL_UNLIKELY(!(center - center == 0))) center = mean_of_huge(values, count);
    lanes s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0};
    int whole = count - count % LANES;
    for (int i = 0; i < count; i += LANES) {
        lanes value;
        if (LL_LIKELY(i < whole))
            value = *(const loose_lanes *)(values + i);
        else
            last_lanes(values + i, count - i, center, &value); /* deviation 0 adds nothing */
        lanes deviation = value - center;
        lanes square = deviation * deviation;
        s1 += deviation;
        s2 += square;
        s3 += square * deviation;
        s4 += square * square;
    }
    double n = count;
    double shift = add_lanes(&s1) / n;
    double m2 = add_lanes(&s2), m3 = add_lanes(&s3), m4 = add_lanes(&s4);
    result->count = count;
    result->mean = center + shift;
    result->m2 = m2 - n * shift * shift;
    result->m3 = m3 - 3 * shift * m2 + 2 * n * shift * shift * shift;
    result->m4 =
        m4 - 4 * shift * m3 + 6 * shift * shift * m2 - 3 * n * shift * shift * shift * shift;
}

LL_INLINE void tile_extremes(const double *values, int count, double *minimum, double *maximum) {
    int whole = count - count % LANES;
    double first = values[0];
    lanes low = (lanes){0} + first, high = low;
    for (int i = 0; i < count; i += LANES) {
        lanes value;
        if (LL_LIKELY(i < whole))
            value = *(const loose_lanes *)(values + i);
        else
            last_lanes(values + i, count - i, first, &value);
        low = SELECT_LANES(value < low, value, low);
        high = SELECT_LANES(value > high, value, high);
    }
    *minimum = low[0];
    *maximum = high[0];
    for (int i = 1; i < LANES; i++) {
        *minimum = low[i] < *minimum ? low[i] : *minimum;
        *maximum = high[i] > *maximum ? high[i] : *maximum;
    }
}

LL_INLINE void float_tile(const double *values, int count, ll_moments *result) {
    double finite[TILE];
    double sum = add_tile(values, count);
    if (LL_UNLIKELY(!(sum - sum == 0))) { /* an infinity, or an overflow of the sum */
        int kept = 0;
        for (int i = 0; i < count; i++) {
            finite[kept] = values[i];
            kept += values[i] - values[i] == 0;
        }
        result->count = count = kept;
        if (count == 0) return;
        values = finite;
        sum = add_tile(values, count);
    }
    double minimum, maximum;
    tile_extremes(values, count, &minimum, &maximum);
    tile_powers(values, count, sum, result);
    result->minimum = ll_bits_of_double(minimum);
    result->maximum = ll_bits_of_double(maximum);
}

LL_INLINE void integer_tile(const uint64_t *values, int count, int storage, ll_moments *result) {
    double converted[TILE];
    if (storage == LL_STORAGE_INT64) {
        int64_t low = (int64_t)values[0], high = low;
        for (int i = 0; i < count; i++) {
            int64_t value = (int64_t)values[i];
            low = value < low ? value : low;
            high = value > high ? value : high;
            converted[i] = (double)value;
        }
        result->minimum = (uint64_t)low;
        result->maximum = (uint64_t)high;
    } else {
        uint64_t low = values[0], high = low;
        for (int i = 0; i < count; i++) {
            low = values[i] < low ? values[i] : low;
            high = values[i] > high ? values[i] : high;
            converted[i] = (double)values[i];
        }
        result->minimum = low;
        result->maximum = high;
    }
    tile_powers(converted, count, add_tile(converted, count), result);
}

/* Whether a < b as numbers of the storage. */
LL_INLINE bool before(uint64_t a, uint64_t b, int storage) {
    if (storage == LL_STORAGE_FLOAT64) return ll_double_of_bits(a) < ll_double_of_bits(b);
    return storage == LL_STORAGE_INT64 ? (int64_t)a < (int64_t)b : a < b;
}

/* a becomes the moments of a's and b's values together; sketch/moments.py has the same formulas. */
LL_INLINE void combine(ll_moments *a, const ll_moments *b, int storage) {
    if (b->count == 0) return;
    if (a->count == 0) {
        *a = *b;
        return;
    }
    double na = (double)a->count, nb = (double)b->count, n = na + nb;
    double delta = b->mean - a->mean;
    double step = delta / n, square = delta * step, product = na * nb;
    double m2 = a->m2 + b->m2 + square * product;
    double m3 =
        a->m3 + b->m3 + square * step * product * (na - nb) + 3 * step * (na * b->m2 - nb * a->m2);
    double m4 = a->m4 + b->m4 + square * step * step * product * (na * na - product + nb * nb) +
                6 * step * step * (na * na * b->m2 + nb * nb * a->m2) +
                4 * step * (na * b->m3 - nb * a->m3);
    /* The difference of two finite means may overflow; their weighted sum may not. */
    bool finite = delta - delta == 0;
    a->mean = finite ? a->mean + step * nb : a->mean * (na / n) + b->mean * (nb / n);
    a->count += b->count;
    a->m2 = m2;
    a->m3 = m3;
    a->m4 = m4;
    if (before(b->minimum, a->minimum, storage)) a->minimum = b->minimum;
    if (before(a->maximum, b->maximum, storage)) a->maximum = b->maximum;
}

/* Tiles are combined like the digits of a binary counter: two subtrees of one height become one.
 * What is left at the end is combined from the right, which carries odd ones up unchanged. */
LL_INLINE void moments_block_body(const uint64_t *values, int64_t count, int storage,
                                  ll_moments *result) {
    ll_moments stack[MOST_LEVELS];
    int height = 0;
    memset(&stack[0], 0, sizeof stack[0]);
    for (int64_t begin = 0, tile = 0; begin < count; begin += TILE, tile++) {
        int size = (int)ll_smaller(TILE, count - begin);
        ll_moments *top = &stack[height++];
        memset(top, 0, sizeof *top);
        if (storage == LL_STORAGE_FLOAT64)
            float_tile((const double *)(const void *)(values + begin), size, top);
        else
            integer_tile(values + begin, size, storage, top);
        for (int64_t carry = tile; carry & 1; carry >>= 1) {
            height--;
            combine(&stack[height - 1], &stack[height], storage);
        }
    }
    while (height > 1) {
        height--;
        combine(&stack[height - 1], &stack[height], storage);
    }
    *result = stack[0];
}

#endif
