/* States of cells, as the kernels that count and sketch leave them, into the bytes of a snapshot's
 * fields: what is stored is written in the thread that found it, while it is still in its cache,
 * and no cell and column is ever an object of its own. docs/format.md, section 5, says what the
 * bytes are; snapshot/encodings.py writes the same from single states.
 */
#include "gather.h"
#include "number.h"
#include "packing.h"
#include "quantiles.h"

#include <math.h>

#define RAW        255               /* the encoding of ordered keys */
#define EXPONENTS  10                /* of ten that are tried */
#define EXACT      9007199254740992. /* 2^53 */
#define LIST_HEAD  (1 + 3 * LL_VARINT_MOST)
#define CLOCK      (LL_CALENDAR * 8 + 1) /* packed hours and weekdays */
#define PREAMBLE   (28 + 4 * LL_QUANTILE_LEVELS + 16)
#define CUT_LENGTH 4 /* bytes of a packed length */

/* Places of the fields among a cell's sizes. */
enum { VALUES, COUNTS, HISTOGRAM, QUANTILES, DISTINCT, CALENDAR };
enum { KEYS, KEY_COUNTS, KEY_DISTINCT };

/* ---- exact counts -----------------------------------------------------------------------------
 */

static uint64_t zigzag(uint64_t value) {
    return (value << 1) ^ (0 - (value >> 63));
}

/* Doubles as whole numbers over a power of ten, if that gives the same doubles: their keys and the
 * exponent, or RAW. */
static int decimals(const uint64_t *keys, int64_t count, uint64_t *scaled) {
    double values[LL_SMALL];
    if (count > LL_SMALL) return RAW;
    ll_keys_decode(keys, count, LL_STORAGE_FLOAT64, (uint64_t *)values);
    const double last = values[count - 1], probe = values[count / 2];
    if (!(fabs(values[0]) < EXACT && fabs(last) < EXACT)) return RAW;
    double power = 1;
    for (int exponent = 0; exponent < EXPONENTS; exponent++, power *= 10) {
        if (rint(probe * power) / power != probe) continue;
        if (!(fabs(rint(values[0] * power)) < EXACT && fabs(rint(last * power)) < EXACT)) break;
        int64_t same = 0;
        while (same < count && rint(values[same] * power) / power == values[same])
            same++;
        if (same < count) continue;
        for (int64_t i = 0; i < count; i++)
            scaled[i] = (uint64_t)(int64_t)rint(values[i] * power) ^ LL_SIGN_BIT;
        return exponent;
    }
    return RAW;
}

/* Distinct values by their ascending keys; room for LIST_HEAD + 8 * count bytes. */
static uint8_t *put_values(const uint64_t *keys, int64_t count, int storage, uint8_t *out) {
    uint64_t scaled[LL_SMALL];
    uint8_t *encoding = out++;
    *encoding = 0;
    out += ll_put_varint((uint64_t)count, out);
    if (!count) {
        *encoding = storage == LL_STORAGE_FLOAT64 ? RAW : 0;
        return out;
    }
    if (storage == LL_STORAGE_FLOAT64) {
        *encoding = (uint8_t)decimals(keys, count, scaled);
        keys = *encoding == RAW ? keys : scaled;
    }
    const bool is_signed = *encoding != RAW && storage != LL_STORAGE_UINT64;
    out += ll_put_varint(is_signed ? zigzag(keys[0] ^ LL_SIGN_BIT) : keys[0], out);
    return count == 1 ? out : ll_put_gaps(keys, count, 8, out);
}

static uint8_t *put_counts(const uint32_t *counts, int64_t count, uint8_t *out) {
    return count ? out + ll_pack(counts, count, 4, 1, out) : out;
}

/* ---- numbers and instants ---------------------------------------------------------------------
 */

/* A cell that was profiled, and where its arrays lie. */
typedef struct profiled {
    const ll_cell *cell;
    const uint64_t *keys; /* of the entries */
    const uint32_t *counts;
    const uint8_t *registers;
    const uint64_t *items;
    const uint32_t *offsets;
    const uint8_t *counters;
    const uint16_t *pages;
    int64_t buckets; /* of all pages */
} profiled;

static bool within(int64_t begin, int64_t size, int64_t capacity) {
    return begin >= 0 && size >= 0 && size <= capacity && begin <= capacity - size;
}

/* False if the cell's parts lie beyond the arrays. */
static bool find_parts(const ll_numbers *column, const ll_numbers_out *from, const ll_cell *cell,
                       profiled *to) {
    const int64_t entries = cell->entries > 0 ? cell->entries : 0;
    *to = (profiled){.cell = cell,
                     .keys = from->keys + cell->keys_begin,
                     .counts = from->counts + cell->counts_begin};
    if (!within(cell->keys_begin, entries, from->keys_capacity) ||
        !within(cell->counts_begin, entries, from->counts_capacity))
        return false;
    if (cell->exact) return true;
    if (cell->items < 0 || cell->items > from->states_capacity / 8 || cell->levels < 0 ||
        cell->levels > LL_QUANTILE_LEVELS || cell->pages < 0 || cell->pages > LL_HISTOGRAM_PAGES ||
        cell->coarseness < 0 || cell->coarseness > LL_HISTOGRAM_COARSEST || cell->states_begin % 8)
        return false;
    to->registers = from->states + cell->states_begin;
    to->items = (const uint64_t *)(const void *)(to->registers + LL_DISTINCT_REGISTERS);
    to->offsets = (const uint32_t *)(to->items + cell->items);
    to->counters = (const uint8_t *)(to->offsets + cell->levels + 1);
    if (column->unit < 0) {
        if (cell->width != 1 && cell->width != 2 && cell->width != 4) return false;
        to->buckets = cell->pages * (LL_HISTOGRAM_PAGE >> cell->coarseness);
        to->pages = (const uint16_t *)(const void *)(to->counters + cell->width * to->buckets);
    }
    const int64_t size = LL_DISTINCT_REGISTERS + 8 * cell->items + 4 * (cell->levels + 1) +
                         cell->width * to->buckets + 2 * cell->pages;
    return size <= cell->states && within(cell->states_begin, cell->states, from->states_capacity);
}

static int64_t most_bytes(const profiled *of) {
    const ll_cell *cell = of->cell;
    const int64_t entries = cell->entries > 0 ? cell->entries : 0;
    const int64_t lists = LIST_HEAD + ll_pack_most(entries, 8) + ll_pack_most(entries, 4);
    if (cell->exact) return lists;
    return lists + CLOCK + LIST_HEAD + LL_REGISTERS_MOST + PREAMBLE + 8 * cell->items +
           ll_histogram_bytes_most(cell->pages, of->buckets, (int)cell->width);
}

/* Hours, weekdays, and the days with their counts where these are held. */
static uint8_t *put_calendar(const profiled *of, const int64_t *clock, uint8_t *out) {
    out += ll_pack(clock, LL_CALENDAR, 8, 0, out);
    *out++ = of->cell->entries >= 0;
    if (of->cell->entries < 0) return out;
    uint8_t *days = out + LL_VARINT_MOST;
    const int64_t size = put_values(of->keys, of->cell->entries, LL_STORAGE_INT64, days) - days;
    out += ll_put_varint((uint64_t)size, out);
    memmove(out, days, (size_t)size);
    return put_counts(of->counts, of->cell->entries, out + size);
}

static int put_sketches(const ll_numbers *column, const profiled *of, int storage,
                        const int64_t *clock, uint8_t *out, int64_t *sizes) {
    const ll_cell *cell = of->cell;
    uint8_t *end = out;
    if (column->unit < 0) {
        end = ll_put_histogram((int)cell->coarseness, of->pages, cell->pages, of->counters,
                               (int)cell->width, end);
        sizes[HISTOGRAM] = end - out;
    }
    const int64_t total = cell->rows - cell->nulls - cell->nan;
    int code = ll_quantiles_bytes(storage, column->k, (int)cell->height, (uint64_t)total, cell->low,
                                  cell->high, of->offsets, (int)cell->levels, of->items,
                                  cell->items, end, PREAMBLE + 8 * cell->items, &sizes[QUANTILES]);
    if (code) return code;
    end += sizes[QUANTILES];
    sizes[DISTINCT] = ll_put_registers(of->registers, end) - end;
    end += sizes[DISTINCT];
    if (column->unit >= 0) sizes[CALENDAR] = put_calendar(of, clock, end) - end;
    return LL_OK;
}

int ll_numbers_bytes(const ll_numbers *column, const ll_numbers_out *from, int64_t first,
                     int64_t count, uint8_t *out, int64_t room, int64_t *sizes, int64_t *done) {
    *done = 0;
    if (!ll_type_known(column->type) || column->k < LL_QUANTILE_WIDTH || column->k > UINT16_MAX ||
        first < 0 || count < 0 || room < 0)
        return LL_ERROR_ARGUMENT;
    const int storage = ll_storage_of(column->type);
    for (; *done < count; ++*done, sizes += LL_NUMBER_PARTS) {
        const int64_t number = first + *done;
        profiled of;
        if (!find_parts(column, from, &from->cells[number], &of)) return LL_ERROR_RANGE;
        if (room < most_bytes(&of)) return LL_OK;
        memset(sizes, 0, LL_NUMBER_PARTS * sizeof *sizes);
        if (of.cell->exact) {
            uint8_t *end = put_values(of.keys, of.cell->entries, storage, out);
            sizes[VALUES] = end - out;
            sizes[COUNTS] = put_counts(of.counts, of.cell->entries, end) - end;
        } else {
            int code = put_sketches(column, &of, storage, from->calendar + number * LL_CALENDAR,
                                    out, sizes);
            if (code) return code;
        }
        for (int part = 0; part < LL_NUMBER_PARTS; part++) {
            out += sizes[part];
            room -= sizes[part];
        }
    }
    return LL_OK;
}

/* ---- texts ------------------------------------------------------------------------------------
 */

static uint8_t *put_keys(const uint32_t *offsets, const uint8_t *data, int64_t count,
                         uint8_t *out) {
    uint32_t lengths[LL_TEXT_CAPACITY];
    for (int64_t i = 0; i < count; i++)
        lengths[i] = offsets[i + 1] - offsets[i];
    out += ll_put_varint((uint64_t)count, out);
    out += ll_pack(lengths, count, CUT_LENGTH, 0, out);
    memcpy(out, data, offsets[count]);
    return out + offsets[count];
}

static bool text_within(const ll_text_output *from, const ll_text_cell *cell, int64_t key,
                        int64_t byte) {
    return within(key, cell->keys, from->keys_used) && cell->keys <= LL_TEXT_CAPACITY &&
           within(byte, cell->key_bytes, from->bytes_used) &&
           (!cell->sketched || within(cell->form, 1, from->forms_used));
}

int ll_text_bytes(const ll_text_output *from, uint8_t *out, int64_t room, int64_t *sizes) {
    if (room < 0) return LL_ERROR_ARGUMENT;
    int64_t key = 0, byte = 0;
    for (int64_t number = 0; number < from->cells_used; number++, sizes += LL_TEXT_PARTS) {
        const ll_text_cell *cell = &from->cells[number];
        const uint32_t *offsets = from->offsets + key + number;
        if (!text_within(from, cell, key, byte) || offsets[cell->keys] != cell->key_bytes)
            return LL_ERROR_RANGE;
        const int64_t most = LL_VARINT_MOST + 2 + (CUT_LENGTH + 8) * cell->keys + cell->key_bytes;
        if (room < most + (cell->sketched ? LL_REGISTERS_MOST : 0)) return LL_ERROR_RANGE;
        uint8_t *end = put_keys(offsets, from->data + byte, cell->keys, out);
        sizes[KEYS] = end - out;
        sizes[KEY_COUNTS] = cell->keys ? ll_pack(from->counts + key, cell->keys, 8, 1, end) : 0;
        end += sizes[KEY_COUNTS];
        sizes[KEY_DISTINCT] = 0;
        if (cell->sketched)
            sizes[KEY_DISTINCT] =
                ll_put_registers(from->registers + LL_DISTINCT_REGISTERS * cell->form, end) - end;
        end += sizes[KEY_DISTINCT];
        room -= end - out;
        out = end;
        key += cell->keys;
        byte += cell->key_bytes;
    }
    return LL_OK;
}
