/* Integers and booleans counted where they lie, without widening them to 8 bytes: in the table of
 * counts.c, by the low 16 bits. Booleans are bits, and their counts are counts of bits.
 *
 * While the range is small, neighbouring increments go to four tables in turn, because a counter
 * that was just written must be waited for (0.4 ns a value; 1.5 in one table where all are equal; a
 * Xeon with AMX at 2.6 GHz). Rows with nulls are gathered first.
 */
#include "counts.h"
#include "dispatch.h"
#include "numbers.h"

#define ROWS   32768 /* whose range is found first: they are in the cache when they are counted */
#define WAYS   4
#define NARROW 2048 /* range of the small tables: four of them stay in the first-level cache */

typedef uint32_t small_tables[WAYS][NARROW];

/* ---- loops over each type -------------------------------------------------------------------- */

/* Arrow recommends alignment but foreign producers need not align; x86 loads cost the same. */
#define DEFINE_LOOPS(type)                                                                         \
    typedef type loose_##type __attribute__((aligned(1), may_alias));                              \
    /* Smallest and largest, as integers of 64 bits. */                                            \
    LL_INLINE void range_##type(const void *values, size_t count, uint64_t *bounds) {              \
        const loose_##type *typed = (const loose_##type *)values;                                  \
        type low = typed[0], high = typed[0];                                                      \
        for (size_t i = 0; i < count; i++) {                                                       \
            low = typed[i] < low ? typed[i] : low;                                                 \
            high = typed[i] > high ? typed[i] : high;                                              \
        }                                                                                          \
        bounds[0] = (uint64_t)low;                                                                 \
        bounds[1] = (uint64_t)high;                                                                \
    }                                                                                              \
    LL_INLINE void narrow_##type(const void *values, size_t count, uint32_t low,                   \
                                 small_tables ways) {                                              \
        const loose_##type *typed = (const loose_##type *)values;                                  \
        size_t i = 0;                                                                              \
        for (; i + 2 * WAYS <= count; i += 2 * WAYS)                                               \
            for (size_t j = 0; j < 2 * WAYS; j++)                                                  \
                ways[j % WAYS][((uint32_t)typed[i + j] - low) & (NARROW - 1)]++;                   \
        for (; i < count; i++)                                                                     \
            ways[0][((uint32_t)typed[i] - low) & (NARROW - 1)]++;                                  \
    }                                                                                              \
    LL_INLINE void wide_##type(const void *values, size_t count, uint32_t *table) {                \
        const loose_##type *typed = (const loose_##type *)values;                                  \
        for (size_t i = 0; i < count; i++)                                                         \
            table[(uint32_t)typed[i] & UINT16_MAX]++;                                              \
    }

DEFINE_LOOPS(int8_t)
DEFINE_LOOPS(int16_t)
DEFINE_LOOPS(int32_t)
DEFINE_LOOPS(int64_t)
DEFINE_LOOPS(uint8_t)
DEFINE_LOOPS(uint16_t)
DEFINE_LOOPS(uint32_t)
DEFINE_LOOPS(uint64_t)

#define FOR_TYPE(arrow_type, loop, ...)                                                            \
    switch (arrow_type) {                                                                          \
    case LL_TYPE_INT8:                                                                             \
        loop##_int8_t(__VA_ARGS__);                                                                \
        break;                                                                                     \
    case LL_TYPE_INT16:                                                                            \
        loop##_int16_t(__VA_ARGS__);                                                               \
        break;                                                                                     \
    case LL_TYPE_INT32:                                                                            \
        loop##_int32_t(__VA_ARGS__);                                                               \
        break;                                                                                     \
    case LL_TYPE_INT64:                                                                            \
        loop##_int64_t(__VA_ARGS__);                                                               \
        break;                                                                                     \
    case LL_TYPE_UINT8:                                                                            \
        loop##_uint8_t(__VA_ARGS__);                                                               \
        break;                                                                                     \
    case LL_TYPE_UINT16:                                                                           \
        loop##_uint16_t(__VA_ARGS__);                                                              \
        break;                                                                                     \
    case LL_TYPE_UINT32:                                                                           \
        loop##_uint32_t(__VA_ARGS__);                                                              \
        break;                                                                                     \
    default:                                                                                       \
        loop##_uint64_t(__VA_ARGS__);                                                              \
        break;                                                                                     \
    }

typedef void (*range_function)(int type, const void *values, size_t count, uint64_t *bounds);

#define DEFINE_RANGE(isa, number, target)                                                          \
    target static void range_##isa(int type, const void *values, size_t count, uint64_t *bounds) { \
        FOR_TYPE(type, range, values, count, bounds)                                               \
    }
LL_FOR_EACH_VARIANT(DEFINE_RANGE)

static void count_narrow(int type, const void *values, size_t count, uint64_t low,
                         uint32_t *table) {
    small_tables ways;
    memset(ways, 0, sizeof ways);
    FOR_TYPE(type, narrow, values, count, (uint32_t)low, ways)
    ll_counts_join(&ways[0][0], WAYS, NARROW, low, table);
}

static void count_wide(int type, const void *values, size_t count, uint32_t *table) {
    FOR_TYPE(type, wide, values, count, table)
}

/* ---- integers -------------------------------------------------------------------------------- */

static int width_of(int type) {
    static const int8_t widths[] = {[LL_TYPE_INT8] = 1,   [LL_TYPE_INT16] = 2, [LL_TYPE_INT32] = 4,
                                    [LL_TYPE_INT64] = 8,  [LL_TYPE_UINT8] = 1, [LL_TYPE_UINT16] = 2,
                                    [LL_TYPE_UINT32] = 4, [LL_TYPE_UINT64] = 8};
    return widths[type];
}

/* Count rows without nulls; false, with nothing counted, if they do not fit. */
static bool count_rows(int type, int storage, const void *values, size_t count, ll_range *found,
                       uint32_t *table) {
    static const range_function range[] = LL_VARIANTS(range);
    uint64_t bounds[2];
    range[ll_set_active()](type, values, count, bounds);
    if (!ll_range_widen(found, ll_ordered_key(bounds[0], storage),
                        ll_ordered_key(bounds[1], storage)))
        return false;
    if (bounds[1] - bounds[0] < NARROW)
        count_narrow(type, values, count, bounds[0], table);
    else
        count_wide(type, values, count, table);
    return true;
}

/* ---- booleans -------------------------------------------------------------------------------- */

/* Up to 64 bits of a bitmap from a position on; reads no byte that holds none of them. */
static uint64_t bits_at(const uint8_t *bitmap, int64_t position, int size) {
    const int shift = (int)(position & 7);
    uint8_t bytes[16] = {0};
    uint64_t low = 0;
    memcpy(bytes, bitmap + (position >> 3), (size_t)(shift + size + 7) / 8);
    for (int i = 0; i < 8; i++)
        low |= (uint64_t)bytes[i] << (8 * i);
    if (shift) low = low >> shift | (uint64_t)bytes[8] << (64 - shift);
    return size < 64 ? low & (((uint64_t)1 << size) - 1) : low;
}

/* Count rows of bits; counts[0], counts[1]: of false and true. Returns how many are null. */
static int64_t count_bits(const ll_view *view, int64_t first, int64_t count, uint32_t *counts) {
    const uint8_t *values = (const uint8_t *)(uintptr_t)view->values;
    const uint8_t *validity = (const uint8_t *)(uintptr_t)view->validity;
    int64_t held = 0, set = 0;
    for (int64_t begin = 0; begin < count; begin += 64) {
        int size = (int)ll_smaller(64, count - begin);
        int64_t position = view->offset + first + begin;
        uint64_t valid = validity ? bits_at(validity, position, size) : UINT64_MAX >> (64 - size);
        held += __builtin_popcountll(valid);
        set += __builtin_popcountll(valid & bits_at(values, position, size));
    }
    counts[0] += (uint32_t)(held - set);
    counts[1] += (uint32_t)set;
    return count - held;
}

/* ---- cells ----------------------------------------------------------------------------------- */

/* Count some rows of one view that have no nulls or are bits. */
static bool count_part(ll_cell_work *work, const ll_view *view, int64_t first, int64_t count,
                       ll_range *found) {
    const int type = work->column->type;
    uint32_t *table = work->memory->dense;
    ll_tally *tally = &work->reader.tally;
    if (type == LL_TYPE_BOOL) {
        ll_range_widen(found, ll_ordered_key(0, work->storage), ll_ordered_key(1, work->storage));
        tally->nulls += count_bits(view, first, count, table);
    } else {
        const uint8_t *values = (const uint8_t *)(uintptr_t)view->values;
        values += (view->offset + first) * width_of(type);
        if (!count_rows(type, work->storage, values, (size_t)count, found, table)) return false;
    }
    tally->rows += count;
    return true;
}

int ll_count_raw(ll_cell_work *work, ll_range *found, bool *fits) {
    ll_reader *reader = &work->reader;
    *fits = true;
    while (*fits && !ll_at_end(reader)) {
        const ll_view *view = ll_find_view(reader);
        int64_t first = reader->position - reader->base;
        int64_t end = ll_smaller(reader->end - reader->base, view->length);
        if (view->validity && work->column->type != LL_TYPE_BOOL) {
            int code = ll_read(reader, work->memory->block, LL_BLOCK / 4, &work->held);
            if (code) return code;
            *fits = ll_count_integers(work, 0, found);
            continue;
        }
        int64_t count = ll_smaller(ROWS, end - first);
        *fits = count_part(work, view, first, count, found);
        reader->position += count;
    }
    work->held = 0;
    return LL_OK;
}
