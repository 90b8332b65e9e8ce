/* Pages of numbers, booleans and indices; nulls. */
#include "parquet.h"

/* ---- spreading to rows ------------------------------------------------------------------------
 */

/* From the last row to the first: a value moves to its own place or a later one. */
#define SPREAD(type)                                                                               \
    static void spread_##type(type *values, int64_t first, int64_t count, int64_t valid,           \
                              const uint8_t *validity) {                                           \
        type *to = values + first;                                                                 \
        for (int64_t i = count - 1; valid <= i; i--) {                                             \
            bool set = ll_bit(validity, first + i);                                                \
            valid -= set;                                                                          \
            to[i] = set ? to[valid] : 0;                                                           \
        }                                                                                          \
    }
SPREAD(uint8_t)
SPREAD(uint16_t)
SPREAD(uint32_t)
SPREAD(uint64_t)

static void spread_bits(uint8_t *bits, int64_t first, int64_t count, int64_t valid,
                        const uint8_t *validity) {
    for (int64_t i = count - 1; valid <= i; i--) {
        bool set = ll_bit(validity, first + i);
        valid -= set;
        bool value = set && ll_bit(bits, first + valid);
        uint8_t *byte = &bits[(first + i) >> 3];
        int bit = (int)((first + i) & 7);
        *byte = (uint8_t)((*byte & ~(1 << bit)) | value << bit);
    }
}

void ll_spread(void *values, int width, int64_t first, int64_t count, int64_t valid,
               const uint8_t *validity) {
    switch (width) {
    case 0:
        spread_bits(values, first, count, valid, validity);
        break;
    case 1:
        spread_uint8_t(values, first, count, valid, validity);
        break;
    case 2:
        spread_uint16_t(values, first, count, valid, validity);
        break;
    case 4:
        spread_uint32_t(values, first, count, valid, validity);
        break;
    default:
        spread_uint64_t(values, first, count, valid, validity);
    }
}

/* ---- indices ----------------------------------------------------------------------------------
 */

bool ll_page_codes(ll_runs *runs, ll_bytes body) {
    if (body.at == body.end || *body.at > 32) return false;
    ll_runs_begin(runs, body.at + 1, ll_bytes_left(&body) - 1, *body.at);
    return true;
}

LL_INLINE bool all_below(const uint32_t *codes, int64_t count, uint32_t entries) {
    uint32_t outside = 0;
    for (int64_t i = 0; i < count; i++)
        outside |= codes[i] >= entries;
    return !outside;
}

#define LOOK_UP(type)                                                                              \
    static void look_up_##type(const type *entries, const uint32_t *codes, int64_t count,          \
                               type *out) {                                                        \
        for (int64_t i = 0; i < count; i++)                                                        \
            out[i] = entries[codes[i]];                                                            \
    }
LOOK_UP(uint8_t)
LOOK_UP(uint16_t)
LOOK_UP(uint32_t)
LOOK_UP(uint64_t)

/* A stretch of codes, known to be below the number of entries. */
static void look_up(const ll_page_column *column, const uint32_t *codes, int64_t count, void *out) {
    const void *entries = column->dictionary;
    if (column->kind == LL_COLUMN_CODES)
        memcpy(out, codes, (size_t)count * 4);
    else if (column->width == 1)
        look_up_uint8_t(entries, codes, count, out);
    else if (column->width == 2)
        look_up_uint16_t(entries, codes, count, out);
    else if (column->width == 4)
        look_up_uint32_t(entries, codes, count, out);
    else
        look_up_uint64_t(entries, codes, count, out);
}

static int coded(const ll_page_column *column, ll_bytes body, int64_t valid, uint8_t *out) {
    uint32_t codes[LL_PAGE_STRETCH];
    ll_runs runs;
    if (!valid) return LL_OK;
    if (!ll_page_codes(&runs, body)) return LL_PAGE_DECLINED;
    for (int64_t done = 0; done < valid; done += LL_PAGE_STRETCH) {
        int64_t count = ll_smaller(valid - done, LL_PAGE_STRETCH);
        if (!ll_runs_read(&runs, codes, count)) return LL_PAGE_DECLINED;
        if (!all_below(codes, count, (uint32_t)column->entries)) return LL_PAGE_DECLINED;
        look_up(column, codes, count, out + done * column->width);
    }
    return LL_OK;
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

/* int32 as stored -> fewer bytes, the high ones dropped as Arrow does. */
#define NARROW(type)                                                                               \
    static void narrow_##type(const uint8_t *from, int64_t count, type *out) {                     \
        for (int64_t i = 0; i < count; i++)                                                        \
            out[i] = (type)ll_bytes_uint32(from + 4 * i);                                          \
    }
NARROW(uint8_t)
NARROW(uint16_t)

int ll_page_numbers(const ll_page_column *column, int encoding, ll_bytes body, int64_t valid,
                    ll_page_rows *rows) {
    uint8_t *out = (uint8_t *)rows->values + rows->count * column->width;
    if (encoding == LL_ENCODING_DICTIONARY || encoding == LL_ENCODING_PLAIN_DICTIONARY)
        return column->entries < 0 ? LL_PAGE_DECLINED : coded(column, body, valid, out);
    if (encoding != LL_ENCODING_PLAIN || column->kind == LL_COLUMN_CODES) return LL_PAGE_DECLINED;
    if (ll_bytes_left(&body) / column->stored_width < valid) return LL_PAGE_DECLINED;
    if (column->width == column->stored_width)
        memcpy(out, body.at, (size_t)(valid * column->width));
    else if (column->width == 1)
        narrow_uint8_t(body.at, valid, out);
    else
        narrow_uint16_t(body.at, valid, (uint16_t *)(void *)out);
    return LL_OK;
}

/* ---- booleans ---------------------------------------------------------------------------------
 */

int ll_page_bits(int encoding, ll_bytes body, int64_t valid, ll_page_rows *rows) {
    if (encoding == LL_ENCODING_RLE) {
        ll_runs runs;
        int64_t ones, left = ll_bytes_left(&body) - 4;
        if (!valid) return LL_OK;
        if (left < 0 || ll_bytes_uint32(body.at) > left) return LL_PAGE_DECLINED;
        ll_runs_begin(&runs, body.at + 4, ll_bytes_uint32(body.at), 1);
        return ll_runs_bits(&runs, rows->values, rows->count, valid, &ones) ? LL_OK
                                                                            : LL_PAGE_DECLINED;
    }
    if (encoding != LL_ENCODING_PLAIN) return LL_PAGE_DECLINED;
    if (ll_bytes_left(&body) < (valid + 7) / 8) return LL_PAGE_DECLINED;
    for (int64_t done = 0; done < valid; done += 64)
        ll_bits_store(rows->values, rows->count + done,
                      ll_bytes_word(body.at + done / 8, body.end));
    return LL_OK;
}
