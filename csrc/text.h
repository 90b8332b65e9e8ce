/* What the kernels of text share: one text, its hash, its characters, the counting of entries.
 *
 * Any bytes are accepted: a byte that is no part of well-formed UTF-8 (RFC 3629) counts as one code
 * point outside ASCII. The hash is the public MurmurHash3_x64_128 (A. Appleby) with DataSketches'
 * seed; it goes into states, the tables of this family use cheaper ones.
 */
#ifndef LEADLINE_TEXT_H
#define LEADLINE_TEXT_H

#include "common.h"
#include "leadline.h"

#define LL_TEXT_SHORT   16 /* bytes of a text that an entry holds itself */
#define LL_TEXT_INDEX   17 /* bits of an entry's number */
#define LL_TEXT_ENTRIES (LL_TEXT_CAPACITY + LL_TEXT_BLOCK)
#define LL_TEXT_SLOTS   262144
#define LL_TEXT_MARKS   1048576 /* half or twice as many are 4 % slower */
#define LL_TEXT_EXACT   512     /* lengths below it are tallied as they are, until a cell ends */

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "short texts lie in words, the first byte lowest"
#endif

/* A text in work memory: a short one as two words, zeros behind it; of a longer one a hash, which
 * only the table that made it knows, and the address. 16 bytes an entry, for a block of distinct
 * texts fills the table, which then lies in a second-level cache or does not. */
typedef struct ll_text_words {
    uint64_t low;
    uint64_t high;
} ll_text_words;

struct ll_text_work {
    ll_text_words texts[LL_TEXT_ENTRIES]; /* the entries: what they are, ... */
    uint32_t sizes[LL_TEXT_ENTRIES];      /* ... their bytes, ... */
    uint32_t counts[LL_TEXT_ENTRIES];     /* ... and how often they occurred */
    uint64_t sorted[LL_TEXT_ENTRIES];
    uint64_t spare[LL_TEXT_ENTRIES];
    uint32_t slots[LL_TEXT_SLOTS];      /* of the table of texts; of codes, their counters */
    uint64_t marks[LL_TEXT_MARKS / 32]; /* of the filter; see text_count_body.h */
    uint32_t lengths[LL_TEXT_EXACT][8];
};

_Static_assert(LL_TEXT_ENTRIES < 1 << LL_TEXT_INDEX, "an entry's number and one more fit");
_Static_assert(sizeof(ll_text_form) == 8 * LL_TEXT_FORM_WORDS, "Python reads forms as words");
_Static_assert(sizeof(ll_text_work) <= 8 * LL_TEXT_WORK_WORDS, "Python allocates words");

/* ---- bytes ----------------------------------------------------------------------------------- */

LL_INLINE uint64_t ll_load_word(const uint8_t *data) {
    uint64_t value;
    memcpy(&value, data, sizeof value);
    return value;
}

/* Up to eight bytes as a little-endian word. */
LL_INLINE uint64_t ll_load_bytes(const uint8_t *data, size_t size) {
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)data[i] << (8 * i);
    return value;
}

/* The first 16 bytes of a text as two little-endian words, what lies behind it as zeros. Nothing at
 * or beyond `limit` is read. */
LL_INLINE void ll_load_short(const uint8_t *data, size_t size, const uint8_t *limit, uint64_t *low,
                             uint64_t *high) {
    if (LL_LIKELY((size_t)(limit - data) >= LL_TEXT_SHORT)) {
        uint64_t below = size < 8 ? ((uint64_t)1 << (8 * size)) - 1 : UINT64_MAX;
        uint64_t above = size < 16 ? ((uint64_t)1 << (8 * (size & 7))) - 1 : UINT64_MAX;
        *low = ll_load_word(data) & below;
        *high = ll_load_word(data + 8) & (size > 8 ? above : 0);
    } else {
        *low = ll_load_bytes(data, size < 8 ? size : 8);
        *high = size > 8 ? ll_load_bytes(data + 8, size < 16 ? size - 8 : 8) : 0;
    }
}

LL_INLINE int64_t ll_load_offset(const void *offsets, int64_t at, bool wide) {
    if (wide) {
        int64_t value;
        memcpy(&value, (const uint8_t *)offsets + 8 * at, sizeof value);
        return value;
    }
    int32_t value;
    memcpy(&value, (const uint8_t *)offsets + 4 * at, sizeof value);
    return value;
}

/* Negative unless 0 <= begin <= end <= data_size and the text has less than 2^32 bytes. */
LL_INLINE int64_t ll_wrong_offsets(int64_t begin, int64_t end, int64_t data_size) {
    uint64_t size = (uint64_t)end - (uint64_t)begin;
    uint64_t behind = (uint64_t)data_size - (uint64_t)end;
    return begin | end | (int64_t)size | (int64_t)behind | (int64_t)(UINT32_MAX - size);
}

/* ---- hash ------------------------------------------------------------------------------------ */

#define LL_MURMUR_SEED 9001u
#define LL_MURMUR_C1   0x87c37b91114253d5u
#define LL_MURMUR_C2   0x4cf5ad432745937fu

LL_INLINE uint64_t ll_rotate(uint64_t x, int bits) {
    return (x << bits) | (x >> (64 - bits));
}

LL_INLINE uint64_t ll_murmur_finish(uint64_t x) {
    x = (x ^ (x >> 33)) * 0xff51afd7ed558ccdu;
    x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53u;
    return x ^ (x >> 33);
}

/* Both words from the state after the whole blocks and the tail as two words. */
LL_INLINE uint64_t ll_murmur_tail(uint64_t h1, uint64_t h2, uint64_t low, uint64_t high,
                                  uint64_t size, uint64_t *second) {
    h2 ^= ll_rotate(high * LL_MURMUR_C2, 33) * LL_MURMUR_C1;
    h1 ^= ll_rotate(low * LL_MURMUR_C1, 31) * LL_MURMUR_C2;
    h1 ^= size;
    h2 ^= size;
    h1 += h2;
    h2 += h1;
    h1 = ll_murmur_finish(h1);
    h2 = ll_murmur_finish(h2);
    h1 += h2;
    *second = h2 + h1;
    return h1;
}

/* Both words of the hash of any text. */
LL_INLINE void ll_murmur(const uint8_t *data, size_t size, uint64_t *hash) {
    uint64_t h1 = LL_MURMUR_SEED, h2 = LL_MURMUR_SEED, low, high;
    const uint8_t *limit = data + size;
    for (; limit - data >= 16; data += 16) {
        h1 ^= ll_rotate(ll_load_word(data) * LL_MURMUR_C1, 31) * LL_MURMUR_C2;
        h1 = (ll_rotate(h1, 27) + h2) * 5 + 0x52dce729u;
        h2 ^= ll_rotate(ll_load_word(data + 8) * LL_MURMUR_C2, 33) * LL_MURMUR_C1;
        h2 = (ll_rotate(h2, 31) + h1) * 5 + 0x38495ab5u;
    }
    size_t rest = (size_t)(limit - data);
    if (size < 16) {
        ll_load_short(data, rest, limit, &low, &high);
    } else if (rest < 8) { /* by words that end where the text ends */
        low = rest ? ll_load_word(limit - 8) >> (64 - 8 * rest) : 0;
        high = 0;
    } else {
        low = ll_load_word(data);
        high = rest > 8 ? ll_load_word(limit - 8) >> (128 - 8 * rest) : 0;
    }
    hash[0] = ll_murmur_tail(h1, h2, low, high, size, hash + 1);
}

/* ---- keys ------------------------------------------------------------------------------------ */

LL_INLINE uint32_t ll_key_size(uint32_t size) {
    return size > LL_TEXT_PREFIX ? LL_TEXT_CUT_KEY : size;
}

/* Whether the entries of which `keys` need `bytes` are held exactly. */
LL_INLINE bool ll_text_fits(uint64_t keys, uint64_t bytes) {
    return keys <= LL_TEXT_CAPACITY && bytes <= LL_TEXT_KEY_BYTES;
}

/* ---- rows ------------------------------------------------------------------------------------ */

/* Where reading has come to: a row of a chunk, or a place in the order. */
typedef struct ll_position {
    int64_t chunk;
    int64_t row;
} ll_position;

LL_INLINE bool ll_is_null(const uint8_t *validity, int64_t at) {
    return validity && !(validity[at >> 3] >> (at & 7) & 1);
}

/* The text of a dictionary's entry; an entry out of its data is an error. */
LL_INLINE int ll_dictionary_entry(const ll_text_chunk *dictionary, int64_t code,
                                  const uint8_t **text, uint32_t *size) {
    int64_t at = dictionary->offset + code;
    int64_t begin = ll_load_offset(dictionary->offsets, at, dictionary->wide);
    int64_t end = ll_load_offset(dictionary->offsets, at + 1, dictionary->wide);
    if (ll_wrong_offsets(begin, end, dictionary->data_size) < 0) return LL_ERROR_RANGE;
    *text = dictionary->data + begin;
    *size = (uint32_t)(end - begin);
    return LL_OK;
}

/* Rows of one cell, -1 if they do not lie within the cells' rows or are 2^32. */
LL_INLINE int64_t ll_cell_rows(const ll_text_cells *cells, int64_t cell) {
    int64_t begin = cells->starts[cell], end = cells->starts[cell + 1];
    if (begin < 0 || end < begin || end > cells->rows || end - begin > UINT32_MAX) return -1;
    return end - begin;
}

/* ---- text.c ---------------------------------------------------------------------------------- */

/* Add a text that occurs `weight` times to a form; and a length alone. */
/* Bytes of the code point outside ASCII that begins here; 1 for a byte that is no UTF-8. */
LL_HIDDEN size_t ll_utf8_sequence(const uint8_t *data, size_t size);

/* Whether packed keys ascend and lie within `size` bytes. */
LL_HIDDEN bool ll_keys_inside(const uint32_t *offsets, int64_t count, int64_t size);

LL_INLINE int ll_keys_compare(const uint8_t *a, uint32_t a_size, const uint8_t *b,
                              uint32_t b_size) {
    int order = memcmp(a, b, a_size < b_size ? a_size : b_size);
    return order ? order : (a_size > b_size) - (a_size < b_size);
}

LL_HIDDEN void ll_form_add(ll_text_form *form, const uint8_t *data, uint32_t size, uint64_t weight);
LL_HIDDEN void ll_form_add_length(ll_text_form *form, uint32_t length, uint64_t weight);

/* ---- text_entries.c -------------------------------------------------------------------------- */

/* A text's words, without a hash; nothing at or beyond `limit` is read. No branch, for sizes around
 * 16 bytes come in any order. */
LL_INLINE ll_text_words ll_words_of(const uint8_t *text, uint32_t size, const uint8_t *limit) {
    uint64_t low, high;
    ll_load_short(text, size, limit, &low, &high);
    return (ll_text_words){size <= LL_TEXT_SHORT ? low : 0,
                           size <= LL_TEXT_SHORT ? high : (uintptr_t)text};
}

/* Make text number `entry` of work memory; nothing at or beyond `limit` is read. */
LL_INLINE void ll_entry_set(ll_text_work *work, size_t entry, const uint8_t *text, uint32_t size,
                            const uint8_t *limit) {
    work->texts[entry] = ll_words_of(text, size, limit);
    work->sizes[entry] = size;
}

/* Its bytes. */
LL_INLINE const uint8_t *ll_entry_text(const ll_text_work *work, size_t entry) {
    const ll_text_words *words = work->texts + entry;
    if (work->sizes[entry] > LL_TEXT_SHORT) return (const uint8_t *)(uintptr_t)words->high;
    return (const uint8_t *)words;
}

/* Order of the keys of two entries, as of byte strings. */
LL_HIDDEN int ll_entry_compare(const ll_text_work *work, size_t a, size_t b);

/* work->sorted: numbers of the first `count` entries in the order of their keys. */
LL_HIDDEN void ll_entries_sort(ll_text_work *work, size_t count);

/* The smallest number that, taken from all counts, leaves entries that fit; key_bytes: of all keys.
 */
LL_HIDDEN uint64_t ll_entries_excess(const ll_text_work *work, size_t count, uint64_t key_bytes);

/* The first hash words of `count` entries. */
LL_HIDDEN void ll_entries_hash(const ll_text_work *work, size_t begin, size_t count,
                               uint64_t *hashes);

/* Raise registers by the hashes of entries begin to end - 1. */
LL_HIDDEN void ll_entries_register(const ll_text_work *work, size_t begin, size_t end,
                                   uint8_t *registers);

/* Write one finished cell: keys in order (of which the entries already are, if `ordered`). */
LL_HIDDEN void ll_entries_emit(ll_text_work *work, size_t count, bool ordered, ll_text_cell *cell,
                               ll_text_output *output);

/* Whether the output has room for a cell of so many rows, whatever is in them. */
LL_HIDDEN bool ll_output_has_room(const ll_text_output *output, int64_t rows);

/* A cleared form and cleared registers of the output for this cell, on the first call. */
LL_HIDDEN ll_text_form *ll_cell_form(ll_text_cell *cell, ll_text_output *output);
LL_HIDDEN uint8_t *ll_cell_registers(ll_text_cell *cell, ll_text_output *output);

#endif
