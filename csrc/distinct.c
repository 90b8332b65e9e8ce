/* Distinct counts: hashing numbers and raising HyperLogLog registers, in variants. */
#include "dispatch.h"
#include "distinct_x86.h"

#if LL_X86
#define DEFINE_ADD_DOUBLES(isa, target)                                                            \
    target static void add_doubles_##isa(const uint64_t *values, int64_t count,                    \
                                         const uint8_t *ahead, uint8_t *registers) {               \
        uint64_t picked[TILE + 8];                                                                 \
        for (int64_t begin = 0; begin < count; begin += TILE) {                                    \
            int size = (int)ll_smaller(TILE, count - begin);                                       \
            uint64_t mask = rejecting(smallest_register(registers));                               \
            int kept =                                                                             \
                pick_##isa(values + begin, size, mask, mask == 0, ahead + 2 * begin, picked);      \
            raise_picked(picked, kept, registers);                                                 \
        }                                                                                          \
    }
DEFINE_ADD_DOUBLES(avx2, LL_TARGET_AVX2)
DEFINE_ADD_DOUBLES(avx512, LL_TARGET_AVX512)
#endif
#define add_doubles_serial(values, count, ahead, registers)                                        \
    (void)ahead, distinct_add_body(values, count, LL_STORAGE_FLOAT64, LL_SET_SERIAL, registers)

#define keep_serial keep_hashes
#define keep_avx2   keep_hashes

#define DISTINCT_VARIANT(isa, number, target)                                                      \
    target static void ll_distinct_hash_##isa(const uint64_t *values, int64_t count, int storage,  \
                                              uint64_t *hashes) {                                  \
        if (storage == LL_STORAGE_FLOAT64)                                                         \
            distinct_hash_body(values, count, LL_STORAGE_FLOAT64, number, hashes);                 \
        else if (storage == LL_STORAGE_INT64)                                                      \
            distinct_hash_body(values, count, LL_STORAGE_INT64, number, hashes);                   \
        else                                                                                       \
            distinct_hash_body(values, count, LL_STORAGE_UINT64, number, hashes);                  \
    }                                                                                              \
    target static void ll_distinct_add_##isa(const uint64_t *values, int64_t count, int storage,   \
                                             const uint8_t *ahead, uint8_t *registers) {           \
        if (storage == LL_STORAGE_FLOAT64)                                                         \
            add_doubles_##isa(values, count, ahead, registers);                                    \
        else if (storage == LL_STORAGE_INT64)                                                      \
            distinct_add_body(values, count, LL_STORAGE_INT64, number, registers);                 \
        else                                                                                       \
            distinct_add_body(values, count, LL_STORAGE_UINT64, number, registers);                \
    }                                                                                              \
    target static void ll_distinct_add_hashes_##isa(const uint64_t *hashes, int64_t count,         \
                                                    uint8_t *registers) {                          \
        distinct_add_hashes_body(hashes, count, keep_##isa, registers);                            \
    }

LL_FOR_EACH_VARIANT(DISTINCT_VARIANT)

void ll_distinct_install(ll_kernels *kernels) {
    static const ll_distinct_hash_kernel hash[] = LL_VARIANTS(ll_distinct_hash);
    static const ll_distinct_add_kernel add[] = LL_VARIANTS(ll_distinct_add);
    static const ll_distinct_add_hashes_kernel add_hashes[] = LL_VARIANTS(ll_distinct_add_hashes);
    kernels->distinct_hash = hash[kernels->set];
    kernels->distinct_add = add[kernels->set];
    kernels->distinct_add_hashes = add_hashes[kernels->set];
}

int ll_distinct_hash(const uint64_t *values, int64_t count, int storage, uint64_t *hashes) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->distinct_hash(values, count, storage, hashes);
    return LL_OK;
}

int ll_distinct_add(const uint64_t *values, int64_t count, int storage, uint8_t *registers) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->distinct_add(values, count, storage, (const uint8_t *)values, registers);
    return LL_OK;
}

int ll_distinct_add_hashes(const uint64_t *hashes, int64_t count, uint8_t *registers) {
    if (count < 0) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->distinct_add_hashes(hashes, count, registers);
    return LL_OK;
}
