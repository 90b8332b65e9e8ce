/* Rows of plain texts, a tile at a time: where they lie, and short ones as words. Included by
 * text_count_body.h.
 */
#ifndef LEADLINE_TEXT_ROWS_BODY_H
#define LEADLINE_TEXT_ROWS_BODY_H

#include "text.h"

#define TILE 256

typedef struct tile {
    const uint8_t *texts[TILE];
    uint32_t sizes[TILE];
    size_t count;         /* texts that are not null */
    int64_t rows;         /* consumed */
    const uint8_t *limit; /* end of the chunk's bytes */
    bool dense;           /* the texts lie one after another */
    bool brief;           /* none is longer than 16 bytes, and 16 can be read of each */
} tile;

/* What read_rows finds out by the way, for hostile and for easy tiles. */
typedef struct extent {
    int64_t wrong; /* negative if an offset is */
    int64_t last;  /* where the last text begins */
    uint32_t longest;
} extent;

LL_INLINE void read_row(const ll_text_chunk *chunk, int64_t row, bool wide, size_t place, tile *out,
                        extent *all) {
    int64_t begin = ll_load_offset(chunk->offsets, chunk->offset + row, wide);
    int64_t end = ll_load_offset(chunk->offsets, chunk->offset + row + 1, wide);
    uint32_t size = (uint32_t)(end - begin);
    all->wrong |= ll_wrong_offsets(begin, end, chunk->data_size);
    all->last = all->last > begin ? all->last : begin;
    all->longest = all->longest > size ? all->longest : size;
    out->texts[place] = (const uint8_t *)((uintptr_t)chunk->data + (uintptr_t)begin);
    out->sizes[place] = size;
}

/* Read out->rows rows, nulls too. Without an order this becomes vector code. */
LL_INLINE int read_rows(const ll_text_chunk *chunk, const int32_t *order, int64_t first, bool wide,
                        tile *out) {
    extent all = {0, 0, 0};
    int64_t rows = out->rows;
    for (int64_t i = 0; !order && i < rows; i++)
        read_row(chunk, first + i, wide, (size_t)i, out, &all);
    for (int64_t i = 0; order && i < rows; i++) {
        if (LL_UNLIKELY((uint64_t)order[first + i] >= (uint64_t)chunk->length))
            return LL_ERROR_RANGE;
        read_row(chunk, order[first + i], wide, (size_t)i, out, &all);
    }
    out->brief = all.longest <= LL_TEXT_SHORT && chunk->data_size - all.last >= LL_TEXT_SHORT;
    return all.wrong < 0 ? LL_ERROR_RANGE : LL_OK;
}

LL_INLINE void drop_nulls(const ll_text_chunk *chunk, const int32_t *order, int64_t first,
                          tile *out) {
    size_t filled = 0;
    for (int64_t i = 0; i < out->rows; i++) {
        int64_t at = chunk->offset + (order ? order[first + i] : first + i);
        out->texts[filled] = out->texts[i];
        out->sizes[filled] = out->sizes[i];
        filled += chunk->validity[at >> 3] >> (at & 7) & 1;
    }
    out->count = filled;
}

/* Read out->rows rows from `first` on, as they lie or in their order. */
LL_INLINE int read_tile(const ll_text_chunk *chunk, const int32_t *order, int64_t first,
                        tile *out) {
    int code = chunk->wide ? read_rows(chunk, order, first, true, out)
                           : read_rows(chunk, order, first, false, out);
    out->count = (size_t)out->rows;
    out->limit = chunk->data + chunk->data_size;
    if (code == LL_OK && chunk->validity) drop_nulls(chunk, order, first, out);
    out->dense = !order && out->count == (size_t)out->rows;
    return code;
}

/* The words of a tile's texts; see ll_text_words. */
LL_INLINE void load_words(const tile *in, ll_text_words *words) {
    typedef uint64_t pair __attribute__((vector_size(LL_TEXT_SHORT)));
    static const uint8_t kept[2 * LL_TEXT_SHORT] = {[0 ... LL_TEXT_SHORT - 1] = 0xff};
    const size_t count = in->count;
    for (size_t i = 0; !in->brief && i < count; i++)
        words[i] = ll_words_of(in->texts[i], in->sizes[i], in->limit);
    if (!in->brief) return;
    for (size_t i = 0; i < count; i++) {
        pair text, mask;
        memcpy(&text, in->texts[i], sizeof text);
        memcpy(&mask, kept + LL_TEXT_SHORT - in->sizes[i], sizeof mask);
        text &= mask;
        memcpy(words + i, &text, sizeof text);
    }
}

#endif
