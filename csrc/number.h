/* One number has one place, whatever its storage: 3, 3.0 and uint64 3 share a bucket and a hash.
 *
 * Integers become the bits of a double by exact arithmetic only. A plain cast would round
 * 2^63 - 1 up to 2^63, into the next octave.
 */
#ifndef LEADLINE_NUMBER_H
#define LEADLINE_NUMBER_H

#include "common.h"
#include "leadline.h"

#define LL_SIGN_BIT      ((uint64_t)1 << 63)
#define LL_INFINITY_BITS 0x7ff0000000000000u

LL_INLINE bool ll_storage_known(int storage) {
    return storage >= LL_STORAGE_FLOAT64 && storage <= LL_STORAGE_UINT64;
}

/* The absolute value of an integer and, in *sign, LL_SIGN_BIT if it is negative. */
LL_INLINE uint64_t ll_magnitude(uint64_t value, int storage, uint64_t *sign) {
    *sign = storage == LL_STORAGE_INT64 ? value & LL_SIGN_BIT : 0;
    return *sign ? 0 - value : value;
}

/* Bits of the double of a magnitude that has at most 53 significant bits. The signed conversion is
 * one instruction in every vector extension; only -2^63 has a magnitude beyond it, and its bits
 * are those of 2^63 with a sign that is masked out. */
LL_INLINE uint64_t ll_exact_double_bits(uint64_t magnitude, int storage) {
    double value = storage == LL_STORAGE_INT64 ? (double)(int64_t)magnitude : (double)magnitude;
    return ll_bits_of_double(value) & ~LL_SIGN_BIT;
}

/* Bits of the value as a double, integers beyond 2^53 rounded towards zero. */
LL_INLINE uint64_t ll_truncated_bits(uint64_t value, int storage) {
    if (storage == LL_STORAGE_FLOAT64) return value;
    uint64_t sign;
    uint64_t magnitude = ll_magnitude(value, storage, &sign);
    uint64_t kept = magnitude >> 53 ? magnitude & ~(uint64_t)0x7ff : magnitude;
    return ll_exact_double_bits(kept, storage) | sign;
}

/* What identifies a number: the bits of its double if that is exact, else its magnitude tagged. An
 * integer is exact if its lowest set bit is within 53 bits of its highest: m >> 53 < lowest(m). */
LL_INLINE uint64_t ll_identity_bits(uint64_t value, int storage) {
    if (storage == LL_STORAGE_FLOAT64) return value;
    uint64_t sign;
    uint64_t magnitude = ll_magnitude(value, storage, &sign);
    uint64_t lowest = magnitude & (0 - magnitude);
    bool exact = (magnitude >> 53) <= lowest - 1; /* 0 is exact: lowest - 1 wraps to the maximum */
    uint64_t tag = sign ? 0x9e6c63d0876a9a47u : 0x3c79ac492ba7b653u;
    return exact ? ll_exact_double_bits(magnitude, storage) | sign : magnitude ^ tag;
}

#endif
