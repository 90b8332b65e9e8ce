/* Counts of dictionary codes, many cells in one call: what is true of an entry is found once.
 *
 * A cell with many rows for its dictionary counts codes as they are, in four or eight small tables
 * in turn, because a counter that was just written must be waited for; nulls have a counter of
 * their own, so that nothing branches. A small cell counts ranks, and remembers which it met. Only
 * where the keys do not fit are the rows read again, block by block, as plain texts are.
 */
#include "sort.h"
#include "text.h"

#define TILE   1024
#define WORD   32   /* rows whose nulls are looked at together */
#define NARROW 2048 /* entries of the small tables: four of them stay in the first-level cache */
#define FEW    512  /* and of these, eight */
#define DENSE  8    /* a cell with a row for an eighth of the ranks has them read in order */

typedef struct coder {
    const ll_code_chunk *chunks;
    const ll_text_chunk *dictionary;
    const int32_t *ranks;
    const int32_t *ranked;
    const int32_t *order;
    uint32_t size;     /* entries, and the code of a null row */
    uint32_t distinct; /* ranks, and the rank of a null */
    ll_text_work *work;
    ll_text_output *output;
    ll_text_cell *cell;
} coder;

/* ---- reading --------------------------------------------------------------------------------- */

/* A code of any type; one that is negative or wide becomes larger than any dictionary. */
LL_INLINE uint32_t load_code(const void *codes, int64_t at, int type) {
#define LOAD(number, c_type)                                                                       \
    case number: {                                                                                 \
        c_type value;                                                                              \
        memcpy(&value, (const uint8_t *)codes + (int64_t)sizeof value * at, sizeof value);         \
        return (uint32_t)value;                                                                    \
    }
    switch (type) {
        LOAD(LL_TYPE_INT8, int8_t)
        LOAD(LL_TYPE_UINT8, uint8_t)
        LOAD(LL_TYPE_INT16, int16_t)
        LOAD(LL_TYPE_UINT16, uint16_t)
        LOAD(LL_TYPE_INT32, int32_t)
        LOAD(LL_TYPE_UINT32, uint32_t)
    default: {
        uint64_t value;
        memcpy(&value, (const uint8_t *)codes + 8 * at, sizeof value);
        return value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    }
    }
#undef LOAD
}

/* Codes of rows as they lie, `null` where the row is null; whether all others are below `size`. */
LL_INLINE bool read_straight(const ll_code_chunk *chunk, int64_t first, int64_t rows, int type,
                             uint32_t null, uint32_t *out) {
    uint32_t largest = 0, wrong = 0;
    int64_t at = chunk->offset + first;
    for (int64_t i = 0; i < rows; i++)
        out[i] = load_code(chunk->codes, at + i, type);
    if (!chunk->validity) {
        for (int64_t i = 0; i < rows; i++)
            largest = out[i] > largest ? out[i] : largest;
        return largest < null || !rows;
    }
    for (int64_t begin = 0; begin < rows; begin += WORD) {
        int64_t bit = at + begin, last = at + ll_smaller(begin + WORD, rows) - 1;
        uint64_t bits = 0;
        for (int64_t byte = bit >> 3; byte <= last >> 3; byte++)
            bits |= (uint64_t)chunk->validity[byte] << (8 * (byte - (bit >> 3)));
        uint32_t word = (uint32_t)(bits >> (bit & 7));
        for (int64_t i = 0; i < WORD; i++) { /* out has room for a whole word */
            uint32_t keep = 0 - (uint32_t)((word >> i & 1) && begin + i < rows);
            wrong |= keep & (0 - (uint32_t)(out[begin + i] >= null));
            out[begin + i] = (out[begin + i] & keep) | (null & ~keep);
        }
    }
    return !wrong;
}

LL_INLINE bool read_scattered(const ll_code_chunk *chunk, const int32_t *order, int64_t rows,
                              int type, uint32_t null, uint32_t *out) {
    uint32_t wrong = 0;
    for (int64_t i = 0; i < rows; i++) {
        int64_t row = order[i], at = chunk->offset + row;
        if (LL_UNLIKELY((uint64_t)row >= (uint64_t)chunk->length)) return false;
        bool absent = ll_is_null(chunk->validity, at);
        uint32_t code = load_code(chunk->codes, at, type);
        wrong |= !absent & (code >= null);
        out[i] = absent ? null : code;
    }
    return !wrong;
}

/* The codes of the next rows, at most TILE, and how many; -1 if one does not exist. */
LL_INLINE int64_t read_tile(const coder *self, ll_position *from, int64_t most, uint32_t *out) {
    const ll_code_chunk *chunk = self->chunks;
    int64_t rows = ll_smaller(most, TILE);
    if (!self->order) {
        while (from->row == self->chunks[from->chunk].length) {
            from->chunk++;
            from->row = 0;
        }
        chunk += from->chunk;
        rows = ll_smaller(rows, chunk->length - from->row);
    }
    int64_t first = from->row;
    from->row += rows;
    bool right = false;
#define READ(type)                                                                                 \
    case type:                                                                                     \
        right = self->order                                                                        \
                    ? read_scattered(chunk, self->order + first, rows, type, self->size, out)      \
                    : read_straight(chunk, first, rows, type, self->size, out);                    \
        break;
    switch (chunk->type) {
        READ(LL_TYPE_INT8)
        READ(LL_TYPE_UINT8)
        READ(LL_TYPE_INT16)
        READ(LL_TYPE_UINT16)
        READ(LL_TYPE_INT32)
        READ(LL_TYPE_UINT32)
        READ(LL_TYPE_INT64)
        READ(LL_TYPE_UINT64)
    default:
        break;
    }
#undef READ
    return right ? rows : -1;
}

/* ---- counting -------------------------------------------------------------------------------- */

/* Count all rows of a cell by rank, through `ways` tables of codes; the last rank is the nulls'. */
LL_INLINE bool count_narrow(const coder *self, ll_position *from, int64_t rows, uint32_t ways) {
    uint32_t tables[4 * (NARROW + 1)], codes[TILE];
    uint32_t length = self->size + 1, *counts = self->work->slots;
    memset(tables, 0, (size_t)ways * length * sizeof *tables);
    for (int64_t done = 0, read; done < rows; done += read) {
        read = read_tile(self, from, rows - done, codes);
        if (read < 0) return false;
        int64_t i = 0;
        for (; i + ways <= read; i += ways)
            for (uint32_t way = 0; way < ways; way++)
                tables[way * length + codes[i + way]]++;
        for (; i < read; i++)
            tables[codes[i]]++;
    }
    for (uint32_t code = 0; code < length; code++) {
        uint32_t rank = code < self->size ? (uint32_t)self->ranks[code] : self->distinct;
        for (uint32_t way = 0; way < ways; way++)
            counts[rank < self->distinct ? rank : self->distinct] += tables[way * length + code];
    }
    return true;
}

/* Count the rows by rank, appending each rank that was zero; returns how many there are then. */
LL_INLINE size_t count_ranks(const coder *self, const uint32_t *codes, int64_t rows, uint64_t *met,
                             size_t filled) {
    uint32_t *counts = self->work->slots;
    for (int64_t i = 0; i < rows; i++) {
        uint32_t rank = codes[i] < self->size ? (uint32_t)self->ranks[codes[i]] : UINT32_MAX;
        rank = rank < self->distinct ? rank : self->distinct;
        met[filled] = rank;
        filled += counts[rank]++ == 0;
    }
    return filled;
}

/* Ascending ranks that were met, without that of the nulls. */
static size_t order_ranks(const coder *self, uint64_t *met, size_t filled, bool all) {
    const uint32_t *counts = self->work->slots;
    if (all || self->distinct < DENSE * filled) {
        filled = 0;
        for (uint32_t rank = 0; rank < self->distinct; rank++) {
            met[filled] = rank;
            filled += counts[rank] > 0;
        }
        return filled;
    }
    ll_sort_keys(met, self->work->spare, filled);
    return filled && met[filled - 1] == self->distinct ? filled - 1 : filled;
}

/* An entry for every rank, with its count; returns the bytes of their keys. */
static uint64_t fill_entries(const coder *self, const uint64_t *ranks, size_t count) {
    const uint8_t *limit = self->dictionary->data + self->dictionary->data_size;
    ll_text_work *work = self->work;
    uint64_t key_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *text = self->dictionary->data;
        uint32_t size = 0; /* no entry lies outside the data: `is_ranked` has looked */
        ll_dictionary_entry(self->dictionary, self->ranked[ranks[i]], &text, &size);
        ll_entry_set(work, i, text, size, limit);
        work->counts[i] = work->slots[ranks[i]];
        key_bytes += ll_key_size(size);
    }
    return key_bytes;
}

static void clear_counts(const coder *self, const uint64_t *ranks, size_t count) {
    for (size_t i = 0; i < count; i++)
        self->work->slots[ranks[i]] = 0;
    self->work->slots[self->distinct] = 0;
}

/* Take from all counts what leaves entries that fit; returns how many of the ranks remain. */
static size_t subtract(const coder *self, uint64_t *ranks, size_t count) {
    uint64_t key_bytes = fill_entries(self, ranks, count);
    uint64_t excess = ll_entries_excess(self->work, count, key_bytes);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t *held = self->work->slots + ranks[i];
        *held = *held > excess ? *held - (uint32_t)excess : 0;
        ranks[kept] = ranks[i];
        kept += *held > 0;
    }
    self->cell->error += (int64_t)excess;
    return kept;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* The exact counts of all rows, as ascending ranks. */
LL_INLINE int64_t count_exactly(const coder *self, ll_position *from, int64_t rows) {
    uint64_t *met = self->work->sorted;
    uint32_t codes[TILE];
    size_t filled = 0;
    bool narrow = self->size <= NARROW && rows >= 4 * (int64_t)self->size;
    if (narrow) {
        if (self->size <= FEW ? !count_narrow(self, from, rows, 8)
                              : !count_narrow(self, from, rows, 4))
            return -1;
    }
    for (int64_t done = 0, read; done < rows && !narrow; done += read) {
        read = read_tile(self, from, rows - done, codes);
        if (read < 0) return -1;
        filled = count_ranks(self, codes, read, met, filled);
    }
    return (int64_t)order_ranks(self, met, filled, narrow);
}

/* The same rows again, with what must be subtracted after every block. */
LL_INLINE size_t count_blocks(const coder *self, ll_position from, int64_t rows) {
    uint64_t *met = self->work->sorted;
    uint32_t codes[TILE], *counts = self->work->slots;
    int64_t in_block = 0;
    size_t filled = 0;
    for (int64_t done = 0, read; done < rows; done += read) {
        read = read_tile(self, &from, ll_smaller(rows - done, LL_TEXT_BLOCK - in_block), codes);
        counts[self->distinct] = 1; /* so that nulls are not taken for a rank that is new */
        filled = count_ranks(self, codes, read, met, filled);
        in_block += read - (int64_t)(counts[self->distinct] - 1);
        if (in_block < LL_TEXT_BLOCK && done + read < rows) continue;
        filled = subtract(self, met, filled);
        in_block = 0;
    }
    return order_ranks(self, met, filled, false);
}

LL_INLINE int count_cell(const coder *self, ll_position *from, int64_t rows) {
    ll_position begin = *from;
    ll_text_work *work = self->work;
    uint64_t *ranks = self->work->sorted;
    int64_t found = count_exactly(self, from, rows);
    if (found < 0) return LL_ERROR_RANGE;
    size_t count = (size_t)found;
    bool cut = false;
    self->cell->total = rows - self->work->slots[self->distinct];
    uint64_t key_bytes = fill_entries(self, ranks, count);
    clear_counts(self, ranks, count);
    for (size_t i = 0; i < count; i++)
        cut |= work->sizes[i] > LL_TEXT_PREFIX;
    bool fits = ll_text_fits(count, key_bytes);
    if (!fits) ll_entries_register(work, 0, count, ll_cell_registers(self->cell, self->output));
    if (!fits || cut) {
        ll_text_form *form = ll_cell_form(self->cell, self->output);
        for (size_t i = 0; i < count; i++)
            ll_form_add(form, ll_entry_text(work, i), work->sizes[i], work->counts[i]);
    }
    if (!fits) {
        count = count_blocks(self, begin, rows);
        fill_entries(self, ranks, count);
        clear_counts(self, ranks, count);
    }
    ll_entries_emit(self->work, count, true, self->cell, self->output);
    return LL_OK;
}

typedef int (*count_function)(const coder *self, ll_position *from, int64_t rows);

#define DEFINE_COUNT(isa, number, target)                                                          \
    target static int count_##isa(const coder *self, ll_position *from, int64_t rows) {            \
        return count_cell(self, from, rows);                                                       \
    }
LL_FOR_EACH_VARIANT(DEFINE_COUNT)

/* ---- public ---------------------------------------------------------------------------------- */

/* Rows of all chunks, -1 if sizes are negative or come near 2^63. */
static int64_t rows_of(const ll_code_chunk *chunks, int64_t count) {
    int64_t rows = 0;
    for (int64_t i = 0; i < count; i++) {
        if (chunks[i].offset < 0 || chunks[i].length < 0) return -1;
        if (chunks[i].offset > INT64_MAX / 32 || chunks[i].length > INT64_MAX / 32 - rows)
            return -1;
        rows += chunks[i].length;
    }
    return rows;
}

/* Whether every rank has an entry that exists, and every entry a rank or none. */
static bool is_ranked(const coder *self) {
    const uint8_t *text;
    uint32_t size;
    for (uint32_t rank = 0; rank < self->distinct; rank++) {
        if (self->ranked[rank] < 0 || (uint32_t)self->ranked[rank] >= self->size) return false;
        if (ll_dictionary_entry(self->dictionary, self->ranked[rank], &text, &size)) return false;
    }
    return true;
}

int ll_codes_count(const ll_code_chunk *chunks, int64_t chunk_count,
                   const ll_text_chunk *dictionary, const int32_t *ranks, const int32_t *ranked,
                   int64_t distinct, const ll_text_cells *cells, ll_text_work *work,
                   ll_text_output *output, int64_t *next) {
    static const count_function variants[] = LL_VARIANTS(count);
    count_function count = variants[ll_set_active()];
    int64_t all = chunk_count < 0 ? -1 : rows_of(chunks, chunk_count);
    if (all < 0 || cells->first < 0 || cells->last < cells->first) return LL_ERROR_ARGUMENT;
    if (cells->order ? chunk_count != 1 : cells->rows > all) return LL_ERROR_ARGUMENT;
    if (dictionary->length < 0 || dictionary->length > LL_TEXT_BLOCK) return LL_ERROR_ARGUMENT;
    if (distinct < 0 || distinct > dictionary->length) return LL_ERROR_ARGUMENT;
    if (!ll_output_has_room(output, LL_TEXT_CAPACITY)) return LL_ERROR_ARGUMENT;
    ll_text_cell cell;
    coder self = {.chunks = chunks,
                  .dictionary = dictionary,
                  .ranks = ranks,
                  .ranked = ranked,
                  .order = cells->order,
                  .size = (uint32_t)dictionary->length,
                  .distinct = (uint32_t)distinct,
                  .work = work,
                  .output = output,
                  .cell = &cell};
    if (!is_ranked(&self)) return LL_ERROR_RANGE;
    memset(work->slots, 0, ((size_t)distinct + 1) * sizeof *work->slots);
    ll_position from = {0, cells->starts[cells->first]};
    while (!cells->order && from.chunk < chunk_count && from.row > chunks[from.chunk].length)
        from.row -= chunks[from.chunk++].length;
    for (*next = cells->first; *next < cells->last; ++*next) {
        int64_t rows = ll_cell_rows(cells, *next);
        if (rows < 0) return LL_ERROR_RANGE;
        if (!ll_output_has_room(output, rows)) return LL_OK;
        cell = (ll_text_cell){.form = -1};
        int code = count(&self, &from, rows);
        if (code) return code;
    }
    return LL_OK;
}
