/* Cells that are sketched: every chunk feeds the moments, the histogram, the registers and the hash
 * that the sampler needs; every block then gives its sample to the quantile sketch.
 *
 * Doubles are taken where they lie, if they can be: a first pass over a chunk finds out whether it
 * holds zeros, infinities or NaN, and only then are these counted, and the block copied if there is
 * a NaN or a -0.0 to be taken out of it. Without the copy a column takes 2.2 ns a value instead of
 * 2.7 (a Xeon with AMX at 2.6 GHz).
 *
 * Integers that doubles hold exactly (nearly all that occur) become doubles once, and all states
 * but the quantile sketch take them as such: their bits are the same by definition.
 */
#include "moments.h"
#include "numbers.h"
#include "quantiles.h"

#include <math.h>

/* Values that are taken through all states at a time: with the counters, they stay in L1. */
#define CHUNK       1024
#define QUARTER     (CHUNK / 4 * sizeof(uint64_t)) /* of a chunk's bytes: what one pass fetches */
#define MOST_HEIGHT 8

typedef struct sketching {
    ll_cell_work *work;
    const ll_kernels *kernels;
    uint8_t *registers;
    ll_scan scan;
    ll_moments_tree tree;
    ll_moments moments;     /* of the blocks before */
    const uint64_t *values; /* of the block: in memory->block, or where they lie */
    bool plain;             /* doubles without an order: they are read uncleaned */
    bool in_place;
    int64_t block_size;
    int64_t seen;
    ll_instants instants;
    int part_count;
    ll_part parts[LL_NUMBERS_PARTS];
    uint64_t *join; /* room for both sides' items, twice */
    size_t join_size;
} sketching;

static void begin_sketching(sketching *to, ll_cell_work *work) {
    const ll_numbers *column = work->column;
    const size_t capacity = (size_t)ll_quantiles_capacity(column->k, LL_QUANTILE_LEVELS);
    memset(to, 0, sizeof *to);
    to->work = work;
    to->kernels = ll_kernels_active();
    to->registers = work->out->states + work->filled->states;
    memset(to->registers, 0, LL_DISTINCT_REGISTERS);
    for (size_t part = 0; part < LL_NUMBERS_PARTS; part++)
        to->parts[part].items = work->memory->parts + part * capacity;
    to->join = work->memory->parts + LL_NUMBERS_PARTS * capacity;
    to->join_size = 2 * capacity;
    ll_scan_begin(&to->scan, column->seed);
    to->values = work->memory->block;
    to->plain = column->type == LL_TYPE_FLOAT64 && !column->order;
    if (to->plain) ll_read_again(work); /* what is held is clean, and was tallied */
    if (column->unit < 0) return;
    to->instants = (ll_instants){.unit = column->unit,
                                 .hours = work->memory->hours,
                                 .days = work->memory->dense,
                                 .calendar = work->out->calendar + work->number * LL_CALENDAR};
    memset(to->instants.calendar, 0, LL_CALENDAR * sizeof *to->instants.calendar);
}

/* ---- chunks ---------------------------------------------------------------------------------- */

/* Extremes of integers that were taken as doubles, as integers again. */
static uint64_t integer_bits(uint64_t bits, int storage) {
    double value = ll_double_of_bits(bits);
    return storage == LL_STORAGE_INT64 ? (uint64_t)(int64_t)value : (uint64_t)value;
}

/* Integers beyond 2^53, which doubles do not hold. */
static void add_integers(sketching *to, const uint64_t *values, int64_t count) {
    const ll_numbers_memory *memory = to->work->memory;
    const int storage = to->work->storage;
    ll_moments tile;
    to->kernels->moments_tile(values, (int)count, storage, &tile);
    ll_moments_push(&to->tree, &tile, storage);
    to->kernels->histogram_add(values, count, storage, memory->counters, memory->touched);
    to->kernels->distinct_add(values, count, storage, (const uint8_t *)values, to->registers);
}

static void tally_kinds(ll_tally *tally, const ll_kinds *kinds) {
    tally->zeros += kinds->zeros;
    tally->positive_infinity += kinds->positive_infinities;
    tally->negative_infinity += kinds->negative_infinities;
}

/* What only tiles with zeros, infinities or NaN need. False if they must be cleaned first. */
static bool look_closer(sketching *to, const uint64_t *values, int count, ll_look *look) {
    ll_kinds kinds;
    to->kernels->moments_kinds(values, count, &kinds);
    if (kinds.nan || kinds.negative_zeros) return false;
    look->nearest = kinds.nearest;
    look->zeros = kinds.zeros;
    if (to->plain) tally_kinds(&to->work->reader.tally, &kinds);
    return true;
}

/* Take doubles through all states; false, with nothing changed, if they must be cleaned first. */
static bool add_doubles(sketching *to, const uint64_t *values, int count) {
    const ll_numbers_memory *memory = to->work->memory;
    const uint8_t *ahead = ll_ahead(&to->work->reader, values) + sizeof(uint64_t) * CHUNK;
    const int own = to->work->storage;
    ll_scan after = to->scan;
    ll_look look;
    ll_moments tile;
    to->kernels->moments_look(values, count, ahead, own == LL_STORAGE_FLOAT64 ? &after : NULL,
                              &look);
    if (!(look.sum - look.sum == 0 && look.nearest > 0) && !look_closer(to, values, count, &look))
        return false;
    to->scan = after;
    if (to->plain) to->work->reader.tally.negatives += look.negatives;
    to->kernels->moments_powers(values, count, &look, ahead + QUARTER, &tile);
    if (own != LL_STORAGE_FLOAT64) {
        tile.minimum = integer_bits(tile.minimum, own);
        tile.maximum = integer_bits(tile.maximum, own);
    }
    ll_moments_push(&to->tree, &tile, own);
    to->kernels->histogram_tile(values, count, &look, ahead + 2 * QUARTER, memory->counters,
                                memory->touched);
    to->kernels->distinct_add(values, count, LL_STORAGE_FLOAT64, ahead + 3 * QUARTER,
                              to->registers);
    return true;
}

static bool add_numbers(sketching *to, const uint64_t *values, int64_t count) {
    const int storage = to->work->storage;
    uint64_t doubles[CHUNK];
    if (storage == LL_STORAGE_FLOAT64) return add_doubles(to, values, (int)count);
    to->kernels->scan_add(&to->scan, values, count, storage);
    if (to->kernels->doubles(values, count, storage, doubles))
        return add_doubles(to, doubles, (int)count);
    add_integers(to, values, count);
    return true;
}

/* The quantile sketch of instants is over microseconds; those are left in the block. */
static void add_instants(sketching *to, uint64_t *values, int64_t count) {
    const int unit = to->work->column->unit;
    const uint8_t *ahead = ll_ahead(&to->work->reader, values);
    uint64_t doubles[CHUNK];
    ll_instants_add(&to->instants, values, count);
    if (to->kernels->doubles(values, count, LL_STORAGE_INT64, doubles))
        to->kernels->distinct_add(doubles, count, LL_STORAGE_FLOAT64, ahead, to->registers);
    else
        to->kernels->distinct_add(values, count, LL_STORAGE_INT64, ahead, to->registers);
    if (unit != LL_UNIT_MICROSECONDS)
        ll_calendar_microseconds((const int64_t *)values, count, unit, (int64_t *)values);
    to->kernels->scan_add(&to->scan, values, count, LL_STORAGE_INT64);
}

/* The last `count` values held; false if they lie where they cannot be cleaned. */
static bool add_chunk(sketching *to, int64_t count) {
    uint64_t *block = to->work->memory->block + to->block_size;
    if (to->work->column->unit >= 0) {
        add_instants(to, block, count);
        return true;
    }
    if (add_numbers(to, to->values + to->block_size, count)) return true;
    if (to->in_place) return false;
    for (int64_t i = 0; i < count; i++) /* -0.0, for NaN was left out */
        block[i] = block[i] == LL_SIGN_BIT ? 0 : block[i];
    return add_numbers(to, block, count);
}

/* ---- blocks ---------------------------------------------------------------------------------- */

/* How many times halving the sample keeps its error within the variance allowed for it. */
static unsigned sampling_height(double variance, int64_t count, double share) {
    int exponent;
    if (!(share > 0)) return 0; /* nothing but zeros and infinities, each counted on its own */
    frexp(variance * (double)count / share, &exponent);
    if (exponent < 1) return 0;
    return exponent - 1 < MOST_HEIGHT ? (unsigned)exponent - 1 : MOST_HEIGHT;
}

/* The two newest parts become one. */
static bool join_newest(sketching *to) {
    ll_part *joined = &to->parts[to->part_count];
    ll_part *b = &to->parts[--to->part_count], *a = b - 1;
    if (!ll_quantiles_join(to->work->column->k, to->work->column->seed, a, b, to->join,
                           to->join + to->join_size, joined))
        return false;
    uint64_t *items = a->items;
    *a = *joined;
    joined->items = items;
    return true;
}

/* Blocks are joined like the digits of a binary counter: each value is in few compactions. */
static bool add_part(sketching *to) {
    to->part_count++;
    while (to->part_count > 1) {
        ll_part *newest = &to->parts[to->part_count - 1];
        if (newest[-1].order != newest->order) break;
        if (!join_newest(to)) return false;
        newest[-1].order++;
    }
    return true;
}

static int finish_block(sketching *to) {
    const ll_cell_work *work = to->work;
    const ll_numbers *column = work->column;
    const int64_t size = to->block_size;
    if (size == 0) return LL_OK;
    double share = 1; /* no histogram lies under instants */
    to->seen += size;
    if (column->unit < 0) {
        ll_moments block;
        ll_moments_finish(&to->tree, work->storage, &block);
        ll_moments_merge(&to->moments, &block, work->storage);
        share = (double)ll_histogram_heaviest(work->memory->counters, work->memory->touched) /
                (double)to->seen;
    }
    ll_scanned found;
    ll_scan_finish(&to->scan, column->seed, &found);
    ll_scan_begin(&to->scan, column->seed);
    ll_quantiles_of_block(to->values, (size_t)size, work->storage,
                          sampling_height(column->sampler_variance, size, share), column->k, &found,
                          work->memory->sort, work->memory->sort + LL_BLOCK,
                          &to->parts[to->part_count]);
    to->block_size = 0;
    return add_part(to) ? LL_OK : LL_ERROR_RANGE;
}

/* Let the chunk after those that were added be full, unless the cell ends. */
static int fill_chunk(sketching *to) {
    ll_cell_work *work = to->work;
    const int64_t ahead = work->held - to->block_size;
    int64_t written = 0;
    if (ahead >= CHUNK || ll_at_end(&work->reader)) return LL_OK;
    uint64_t *end = work->memory->block + work->held;
    if (to->plain) {
        work->held += ll_read_doubles(&work->reader, end, CHUNK - ahead);
        return LL_OK;
    }
    int code = ll_read(&work->reader, end, CHUNK - ahead, &written);
    work->held += written;
    return code;
}

/* Go on with a copy of the block. */
static void leave_place(sketching *to) {
    uint64_t *block = to->work->memory->block;
    memcpy(block, to->values, (size_t)to->block_size * sizeof *block);
    to->values = block;
    to->work->held = to->block_size;
    to->in_place = false;
}

/* Take the next chunk where it lies, if that is possible: doubles need no copy unless something is
 * null, NaN or -0.0, or a block goes beyond an array. */
static bool add_in_place(sketching *to) {
    ll_reader *reader = &to->work->reader;
    const int64_t count = ll_smaller(CHUNK, reader->end - reader->position);
    const uint64_t *lying = ll_lying(reader, count);
    if (to->block_size == 0 && lying) to->values = lying;
    if (lying && lying == to->values + to->block_size) {
        reader->position += count;
        if (add_chunk(to, count)) {
            reader->tally.rows += count;
            to->block_size += count;
            return true;
        }
        reader->position -= count;
    }
    leave_place(to);
    return false;
}

static int add_copied(sketching *to) {
    ll_cell_work *work = to->work;
    int code = fill_chunk(to);
    if (code) return code;
    int64_t size = ll_smaller(CHUNK, work->held - to->block_size);
    if (size == 0) return LL_OK;
    if (!add_chunk(to, size)) return LL_ERROR_RANGE;
    to->block_size += size;
    return LL_OK;
}

static int sketch_values(sketching *to) {
    ll_cell_work *work = to->work;
    for (;;) {
        const int64_t before = to->block_size;
        to->in_place = to->plain && (before == 0 || to->in_place);
        int code = LL_OK;
        if (!to->in_place || !add_in_place(to)) code = add_copied(to);
        if (code) return code;
        const bool ended = to->block_size == before;
        if (!ended && to->block_size < LL_BLOCK) continue;
        code = finish_block(to);
        if (code || ended) return code;
        work->held = 0;
        to->values = work->memory->block;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static uint8_t *put(uint8_t *to, const void *from, size_t size) {
    memcpy(to, from, size);
    return to + size;
}

/* The states of a cell lie one after the other, registers first; returns where they end. */
static uint8_t *write_sketch(sketching *to) {
    const ll_part *part = &to->parts[0];
    ll_cell *cell = to->work->cell;
    cell->levels = part->levels;
    cell->items = part->offsets[part->levels];
    cell->height = part->height;
    cell->low = part->low;
    cell->high = part->high;
    uint8_t *end = to->registers + LL_DISTINCT_REGISTERS;
    end = put(end, part->items, (size_t)cell->items * sizeof *part->items);
    return put(end, part->offsets, ((size_t)part->levels + 1) * sizeof *part->offsets);
}

static void write_moments(ll_cell *cell, const ll_moments *moments) {
    cell->moments_count = moments->count;
    cell->mean = moments->mean;
    cell->m2 = moments->m2;
    cell->m3 = moments->m3;
    cell->m4 = moments->m4;
    cell->minimum = moments->minimum;
    cell->maximum = moments->maximum;
}

/* Counters in the fewest of 1, 2 and 4 bytes that hold them all. */
static uint8_t *put_counters(const uint32_t *counts, int64_t size, ll_cell *cell, uint8_t *to) {
    uint32_t most = 0;
    for (int64_t i = 0; i < size; i++)
        most = counts[i] > most ? counts[i] : most;
    cell->width = most <= UINT8_MAX ? 1 : most <= UINT16_MAX ? 2 : 4;
    if (cell->width == 4) return put(to, counts, (size_t)size * sizeof *counts);
    if (cell->width == 2) {
        for (int64_t i = 0; i < size; i++, to += 2) {
            const uint16_t count = (uint16_t)counts[i];
            memcpy(to, &count, sizeof count);
        }
        return to;
    }
    for (int64_t i = 0; i < size; i++)
        to[i] = (uint8_t)counts[i];
    return to + size;
}

/* The histogram gives up a bit of resolution for each doubling of its pages beyond 128. */
static uint8_t *write_histogram(ll_cell_work *work, uint8_t *end) {
    const ll_numbers_memory *memory = work->memory;
    ll_cell *cell = work->cell;
    uint16_t pages[LL_HISTOGRAM_PAGES];
    uint32_t *counts = (uint32_t *)memory->sort;
    int found = ll_histogram_pages(memory->counters, memory->touched, pages), coarseness = 0;
    while (found * (LL_HISTOGRAM_PAGE >> coarseness) > LL_HISTOGRAM_MOST)
        coarseness++;
    ll_histogram_read(memory->counters, memory->touched, pages, found, coarseness, counts);
    ll_histogram_clear(memory->counters, memory->touched);
    cell->pages = found;
    cell->coarseness = coarseness;
    end = put_counters(counts, (int64_t)found * (LL_HISTOGRAM_PAGE >> coarseness), cell, end);
    return put(end, pages, (size_t)found * sizeof *pages);
}

static void write_calendar(sketching *to) {
    ll_cell_work *work = to->work;
    ll_cell *cell = work->cell;
    cell->entries = ll_instants_finish(&to->instants, work->out->keys + work->filled->keys,
                                       work->out->counts + work->filled->counts);
    cell->minimum = (uint64_t)to->instants.low;
    cell->maximum = (uint64_t)to->instants.high;
    if (cell->entries < 0) return;
    work->filled->keys += cell->entries;
    work->filled->counts += cell->entries;
}

int ll_sketch_cell(ll_cell_work *work) {
    sketching to;
    begin_sketching(&to, work);
    int code = sketch_values(&to);
    if (code) return code;
    while (to.part_count > 1)
        if (!join_newest(&to)) return LL_ERROR_RANGE;
    uint8_t *end = write_sketch(&to);
    write_moments(work->cell, &to.moments);
    if (work->column->unit < 0)
        end = write_histogram(work, end);
    else
        write_calendar(&to);
    work->cell->states = end - to.registers;
    work->filled->states += (work->cell->states + 7) / 8 * 8; /* items lie at multiples of 8 */
    return LL_OK;
}
