/* One column of one unit of work -> the states of all its cells, in one call.
 *
 * A cell is read in chunks that stay in the first-level cache: each value is loaded from memory
 * once, and every state is fed from the chunk. Exact counting is tried first
 * (csrc/numbers_exact.c); continuous values are given up after a few hundred, while they are still
 * held, and sketched (csrc/numbers_sketch.c). Only values that look few for more than a block are
 * read twice, and the first of doubles that can be sketched where they lie.
 */
#include "numbers.h"
#include "quantiles.h"

/* ---- reading --------------------------------------------------------------------------------- */

static void begin_reading(ll_reader *reader, const ll_numbers *column, int64_t begin, int64_t end) {
    memset(reader, 0, sizeof *reader);
    reader->column = column;
    reader->position = begin;
    reader->end = end;
}

/* Go to the view that holds the position; there is one, because starts lie within the rows. */
const ll_view *ll_find_view(ll_reader *reader) {
    const ll_view *views = reader->column->views;
    while (reader->position - reader->base >= views[reader->view].length)
        reader->base += views[reader->view++].length;
    return &views[reader->view];
}

int ll_read(ll_reader *reader, uint64_t *out, int64_t capacity, int64_t *written) {
    const ll_numbers *column = reader->column;
    const int64_t before = reader->tally.written;
    *written = 0;
    while (*written < capacity && reader->position < reader->end) {
        const ll_view *view = column->order ? column->views : ll_find_view(reader);
        int64_t end =
            column->order ? reader->end : ll_smaller(reader->end - reader->base, view->length);
        int code =
            ll_gather_more(view, column->type, column->order, reader->position - reader->base, end,
                           out + *written, capacity - *written, &reader->tally);
        if (code) return code;
        reader->position = reader->base + reader->tally.next;
        *written = reader->tally.written - before;
    }
    return LL_OK;
}

int64_t ll_read_doubles(ll_reader *reader, uint64_t *out, int64_t capacity) {
    const int64_t before = reader->tally.written;
    int64_t written = 0;
    while (written < capacity && reader->position < reader->end) {
        const ll_view *view = ll_find_view(reader);
        ll_gather_doubles(view, reader->position - reader->base,
                          ll_smaller(reader->end - reader->base, view->length), out + written,
                          capacity - written, &reader->tally);
        reader->position = reader->base + reader->tally.next;
        written = reader->tally.written - before;
    }
    return written;
}

const uint64_t *ll_lying(ll_reader *reader, int64_t count) {
    if (count < 1 || count > reader->end - reader->position) return NULL;
    const ll_view *view = ll_find_view(reader);
    const int64_t first = reader->position - reader->base;
    if (count > view->length - first || view->values % sizeof(uint64_t) != 0 ||
        !ll_gather_none_null(view, first, first + count))
        return NULL;
    return (const uint64_t *)(uintptr_t)view->values + view->offset + first;
}

const uint8_t *ll_ahead(const ll_reader *reader, const void *otherwise) {
    const ll_numbers *column = reader->column;
    const int type = column->type;
    if (column->order ||
        (type != LL_TYPE_FLOAT64 && type != LL_TYPE_INT64 && type != LL_TYPE_UINT64))
        return otherwise;
    const ll_view *view = &column->views[reader->view];
    int64_t row = view->offset + reader->position - reader->base;
    return (const uint8_t *)(uintptr_t)(view->values + 8 * (uint64_t)row);
}

void ll_read_again(ll_cell_work *work) {
    const int64_t *starts = work->column->starts + work->number;
    begin_reading(&work->reader, work->column, starts[0], starts[1]);
    work->held = 0;
}

/* ---- cells ----------------------------------------------------------------------------------- */

static void write_tally(ll_cell *cell, const ll_tally *tally) {
    cell->rows = tally->rows;
    cell->nulls = tally->nulls;
    cell->nan = tally->nan;
    cell->positive_infinity = tally->positive_infinity;
    cell->negative_infinity = tally->negative_infinity;
    cell->zeros = tally->zeros;
    cell->negatives = tally->negatives;
}

static int profile_cell(ll_cell_work *work) {
    bool exact;
    memset(work->cell, 0, sizeof *work->cell);
    work->cell->keys_begin = work->filled->keys;
    work->cell->counts_begin = work->filled->counts;
    work->cell->states_begin = work->filled->states;
    ll_read_again(work);
    int code = ll_count_cell(work, &exact);
    if (!code && !exact) code = ll_sketch_cell(work);
    if (code) return code;
    work->cell->exact = exact;
    write_tally(work->cell, &work->reader.tally);
    return LL_OK;
}

/* Most bytes of the states of one cell. */
static int64_t most_states(int k) {
    return LL_NUMBERS_STATES + 8 * ll_quantiles_capacity(k, LL_QUANTILE_LEVELS);
}

/* ---- arguments ------------------------------------------------------------------------------- */

static int check_rows(const ll_numbers *column, int64_t first, int64_t most) {
    int64_t rows = column->order_count;
    if (!column->order) {
        rows = 0;
        for (int64_t i = 0; i < column->view_count; i++)
            if (__builtin_add_overflow(rows, column->views[i].length, &rows))
                return LL_ERROR_ARGUMENT;
    }
    for (int64_t cell = first; cell < first + most; cell++) {
        int64_t begin = column->starts[cell], end = column->starts[cell + 1];
        if (begin < 0 || end < begin || end > rows) return LL_ERROR_RANGE;
        if (end - begin > LL_UNIT_ROWS) return LL_ERROR_ARGUMENT;
        if (begin < end && column->view_count == 0) return LL_ERROR_RANGE;
    }
    return LL_OK;
}

static int check(const ll_numbers *column, const ll_numbers_out *out, int64_t first, int64_t most) {
    if (!ll_type_known(column->type) || column->unit < -1 || column->unit > LL_UNIT_NANOSECONDS ||
        (column->unit >= 0 && column->type != LL_TYPE_INT64))
        return LL_ERROR_ARGUMENT;
    if (column->k < LL_QUANTILE_WIDTH || column->k > UINT16_MAX) return LL_ERROR_ARGUMENT;
    if (column->view_count < 0 || column->order_count < 0 ||
        (column->order && column->view_count > 1))
        return LL_ERROR_ARGUMENT;
    for (int64_t i = 0; i < column->view_count; i++)
        if (!ll_view_possible(&column->views[i])) return LL_ERROR_ARGUMENT;
    if (column->cells < 0 || first < 0 || most < 0 || most > column->cells - first)
        return LL_ERROR_ARGUMENT;
    if (out->keys_capacity < LL_BLOCK || out->counts_capacity < LL_BLOCK ||
        out->states_capacity < most_states(column->k))
        return LL_ERROR_ARGUMENT;
    return check_rows(column, first, most);
}

static bool has_room(const ll_numbers *column, const ll_numbers_out *out, const ll_filled *filled) {
    return out->keys_capacity - filled->keys >= LL_BLOCK &&
           out->counts_capacity - filled->counts >= LL_BLOCK &&
           out->states_capacity - filled->states >= most_states(column->k);
}

/* After an error nothing is known of the tables. */
static void clean(const ll_numbers_memory *memory) {
    ll_histogram_clear(memory->counters, memory->touched);
    memset(memory->dense, 0, LL_BLOCK * sizeof *memory->dense);
    memset(memory->hours, 0, LL_HOURS * sizeof *memory->hours);
}

int ll_numbers_profile(const ll_numbers *column, const ll_numbers_memory *memory, int64_t first,
                       int64_t most, ll_numbers_out *out, int64_t *done) {
    *done = 0;
    int code = check(column, out, first, most);
    if (code) return code;
    ll_numbers part = *column; /* its cells are those asked for */
    part.starts += first;
    ll_filled filled = {0, 0, 0};
    ll_cell_work work = {.column = &part,
                         .memory = memory,
                         .out = out,
                         .filled = &filled,
                         .storage = ll_storage_of(column->type)};
    for (; *done < most && has_room(column, out, &filled); ++*done) {
        work.number = *done;
        work.cell = &out->cells[*done];
        code = profile_cell(&work);
        if (code) {
            clean(memory);
            return code;
        }
    }
    return LL_OK;
}
