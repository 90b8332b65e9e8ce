/* What each distinct text is: its hash, its length in code points, its kinds of characters.
 *
 * Looked at once an entry of a dictionary, however many rows hold it. Any bytes are accepted: a
 * byte that is no part of well-formed UTF-8 (RFC 3629) counts as one code point outside ASCII.
 * Seven counters of 8 bits share one word, so that a character costs one shift and one addition.
 * The hash is the public MurmurHash3_x64_128 (A. Appleby) with DataSketches' seed.
 */
#include "common.h"
#include "leadline.h"

#define SEED       9001u
#define FIELD_BITS 8
#define FIELD_MOST 255

enum { LOWER, UPPER, DIGIT, SPACE, PUNCTUATION, CONTROL, OTHER };

/* ---- hash ------------------------------------------------------------------------------------ */

#define C1 0x87c37b91114253d5u
#define C2 0x4cf5ad432745937fu

LL_INLINE uint64_t rotate(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

LL_INLINE uint64_t finish(uint64_t x) {
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

/* Up to eight bytes as a little-endian word. */
LL_INLINE uint64_t word(const uint8_t *data, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

static void murmur(const uint8_t *data, size_t size, uint64_t *hash) {
    uint64_t h1 = SEED, h2 = SEED;
    size_t blocks = size / 16;
    for (size_t i = 0; i < blocks; i++) {
        h1 ^= rotate(word(data + 16 * i, 8) * C1, 31) * C2;
        h1 = (rotate(h1, 27) + h2) * 5 + 0x52dce729u;
        h2 ^= rotate(word(data + 16 * i + 8, 8) * C2, 33) * C1;
        h2 = (rotate(h2, 31) + h1) * 5 + 0x38495ab5u;
    }
    const uint8_t *tail = data + 16 * blocks;
    size_t rest = size - 16 * blocks;
    if (rest > 8) h2 ^= rotate(word(tail + 8, rest - 8) * C2, 33) * C1;
    h1 ^= rotate(word(tail, rest < 8 ? rest : 8) * C1, 31) * C2;
    h1 ^= size;
    h2 ^= size;
    h1 += h2;
    h2 += h1;
    h1 = finish(h1);
    h2 = finish(h2);
    h1 += h2;
    hash[0] = h1;
    hash[1] = h2 + h1;
}

/* ---- characters ------------------------------------------------------------------------------ */

/* Where an ASCII character's counter lies in the shared word. */
static const uint8_t FIELD[128] = {
    [0x00 ... 0x08] = CONTROL * FIELD_BITS,   [0x09 ... 0x0d] = SPACE * FIELD_BITS,
    [0x0e ... 0x1f] = CONTROL * FIELD_BITS,   [' '] = SPACE * FIELD_BITS,
    ['!' ... '/'] = PUNCTUATION * FIELD_BITS, ['0' ... '9'] = DIGIT * FIELD_BITS,
    [':' ... '@'] = PUNCTUATION * FIELD_BITS, ['A' ... 'Z'] = UPPER * FIELD_BITS,
    ['[' ... '`'] = PUNCTUATION * FIELD_BITS, ['a' ... 'z'] = LOWER * FIELD_BITS,
    ['{' ... '~'] = PUNCTUATION * FIELD_BITS, [0x7f] = CONTROL * FIELD_BITS,
};

static bool continues(const uint8_t *data, size_t size, size_t at, uint8_t low, uint8_t high) {
    return at < size && data[at] >= low && data[at] <= high;
}

/* Bytes of the code point outside ASCII that begins here; 1 for a byte that is no UTF-8. */
static size_t sequence(const uint8_t *data, size_t size) {
    uint8_t lead = data[0], low = 0x80, high = 0xbf;
    size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4) return 1;
    if (lead == 0xe0)
        low = 0xa0; /* shorter forms exist */
    else if (lead == 0xed)
        high = 0x9f; /* surrogates */
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f; /* beyond U+10FFFF */
    if (!continues(data, size, 1, low, high)) return 1;
    for (size_t at = 2; at < length; at++)
        if (!continues(data, size, at, 0x80, 0xbf)) return 1;
    return length;
}

static uint32_t characters(const uint8_t *data, size_t size, uint32_t *classes) {
    uint32_t length = 0;
    memset(classes, 0, LL_TEXT_CLASSES * sizeof *classes);
    for (size_t at = 0; at < size;) {
        uint64_t fields = 0;
        unsigned taken = 0;
        for (; at < size && taken < FIELD_MOST; taken++) {
            if (LL_LIKELY(data[at] < 0x80)) {
                fields += (uint64_t)1 << FIELD[data[at++]];
            } else {
                fields += (uint64_t)1 << (OTHER * FIELD_BITS);
                at += sequence(data + at, size - at);
            }
        }
        length += taken;
        for (int field = 0; field < LL_TEXT_CLASSES; field++)
            classes[field] += (uint32_t)(fields >> (field * FIELD_BITS)) & FIELD_MOST;
    }
    return length;
}

/* ---- public ---------------------------------------------------------------------------------- */

int ll_text_measure(const int64_t *offsets, int64_t count, const uint8_t *data, int64_t data_size,
                    uint64_t *hashes, uint32_t *lengths, uint32_t *classes) {
    if (count < 0 || data_size < 0) return LL_ERROR_ARGUMENT;
    for (int64_t i = 0; i < count; i++) {
        int64_t begin = offsets[i], end = offsets[i + 1];
        if (begin < 0 || end < begin || end > data_size || end - begin > UINT32_MAX)
            return LL_ERROR_RANGE;
        const uint8_t *text = data + begin;
        murmur(text, (size_t)(end - begin), hashes + 2 * i);
        lengths[i] = characters(text, (size_t)(end - begin), classes + LL_TEXT_CLASSES * i);
    }
    return LL_OK;
}

int ll_text_weigh(const uint32_t *classes, int64_t count, const int32_t *codes,
                  const int64_t *weights, int64_t code_count, int64_t *totals) {
    if (count < 0 || code_count < 0) return LL_ERROR_ARGUMENT;
    memset(totals, 0, LL_TEXT_CLASSES * sizeof *totals);
    for (int64_t i = 0; i < code_count; i++) {
        if (codes[i] < 0 || codes[i] >= count) return LL_ERROR_RANGE;
        const uint32_t *entry = classes + LL_TEXT_CLASSES * (int64_t)codes[i];
        for (int field = 0; field < LL_TEXT_CLASSES; field++)
            totals[field] += weights[i] * (int64_t)entry[field];
    }
    return LL_OK;
}
