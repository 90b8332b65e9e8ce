/* What a footer says of its column chunks.
 *
 * pyarrow shows it too, but ends the process when it is asked for a chunk whose sizes by level
 * contradict its type, or for a codec that there is not.
 */
#include "parquet_thrift.h"

/* Bytes of a footer that are struct fields, one after the other; a field is handled by `take`. */
typedef struct footer {
    ll_bytes bytes;
    ll_chunk *chunks;
    int64_t room;
    int64_t found;
} footer;

typedef bool (*taker)(footer *from, ll_thrift_field at);

static bool skipped(footer *from, ll_thrift_field at) {
    return ll_thrift_skip(&from->bytes, at.type) == LL_THRIFT_WHOLE;
}

static bool take_struct(footer *from, taker take) {
    ll_thrift_field at = {0, 0};
    for (;;) {
        if (ll_thrift_next(&from->bytes, &at) != LL_THRIFT_WHOLE) return false;
        if (at.type == LL_THRIFT_STOP) return true;
        if (!take(from, at)) return false;
    }
}

static bool take_structs(footer *from, int type, taker take) {
    uint64_t count;
    if (ll_thrift_list(&from->bytes, type, LL_THRIFT_STRUCT, &count) != LL_THRIFT_WHOLE)
        return false;
    for (uint64_t i = 0; i < count; i++)
        if (!take_struct(from, take)) return false;
    return true;
}

static bool take_encodings(footer *from, int type) {
    uint64_t count;
    int32_t encoding;
    if (ll_thrift_list(&from->bytes, type, LL_THRIFT_INT32, &count) != LL_THRIFT_WHOLE)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        if (ll_thrift_int32(&from->bytes, LL_THRIFT_INT32, &encoding) != LL_THRIFT_WHOLE)
            return false;
        if (encoding >= 0 && encoding < 32)
            from->chunks[from->found].encodings |= (uint32_t)1 << encoding;
    }
    return true;
}

/* ColumnMetaData */
static bool take_metadata(footer *from, ll_thrift_field at) {
    ll_chunk *chunk = &from->chunks[from->found];
    int64_t *to;
    switch (at.number) {
    case 2:
        return take_encodings(from, at.type);
    case 4:
        return ll_thrift_int32(&from->bytes, at.type, &chunk->codec) == LL_THRIFT_WHOLE;
    case 5:
        to = &chunk->values;
        break;
    case 6:
        to = &chunk->size;
        break;
    case 7:
        to = &chunk->stored;
        break;
    case 9:
        to = &chunk->data;
        break;
    case 11:
        to = &chunk->dictionary;
        break;
    default:
        return skipped(from, at);
    }
    return ll_thrift_int64(&from->bytes, at.type, to) == LL_THRIFT_WHOLE;
}

/* ColumnChunk: 1 is the file it lies in, 8 and 9 are of encryption. */
static bool take_chunk(footer *from, ll_thrift_field at) {
    if (at.number == 3 && at.type == LL_THRIFT_STRUCT) return take_struct(from, take_metadata);
    if (at.number == 1 || at.number == 8 || at.number == 9) from->chunks[from->found].apart = 1;
    return skipped(from, at);
}

/* RowGroup */
static bool take_group(footer *from, ll_thrift_field at) {
    uint64_t count;
    if (at.number != 1) return skipped(from, at);
    if (ll_thrift_list(&from->bytes, at.type, LL_THRIFT_STRUCT, &count) != LL_THRIFT_WHOLE)
        return false;
    for (uint64_t i = 0; i < count; i++) {
        const ll_chunk unknown = {-1, -1, -1, -1, -1, -1, 0, 0};
        if (from->found == from->room) return false;
        from->chunks[from->found] = unknown;
        if (!take_struct(from, take_chunk)) return false;
        from->found++;
    }
    return true;
}

/* FileMetaData */
static bool take_file(footer *from, ll_thrift_field at) {
    return at.number == 4 ? take_structs(from, at.type, take_group) : skipped(from, at);
}

int ll_footer_chunks(const uint8_t *data, int64_t size, ll_chunk *chunks, int64_t room) {
    if (size < 0 || room < 0) return LL_ERROR_ARGUMENT;
    footer from = {{data, data + size}, chunks, room, 0};
    if (!take_struct(&from, take_file) || from.found != room) return LL_PAGE_DECLINED;
    return LL_OK;
}
