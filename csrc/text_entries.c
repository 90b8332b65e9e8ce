/* Entries of a table of texts: which have to go, in which order keys are written, their hashes.
 *
 * Keys sort by a word each: what follows the bytes that all share, and the entry's number in the
 * low bits. Only entries that agree in that word are compared byte by byte.
 */
#include "sort.h"
#include "text.h"

#define TILE 256

/* ---- order ----------------------------------------------------------------------------------- */

int ll_entry_compare(const ll_text_work *work, size_t a, size_t b) {
    const uint8_t *a_text = ll_entry_text(work, a), *b_text = ll_entry_text(work, b);
    uint32_t a_size = work->sizes[a], b_size = work->sizes[b];
    uint32_t shorter = a_size < b_size ? a_size : b_size;
    int order = memcmp(a_text, b_text, shorter < LL_TEXT_PREFIX ? shorter : LL_TEXT_PREFIX);
    if (order) return order;
    if (shorter <= LL_TEXT_PREFIX) return (a_size > b_size) - (a_size < b_size);
    uint64_t a_hash[2], b_hash[2]; /* both are cut: their hashes follow, first byte lowest */
    ll_murmur(a_text, a_size, a_hash);
    ll_murmur(b_text, b_size, b_hash);
    return memcmp(a_hash, b_hash, sizeof a_hash);
}

/* Bytes at the beginning that all texts share. */
static size_t shared_bytes(const ll_text_work *work, size_t count) {
    const uint8_t *first = ll_entry_text(work, 0);
    size_t shared = work->sizes[0] < LL_TEXT_PREFIX ? work->sizes[0] : LL_TEXT_PREFIX;
    for (size_t i = 1; i < count && shared; i++) {
        const uint8_t *text = ll_entry_text(work, i);
        size_t most = work->sizes[i] < shared ? work->sizes[i] : shared, same = 0;
        while (same < most && text[same] == first[same])
            same++;
        shared = same;
    }
    return shared;
}

/* Merge sort of numbers of entries that agree in their word. */
static void sort_ties(const ll_text_work *work, uint64_t *sorted, uint64_t *spare, size_t count) {
    if (count < 2) return;
    size_t half = count / 2, i = 0, j = half;
    sort_ties(work, sorted, spare, half);
    sort_ties(work, sorted + half, spare, count - half);
    memcpy(spare, sorted, count * sizeof *spare);
    for (size_t filled = 0; filled < count; filled++) {
        bool second = i == half;
        if (!second && j < count) second = ll_entry_compare(work, spare[j], spare[i]) < 0;
        sorted[filled] = second ? spare[j++] : spare[i++];
    }
}

/* The eight bytes from `begin` on of an entry's key, the first one highest, with zeros behind it; a
 * cut key ends where its digest begins. */
LL_INLINE uint64_t sort_word(const ll_text_work *work, size_t entry, size_t begin) {
    const ll_text_words *words = work->texts + entry;
    uint32_t size = work->sizes[entry];
    uint64_t word;
    if (LL_LIKELY(size <= LL_TEXT_SHORT)) {
        unsigned bits = 8 * (begin & 7);
        if (begin >= 8)
            word = begin < 16 ? words->high >> bits : 0;
        else
            word = words->low >> bits | (bits ? words->high << (64 - bits) : 0);
        return __builtin_bswap64(word);
    }
    const uint8_t *text = ll_entry_text(work, entry);
    size_t end = size < LL_TEXT_PREFIX ? size : LL_TEXT_PREFIX, rest = end - begin;
    if (rest >= 8) return __builtin_bswap64(ll_load_word(text + begin));
    return rest ? __builtin_bswap64(ll_load_word(text + end - 8)) << (64 - 8 * rest) : 0;
}

void ll_entries_sort(ll_text_work *work, size_t count) {
    const uint64_t number = ((uint64_t)1 << LL_TEXT_INDEX) - 1;
    uint64_t *sorted = work->sorted;
    size_t shared = count ? shared_bytes(work, count) : 0;
    for (size_t i = 0; i < count; i++) {
        sorted[i] = (sort_word(work, i, shared) & ~number) | i;
    }
    ll_sort_keys(sorted, work->spare, count);
    for (size_t begin = 0, end; begin < count; begin = end) {
        uint64_t word = sorted[begin] & ~number;
        for (end = begin; end < count && (sorted[end] & ~number) == word; end++)
            sorted[end] &= number;
        sort_ties(work, sorted + begin, work->spare, end - begin);
    }
}

int ll_text_rank(const ll_text_chunk *dictionary, ll_text_work *work, int32_t *ranks,
                 int32_t *ranked, int64_t *distinct) {
    const uint8_t *limit = dictionary->data + dictionary->data_size;
    uint32_t *codes = work->counts;
    size_t filled = 0;
    if (dictionary->length < 0 || dictionary->offset < 0 || dictionary->data_size < 0)
        return LL_ERROR_ARGUMENT;
    if (dictionary->length > LL_TEXT_BLOCK) return LL_ERROR_ARGUMENT;
    for (int64_t code = 0; code < dictionary->length; code++) {
        const uint8_t *text;
        uint32_t size;
        ranks[code] = -1;
        if (ll_is_null(dictionary->validity, dictionary->offset + code)) continue;
        int error = ll_dictionary_entry(dictionary, code, &text, &size);
        if (error) return error;
        ll_entry_set(work, filled, text, size, limit);
        codes[filled++] = (uint32_t)code;
    }
    ll_entries_sort(work, filled);
    *distinct = 0;
    for (size_t i = 0; i < filled; i++) {
        uint32_t code = codes[work->sorted[i]];
        if (!i || ll_entry_compare(work, work->sorted[i - 1], work->sorted[i]) != 0)
            ranked[(*distinct)++] = (int32_t)code;
        ranks[code] = (int32_t)*distinct - 1;
    }
    return LL_OK;
}

/* ---- capacity -------------------------------------------------------------------------------- */

/* Whether the entries counted more than `excess` times fit. */
LL_INLINE bool fits_above(const uint32_t *counts, const uint32_t *sizes, size_t count,
                          uint32_t excess) {
    uint64_t bytes = 0;
    uint32_t keys = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t held = 0 - (uint32_t)(counts[i] > excess);
        keys -= held;
        bytes += held & (sizes[i] > LL_TEXT_PREFIX ? LL_TEXT_CUT_KEY : sizes[i]);
    }
    return ll_text_fits(keys, bytes);
}

LL_INLINE uint32_t excess_body(const uint32_t *counts, const uint32_t *sizes, size_t count) {
    uint64_t low = 0, high = 1;
    for (; !fits_above(counts, sizes, count, (uint32_t)high);
         high *= 2) /* most often 1 is enough */
        low = high;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (fits_above(counts, sizes, count, (uint32_t)middle))
            high = middle;
        else
            low = middle;
    }
    return (uint32_t)high;
}

/* ---- hashes ---------------------------------------------------------------------------------- */

/* The first hash words of texts of less than 16 bytes; with `half`, of at most 8. */
LL_INLINE void hash_words(const ll_text_words *texts, const uint32_t *sizes, size_t count,
                          bool half, uint64_t *hashes) {
    for (size_t i = 0; i < count; i++) {
        uint64_t second, high = half ? 0 : texts[i].high;
        hashes[i] =
            ll_murmur_tail(LL_MURMUR_SEED, LL_MURMUR_SEED, texts[i].low, high, sizes[i], &second);
    }
}

/* The first hash words of those texts that have less than 16 bytes; whether there are others. */
LL_INLINE bool hash_body(const ll_text_words *texts, const uint32_t *sizes, size_t count,
                         uint64_t *hashes) {
    uint32_t longest = 0;
    for (size_t i = 0; i < count; i++)
        longest = longest > sizes[i] ? longest : sizes[i];
    if (longest <= 8)
        hash_words(texts, sizes, count, true, hashes);
    else
        hash_words(texts, sizes, count, false, hashes);
    return longest >= LL_TEXT_SHORT;
}

typedef uint32_t (*excess_function)(const uint32_t *, const uint32_t *, size_t);
typedef bool (*hash_function)(const ll_text_words *, const uint32_t *, size_t, uint64_t *);

#define DEFINE_ENTRIES(isa, number, target)                                                        \
    target static uint32_t excess_##isa(const uint32_t *counts, const uint32_t *sizes,             \
                                        size_t count) {                                            \
        return excess_body(counts, sizes, count);                                                  \
    }                                                                                              \
    target static bool hash_##isa(const ll_text_words *texts, const uint32_t *sizes, size_t count, \
                                  uint64_t *hashes) {                                              \
        return hash_body(texts, sizes, count, hashes);                                             \
    }
LL_FOR_EACH_VARIANT(DEFINE_ENTRIES)

uint64_t ll_entries_excess(const ll_text_work *work, size_t count, uint64_t key_bytes) {
    static const excess_function variants[] = LL_VARIANTS(excess);
    if (ll_text_fits(count, key_bytes)) return 0;
    return variants[ll_set_active()](work->counts, work->sizes, count);
}

void ll_entries_hash(const ll_text_work *work, size_t begin, size_t count, uint64_t *hashes) {
    static const hash_function variants[] = LL_VARIANTS(hash);
    const uint32_t *sizes = work->sizes + begin;
    if (!variants[ll_set_active()](work->texts + begin, sizes, count, hashes)) return;
    for (size_t i = 0; i < count; i++) {
        uint64_t both[2];
        if (LL_LIKELY(sizes[i] < LL_TEXT_SHORT)) continue;
        ll_murmur(ll_entry_text(work, begin + i), sizes[i], both);
        hashes[i] = both[0];
    }
}

void ll_entries_register(const ll_text_work *work, size_t begin, size_t end, uint8_t *registers) {
    uint64_t hashes[TILE];
    for (; begin < end; begin += TILE) {
        size_t size = end - begin < TILE ? end - begin : TILE;
        ll_entries_hash(work, begin, size, hashes);
        ll_distinct_add_hashes(hashes, (int64_t)size, registers);
    }
}

/* ---- output ---------------------------------------------------------------------------------- */

bool ll_output_has_room(const ll_text_output *output, int64_t rows) {
    int64_t keys = ll_smaller(rows, LL_TEXT_CAPACITY);
    int64_t bytes = ll_smaller(keys * LL_TEXT_CUT_KEY, LL_TEXT_KEY_BYTES);
    return output->cells_used < output->cells_capacity &&
           output->forms_used < output->forms_capacity &&
           output->keys_used + keys <= output->keys_capacity &&
           output->bytes_used + bytes <= output->bytes_capacity;
}

ll_text_form *ll_cell_form(ll_text_cell *cell, ll_text_output *output) {
    if (cell->form < 0) {
        cell->form = output->forms_used++;
        memset(output->forms + cell->form, 0, sizeof *output->forms);
    }
    return output->forms + cell->form;
}

uint8_t *ll_cell_registers(ll_text_cell *cell, ll_text_output *output) {
    int64_t begin = ll_cell_form(cell, output) - output->forms;
    uint8_t *registers = output->registers + begin * LL_DISTINCT_REGISTERS;
    if (!cell->sketched) memset(registers, 0, LL_DISTINCT_REGISTERS);
    cell->sketched = 1;
    return registers;
}

/* Write the key of an entry where `room` bytes are free. By 16 bytes, of which the last ones may
 * overlap or, while there is room, lie behind a short text, whose words hold as many: GCC makes
 * `rep movs` of a memcpy, which begins slowly (14 ns for 36 bytes, against 3). */
static uint32_t write_key(const uint8_t *text, uint32_t size, uint8_t *key, size_t room) {
    if (size <= LL_TEXT_SHORT) {
        if (LL_LIKELY(room >= LL_TEXT_SHORT))
            memcpy(key, text, LL_TEXT_SHORT);
        else
            memcpy(key, text, size);
        return size;
    }
    if (size <= LL_TEXT_PREFIX) {
        for (size_t at = 0; at + 16 < size; at += 16)
            memcpy(key + at, text + at, 16);
        memcpy(key + size - 16, text + size - 16, 16);
        return size;
    }
    uint64_t hash[2];
    ll_murmur(text, size, hash);
    memcpy(key, text, LL_TEXT_PREFIX);
    memcpy(key + LL_TEXT_PREFIX, hash, sizeof hash);
    return LL_TEXT_CUT_KEY;
}

void ll_entries_emit(ll_text_work *work, size_t count, bool ordered, ll_text_cell *cell,
                     ll_text_output *output) {
    uint32_t *offsets = output->offsets + output->keys_used + output->cells_used;
    uint64_t *counts = output->counts + output->keys_used;
    uint8_t *data = output->data + output->bytes_used;
    size_t room = (size_t)(output->bytes_capacity - output->bytes_used);
    size_t filled = 0, before = 0;
    if (!ordered) ll_entries_sort(work, count);
    offsets[0] = 0;
    for (size_t i = 0; i < count; i++) {
        size_t entry = ordered ? i : work->sorted[i];
        uint32_t size = work->sizes[entry];
        /* Long texts made to collide in all 128 bits of their hash are one key. */
        if (i && size > LL_TEXT_PREFIX && ll_entry_compare(work, before, entry) == 0) {
            counts[filled - 1] += work->counts[entry];
            continue;
        }
        before = entry;
        const uint8_t *text = ll_entry_text(work, entry);
        offsets[filled + 1] =
            offsets[filled] + write_key(text, size, data + offsets[filled], room - offsets[filled]);
        counts[filled++] = work->counts[entry];
    }
    cell->keys = (int64_t)filled;
    cell->key_bytes = offsets[filled];
    output->cells[output->cells_used++] = *cell;
    output->keys_used += cell->keys;
    output->bytes_used += cell->key_bytes;
}
