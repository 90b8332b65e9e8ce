/* Parquet's hybrid of run lengths and packed bits: levels, indices into dictionaries, booleans.
 *
 * https://parquet.apache.org/docs/file-format/data-pages/encodings/#RLE
 */
#include "parquet.h"

void ll_runs_begin(ll_runs *runs, const uint8_t *at, int64_t size, int width) {
    const ll_runs start = {{at, at + size}, width, 0, false, 0, 0, NULL};
    *runs = start;
}

bool ll_runs_next(ll_runs *runs) {
    uint64_t head;
    while (!runs->left) {
        if (!ll_bytes_varint(&runs->bytes, &head) || head > UINT32_MAX) return false;
        runs->left = (int64_t)(head >> 1);
        runs->packed = head & 1;
        if (!runs->left) return false; /* no writer has a use for it */
        int64_t size = runs->packed ? runs->left * runs->width : (runs->width + 7) / 8;
        if (size > ll_bytes_left(&runs->bytes)) return false;
        runs->run = runs->bytes.at;
        runs->bytes.at += size;
        runs->bit = 0;
        if (runs->packed) {
            runs->left *= 8;
        } else {
            runs->number = (uint32_t)ll_bytes_word(runs->run, runs->run + size);
            if (runs->number & ~ll_low_bits(runs->width)) return false;
        }
    }
    return true;
}

/* Numbers from bit `bit` of a packed run, one by one. */
static void unpack_each(const ll_runs *runs, int64_t bit, uint32_t *out, int64_t count) {
    const uint64_t mask = ll_low_bits(runs->width);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *from = runs->run + (bit >> 3);
        out[i] = (uint32_t)(ll_bytes_word(from, runs->bytes.end) >> (bit & 7) & mask);
        bit += runs->width;
    }
}

/* Groups of eight, which are `width` bytes each. A word is loaded for each number. */
LL_INLINE void unpack_eights(const uint8_t *from, int width, uint32_t *out, int64_t groups) {
    const uint64_t mask = ll_low_bits(width);
    for (int64_t group = 0; group < groups; group++, from += width, out += 8) {
        for (int i = 0; i < 8; i++) {
            uint64_t word;
            memcpy(&word, from + (i * width >> 3), 8);
            out[i] = (uint32_t)(word >> (i * width & 7) & mask);
        }
    }
}

/* With the width known to the compiler, a number of a dictionary takes 0.6 ns in place of 1. */
static void unpack_groups(const uint8_t *from, int width, uint32_t *out, int64_t groups) {
#define OF_WIDTH(bits)                                                                             \
    case bits:                                                                                     \
        unpack_eights(from, bits, out, groups);                                                    \
        break;
    switch (width) {
        OF_WIDTH(1)
        OF_WIDTH(2)
        OF_WIDTH(3)
        OF_WIDTH(4)
        OF_WIDTH(5)
        OF_WIDTH(6)
        OF_WIDTH(7)
        OF_WIDTH(8)
        OF_WIDTH(9)
        OF_WIDTH(10)
        OF_WIDTH(11)
        OF_WIDTH(12)
        OF_WIDTH(13)
        OF_WIDTH(14)
        OF_WIDTH(15)
        OF_WIDTH(16)
        OF_WIDTH(17)
        OF_WIDTH(18)
        OF_WIDTH(19)
        OF_WIDTH(20)
    default:
        unpack_eights(from, width, out, groups);
    }
#undef OF_WIDTH
}

/* A packed run's next numbers. */
static void unpack(const ll_runs *runs, uint32_t *out, int64_t count) {
    const int width = runs->width;
    int64_t bit = runs->bit, groups = 0, alone = 0;
    if (width) {
        /* Numbers to the next group, and groups of which all words end before the bytes do. */
        alone = ll_smaller(count, (8 - bit / width % 8) % 8);
        unpack_each(runs, bit, out, alone);
        bit += alone * width;
        int64_t left = runs->bytes.end - (runs->run + bit / 8) - (7 * width / 8 + 8);
        if (left >= 0) groups = ll_smaller((count - alone) / 8, left / width + 1);
        unpack_groups(runs->run + bit / 8, width, out + alone, groups);
    }
    unpack_each(runs, bit + 8 * groups * width, out + alone + 8 * groups,
                count - alone - 8 * groups);
}

bool ll_runs_read(ll_runs *runs, uint32_t *out, int64_t count) {
    while (count) {
        if (!ll_runs_next(runs)) return false;
        int64_t now = ll_smaller(runs->left, count);
        if (runs->packed) {
            unpack(runs, out, now);
            runs->bit += now * runs->width;
        } else {
            for (int64_t i = 0; i < now; i++)
                out[i] = runs->number;
        }
        runs->left -= now;
        out += now;
        count -= now;
    }
    return true;
}

bool ll_runs_bits(ll_runs *runs, uint8_t *bits, int64_t at, int64_t count, int64_t *ones) {
    *ones = 0;
    while (count) {
        if (!ll_runs_next(runs)) return false;
        int64_t now = ll_smaller(runs->left, count);
        for (int64_t done = 0; done < now; done += 64) {
            uint64_t word = 0 - (uint64_t)runs->number;
            if (runs->packed) {
                const uint8_t *from = runs->run + ((runs->bit + done) >> 3);
                int shift = (int)((runs->bit + done) & 7);
                word = ll_bytes_word(from, runs->bytes.end) >> shift;
                if (shift) word |= ll_bytes_word(from + 8, runs->bytes.end) << (64 - shift);
            }
            word &= ll_low_bits(now - done);
            ll_bits_store(bits, at + done, word);
            *ones += __builtin_popcountll(word);
        }
        runs->bit += now;
        runs->left -= now;
        at += now;
        count -= now;
    }
    return true;
}
