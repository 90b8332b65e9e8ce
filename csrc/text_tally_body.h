/* Lengths and kinds of characters of a tile of texts; included by text_count_body.h.
 *
 * Characters need no work a text: their bytes lie one after another and are classed 64 at once.
 */
#ifndef LEADLINE_TEXT_TALLY_BODY_H
#define LEADLINE_TEXT_TALLY_BODY_H

#include "text_rows_body.h"

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

/* The lengths of one tile seldom differ much: each is counted by itself, in vectors. Else they go
 * into eight tables in turn: an increment waits for the one before it in the same place.
 */
LL_INLINE void tally_lengths(ll_text_work *work, const uint32_t *lengths, size_t count,
                             ll_text_form *form) {
    uint32_t shortest = UINT32_MAX, longest = 0;
    for (size_t i = 0; i < count; i++) {
        shortest = shortest < lengths[i] ? shortest : lengths[i];
        longest = longest > lengths[i] ? longest : lengths[i];
    }
    if (longest < LL_TEXT_EXACT && longest - shortest < 8) {
        for (uint32_t length = shortest; length <= longest; length++) {
            uint32_t found = 0;
            for (size_t i = 0; i < count; i++)
                found += lengths[i] == length;
            work->lengths[length][0] += found;
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (LL_LIKELY(lengths[i] < LL_TEXT_EXACT))
            work->lengths[lengths[i]][i % 8]++;
        else
            ll_form_add_length(form, lengths[i], 1);
    }
}

LL_INLINE void tally_tile(ll_text_work *work, const tile *in, ll_text_form *form, int set) {
    uint64_t classes[LL_TEXT_CLASSES] = {0}, bytes = 0, known = 0, characters = 0;
    uint32_t lengths[TILE];
    run joined;
    join_texts(in, &joined);
    class_bytes(joined.data, joined.size, classes, set);
    for (size_t i = 0; !in->dense && !in->brief && i < in->count; i++)
        if (is_alone(in, i)) class_bytes(in->texts[i], in->sizes[i], classes, set);
    for (size_t i = 0; i < in->count; i++)
        bytes += in->sizes[i];
    characters = bytes;
    if (classes[OTHER]) {
        if (!are_all_utf8(in, &joined, set)) {
            for (size_t i = 0; i < in->count; i++)
                ll_form_add(form, in->texts[i], in->sizes[i], 1);
            return;
        }
        characters = 0;
        for (size_t i = 0; i < in->count; i++) {
            lengths[i] = utf8_length(in->texts[i], in->sizes[i], in->limit);
            characters += lengths[i];
        }
    }
    tally_lengths(work, classes[OTHER] ? lengths : in->sizes, in->count, form);
    for (int field = 0; field < LL_TEXT_CLASSES; field++)
        known += classes[field];
    classes[PUNCTUATION] = bytes - known;
    classes[OTHER] -= bytes - characters;
    for (int field = 0; field < LL_TEXT_CLASSES; field++)
        form->classes[field] += classes[field];
}

/* Add the lengths of tallied tiles to the form. */
LL_INLINE void tally_end(ll_text_work *work, ll_text_form *form) {
    for (uint32_t length = 0; length < LL_TEXT_EXACT; length++) {
        uint64_t count = 0;
        for (int i = 0; i < 8; i++)
            count += work->lengths[length][i];
        if (count) ll_form_add_length(form, length, count);
    }
}

#endif
