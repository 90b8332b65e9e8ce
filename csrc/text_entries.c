/* Entries of a table of texts: which have to go, in which order keys are written, their hashes.
 *
 * Keys sort by a word each: what follows the bytes that all share, and the entry's number in the
 * low bits. Only entries that agree in that word are compared byte by byte.
 */
#include "sort.h"
#include "text.h"

#define TILE 256

/* ---- order ----------------------------------------------------------------------------------- */

int ll_entry_compare(const ll_text_entry *a, const ll_text_entry *b) {
    bool cut = a->size > LL_TEXT_PREFIX && b->size > LL_TEXT_PREFIX;
    uint32_t a_size = a->size < LL_TEXT_PREFIX ? a->size : LL_TEXT_PREFIX;
    uint32_t b_size = b->size < LL_TEXT_PREFIX ? b->size : LL_TEXT_PREFIX;
    int order = memcmp(a->text, b->text, a_size < b_size ? a_size : b_size);
    if (order) return order;
    if (!cut) return (a->size > b->size) - (a->size < b->size);
    uint64_t a_hash[2], b_hash[2];
    ll_murmur(a->text, a->size, a_hash);
    ll_murmur(b->text, b->size, b_hash);
    for (int word = 0; word < 2; word++) { /* their bytes are written little-endian */
        uint64_t a_word = __builtin_bswap64(a_hash[word]), b_word = __builtin_bswap64(b_hash[word]);
        if (a_word != b_word) return a_word < b_word ? -1 : 1;
    }
    return 0;
}

/* Bytes at the beginning that all texts share. */
static size_t shared_bytes(const ll_text_entry *entries, size_t count) {
    size_t shared = entries[0].size < LL_TEXT_PREFIX ? entries[0].size : LL_TEXT_PREFIX;
    for (size_t i = 1; i < count && shared; i++) {
        size_t most = entries[i].size < shared ? entries[i].size : shared, same = 0;
        while (same < most && entries[i].text[same] == entries[0].text[same])
            same++;
        shared = same;
    }
    return shared;
}

/* Merge sort of numbers of entries that agree in their word. */
static void sort_ties(const ll_text_entry *entries, uint64_t *sorted, uint64_t *spare,
                      size_t count) {
    if (count < 2) return;
    size_t half = count / 2, i = 0, j = half;
    sort_ties(entries, sorted, spare, half);
    sort_ties(entries, sorted + half, spare, count - half);
    memcpy(spare, sorted, count * sizeof *spare);
    for (size_t filled = 0; filled < count; filled++) {
        bool second = i == half;
        if (!second && j < count)
            second = ll_entry_compare(entries + spare[j], entries + spare[i]) < 0;
        sorted[filled] = second ? spare[j++] : spare[i++];
    }
}

void ll_entries_sort(const ll_text_entry *entries, size_t count, uint64_t *sorted,
                     uint64_t *spare) {
    const uint64_t number = ((uint64_t)1 << LL_TEXT_INDEX) - 1;
    size_t shared = count ? shared_bytes(entries, count) : 0;
    for (size_t i = 0; i < count; i++) {
        /* A cut key ends its word where the digest begins: behind that, only the digest counts. */
        size_t size = entries[i].size < LL_TEXT_PREFIX ? entries[i].size : LL_TEXT_PREFIX;
        size_t rest = size - shared < 8 ? size - shared : 8;
        uint64_t word = ll_load_bytes(entries[i].text + shared, rest);
        sorted[i] = (__builtin_bswap64(word) & ~number) | i;
    }
    ll_sort_keys(sorted, spare, count);
    for (size_t begin = 0, end; begin < count; begin = end) {
        uint64_t word = sorted[begin] & ~number;
        for (end = begin; end < count && (sorted[end] & ~number) == word; end++)
            sorted[end] &= number;
        sort_ties(entries, sorted + begin, spare, end - begin);
    }
}

int ll_text_rank(const ll_text_chunk *dictionary, ll_text_work *work, int32_t *ranks,
                 int32_t *ranked, int64_t *distinct) {
    ll_text_entry *entries = work->entries;
    size_t filled = 0;
    if (dictionary->length < 0 || dictionary->offset < 0 || dictionary->length > LL_TEXT_BLOCK)
        return LL_ERROR_ARGUMENT;
    for (int64_t code = 0; code < dictionary->length; code++) {
        ranks[code] = -1;
        if (ll_is_null(dictionary->validity, dictionary->offset + code)) continue;
        int error = ll_dictionary_entry(dictionary, code, entries + filled);
        if (error) return error;
        entries[filled++].count = (uint32_t)code;
    }
    ll_entries_sort(entries, filled, work->sorted, work->spare);
    *distinct = 0;
    for (size_t i = 0; i < filled; i++) {
        const ll_text_entry *entry = entries + work->sorted[i];
        if (!i || ll_entry_compare(entries + work->sorted[i - 1], entry) != 0)
            ranked[(*distinct)++] = (int32_t)entry->count;
        ranks[entry->count] = (int32_t)*distinct - 1;
    }
    return LL_OK;
}

/* ---- capacity -------------------------------------------------------------------------------- */

/* Whether the entries counted more than `excess` times fit. */
static bool fits_above(const ll_text_entry *entries, size_t count, uint64_t excess) {
    uint64_t keys = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t held = entries[i].count > excess;
        keys += held;
        bytes += held * ll_key_size(entries[i].size);
    }
    return ll_text_fits(keys, bytes);
}

uint64_t ll_entries_excess(const ll_text_entry *entries, size_t count, uint64_t key_bytes) {
    if (ll_text_fits(count, key_bytes)) return 0;
    uint64_t low = 0, high = 1;
    for (; !fits_above(entries, count, high); high *= 2) /* most often 1 is enough */
        low = high;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (fits_above(entries, count, middle))
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* ---- hashes ---------------------------------------------------------------------------------- */

LL_INLINE void hash_body(const uint64_t *low, const uint64_t *high, const uint64_t *sizes,
                         uint64_t *hashes) {
    for (int i = 0; i < TILE; i++) {
        uint64_t second;
        hashes[i] =
            ll_murmur_tail(LL_MURMUR_SEED, LL_MURMUR_SEED, low[i], high[i], sizes[i], &second);
    }
}

typedef void (*hash_function)(const uint64_t *, const uint64_t *, const uint64_t *, uint64_t *);

#define DEFINE_HASH(isa, number, target)                                                           \
    target static void hash_##isa(const uint64_t *low, const uint64_t *high,                       \
                                  const uint64_t *sizes, uint64_t *hashes) {                       \
        hash_body(low, high, sizes, hashes);                                                       \
    }
LL_FOR_EACH_VARIANT(DEFINE_HASH)

void ll_entries_register(const ll_text_entry *entries, size_t count, uint8_t *registers) {
    static const hash_function variants[] = LL_VARIANTS(hash);
    hash_function hash = variants[ll_set_active()];
    uint64_t low[TILE] = {0}, high[TILE] = {0}, sizes[TILE] = {0}, hashes[TILE];
    for (size_t begin = 0; begin < count; begin += TILE) {
        const ll_text_entry *tile = entries + begin;
        size_t size = count - begin < TILE ? count - begin : TILE;
        uint32_t longest = 0;
        for (size_t i = 0; i < size; i++) {
            low[i] = tile[i].low;
            high[i] = tile[i].high;
            sizes[i] = tile[i].size;
            longest = tile[i].size > longest ? tile[i].size : longest;
        }
        hash(low, high, sizes, hashes);
        for (size_t i = 0; i < size && longest >= LL_TEXT_SHORT; i++) {
            uint64_t both[2];
            if (tile[i].size < LL_TEXT_SHORT) continue;
            ll_murmur(tile[i].text, tile[i].size, both);
            hashes[i] = both[0];
        }
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

static uint32_t write_key(const ll_text_entry *entry, uint8_t *key) {
    if (entry->size <= LL_TEXT_PREFIX) {
        memcpy(key, entry->text, entry->size);
        return entry->size;
    }
    uint64_t hash[2];
    ll_murmur(entry->text, entry->size, hash);
    memcpy(key, entry->text, LL_TEXT_PREFIX);
    for (int word = 0; word < 2; word++)
        for (int byte = 0; byte < 8; byte++)
            key[LL_TEXT_PREFIX + 8 * word + byte] = (uint8_t)(hash[word] >> (8 * byte));
    return LL_TEXT_CUT_KEY;
}

void ll_entries_emit(ll_text_work *work, size_t count, bool ordered, ll_text_cell *cell,
                     ll_text_output *output) {
    const ll_text_entry *entries = work->entries;
    uint32_t *offsets = output->offsets + output->keys_used + output->cells_used;
    uint64_t *counts = output->counts + output->keys_used;
    uint8_t *data = output->data + output->bytes_used;
    const ll_text_entry *before = NULL;
    size_t filled = 0;
    if (!ordered) ll_entries_sort(entries, count, work->sorted, work->spare);
    offsets[0] = 0;
    for (size_t i = 0; i < count; i++) {
        const ll_text_entry *entry = entries + (ordered ? i : work->sorted[i]);
        /* Long texts made to collide in all 128 bits of their hash are one key. */
        if (before && entry->size > LL_TEXT_PREFIX && ll_entry_compare(before, entry) == 0) {
            counts[filled - 1] += entry->count;
            continue;
        }
        before = entry;
        offsets[filled + 1] = offsets[filled] + write_key(entry, data + offsets[filled]);
        counts[filled++] = entry->count;
    }
    cell->keys = (int64_t)filled;
    cell->key_bytes = offsets[filled];
    output->cells[output->cells_used++] = *cell;
    output->keys_used += cell->keys;
    output->bytes_used += cell->key_bytes;
}
