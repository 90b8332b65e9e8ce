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

/* Both return how many bytes were written; the width is 1, 2, 4 or 8. */
LL_HIDDEN int64_t ll_put_varint(uint64_t value, uint8_t *out);
LL_HIDDEN int64_t ll_pack(const void *values, int64_t count, int width, uint64_t less,
                          uint8_t *out);

#endif
