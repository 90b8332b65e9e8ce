/* The sketches of many states into the bytes of a snapshot's fields, in one call: all histograms
 * one after the other, then all quantiles, then all registers, as the fields' columns hold them.
 */
#include "packing.h"

#define MOST_HEAD (1 + LL_VARINT_MOST)

static int put_histogram(const ll_sketches *of, uint8_t *out, int64_t room, int64_t *size) {
    if (of->page_count < 0 || of->page_count > LL_HISTOGRAM_PAGES || of->coarseness < 0 ||
        of->coarseness > 8 || !ll_width_known(of->width))
        return LL_ERROR_ARGUMENT;
    const int64_t counters = of->page_count * (LL_HISTOGRAM_PAGE >> of->coarseness);
    if (room < MOST_HEAD + ll_pack_most(of->page_count, 2) + ll_pack_most(counters, of->width))
        return LL_ERROR_RANGE;
    uint8_t *end = out;
    *end++ = (uint8_t)of->coarseness;
    end += ll_put_varint((uint64_t)of->page_count, end);
    if (of->page_count) {
        end += ll_pack(of->pages, of->page_count, 2, 0, end);
        end += ll_pack(of->counters, counters, of->width, 0, end);
    }
    *size = end - out;
    return LL_OK;
}

static int put_quantiles(const ll_sketches *of, uint8_t *out, int64_t room, int64_t *size) {
    return ll_quantiles_bytes(of->storage, of->k, of->height, of->total, of->minimum, of->maximum,
                              of->offsets, of->levels, of->items, of->item_count, out, room, size);
}

static int put_registers(const ll_sketches *of, uint8_t *out, int64_t room, int64_t *size) {
    if (room < LL_DISTINCT_REGISTERS) return LL_ERROR_RANGE;
    memcpy(out, of->registers, LL_DISTINCT_REGISTERS);
    *size = LL_DISTINCT_REGISTERS;
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
