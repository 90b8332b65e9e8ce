/* Keys of which many are equal, as of rounded values: counted by hash and only then sorted.
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
#define MOST       (PLACES / 2) /* distinct keys; beyond that sorting is as fast */
#define LOOKS      256
#define LEAST      (2 * PLACES + MOST) /* keys: work has room for as many */
#define RUN        8

/* Whether there are likely no more than 2,000 distinct values: then 16 of 256 repeat another. */
static bool look_tied(const uint64_t *keys, size_t count, uint64_t *work) {
    size_t equal = 0;
    for (size_t i = 0; i < LOOKS; i++)
        work[i] = keys[i * (count / LOOKS)];
    ll_sort_keys(work, work + LOOKS, LOOKS);
    for (size_t i = 1; i < LOOKS; i++)
        equal += work[i] == work[i - 1];
    return 16 * equal >= LOOKS;
}

typedef struct tie_table {
    uint64_t *keys;
    uint32_t *counts;
    size_t used;
} tie_table;

LL_INLINE size_t find(const tie_table *table, uint64_t key) {
    size_t place = (key * LL_GOLDEN) >> (64 - PLACE_BITS);
    while (table->counts[place] && table->keys[place] != key)
        place = (place + 1) & (PLACES - 1);
    return place;
}

LL_INLINE void count_key(tie_table *table, uint64_t key, uint32_t times) {
    size_t place = find(table, key);
    table->used += table->counts[place] == 0;
    table->keys[place] = key;
    table->counts[place] += times;
}

static bool count_keys(tie_table *table, const uint64_t *keys, size_t count) {
    size_t i = 0;
    for (; i + RUN <= count && table->used <= MOST; i += RUN) {
        uint64_t differing = 0;
        for (size_t j = 1; j < RUN; j++)
            differing |= keys[i + j] ^ keys[i];
        if (!differing) {
            count_key(table, keys[i], RUN);
            continue;
        }
        for (size_t j = 0; j < RUN; j++)
            count_key(table, keys[i + j], 1);
    }
    for (; i < count && table->used <= MOST; i++)
        count_key(table, keys[i], 1);
    return table->used <= MOST;
}

size_t ll_ties_join(uint64_t *keys, size_t count, uint64_t *work, uint64_t **weights) {
    if (count < LEAST || !look_tied(keys, count, work)) return 0;
    /* The table lies in work; distinct keys and their weights then in keys. */
    tie_table table = {.keys = work, .counts = (uint32_t *)(work + PLACES)};
    memset(table.counts, 0, PLACES * sizeof *table.counts);
    if (!count_keys(&table, keys, count)) return 0;
    size_t size = 0;
    for (size_t place = 0; place < PLACES; place++)
        if (table.counts[place]) keys[size++] = table.keys[place];
    ll_sort_keys(keys, work + 2 * PLACES, size);
    *weights = keys + MOST;
    for (size_t i = 0; i < size; i++)
        (*weights)[i] = table.counts[find(&table, keys[i])];
    return size;
}
