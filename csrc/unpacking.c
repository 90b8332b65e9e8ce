/* Sketch states out of a snapshot's bytes, each looked at once and proved to be what it promises.
 *
 * The bytes are anybody's: sizes are checked before memory is read, by the caller who knows where a
 * state ends, and what a state's own rules exclude is reported and not repaired. Numbers lie at any
 * address, low bytes first. Bound by memory: no wider variants are kept.
 */
#include "number.h"
#include "packing.h"

#define FIRST_NEGATIVE (LL_HISTOGRAM_PAGES / 2)
#define INFINITE       (FIRST_NEGATIVE - 1) /* the exponent of infinities and NaN */

/* ---- histogram --------------------------------------------------------------------------------
 */

/* Number i of byte planes that lie `count` apart, least significant first. */
LL_INLINE uint64_t number_at(const uint8_t *planes, int width, int64_t count, int64_t i) {
    uint64_t value = planes[i];
    for (int plane = 1; plane < width; plane++)
        value |= (uint64_t)planes[plane * count + i] << (8 * plane);
    return value;
}

/* Numbers of the pages, from byte planes too; false unless they ascend and are those of finite
 * values. */
static bool unpack_pages(const uint8_t *planes, int width, int64_t count, uint16_t *pages) {
    int64_t last = -1;
    for (int64_t i = 0; i < count; i++) {
        uint64_t page = number_at(planes, width, count, i);
        if (page >= LL_HISTOGRAM_PAGES || page % FIRST_NEGATIVE == INFINITE) return false;
        if ((int64_t)page <= last) return false;
        last = (int64_t)page;
        pages[i] = (uint16_t)page;
    }
    return true;
}

/* Write counter i in the next of 1, 2, 4 and 8 bytes. */
LL_INLINE void put_counter(void *counts, int width, int64_t i, uint64_t value) {
    if (width == 1)
        ((uint8_t *)counts)[i] = (uint8_t)value;
    else if (width == 2)
        ((uint16_t *)counts)[i] = (uint16_t)value;
    else if (width <= 4)
        ((uint32_t *)counts)[i] = (uint32_t)value;
    else
        ((uint64_t *)counts)[i] = value;
}

/* The counters whose bits are set; the others are zero already. */
LL_INLINE void unpack_counters(const uint8_t *occupied, const uint8_t *planes, int width,
                               int64_t held, const uint16_t *pages, int64_t page_count,
                               int64_t buckets, void *counts, ll_counted *found) {
    uint64_t bits = 0;
    int64_t at = 0;
    bool zero = false;
    for (int64_t page = 0; page < page_count; page++) {
        uint64_t sum = 0;
        const int64_t before = at;
        for (int64_t i = page * buckets / 8; i < (page + 1) * buckets / 8; i++)
            for (unsigned left = occupied[i]; left; left &= left - 1, at++) {
                const uint64_t value = number_at(planes, width, held, at);
                put_counter(counts, width, 8 * i + __builtin_ctz(left), value);
                zero |= !value;
                bits |= value;
                sum += value;
            }
        found->total += sum;
        found->negative += pages[page] >= FIRST_NEGATIVE ? sum : 0;
        if (at == before) found->fault = LL_FAULT_EMPTY;
    }
    if (zero) found->fault = LL_FAULT_ZERO;
    found->bits = bits;
}

static int64_t bits_set(const uint8_t *bytes, int64_t size) {
    int64_t set = 0;
    for (int64_t i = 0; i < size; i++)
        set += __builtin_popcount(bytes[i]);
    return set;
}

int ll_unpacking_histogram(const uint8_t *page_planes, int64_t page_size, int page_width,
                           const uint8_t *occupied, int64_t occupied_size, const uint8_t *planes,
                           int64_t size, int width, int64_t page_count, int64_t buckets,
                           uint16_t *pages, void *counts, ll_counted *found) {
    if (page_size < 0 || occupied_size < 0 || size < 0 || page_count < 0 ||
        page_count > LL_HISTOGRAM_PAGES)
        return LL_ERROR_ARGUMENT;
    if (page_width < 1 || page_width > 8 || width < 1 || width > 8) return LL_ERROR_ARGUMENT;
    if (buckets < 8 || buckets > LL_HISTOGRAM_PAGE || buckets % 8) return LL_ERROR_ARGUMENT;
    if (page_size != page_width * page_count || 8 * occupied_size != page_count * buckets)
        return LL_ERROR_RANGE;
    const int64_t held = bits_set(occupied, occupied_size);
    if (size != width * held) return LL_ERROR_RANGE;
    const int bytes = width == 3 ? 4 : width > 4 ? 8 : width;
    memset(counts, 0, (size_t)(page_count * buckets * bytes));
    ll_counted nothing = {0, 0, 0, LL_FAULT_NONE};
    *found = nothing;
    if (!unpack_pages(page_planes, page_width, page_count, pages))
        found->fault = LL_FAULT_PAGES;
    else if (width == 1) /* of its own, so that the loop over planes is gone */
        unpack_counters(occupied, planes, 1, held, pages, page_count, buckets, counts, found);
    else if (width == 2)
        unpack_counters(occupied, planes, 2, held, pages, page_count, buckets, counts, found);
    else
        unpack_counters(occupied, planes, width, held, pages, page_count, buckets, counts, found);
    return LL_OK;
}

/* ---- registers --------------------------------------------------------------------------------
 */

int ll_unpacking_registers(const uint8_t *bytes, int64_t size, uint8_t *registers, int32_t *fault) {
    if (size < 0) return LL_ERROR_ARGUMENT;
    *fault = LL_FAULT_RANK;
    if (size < 1 + LL_REGISTERS_HALF) return LL_OK;
    const uint8_t base = bytes[0], *halves = bytes + 1;
    const uint8_t *larger = halves + LL_REGISTERS_HALF, *end = bytes + size;
    if (base > LL_DISTINCT_HIGHEST) return LL_OK;
    uint8_t least = UINT8_MAX, most = 0;
    for (int i = 0; i < LL_REGISTERS_HALF; i++) {
        registers[i] = halves[i] & LL_REGISTER_LIMIT;
        registers[LL_REGISTERS_HALF + i] = halves[i] >> 4;
    }
    for (int i = 0; i < LL_DISTINCT_REGISTERS; i++) {
        least = registers[i] < least ? registers[i] : least;
        most = registers[i] > most ? registers[i] : most;
        registers[i] = (uint8_t)(registers[i] + base);
    }
    const bool some_larger = most == LL_REGISTER_LIMIT;
    for (int i = 0; some_larger && i < LL_DISTINCT_REGISTERS; i++) {
        if (registers[i] < base + LL_REGISTER_LIMIT) continue;
        if (larger == end || *larger < registers[i]) return LL_OK;
        registers[i] = *larger++;
    }
    for (int i = 0; i < LL_DISTINCT_REGISTERS; i++)
        most = registers[i] > most ? registers[i] : most;
    if (larger == end && least == 0 && most <= LL_DISTINCT_HIGHEST) *fault = LL_FAULT_NONE;
    return LL_OK;
}

/* ---- quantiles --------------------------------------------------------------------------------
 */

LL_INLINE uint64_t key_at(const uint8_t *bytes, int64_t i, int storage, bool *nan) {
    uint64_t value = 0;
    for (int byte = 0; byte < 8; byte++)
        value |= (uint64_t)bytes[8 * i + byte] << (8 * byte);
    if (storage == LL_STORAGE_UINT64) return value;
    if (storage == LL_STORAGE_INT64) return value ^ LL_SIGN_BIT;
    uint64_t magnitude = value & ~LL_SIGN_BIT;
    *nan |= magnitude > LL_INFINITY_BITS;
    if (!magnitude) return LL_SIGN_BIT; /* -0.0 too */
    return value ^ ((0 - (value >> 63)) | LL_SIGN_BIT);
}

LL_INLINE int unpack_levels(const uint8_t *bytes, int storage, const uint32_t *offsets, int levels,
                            int sorted_from, uint64_t *ends, uint64_t *items) {
    bool nan = false, unsorted = false, outside = false;
    ends[0] = key_at(bytes, 0, storage, &nan);
    ends[1] = key_at(bytes, 1, storage, &nan);
    for (int level = 0; level < levels; level++) {
        uint64_t last = 0;
        for (int64_t i = offsets[level]; i < offsets[level + 1]; i++) {
            uint64_t key = key_at(bytes, i + 2, storage, &nan);
            items[i] = key;
            unsorted |= key < last && level >= sorted_from;
            outside |= key < ends[0] || key > ends[1];
            last = key;
        }
    }
    if (nan) return LL_FAULT_NAN;
    if (unsorted) return LL_FAULT_UNSORTED;
    return outside ? LL_FAULT_OUTSIDE : LL_FAULT_NONE;
}

int ll_unpacking_quantiles(const uint8_t *bytes, int64_t size, int storage, const uint32_t *offsets,
                           int levels, int sorted_from, uint64_t *ends, uint64_t *items,
                           int32_t *fault) {
    if (size < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    if (levels < 1 || levels > LL_QUANTILE_LEVELS) return LL_ERROR_ARGUMENT;
    for (int level = 0; level < levels; level++)
        if (offsets[level] > offsets[level + 1]) return LL_ERROR_RANGE;
    if (offsets[0] || size != 8 * ((int64_t)offsets[levels] + 2)) return LL_ERROR_RANGE;
    if (storage == LL_STORAGE_FLOAT64)
        *fault =
            unpack_levels(bytes, LL_STORAGE_FLOAT64, offsets, levels, sorted_from, ends, items);
    else if (storage == LL_STORAGE_INT64)
        *fault = unpack_levels(bytes, LL_STORAGE_INT64, offsets, levels, sorted_from, ends, items);
    else
        *fault = unpack_levels(bytes, LL_STORAGE_UINT64, offsets, levels, sorted_from, ends, items);
    return LL_OK;
}
