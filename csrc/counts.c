/* Exact counts of values: dense by place, few by hash, many small cells by sorting.
 *
 * Dense: integers whose range is below 65,536 are counted at their low 16 bits, which are distinct
 * whatever the smallest value turns out to be, so the table never moves. Narrow ranges go through
 * four small tables in turn, because a counter that was just written must be waited for.
 * Few: doubles of at most 256 distinct values in a hash table of 1,024 places; continuous data is
 * given up after a few hundred values. Groups: cells of some hundred rows are sorted and
 * run-length counted, thousands of them in one call.
 */
#include "counts.h"
#include "mix.h"
#include "sort.h"

#define WAYS   4
#define RUN    8
#define NARROW 2048 /* range of the small tables: four of them stay in the first-level cache */

/* ---- range ----------------------------------------------------------------------------------- */

LL_INLINE void range_body(const uint64_t *values, size_t count, int storage, int64_t *found) {
    int64_t low = INT64_MAX, high = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t value = ll_signed_order(values[i], storage);
        low = value < low ? value : low;
        high = value > high ? value : high;
    }
    found[0] = low;
    found[1] = high;
}

LL_INLINE void range_storages(const uint64_t *values, size_t count, int storage, int64_t *found) {
    if (storage == LL_STORAGE_FLOAT64)
        range_body(values, count, LL_STORAGE_FLOAT64, found);
    else if (storage == LL_STORAGE_INT64)
        range_body(values, count, LL_STORAGE_INT64, found);
    else
        range_body(values, count, LL_STORAGE_UINT64, found);
}

typedef void (*range_function)(const uint64_t *, size_t, int, int64_t *);

#define DEFINE_RANGE(isa, number, target)                                                          \
    target static void range_##isa(const uint64_t *values, size_t count, int storage,              \
                                   int64_t *found) {                                               \
        range_storages(values, count, storage, found);                                             \
    }
LL_FOR_EACH_VARIANT(DEFINE_RANGE)

int ll_counts_range(const uint64_t *values, int64_t count, int storage, uint64_t *keys) {
    if (count < 1 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    static const range_function variants[] = LL_VARIANTS(range);
    int64_t found[2];
    variants[ll_set_active()](values, (size_t)count, storage, found);
    keys[0] = (uint64_t)found[0] ^ LL_SIGN_BIT;
    keys[1] = (uint64_t)found[1] ^ LL_SIGN_BIT;
    return LL_OK;
}

/* ---- dense ----------------------------------------------------------------------------------- */

void ll_counts_join(const uint32_t *tables, size_t ways, size_t size, uint64_t low,
                    uint32_t *table) {
    for (size_t place = 0; place < size; place++) {
        uint32_t sum = 0;
        for (size_t way = 0; way < ways; way++)
            sum += tables[way * size + place];
        table[(low + place) & UINT16_MAX] += sum;
    }
}

static void count_narrow(const uint64_t *values, size_t count, uint64_t low, uint32_t *table) {
    uint32_t ways[WAYS][NARROW];
    memset(ways, 0, sizeof ways);
    size_t i = 0;
    for (; i + WAYS <= count; i += WAYS)
        for (size_t way = 0; way < WAYS; way++)
            ways[way][(values[i + way] - low) & (NARROW - 1)]++;
    for (; i < count; i++)
        ways[0][(values[i] - low) & (NARROW - 1)]++;
    ll_counts_join(&ways[0][0], WAYS, NARROW, low, table);
}

int ll_counts_dense(const uint64_t *values, int64_t count, uint64_t low, uint64_t high,
                    uint32_t *table) {
    if (count < 0 || high - low > UINT16_MAX) return LL_ERROR_ARGUMENT;
    if (high - low < NARROW) {
        count_narrow(values, (size_t)count, low, table);
        return LL_OK;
    }
    for (int64_t i = 0; i < count; i++)
        table[values[i] & UINT16_MAX]++;
    return LL_OK;
}

/* ---- few distinct values -------------------------------------------------------------------- */

LL_INLINE size_t first_place(uint64_t value) {
    return (value * LL_GOLDEN) >> (64 - LL_FEW_BITS);
}

/* The place of a value; a new one is entered with a count of 0. */
LL_INLINE size_t place_of(uint64_t value, uint64_t *keys, const uint32_t *counts, int32_t *used) {
    size_t place = first_place(value);
    while (counts[place] && keys[place] != value)
        place = (place + 1) & (LL_FEW_PLACES - 1);
    *used += counts[place] == 0;
    keys[place] = value;
    return place;
}

uint32_t ll_few_count(uint64_t value, const uint64_t *keys, const uint32_t *counts) {
    size_t place = first_place(value);
    while (counts[place] && keys[place] != value)
        place = (place + 1) & (LL_FEW_PLACES - 1);
    return counts[place];
}

int ll_counts_few(const uint64_t *values, int64_t count, int limit, uint64_t *keys,
                  uint32_t *counts, int32_t *used) {
    if (count < 0 || limit < 0 || limit > LL_FEW_PLACES / 2) return LL_ERROR_ARGUMENT;
    int32_t distinct = *used;
    for (int64_t i = 0; i < count && distinct <= limit; i += RUN) {
        int64_t size = ll_smaller(RUN, count - i);
        uint64_t differing = 0;
        for (int64_t j = 1; j < size; j++)
            differing |= values[i + j] ^ values[i];
        if (!differing) {
            counts[place_of(values[i], keys, counts, &distinct)] += (uint32_t)size;
            continue;
        }
        for (int64_t j = 0; j < size; j++)
            counts[place_of(values[i + j], keys, counts, &distinct)]++;
    }
    *used = distinct;
    return LL_OK;
}

/* ---- many small cells ----------------------------------------------------------------------- */

static bool ascending(const int64_t *starts, int64_t groups, int64_t count) {
    if (starts[0] < 0 || starts[groups] > count) return false;
    for (int64_t group = 0; group < groups; group++)
        if (starts[group] > starts[group + 1]) return false;
    return true;
}

int ll_counts_groups(const uint64_t *values, int64_t count, const int64_t *starts, int64_t groups,
                     int storage, uint64_t *work, uint64_t *keys, uint32_t *counts,
                     int64_t *unique_starts) {
    if (!ll_storage_known(storage) || count < 0 || count > UINT32_MAX) return LL_ERROR_ARGUMENT;
    if (groups < 0) return LL_ERROR_ARGUMENT;
    if (!ascending(starts, groups, count)) return LL_ERROR_RANGE;
    size_t filled = 0;
    for (int64_t group = 0; group < groups; group++) {
        /* Sorted where they lie, then moved down: what is written never passes what is read. */
        uint64_t *cell = keys + starts[group];
        size_t size = (size_t)(starts[group + 1] - starts[group]);
        unique_starts[group] = (int64_t)filled;
        for (size_t i = 0; i < size; i++)
            cell[i] = ll_ordered_key(values[starts[group] + (int64_t)i], storage);
        ll_sort_keys(cell, work, size);
        for (size_t i = 0, end; i < size; i = end) {
            for (end = i + 1; end < size && cell[end] == cell[i];)
                end++;
            keys[filled] = cell[i];
            counts[filled++] = (uint32_t)(end - i);
        }
    }
    unique_starts[groups] = (int64_t)filled;
    return LL_OK;
}

/* ---- sorted counts of two sides ------------------------------------------------------------- */

int ll_counts_merge(const uint64_t *a_keys, const uint64_t *a_counts, int64_t a_size,
                    const uint64_t *b_keys, const uint64_t *b_counts, int64_t b_size,
                    uint64_t *keys, uint64_t *counts, int64_t *size) {
    if (a_size < 0 || b_size < 0) return LL_ERROR_ARGUMENT;
    int64_t i = 0, j = 0, filled = 0;
    while (i < a_size || j < b_size) {
        bool from_a = j == b_size || (i < a_size && a_keys[i] <= b_keys[j]);
        bool from_b = i == a_size || (j < b_size && b_keys[j] <= a_keys[i]);
        keys[filled] = from_a ? a_keys[i] : b_keys[j];
        counts[filled++] = (from_a ? a_counts[i] : 0) + (from_b ? b_counts[j] : 0);
        i += from_a;
        j += from_b;
    }
    *size = filled;
    return LL_OK;
}
