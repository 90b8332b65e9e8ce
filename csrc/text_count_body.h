/* Counting plain texts of one cell, block by block; included by text_count.c only.
 *
 * A text of up to 16 bytes becomes two words, so that hashing and comparing it is arithmetic on
 * registers; a longer one is compared in place. Each block of 65,536 values goes into a table of
 * slots (15 bits of the hash and an entry's number, 4 bytes) that grows with the entries up to
 * 512 KiB. The exact counts of a block then decide what is subtracted, and at most 4,096 entries go
 * on into the next block.
 *
 * Once a block has more entries than may be held, at least 1 will be subtracted, so what comes only
 * once need not become an entry. From there on, where most do, texts pass a filter first: each
 * marks one of 2^20 places, by the hash that the distinct count needs anyway, and waits. When the
 * block ends, only those whose place was marked twice, an eighth at a million distinct texts, are
 * counted. That this is exact depends on no hash: texts that are equal mark the same place.
 */
#ifndef LEADLINE_TEXT_COUNT_BODY_H
#define LEADLINE_TEXT_COUNT_BODY_H

#include "text_rows_body.h"
#include "text_tally_body.h"

#define FEWEST_BITS 10
#define MOST_BITS   18
#define TAG_BITS    (32 - LL_TEXT_INDEX)
#define TAG         (((uint32_t)1 << TAG_BITS) - 1)
#define NUMBER      (((uint32_t)1 << LL_TEXT_INDEX) - 1)

_Static_assert(LL_TEXT_SLOTS == 1 << MOST_BITS, "the largest table fills the slots");

typedef struct counter {
    ll_text_work *work;
    ll_text_cell *cell;
    ll_text_form *form; /* NULL until it is known that something will be subtracted */
    uint8_t *registers; /* as well */
    size_t entries;
    uint32_t next_waiting; /* texts behind the entries that pass the filter */
    uint32_t end_waiting;
    uint64_t key_bytes; /* of the entries */
    int64_t once;       /* texts that came only once in the last block; -1 before the first */
    unsigned bits;      /* of a slot's number */
    bool cut;           /* a key has lost bytes */
    bool filters;       /* the rest of this block */
} counter;

/* ---- table ----------------------------------------------------------------------------------- */

/* Every bit of the words reaches the upper bits, which are the slot, and the lowest, the tag. */
LL_INLINE uint64_t slot_hash(uint64_t low, uint64_t high, uint32_t size) {
    uint64_t x = low * 0x9e3779b97f4a7c15u + ll_rotate(high * 0xc2b2ae3d27d4eb4fu, 31) + size;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 29);
}

LL_INLINE uint64_t stir(uint64_t state, uint64_t word) {
    return (ll_rotate(state, 29) ^ word) * 0x9e3779b97f4a7c15u;
}

/* A word for a text of more than 16 bytes; four chains, for one multiplication waits for another.
 */
LL_INLINE uint64_t long_hash(const uint8_t *text, size_t size) {
    uint64_t a = ll_load_word(text + size - 8), b = ll_load_word(text + size - 16), c = 0, d = 0;
    size_t at = 0;
    for (; at + 32 < size; at += 32) {
        a = stir(a, ll_load_word(text + at));
        b = stir(b, ll_load_word(text + at + 8));
        c = stir(c, ll_load_word(text + at + 16));
        d = stir(d, ll_load_word(text + at + 24));
    }
    if (at + 16 < size) {
        a = stir(a, ll_load_word(text + at));
        b = stir(b, ll_load_word(text + at + 8));
    }
    a = stir(a ^ (a >> 32), c ^ (c >> 32));
    b = stir(b ^ (b >> 32), d ^ (d >> 32));
    return a ^ (a >> 32) ^ ll_rotate(b, 23);
}

LL_INLINE uint64_t words_hash(const ll_text_words *text, uint32_t size) {
    uint64_t high = text->high;
    /* No address is hashed. A mask in place of the choice becomes an SBB of a register with itself,
     * which waits for what was in it, the hash before: 7.3 ns a row instead of 4.9 at ten texts. */
    return slot_hash(text->low, size > LL_TEXT_SHORT ? 0 : high, size);
}

LL_INLINE void rebuild(counter *self, unsigned bits) {
    uint32_t *slots = self->work->slots, mask = ((uint32_t)1 << bits) - 1;
    self->bits = bits;
    memset(slots, 0, sizeof *slots << bits);
    for (size_t i = 0; i < self->entries; i++) {
        uint64_t hash = words_hash(self->work->texts + i, self->work->sizes[i]);
        uint32_t place = (uint32_t)(hash >> (64 - bits));
        while (slots[place])
            place = (place + 1) & mask;
        slots[place] = ((uint32_t)hash & TAG) << LL_TEXT_INDEX | (uint32_t)(i + 1);
    }
}

LL_INLINE void make_room(counter *self) {
    unsigned bits = self->bits;
    while (bits < MOST_BITS && 2 * (self->entries + TILE) > (size_t)1 << bits)
        bits++;
    if (bits == self->bits) return;
    rebuild(self, bits + 1 < MOST_BITS ? bits + 1 : MOST_BITS);
}

/* Whether two texts of more than 16 bytes are equal. */
LL_INLINE bool same_bytes(const uint8_t *a, const uint8_t *b, size_t size) {
    uint64_t differing = 0;
    if (size > 8 * LL_TEXT_SHORT) return memcmp(a, b, size) == 0;
    for (size_t at = 0; at + 16 < size; at += 16) {
        differing |= ll_load_word(a + at) ^ ll_load_word(b + at);
        differing |= ll_load_word(a + at + 8) ^ ll_load_word(b + at + 8);
    }
    differing |= ll_load_word(a + size - 16) ^ ll_load_word(b + size - 16);
    differing |= ll_load_word(a + size - 8) ^ ll_load_word(b + size - 8);
    return differing == 0;
}

LL_INLINE bool is_entry(const ll_text_work *work, size_t entry, const ll_text_words *text,
                        uint32_t size) {
    const ll_text_words *words = work->texts + entry;
    if (words->low != text->low || work->sizes[entry] != size) return false;
    if (LL_LIKELY(size <= LL_TEXT_SHORT)) return words->high == text->high;
    return same_bytes((const uint8_t *)(uintptr_t)words->high,
                      (const uint8_t *)(uintptr_t)text->high, size);
}

/* Count texts, whose words this changes. */
LL_INLINE void count_texts(counter *self, ll_text_words *texts, const uint32_t *sizes,
                           size_t count) {
    uint64_t hashes[TILE];
    make_room(self);
    ll_text_work *work = self->work;
    uint32_t *slots = work->slots, mask = ((uint32_t)1 << self->bits) - 1, longest = 0;
    unsigned shift = 64 - self->bits;
    for (size_t i = 0; i < count; i++)
        longest = longest > sizes[i] ? longest : sizes[i];
    for (size_t i = 0; longest > LL_TEXT_SHORT && i < count; i++)
        if (sizes[i] > LL_TEXT_SHORT)
            texts[i].low = long_hash((const uint8_t *)(uintptr_t)texts[i].high, sizes[i]);
    for (size_t i = 0; i < count; i++)
        hashes[i] = words_hash(texts + i, sizes[i]);
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(slots + (hashes[i] >> shift));
    size_t filled = self->entries;
    for (size_t i = 0; i < count; i++) {
        uint32_t place = (uint32_t)(hashes[i] >> shift), tag = (uint32_t)hashes[i] & TAG, slot;
        for (; (slot = slots[place]) != 0; place = (place + 1) & mask) {
            size_t entry = (slot & NUMBER) - 1;
            if (slot >> LL_TEXT_INDEX == tag &&
                LL_LIKELY(is_entry(work, entry, texts + i, sizes[i]))) {
                work->counts[entry]++;
                break;
            }
        }
        if (slot) continue;
        work->texts[filled] = texts[i];
        work->sizes[filled] = sizes[i];
        work->counts[filled++] = 1;
        slots[place] = tag << LL_TEXT_INDEX | (uint32_t)filled;
    }
    for (size_t i = self->entries; i < filled; i++) {
        self->key_bytes += ll_key_size(work->sizes[i]);
        self->cut |= work->sizes[i] > LL_TEXT_PREFIX;
    }
    self->entries = filled;
}

LL_INLINE void count_tile(counter *self, const tile *in) {
    ll_text_words words[TILE];
    size_t known = self->entries;
    load_words(in, words);
    count_texts(self, words, in->sizes, in->count);
    if (self->registers) ll_entries_register(self->work, known, self->entries, self->registers);
}

/* ---- filter ---------------------------------------------------------------------------------- */

/* The word of a mark's place, and its bit there: the lower half of a word says which of 32 places
 * are marked, the upper one which are marked twice. */
#define MARK_WORD(mark) ((mark) >> 5)
#define MARK_BIT(mark)  ((uint64_t)1 << ((mark) & 31))

/* Filter from now on; the entries pass. */
LL_INLINE void begin_filter(counter *self) {
    uint64_t *marks = self->work->marks, hashes[TILE];
    self->filters = true;
    self->next_waiting = self->end_waiting = (uint32_t)self->entries;
    memset(marks, 0, sizeof self->work->marks);
    for (size_t begin = 0; begin < self->entries; begin += TILE) {
        size_t size = self->entries - begin < TILE ? self->entries - begin : TILE;
        ll_entries_hash(self->work, begin, size, hashes);
        for (size_t i = 0; i < size; i++) {
            uint32_t mark = (uint32_t)hashes[i] & (LL_TEXT_MARKS - 1);
            marks[MARK_WORD(mark)] |= MARK_BIT(mark) | MARK_BIT(mark) << 32;
        }
    }
}

/* Let a tile wait behind the entries, with marks in place of counts. */
LL_INLINE void filter_tile(counter *self, const tile *in) {
    ll_text_work *work = self->work;
    uint64_t *restrict marks = work->marks, hashes[TILE];
    size_t begin = self->end_waiting, count = in->count;
    uint32_t *restrict own = work->counts + begin;
    load_words(in, work->texts + begin);
    memcpy(work->sizes + begin, in->sizes, count * sizeof *in->sizes);
    ll_entries_hash(work, begin, count, hashes);
    ll_distinct_add_hashes(hashes, (int64_t)count, self->registers);
    for (size_t i = 0; i < count; i++)
        own[i] = (uint32_t)hashes[i] & (LL_TEXT_MARKS - 1);
    for (size_t i = 0; i < count; i++) {
        uint64_t *word = marks + MARK_WORD(own[i]), held = *word, bit = MARK_BIT(own[i]);
        *word = held | bit | (held & bit) << 32;
    }
    self->end_waiting += (uint32_t)count;
}

/* Places of those waiting texts that may have come twice, at most a tile of them, from the one
 * where the last call ended. */
LL_INLINE size_t pick_waiting(counter *self, uint32_t *restrict places) {
    const uint32_t *restrict own = self->work->counts;
    const uint64_t *restrict marks = self->work->marks;
    uint32_t at = self->next_waiting, end = self->end_waiting;
    size_t picked = 0;
    for (; at < end && picked < TILE; at++) {
        places[picked] = at;
        picked += marks[MARK_WORD(own[at])] >> 32 >> (own[at] & 31) & 1;
    }
    self->next_waiting = at;
    return picked;
}

/* Count picked texts; the entries never reach the next one that waits. */
LL_INLINE void count_picked(counter *self, const uint32_t *places, size_t count) {
    ll_text_words texts[TILE];
    uint32_t sizes[TILE];
    for (size_t i = 0; i < count; i++) {
        texts[i] = self->work->texts[places[i]];
        sizes[i] = self->work->sizes[places[i]];
    }
    count_texts(self, texts, sizes, count);
}

/* ---- subtraction ----------------------------------------------------------------------------- */

/* Keep the entries counted more than `excess` times; no CPU foresees which ones. */
LL_INLINE void subtract(counter *self, uint32_t excess) {
    ll_text_work *work = self->work;
    uint64_t *restrict stay = work->spare;
    size_t kept = 0;
    for (size_t i = 0; i < self->entries; i++) {
        stay[kept] = i;
        kept += work->counts[i] > excess;
    }
    for (size_t i = 0; i < self->entries; i++)
        self->once += work->counts[i] == 1;
    self->key_bytes = 0;
    for (size_t i = 0; i < kept; i++) {
        work->texts[i] = work->texts[stay[i]];
        work->sizes[i] = work->sizes[stay[i]];
        work->counts[i] = work->counts[stay[i]] - excess;
        self->key_bytes += ll_key_size(work->sizes[i]);
    }
    self->entries = kept;
    self->cell->error += excess;
    rebuild(self, self->bits);
}

#endif
