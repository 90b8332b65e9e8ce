/* Whole numbers in few bytes, as docs/format.md (section 5) lays them out.
 *
 * Everything is written byte by byte, low bytes first, so the bytes are the same on every machine;
 * compilers turn the loops into stores and shuffles. Bound by memory: no wider variants are kept.
 */
#include "packing.h"

int ll_bytes_of(uint64_t bits) {
    return bits ? (71 - __builtin_clzll(bits)) / 8 : 1;
}

int64_t ll_put_varint(uint64_t value, uint8_t *out) {
    int64_t size = 0;
    for (; value >= 0x80; value >>= 7)
        out[size++] = (uint8_t)(value | 0x80);
    out[size++] = (uint8_t)value;
    return size;
}

/* ---- packed numbers ------------------------------------------------------------------------- */

LL_INLINE int64_t pack(const uint8_t *values, int width, int64_t count, uint64_t less,
                       uint8_t *out) {
    uint64_t bits = 0;
    for (int64_t i = 0; i < count; i++)
        bits |= ll_element(values, width, i) - less;
    int planes = ll_bytes_of(bits);
    *out++ = (uint8_t)planes;
    for (int plane = 0; plane < planes; plane++, out += count)
        for (int64_t i = 0; i < count; i++)
            out[i] = (uint8_t)((ll_element(values, width, i) - less) >> (8 * plane));
    return 1 + planes * count;
}

int64_t ll_pack(const void *values, int64_t count, int width, uint64_t less, uint8_t *out) {
    switch (width) { /* one loop a width */
    case 1:
        return pack(values, 1, count, less, out);
    case 2:
        return pack(values, 2, count, less, out);
    case 4:
        return pack(values, 4, count, less, out);
    default:
        return pack(values, 8, count, less, out);
    }
}

int ll_packing_numbers(const void *values, int64_t count, int width, uint64_t less, uint8_t *out,
                       int64_t room, int64_t *size) {
    if (count < 0 || !ll_width_known(width)) return LL_ERROR_ARGUMENT;
    if (room < 1 || (room - 1) / 8 < count) return LL_ERROR_RANGE;
    *size = ll_pack(values, count, width, less, out);
    return LL_OK;
}

/* ---- ascending numbers ---------------------------------------------------------------------- */

static uint64_t greatest_divisor(uint64_t a, uint64_t b) {
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A byte plane of gaps less 1, which become steps where the divisor is not 1. */
LL_INLINE void put_gap_plane(const uint8_t *values, int width, int64_t count, uint64_t step,
                             int plane, uint8_t *out) {
    for (int64_t i = 1; i < count; i++) {
        uint64_t gap = ll_element(values, width, i) - ll_element(values, width, i - 1);
        gap = (step > 1 ? gap / step : gap) - 1;
        out[i - 1] = (uint8_t)(gap >> (8 * plane));
    }
}

LL_INLINE uint8_t *put_gaps(const uint8_t *values, int width, int64_t count, uint8_t *out) {
    uint64_t step = 0, bits = 0;
    for (int64_t i = 1; i < count && step != 1; i++)
        step =
            greatest_divisor(ll_element(values, width, i) - ll_element(values, width, i - 1), step);
    for (int64_t i = 1; i < count; i++) {
        uint64_t gap = ll_element(values, width, i) - ll_element(values, width, i - 1);
        bits |= (step > 1 ? gap / step : gap) - 1;
    }
    out += ll_put_varint(step, out);
    int planes = ll_bytes_of(bits);
    *out++ = (uint8_t)planes;
    for (int plane = 0; plane < planes; plane++, out += count - 1) {
        if (step == 1) /* a loop without divisions, which becomes vector code */
            put_gap_plane(values, width, count, 1, plane, out);
        else
            put_gap_plane(values, width, count, step, plane, out);
    }
    return out;
}

uint8_t *ll_put_gaps(const void *values, int64_t count, int width, uint8_t *out) {
    switch (width) { /* one loop a width */
    case 1:
        return put_gaps(values, 1, count, out);
    case 2:
        return put_gaps(values, 2, count, out);
    case 4:
        return put_gaps(values, 4, count, out);
    default:
        return put_gaps(values, 8, count, out);
    }
}

int ll_packing_gaps(const void *values, int64_t count, int width, uint8_t *out, int64_t room,
                    int64_t *size) {
    if (count < 2 || !ll_width_known(width)) return LL_ERROR_ARGUMENT;
    if (room < LL_VARINT_MOST + 1 || (room - LL_VARINT_MOST - 1) / 8 < count) return LL_ERROR_RANGE;
    const uint8_t *bytes = values;
    for (int64_t i = 1; i < count; i++)
        if (ll_element(bytes, width, i) <= ll_element(bytes, width, i - 1)) return LL_ERROR_RANGE;
    *size = ll_put_gaps(values, count, width, out) - out;
    return LL_OK;
}
