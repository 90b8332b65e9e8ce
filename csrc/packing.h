/* Whole numbers in few bytes, for what writes states; see packing.c. */
#ifndef LEADLINE_PACKING_H
#define LEADLINE_PACKING_H

#include "common.h"
#include "leadline.h"

/* Most bytes of a varint, and of packed numbers of `width` bytes each. */
#define LL_VARINT_MOST 10
LL_INLINE int64_t ll_pack_most(int64_t count, int width) {
    return 1 + width * count;
}

/* Bytes that hold every number whose bits are among `bits`; never 0. */
LL_HIDDEN int ll_bytes_of(uint64_t bits);

/* Both return how many bytes were written; the width is 1, 2, 4 or 8. */
LL_HIDDEN int64_t ll_put_varint(uint64_t value, uint8_t *out);
LL_HIDDEN int64_t ll_pack(const void *values, int64_t count, int width, uint64_t less,
                          uint8_t *out);

/* What ll_packing_gaps writes, of numbers that ascend; returns where it ended. */
LL_HIDDEN uint8_t *ll_put_gaps(const void *values, int64_t count, int width, uint8_t *out);

/* Registers lie in half a byte each, less the smallest one; from LL_REGISTER_LIMIT on they follow.
 */
#define LL_REGISTER_LIMIT   15
#define LL_DISTINCT_HIGHEST 53 /* the largest register that a hash sets */
#define LL_REGISTERS_HALF   (LL_DISTINCT_REGISTERS / 2)
#define LL_REGISTERS_MOST   (1 + LL_REGISTERS_HALF + LL_DISTINCT_REGISTERS)

/* Both return where they ended; counters of 1, 2, 4 or 8 bytes. */
LL_HIDDEN uint8_t *ll_put_registers(const uint8_t *registers, uint8_t *out);
LL_HIDDEN uint8_t *ll_put_histogram(int coarseness, const uint16_t *pages, int64_t page_count,
                                    const uint8_t *counters, int width, uint8_t *out);
LL_HIDDEN int64_t ll_histogram_bytes_most(int64_t pages, int64_t counters, int width);

#endif
