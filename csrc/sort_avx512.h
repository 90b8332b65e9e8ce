/* Quicksort of unsigned keys with AVX-512: partitions by compressing, networks for the last 64
 * keys. 2.5 to 4 ns a key where the radix sort of sort.c takes 6 to 12 (a Xeon with AMX at 2.6
 * GHz), and many equal keys only make it faster. Included by sort.c only.
 *
 * Vectors hold 8 keys. As everywhere, keys are compressed in a register and stored as 8 lanes: what
 * lands beyond those kept is overwritten by the next store, or read already.
 */
#ifndef LEADLINE_SORT_AVX512_H
#define LEADLINE_SORT_AVX512_H

#include "sort.h"

#if LL_X86

#include <immintrin.h>

#define NETWORK     128 /* keys that are sorted in registers */
#define RANGE_BITS  13
#define RANGES      (1 << RANGE_BITS)
#define TOGETHER    64
#define SAMPLE      32
#define MANY        1024 /* from here on a pivot is worth 64 keys, below 8 */
#define MOST_DEPTH  64
#define KEYS        8 /* a vector */
#define AVX512_ONLY LL_TARGET_AVX512 static inline __attribute__((always_inline))

/* a keeps the smaller keys, b gets the larger ones. */
AVX512_ONLY void exchange(__m512i *a, __m512i *b) {
    __m512i smaller = _mm512_min_epu64(*a, *b);
    *b = _mm512_max_epu64(*a, *b);
    *a = smaller;
}

/* Compare each key with that of its partner; those of `larger` take the larger. */
AVX512_ONLY __m512i exchange_inside(__m512i keys, __m512i partner, __mmask8 larger) {
    return _mm512_mask_max_epu64(_mm512_min_epu64(keys, partner), larger, keys, partner);
}

AVX512_ONLY __m512i reversed(__m512i keys) {
    return _mm512_permutexvar_epi64(_mm512_set_epi64(0, 1, 2, 3, 4, 5, 6, 7), keys);
}

/* A vector that rises and then falls, into order. */
AVX512_ONLY __m512i merge_inside(__m512i keys) {
    keys = exchange_inside(keys, _mm512_shuffle_i64x2(keys, keys, _MM_SHUFFLE(1, 0, 3, 2)), 0xf0);
    keys = exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(1, 0, 3, 2)), 0xcc);
    return exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(2, 3, 0, 1)), 0xaa);
}

/* `count` vectors in order and as many more in order, into one run of 2 * count. */
AVX512_ONLY void merge_runs(__m512i *keys, int count) {
#pragma GCC unroll 8
    for (int i = 0; i < count; i++) {
        __m512i other = reversed(keys[2 * count - 1 - i]);
        keys[2 * count - 1 - i] = _mm512_max_epu64(keys[i], other);
        keys[i] = _mm512_min_epu64(keys[i], other);
    }
#pragma GCC unroll 4
    for (int i = 0; count == 8 && i < 16; i += 8) {
        exchange(&keys[i], &keys[i + 4]);
        exchange(&keys[i + 1], &keys[i + 5]);
        exchange(&keys[i + 2], &keys[i + 6]);
        exchange(&keys[i + 3], &keys[i + 7]);
    }
    /* What was turned round rises and falls: vectors half of the way apart, then a quarter ... */
    for (int i = 0; count >= 4 && i < 2 * count; i += 4) {
        exchange(&keys[i], &keys[i + 2]);
        exchange(&keys[i + 1], &keys[i + 3]);
    }
    for (int i = 0; count >= 2 && i < 2 * count; i += 2)
        exchange(&keys[i], &keys[i + 1]);
#pragma GCC unroll 16
    for (int i = 0; i < 2 * count; i++)
        keys[i] = merge_inside(keys[i]);
}

/* Rows become columns. */
AVX512_ONLY void transpose(__m512i *rows) {
    __m512i pairs[KEYS], quads[KEYS];
#pragma GCC unroll 4
    for (int i = 0; i < KEYS; i += 2) {
        pairs[i] = _mm512_unpacklo_epi64(rows[i], rows[i + 1]);
        pairs[i + 1] = _mm512_unpackhi_epi64(rows[i], rows[i + 1]);
    }
#pragma GCC unroll 2
    for (int i = 0; i < KEYS; i += 4) {
#pragma GCC unroll 2
        for (int j = 0; j < 2; j++) {
            quads[i + j] = _mm512_shuffle_i64x2(pairs[i + j], pairs[i + j + 2], 0x88);
            quads[i + j + 2] = _mm512_shuffle_i64x2(pairs[i + j], pairs[i + j + 2], 0xdd);
        }
    }
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) {
        rows[j] = _mm512_shuffle_i64x2(quads[j], quads[j + 4], 0x88);
        rows[j + 4] = _mm512_shuffle_i64x2(quads[j], quads[j + 4], 0xdd);
    }
}

/* Each column of eight vectors in order (Knuth 5.3.4: 19 exchanges, the fewest). */
AVX512_ONLY void sort_columns(__m512i *v) {
    static const uint8_t pairs[19][2] = {{0, 2}, {1, 3}, {4, 6}, {5, 7}, {0, 4}, {1, 5}, {2, 6},
                                         {3, 7}, {0, 1}, {2, 3}, {4, 5}, {6, 7}, {2, 4}, {3, 5},
                                         {1, 4}, {3, 6}, {1, 2}, {3, 4}, {5, 6}};
#pragma GCC unroll 19
    for (int i = 0; i < 19; i++)
        exchange(&v[pairs[i][0]], &v[pairs[i][1]]);
}

/* One vector into order. */
AVX512_ONLY __m512i sort_inside(__m512i keys) {
    keys = exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(2, 3, 0, 1)), 0xaa);
    keys = exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(0, 1, 2, 3)), 0xcc);
    keys = exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(2, 3, 0, 1)), 0xaa);
    keys = exchange_inside(keys, reversed(keys), 0xf0);
    keys = exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(1, 0, 3, 2)), 0xcc);
    return exchange_inside(keys, _mm512_permutex_epi64(keys, _MM_SHUFFLE(2, 3, 0, 1)), 0xaa);
}

AVX512_ONLY void sort_32(__m512i *v) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++)
        v[i] = sort_inside(v[i]);
    merge_runs(v, 1);
    merge_runs(v + 2, 1);
    merge_runs(v, 2);
}

AVX512_ONLY void sort_64(__m512i *v) {
    sort_columns(v);
    transpose(v);
#pragma GCC unroll 4
    for (int i = 0; i < KEYS; i += 2)
        merge_runs(v + i, 1);
    merge_runs(v, 2);
    merge_runs(v + 4, 2);
    merge_runs(v, 4);
}

AVX512_ONLY void sort_16(__m512i *v) {
    v[0] = sort_inside(v[0]);
    v[1] = sort_inside(v[1]);
    merge_runs(v, 1);
}

AVX512_ONLY void sort_128(__m512i *v) {
    sort_64(v);
    sort_64(v + 8);
    merge_runs(v, 8);
}

/* The lanes of vector i that hold one of `count` keys. */
AVX512_ONLY __mmask8 held_lanes(size_t count, size_t i) {
    size_t left = count > i * KEYS ? count - i * KEYS : 0;
    return (__mmask8)(left >= KEYS ? 0xff : (1u << left) - 1);
}

/* Keys in `vectors` registers; those that are missing count as the largest. */
#define DEFINE_NETWORK(vectors, sort)                                                              \
    LL_TARGET_AVX512 static void network_##vectors(uint64_t *keys, size_t count) {                 \
        __m512i v[vectors];                                                                        \
        const __m512i largest = _mm512_set1_epi64(-1);                                             \
        _Pragma("GCC unroll 16") for (size_t i = 0; i < vectors; i++) v[i] =                       \
            _mm512_mask_loadu_epi64(largest, held_lanes(count, i), keys + i * KEYS);               \
        sort(v);                                                                                   \
        _Pragma("GCC unroll 16") for (size_t i = 0; i < vectors; i++)                              \
            _mm512_mask_storeu_epi64(keys + i * KEYS, held_lanes(count, i), v[i]);                 \
    }
DEFINE_NETWORK(2, sort_16)
DEFINE_NETWORK(4, sort_32)
DEFINE_NETWORK(8, sort_64)
DEFINE_NETWORK(16, sort_128)

LL_TARGET_AVX512 static void sort_network(uint64_t *keys, size_t count) {
    if (count <= 16)
        network_2(keys, count);
    else if (count <= 32)
        network_4(keys, count);
    else if (count <= 64)
        network_8(keys, count);
    else
        network_16(keys, count);
}

/* A key near the middle: the median of evenly spaced ones, of more where that pays. *often: whether
 * it was met more than once, so that it is worth being taken out at once. */
LL_TARGET_AVX512 static uint64_t pivot_of(const uint64_t *keys, size_t count, bool *often) {
    uint64_t some[SAMPLE];
    const size_t size = count < MANY ? KEYS : SAMPLE, step = count / size;
    for (size_t i = 0; i < size; i++)
        some[i] = keys[i * step + step / 2];
    if (size == KEYS)
        _mm512_storeu_si512(some, sort_inside(_mm512_loadu_si512(some)));
    else
        network_4(some, size);
    *often = some[size / 2] == some[size / 2 - 1] || some[size / 2] == some[size / 2 + 1];
    return some[size / 2];
}

/* Move keys below the pivot (with `equal`: those equal to it too) to the front; returns how many.
 * work has room for count + 8 keys. */
LL_TARGET_AVX512 static size_t partition(uint64_t *keys, uint64_t *work, size_t count,
                                         uint64_t pivot, bool equal) {
    const __m512i limit = _mm512_set1_epi64((long long)(pivot + equal));
    size_t low = 0, high = 0, whole = count - count % KEYS;
    for (size_t i = 0; i < whole; i += KEYS) {
        __m512i v = _mm512_loadu_si512(keys + i);
        __mmask8 below = _mm512_cmplt_epu64_mask(v, limit);
        _mm512_storeu_si512(keys + low, _mm512_maskz_compress_epi64(below, v));
        _mm512_storeu_si512(work + high, _mm512_maskz_compress_epi64((__mmask8)~below, v));
        size_t found = (size_t)__builtin_popcount(below);
        low += found;
        high += KEYS - found;
    }
    for (size_t i = whole; i < count; i++) {
        uint64_t key = keys[i];
        bool below = key < pivot + equal;
        keys[low] = key;
        work[high] = key;
        low += below;
        high += !below;
    }
    memcpy(keys + low, work, high * sizeof *keys);
    return low;
}

/* False, with the keys in some order, where pivots were bad time and again. */
LL_TARGET_AVX512 static bool sort_avx512(uint64_t *keys, uint64_t *work, size_t count, int depth) {
    while (count > NETWORK) {
        if (depth-- == 0) return false;
        bool often;
        const uint64_t pivot = pivot_of(keys, count, &often);
        size_t low = partition(keys, work, count, pivot, false);
        if (low > 0 && !sort_avx512(keys, work, low, depth)) return false;
        keys += low;
        count -= low;
        if (!often && low > 0) continue;
        if (pivot == UINT64_MAX) return true; /* nothing is above, so all are equal */
        size_t equal = partition(keys, work, count, pivot, true);
        keys += equal;
        count -= equal;
    }
    sort_network(keys, count);
    return true;
}

/* Many keys: first into ranges of equal width by counting, then each range by itself, small ones
 * together. False, with the keys as they were, where one range would hold many of them. All states
 * of 1.7e9 +- 10, of which nothing is left out, take 6.8 ns a value instead of 8.1 with it. */
LL_TARGET_AVX512 static bool sort_spread(uint64_t *keys, uint64_t *work, size_t count) {
    uint32_t ends[RANGES] = {0}, heaviest = 0, start = 0;
    uint64_t low = keys[0], high = keys[0];
    for (size_t i = 0; i < count; i++) {
        low = keys[i] < low ? keys[i] : low;
        high = keys[i] > high ? keys[i] : high;
    }
    const unsigned width = 64 - (unsigned)__builtin_clzll((high - low) | 1);
    const unsigned shift = width > RANGE_BITS ? width - RANGE_BITS : 0;
    for (size_t i = 0; i < count; i++)
        ends[(keys[i] - low) >> shift]++;
    for (size_t range = 0; range < RANGES; range++) {
        const uint32_t size = ends[range];
        heaviest = size > heaviest ? size : heaviest;
        ends[range] = start;
        start += size;
    }
    if (heaviest > count / 16) return false;
    for (size_t i = 0; i < count; i++)
        work[ends[(keys[i] - low) >> shift]++] = keys[i];
    memcpy(keys, work, count * sizeof *keys);
    for (size_t range = 0, begin = 0; range < RANGES;) {
        size_t end = ends[range++];
        while (range < RANGES && ends[range] - begin <= TOGETHER)
            end = ends[range++];
        if (!sort_avx512(keys + begin, work + begin, end - begin, MOST_DEPTH)) return false;
        begin = end;
    }
    return true;
}

#undef NETWORK
#undef RANGE_BITS
#undef RANGES
#undef TOGETHER
#undef SAMPLE
#undef MANY
#undef KEYS
#undef AVX512_ONLY
#endif
#endif
