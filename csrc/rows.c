/* Fields of rows into the body of an Arrow record batch, whose metadata the caller writes.
 *
 * A cell of a snapshot is one row a column; its sketches were encoded when they were made and are
 * copied here, once, from wherever they lie. Bound by memory: no wider variants are kept.
 */
#include "common.h"
#include "leadline.h"

typedef struct body {
    uint8_t *start;
    int64_t end;
    int64_t *buffers;
} body;

/* Where the next buffer begins; its length and place are noted, and the bytes up to a multiple of 8
 * after it are zero. */
static uint8_t *next_buffer(body *to, int64_t size) {
    const int64_t padded = (size + 7) / 8 * 8;
    uint8_t *begin = to->start + to->end;
    *to->buffers++ = to->end;
    *to->buffers++ = size;
    memset(begin + size, 0, (size_t)(padded - size));
    to->end += padded;
    return begin;
}

static void put_validity(body *to, const uint8_t *present, int count, int nulls) {
    if (!nulls) {
        next_buffer(to, 0);
        return;
    }
    uint8_t *bits = next_buffer(to, (count + 7) / 8);
    memset(bits, 0, (size_t)(count + 7) / 8);
    for (int i = 0; i < count; i++)
        bits[i / 8] |= (uint8_t)((present[i] != 0) << (i & 7));
}

static void put_numbers(body *to, const uint8_t *present, const uint64_t *values, int count) {
    uint8_t *out = next_buffer(to, 8 * (int64_t)count);
    for (int i = 0; i < count; i++) {
        const uint64_t value = present[i] ? values[i] : 0;
        memcpy(out + 8 * (size_t)i, &value, sizeof value);
    }
}

static void put_bytes(body *to, const uint64_t *values, const int64_t *sizes, int count) {
    uint8_t *ends = next_buffer(to, 4 * ((int64_t)count + 1));
    int32_t end = 0;
    memcpy(ends, &end, sizeof end);
    for (int i = 0; i < count; i++) {
        end += (int32_t)sizes[i];
        memcpy(ends + 4 * ((size_t)i + 1), &end, sizeof end);
    }
    uint8_t *out = next_buffer(to, end);
    for (int i = 0; i < count; i++) {
        if (!sizes[i]) continue;
        memcpy(out, (const uint8_t *)(uintptr_t)values[i], (size_t)sizes[i]);
        out += sizes[i];
    }
}

/* Whether all of it fits; *size becomes what the bytes take. */
static int check(const ll_rows *rows, int64_t room) {
    if (rows->fields < 0 || rows->count < 0 || room < 0) return LL_ERROR_ARGUMENT;
    int64_t needed = (24 + 10 * (int64_t)rows->count) * rows->fields;
    for (int32_t field = 0; field < rows->fields; field++) {
        int64_t held = 0;
        for (int32_t row = 0; row < rows->count; row++) {
            const int64_t at = (int64_t)field * rows->count + row;
            if (rows->sizes[at] < 0) return LL_ERROR_ARGUMENT;
            if (rows->binary[field]) held += ll_smaller(rows->sizes[at], INT32_MAX);
            if (held > INT32_MAX - 8) return LL_ERROR_RANGE;
        }
        needed += held;
    }
    return needed > room ? LL_ERROR_RANGE : LL_OK;
}

int ll_rows_body(const ll_rows *rows, uint8_t *out, int64_t room, int64_t *nodes, int64_t *buffers,
                 uint8_t *written, int64_t *size) {
    int code = check(rows, room);
    if (code) return code;
    body to = {out, 0, buffers};
    const int count = rows->count;
    for (int32_t field = 0; field < rows->fields; field++) {
        const int64_t at = (int64_t)field * count;
        const uint8_t *present = rows->present + at;
        int held = 0;
        for (int i = 0; i < count; i++)
            held += present[i] != 0;
        written[field] = held > 0;
        if (!held) continue;
        *nodes++ = count;
        *nodes++ = count - held;
        put_validity(&to, present, count, count - held);
        if (rows->binary[field])
            put_bytes(&to, rows->values + at, rows->sizes + at, count);
        else
            put_numbers(&to, present, rows->values + at, count);
    }
    *size = to.end;
    return LL_OK;
}
