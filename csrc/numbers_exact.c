/* Cells whose values are counted one by one: few of them, doubles of few distinct values, integers
 * of a small range. See counts.c for how.
 */
#include "counts.h"
#include "numbers.h"

/* Values counted at a time: as many as pay for clearing and adding up the small tables. */
#define CHUNK 16384
/* So many integers are sorted rather than looked for in a table of a range that is larger still. */
#define SPARSE 8

/* ---- writing --------------------------------------------------------------------------------- */

static void write_entry(ll_cell_work *work, uint64_t key, uint32_t count) {
    ll_cell *cell = work->cell;
    work->out->keys[work->filled->keys++] = key;
    work->out->counts[work->filled->counts++] = count;
    cell->entries++;
    cell->largest = count > cell->largest ? count : cell->largest;
}

/* Sort what is held and count runs of equal keys. */
static void write_sorted(ll_cell_work *work) {
    uint64_t *keys = work->memory->sort;
    const size_t size = (size_t)work->held;
    for (size_t i = 0; i < size; i++)
        keys[i] = ll_ordered_key(work->memory->block[i], work->storage);
    ll_sort_keys(keys, keys + LL_BLOCK, size);
    for (size_t i = 0, end; i < size; i = end) {
        for (end = i + 1; end < size && keys[end] == keys[i];)
            end++;
        write_entry(work, keys[i], (uint32_t)(end - i));
    }
}

/* ---- integers -------------------------------------------------------------------------------- */

static void write_range(ll_cell_work *work, ll_range found) {
    uint32_t *table = work->memory->dense;
    for (uint64_t distance = 0; distance <= found.high - found.low; distance++) {
        uint64_t key = found.low + distance;
        uint32_t count = table[key & UINT16_MAX];
        if (!count) continue;
        write_entry(work, key, count);
        table[key & UINT16_MAX] = 0;
    }
}

static void clear_range(ll_cell_work *work, ll_range found) {
    for (uint64_t distance = 0; distance <= found.high - found.low; distance++)
        work->memory->dense[(found.low + distance) & UINT16_MAX] = 0;
}

bool ll_count_integers(ll_cell_work *work, int64_t begin, ll_range *found) {
    const uint64_t *values = work->memory->block + begin;
    const int64_t count = work->held - begin;
    uint64_t keys[2];
    if (count == 0) return true;
    ll_counts_range(values, count, work->storage, keys);
    if (!ll_range_widen(found, keys[0], keys[1])) return false;
    ll_counts_dense(values, count, keys[0], keys[1], work->memory->dense);
    return true;
}

/* Count integers as they lie, if they do not need to be put in order. */
static int count_as_they_lie(ll_cell_work *work, bool *exact) {
    const ll_numbers *column = work->column;
    ll_tally *tally = &work->reader.tally;
    ll_range found = {UINT64_MAX, 0};
    *exact = false;
    if (column->order || column->unit >= 0 || work->storage == LL_STORAGE_FLOAT64) return LL_OK;
    int code = ll_count_raw(work, &found, exact);
    if (code) return code;
    if (!*exact) {
        if (found.low <= found.high) clear_range(work, found);
        ll_read_again(work);
        return LL_OK;
    }
    const uint64_t zero = ll_ordered_key(0, work->storage);
    tally->zeros = tally->negatives = 0;
    if (found.low <= found.high) write_range(work, found);
    for (int64_t i = 0; i < work->cell->entries; i++) {
        const uint64_t key = work->out->keys[work->cell->keys_begin + i];
        const uint32_t count = work->out->counts[work->cell->counts_begin + i];
        tally->negatives += key < zero ? count : 0;
        tally->zeros += key == zero ? count : 0;
    }
    return LL_OK;
}

/* ---- doubles --------------------------------------------------------------------------------- */

typedef struct few {
    uint64_t values[LL_FEW_PLACES];
    uint32_t counts[LL_FEW_PLACES];
    int32_t used;
} few;

static void write_few(ll_cell_work *work, const few *found) {
    uint64_t keys[LL_FEW], sorting[LL_FEW], values[LL_FEW];
    size_t size = 0;
    for (size_t place = 0; place < LL_FEW_PLACES; place++)
        if (found->counts[place])
            keys[size++] = ll_ordered_key(found->values[place], work->storage);
    ll_sort_keys(keys, sorting, size);
    ll_keys_decode(keys, (int64_t)size, work->storage, values);
    for (size_t i = 0; i < size; i++)
        write_entry(work, keys[i], ll_few_count(values[i], found->values, found->counts));
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* What counting needs between two chunks of a cell. */
typedef struct counting {
    ll_range range;
    few few;
    bool passed; /* a block is full of values that were counted and overwritten */
} counting;

static void begin_counting(counting *to) {
    to->range = (ll_range){UINT64_MAX, 0};
    to->few.used = 0;
    memset(to->few.counts, 0, sizeof to->few.counts);
    to->passed = false;
}

/* Count what is held from `begin` on; false if the values can no longer be counted exactly. */
static bool count_held(ll_cell_work *work, counting *so_far, int64_t begin) {
    if (work->storage != LL_STORAGE_FLOAT64) return ll_count_integers(work, begin, &so_far->range);
    few *found = &so_far->few;
    ll_counts_few(work->memory->block + begin, work->held - begin, LL_FEW, found->values,
                  found->counts, &found->used);
    return found->used <= LL_FEW;
}

static void write_counted(ll_cell_work *work, const counting *found) {
    if (work->storage == LL_STORAGE_FLOAT64) {
        write_few(work, &found->few);
    } else if (!found->passed &&
               (uint64_t)work->held * SPARSE < found->range.high - found->range.low) {
        for (int64_t i = 0; i < work->held; i++)
            work->memory->dense[work->memory->block[i] & UINT16_MAX] = 0;
        write_sorted(work);
    } else {
        write_range(work, found->range);
    }
}

int ll_count_cell(ll_cell_work *work, bool *exact) {
    counting found;
    int code = count_as_they_lie(work, exact);
    if (code || *exact) return code;
    begin_counting(&found);
    for (;;) {
        if (work->held == LL_BLOCK) {
            work->held = 0;
            found.passed = true;
        }
        int64_t written, begin = work->held;
        code = ll_read(&work->reader, work->memory->block + begin,
                       ll_smaller(CHUNK, LL_BLOCK - begin), &written);
        if (code) return code;
        work->held += written;
        *exact = begin == 0 && !found.passed && work->held <= LL_SMALL && ll_at_end(&work->reader);
        if (*exact) {
            write_sorted(work);
            return LL_OK;
        }
        if (work->column->unit >= 0) return LL_OK;
        if (!count_held(work, &found, begin)) break;
        *exact = ll_at_end(&work->reader);
        if (*exact) {
            write_counted(work, &found);
            return LL_OK;
        }
    }
    if (found.range.low <= found.range.high) clear_range(work, found.range);
    if (found.passed) ll_read_again(work);
    return LL_OK;
}
