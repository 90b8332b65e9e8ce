/* Packed keys as names of categories: two lists side by side, and the hashes that group them.
 *
 * Names are grouped by BLAKE2b (RFC 7693) cut to 8 bytes: unlike the hash of the sketches it is in
 * every language's library, so that anybody can compute the groups of a report again.
 */
#include "text.h"

#define CHUNK  128
#define ROUNDS 12

static const uint64_t START[8] = {
    0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
    0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t ORDER[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15},
    {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4},
    {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13},
    {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11},
    {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5},
    {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

LL_INLINE uint64_t turned(uint64_t word, int bits) {
    return word >> bits | word << (64 - bits);
}

LL_INLINE void mix(uint64_t *v, int a, int b, int c, int d, uint64_t x, uint64_t y) {
    v[a] += v[b] + x;
    v[d] = turned(v[d] ^ v[a], 32);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 24);
    v[a] += v[b] + y;
    v[d] = turned(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = turned(v[b] ^ v[c], 63);
}

/* One chunk into the state; `end`: bytes up to its end, `last`: whether nothing follows. */
static void compress(uint64_t *state, const uint64_t *words, uint64_t end, bool last) {
    uint64_t v[16];
    memcpy(v, state, 8 * sizeof *v);
    memcpy(v + 8, START, sizeof START);
    v[12] ^= end;
    v[14] ^= 0 - (uint64_t)last;
    for (int round = 0; round < ROUNDS; round++) {
        const uint8_t *s = ORDER[round % 10];
        mix(v, 0, 4, 8, 12, words[s[0]], words[s[1]]);
        mix(v, 1, 5, 9, 13, words[s[2]], words[s[3]]);
        mix(v, 2, 6, 10, 14, words[s[4]], words[s[5]]);
        mix(v, 3, 7, 11, 15, words[s[6]], words[s[7]]);
        mix(v, 0, 5, 10, 15, words[s[8]], words[s[9]]);
        mix(v, 1, 6, 11, 12, words[s[10]], words[s[11]]);
        mix(v, 2, 7, 8, 13, words[s[12]], words[s[13]]);
        mix(v, 3, 4, 9, 14, words[s[14]], words[s[15]]);
    }
    for (int i = 0; i < 8; i++)
        state[i] ^= v[i] ^ v[i + 8];
}

/* The first of the 8 bytes that are the whole digest is the lowest. */
static uint64_t blake2b(const uint8_t *data, size_t size) {
    uint64_t state[8], words[CHUNK / 8];
    memcpy(state, START, sizeof state);
    state[0] ^= 0x01010000 ^ 8; /* one block in a row, no key, a digest of 8 bytes */
    size_t at = 0;
    for (; size - at > CHUNK; at += CHUNK) {
        for (int i = 0; i < CHUNK / 8; i++)
            words[i] = ll_load_word(data + at + 8 * i);
        compress(state, words, at + CHUNK, false);
    }
    uint8_t rest[CHUNK] = {0};
    if (size > at) memcpy(rest, data + at, size - at);
    for (int i = 0; i < CHUNK / 8; i++)
        words[i] = ll_load_word(rest + 8 * i);
    compress(state, words, size, true);
    return state[0];
}

static bool is_utf8(const uint8_t *data, size_t size) {
    for (size_t at = 0; at < size;) {
        size_t length = data[at] < 0x80 ? 1 : ll_utf8_sequence(data + at, size - at);
        if (length == 1 && data[at] >= 0x80) return false;
        at += length;
    }
    return true;
}

int ll_names_hash(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                  uint64_t *hashes, uint8_t *plain) {
    if (count < 0 || size < 0) return LL_ERROR_ARGUMENT;
    if (!ll_keys_inside(offsets, count, size)) return LL_ERROR_RANGE;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *key = data + offsets[i];
        uint32_t bytes = offsets[i + 1] - offsets[i];
        plain[i] = bytes != LL_TEXT_CUT_KEY && is_utf8(key, bytes);
        hashes[i] = plain[i] ? blake2b(key, bytes) : 0;
    }
    return LL_OK;
}

int ll_names_union(const uint32_t *a_offsets, int64_t a_count, const uint8_t *a_data,
                   int64_t a_size, const uint32_t *b_offsets, int64_t b_count,
                   const uint8_t *b_data, int64_t b_size, uint32_t *offsets, uint8_t *data,
                   int32_t *a_places, int32_t *b_places, int64_t *count) {
    if (a_count < 0 || b_count < 0 || a_size < 0 || b_size < 0) return LL_ERROR_ARGUMENT;
    if (a_size > INT32_MAX || b_size > INT32_MAX) return LL_ERROR_ARGUMENT;
    if (a_count > INT32_MAX || b_count > INT32_MAX) return LL_ERROR_ARGUMENT;
    if (!ll_keys_inside(a_offsets, a_count, a_size) || !ll_keys_inside(b_offsets, b_count, b_size))
        return LL_ERROR_RANGE;
    size_t filled = 0;
    offsets[0] = 0;
    for (int64_t i = 0, j = 0; i < a_count || j < b_count; filled++) {
        int order = i == a_count ? 1 : -1;
        if (i < a_count && j < b_count)
            order = ll_keys_compare(a_data + a_offsets[i], a_offsets[i + 1] - a_offsets[i],
                                    b_data + b_offsets[j], b_offsets[j + 1] - b_offsets[j]);
        const uint8_t *key = order <= 0 ? a_data + a_offsets[i] : b_data + b_offsets[j];
        uint32_t bytes =
            order <= 0 ? a_offsets[i + 1] - a_offsets[i] : b_offsets[j + 1] - b_offsets[j];
        memcpy(data + offsets[filled], key, bytes);
        offsets[filled + 1] = offsets[filled] + bytes;
        a_places[filled] = order <= 0 ? (int32_t)i++ : -1;
        b_places[filled] = order >= 0 ? (int32_t)j++ : -1;
    }
    *count = (int64_t)filled;
    return LL_OK;
}
