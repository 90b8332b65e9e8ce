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

/* A packed run's next numbers; a word of 8 bytes is loaded for each, as far as there are so many.
 */
LL_INLINE void unpack(const ll_runs *runs, int width, uint32_t *out, int64_t count) {
    const uint8_t *end = runs->bytes.end, *run = runs->run;
    const uint64_t mask = ll_low_bits(width);
    int64_t bit = runs->bit, quick = 0;
    int64_t last = (end - run - 8) * 8 + 7; /* the last bit that such a word may begin at */
    if (width && last >= bit) quick = ll_smaller((last - bit) / width + 1, count);
    for (int64_t i = 0; i < quick; i++) {
        uint64_t word;
        memcpy(&word, run + (bit >> 3), 8);
        out[i] = (uint32_t)(word >> (bit & 7) & mask);
        bit += width;
    }
    for (int64_t i = quick; i < count; i++) {
        out[i] = (uint32_t)(ll_bytes_word(run + (bit >> 3), end) >> (bit & 7) & mask);
        bit += width;
    }
}

bool ll_runs_read(ll_runs *runs, uint32_t *out, int64_t count) {
    while (count) {
        if (!ll_runs_next(runs)) return false;
        int64_t now = ll_smaller(runs->left, count);
        if (runs->packed) {
            unpack(runs, runs->width, out, now);
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
