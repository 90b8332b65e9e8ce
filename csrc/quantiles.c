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
#include "quantiles.h"
#include "sort.h"

#include "quantiles_x86.h"

#define MIN_WIDTH LL_QUANTILE_WIDTH
#define LEVELS    LL_QUANTILE_LEVELS
#define LOOK_STEP 16

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

/* Of values that do not all fit every 2^stride-th enters: the largest power of two up to
 * sqrt(count) / 4, of which at least 2k / 5 are left. Its error of ranks, below 2^stride, has at
 * most a 7th of the deviation that ranks of so many random values have, and stays below what k
 * promises; docs/quantiles-evidence.md has the figures. */
static unsigned stride_for(uint64_t count, int k) {
    unsigned stride = 0;
    while (((uint64_t)64 << 2 * stride) <= count && 5 * (count >> (stride + 1)) >= 2 * (uint64_t)k)
        stride++;
    return stride;
}

/* ---- one pass over a block ------------------------------------------------------------------ */

/* How many values were taken by a faster loop. */
#define scan_doubles_serial(scan, values, count) ((size_t)0)

#define DEFINE_SCAN(isa, number, target)                                                           \
    target static void ll_scan_add_##isa(ll_scan *scan, const uint64_t *values, int64_t count,     \
                                         int storage) {                                            \
        size_t size = (size_t)count, done = 0;                                                     \
        if (storage == LL_STORAGE_FLOAT64) done = scan_doubles_##isa(scan, values, size);          \
        if (done < size) scan_storages(scan, values + done, size - done, storage);                 \
    }
LL_FOR_EACH_VARIANT(DEFINE_SCAN)

void ll_quantiles_install(ll_kernels *kernels) {
    static const ll_scan_add_kernel variants[] = LL_VARIANTS(ll_scan_add);
    kernels->scan_add = variants[kernels->set];
}

void ll_scan_begin(ll_scan *scan, uint64_t seed) {
    scan->count = 0;
    for (unsigned lane = 0; lane < LL_SCAN_LANES; lane++) {
        scan->low[lane] = INT64_MAX;
        scan->high[lane] = INT64_MIN;
        scan->sums[lane] = 0;
        scan->salts[lane] = ll_draw(seed, lane);
    }
}

void ll_scan_finish(ll_scan *scan, uint64_t seed, ll_scanned *found) {
    int64_t low = scan->low[0], high = scan->high[0];
    uint64_t hash = ll_draw(seed, scan->count);
    for (int lane = 0; lane < LL_SCAN_LANES; lane++) {
        low = scan->low[lane] < low ? scan->low[lane] : low;
        high = scan->high[lane] > high ? scan->high[lane] : high;
        hash = ll_mix(hash ^ scan->sums[lane]);
    }
    *found = (ll_scanned){.low = low, .high = high, .hash = hash};
}

static void scan_block(const uint64_t *values, int64_t count, int storage, uint64_t seed,
                       ll_scanned *found) {
    ll_scan scan;
    ll_scan_begin(&scan, seed);
    ll_kernels_active()->scan_add(&scan, values, count, storage);
    ll_scan_finish(&scan, seed, found);
}

int ll_quantiles_scan(const uint64_t *values, int64_t count, int storage, uint64_t seed,
                      uint64_t *found) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_scanned scanned;
    scan_block(values, count, storage, seed, &scanned);
    found[0] = (uint64_t)scanned.low;
    found[1] = (uint64_t)scanned.high;
    found[2] = scanned.hash;
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
 * a common place would follow the period of periodic data. */
static void sample(const uint64_t *values, size_t count, int storage, unsigned height,
                   uint64_t seed, uint64_t *keys) {
    size_t kept = count >> height;
    if (height == 0) {
        ll_kernels_active()->keys_encode(values, (int64_t)kept, storage, keys);
        return;
    }
    uint64_t mask = ((uint64_t)1 << height) - 1;
    for (size_t i = 0; i < kept; i++)
        keys[i] = ll_ordered_key(values[(i << height) + (ll_draw(seed, i) & mask)], storage);
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

/* Whether some of every 2^stride-th sorted key from `begin` on are equal. */
static bool repeated(const uint64_t *keys, size_t begin, size_t count, unsigned stride) {
    const size_t step = (size_t)1 << stride;
    bool found = false;
    for (size_t i = begin; i + step < count; i += step)
        found |= keys[i] == keys[i + step];
    return found;
}

/* Every 2^stride-th key from `begin` on as one item each. */
static void place_each(placement *to, const uint64_t *keys, size_t begin, size_t count,
                       unsigned level, unsigned stride) {
    if (begin >= count) return;
    size_t size = ((count - 1 - begin) >> stride) + 1;
    if (to->items)
        for (size_t i = 0; i < size; i++)
            to->items[to->next[level] + i] = keys[begin + (i << stride)];
    to->next[level] += size;
    to->total += size;
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
    if (!repeated(keys, begin, count, stride)) {
        place_each(to, keys, begin, count, level + stride, stride);
        return;
    }
    while (begin < count && to->total <= limit) {
        uint64_t key = keys[begin], copies = 0;
        for (; begin < count && keys[begin] == key; begin += (size_t)1 << stride)
            copies++;
        place_copies(to, key, copies, level + stride);
    }
}

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
                           uint64_t total, unsigned level, unsigned stride, uint64_t seed,
                           uint64_t limit) {
    walk along = {keys, weights, 0, weights[0]};
    uint64_t begin = 0;
    for (unsigned bit = 0; bit < stride; bit++) {
        uint64_t size = (uint64_t)1 << bit;
        if (!(total & size)) continue;
        place(to, key_at(&along, begin + (ll_draw(seed, bit) & (size - 1))), level + bit);
        begin += size;
    }
    begin += ll_draw(seed, 64) & (((uint64_t)1 << stride) - 1);
    while (begin < total && to->total <= limit) {
        uint64_t key = key_at(&along, begin);
        uint64_t copies = ((along.end - 1 - begin) >> stride) + 1;
        place_copies(to, key, copies, level + stride);
        begin += copies << stride;
    }
}

/* What was kept of a block, in order: keys, or where many are equal distinct keys with weights. */
typedef struct kept_keys {
    uint64_t *keys;
    uint64_t *weights; /* NULL if each key counts once */
    size_t count;      /* with multiplicities */
} kept_keys;

static void place_kept(placement *to, const kept_keys *kept, unsigned level, unsigned stride,
                       uint64_t seed, uint64_t limit) {
    if (kept->weights)
        place_weighted(to, kept->keys, kept->weights, kept->count, level, stride, seed, limit);
    else
        place_sorted(to, kept->keys, kept->count, level, stride, seed, limit);
}

/* By a look at some neighbours; only time depends on the answer. */
static bool many_equal(const uint64_t *keys, size_t count) {
    size_t looks = 0, equal = 0;
    for (size_t i = 0; i + 1 < count; i += LOOK_STEP, looks++)
        equal += keys[i] == keys[i + 1];
    return 2 * equal > looks;
}

/* Sorted keys become distinct ones with weights. */
static void join_equal(uint64_t *keys, uint64_t *weights, size_t count) {
    size_t runs = 0, i = 0;
#if LL_X86
    if (ll_set_active() == LL_SET_AVX512) i = find_ends_avx512(keys, weights, count, &runs);
#endif
    for (; i < count; i++) {
        uint64_t key = keys[i];
        keys[runs] = key;
        weights[runs] = i + 1;
        runs += i + 1 == count || keys[i + 1] != key;
    }
    for (size_t run = runs; run-- > 1;)
        weights[run] -= weights[run - 1];
}

void ll_quantiles_of_block(const uint64_t *values, size_t count, int storage, unsigned height,
                           int k, const ll_scanned *found, uint64_t *keys, uint64_t *work,
                           ll_part *to) {
    const uint64_t seed = found->hash;
    to->low = (uint64_t)found->low ^ LL_SIGN_BIT;
    to->high = (uint64_t)found->high ^ LL_SIGN_BIT;
    to->height = (int32_t)height;
    to->order = 0;
    kept_keys kept = {.keys = keys, .count = count >> height};
    sample(values, count, storage, height, seed, keys);
    if (!ll_ties_join(keys, kept.count, work, &kept.weights)) {
        ll_sort_keys(keys, work, kept.count);
        if (many_equal(keys, kept.count)) {
            kept.weights = work;
            join_equal(keys, work, kept.count);
        }
    }
    /* All of them if they fit, else the least that the rule allows and that does. */
    placement chosen;
    unsigned stride = 0;
    for (;;) {
        memset(&chosen, 0, sizeof chosen);
        place_rest(&chosen, values, count, storage, height, seed);
        place_kept(&chosen, &kept, height, stride, seed, ll_quantiles_budget(k, LEVELS));
        if (chosen.total <= ll_quantiles_budget(k, height_of(&chosen))) break;
        const unsigned least = stride_for(kept.count, k);
        stride = stride + 1 > least ? stride + 1 : least;
    }
    begin_writing(&chosen, to->items, to->offsets, &to->levels);
    place_rest(&chosen, values, count, storage, height, seed);
    place_kept(&chosen, &kept, height, stride, seed, UINT64_MAX);
}

int ll_quantiles_block(const uint64_t *values, int64_t count, int storage, int height, int k,
                       uint64_t seed, uint64_t *keys, uint64_t *work, uint64_t *bounds,
                       uint32_t *offsets, int32_t *levels, uint64_t *items) {
    if (count < 1 || count > LL_QUANTILE_BLOCK || !ll_storage_known(storage) || height < 0 ||
        height > 16 || k < MIN_WIDTH || k > UINT16_MAX)
        return LL_ERROR_ARGUMENT;
    ll_scanned found;
    ll_part part = {.items = items};
    scan_block(values, count, storage, seed, &found);
    ll_quantiles_of_block(values, (size_t)count, storage, (unsigned)height, k, &found, keys, work,
                          &part);
    bounds[0] = part.low;
    bounds[1] = part.high;
    *levels = part.levels;
    memcpy(offsets, part.offsets, ((size_t)part.levels + 1) * sizeof *offsets);
    return LL_OK;
}

/* ---- distinct keys with counts --------------------------------------------------------------- */

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
        place_weighted(&tried, keys, weights, total, 0, stride - 1, seed,
                       ll_quantiles_budget(k, LEVELS));
        if (!first && tried.total > ll_quantiles_budget(k, height_of(&tried))) break;
        chosen = tried;
        first = false;
        stride--;
    } while (stride > 0);
    begin_writing(&chosen, items, offsets, levels);
    place_weighted(&chosen, keys, weights, total, 0, stride, seed, UINT64_MAX);
    return LL_OK;
}
