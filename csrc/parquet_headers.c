/* Headers of Parquet's pages, and what its footers say of column chunks.
 *
 * https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
 */
#include "parquet_thrift.h"

/* A struct whose fields 1 to `count` are int32 (those of `where` that are NULL are skipped); field
 * `flag`, if not 0, is a boolean. */
static ll_thrift_outcome read_struct(ll_bytes *bytes, int32_t *const *where, int count, int flag,
                                     int32_t *flag_value) {
    ll_thrift_field at = {0, 0};
    for (;;) {
        ll_thrift_outcome found = ll_thrift_next(bytes, &at);
        if (found != LL_THRIFT_WHOLE) return found;
        if (at.type == LL_THRIFT_STOP) return LL_THRIFT_WHOLE;
        if (flag && at.number == flag) {
            if (at.type != LL_THRIFT_TRUE && at.type != LL_THRIFT_FALSE) return LL_THRIFT_WRONG;
            *flag_value = at.type == LL_THRIFT_TRUE;
        } else if (at.number >= 1 && at.number <= count && where[at.number - 1]) {
            found = ll_thrift_int32(bytes, at.type, where[at.number - 1]);
        } else {
            found = ll_thrift_skip(bytes, at.type);
        }
        if (found != LL_THRIFT_WHOLE) return found;
    }
}

/* Every field but statistics has to be there; what is not stays -1. */
static ll_thrift_outcome read_data(ll_bytes *bytes, ll_page *page) {
    int32_t repetition = -1; /* an encoding; the columns have no such levels */
    int32_t *where[] = {&page->values, &page->encoding, &page->level_encoding, &repetition};
    ll_thrift_outcome found = read_struct(bytes, where, 4, 0, NULL);
    return found == LL_THRIFT_WHOLE && repetition < 0 ? LL_THRIFT_WRONG : found;
}

static ll_thrift_outcome read_data_2(ll_bytes *bytes, ll_page *page) {
    int32_t rows = -1, repetition = -1; /* bytes of such levels */
    page->packed = 1;
    page->level_bytes = -1;
    int32_t *where[] = {&page->values,   &page->nulls,       &rows,
                        &page->encoding, &page->level_bytes, &repetition};
    ll_thrift_outcome found = read_struct(bytes, where, 6, 7, &page->packed);
    return found == LL_THRIFT_WHOLE && (repetition || rows != page->values) ? LL_THRIFT_WRONG
                                                                            : found;
}

static ll_thrift_outcome read_kind(ll_bytes *bytes, int64_t number, ll_page *page) {
    page->body = (int32_t)number;
    if (number == 5) return read_data(bytes, page);
    if (number == 8) return read_data_2(bytes, page);
    int32_t *where[] = {&page->values, &page->encoding};
    return read_struct(bytes, where, 2, 0, NULL);
}

static ll_thrift_outcome read_header(ll_bytes *bytes, ll_page *page) {
    ll_thrift_field at = {0, 0};
    for (;;) {
        ll_thrift_outcome found = ll_thrift_next(bytes, &at);
        if (found != LL_THRIFT_WHOLE) return found;
        if (at.type == LL_THRIFT_STOP) return LL_THRIFT_WHOLE;
        if (at.number == 1)
            found = ll_thrift_int32(bytes, at.type, &page->kind);
        else if (at.number == 2)
            found = ll_thrift_int32(bytes, at.type, &page->size);
        else if (at.number == 3)
            found = ll_thrift_int32(bytes, at.type, &page->stored);
        else if (at.number == 5 || at.number == 7 || at.number == 8)
            found = at.type != LL_THRIFT_STRUCT || page->body ? LL_THRIFT_WRONG
                                                              : read_kind(bytes, at.number, page);
        else
            found = ll_thrift_skip(bytes, at.type);
        if (found != LL_THRIFT_WHOLE) return found;
    }
}

/* Whether a header says all it must, and nothing that contradicts itself. */
static bool sound(const ll_page *page) {
    const int32_t body = page->kind == LL_PAGE_DATA         ? 5
                         : page->kind == LL_PAGE_DICTIONARY ? 7
                         : page->kind == LL_PAGE_DATA_2     ? 8
                                                            : -1;
    if (page->body != body || page->size < 0 || page->stored < 0) return false;
    if (page->values < 0 || page->encoding < 0) return false;
    if (page->kind == LL_PAGE_DATA) return page->level_encoding >= 0;
    if (page->kind == LL_PAGE_DICTIONARY) return true;
    if (page->level_bytes < 0 || page->nulls < 0 || page->nulls > page->values) return false;
    return page->level_bytes <= page->stored && page->level_bytes <= page->size;
}

int ll_pages_find(const uint8_t *data, int64_t size, ll_page *pages, int64_t room,
                  ll_pages_found *found) {
    if (size < 0 || room < 0) return LL_ERROR_ARGUMENT;
    const ll_pages_found nothing = {0, 0, 0};
    *found = nothing;
    while (found->pages < room) {
        const ll_page unknown = {.stored = -1,
                                 .size = -1,
                                 .kind = -1,
                                 .values = -1,
                                 .encoding = -1,
                                 .level_encoding = -1,
                                 .nulls = -1};
        ll_bytes bytes = {data + found->used, data + size};
        ll_page *page = &pages[found->pages];
        *page = unknown;
        ll_thrift_outcome end = read_header(&bytes, page);
        if (end == LL_THRIFT_CUT) return LL_OK;
        if (end == LL_THRIFT_WRONG || !sound(page)) return LL_PAGE_DECLINED;
        page->begin = bytes.at - data;
        found->wanted = page->begin + page->stored - found->used;
        if (page->stored > ll_bytes_left(&bytes)) return LL_OK;
        found->used = page->begin + page->stored;
        found->wanted = 0;
        found->pages++;
    }
    return LL_OK;
}
