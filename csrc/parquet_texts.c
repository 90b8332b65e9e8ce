/* Pages of byte strings: offsets and bytes, from plain pages and from codes. */
#include "parquet.h"

#define SHORT 16 /* byte strings up to here are copied as so many bytes, without a loop */

/* Bytes of room that must be free after the texts so far. */
static bool has_room(ll_page_rows *rows, int64_t size) {
    rows->text_wanted = rows->text_size + size + SHORT;
    return rows->text_wanted <= rows->text_room;
}

/* There is room for a short copy at `to`; `end` is where the bytes to copy from end. */
LL_INLINE void copy(uint8_t *to, const uint8_t *from, int64_t size, const uint8_t *end) {
    if (LL_LIKELY(size <= SHORT && end - from >= SHORT))
        memcpy(to, from, SHORT);
    else
        memcpy(to, from, (size_t)size);
}

static int plain(ll_bytes body, int64_t count, ll_page_rows *rows) {
    int32_t *offsets = (int32_t *)rows->values + rows->count;
    int64_t size = rows->text_size;
    if (!has_room(rows, ll_bytes_left(&body))) return LL_PAGE_ROOM;
    if (rows->text_wanted > INT32_MAX) return LL_PAGE_DECLINED;
    offsets[0] = (int32_t)size;
    for (int64_t i = 0; i < count; i++) {
        if (ll_bytes_left(&body) < 4) return LL_PAGE_DECLINED;
        int64_t length = ll_bytes_uint32(body.at);
        body.at += 4;
        if (length > ll_bytes_left(&body)) return LL_PAGE_DECLINED;
        copy(rows->text + size, body.at, length, body.end);
        body.at += length;
        size += length;
        offsets[i + 1] = (int32_t)size;
    }
    rows->text_size = size;
    return LL_OK;
}

/* A stretch of codes; LL_PAGE_ROOM if there may be too little for it. */
static int look_up(const ll_page_column *column, const uint32_t *codes, int64_t count,
                   int32_t *offsets, int64_t *size, ll_page_rows *rows) {
    const int32_t *places = column->dictionary;
    const uint8_t *end = column->dictionary_text + places[column->entries];
    int64_t total = 0;
    for (int64_t i = 0; i < count; i++) {
        if (codes[i] >= column->entries) return LL_PAGE_DECLINED;
        total += places[codes[i] + 1] - places[codes[i]];
    }
    rows->text_wanted = *size + total + SHORT;
    if (rows->text_wanted > rows->text_room) return LL_PAGE_ROOM;
    if (rows->text_wanted > INT32_MAX) return LL_PAGE_DECLINED;
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = places[codes[i]], length = places[codes[i] + 1] - begin;
        copy(rows->text + *size, column->dictionary_text + begin, length, end);
        *size += length;
        offsets[i + 1] = (int32_t)*size;
    }
    return LL_OK;
}

static int coded(const ll_page_column *column, ll_bytes body, int64_t valid, ll_page_rows *rows) {
    uint32_t codes[LL_PAGE_STRETCH];
    int32_t *offsets = (int32_t *)rows->values + rows->count;
    int64_t size = rows->text_size;
    ll_runs runs;
    offsets[0] = (int32_t)size;
    if (!valid) return LL_OK;
    if (!ll_page_codes(&runs, body)) return LL_PAGE_DECLINED;
    for (int64_t done = 0; done < valid; done += LL_PAGE_STRETCH) {
        int64_t count = ll_smaller(valid - done, LL_PAGE_STRETCH);
        if (!ll_runs_read(&runs, codes, count)) return LL_PAGE_DECLINED;
        int code = look_up(column, codes, count, offsets + done, &size, rows);
        if (code) return code;
    }
    rows->text_size = size;
    return LL_OK;
}

void ll_spread_offsets(int32_t *offsets, int64_t first, int64_t count, int64_t valid,
                       const uint8_t *validity) {
    int32_t *to = offsets + first;
    for (int64_t i = count - 1; valid <= i; i--) {
        to[i + 1] = to[valid];
        valid -= ll_bit(validity, first + i);
    }
}

int ll_page_texts(const ll_page_column *column, int encoding, ll_bytes body, int64_t valid,
                  ll_page_rows *rows) {
    if (encoding == LL_ENCODING_PLAIN) return plain(body, valid, rows);
    if (encoding != LL_ENCODING_DICTIONARY && encoding != LL_ENCODING_PLAIN_DICTIONARY)
        return LL_PAGE_DECLINED;
    return column->entries < 0 ? LL_PAGE_DECLINED : coded(column, body, valid, rows);
}
