/* A page of a column -> rows of an Arrow array. */
#include "parquet.h"

static bool known(const ll_page_column *column) {
    const int width = column->width, stored = column->stored_width;
    switch (column->kind) {
    case LL_COLUMN_BITS:
        return width == 0;
    case LL_COLUMN_NUMBERS:
        return (stored == 4 && (width == 1 || width == 2 || width == 4)) ||
               (stored == 8 && width == 8);
    case LL_COLUMN_CODES:
    case LL_COLUMN_TEXTS:
        return width == 4;
    default:
        return false;
    }
}

/* Definition levels -> validity; *valid: rows that are not null. */
static bool read_levels(const ll_page *page, const uint8_t *levels, ll_bytes *body,
                        ll_page_rows *rows, int64_t *valid) {
    int64_t size = page->level_bytes;
    if (page->kind == LL_PAGE_DATA) {
        if (page->level_encoding != LL_ENCODING_RLE || ll_bytes_left(body) < 4) return false;
        size = ll_bytes_uint32(body->at);
        body->at += 4;
        if (size > ll_bytes_left(body)) return false;
        levels = body->at;
        body->at += size;
    }
    ll_runs runs;
    ll_runs_begin(&runs, levels, size, 1);
    if (!ll_runs_bits(&runs, rows->validity, rows->count, page->values, valid)) return false;
    return page->kind == LL_PAGE_DATA || page->nulls == page->values - *valid;
}

int ll_page_read(const ll_page_column *column, const ll_page *page, const uint8_t *levels,
                 const uint8_t *data, int64_t size, ll_page_rows *rows) {
    if (!known(column) || size < 0 || page->values < 0) return LL_ERROR_ARGUMENT;
    if (page->kind != LL_PAGE_DATA && page->kind != LL_PAGE_DATA_2) return LL_ERROR_ARGUMENT;
    if (rows->count < 0 || page->values > rows->room - rows->count) return LL_ERROR_ARGUMENT;
    ll_bytes body = {data, data + size};
    int64_t valid = page->values;
    if (column->nullable) {
        if (!read_levels(page, levels, &body, rows, &valid)) return LL_PAGE_DECLINED;
    } else if (page->level_bytes || page->nulls > 0) {
        return LL_PAGE_DECLINED;
    }
    int code;
    if (column->kind == LL_COLUMN_BITS)
        code = ll_page_bits(page->encoding, body, valid, rows);
    else if (column->kind == LL_COLUMN_TEXTS)
        code = ll_page_texts(column, page->encoding, body, valid, rows);
    else
        code = ll_page_numbers(column, page->encoding, body, valid, rows);
    if (code) return code;
    if (valid < page->values) {
        if (column->kind == LL_COLUMN_TEXTS)
            ll_spread_offsets(rows->values, rows->count, page->values, valid, rows->validity);
        else
            ll_spread(rows->values, column->width, rows->count, page->values, valid,
                      rows->validity);
    }
    rows->count += page->values;
    rows->nulls += page->values - valid;
    return LL_OK;
}

/* A page's bytes without levels that lie apart, unpacked; false if they are not what it says. */
static bool unpack(const ll_unpacker *unpacker, const ll_page *page, const uint8_t *stored,
                   ll_bytes *body) {
    const int64_t levels = page->level_bytes, size = page->size - levels;
    const bool packed = page->kind == LL_PAGE_DATA || (page->packed && size > 0);
    *body = (ll_bytes){stored + levels, stored + page->stored};
    if (!packed || unpacker->unpack == NULL) return ll_bytes_left(body) == size;
    const size_t found = unpacker->unpack(unpacker->context, unpacker->room, (size_t)size, body->at,
                                          (size_t)ll_bytes_left(body));
    *body = (ll_bytes){unpacker->room, unpacker->room + size};
    return found == (size_t)size;
}

/* Whether a page lies in `size` bytes, and its levels in it. */
static bool lies_within(const ll_page *page, int64_t size) {
    return page->begin >= 0 && page->stored >= 0 && page->begin <= size &&
           page->stored <= size - page->begin && page->level_bytes >= 0 &&
           page->level_bytes <= page->stored && page->level_bytes <= page->size;
}

int ll_pages_read(const ll_page_column *column, const ll_unpacker *unpacker, const uint8_t *data,
                  int64_t size, const ll_page *pages, int64_t count, ll_page_rows *rows,
                  int64_t *done) {
    *done = 0;
    if (size < 0 || count < 0) return LL_ERROR_ARGUMENT;
    for (; *done < count; ++*done) {
        const ll_page *page = &pages[*done];
        ll_bytes body;
        if (!lies_within(page, size)) return LL_ERROR_ARGUMENT;
        if (page->kind == LL_PAGE_DICTIONARY || page->values > rows->room - rows->count) break;
        if (page->size > unpacker->room_size) break;
        const uint8_t *stored = data + page->begin;
        if (!unpack(unpacker, page, stored, &body)) return LL_PAGE_DECLINED;
        int code = ll_page_read(column, page, stored, body.at, ll_bytes_left(&body), rows);
        if (code) return code;
    }
    return LL_OK;
}

int ll_page_rest(const ll_page_column *column, const ll_page_rows *rows, int64_t first,
                 ll_page_rows *rest) {
    int64_t count = rows->count - first;
    if (!known(column) || first < 0 || count < 0 || rest->room < count) return LL_ERROR_ARGUMENT;
    rest->count = count;
    rest->nulls = 0;
    rest->text_size = 0;
    for (int64_t i = 0; column->nullable && i < count; i += 64) {
        uint64_t word = ll_bits_load(rows->validity, first + i);
        ll_bits_store(rest->validity, i, word);
        rest->nulls += __builtin_popcountll(~word & ll_low_bits(count - i));
    }
    if (column->kind == LL_COLUMN_BITS) {
        for (int64_t i = 0; i < count; i += 64)
            ll_bits_store(rest->values, i, ll_bits_load(rows->values, first + i));
    } else if (column->kind == LL_COLUMN_TEXTS) {
        const int32_t *offsets = (const int32_t *)rows->values + first;
        int32_t *to = rest->values;
        rest->text_size = offsets[count] - offsets[0];
        if (rest->text_size > rest->text_room) return LL_ERROR_ARGUMENT;
        for (int64_t i = 0; i <= count; i++)
            to[i] = offsets[i] - offsets[0];
        memcpy(rest->text, rows->text + offsets[0], (size_t)rest->text_size);
    } else {
        memcpy(rest->values, (const uint8_t *)rows->values + first * column->width,
               (size_t)(count * column->width));
    }
    return LL_OK;
}
