/* Counts of plain texts, many cells in one call, in variants. */
#include "text_count_body.h"

typedef int (*count_function)(counter *self, ll_position *from, int64_t rows);

#define DEFINE_COUNT(isa, number, target)                                                          \
    target static int count_##isa(counter *self, ll_position *from, int64_t rows) {                \
        return count_cell(self, from, rows, number);                                               \
    }
LL_FOR_EACH_VARIANT(DEFINE_COUNT)

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
    static const count_function variants[] = LL_VARIANTS(count);
    count_function count = variants[ll_set_active()];
    int64_t all = chunk_count < 0 ? -1 : rows_of(chunks, chunk_count);
    if (all < 0 || cells->first < 0 || cells->last < cells->first) return LL_ERROR_ARGUMENT;
    if (cells->order ? chunk_count != 1 : cells->rows > all) return LL_ERROR_ARGUMENT;
    if (!ll_output_has_room(output, LL_TEXT_CAPACITY)) return LL_ERROR_ARGUMENT;
    ll_position from = {0, cells->starts[cells->first]};
    while (!cells->order && from.chunk < chunk_count && from.row > chunks[from.chunk].length)
        from.row -= chunks[from.chunk++].length;
    for (*next = cells->first; *next < cells->last; ++*next) {
        int64_t rows = ll_cell_rows(cells, *next);
        if (rows < 0) return LL_ERROR_RANGE;
        if (!ll_output_has_room(output, rows)) return LL_OK;
        ll_text_cell cell = {.form = -1};
        counter self = {
            .chunks = chunks, .order = cells->order, .work = work, .output = output, .cell = &cell};
        int code = count(&self, &from, rows);
        if (code) return code;
    }
    return LL_OK;
}
