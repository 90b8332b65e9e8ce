/* Arrow memory -> blocks of values: the variants and the loop over tiles. */
#include "dispatch.h"
#include "gather_avx512.h"

LL_INLINE int drop_nulls(uint64_t *values, int count, const uint64_t *keep, int set) {
#if LL_X86
    if (set == LL_SET_AVX512) return keep_avx512(values, count, keep);
#endif
    (void)set;
    return gather_keep_body(values, count, keep);
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
    target static int ll_gather_keep_##isa(uint64_t *values, int count, const uint64_t *keep) {    \
        return drop_nulls(values, count, keep, number);                                            \
    }                                                                                              \
    target static int ll_gather_clean_##isa(uint64_t *values, int count, int storage,              \
                                            ll_tally *tally) {                                     \
        int nan = gather_clean_body(values, count, storage, tally);                                \
        return LL_LIKELY(nan == 0) ? count : drop_nan(values, count, number);                      \
    }

LL_FOR_EACH_VARIANT(GATHER_VARIANT)

void ll_gather_install(ll_kernels *kernels) {
    static const ll_gather_load_kernel load[] = LL_VARIANTS(ll_gather_load);
    static const ll_gather_keep_kernel keep[] = LL_VARIANTS(ll_gather_keep);
    static const ll_gather_clean_kernel clean[] = LL_VARIANTS(ll_gather_clean);
    kernels->gather_load = load[kernels->set];
    kernels->gather_keep = keep[kernels->set];
    kernels->gather_clean = clean[kernels->set];
}

static int storage_of(int type) {
    if (type == LL_TYPE_UINT64) return LL_STORAGE_UINT64;
    return type >= LL_TYPE_FLOAT16 ? LL_STORAGE_FLOAT64 : LL_STORAGE_INT64;
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

int ll_gather(int type, const void *values, const uint8_t *validity, int64_t offset, int64_t length,
              const int32_t *order, int64_t begin, int64_t end, uint64_t *out, int64_t capacity,
              ll_tally *tally) {
    if (type < LL_TYPE_BOOL || type > LL_TYPE_FLOAT64 || offset < 0 || length < 0 || capacity < 0)
        return LL_ERROR_ARGUMENT;
    /* The last row's address must not wrap; the widest row has 8 bytes. */
    if (length > INT64_MAX / 8 - offset) return LL_ERROR_ARGUMENT;
    if (begin < 0 || end < begin || (!order && end > length)) return LL_ERROR_RANGE;
    const ll_kernels *kernels = ll_kernels_active();
    const int storage = storage_of(type);
    uint64_t words[WORDS];
    memset(tally, 0, sizeof *tally);
    int64_t position = begin, written = 0;
    while (position < end && written < capacity) {
        /* No more rows than there is room, so loading into out cannot overrun it. */
        int count = (int)ll_smaller(TILE, ll_smaller(end - position, capacity - written));
        const int32_t *rows = order ? order + position : NULL;
        if (rows && !rows_inside(rows, count, length)) return LL_ERROR_RANGE;
        int64_t first = rows ? offset : offset + position;
        uint64_t *tile = out + written;
        int kept = validity ? validity_words(validity, first, rows, count, words) : count;
        tally->nulls += count - kept;
        position += count;
        if (kept == 0) continue;
        kernels->gather_load(type, values, first, rows, count, tile);
        if (kept < count) kernels->gather_keep(tile, count, words);
        written += kernels->gather_clean(tile, kept, storage, tally);
    }
    tally->written = written;
    tally->next = position;
    tally->rows = position - begin;
    return LL_OK;
}
