/* Sketches into the bytes of a snapshot's fields (docs/format.md, section 5). Those of many states
 * go in one call: all histograms one after the other, then all quantiles, then all registers, as
 * the fields' columns hold them.
 *
 * Of a cell of some thousand rows most counters are zero and most registers lie within 15 of the
 * smallest one: a bit a counter and half a byte a register take a third of what the compressor
 * makes of whole bytes in time, and no more room.
 */
#include "packing.h"

#define MOST_HEAD (1 + LL_VARINT_MOST)

/* ---- histogram ------------------------------------------------------------------------------- */

/* One bit for each of 8 counters that is not zero. */
LL_INLINE uint8_t occupied_of(const uint8_t *counters, int width, int64_t first) {
    unsigned bits = 0;
    if (width == 1) {
        uint64_t bytes;
        memcpy(&bytes, counters + first, sizeof bytes);
        const uint64_t low = 0x7f7f7f7f7f7f7f7fu;
        bytes = ((((bytes & low) + low) | bytes) & ~low) >> 7; /* 1 where a byte is not 0 */
        return (uint8_t)((bytes * 0x0102040810204080u) >> 56);
    }
    for (int i = 0; i < 8; i++)
        bits |= (unsigned)(ll_element(counters, width, first + i) != 0) << i;
    return (uint8_t)bits;
}

/* The counters whose bits are set, in the smallest width that holds them, plane by plane. */
LL_INLINE uint8_t *put_occupied(const uint8_t *counters, int width, const uint8_t *occupied,
                                int64_t size, uint8_t *out) {
    uint64_t bits = 0;
    for (int64_t i = 0; i < 8 * size; i++)
        bits |= ll_element(counters, width, i);
    const int planes = ll_bytes_of(bits);
    *out++ = (uint8_t)planes;
    for (int plane = 0; plane < planes; plane++)
        for (int64_t i = 0; i < size; i++)
            for (unsigned left = occupied[i]; left; left &= left - 1) {
                const int64_t place = 8 * i + __builtin_ctz(left);
                *out++ = (uint8_t)(ll_element(counters, width, place) >> (8 * plane));
            }
    return out;
}

int64_t ll_histogram_bytes_most(int64_t pages, int64_t counters, int width) {
    return MOST_HEAD + ll_pack_most(pages, 2) + counters / 8 + ll_pack_most(counters, width);
}

uint8_t *ll_put_histogram(int coarseness, const uint16_t *pages, int64_t page_count,
                          const uint8_t *counters, int width, uint8_t *out) {
    *out++ = (uint8_t)coarseness;
    out += ll_put_varint((uint64_t)page_count, out);
    if (!page_count) return out;
    out += ll_pack(pages, page_count, 2, 0, out);
    const int64_t size = page_count * (LL_HISTOGRAM_PAGE >> coarseness) / 8;
    uint8_t *occupied = out;
    switch (width) { /* one loop a width */
    case 1:
        for (int64_t i = 0; i < size; i++)
            occupied[i] = occupied_of(counters, 1, 8 * i);
        return put_occupied(counters, 1, occupied, size, out + size);
    case 2:
        for (int64_t i = 0; i < size; i++)
            occupied[i] = occupied_of(counters, 2, 8 * i);
        return put_occupied(counters, 2, occupied, size, out + size);
    default:
        for (int64_t i = 0; i < size; i++)
            occupied[i] = occupied_of(counters, width, 8 * i);
        return put_occupied(counters, width, occupied, size, out + size);
    }
}

/* ---- registers ------------------------------------------------------------------------------- */

uint8_t *ll_put_registers(const uint8_t *registers, uint8_t *out) {
    uint8_t halves[LL_DISTINCT_REGISTERS], base = UINT8_MAX, most = 0;
    for (int i = 0; i < LL_DISTINCT_REGISTERS; i++) {
        base = registers[i] < base ? registers[i] : base;
        most = registers[i] > most ? registers[i] : most;
    }
    for (int i = 0; i < LL_DISTINCT_REGISTERS; i++) {
        const uint8_t above = (uint8_t)(registers[i] - base);
        halves[i] = above < LL_REGISTER_LIMIT ? above : LL_REGISTER_LIMIT;
    }
    *out++ = base;
    for (int i = 0; i < LL_REGISTERS_HALF; i++)
        out[i] = (uint8_t)(halves[i] | halves[LL_REGISTERS_HALF + i] << 4);
    out += LL_REGISTERS_HALF;
    if (most - base < LL_REGISTER_LIMIT) return out;
    for (int i = 0; i < LL_DISTINCT_REGISTERS; i++)
        if (halves[i] == LL_REGISTER_LIMIT) *out++ = registers[i];
    return out;
}

/* ---- many states ----------------------------------------------------------------------------- */

static int put_histogram(const ll_sketches *of, uint8_t *out, int64_t room, int64_t *size) {
    if (of->page_count < 0 || of->page_count > LL_HISTOGRAM_PAGES || of->coarseness < 0 ||
        of->coarseness > LL_HISTOGRAM_COARSEST || !ll_width_known(of->width))
        return LL_ERROR_ARGUMENT;
    const int64_t counters = of->page_count * (LL_HISTOGRAM_PAGE >> of->coarseness);
    if (room < ll_histogram_bytes_most(of->page_count, counters, of->width)) return LL_ERROR_RANGE;
    *size =
        ll_put_histogram(of->coarseness, of->pages, of->page_count, of->counters, of->width, out) -
        out;
    return LL_OK;
}

static int put_quantiles(const ll_sketches *of, uint8_t *out, int64_t room, int64_t *size) {
    return ll_quantiles_bytes(of->storage, of->k, of->height, of->total, of->minimum, of->maximum,
                              of->offsets, of->levels, of->items, of->item_count, out, room, size);
}

static int put_registers(const ll_sketches *of, uint8_t *out, int64_t room, int64_t *size) {
    if (room < LL_REGISTERS_MOST) return LL_ERROR_RANGE;
    *size = ll_put_registers(of->registers, out) - out;
    return LL_OK;
}

int ll_sketches_bytes(const ll_sketches *sketches, int64_t count, uint8_t *out, int64_t room,
                      int64_t *sizes) {
    static int (*const put[])(const ll_sketches *, uint8_t *, int64_t,
                              int64_t *) = {put_histogram, put_quantiles, put_registers};
    if (count < 0 || room < 0) return LL_ERROR_ARGUMENT;
    for (int kind = 0; kind < 3; kind++)
        for (int64_t i = 0; i < count; i++, sizes++) {
            *sizes = 0;
            if (!(sketches[i].held & 1 << kind)) continue;
            int code = put[kind](&sketches[i], out, room, sizes);
            if (code) return code;
            out += *sizes;
            room -= *sizes;
        }
    return LL_OK;
}
