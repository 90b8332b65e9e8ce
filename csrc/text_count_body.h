/* Counting plain texts of one cell, block by block; included by text_count.c only.
 *
 * A text of up to 16 bytes becomes two words, so that hashing and comparing it is arithmetic on
 * registers; a longer one is compared in place. Each block of 65,536 values goes into a table of
 * slots (15 bits of the hash and an entry's number, 4 bytes) that grows with the entries up to
 * 512 KiB, which stays in a second-level cache: Arrow's own table over a whole unit misses every
 * cache (100 ns a row at a million distinct texts, against 15 here). The exact counts of a block
 * then decide what is subtracted, and at most 4,096 entries go on into the next block.
 * Characters need no work an entry: their bytes lie one after another and are classed 64 at once.
 */
#ifndef LEADLINE_TEXT_COUNT_BODY_H
#define LEADLINE_TEXT_COUNT_BODY_H

#include "text.h"

#define TILE        256
#define FEWEST_BITS 10
#define MOST_BITS   18
#define TAG_BITS    (32 - LL_TEXT_INDEX)
#define TAG         (((uint32_t)1 << TAG_BITS) - 1)
#define NUMBER      (((uint32_t)1 << LL_TEXT_INDEX) - 1)

_Static_assert(LL_TEXT_SLOTS == 1 << MOST_BITS, "the largest table fills the slots");

typedef struct tile {
    const uint8_t *texts[TILE];
    uint32_t sizes[TILE];
    size_t count;         /* texts that are not null */
    int64_t rows;         /* consumed */
    const uint8_t *limit; /* end of the chunk's bytes */
    bool dense;           /* the texts lie one after another */
} tile;

typedef struct counter {
    const ll_text_chunk *chunks;
    const int32_t *order;
    ll_text_work *work;
    ll_text_output *output;
    ll_text_cell *cell;
    size_t entries;
    uint64_t key_bytes;
    unsigned bits;   /* of a slot's number */
    bool cut;        /* a key has lost bytes */
    bool overflowed; /* something was subtracted */
} counter;

/* ---- reading --------------------------------------------------------------------------------- */

LL_INLINE int read_rows(const ll_text_chunk *chunk, const int32_t *order, int64_t first, bool wide,
                        tile *out) {
    size_t filled = 0;
    int64_t wrong = 0;
    for (int64_t i = 0; i < out->rows; i++) {
        int64_t row = order ? order[first + i] : first + i;
        if (order && LL_UNLIKELY((uint64_t)row >= (uint64_t)chunk->length)) return LL_ERROR_RANGE;
        int64_t at = chunk->offset + row;
        int64_t begin = ll_load_offset(chunk->offsets, at, wide);
        int64_t end = ll_load_offset(chunk->offsets, at + 1, wide);
        wrong |= ll_wrong_offsets(begin, end, chunk->data_size);
        out->texts[filled] = (const uint8_t *)((uintptr_t)chunk->data + (uintptr_t)begin);
        out->sizes[filled] = (uint32_t)(end - begin);
        filled += !chunk->validity || (chunk->validity[at >> 3] >> (at & 7) & 1);
    }
    out->count = filled;
    out->limit = chunk->data + chunk->data_size;
    out->dense = !order && filled == (size_t)out->rows;
    return wrong < 0 ? LL_ERROR_RANGE : LL_OK;
}

/* The next rows, at most `most` and those of one chunk. */
LL_INLINE int read_tile(const counter *self, ll_position *from, int64_t most, tile *out) {
    const ll_text_chunk *chunk = self->chunks;
    out->rows = ll_smaller(most, TILE);
    if (!self->order) {
        while (from->row == self->chunks[from->chunk].length) {
            from->chunk++;
            from->row = 0;
        }
        chunk += from->chunk;
        out->rows = ll_smaller(out->rows, chunk->length - from->row);
    }
    int64_t first = from->row;
    from->row += out->rows;
    if (self->order)
        return chunk->wide ? read_rows(chunk, self->order, first, true, out)
                           : read_rows(chunk, self->order, first, false, out);
    return chunk->wide ? read_rows(chunk, NULL, first, true, out)
                       : read_rows(chunk, NULL, first, false, out);
}

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

LL_INLINE void rebuild(counter *self, unsigned bits) {
    uint32_t *slots = self->work->slots, mask = ((uint32_t)1 << bits) - 1;
    self->bits = bits;
    memset(slots, 0, sizeof *slots << bits);
    for (size_t i = 0; i < self->entries; i++) {
        const ll_text_words *text = self->work->texts + i;
        uint32_t size = self->work->sizes[i];
        uint64_t high = size > LL_TEXT_SHORT ? 0 : text->high; /* addresses are not hashed */
        uint64_t hash = slot_hash(text->low, high, size);
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

LL_INLINE bool is_entry(const ll_text_work *work, size_t entry, const uint8_t *text, uint32_t size,
                        uint64_t low, uint64_t high) {
    const ll_text_words *words = work->texts + entry;
    if (words->low != low || work->sizes[entry] != size) return false;
    if (LL_LIKELY(size <= LL_TEXT_SHORT)) return words->high == high;
    return same_bytes((const uint8_t *)(uintptr_t)words->high, text, size);
}

LL_INLINE void count_tile(counter *self, const tile *in) {
    uint64_t low[TILE], high[TILE], hashes[TILE];
    make_room(self);
    ll_text_work *work = self->work;
    uint32_t *slots = work->slots, mask = ((uint32_t)1 << self->bits) - 1;
    unsigned shift = 64 - self->bits;
    for (size_t i = 0; i < in->count; i++) {
        if (LL_LIKELY(in->sizes[i] <= LL_TEXT_SHORT)) {
            ll_load_short(in->texts[i], in->sizes[i], in->limit, low + i, high + i);
            hashes[i] = slot_hash(low[i], high[i], in->sizes[i]);
        } else {
            low[i] = long_hash(in->texts[i], in->sizes[i]);
            high[i] = (uint64_t)(uintptr_t)in->texts[i];
            hashes[i] = slot_hash(low[i], 0, in->sizes[i]);
        }
        __builtin_prefetch(slots + (hashes[i] >> shift));
    }
    size_t known = self->entries, filled = known;
    for (size_t i = 0; i < in->count; i++) {
        uint32_t place = (uint32_t)(hashes[i] >> shift), tag = (uint32_t)hashes[i] & TAG, slot;
        for (; (slot = slots[place]) != 0; place = (place + 1) & mask) {
            size_t entry = (slot & NUMBER) - 1;
            if (slot >> LL_TEXT_INDEX == tag &&
                LL_LIKELY(is_entry(work, entry, in->texts[i], in->sizes[i], low[i], high[i]))) {
                work->counts[entry]++;
                break;
            }
        }
        if (slot) continue;
        work->texts[filled] = (ll_text_words){low[i], high[i]};
        work->sizes[filled] = in->sizes[i];
        work->counts[filled++] = 1;
        slots[place] = tag << LL_TEXT_INDEX | (uint32_t)filled;
    }
    for (size_t i = known; i < filled; i++) {
        self->key_bytes += ll_key_size(work->sizes[i]);
        self->cut |= work->sizes[i] > LL_TEXT_PREFIX;
    }
    self->entries = filled;
    if (!self->overflowed) return;
    ll_entries_register(work, known, filled, ll_cell_registers(self->cell, self->output));
}

/* ---- characters ------------------------------------------------------------------------------ */

enum { LOWER, UPPER, DIGIT, SPACE, PUNCTUATION, CONTROL, OTHER };

#define LL_WIDE 16
#include "text_bytes_body.h"
#define LL_WIDE 32
#include "text_bytes_body.h"
#define LL_WIDE 64
#include "text_bytes_body.h"

LL_INLINE void class_bytes(const uint8_t *data, size_t size, uint64_t *classes, int set) {
    if (set == LL_SET_AVX512)
        class_bytes_64(data, size, classes);
    else if (set == LL_SET_AVX2)
        class_bytes_32(data, size, classes);
    else
        class_bytes_16(data, size, classes);
}

LL_INLINE bool are_utf8(const uint8_t *data, size_t size, int set) {
    if (set == LL_SET_AVX512) return are_utf8_64(data, size);
    return set == LL_SET_AVX2 ? are_utf8_32(data, size) : are_utf8_16(data, size);
}

/* Texts of a tile one after another: where they lie, or copied if they are short; the others are
 * looked at alone. */
typedef struct run {
    uint8_t copied[TILE * LL_TEXT_SHORT + LL_TEXT_SHORT];
    const uint8_t *data;
    size_t size;
} run;

LL_INLINE void join_texts(const tile *in, run *out) {
    size_t last = in->count - 1;
    if (in->dense) {
        out->data = in->texts[0];
        out->size = (size_t)(in->texts[last] + in->sizes[last] - in->texts[0]);
        return;
    }
    out->data = out->copied;
    out->size = 0;
    for (size_t i = 0; i < in->count; i++) {
        if (in->sizes[i] > LL_TEXT_SHORT) continue;
        if (LL_LIKELY((size_t)(in->limit - in->texts[i]) >= LL_TEXT_SHORT))
            memcpy(out->copied + out->size, in->texts[i], LL_TEXT_SHORT);
        else
            memcpy(out->copied + out->size, in->texts[i], in->sizes[i]);
        out->size += in->sizes[i];
    }
}

LL_INLINE bool is_alone(const tile *in, size_t i) {
    return !in->dense && in->sizes[i] > LL_TEXT_SHORT;
}

/* Whether every text of the tile is UTF-8 by itself. */
LL_INLINE bool are_all_utf8(const tile *in, const run *joined, int set) {
    if (!are_utf8(joined->data, joined->size, set)) return false;
    for (size_t i = 0; i < in->count; i++) {
        if (in->sizes[i] && (in->texts[i][0] & 0xc0) == 0x80) return false; /* cut in two */
        if (is_alone(in, i) && !are_utf8(in->texts[i], in->sizes[i], set)) return false;
    }
    return true;
}

/* Code points of UTF-8: all bytes but those that continue one. */
LL_INLINE uint32_t utf8_length(const uint8_t *text, uint32_t size, const uint8_t *limit) {
    const uint64_t tops = 0x8080808080808080u;
    uint32_t length = size;
    for (uint32_t at = 0; at < size; at += LL_TEXT_SHORT) {
        uint64_t low, high;
        ll_load_short(text + at, size - at, limit, &low, &high);
        length -= (uint32_t)__builtin_popcountll(low & tops & ~(low << 1));
        length -= (uint32_t)__builtin_popcountll(high & tops & ~(high << 1));
    }
    return length;
}

LL_INLINE void tally_length(counter *self, ll_text_form *form, size_t i, uint32_t length) {
    if (LL_LIKELY(length < LL_TEXT_EXACT))
        self->work->lengths[i & 1][length]++;
    else
        ll_form_add_length(form, length, 1);
}

LL_INLINE void tally_tile(counter *self, const tile *in, ll_text_form *form, int set) {
    uint64_t classes[LL_TEXT_CLASSES] = {0}, bytes = 0, known = 0, characters = 0;
    run joined;
    if (!in->count) return;
    join_texts(in, &joined);
    class_bytes(joined.data, joined.size, classes, set);
    for (size_t i = 0; i < in->count; i++) {
        bytes += in->sizes[i];
        if (is_alone(in, i)) class_bytes(in->texts[i], in->sizes[i], classes, set);
    }
    bool ascii = !classes[OTHER];
    if (!ascii && !are_all_utf8(in, &joined, set)) {
        for (size_t i = 0; i < in->count; i++)
            ll_form_add(form, in->texts[i], in->sizes[i], 1);
        return;
    }
    for (size_t i = 0; i < in->count; i++) {
        uint32_t size = in->sizes[i];
        uint32_t length = ascii ? size : utf8_length(in->texts[i], size, in->limit);
        characters += length;
        tally_length(self, form, i, length);
    }
    for (int field = 0; field < LL_TEXT_CLASSES; field++)
        known += classes[field];
    classes[PUNCTUATION] = bytes - known;
    classes[OTHER] -= bytes - characters;
    for (int field = 0; field < LL_TEXT_CLASSES; field++)
        form->classes[field] += classes[field];
}

/* Add rows to the cell's form. They were read before, so their offsets are right. */
LL_INLINE void tally(counter *self, ll_position from, int64_t rows, int set) {
    ll_text_form *form = ll_cell_form(self->cell, self->output);
    uint32_t (*lengths)[LL_TEXT_EXACT] = self->work->lengths;
    tile in;
    memset(self->work->lengths, 0, sizeof self->work->lengths);
    for (int64_t done = 0; done < rows; done += in.rows) {
        if (read_tile(self, &from, rows - done, &in)) return;
        tally_tile(self, &in, form, set);
    }
    for (uint32_t length = 0; length < LL_TEXT_EXACT; length++)
        if (lengths[0][length] | lengths[1][length])
            ll_form_add_length(form, length, (uint64_t)lengths[0][length] + lengths[1][length]);
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* Keep the entries counted more than `excess` times. */
LL_INLINE void subtract(counter *self, uint32_t excess) {
    ll_text_work *work = self->work;
    size_t kept = 0;
    self->key_bytes = 0;
    for (size_t i = 0; i < self->entries; i++) {
        if (work->counts[i] <= excess) continue;
        work->texts[kept] = work->texts[i];
        work->sizes[kept] = work->sizes[i];
        work->counts[kept++] = work->counts[i] - excess;
        self->key_bytes += ll_key_size(work->sizes[i]);
    }
    self->entries = kept;
    self->cell->error += excess;
    rebuild(self, self->bits);
}

/* Bring the entries down to what may be held; `from`: the first row that is not yet tallied. */
LL_INLINE void finish_block(counter *self, ll_position *from, int64_t rows, ll_position end,
                            int set) {
    uint64_t excess = ll_entries_excess(self->work, self->entries, self->key_bytes);
    if (!excess && !self->overflowed) return;
    if (!self->overflowed) /* from now on, as they are met */
        ll_entries_register(self->work, 0, self->entries,
                            ll_cell_registers(self->cell, self->output));
    self->overflowed = true;
    tally(self, *from, rows, set);
    *from = end;
    if (excess) subtract(self, (uint32_t)excess);
}

LL_INLINE int count_cell(counter *self, ll_position *from, int64_t rows, int set) {
    ll_position untallied = *from, begin = *from;
    int64_t behind = 0, in_block = 0;
    tile in;
    self->entries = 0;
    self->key_bytes = 0;
    self->cut = self->overflowed = false;
    rebuild(self, FEWEST_BITS);
    for (int64_t done = 0; done < rows; done += in.rows) {
        int code = read_tile(self, from, ll_smaller(rows - done, LL_TEXT_BLOCK - in_block), &in);
        if (code) return code;
        count_tile(self, &in);
        self->cell->total += (int64_t)in.count;
        in_block += (int64_t)in.count;
        behind += in.rows;
        if (in_block < LL_TEXT_BLOCK && done + in.rows < rows) continue;
        finish_block(self, &untallied, behind, *from, set);
        if (self->overflowed) behind = 0;
        in_block = 0;
    }
    if (self->cut && !self->overflowed) tally(self, begin, rows, set);
    ll_entries_emit(self->work, self->entries, false, self->cell, self->output);
    return LL_OK;
}

#endif
