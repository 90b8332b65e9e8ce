/* Count, mean, central moments and extremes: the variants, and the weighted form. */
#include "dispatch.h"
#include "moments_body.h"

#include <math.h>

#define MOMENTS_VARIANT(isa, target)                                                               \
    target static void ll_moments_block_##isa(const uint64_t *values, int64_t count, int storage,  \
                                              ll_moments *result) {                                \
        if (storage == LL_STORAGE_FLOAT64)                                                         \
            moments_block_body(values, count, LL_STORAGE_FLOAT64, result);                         \
        else if (storage == LL_STORAGE_INT64)                                                      \
            moments_block_body(values, count, LL_STORAGE_INT64, result);                           \
        else                                                                                       \
            moments_block_body(values, count, LL_STORAGE_UINT64, result);                          \
    }

LL_FOR_EACH_VARIANT(MOMENTS_VARIANT)

void ll_moments_install(ll_kernels *kernels) {
    static const ll_moments_block_kernel block[] = LL_VARIANTS(ll_moments_block);
    kernels->moments_block = block[kernels->set];
}

/* A NaN (from infinity - infinity, after an overflow) has one pattern on every machine. */
static double canonical(double value) {
    return value == value ? value : ll_double_of_bits(0x7ff8000000000000u);
}

static void canonicalise(ll_moments *result) {
    result->mean = canonical(result->mean);
    result->m2 = canonical(result->m2);
    result->m3 = canonical(result->m3);
    result->m4 = canonical(result->m4);
}

int ll_moments_block(const uint64_t *values, int64_t count, int storage, ll_moments *result) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    ll_kernels_active()->moments_block(values, count, storage, result);
    canonicalise(result);
    return LL_OK;
}

/* A sum with its rounding errors beside it (Neumaier 1974). */
typedef struct compensated {
    double sum;
    double error;
} compensated;

static void accumulate(compensated *total, double term) {
    double sum = total->sum + term;
    if (fabs(total->sum) >= fabs(term))
        total->error += (total->sum - sum) + term;
    else
        total->error += (term - sum) + total->sum;
    total->sum = sum;
}

/* Once the sum has overflowed its error is not a number, but the sum still says where it went. */
static double total_of(const compensated *total) {
    return isfinite(total->sum) ? total->sum + total->error : total->sum;
}

static double number_of(uint64_t value, int storage) {
    if (storage == LL_STORAGE_FLOAT64) return ll_double_of_bits(value);
    return storage == LL_STORAGE_INT64 ? (double)(int64_t)value : (double)value;
}

/* Count, extremes and the sum of weight * value; fma() gives the rounding error of each product. */
static compensated weighted_sum(const uint64_t *values, const uint64_t *weights, int64_t count,
                                int storage, double scale, ll_moments *result) {
    compensated sum = {0, 0};
    memset(result, 0, sizeof *result);
    for (int64_t i = 0; i < count; i++) {
        double value = number_of(values[i], storage) * scale, weight = (double)weights[i];
        if (weights[i] == 0 || !isfinite(value)) continue;
        double product = weight * value;
        accumulate(&sum, product);
        sum.error += fma(weight, value, -product);
        if (result->count == 0 || before(values[i], result->minimum, storage))
            result->minimum = values[i];
        if (result->count == 0 || before(result->maximum, values[i], storage))
            result->maximum = values[i];
        result->count += (int64_t)weights[i];
    }
    return sum;
}

int ll_moments_weighted(const uint64_t *values, const uint64_t *weights, int64_t count, int storage,
                        ll_moments *result) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    compensated sum = weighted_sum(values, weights, count, storage, 1, result);
    if (result->count == 0) return LL_OK;
    double n = (double)result->count;
    double high = (sum.sum + sum.error) / n;
    double low = (fma(-n, high, sum.sum) + sum.error) / n; /* the mean to twice the precision */
    if (!isfinite(high + low)) {
        sum = weighted_sum(values, weights, count, storage, 0x1p-64, result);
        high = (sum.sum + sum.error) / n * 0x1p64;
        low = 0;
    }
    compensated m2 = {0, 0}, m3 = {0, 0}, m4 = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        double value = number_of(values[i], storage), weight = (double)weights[i];
        if (weights[i] == 0 || !isfinite(value)) continue;
        double deviation = (value - high) - low;
        double square = deviation * deviation;
        accumulate(&m2, weight * square);
        accumulate(&m3, weight * (square * deviation));
        accumulate(&m4, weight * (square * square));
    }
    result->mean = high + low;
    result->m2 = total_of(&m2);
    result->m3 = total_of(&m3);
    result->m4 = total_of(&m4);
    canonicalise(result);
    return LL_OK;
}
