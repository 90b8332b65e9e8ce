/* Bit mixing for seeds: a 64-bit finaliser and the draw of a numbered random word.
 *
 * The same word for the same seed and number on every machine and thread: that is what makes a
 * randomised summary reproducible. The finaliser is the public one of SplitMix64 (Steele, Lea and
 * Flood, 2014; constants by D. Stafford).
 */
#ifndef LEADLINE_MIX_H
#define LEADLINE_MIX_H

#include "common.h"

#define LL_GOLDEN 0x9e3779b97f4a7c15u

LL_INLINE uint64_t ll_mix(uint64_t x) {
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* Word number `number` of the stream of `seed`. */
LL_INLINE uint64_t ll_draw(uint64_t seed, uint64_t number) {
    return ll_mix(seed + (number + 1) * LL_GOLDEN);
}

#endif
