/* Two quantile sketches into one: their levels are merged, then levels are halved until what is
 * left fits. See quantiles.c for which level, and why.
 */
#include "quantiles.h"

#define LEVELS     LL_QUANTILE_LEVELS
#define KEEP_RATIO (2.0 / 3.0)

/* Levels inside one buffer; gaps may lie between them while levels are being halved. */
typedef struct stack {
    uint64_t *items;
    uint64_t *spare;
    size_t begin[LEVELS + 1];
    size_t end[LEVELS + 1];
    size_t total;
    uint64_t seed;
    uint64_t draws;
} stack;

static size_t merge_sorted(const uint64_t *a, size_t na, const uint64_t *b, size_t nb,
                           uint64_t *out) {
    size_t i = 0, j = 0;
    while (i < na && j < nb) {
        bool second = b[j] < a[i];
        out[i + j] = second ? b[j] : a[i];
        i += !second;
        j += second;
    }
    if (i < na) memmove(out + i + j, a + i, (na - i) * sizeof *a);
    if (j < nb) memmove(out + i + j, b + j, (nb - j) * sizeof *b);
    return na + nb;
}

static size_t size_of(const stack *of, int level) {
    return of->end[level] - of->begin[level];
}

static int stack_height(const stack *of) {
    int height = LEVELS;
    while (height > 0 && size_of(of, height - 1) == 0)
        height--;
    return height;
}

/* The level to halve: the fullest by size * (2/3)^level; -1 if none can be halved. */
static int fullest(const stack *of, int height) {
    double factor = 1.0, most = 0.0;
    int chosen = -1;
    for (int level = 0; level < height && level < LEVELS - 1; level++, factor *= KEEP_RATIO) {
        size_t size = size_of(of, level);
        if (size >= 2 && (double)size * factor > most) {
            most = (double)size * factor;
            chosen = level;
        }
    }
    return chosen;
}

/* Every other item of a level moves up, the first or the second of all pairs; of an odd number the
 * first or the last item stays. */
static void halve(stack *of, int level) {
    uint64_t bits = ll_draw(of->seed, of->draws++);
    size_t begin = of->begin[level], size = size_of(of, level), half = size / 2;
    size_t odd = size & 1, skip = odd & bits;
    const uint64_t *pairs = of->items + begin + skip;
    for (size_t i = 0; i < half; i++)
        of->spare[i] = pairs[2 * i + ((bits >> 1) & 1)];
    if (odd && !skip) of->items[begin] = of->items[begin + size - 1];
    of->end[level] = begin + odd;
    size_t above = of->begin[level + 1], above_size = size_of(of, level + 1);
    of->begin[level + 1] = above - half;
    merge_sorted(of->spare, half, of->items + above, above_size, of->items + above - half);
    of->total -= half;
}

static uint64_t hash_state(const ll_part *part) {
    uint64_t hash = 0;
    for (int level = 0; level < part->levels; level++)
        for (uint32_t i = part->offsets[level]; i < part->offsets[level + 1]; i++)
            hash += ll_mix(part->items[i] + ((uint64_t)level << 32) + i * LL_GOLDEN);
    return ll_mix(hash);
}

static bool valid_offsets(const uint32_t *offsets, int levels, int64_t count) {
    if (levels < 0 || levels > LEVELS || count < 0 || offsets[0] != 0) return false;
    for (int level = 0; level < levels; level++)
        if (offsets[level] > offsets[level + 1]) return false;
    return offsets[levels] == (uint64_t)count;
}

static size_t level_of(const ll_part *part, int level, const uint64_t **items) {
    *items = part->items;
    if (level >= part->levels) return 0;
    *items += part->offsets[level];
    return part->offsets[level + 1] - part->offsets[level];
}

static void stack_both(stack *to, const ll_part *a, const ll_part *b) {
    size_t filled = 0;
    for (int level = 0; level <= LEVELS; level++) {
        const uint64_t *from_a, *from_b;
        size_t in_a = level_of(a, level, &from_a), in_b = level_of(b, level, &from_b);
        to->begin[level] = filled;
        filled += merge_sorted(from_a, in_a, from_b, in_b, to->items + filled);
        to->end[level] = filled;
    }
    to->total = filled;
}

bool ll_quantiles_join(int k, uint64_t seed, const ll_part *a, const ll_part *b, uint64_t *work,
                       uint64_t *spare, ll_part *to) {
    stack both = {.items = work, .spare = spare};
    /* A sum of the two hashes: a with b gives what b with a gives. */
    both.seed = ll_mix(seed ^ ll_mix(hash_state(a) + hash_state(b)));
    stack_both(&both, a, b);
    int height = stack_height(&both);
    while (both.total > ll_quantiles_budget(k, height)) {
        int level = fullest(&both, height);
        if (level < 0) return false;
        halve(&both, level);
        height = stack_height(&both);
    }
    size_t filled = 0;
    for (int level = 0; level < height; level++) {
        size_t size = size_of(&both, level);
        to->offsets[level] = (uint32_t)filled;
        memcpy(to->items + filled, work + both.begin[level], size * sizeof *work);
        filled += size;
    }
    to->offsets[height] = (uint32_t)filled;
    to->levels = height;
    to->height = a->height > b->height ? a->height : b->height;
    to->order = a->order > b->order ? a->order : b->order;
    to->low = a->low < b->low ? a->low : b->low;
    to->high = a->high > b->high ? a->high : b->high;
    return true;
}

static bool take_part(ll_part *part, const uint32_t *offsets, int levels, const uint64_t *items,
                      int64_t count) {
    if (!valid_offsets(offsets, levels, count)) return false;
    memset(part, 0, sizeof *part);
    part->items = (uint64_t *)(uintptr_t)items; /* only read */
    part->levels = levels;
    memcpy(part->offsets, offsets, ((size_t)levels + 1) * sizeof *offsets);
    return true;
}

int ll_quantiles_merge(int k, uint64_t seed, const uint32_t *a_offsets, int a_levels,
                       const uint64_t *a_items, int64_t a_count, const uint32_t *b_offsets,
                       int b_levels, const uint64_t *b_items, int64_t b_count, uint64_t *work,
                       uint64_t *spare, uint32_t *offsets, int32_t *levels, uint64_t *items) {
    if (k < LL_QUANTILE_WIDTH || k > UINT16_MAX) return LL_ERROR_ARGUMENT;
    ll_part a, b, both = {.items = items};
    if (!take_part(&a, a_offsets, a_levels, a_items, a_count) ||
        !take_part(&b, b_offsets, b_levels, b_items, b_count) ||
        !ll_quantiles_join(k, seed, &a, &b, work, spare, &both))
        return LL_ERROR_RANGE;
    *levels = both.levels;
    memcpy(offsets, both.offsets, ((size_t)both.levels + 1) * sizeof *offsets);
    return LL_OK;
}
