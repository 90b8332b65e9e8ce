/* A sketch in the byte layout of Apache DataSketches; sketch/quantiles_bytes.py names its fields.
 */
#include "number.h"

#define FAMILY     15
#define MIN_WIDTH  8 /* DataSketches' m */
#define FULL       5 /* preamble of 4-byte words of a sketch of two or more values */
#define SORTED     2 /* flag: level zero is sorted */
#define HEAD_BYTES 20
#define FEW        2 /* preamble of a sketch of none or one */
#define EMPTY      1 /* more flags */
#define SINGLE     4

static uint8_t *put(uint64_t value, int bytes, uint8_t *out) {
    for (int i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
    return out + bytes;
}

LL_INLINE uint8_t *put_values(const uint64_t *keys, int64_t count, int storage, uint8_t *out) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t inverted = storage == LL_STORAGE_FLOAT64 ? (keys[i] >> 63) - 1 : 0;
        uint64_t flip = storage == LL_STORAGE_UINT64 ? 0 : LL_SIGN_BIT;
        out = put(keys[i] ^ (inverted | flip), 8, out);
    }
    return out;
}

/* Sketches of no value and of one have a short preamble, and nothing but the value. */
static int64_t put_few(int storage, int k, int height, uint64_t total, const uint64_t *items,
                       uint8_t *out) {
    uint8_t flags = total ? SINGLE | SORTED : EMPTY;
    uint8_t head[8] = {FEW,        (uint8_t)(1 + total), FAMILY,    flags,
                       (uint8_t)k, (uint8_t)(k >> 8),    MIN_WIDTH, (uint8_t)height};
    memcpy(out, head, sizeof head);
    return put_values(items, (int64_t)total, storage, out + sizeof head) - out;
}

int ll_quantiles_bytes(int storage, int k, int height, uint64_t total, uint64_t minimum,
                       uint64_t maximum, const uint32_t *offsets, int levels, const uint64_t *items,
                       int64_t count, uint8_t *out, int64_t room, int64_t *size) {
    if (!ll_storage_known(storage) || count < 0 || k < MIN_WIDTH || k > 65535 || height < 0 ||
        height > 255)
        return LL_ERROR_ARGUMENT;
    int64_t most = HEAD_BYTES + 8 + 4 * LL_QUANTILE_LEVELS;
    if (room < most || (room - most) / 8 < count + 2) return LL_ERROR_RANGE;
    if (total < 2) {
        if ((uint64_t)count != total) return LL_ERROR_RANGE;
        *size = put_few(storage, k, height, total, items, out);
        return LL_OK;
    }
    if (levels < 1 || levels > LL_QUANTILE_LEVELS) return LL_ERROR_RANGE;
    for (int level = 0; level < levels; level++)
        if (offsets[level] > offsets[level + 1]) return LL_ERROR_RANGE;
    if (offsets[0] != 0 || offsets[levels] != count) return LL_ERROR_RANGE;
    /* Upper levels may be empty: what counts is the capacity of all of them. */
    int padded = levels;
    while (padded < LL_QUANTILE_LEVELS && ll_quantiles_capacity(k, padded) < count)
        padded++;
    int64_t unused = ll_quantiles_capacity(k, padded) - count;
    if (unused < 0) return LL_ERROR_RANGE;

    uint8_t head[8] = {FULL,           1, FAMILY, SORTED, (uint8_t)k, (uint8_t)(k >> 8), MIN_WIDTH,
                       (uint8_t)height};
    memcpy(out, head, sizeof head);
    uint8_t *end = put(total, 8, out + sizeof head);
    end = put((uint64_t)k, 2, end);
    *end++ = (uint8_t)padded;
    *end++ = 0;
    for (int level = 0; level < padded; level++)
        end = put((uint64_t)(unused + (level < levels ? offsets[level] : count)), 4, end);
    uint64_t ends[2] = {minimum, maximum};
    end = put_values(ends, 2, storage, end);
    end = put_values(items, count, storage, end);
    *size = end - out;
    return LL_OK;
}
