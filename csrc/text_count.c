/* Counts of plain texts, many cells in one call, in variants. */
#include "text_count_body.h"

/* What is done with a tile or a block, each a function by itself: in one together the compiler runs
 * out of registers and keeps the counters of loops in memory. */
typedef struct stages_of_set {
    int (*read)(const ll_text_chunk *chunk, const int32_t *order, int64_t first, tile *out);
    void (*count)(counter *self, const tile *in);
    void (*filter)(counter *self, const tile *in);
    void (*begin_filter)(counter *self);
    void (*tally)(ll_text_work *work, const tile *in, ll_text_form *form);
    size_t (*pick)(counter *self, uint32_t *places);
    void (*count_picked)(counter *self, const uint32_t *places, size_t count);
} stages;

#define DEFINE_STAGES(isa, number, target)                                                         \
    target static int read_##isa(const ll_text_chunk *chunk, const int32_t *order, int64_t first,  \
                                 tile *out) {                                                      \
        return read_tile(chunk, order, first, out);                                                \
    }                                                                                              \
    target static void count_##isa(counter *self, const tile *in) {                                \
        count_tile(self, in);                                                                      \
    }                                                                                              \
    target static void filter_##isa(counter *self, const tile *in) {                               \
        filter_tile(self, in);                                                                     \
    }                                                                                              \
    target static void begin_filter_##isa(counter *self) {                                         \
        begin_filter(self);                                                                        \
    }                                                                                              \
    target static void tally_##isa(ll_text_work *work, const tile *in, ll_text_form *form) {       \
        tally_tile(work, in, form, number);                                                        \
    }                                                                                              \
    target static size_t pick_##isa(counter *self, uint32_t *places) {                             \
        return pick_waiting(self, places);                                                         \
    }                                                                                              \
    target static void count_picked_##isa(counter *self, const uint32_t *places, size_t count) {   \
        count_picked(self, places, count);                                                         \
    }                                                                                              \
    static const stages stages_##isa = {read_##isa,         count_##isa, filter_##isa,             \
                                        begin_filter_##isa, tally_##isa, pick_##isa,               \
                                        count_picked_##isa};
LL_FOR_EACH_VARIANT(DEFINE_STAGES)

/* The rows of a call and where reading has come to. */
typedef struct reader {
    const ll_text_chunk *chunks;
    const int32_t *order;
    const stages *steps;
    ll_position at;
} reader;

/* The next rows, at most `most` and those of one chunk. */
static int read_next(reader *self, int64_t most, tile *out) {
    const ll_text_chunk *chunk = self->chunks;
    out->rows = ll_smaller(most, TILE);
    if (!self->order) {
        while (self->at.row == self->chunks[self->at.chunk].length) {
            self->at.chunk++;
            self->at.row = 0;
        }
        chunk += self->at.chunk;
        out->rows = ll_smaller(out->rows, chunk->length - self->at.row);
    }
    int64_t first = self->at.row;
    self->at.row += out->rows;
    return self->steps->read(chunk, self->order, first, out);
}

/* Tally the next rows. They were read before, so their offsets are right. */
static void tally_rows(counter *self, reader from, int64_t rows) {
    tile in;
    for (int64_t done = 0; done < rows; done += in.rows) {
        if (read_next(&from, rows - done, &in)) return;
        if (in.count) from.steps->tally(self->work, &in, self->form);
    }
}

/* Characters and lengths no longer follow from the keys; `rows` from `begin` on were counted. */
static void begin_tally(counter *self, ll_text_output *output, reader begin, int64_t rows) {
    self->form = ll_cell_form(self->cell, output);
    memset(self->work->lengths, 0, sizeof self->work->lengths);
    tally_rows(self, begin, rows);
}

/* Not every entry can be kept. */
static void overflow(counter *self, ll_text_output *output, reader begin, int64_t rows) {
    begin_tally(self, output, begin, rows);
    self->registers = ll_cell_registers(self->cell, output);
    ll_entries_register(self->work, 0, self->entries, self->registers);
}

/* Whether the filter pays for the rest of a block of which `rows` were counted, `again` of them in
 * entries that were there: it does when more than a third of the block's texts come only once
 * (12.2 ns a row instead of 14.1 at 52 %, 8.4 instead of 12.0 at half a block of ten hot texts, but
 * 15.4 instead of 13.4 at 23 %). The block before tells; the first one must look distinct. */
static bool filter_pays(const counter *self, int64_t rows, int64_t again) {
    return self->once < 0 ? 32 * again < rows : 3 * self->once > LL_TEXT_BLOCK;
}

/* Bring the entries of a block down to what may be held. */
static void finish_block(counter *self, const stages *steps) {
    uint32_t places[TILE];
    self->once = 0;
    while (self->filters && self->next_waiting < self->end_waiting) {
        uint32_t begin = self->next_waiting;
        size_t picked = steps->pick(self, places);
        self->once += (int64_t)(self->next_waiting - begin - picked);
        steps->count_picked(self, places, picked);
    }
    self->filters = false;
    uint64_t excess = ll_entries_excess(self->work, self->entries, self->key_bytes);
    if (excess) subtract(self, (uint32_t)excess);
}

static int count_cell(counter *self, reader *from, int64_t rows, ll_text_output *output) {
    const stages *steps = from->steps;
    const reader begin = *from;
    int64_t in_block = 0, met = 0; /* texts, and entries that they became */
    tile in;
    rebuild(self, FEWEST_BITS);
    for (int64_t done = 0; done < rows;) {
        int code = read_next(from, ll_smaller(rows - done, LL_TEXT_BLOCK - in_block), &in);
        if (code) return code;
        done += in.rows;
        self->cell->total += (int64_t)in.count;
        in_block += (int64_t)in.count;
        if (self->filters) {
            steps->filter(self, &in);
        } else {
            met -= (int64_t)self->entries;
            steps->count(self, &in);
            met += (int64_t)self->entries;
        }
        if (self->form && in.count) steps->tally(self->work, &in, self->form);
        if (!self->filters && !ll_text_fits(self->entries, self->key_bytes)) {
            if (!self->form) overflow(self, output, begin, done);
            if (filter_pays(self, in_block, in_block - met)) steps->begin_filter(self);
        }
        if (in_block < LL_TEXT_BLOCK && done < rows) continue;
        finish_block(self, steps);
        in_block = met = 0;
    }
    if (self->cut && !self->form) begin_tally(self, output, begin, rows);
    if (self->form) tally_end(self->work, self->form);
    ll_entries_emit(self->work, self->entries, false, self->cell, output);
    return LL_OK;
}

/* Rows of all chunks, -1 if sizes are negative or come near 2^63. */
static int64_t rows_of(const ll_text_chunk *chunks, int64_t count) {
    int64_t rows = 0;
    for (int64_t i = 0; i < count; i++) {
        const ll_text_chunk *chunk = chunks + i;
        if (chunk->offset < 0 || chunk->length < 0 || chunk->data_size < 0) return -1;
        if (chunk->offset > INT64_MAX / 32 || chunk->length > INT64_MAX / 32 - rows) return -1;
        rows += chunk->length;
    }
    return rows;
}

int ll_text_count(const ll_text_chunk *chunks, int64_t chunk_count, const ll_text_cells *cells,
                  ll_text_work *work, ll_text_output *output, int64_t *next) {
    static const stages *const variants[] = LL_VARIANTS(&stages);
    int64_t all = chunk_count < 0 ? -1 : rows_of(chunks, chunk_count);
    if (all < 0 || cells->first < 0 || cells->last < cells->first) return LL_ERROR_ARGUMENT;
    if (cells->order ? chunk_count != 1 : cells->rows > all) return LL_ERROR_ARGUMENT;
    if (!ll_output_has_room(output, LL_TEXT_CAPACITY)) return LL_ERROR_ARGUMENT;
    reader from = {
        chunks, cells->order, variants[ll_set_active()], {0, cells->starts[cells->first]}};
    while (!cells->order && from.at.chunk < chunk_count &&
           from.at.row > chunks[from.at.chunk].length)
        from.at.row -= chunks[from.at.chunk++].length;
    for (*next = cells->first; *next < cells->last; ++*next) {
        int64_t rows = ll_cell_rows(cells, *next);
        if (rows < 0) return LL_ERROR_RANGE;
        if (!ll_output_has_room(output, rows)) return LL_OK;
        ll_text_cell cell = {.form = -1};
        counter self = {.work = work, .cell = &cell, .once = -1};
        int code = count_cell(&self, &from, rows, output);
        if (code) return code;
    }
    return LL_OK;
}
