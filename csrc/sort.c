/* Radix sort from the first bit that differs, and insertion for what is left.
 *
 * Sorting 65,536 values exactly is the price of a quantile sketch that takes a block at once, so
 * the common shapes are cheap: one look finds sorted, reversed and constant blocks and the bits in
 * which the keys differ at all. One to three counting passes over the highest of these leave
 * groups of a few keys, which insertion finishes; a group that is still large is sorted by the
 * same method on its own bits. Small inputs take narrower digits, since clearing and summing 2,048
 * counters would cost more than moving the keys.
 * Rejected: eight byte-wide passes from the lowest byte (twice the time on continuous data).
 */
#include "dispatch.h"
#include "sort_avx512.h"

#define SMALL_GROUP     24
#define WIDEST_DIGIT    11
#define NARROWEST       4
#define MOST_PASSES     3
#define SAMPLE_STEP     16
#define WORTH_SPREADING 16384

static void insertion_sort(uint64_t *keys, size_t count) {
    for (size_t i = 1; i < count; i++) {
        uint64_t key = keys[i];
        size_t j = i;
        while (j > 0 && keys[j - 1] > key) {
            keys[j] = keys[j - 1];
            j--;
        }
        keys[j] = key;
    }
}

static void reverse(uint64_t *keys, size_t count) {
    for (size_t i = 0, j = count - 1; i < j; i++, j--) {
        uint64_t key = keys[i];
        keys[i] = keys[j];
        keys[j] = key;
    }
}

/* Whether the keys are in order now: descending ones are turned round. */
static bool put_in_order(uint64_t *keys, size_t count) {
    size_t i = 1;
    while (i < count && keys[i - 1] <= keys[i])
        i++;
    if (i == count) return true;
    i = 1;
    while (i < count && keys[i - 1] >= keys[i])
        i++;
    if (i < count) return false;
    reverse(keys, count);
    return true;
}

static uint64_t differing_bits(const uint64_t *keys, size_t count) {
    uint64_t bits = 0;
    for (size_t i = 1; i < count; i++)
        bits |= keys[i] ^ keys[0];
    return bits;
}

/* One stable pass by a digit; starts: where the next key of each digit goes. */
static void scatter(const uint64_t *from, uint64_t *to, size_t count, unsigned shift, uint64_t mask,
                    uint32_t *starts) {
    for (size_t i = 0; i < count; i++)
        to[starts[(from[i] >> shift) & mask]++] = from[i];
}

static void starts_of(uint32_t *counts, size_t length) {
    uint32_t start = 0;
    for (size_t i = 0; i < length; i++) {
        uint32_t here = counts[i];
        counts[i] = start;
        start += here;
    }
}

/* How many digits, from bit `top` down, leave about two keys a group: by the heaviest group of the
 * first digit, as if the next digits were spread evenly. */
static unsigned passes_for(const uint64_t *keys, size_t count, unsigned top, unsigned digit,
                           uint32_t *counts) {
    unsigned shift = top > digit ? top - digit : 0;
    uint64_t mask = ((uint64_t)1 << digit) - 1;
    memset(counts, 0, (mask + 1) * sizeof *counts);
    size_t step = count >= 16 * SAMPLE_STEP ? SAMPLE_STEP : 1;
    for (size_t i = 0; i < count; i += step)
        counts[(keys[i] >> shift) & mask]++;
    size_t heaviest = 0;
    for (size_t i = 0; i <= mask; i++)
        heaviest = counts[i] > heaviest ? counts[i] : heaviest;
    heaviest *= step;
    unsigned passes = 1;
    for (; heaviest > 2 && passes < MOST_PASSES; heaviest >>= digit)
        passes++;
    return passes;
}

/* Sort by the highest differing bits; returns the lowest bit that was looked at. */
LL_NOINLINE static unsigned sort_top(uint64_t *keys, uint64_t *work, size_t count, unsigned top,
                                     unsigned digit) {
    uint32_t counts[MOST_PASSES][1 << WIDEST_DIGIT];
    unsigned passes = passes_for(keys, count, top, digit, counts[0]);
    unsigned shift = top > passes * digit ? top - passes * digit : 0;
    uint64_t mask = ((uint64_t)1 << digit) - 1;
    for (unsigned pass = 0; pass < passes; pass++)
        memset(counts[pass], 0, (mask + 1) * sizeof **counts);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = keys[i] >> shift;
        for (unsigned pass = 0; pass < passes; pass++, bits >>= digit)
            counts[pass][bits & mask]++;
    }
    for (unsigned pass = 0; pass < passes; pass++) {
        starts_of(counts[pass], mask + 1);
        scatter(keys, work, count, shift + pass * digit, mask, counts[pass]);
        uint64_t *sorted = work;
        work = keys;
        keys = sorted;
    }
    if (passes & 1) memcpy(work, keys, count * sizeof *keys);
    return shift;
}

static unsigned digit_for(size_t count, unsigned width) {
    unsigned digit = NARROWEST;
    while (digit < WIDEST_DIGIT && (count >> digit) > 1)
        digit++;
    return width < digit ? width : digit;
}

/* Whether some keys that are SMALL_GROUP places apart still agree from bit `shift` up. */
static bool has_large_group(const uint64_t *keys, size_t count, unsigned shift) {
    bool found = false;
    for (size_t i = SMALL_GROUP; i < count; i++)
        found |= (keys[i] ^ keys[i - SMALL_GROUP]) >> shift == 0;
    return found;
}

void ll_sort_keys(uint64_t *keys, uint64_t *work, size_t count) {
    if (count <= SMALL_GROUP) {
        insertion_sort(keys, count);
        return;
    }
    if (put_in_order(keys, count)) return;
#if LL_X86
    if (ll_set_active() == LL_SET_AVX512 &&
        ((count >= WORTH_SPREADING && sort_spread(keys, work, count)) ||
         sort_avx512(keys, work, count, MOST_DEPTH)))
        return;
#endif
    uint64_t bits = differing_bits(keys, count);
    unsigned top = 64 - (unsigned)__builtin_clzll(bits);
    unsigned digit = digit_for(count, top - (unsigned)__builtin_ctzll(bits));
    unsigned shift = sort_top(keys, work, count, top, digit);
    if ((bits & (((uint64_t)1 << shift) - 1)) == 0) return;
    if (!has_large_group(keys, count, shift)) {
        insertion_sort(keys, count);
        return;
    }
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && keys[end] >> shift == keys[begin] >> shift;)
            end++;
        /* Ends: the keys of a group agree in at least one more digit than those of its parent. */
        ll_sort_keys(keys + begin, work + begin, end - begin);
    }
}
