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
    }

LL_FOR_EACH_VARIANT(HISTOGRAM_VARIANT)

void ll_histogram_install(ll_kernels *kernels) {
    static const ll_histogram_index_kernel index[] = LL_VARIANTS(ll_histogram_index);
    static const ll_histogram_add_kernel add[] = LL_VARIANTS(ll_histogram_add);
    kernels->histogram_index = index[kernels->set];
    kernels->histogram_add = add[kernels->set];
}

int ll_histogram_index(const uint64_t *values, int64_t count, int storage, uint32_t *index) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->histogram_index(values, count, storage, index);
    for (int64_t i = 0; i < count; i++)
        index[i] = (index[i] / LL_HISTOGRAM_PAGE & 0x7ff) == 0x7ff ? SCRAP : index[i];
    return LL_OK;
}

int ll_histogram_add(const uint64_t *values, int64_t count, int storage, uint32_t *counters,
                     uint8_t *touched) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->histogram_add(values, count, storage, counters, touched);
    return LL_OK;
}

static bool page_used(const uint8_t *touched, int page) {
    bool infinities = (page & 0x7ff) == 0x7ff;
    return !infinities && (touched[page] || touched[TOUCHED_SPREAD + page]);
}

/* The counts of one page over all tables; those after the first only if they were used for it. */
static void read_page(const uint32_t *counters, int page, bool spread, uint32_t *counts) {
    memcpy(counts, counters + page * LL_HISTOGRAM_PAGE, LL_HISTOGRAM_PAGE * sizeof *counts);
    for (int table = 1; spread && table < LL_HISTOGRAM_TABLES; table++) {
        const uint32_t *more = counters + table * LL_HISTOGRAM_TABLE + page * LL_HISTOGRAM_PAGE;
        for (int i = 0; i < LL_HISTOGRAM_PAGE; i++)
            counts[i] += more[i];
    }
}

uint32_t ll_histogram_heaviest(const uint32_t *counters, const uint8_t *touched) {
    uint32_t heaviest = 0, counts[LL_HISTOGRAM_PAGE];
    for (int page = 0; page < LL_HISTOGRAM_PAGES; page++) {
        if (!page_used(touched, page)) continue;
        read_page(counters, page, touched[TOUCHED_SPREAD + page], counts);
        for (int i = 0; i < LL_HISTOGRAM_PAGE; i++)
            heaviest = counts[i] > heaviest ? counts[i] : heaviest;
    }
    return heaviest;
}

int ll_histogram_pages(const uint8_t *touched, uint16_t *pages) {
    int count = 0;
    for (int page = 0; page < LL_HISTOGRAM_PAGES; page++)
        if (page_used(touched, page)) pages[count++] = (uint16_t)page;
    return count;
}

int ll_histogram_read(const uint32_t *counters, const uint16_t *pages, int count, int coarseness,
                      uint32_t *counts) {
    if (count < 0 || coarseness < 0 || coarseness > 8) return LL_ERROR_ARGUMENT;
    uint32_t fine[LL_HISTOGRAM_PAGE];
    int buckets = LL_HISTOGRAM_PAGE >> coarseness;
    memset(counts, 0, (size_t)count * (size_t)buckets * sizeof *counts);
    for (int row = 0; row < count; row++) {
        if (pages[row] >= LL_HISTOGRAM_PAGES) return LL_ERROR_RANGE;
        read_page(counters, pages[row], true, fine);
        for (int i = 0; i < LL_HISTOGRAM_PAGE; i++)
            counts[row * buckets + (i >> coarseness)] += fine[i];
    }
    return LL_OK;
}

void ll_histogram_clear(uint32_t *counters, uint8_t *touched) {
    const size_t page_bytes = LL_HISTOGRAM_PAGE * sizeof *counters;
    for (int page = 0; page <= LL_HISTOGRAM_PAGES; page++) {
        if (!touched[page] && !touched[TOUCHED_SPREAD + page]) continue;
        int tables = touched[TOUCHED_SPREAD + page] ? LL_HISTOGRAM_TABLES : 1;
        for (int table = 0; table < tables; table++)
            memset(counters + table * LL_HISTOGRAM_TABLE + page * LL_HISTOGRAM_PAGE, 0, page_bytes);
    }
    memset(touched, 0, LL_HISTOGRAM_TOUCHED);
}
