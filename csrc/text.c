/* What single texts are (characters, length), and packed keys: hashing, measuring, merging.
 *
 * Seven counters of 8 bits share one word, so that a character costs one shift and one addition.
 */
#include "text.h"

#define FIELD_BITS 8
#define FIELD_MOST 255

enum { LOWER, UPPER, DIGIT, SPACE, PUNCTUATION, CONTROL, OTHER };

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

size_t ll_utf8_sequence(const uint8_t *data, size_t size) {
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

void ll_form_add(ll_text_form *form, const uint8_t *data, uint32_t size, uint64_t weight) {
    uint32_t length = 0;
    for (size_t at = 0; at < size;) {
        uint64_t fields = 0;
        unsigned taken = 0;
        for (; at < size && taken < FIELD_MOST; taken++) {
            if (LL_LIKELY(data[at] < 0x80)) {
                fields += (uint64_t)1 << FIELD[data[at++]];
            } else {
                fields += (uint64_t)1 << (OTHER * FIELD_BITS);
                at += ll_utf8_sequence(data + at, size - at);
            }
        }
        length += taken;
        for (int field = 0; field < LL_TEXT_CLASSES; field++)
            form->classes[field] += weight * ((fields >> (field * FIELD_BITS)) & FIELD_MOST);
    }
    ll_form_add_length(form, length, weight);
}

/* A length's place is the bucket of its double: the octave, and the eight bits after the first. */
void ll_form_add_length(ll_text_form *form, uint32_t length, uint64_t weight) {
    if (!length) {
        form->empty += weight;
        return;
    }
    int octave = 31 - __builtin_clz(length);
    uint32_t place = octave > 8 ? length >> (octave - 8) : length << (8 - octave);
    form->lengths[octave][place & 0xff] += weight;
    form->octaves |= (uint64_t)1 << octave;
    form->total += weight * length;
    form->minimum = form->minimum && form->minimum < length ? form->minimum : length;
    form->maximum = form->maximum > length ? form->maximum : length;
}

/* ---- packed keys ----------------------------------------------------------------------------- */

bool ll_keys_inside(const uint32_t *offsets, int64_t count, int64_t size) {
    if (offsets[count] > size) return false;
    for (int64_t i = 0; i < count; i++)
        if (offsets[i] > offsets[i + 1]) return false;
    return true;
}

int ll_text_hash(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                 uint64_t *hashes) {
    if (count < 0 || size < 0) return LL_ERROR_ARGUMENT;
    if (!ll_keys_inside(offsets, count, size)) return LL_ERROR_RANGE;
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *key = data + offsets[i];
        uint32_t bytes = offsets[i + 1] - offsets[i];
        uint64_t both[2] = {0, 0};
        if (bytes == LL_TEXT_CUT_KEY)
            both[0] = ll_load_word(key + LL_TEXT_PREFIX);
        else
            ll_murmur(key, bytes, both);
        hashes[i] = both[0];
    }
    return LL_OK;
}

int ll_text_describe(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                     const uint64_t *counts, ll_text_form *form) {
    if (count < 0 || size < 0) return LL_ERROR_ARGUMENT;
    if (!ll_keys_inside(offsets, count, size)) return LL_ERROR_RANGE;
    memset(form, 0, sizeof *form);
    for (int64_t i = 0; i < count; i++)
        ll_form_add(form, data + offsets[i], offsets[i + 1] - offsets[i], counts[i]);
    return LL_OK;
}

int ll_text_ascending(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                      int32_t *answer) {
    if (count < 0 || size < 0) return LL_ERROR_ARGUMENT;
    if (!ll_keys_inside(offsets, count, size)) return LL_ERROR_RANGE;
    *answer = 1;
    for (int64_t i = 1; i < count && *answer; i++)
        *answer = ll_keys_compare(data + offsets[i - 1], offsets[i] - offsets[i - 1],
                                  data + offsets[i], offsets[i + 1] - offsets[i]) < 0;
    return LL_OK;
}

/* Whether the keys counted more than `excess` times fit. */
static bool fits_above(const uint32_t *offsets, const uint64_t *counts, size_t count,
                       uint64_t excess) {
    uint64_t keys = 0, bytes = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t held = counts[i] > excess;
        keys += held;
        bytes += held * (offsets[i + 1] - offsets[i]);
    }
    return ll_text_fits(keys, bytes);
}

/* Take from all counts what leaves keys that fit: the least such number, by bisection. */
static uint64_t reduce(uint32_t *offsets, uint8_t *data, uint64_t *counts, size_t *count) {
    uint64_t low = 0, high = UINT64_MAX;
    if (fits_above(offsets, counts, *count, 0)) return 0;
    while (high - low > 1) { /* low does not fit, high does */
        uint64_t middle = low + (high - low) / 2;
        if (fits_above(offsets, counts, *count, middle))
            high = middle;
        else
            low = middle;
    }
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        uint32_t begin = offsets[i], bytes = offsets[i + 1] - begin;
        if (counts[i] <= high) continue;
        memmove(data + offsets[kept], data + begin, bytes);
        counts[kept] = counts[i] - high;
        offsets[kept + 1] = offsets[kept] + bytes; /* at or before what is read next */
        kept++;
    }
    *count = kept;
    return high;
}

int ll_text_merge(const uint32_t *a_offsets, const uint8_t *a_data, int64_t a_size,
                  const uint64_t *a_counts, int64_t a_count, const uint32_t *b_offsets,
                  const uint8_t *b_data, int64_t b_size, const uint64_t *b_counts, int64_t b_count,
                  uint32_t *offsets, uint8_t *data, uint64_t *counts, uint64_t *found) {
    if (a_count < 0 || b_count < 0 || a_size < 0 || b_size < 0) return LL_ERROR_ARGUMENT;
    if (a_size > INT32_MAX || b_size > INT32_MAX) return LL_ERROR_ARGUMENT;
    if (!ll_keys_inside(a_offsets, a_count, a_size) || !ll_keys_inside(b_offsets, b_count, b_size))
        return LL_ERROR_RANGE;
    size_t filled = 0;
    offsets[0] = 0;
    for (int64_t i = 0, j = 0; i < a_count || j < b_count;) {
        int order = i == a_count ? 1 : -1;
        if (i < a_count && j < b_count)
            order = ll_keys_compare(a_data + a_offsets[i], a_offsets[i + 1] - a_offsets[i],
                                    b_data + b_offsets[j], b_offsets[j + 1] - b_offsets[j]);
        const uint8_t *key = order <= 0 ? a_data + a_offsets[i] : b_data + b_offsets[j];
        uint32_t bytes =
            order <= 0 ? a_offsets[i + 1] - a_offsets[i] : b_offsets[j + 1] - b_offsets[j];
        memcpy(data + offsets[filled], key, bytes);
        counts[filled] = (order <= 0 ? a_counts[i] : 0) + (order >= 0 ? b_counts[j] : 0);
        offsets[filled + 1] = offsets[filled] + bytes;
        i += order <= 0;
        j += order >= 0;
        filled++;
    }
    found[1] = reduce(offsets, data, counts, &filled);
    found[0] = filled;
    return LL_OK;
}
