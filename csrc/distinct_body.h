/* HyperLogLog registers: 4,096 maxima of the number of leading zeros of a hash, plus one. Included
 * by distinct.c only.
 *
 * A value changes something only if its hash has at least as many leading zeros as the smallest
 * register says, so after some ten thousand values nearly all are left out by one comparison. The
 * bound is renewed every TILE values; what is rejected could not have mattered, so the result does
 * not depend on it.
 */
#ifndef LEADLINE_DISTINCT_BODY_H
#define LEADLINE_DISTINCT_BODY_H

#include "mix.h"
#include "number.h"

enum { TILE = 2048, TRIAL = 128, INDEX_BITS = 12 };

/* Adding the constant first keeps 0, the most frequent number, from being hashed to 0. */
LL_INLINE uint64_t hash_of(uint64_t value, int storage, int set) {
    return ll_mix(ll_identity_bits(value, storage, set) + LL_GOLDEN);
}

LL_INLINE void distinct_hash_body(const uint64_t *values, int64_t count, int storage, int set,
                                  uint64_t *hashes) {
    for (int64_t i = 0; i < count; i++)
        hashes[i] = hash_of(values[i], storage, set);
}

LL_INLINE uint8_t rank_of(uint64_t hash) {
    uint64_t rest = (hash << INDEX_BITS) | ((uint64_t)1 << (INDEX_BITS - 1));
    return (uint8_t)(__builtin_clzll(rest) + 1);
}

/* Many of the first values raise their register, which no branch could foresee. */
LL_INLINE void raise_always(uint64_t hash, uint8_t *registers) {
    uint8_t rank = rank_of(hash), *place = &registers[hash >> (64 - INDEX_BITS)];
    *place = rank > *place ? rank : *place;
}

/* Later ones seldom do, and a frequent value must not wait for its own last store each time: 2.0 ns
 * a value on 70 % zeros without the branch, 1.1 with it (a Xeon with AMX at 2.6 GHz). Looking at
 * the registers for all values of a tile first and raising afterwards was slower on all data. */
LL_INLINE void raise_seldom(uint64_t hash, uint8_t *registers) {
    uint8_t rank = rank_of(hash), *place = &registers[hash >> (64 - INDEX_BITS)];
    if (LL_UNLIKELY(rank > *place)) *place = rank;
}

LL_INLINE uint8_t smallest_register(const uint8_t *registers) {
    uint8_t smallest = 255;
    for (int i = 0; i < LL_DISTINCT_REGISTERS; i++)
        smallest = registers[i] < smallest ? registers[i] : smallest;
    return smallest;
}

/* The bits of a hash that are all zero if its rank is above the smallest register; none, so that
 * all hashes are kept, while a register is empty. */
LL_INLINE uint64_t rejecting(uint8_t smallest) {
    return smallest == 0 ? 0 : ~(UINT64_MAX >> smallest) >> INDEX_BITS;
}

/* Raise by all hashes kept of a tile. Of the first ones it is not known whether they raise
 * anything; values that repeat soon do not. */
LL_INLINE void raise_picked(const uint64_t *picked, int kept, uint8_t *registers) {
    int raised = 0, i = 0;
    for (; i < kept && i < TRIAL; i++) {
        raised += rank_of(picked[i]) > registers[picked[i] >> (64 - INDEX_BITS)];
        raise_always(picked[i], registers);
    }
    if (16 * raised > TRIAL) {
        for (; i < kept; i++)
            raise_always(picked[i], registers);
    } else {
        for (; i < kept; i++)
            raise_seldom(picked[i], registers);
    }
}

/* Pick the hashes that may raise a register, those without any bit of the mask. */
LL_INLINE int keep_hashes(const uint64_t *hashes, int count, uint64_t mask, uint64_t *picked) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
        picked[kept] = hashes[i];
        kept += (hashes[i] & mask) == 0;
    }
    return kept;
}

typedef int (*keep_function)(const uint64_t *hashes, int count, uint64_t mask, uint64_t *picked);

LL_INLINE void add_hashes(const uint64_t *hashes, int count, keep_function keep,
                          uint8_t *registers) {
    uint64_t mask = rejecting(smallest_register(registers));
    if (mask == 0) {
        raise_picked(hashes, count, registers);
        return;
    }
    uint64_t picked[TILE + 8];
    raise_picked(picked, keep(hashes, count, mask, picked), registers);
}

LL_INLINE void distinct_add_hashes_body(const uint64_t *hashes, int64_t count, keep_function keep,
                                        uint8_t *registers) {
    for (int64_t begin = 0; begin < count; begin += TILE)
        add_hashes(hashes + begin, (int)ll_smaller(TILE, count - begin), keep, registers);
}

LL_INLINE void distinct_add_body(const uint64_t *values, int64_t count, int storage, int set,
                                 uint8_t *registers) {
    uint64_t hashes[TILE];
    for (int64_t begin = 0; begin < count; begin += TILE) {
        int size = (int)ll_smaller(TILE, count - begin);
        distinct_hash_body(values + begin, size, storage, set, hashes);
        add_hashes(hashes, size, keep_hashes, registers);
    }
}

#endif
