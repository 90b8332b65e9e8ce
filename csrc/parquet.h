/* Parquet's pages: what the files of this subject share. Pages are anybody's bytes: every position
 * is compared with the end before it is read. */
#ifndef LEADLINE_PARQUET_H
#define LEADLINE_PARQUET_H

#include "common.h"
#include "leadline.h"

/* Numbers of a page that are decoded at a time; they stay in the first-level cache. */
#define LL_PAGE_STRETCH 1024

/* What is left to read of some bytes. */
typedef struct ll_bytes {
    const uint8_t *at;
    const uint8_t *end;
} ll_bytes;

LL_INLINE int64_t ll_bytes_left(const ll_bytes *bytes) {
    return bytes->end - bytes->at;
}

/* A number of at most ten bytes, seven bits each; false where the bytes end first. */
LL_INLINE bool ll_bytes_varint(ll_bytes *bytes, uint64_t *value) {
    *value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
        if (bytes->at == bytes->end) return false;
        uint8_t byte = *bytes->at++;
        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

/* Up to eight bytes, low ones first; bytes after the end are zero. */
LL_INLINE uint64_t ll_bytes_word(const uint8_t *at, const uint8_t *end) {
    uint64_t word = 0;
    if (LL_LIKELY(end - at >= 8))
        memcpy(&word, at, 8);
    else if (at < end)
        memcpy(&word, at, (size_t)(end - at));
    return word;
}

LL_INLINE uint32_t ll_bytes_uint32(const uint8_t *at) {
    uint32_t value;
    memcpy(&value, at, 4);
    return value;
}

/* Numbers of `width` bits: stretches of one number, and of numbers packed bit by bit.
 *
 * Nothing is read after an answer of false. */
typedef struct ll_runs {
    ll_bytes bytes;
    int width;
    int64_t left;    /* numbers left in the run */
    bool packed;     /* a run of packed numbers */
    uint32_t number; /* of the other kind */
    int64_t bit;     /* where in the run the next packed number begins */
    const uint8_t *run;
} ll_runs;

LL_HIDDEN void ll_runs_begin(ll_runs *runs, const uint8_t *at, int64_t size, int width);
/* The next run, if the last one is used up; false unless there is one and it is whole. */
LL_HIDDEN bool ll_runs_next(ll_runs *runs);
/* The next `count` numbers; false unless there are so many. */
LL_HIDDEN bool ll_runs_read(ll_runs *runs, uint32_t *out, int64_t count);
/* The next `count` numbers of one bit, as bits from bit `at`; *ones: how many are set. */
LL_HIDDEN bool ll_runs_bits(ll_runs *runs, uint8_t *bits, int64_t at, int64_t count, int64_t *ones);

/* ---- bitmaps, low bits first, with 16 bytes of room after the last -------------------------- */

LL_INLINE uint64_t ll_low_bits(int64_t count) {
    return count >= 64 ? UINT64_MAX : ((uint64_t)1 << count) - 1;
}

LL_INLINE bool ll_bit(const uint8_t *bits, int64_t at) {
    return bits[at >> 3] >> (at & 7) & 1;
}

/* 64 bits from bit `at`, of a bitmap with room. */
LL_INLINE uint64_t ll_bits_load(const uint8_t *bits, int64_t at) {
    uint64_t word;
    int shift = (int)(at & 7);
    memcpy(&word, bits + (at >> 3), 8);
    if (!shift) return word;
    return word >> shift | (uint64_t)bits[(at >> 3) + 8] << (64 - shift);
}

/* 64 bits at bit `at`; bits before it stay. */
LL_INLINE void ll_bits_store(uint8_t *bits, int64_t at, uint64_t word) {
    uint8_t *to = bits + (at >> 3);
    int shift = (int)(at & 7);
    uint64_t before = *to & ll_low_bits(shift);
    uint64_t low = before | word << shift;
    memcpy(to, &low, 8);
    to[8] = shift ? (uint8_t)(word >> (64 - shift)) : 0;
}

/* ---- what a page's rows become --------------------------------------------------------------- */

/* Values of a page that lie one after the other, spread to their rows: `count` rows, `valid` of
 * them not null by the bits from `at`. In place. */
LL_HIDDEN void ll_spread(void *values, int width, int64_t first, int64_t count, int64_t valid,
                         const uint8_t *validity);
/* The same for offsets of texts: a null's text is empty. */
LL_HIDDEN void ll_spread_offsets(int32_t *offsets, int64_t first, int64_t count, int64_t valid,
                                 const uint8_t *validity);
/* Each of these appends `valid` values to the rows without spreading them. LL_PAGE_DECLINED if
 * they are not there. */
LL_HIDDEN int ll_page_numbers(const ll_page_column *column, int encoding, ll_bytes body,
                              int64_t valid, ll_page_rows *rows);
LL_HIDDEN int ll_page_bits(int encoding, ll_bytes body, int64_t valid, ll_page_rows *rows);
LL_HIDDEN int ll_page_texts(const ll_page_column *column, int encoding, ll_bytes body,
                            int64_t valid, ll_page_rows *rows);
/* Begins the indices of a page that are `coded`. */
LL_HIDDEN bool ll_page_codes(ll_runs *runs, ll_bytes body);

#endif
