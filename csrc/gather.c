/* Arrow memory -> blocks of values: the variants and the loop over tiles. */
#include "gather.h"
#include "gather_avx512.h"

LL_INLINE int drop_nulls(uint64_t *values, int count, const uint64_t *keep, int set) {
#if LL_X86
    if (set == LL_SET_AVX512) return keep_avx512(values, count, keep);
#endif
    (void)set;
    return gather_keep_body(values, count, keep);
}

LL_INLINE int take(const void *from, int count, const uint64_t *keep, uint64_t *to, int set) {
#if LL_X86
    if (set == LL_SET_AVX512) return take_avx512(from, count, keep, to);
#endif
    (void)set;
    return gather_take_body(from, count, keep, to);
}

LL_INLINE int drop_nan(uint64_t *values, int count, int set) {
#if LL_X86
    if (set == LL_SET_AVX512) return keep_numbers_avx512(values, count);
#endif
    (void)set;
    return keep_numbers(values, count, values);
}

#define GATHER_VARIANT(isa, number, target)                                                        \
    target static void ll_gather_load_##isa(int type, const void *values, int64_t first,           \
                                            const int32_t *rows, int count, uint64_t *out) {       \
        gather_load_body(type, values, first, rows, count, out);                                   \
    }                                                                                              \
    target static int ll_gather_take_##isa(const void *from, int count, const uint64_t *keep,      \
                                           uint64_t *to) {                                         \
        return take(from, count, keep, to, number);                                                \
    }                                                                                              \
    target static int ll_gather_keep_##isa(uint64_t *values, int count, const uint64_t *keep) {    \
        return drop_nulls(values, count, keep, number);                                            \
    }                                                                                              \
    target static int ll_gather_clean_##isa(const void *from, int count, int storage,              \
                                            uint64_t *to, ll_tally *tally) {                       \
        int nan = gather_clean_body(from, count, storage, to, tally);                              \
        return LL_LIKELY(nan == 0) ? count : drop_nan(to, count, number);                          \
    }

LL_FOR_EACH_VARIANT(GATHER_VARIANT)

void ll_gather_install(ll_kernels *kernels) {
    static const ll_gather_load_kernel load[] = LL_VARIANTS(ll_gather_load);
    static const ll_gather_take_kernel take_some[] = LL_VARIANTS(ll_gather_take);
    static const ll_gather_keep_kernel keep[] = LL_VARIANTS(ll_gather_keep);
    static const ll_gather_clean_kernel clean[] = LL_VARIANTS(ll_gather_clean);
    kernels->gather_load = load[kernels->set];
    kernels->gather_take = take_some[kernels->set];
    kernels->gather_keep = keep[kernels->set];
    kernels->gather_clean = clean[kernels->set];
}

static bool rows_inside(const int32_t *rows, int count, int64_t length) {
    const uint32_t limit = (uint32_t)ll_smaller(length, (int64_t)1 << 31); /* below 0 wraps above */
    uint32_t outside = 0;
    for (int i = 0; i < count; i++)
        outside |= (uint32_t)rows[i] >= limit;
    return !outside;
}

/* The validity bits of a tile as words from bit 0; bits beyond count are zero. Reads no byte of the
 * bitmap that does not hold one of the bits. Returns how many are set. */
static int validity_words(const uint8_t *validity, int64_t first, const int32_t *rows, int count,
                          uint64_t *words) {
    int set = 0;
    for (int begin = 0; begin < count; begin += 64) {
        int size = (int)ll_smaller(64, count - begin);
        uint64_t word = 0;
        if (rows) {
            for (int i = 0; i < size; i++)
                word |= bit_at(validity, first + rows[begin + i]) << i;
        } else {
            int64_t position = first + begin;
            int shift = (int)(position & 7);
            const uint8_t *bytes = validity + (position >> 3);
            size_t held = (size_t)(shift + size + 7) / 8;
            uint8_t copy[9] = {0};
            memcpy(copy, bytes, held);
            uint64_t low = 0;
            for (int i = 0; i < 8; i++)
                low |= (uint64_t)copy[i] << (8 * i);
            word = shift ? low >> shift | (uint64_t)copy[8] << (64 - shift) : low;
            if (size < 64) word &= ((uint64_t)1 << size) - 1;
        }
        words[begin / 64] = word;
        set += __builtin_popcountll(word);
    }
    return set;
}

int ll_gather_more(const ll_view *view, int type, const int32_t *order, int64_t begin, int64_t end,
                   uint64_t *out, int64_t capacity, ll_tally *tally) {
    const ll_kernels *kernels = ll_kernels_active();
    const int storage = ll_storage_of(type);
    const uint8_t *values = (const uint8_t *)(uintptr_t)view->values;
    const uint8_t *validity = (const uint8_t *)(uintptr_t)view->validity;
    const bool as_it_lies =
        !order && (type == LL_TYPE_FLOAT64 || type == LL_TYPE_INT64 || type == LL_TYPE_UINT64);
    uint64_t words[WORDS];
    int64_t position = begin, written = 0;
    while (position < end && written < capacity) {
        /* No more rows than there is room, so loading into out cannot overrun it. */
        int count = (int)ll_smaller(TILE, ll_smaller(end - position, capacity - written));
        const int32_t *rows = order ? order + position : NULL;
        if (rows && !rows_inside(rows, count, view->length)) return LL_ERROR_RANGE;
        int64_t first = rows ? view->offset : view->offset + position;
        uint64_t *tile = out + written;
        const void *from = tile;
        int kept = validity ? validity_words(validity, first, rows, count, words) : count;
        tally->nulls += count - kept;
        position += count;
        if (kept == 0) continue;
        if (as_it_lies && kept == count)
            from = values + 8 * first;
        else
            kernels->gather_load(type, values, first, rows, count, tile);
        if (kept < count) kernels->gather_keep(tile, count, words);
        written += kernels->gather_clean(from, kept, storage, tile, tally);
    }
    tally->written += written;
    tally->next = position;
    tally->rows += position - begin;
    return LL_OK;
}

void ll_gather_doubles(const ll_view *view, int64_t begin, int64_t end, uint64_t *out,
                       int64_t capacity, ll_tally *tally) {
    const ll_kernels *kernels = ll_kernels_active();
    const uint8_t *values = (const uint8_t *)(uintptr_t)view->values;
    const uint8_t *validity = (const uint8_t *)(uintptr_t)view->validity;
    uint64_t words[WORDS];
    int64_t position = begin, written = 0;
    while (position < end && written < capacity) {
        int count = (int)ll_smaller(TILE, ll_smaller(end - position, capacity - written));
        int64_t first = view->offset + position;
        int valid = validity ? validity_words(validity, first, NULL, count, words) : count;
        int kept = kernels->gather_take(values + 8 * first, count, valid < count ? words : NULL,
                                        out + written);
        tally->nulls += count - valid;
        tally->nan += valid - kept;
        written += kept;
        position += count;
    }
    tally->written += written;
    tally->next = position;
    tally->rows += position - begin;
}

bool ll_gather_none_null(const ll_view *view, int64_t begin, int64_t end) {
    const uint8_t *validity = (const uint8_t *)(uintptr_t)view->validity;
    uint64_t words[WORDS];
    for (int64_t position = begin; validity && position < end; position += TILE) {
        int count = (int)ll_smaller(TILE, end - position);
        if (validity_words(validity, view->offset + position, NULL, count, words) < count)
            return false;
    }
    return true;
}

int ll_gather(int type, const void *values, const uint8_t *validity, int64_t offset, int64_t length,
              const int32_t *order, int64_t begin, int64_t end, uint64_t *out, int64_t capacity,
              ll_tally *tally) {
    const ll_view view = {(uint64_t)(uintptr_t)values, (uint64_t)(uintptr_t)validity, offset,
                          length};
    if (!ll_type_known(type) || !ll_view_possible(&view) || capacity < 0) return LL_ERROR_ARGUMENT;
    if (begin < 0 || end < begin || (!order && end > length)) return LL_ERROR_RANGE;
    memset(tally, 0, sizeof *tally);
    return ll_gather_more(&view, type, order, begin, end, out, capacity, tally);
}
