/* The paged log-linear histogram: counting (in variants) and reading the counters. */
#include "dispatch.h"
#include "histogram_body.h"

#define HISTOGRAM_VARIANT(isa, number, target)                                                     \
    target static void ll_histogram_index_##isa(const uint64_t *values, int64_t count,             \
                                                int storage, uint32_t *index) {                    \
        if (storage == LL_STORAGE_FLOAT64)                                                         \
            histogram_index_body(values, count, LL_STORAGE_FLOAT64, number, index);                \
        else if (storage == LL_STORAGE_INT64)                                                      \
            histogram_index_body(values, count, LL_STORAGE_INT64, number, index);                  \
        else                                                                                       \
            histogram_index_body(values, count, LL_STORAGE_UINT64, number, index);                 \
    }                                                                                              \
    target static void ll_histogram_add_##isa(const uint64_t *values, int64_t count, int storage,  \
                                              uint32_t *counters, uint8_t *touched) {              \
        if (storage == LL_STORAGE_FLOAT64)                                                         \
            histogram_add_body(values, count, LL_STORAGE_FLOAT64, number, counters, touched);      \
        else if (storage == LL_STORAGE_INT64)                                                      \
            histogram_add_body(values, count, LL_STORAGE_INT64, number, counters, touched);        \
        else                                                                                       \
            histogram_add_body(values, count, LL_STORAGE_UINT64, number, counters, touched);       \
    }                                                                                              \
    target static void ll_histogram_tile_##isa(const uint64_t *values, int count,                  \
                                               const ll_look *look, const uint8_t *ahead,          \
                                               uint32_t *counters, uint8_t *touched) {             \
        count_tile(values, count, survey_of_look(values, count, look), ahead, counters, touched);  \
    }

LL_FOR_EACH_VARIANT(HISTOGRAM_VARIANT)

void ll_histogram_install(ll_kernels *kernels) {
    static const ll_histogram_index_kernel index[] = LL_VARIANTS(ll_histogram_index);
    static const ll_histogram_add_kernel add[] = LL_VARIANTS(ll_histogram_add);
    static const ll_histogram_tile_kernel tile[] = LL_VARIANTS(ll_histogram_tile);
    kernels->histogram_tile = tile[kernels->set];
    kernels->histogram_index = index[kernels->set];
    kernels->histogram_add = add[kernels->set];
}

int ll_histogram_index(const uint64_t *values, int64_t count, int storage, uint32_t *index) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->histogram_index(values, count, storage, index);
    return LL_OK;
}

int ll_histogram_add(const uint64_t *values, int64_t count, int storage, uint32_t *counters,
                     uint8_t *touched) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->histogram_add(values, count, storage, counters, touched);
    return LL_OK;
}

/* The counts of one page: where they lie, or added up in room if more than one table was used for
 * it. Zeros are taken back in the first table wherever they were counted. */
static const uint32_t *page_counts(const uint32_t *counters, const uint8_t *touched, int page,
                                   uint32_t *room) {
    const uint32_t *first = counters + page * LL_HISTOGRAM_PAGE;
    if (!touched[TOUCHED_SPREAD + page]) return first;
    for (int i = 0; i < LL_HISTOGRAM_PAGE; i++) {
        room[i] = first[i];
        for (int table = 1; table < LL_HISTOGRAM_TABLES; table++)
            room[i] += first[table * LL_HISTOGRAM_TABLE + i];
    }
    return room;
}

/* The first marked page from this one on. Eight marks are looked at at a time: there are 4,096, and
 * a small cell has some twenty. */
static int next_page(const uint8_t *touched, int page) {
    for (; page < LL_HISTOGRAM_PAGES; page++) {
        uint64_t marks, spread;
        memcpy(&marks, touched + page / 8 * 8, sizeof marks);
        memcpy(&spread, touched + TOUCHED_SPREAD + page / 8 * 8, sizeof spread);
        if (!(marks | spread))
            page |= 7;
        else if (touched[page] || touched[TOUCHED_SPREAD + page])
            break;
    }
    return page;
}

/* The largest count of a marked page, 0 for the two pages of the infinities. A page that was marked
 * without need loses its mark. */
static uint32_t page_heaviest(const uint32_t *counters, uint8_t *touched, int page) {
    if ((page & 0x7ff) == 0x7ff) return 0;
    uint32_t room[LL_HISTOGRAM_PAGE], heaviest = 0;
    const uint32_t *counts = page_counts(counters, touched, page, room);
    for (int i = 0; i < LL_HISTOGRAM_PAGE; i++)
        heaviest = counts[i] > heaviest ? counts[i] : heaviest;
    if (heaviest == 0 && !touched[TOUCHED_SPREAD + page]) touched[page] = 0;
    return heaviest;
}

uint32_t ll_histogram_heaviest(const uint32_t *counters, uint8_t *touched) {
    uint32_t heaviest = 0;
    for (int page = -1; (page = next_page(touched, page + 1)) < LL_HISTOGRAM_PAGES;) {
        uint32_t found = page_heaviest(counters, touched, page);
        heaviest = found > heaviest ? found : heaviest;
    }
    return heaviest;
}

int ll_histogram_pages(const uint32_t *counters, uint8_t *touched, uint16_t *pages) {
    int count = 0;
    for (int page = -1; (page = next_page(touched, page + 1)) < LL_HISTOGRAM_PAGES;)
        if (page_heaviest(counters, touched, page)) pages[count++] = (uint16_t)page;
    return count;
}

int ll_histogram_read(const uint32_t *counters, const uint8_t *touched, const uint16_t *pages,
                      int count, int coarseness, uint32_t *counts) {
    if (count < 0 || coarseness < 0 || coarseness > 8) return LL_ERROR_ARGUMENT;
    uint32_t room[LL_HISTOGRAM_PAGE];
    int buckets = LL_HISTOGRAM_PAGE >> coarseness;
    memset(counts, 0, (size_t)count * (size_t)buckets * sizeof *counts);
    for (int row = 0; row < count; row++) {
        if (pages[row] >= LL_HISTOGRAM_PAGES) return LL_ERROR_RANGE;
        const uint32_t *fine = page_counts(counters, touched, pages[row], room);
        for (int i = 0; i < LL_HISTOGRAM_PAGE; i++)
            counts[row * buckets + (i >> coarseness)] += fine[i];
    }
    return LL_OK;
}

void ll_histogram_clear(uint32_t *counters, uint8_t *touched) {
    const size_t page_bytes = LL_HISTOGRAM_PAGE * sizeof *counters;
    for (int page = -1; (page = next_page(touched, page + 1)) < LL_HISTOGRAM_PAGES;) {
        int tables = touched[TOUCHED_SPREAD + page] ? LL_HISTOGRAM_TABLES : 1;
        for (int table = 0; table < tables; table++)
            memset(counters + table * LL_HISTOGRAM_TABLE + page * LL_HISTOGRAM_PAGE, 0, page_bytes);
    }
    memset(touched, 0, LL_HISTOGRAM_TOUCHED);
}
