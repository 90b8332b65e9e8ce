/* Values of which many are equal, such as rounded ones: counted by hash and only then sorted.
 *
 * Sorting a block of 65,536 rounded values costs 3 ns a value, counting its thousand distinct ones
 * 1.3, and where nearly all are one value 0.4 (a Xeon with AMX at 2.6 GHz). A look at some values
 * tells whether to try; nothing but time depends on it.
 */
#include "mix.h"
#include "quantiles.h"
#include "sort.h"

#define PLACE_BITS 13
#define PLACES     (1 << PLACE_BITS)
#define MOST       (PLACES / 2) /* distinct values; beyond that sorting is as fast */
#define LOOKS      256
#define LEAST      (2 * PLACES + 2 * MOST) /* values: work has room for as many */
#define RUN        8

/* Whether half of some values occur twice among them. */
static bool look_tied(const uint64_t *values, size_t count, uint64_t *work) {
    size_t equal = 0;
    for (size_t i = 0; i < LOOKS; i++)
        work[i] = values[i * (count / LOOKS)];
    ll_sort_keys(work, work + LOOKS, LOOKS);
    for (size_t i = 1; i < LOOKS; i++)
        equal += work[i] == work[i - 1];
    return 2 * equal > LOOKS;
}

typedef struct tie_table {
    uint64_t *values;
    uint32_t *counts;
    size_t used;
} tie_table;

LL_INLINE size_t find(const tie_table *table, uint64_t value) {
    size_t place = (value * LL_GOLDEN) >> (64 - PLACE_BITS);
    while (table->counts[place] && table->values[place] != value)
        place = (place + 1) & (PLACES - 1);
    return place;
}

LL_INLINE void count_value(tie_table *table, uint64_t value, uint32_t times) {
    size_t place = find(table, value);
    table->used += table->counts[place] == 0;
    table->values[place] = value;
    table->counts[place] += times;
}

static bool count_values(tie_table *table, const uint64_t *values, size_t count) {
    size_t i = 0;
    for (; i + RUN <= count && table->used <= MOST; i += RUN) {
        uint64_t differing = 0;
        for (size_t j = 1; j < RUN; j++)
            differing |= values[i + j] ^ values[i];
        if (!differing) {
            count_value(table, values[i], RUN);
            continue;
        }
        for (size_t j = 0; j < RUN; j++)
            count_value(table, values[i + j], 1);
    }
    for (; i < count && table->used <= MOST; i++)
        count_value(table, values[i], 1);
    return table->used <= MOST;
}

size_t ll_ties_join(const uint64_t *values, size_t count, int storage, uint64_t *keys,
                    uint64_t *work, uint64_t **weights) {
    if (count < LEAST || !look_tied(values, count, work)) return 0;
    /* The table lies in work, distinct values and their weights in the halves of keys. */
    tie_table table = {.values = work, .counts = (uint32_t *)(work + PLACES)};
    uint64_t *distinct = work + 2 * PLACES, *spare = distinct + MOST;
    memset(table.counts, 0, PLACES * sizeof *table.counts);
    if (!count_values(&table, values, count)) return 0;
    size_t size = 0;
    for (size_t place = 0; place < PLACES; place++)
        if (table.counts[place]) distinct[size++] = table.values[place];
    ll_keys_encode(distinct, (int64_t)size, storage, distinct);
    ll_sort_keys(distinct, spare, size);
    memcpy(keys, distinct, size * sizeof *keys);
    ll_keys_decode(distinct, (int64_t)size, storage, distinct);
    *weights = keys + MOST;
    for (size_t i = 0; i < size; i++)
        (*weights)[i] = table.counts[find(&table, distinct[i])];
    return size;
}
