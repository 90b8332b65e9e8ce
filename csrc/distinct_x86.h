/* Hashing doubles and keeping the hashes that may raise a register, with intrinsics: what no
 * compiler finds is the compaction, and with AVX2 the 64-bit product of three 32-bit ones. 0.35 ns
 * a value with AVX-512 where the plain body takes 0.7 to 1.2 (a Xeon with AMX at 2.6 GHz). Included
 * by distinct.c only.
 *
 * With `fresh`, a value that equals the one before it is left out: while registers are empty every
 * hash is kept, and runs of one value would wait for each other's stores.
 */
#ifndef LEADLINE_DISTINCT_X86_H
#define LEADLINE_DISTINCT_X86_H

#include "distinct_body.h"

#if LL_X86

#include <immintrin.h>

#define MIX_1 0xbf58476d1ce4e5b9u /* of ll_mix */
#define MIX_2 0x94d049bb133111ebu

/* ---- AVX-512 --------------------------------------------------------------------------------- */

LL_TARGET_AVX512 static inline __m512i hash_8(__m512i bits) {
    __m512i x = _mm512_add_epi64(bits, _mm512_set1_epi64((long long)LL_GOLDEN));
    x = _mm512_xor_si512(x, _mm512_srli_epi64(x, 30));
    x = _mm512_mullo_epi64(x, _mm512_set1_epi64((long long)MIX_1));
    x = _mm512_xor_si512(x, _mm512_srli_epi64(x, 27));
    x = _mm512_mullo_epi64(x, _mm512_set1_epi64((long long)MIX_2));
    return _mm512_xor_si512(x, _mm512_srli_epi64(x, 31));
}

LL_TARGET_AVX512 static int pick_avx512(const uint64_t *values, int count, uint64_t mask,
                                        bool fresh, const uint8_t *ahead, uint64_t *picked) {
    const __m512i tested = _mm512_set1_epi64((long long)mask);
    int kept = 0, i = 0;
    if (fresh) { /* the first value has none before it */
        picked[kept++] = ll_mix(values[0] + LL_GOLDEN);
        i = 1;
    }
    for (; i + 8 <= count; i += 8) {
        ll_fetch(ahead, (size_t)i);
        __m512i bits = _mm512_loadu_si512(values + i), hash = hash_8(bits);
        __mmask8 keep = _mm512_testn_epi64_mask(hash, tested);
        if (fresh) keep &= _mm512_cmpneq_epu64_mask(bits, _mm512_loadu_si512(values + i - 1));
        _mm512_storeu_si512(picked + kept, _mm512_maskz_compress_epi64(keep, hash));
        kept += __builtin_popcount(keep);
    }
    for (; i < count; i++) {
        picked[kept] = ll_mix(values[i] + LL_GOLDEN);
        kept += (picked[kept] & mask) == 0;
    }
    return kept;
}

/* See keep_hashes: 0.1 ns a hash instead of 0.6. */
LL_TARGET_AVX512 static int keep_avx512(const uint64_t *hashes, int count, uint64_t mask,
                                        uint64_t *picked) {
    const __m512i tested = _mm512_set1_epi64((long long)mask);
    int kept = 0, i = 0;
    for (; i + 8 <= count; i += 8) {
        __m512i hash = _mm512_loadu_si512(hashes + i);
        __mmask8 keep = _mm512_testn_epi64_mask(hash, tested);
        _mm512_storeu_si512(picked + kept, _mm512_maskz_compress_epi64(keep, hash));
        kept += __builtin_popcount(keep);
    }
    return kept + keep_hashes(hashes + i, count - i, mask, picked + kept);
}

/* ---- AVX2 ------------------------------------------------------------------------------------ */

LL_TARGET_AVX2 static inline __m256i multiply_4(__m256i a, uint64_t by) {
    const __m256i low = _mm256_set1_epi64x((long long)by);
    const __m256i high = _mm256_set1_epi64x((long long)(by >> 32));
    __m256i crossed = _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(a, 32), low),
                                       _mm256_mul_epu32(a, high));
    return _mm256_add_epi64(_mm256_mul_epu32(a, low), _mm256_slli_epi64(crossed, 32));
}

LL_TARGET_AVX2 static inline __m256i hash_4(__m256i bits) {
    __m256i x = _mm256_add_epi64(bits, _mm256_set1_epi64x((long long)LL_GOLDEN));
    x = _mm256_xor_si256(x, _mm256_srli_epi64(x, 30));
    x = multiply_4(x, MIX_1);
    x = _mm256_xor_si256(x, _mm256_srli_epi64(x, 27));
    x = multiply_4(x, MIX_2);
    return _mm256_xor_si256(x, _mm256_srli_epi64(x, 31));
}

/* For each set of lanes the places, as 32-bit ones, that bring them to the front. */
static const uint32_t FRONT[16][8] = {
    {0, 1, 2, 3, 4, 5, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}, {2, 3, 0, 1, 4, 5, 6, 7},
    {0, 1, 2, 3, 4, 5, 6, 7}, {4, 5, 0, 1, 2, 3, 6, 7}, {0, 1, 4, 5, 2, 3, 6, 7},
    {2, 3, 4, 5, 0, 1, 6, 7}, {0, 1, 2, 3, 4, 5, 6, 7}, {6, 7, 0, 1, 2, 3, 4, 5},
    {0, 1, 6, 7, 2, 3, 4, 5}, {2, 3, 6, 7, 0, 1, 4, 5}, {0, 1, 2, 3, 6, 7, 4, 5},
    {4, 5, 6, 7, 0, 1, 2, 3}, {0, 1, 4, 5, 6, 7, 2, 3}, {2, 3, 4, 5, 6, 7, 0, 1},
    {0, 1, 2, 3, 4, 5, 6, 7}};

LL_TARGET_AVX2 static int pick_avx2(const uint64_t *values, int count, uint64_t mask, bool fresh,
                                    const uint8_t *ahead, uint64_t *picked) {
    const __m256i tested = _mm256_set1_epi64x((long long)mask), zero = _mm256_setzero_si256();
    int kept = 0, i = 0;
    if (fresh) {
        picked[kept++] = ll_mix(values[0] + LL_GOLDEN);
        i = 1;
    }
    for (; i + 4 <= count; i += 4) {
        ll_fetch(ahead, (size_t)i);
        __m256i bits = _mm256_loadu_si256((const __m256i *)(values + i)), hash = hash_4(bits);
        __m256i keep = _mm256_cmpeq_epi64(_mm256_and_si256(hash, tested), zero);
        if (fresh) {
            __m256i before = _mm256_loadu_si256((const __m256i *)(values + i - 1));
            keep = _mm256_andnot_si256(_mm256_cmpeq_epi64(bits, before), keep);
        }
        unsigned lanes = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(keep));
        __m256i places = _mm256_loadu_si256((const __m256i *)FRONT[lanes]);
        _mm256_storeu_si256((__m256i *)(picked + kept), _mm256_permutevar8x32_epi32(hash, places));
        kept += __builtin_popcount(lanes);
    }
    for (; i < count; i++) {
        picked[kept] = ll_mix(values[i] + LL_GOLDEN);
        kept += (picked[kept] & mask) == 0;
    }
    return kept;
}

#endif
#endif
