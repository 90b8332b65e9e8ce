/* Thrift's compact protocol; every position is compared with the end before it is read.
 *
 * https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
 */
#include "parquet_thrift.h"

#define DEEPEST 8 /* structs within structs that are skipped; statistics are two deep */

ll_thrift_outcome ll_thrift_next(ll_bytes *bytes, ll_thrift_field *last) {
    if (bytes->at == bytes->end) return LL_THRIFT_CUT;
    uint8_t byte = *bytes->at++;
    last->type = byte & 0x0f;
    if (byte == LL_THRIFT_STOP) return LL_THRIFT_WHOLE;
    if (last->type == LL_THRIFT_STOP || last->type > LL_THRIFT_STRUCT) return LL_THRIFT_WRONG;
    if (byte >> 4) {
        last->number += byte >> 4;
        return LL_THRIFT_WHOLE;
    }
    uint64_t number;
    if (!ll_bytes_varint(bytes, &number))
        return ll_bytes_left(bytes) ? LL_THRIFT_WRONG : LL_THRIFT_CUT;
    last->number = (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
    return last->number < 0 || last->number > INT16_MAX ? LL_THRIFT_WRONG : LL_THRIFT_WHOLE;
}

static ll_thrift_outcome skip_bytes(ll_bytes *bytes, uint64_t count) {
    if (count > INT32_MAX) return LL_THRIFT_WRONG;
    if ((int64_t)count > ll_bytes_left(bytes)) return LL_THRIFT_CUT;
    bytes->at += count;
    return LL_THRIFT_WHOLE;
}

static ll_thrift_outcome skip(ll_bytes *bytes, int type, bool element, int depth);

static ll_thrift_outcome list_head(ll_bytes *bytes, int *type, uint64_t *count) {
    if (bytes->at == bytes->end) return LL_THRIFT_CUT;
    uint8_t head = *bytes->at++;
    *type = head & 0x0f;
    *count = head >> 4;
    if (*count == 15 && !ll_bytes_varint(bytes, count))
        return ll_bytes_left(bytes) ? LL_THRIFT_WRONG : LL_THRIFT_CUT;
    return *count > INT32_MAX ? LL_THRIFT_WRONG : LL_THRIFT_WHOLE;
}

static ll_thrift_outcome skip_items(ll_bytes *bytes, int depth) {
    uint64_t count;
    int type;
    ll_thrift_outcome found = list_head(bytes, &type, &count);
    for (uint64_t i = 0; found == LL_THRIFT_WHOLE && i < count; i++)
        found = skip(bytes, type, true, depth);
    return found;
}

static ll_thrift_outcome skip_struct(ll_bytes *bytes, int depth) {
    ll_thrift_field at = {0, 0};
    for (;;) {
        ll_thrift_outcome found = ll_thrift_next(bytes, &at);
        if (found != LL_THRIFT_WHOLE) return found;
        if (at.type == LL_THRIFT_STOP) return LL_THRIFT_WHOLE;
        found = skip(bytes, at.type, false, depth);
        if (found != LL_THRIFT_WHOLE) return found;
    }
}

/* element: of a list, where booleans take a byte. Every element takes one at least, so that the
 * work is bounded by the bytes. */
static ll_thrift_outcome skip(ll_bytes *bytes, int type, bool element, int depth) {
    uint64_t number;
    if (depth > DEEPEST) return LL_THRIFT_WRONG;
    switch (type) {
    case LL_THRIFT_TRUE:
    case LL_THRIFT_FALSE:
        return element ? skip_bytes(bytes, 1) : LL_THRIFT_WHOLE;
    case LL_THRIFT_BYTE:
        return skip_bytes(bytes, 1);
    case LL_THRIFT_INT16:
    case LL_THRIFT_INT32:
    case LL_THRIFT_INT64:
        if (ll_bytes_varint(bytes, &number)) return LL_THRIFT_WHOLE;
        return ll_bytes_left(bytes) ? LL_THRIFT_WRONG : LL_THRIFT_CUT;
    case LL_THRIFT_DOUBLE:
        return skip_bytes(bytes, 8);
    case LL_THRIFT_BINARY:
        if (!ll_bytes_varint(bytes, &number))
            return ll_bytes_left(bytes) ? LL_THRIFT_WRONG : LL_THRIFT_CUT;
        return skip_bytes(bytes, number);
    case LL_THRIFT_LIST:
    case LL_THRIFT_SET:
        return skip_items(bytes, depth + 1);
    case LL_THRIFT_STRUCT:
        return skip_struct(bytes, depth + 1);
    default:
        return LL_THRIFT_WRONG; /* maps are not used */
    }
}

ll_thrift_outcome ll_thrift_int32(ll_bytes *bytes, int type, int32_t *value) {
    uint64_t number;
    if (type != LL_THRIFT_INT32) return LL_THRIFT_WRONG;
    if (!ll_bytes_varint(bytes, &number))
        return ll_bytes_left(bytes) ? LL_THRIFT_WRONG : LL_THRIFT_CUT;
    if (number > UINT32_MAX) return LL_THRIFT_WRONG;
    *value = (int32_t)((uint32_t)number >> 1 ^ (0 - ((uint32_t)number & 1)));
    return LL_THRIFT_WHOLE;
}

ll_thrift_outcome ll_thrift_int64(ll_bytes *bytes, int type, int64_t *value) {
    uint64_t number;
    if (type != LL_THRIFT_INT64) return LL_THRIFT_WRONG;
    if (!ll_bytes_varint(bytes, &number))
        return ll_bytes_left(bytes) ? LL_THRIFT_WRONG : LL_THRIFT_CUT;
    *value = (int64_t)(number >> 1 ^ (0 - (number & 1)));
    return LL_THRIFT_WHOLE;
}

ll_thrift_outcome ll_thrift_skip(ll_bytes *bytes, int type) {
    return skip(bytes, type, false, 0);
}

ll_thrift_outcome ll_thrift_list(ll_bytes *bytes, int type, int item, uint64_t *count) {
    int element;
    if (type != LL_THRIFT_LIST) return LL_THRIFT_WRONG;
    ll_thrift_outcome found = list_head(bytes, &element, count);
    return found == LL_THRIFT_WHOLE && *count && element != item ? LL_THRIFT_WRONG : found;
}
