/* KLL quantile sketch over ordered keys, fed by whole sorted blocks (Karnin, Lang, Liberty 2016).
 *
 * The state is a list of levels; an item of level h stands for 2^h values, and every level is
 * ascending. It wins where a histogram cannot split: many values inside one bucket, in any
 * distribution, with a bound on the error of ranks. A block of 65,536 values is sorted once and
 * enters as every 2^t-th of them, which is the same as t compactions in a row at the price of one;
 * its rank error is below 2^t. Runs of one value enter in binary form (q copies as one item for
 * each bit of q), so constant and nearly constant data stay exact.
 *
 * Which level to halve when a sketch is full: the one with the largest size * (2/3)^h. The sizes
 * then settle in KLL's ratio of 2/3 a level, whatever the highest level is; KLL's own rule counts
 * from the highest level, and one heavy item up there would starve the levels below.
 * All random bits are hashes of a seed and of the data; nothing depends on time, place or order
 * of the two sides of a merge.
 */
#include "mix.h"
#include "sort.h"

#include "quantiles_body.h"

#define SIGN      ((uint64_t)1 << 63)
#define MIN_WIDTH 8 /* DataSketches' m */
#define LEVELS    LL_QUANTILE_LEVELS
/* Capacity is that of at least so many levels: below (2/3)^12 a level has the minimum width. */
#define FULL_HEIGHT 12
#define KEEP_RATIO  (2.0 / 3.0)
#define LOG_BLOCK   16 /* of LL_QUANTILE_BLOCK */

/* ---- capacity, as DataSketches computes it ------------------------------------------------- */

static uint64_t shrink(uint64_t width, unsigned depth) {
    uint64_t power = 1;
    for (unsigned i = 0; i < depth; i++)
        power *= 3;
    return ((((2 * width) << depth) / power) + 1) >> 1;
}

static uint64_t level_capacity(unsigned k, unsigned depth) {
    uint64_t width =
        depth <= 30 ? shrink(k, depth) : shrink(shrink(k, depth / 2), depth - depth / 2);
    return width < MIN_WIDTH ? MIN_WIDTH : width;
}

int64_t ll_quantiles_capacity(int k, int levels) {
    uint64_t total = 0;
    int depth = 0;
    for (uint64_t width = 0; width != MIN_WIDTH && depth < levels && depth < LEVELS; depth++) {
        width = level_capacity((unsigned)k, (unsigned)depth);
        total += width;
    }
    /* Widths only fall, so what is left has the minimum. */
    if (depth < levels)
        total += MIN_WIDTH * (uint64_t)((levels < LEVELS ? levels : LEVELS) - depth);
    return (int64_t)total;
}

static uint64_t budget(int k, int levels) {
    return (uint64_t)ll_quantiles_capacity(k, levels > FULL_HEIGHT ? levels : FULL_HEIGHT);
}

/* Every 2^stride-th of `count` keys, and the items of the rest, are at most so many whatever the
 * keys are: strides from here on fit for certain. */
static unsigned certain_stride(uint64_t count, uint64_t rest, int k) {
    unsigned stride = 0;
    while ((count >> stride) + stride + 1 + rest > budget(k, 0))
        stride++;
    return stride;
}

/* ---- one pass over a block ------------------------------------------------------------------ */

typedef void (*scan_function)(const uint64_t *, size_t, int, uint64_t, uint64_t *);

#define DEFINE_SCAN(isa, number, target)                                                           \
    target static void scan_##isa(const uint64_t *values, size_t count, int storage,               \
                                  uint64_t seed, uint64_t *found) {                                \
        scan_storages(values, count, storage, seed, found);                                        \
    }
LL_FOR_EACH_VARIANT(DEFINE_SCAN)

static void scan(const uint64_t *values, size_t count, int storage, uint64_t seed,
                 uint64_t *found) {
    static const scan_function variants[] = LL_VARIANTS(scan);
    variants[ll_set_active()](values, count, storage, seed, found);
}

int ll_quantiles_scan(const uint64_t *values, int64_t count, int storage, uint64_t seed,
                      uint64_t *found) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    scan(values, (size_t)count, storage, seed, found);
    return LL_OK;
}

/* ---- items into levels ---------------------------------------------------------------------- */

/* First run: how many items a level gets. Second run: where its next item goes. */
typedef struct placement {
    uint64_t next[LEVELS];
    uint64_t total;
    uint64_t *items; /* NULL while counting */
} placement;

static void place(placement *to, uint64_t key, unsigned level) {
    if (to->items) to->items[to->next[level]] = key;
    to->next[level]++;
    to->total++;
}

/* `copies` times a key at `level`, as one item for each bit of `copies`. */
static void place_copies(placement *to, uint64_t key, uint64_t copies, unsigned level) {
    for (; copies; copies &= copies - 1)
        place(to, key, level + (unsigned)__builtin_ctzll(copies));
}

/* Counts become starts; the levels' offsets are written out. */
static void begin_writing(placement *to, uint64_t *items, uint32_t *offsets, int32_t *levels) {
    uint64_t start = 0;
    *levels = 0;
    for (int level = 0; level < LEVELS; level++) {
        uint64_t size = to->next[level];
        offsets[level] = (uint32_t)start;
        to->next[level] = start;
        start += size;
        if (size) *levels = level + 1;
    }
    for (int level = *levels; level <= LEVELS; level++)
        offsets[level] = (uint32_t)start;
    to->items = items;
}

static int height_of(const placement *to) {
    int height = LEVELS;
    while (height > 0 && to->next[height - 1] == 0)
        height--;
    return height;
}

/* ---- a block of single values --------------------------------------------------------------- */

/* Keep one of each 2^height consecutive values at a hashed place, each group drawing its own:
 * a common place would follow the period of periodic data. Returns how many were kept. */
static size_t sample(const uint64_t *values, size_t count, int storage, unsigned height,
                     uint64_t seed, uint64_t *keys) {
    size_t kept = count >> height;
    if (height == 0) {
        for (size_t i = 0; i < kept; i++)
            keys[i] = ll_ordered_key(values[i], storage);
        return kept;
    }
    uint64_t mask = ((uint64_t)1 << height) - 1;
    for (size_t i = 0; i < kept; i++)
        keys[i] = ll_ordered_key(values[(i << height) + (ll_draw(seed, i) & mask)], storage);
    return kept;
}

/* The values that fill no whole group: one item for each bit of their number. */
static void place_rest(placement *to, const uint64_t *values, size_t count, int storage,
                       unsigned height, uint64_t seed) {
    size_t begin = count >> height << height;
    for (unsigned level = 0; level < height; level++) {
        size_t size = (size_t)1 << level;
        if (!((count - begin) & size)) continue;
        place(to, ll_ordered_key(values[begin + (ll_draw(~seed, level) & (size - 1))], storage),
              level);
        begin += size;
    }
}

/* Every 2^stride-th of the sorted keys, in runs; the first keys fill the bits of the remainder. */
static void place_sorted(placement *to, const uint64_t *keys, size_t count, unsigned level,
                         unsigned stride, uint64_t seed, uint64_t limit) {
    size_t begin = 0;
    for (unsigned bit = 0; bit < stride; bit++) {
        size_t size = (size_t)1 << bit;
        if (!(count & size)) continue;
        place(to, keys[begin + (ll_draw(seed, bit) & (size - 1))], level + bit);
        begin += size;
    }
    begin += ll_draw(seed, 64) & (((uint64_t)1 << stride) - 1);
    while (begin < count && to->total <= limit) {
        uint64_t key = keys[begin], copies = 0;
        for (; begin < count && keys[begin] == key; begin += (size_t)1 << stride)
            copies++;
        place_copies(to, key, copies, level + stride);
    }
}

int ll_quantiles_block(const uint64_t *values, int64_t count, int storage, int height, int k,
                       uint64_t seed, uint64_t *keys, uint64_t *work, uint64_t *bounds,
                       uint32_t *offsets, int32_t *levels, uint64_t *items) {
    if (count < 1 || count > LL_QUANTILE_BLOCK || !ll_storage_known(storage) || height < 0 ||
        height > 16 || k < MIN_WIDTH || k > UINT16_MAX)
        return LL_ERROR_ARGUMENT;
    uint64_t found[3];
    scan(values, (size_t)count, storage, seed, found);
    bounds[0] = found[0] ^ LL_SIGN_BIT;
    bounds[1] = found[1] ^ LL_SIGN_BIT;
    seed = found[2];
    size_t kept = sample(values, (size_t)count, storage, (unsigned)height, seed, keys);
    ll_sort_keys(keys, work, kept);
    /* The smallest stride whose items fit: down from one that fits for certain while it does. */
    placement chosen, tried;
    const unsigned certain = certain_stride(kept, (uint64_t)height, k);
    unsigned stride = certain + 1;
    do {
        memset(&tried, 0, sizeof tried);
        place_rest(&tried, values, (size_t)count, storage, (unsigned)height, seed);
        place_sorted(&tried, keys, kept, (unsigned)height, stride - 1, seed, budget(k, LEVELS));
        if (stride <= certain && tried.total > budget(k, height_of(&tried))) break;
        chosen = tried;
        stride--;
    } while (stride > 0);
    begin_writing(&chosen, items, offsets, levels);
    place_rest(&chosen, values, (size_t)count, storage, (unsigned)height, seed);
    place_sorted(&chosen, keys, kept, (unsigned)height, stride, seed, UINT64_MAX);
    return LL_OK;
}

/* ---- distinct keys with counts --------------------------------------------------------------- */

/* A walk along the keys as if each were repeated: keys[at] covers positions up to `end`. */
typedef struct walk {
    const uint64_t *keys;
    const uint64_t *weights;
    size_t at;
    uint64_t end;
} walk;

static uint64_t key_at(walk *along, uint64_t position) {
    while (along->end <= position)
        along->end += along->weights[++along->at];
    return along->keys[along->at];
}

/* place_sorted for repeated keys: the copies of a key are computed, not visited. */
static void place_weighted(placement *to, const uint64_t *keys, const uint64_t *weights,
                           uint64_t total, unsigned stride, uint64_t seed, uint64_t limit) {
    walk along = {keys, weights, 0, weights[0]};
    uint64_t begin = 0;
    for (unsigned bit = 0; bit < stride; bit++) {
        uint64_t size = (uint64_t)1 << bit;
        if (!(total & size)) continue;
        place(to, key_at(&along, begin + (ll_draw(seed, bit) & (size - 1))), bit);
        begin += size;
    }
    begin += ll_draw(seed, 64) & (((uint64_t)1 << stride) - 1);
    while (begin < total && to->total <= limit) {
        uint64_t key = key_at(&along, begin);
        uint64_t copies = ((along.end - 1 - begin) >> stride) + 1;
        place_copies(to, key, copies, stride);
        begin += copies << stride;
    }
}

int ll_quantiles_weighted(const uint64_t *keys, const uint64_t *weights, int64_t count, int k,
                          uint64_t seed, uint32_t *offsets, int32_t *levels, uint64_t *items) {
    if (count < 1 || k < MIN_WIDTH || k > UINT16_MAX) return LL_ERROR_ARGUMENT;
    uint64_t total = 0, hash = 0;
    for (int64_t i = 0; i < count; i++) {
        if (weights[i] == 0 || weights[i] > LL_QUANTILE_MOST - total) return LL_ERROR_RANGE;
        total += weights[i];
        hash += ll_mix(keys[i] ^ ll_draw(weights[i], (uint64_t)i));
    }
    seed = ll_mix(seed ^ ll_mix(hash));
    unsigned width = 64 - (unsigned)__builtin_clzll(total);
    unsigned stride = width > 4 ? width - 3 : 1;
    bool first = true;
    placement chosen, tried;
    do {
        memset(&tried, 0, sizeof tried);
        place_weighted(&tried, keys, weights, total, stride - 1, seed, budget(k, LEVELS));
        if (!first && tried.total > budget(k, height_of(&tried))) break;
        chosen = tried;
        first = false;
        stride--;
    } while (stride > 0);
    begin_writing(&chosen, items, offsets, levels);
    place_weighted(&chosen, keys, weights, total, stride, seed, UINT64_MAX);
    return LL_OK;
}

/* ---- merging -------------------------------------------------------------------------------- */

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

static uint64_t hash_state(const uint32_t *offsets, int levels, const uint64_t *items) {
    uint64_t hash = 0;
    for (int level = 0; level < levels; level++)
        for (uint32_t i = offsets[level]; i < offsets[level + 1]; i++)
            hash += ll_mix(items[i] + ((uint64_t)level << 32) + i * LL_GOLDEN);
    return ll_mix(hash);
}

static bool valid_offsets(const uint32_t *offsets, int levels, int64_t count) {
    if (levels < 0 || levels > LEVELS || count < 0 || offsets[0] != 0) return false;
    for (int level = 0; level < levels; level++)
        if (offsets[level] > offsets[level + 1]) return false;
    return offsets[levels] == (uint64_t)count;
}

static void stack_both(stack *to, const uint32_t *a_offsets, int a_levels, const uint64_t *a,
                       const uint32_t *b_offsets, int b_levels, const uint64_t *b) {
    size_t filled = 0;
    for (int level = 0; level <= LEVELS; level++) {
        to->begin[level] = filled;
        uint32_t from_a = level < a_levels ? a_offsets[level] : 0;
        uint32_t from_b = level < b_levels ? b_offsets[level] : 0;
        size_t in_a = level < a_levels ? a_offsets[level + 1] - from_a : 0;
        size_t in_b = level < b_levels ? b_offsets[level + 1] - from_b : 0;
        filled += merge_sorted(a + from_a, in_a, b + from_b, in_b, to->items + filled);
        to->end[level] = filled;
    }
    to->total = filled;
}

int ll_quantiles_merge(int k, uint64_t seed, const uint32_t *a_offsets, int a_levels,
                       const uint64_t *a_items, int64_t a_count, const uint32_t *b_offsets,
                       int b_levels, const uint64_t *b_items, int64_t b_count, uint64_t *work,
                       uint64_t *spare, uint32_t *offsets, int32_t *levels, uint64_t *items) {
    if (k < MIN_WIDTH || k > UINT16_MAX) return LL_ERROR_ARGUMENT;
    if (!valid_offsets(a_offsets, a_levels, a_count) ||
        !valid_offsets(b_offsets, b_levels, b_count))
        return LL_ERROR_RANGE;
    stack both = {.items = work, .spare = spare};
    /* A sum of the two hashes: a with b gives what b with a gives. */
    both.seed = ll_mix(seed ^ ll_mix(hash_state(a_offsets, a_levels, a_items) +
                                     hash_state(b_offsets, b_levels, b_items)));
    stack_both(&both, a_offsets, a_levels, a_items, b_offsets, b_levels, b_items);
    int height = stack_height(&both);
    while (both.total > budget(k, height)) {
        int level = fullest(&both, height);
        if (level < 0) return LL_ERROR_RANGE;
        halve(&both, level);
        height = stack_height(&both);
    }
    size_t filled = 0;
    for (int level = 0; level < height; level++) {
        offsets[level] = (uint32_t)filled;
        memcpy(items + filled, work + both.begin[level], size_of(&both, level) * sizeof *items);
        filled += size_of(&both, level);
    }
    offsets[height] = (uint32_t)filled;
    *levels = height;
    return LL_OK;
}
