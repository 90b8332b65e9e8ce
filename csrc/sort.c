/* Radix sort from the first bit that differs: two counting passes, then neighbours by insertion.
 *
 * Sorting 65,536 values exactly is the price of a quantile sketch that takes a block at once, so
 * the common shapes are cheap: one look finds sorted, reversed and constant blocks and the bits in
 * which the keys differ at all. Two passes over the highest differing bits leave groups of a few
 * keys on continuous data, which insertion finishes; a group that is still large is sorted by
 * the same method on its own bits. Small inputs take narrower digits, since clearing and summing
 * 2,048 counters would cost more than moving the keys.
 * Rejected: eight byte-wide passes from the lowest byte (twice the time on continuous data).
 */
#include "sort.h"

#define SMALL_GROUP  24
#define WIDEST_DIGIT 11
#define NARROWEST    4

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

/* The bits in which keys differ; 0 if the keys are in order now (perhaps after a reversal). */
static uint64_t differing_bits(uint64_t *keys, size_t count) {
    size_t i = 1;
    while (i < count && keys[i - 1] <= keys[i])
        i++;
    if (i == count) return 0;
    i = 1;
    while (i < count && keys[i - 1] >= keys[i])
        i++;
    if (i == count) {
        reverse(keys, count);
        return 0;
    }
    uint64_t bits = 0;
    for (i = 1; i < count; i++)
        bits |= keys[i] ^ keys[0];
    return bits;
}

/* One stable counting pass over `digit` bits from `shift` up. */
static void scatter(const uint64_t *from, uint64_t *to, size_t count, unsigned shift,
                    unsigned digit, uint32_t *starts) {
    uint64_t mask = ((uint64_t)1 << digit) - 1;
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

LL_NOINLINE static void two_passes(uint64_t *keys, uint64_t *work, size_t count, unsigned shift,
                                   unsigned digit) {
    uint32_t low[1 << WIDEST_DIGIT], high[1 << WIDEST_DIGIT];
    size_t length = (size_t)1 << digit;
    uint64_t mask = length - 1;
    memset(low, 0, length * sizeof *low);
    memset(high, 0, length * sizeof *high);
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = keys[i] >> shift;
        low[bits & mask]++;
        high[(bits >> digit) & mask]++;
    }
    starts_of(low, length);
    starts_of(high, length);
    scatter(keys, work, count, shift, digit, low);
    scatter(work, keys, count, shift + digit, digit, high);
}

static unsigned digit_for(size_t count, unsigned width) {
    unsigned digit = NARROWEST;
    while (digit < WIDEST_DIGIT && (count >> digit) > 1)
        digit++;
    return width < 2 * digit ? (width + 1) / 2 : digit;
}

void ll_sort_keys(uint64_t *keys, uint64_t *work, size_t count) {
    if (count <= SMALL_GROUP) {
        insertion_sort(keys, count);
        return;
    }
    uint64_t bits = differing_bits(keys, count);
    if (bits == 0) return;
    unsigned top = 64 - (unsigned)__builtin_clzll(bits);
    unsigned digit = digit_for(count, top - (unsigned)__builtin_ctzll(bits));
    unsigned shift = top > 2 * digit ? top - 2 * digit : 0;
    two_passes(keys, work, count, shift, digit);
    if ((bits & (((uint64_t)1 << shift) - 1)) == 0) return;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin + 1; end < count && keys[end] >> shift == keys[begin] >> shift;)
            end++;
        /* Depth is bounded: a group's keys agree in at least eight more bits than their parent. */
        ll_sort_keys(keys + begin, work + begin, end - begin);
    }
}
