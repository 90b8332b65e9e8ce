/* Classes of characters and well-formedness of many bytes at once, in vectors of LL_WIDE bytes.
 *
 * Included once a width by text_count_body.h: 16, 32 and 64 bytes for the three instruction sets.
 * GCC takes vectors apart, byte by byte, that are wider than the registers (30 ns a text of 7
 * bytes, against 0.5).
 */
#define WIDE_JOIN(name, width)  name##_##width
#define WIDE_NAME(name, width)  WIDE_JOIN(name, width)
#define WIDE_FUNCTION(function) WIDE_NAME(function, LL_WIDE)
#define wide_bytes              WIDE_FUNCTION(wide_bytes)

typedef uint8_t wide_bytes __attribute__((vector_size(LL_WIDE)));

LL_INLINE uint64_t WIDE_FUNCTION(sum_bytes)(const wide_bytes *bytes) {
    uint32_t sum = 0;
    for (int i = 0; i < LL_WIDE; i++)
        sum += (*bytes)[i];
    return sum;
}

/* Add the classes of bytes, all but punctuation, which is what remains; OTHER counts bytes. */
LL_INLINE void WIDE_FUNCTION(class_bytes)(const uint8_t *data, size_t size, uint64_t *classes) {
    for (size_t at = 0; at < size;) {
        wide_bytes lower = {0}, upper = {0}, digit = {0}, space = {0}, control = {0}, other = {0};
        for (int round = 0; round < 255 && at < size; round++, at += LL_WIDE) {
            wide_bytes v;
            if (LL_LIKELY(size - at >= LL_WIDE)) {
                memcpy(&v, data + at, LL_WIDE);
            } else {
                memset(&v, '!', LL_WIDE);
                memcpy(&v, data + at, size - at);
            }
            wide_bytes spaces = (wide_bytes)(v == ' ') | (wide_bytes)((v - '\t') < 5);
            lower -= (wide_bytes)((v - 'a') < 26);
            upper -= (wide_bytes)((v - 'A') < 26);
            digit -= (wide_bytes)((v - '0') < 10);
            space -= spaces;
            control -= ((wide_bytes)(v < ' ') | (wide_bytes)(v == 0x7f)) & ~spaces;
            other -= (wide_bytes)(v > 0x7f);
        }
        classes[LOWER] += WIDE_FUNCTION(sum_bytes)(&lower);
        classes[UPPER] += WIDE_FUNCTION(sum_bytes)(&upper);
        classes[DIGIT] += WIDE_FUNCTION(sum_bytes)(&digit);
        classes[SPACE] += WIDE_FUNCTION(sum_bytes)(&space);
        classes[CONTROL] += WIDE_FUNCTION(sum_bytes)(&control);
        classes[OTHER] += WIDE_FUNCTION(sum_bytes)(&other);
    }
}

/* Whether bytes are UTF-8 as RFC 3629 has it, by each byte and the three before it. */
LL_INLINE bool WIDE_FUNCTION(are_utf8)(const uint8_t *data, size_t size) {
    uint8_t edge[LL_WIDE + 3];
    wide_bytes wrong = {0};
    for (size_t at = 0; at < size; at += LL_WIDE) {
        const uint8_t *here = data + at;
        if (at < 3 || size - at < LL_WIDE) { /* ASCII before and behind */
            size_t before = at < 3 ? at : 3, rest = size - at < LL_WIDE ? size - at : LL_WIDE;
            memset(edge, 0, sizeof edge);
            memcpy(edge + 3 - before, here - before, before + rest);
            here = edge + 3;
        }
        wide_bytes v, first, second, third;
        memcpy(&v, here, LL_WIDE);
        memcpy(&first, here - 1, LL_WIDE);
        memcpy(&second, here - 2, LL_WIDE);
        memcpy(&third, here - 3, LL_WIDE);
        wide_bytes follows = (wide_bytes)((v & 0xc0) == 0x80);
        wide_bytes expected = (wide_bytes)(first >= 0xc0) | (wide_bytes)(second >= 0xe0) |
                              (wide_bytes)(third >= 0xf0);
        wrong |= follows ^ expected;
        wrong |= (wide_bytes)((v & 0xfe) == 0xc0) | (wide_bytes)(v >= 0xf5);
        wrong |= (wide_bytes)(first == 0xe0) & (wide_bytes)(v < 0xa0); /* shorter forms exist */
        wrong |= (wide_bytes)(first == 0xed) & (wide_bytes)(v > 0x9f); /* surrogates */
        wrong |= (wide_bytes)(first == 0xf0) & (wide_bytes)(v < 0x90);
        wrong |= (wide_bytes)(first == 0xf4) & (wide_bytes)(v > 0x8f); /* beyond U+10FFFF */
    }
    for (int i = 0; i < LL_WIDE; i++)
        if (wrong[i]) return false;
    return !(size > 0 && data[size - 1] >= 0xc0) && !(size > 1 && data[size - 2] >= 0xe0) &&
           !(size > 2 && data[size - 3] >= 0xf0);
}

#undef WIDE_JOIN
#undef WIDE_NAME
#undef WIDE_FUNCTION
#undef wide_bytes
#undef LL_WIDE
