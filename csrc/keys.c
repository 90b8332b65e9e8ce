/* Ordered keys: a value's bits changed so that unsigned comparison is comparison of values.
 *
 * Non-negative doubles already compare as integers and get the sign bit; negative ones compare in
 * reverse and are inverted. These loops are bound by memory, so no wider variants are kept.
 * Integers as doubles: what most states of integers are fed with.
 */
#include "dispatch.h"
#include "number.h"

LL_INLINE void encode_body(const uint64_t *values, int64_t count, int storage, uint64_t *keys) {
    for (int64_t i = 0; i < count; i++) {
        uint64_t inverted = storage == LL_STORAGE_FLOAT64 ? 0 - (values[i] >> 63) : 0;
        uint64_t flip = storage == LL_STORAGE_UINT64 ? 0 : LL_SIGN_BIT;
        keys[i] = values[i] ^ (inverted | flip);
    }
}

#define DEFINE_ENCODE(isa, number, target)                                                         \
    target static void ll_keys_encode_##isa(const uint64_t *values, int64_t count, int storage,    \
                                            uint64_t *keys) {                                      \
        if (storage == LL_STORAGE_FLOAT64)                                                         \
            encode_body(values, count, LL_STORAGE_FLOAT64, keys);                                  \
        else if (storage == LL_STORAGE_INT64)                                                      \
            encode_body(values, count, LL_STORAGE_INT64, keys);                                    \
        else                                                                                       \
            encode_body(values, count, LL_STORAGE_UINT64, keys);                                   \
    }
LL_FOR_EACH_VARIANT(DEFINE_ENCODE)

int ll_keys_encode(const uint64_t *values, int64_t count, int storage, uint64_t *keys) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->keys_encode(values, count, storage, keys);
    return LL_OK;
}

int ll_keys_decode(const uint64_t *keys, int64_t count, int storage, uint64_t *values) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    for (int64_t i = 0; i < count; i++) {
        uint64_t inverted = storage == LL_STORAGE_FLOAT64 ? (keys[i] >> 63) - 1 : 0;
        uint64_t flip = storage == LL_STORAGE_UINT64 ? 0 : LL_SIGN_BIT;
        values[i] = keys[i] ^ (inverted | flip);
    }
    return LL_OK;
}

LL_INLINE bool doubles_body(const uint64_t *values, int64_t count, int storage, int set,
                            uint64_t *doubles) {
    uint64_t beyond = 0;
    for (int64_t i = 0; i < count; i++) {
        uint64_t negative;
        beyond |= ll_magnitude(values[i], storage, &negative);
        doubles[i] = ll_bits_of_double(ll_double_of_integer(values[i], storage, set));
    }
    return beyond >> 53 == 0;
}

#define DEFINE_DOUBLES(isa, number, target)                                                        \
    target static bool ll_doubles_##isa(const uint64_t *values, int64_t count, int storage,        \
                                        uint64_t *doubles) {                                       \
        if (storage == LL_STORAGE_INT64)                                                           \
            return doubles_body(values, count, LL_STORAGE_INT64, number, doubles);                 \
        return doubles_body(values, count, LL_STORAGE_UINT64, number, doubles);                    \
    }
LL_FOR_EACH_VARIANT(DEFINE_DOUBLES)

void ll_keys_install(ll_kernels *kernels) {
    static const ll_keys_encode_kernel encode[] = LL_VARIANTS(ll_keys_encode);
    static const ll_doubles_kernel doubles[] = LL_VARIANTS(ll_doubles);
    kernels->keys_encode = encode[kernels->set];
    kernels->doubles = doubles[kernels->set];
}
