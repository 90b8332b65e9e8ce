/* Count, mean, central moments and extremes: what the variants share, the variants, and the
 * weighted form. */
#include "moments.h"
#include "mix.h"
#include "number.h"

#if LL_X86
#include <immintrin.h>
#endif

#include <math.h>

enum { TILE = LL_MOMENTS_TILE, LANES = 8 };

/* A double in memory that may be declared as uint64_t, as blocks are. */
typedef double stored_double __attribute__((may_alias));

LL_INLINE bool is_finite(double value) {
    return value - value == 0;
}

LL_INLINE int keep_finite(const stored_double *values, int count, double *finite) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
        finite[kept] = values[i];
        kept += is_finite(values[i]);
    }
    return kept;
}

/* Order of doubles as signed integers: negative ones have all bits but the sign inverted. The same
 * function takes a key back to its bits. */
LL_INLINE int64_t signed_key(uint64_t bits) {
    return (int64_t)(bits ^ ((uint64_t)((int64_t)bits >> 63) >> 1));
}

LL_INLINE void integer_extremes(const uint64_t *values, int count, int storage,
                                ll_moments *result) {
    const uint64_t flip = storage == LL_STORAGE_UINT64 ? LL_SIGN_BIT : 0;
    int64_t low = (int64_t)(values[0] ^ flip), high = low;
    for (int i = 0; i < count; i++) {
        int64_t key = (int64_t)(values[i] ^ flip);
        low = key < low ? key : low;
        high = key > high ? key : high;
    }
    result->minimum = (uint64_t)low ^ flip;
    result->maximum = (uint64_t)high ^ flip;
}

/* From sums of powers about center to the mean and the sums about it; exact for a constant. */
LL_INLINE void shift_center(int count, double center, const double *sums, ll_moments *result) {
    double n = count, shift = sums[0] / n, square = shift * shift;
    double m2 = sums[1] - n * square;
    bool constant = result->minimum == result->maximum;
    result->count = count;
    result->mean = center + shift;
    result->m2 = m2 < 0 || constant ? 0 : m2;
    result->m3 = constant ? 0 : sums[2] - 3 * shift * sums[1] + 2 * n * square * shift;
    result->m4 =
        constant ? 0
                 : sums[3] - 4 * shift * sums[2] + 6 * square * sums[1] - 3 * n * square * square;
}

/* Whether a < b as numbers of the storage. */
LL_INLINE bool before(uint64_t a, uint64_t b, int storage) {
    if (storage == LL_STORAGE_FLOAT64) return ll_double_of_bits(a) < ll_double_of_bits(b);
    return storage == LL_STORAGE_INT64 ? (int64_t)a < (int64_t)b : a < b;
}

/* a becomes the moments of a's and b's values together (Pebay 2008); sketch/moments.py has the
 * same formulas. */
static void combine(ll_moments *a, const ll_moments *b, int storage) {
    if (b->count == 0) return;
    if (a->count == 0) {
        *a = *b;
        return;
    }
    double na = (double)a->count, nb = (double)b->count, n = na + nb;
    double delta = b->mean - a->mean;
    double step = delta / n, square = delta * step, product = na * nb;
    double m2 = a->m2 + b->m2 + square * product;
    double m3 =
        a->m3 + b->m3 + square * step * product * (na - nb) + 3 * step * (na * b->m2 - nb * a->m2);
    double m4 = a->m4 + b->m4 + square * step * step * product * (na * na - product + nb * nb) +
                6 * step * step * (na * na * b->m2 + nb * nb * a->m2) +
                4 * step * (na * b->m3 - nb * a->m3);
    /* The difference of two finite means may overflow; their weighted sum may not. */
    a->mean = is_finite(delta) ? a->mean + step * nb : a->mean * (na / n) + b->mean * (nb / n);
    a->count += b->count;
    a->m2 = m2;
    a->m3 = m3;
    a->m4 = m4;
    if (before(b->minimum, a->minimum, storage)) a->minimum = b->minimum;
    if (before(a->maximum, b->maximum, storage)) a->maximum = b->maximum;
}

/* Kinds of doubles. Loops of integers, which every compiler makes vector code of. */
LL_INLINE void count_kinds(const uint64_t *values, int count, ll_kinds *kinds) {
    const uint64_t infinity = LL_INFINITY_BITS << 1; /* without the sign */
    uint64_t zeros = 0, negative_zeros = 0, nan = 0, infinite = 0, negative = 0;
    uint64_t nearest = infinity;
    for (int i = 0; i < count; i++) {
        uint64_t magnitude = values[i] << 1, sign = values[i] >> 63;
        uint64_t below = magnitude - 1; /* zeros become the largest */
        zeros += magnitude == 0;
        negative_zeros += values[i] == LL_SIGN_BIT;
        nan += magnitude > infinity;
        infinite += magnitude == infinity;
        negative += ll_select(magnitude == infinity, sign, 0);
        nearest = below < nearest ? below : nearest;
    }
    kinds->zeros = (int64_t)zeros;
    kinds->negative_zeros = (int64_t)negative_zeros;
    kinds->nan = (int64_t)nan;
    kinds->positive_infinities = (int64_t)(infinite - negative);
    kinds->negative_infinities = (int64_t)negative;
    kinds->nearest = ll_double_of_bits(nearest == infinity ? LL_INFINITY_BITS : (nearest + 1) >> 1);
}

#define ISA(name) name##_serial
#define SET       LL_SET_SERIAL
#define TARGET
#define VECTOR_BYTES 16
#if LL_X86
#define VECTOR_MIN(a, b)     _mm_min_pd(a, b)
#define VECTOR_MAX(a, b)     _mm_max_pd(a, b)
#define VECTOR_PRODUCT(word) (words_serial) _mm_mul_epu32((__m128i)(word), (__m128i)((word) >> 32))
#else
#define CHOOSE(mask, a, b)                                                                         \
    (vector_serial)(((mask) & (words_serial)(a)) | (~(mask) & (words_serial)(b)))
#define VECTOR_MIN(a, b)     CHOOSE((words_serial)((b) < (a)), b, a)
#define VECTOR_MAX(a, b)     CHOOSE((words_serial)((b) > (a)), b, a)
#define VECTOR_PRODUCT(word) (((word) & 0xffffffffu) * ((word) >> 32))
#endif
#include "moments_body.h"

#if LL_X86
#define ISA(name)            name##_avx2
#define SET                  LL_SET_AVX2
#define TARGET               LL_TARGET_AVX2
#define VECTOR_BYTES         32
#define VECTOR_MIN(a, b)     _mm256_min_pd(a, b)
#define VECTOR_MAX(a, b)     _mm256_max_pd(a, b)
#define VECTOR_PRODUCT(word) (words_avx2) _mm256_mul_epu32((__m256i)(word), (__m256i)((word) >> 32))
#include "moments_body.h"

#define ISA(name)        name##_avx512
#define SET              LL_SET_AVX512
#define TARGET           LL_TARGET_AVX512
#define VECTOR_BYTES     64
#define VECTOR_MIN(a, b) _mm512_min_pd(a, b)
#define VECTOR_MAX(a, b) _mm512_max_pd(a, b)
#define VECTOR_PRODUCT(word)                                                                       \
    (words_avx512) _mm512_mul_epu32((__m512i)(word), (__m512i)((word) >> 32))
#include "moments_body.h"
#endif

void ll_moments_install(ll_kernels *kernels) {
    static const ll_moments_tile_kernel tile[] = LL_VARIANTS(ll_moments_tile);
    static const ll_moments_look_kernel look[] = LL_VARIANTS(ll_moments_look);
    static const ll_moments_powers_kernel powers[] = LL_VARIANTS(ll_moments_powers);
    static const ll_moments_kinds_kernel kinds[] = LL_VARIANTS(ll_moments_kinds);
    kernels->moments_tile = tile[kernels->set];
    kernels->moments_look = look[kernels->set];
    kernels->moments_powers = powers[kernels->set];
    kernels->moments_kinds = kinds[kernels->set];
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

void ll_moments_push(ll_moments_tree *tree, const ll_moments *tile, int storage) {
    tree->stack[tree->height++] = *tile;
    for (int64_t carry = tree->tiles++; carry & 1; carry >>= 1) {
        tree->height--;
        combine(&tree->stack[tree->height - 1], &tree->stack[tree->height], storage);
    }
}

void ll_moments_finish(ll_moments_tree *tree, int storage, ll_moments *result) {
    memset(result, 0, sizeof *result);
    for (; tree->height > 1; tree->height--)
        combine(&tree->stack[tree->height - 2], &tree->stack[tree->height - 1], storage);
    if (tree->height) *result = tree->stack[0];
    tree->height = 0;
    tree->tiles = 0;
    canonicalise(result);
}

void ll_moments_merge(ll_moments *a, const ll_moments *b, int storage) {
    combine(a, b, storage);
    canonicalise(a);
}

int ll_moments_block(const uint64_t *values, int64_t count, int storage, ll_moments *result) {
    if (count < 0 || !ll_storage_known(storage)) return LL_ERROR_ARGUMENT;
    const ll_kernels *kernels = ll_kernels_active();
    ll_moments_tree tree = {.height = 0};
    for (int64_t begin = 0; begin < count; begin += TILE) {
        ll_moments tile;
        kernels->moments_tile(values + begin, (int)ll_smaller(TILE, count - begin), storage, &tile);
        ll_moments_push(&tree, &tile, storage);
    }
    ll_moments_finish(&tree, storage, result);
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
    return is_finite(total->sum) ? total->sum + total->error : total->sum;
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
        if (weights[i] == 0 || !is_finite(value)) continue;
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
    if (!is_finite(high + low)) {
        sum = weighted_sum(values, weights, count, storage, 0x1p-64, result);
        high = (sum.sum + sum.error) / n * 0x1p64;
        low = 0;
    }
    compensated m2 = {0, 0}, m3 = {0, 0}, m4 = {0, 0};
    for (int64_t i = 0; i < count; i++) {
        double value = number_of(values[i], storage), weight = (double)weights[i];
        if (weights[i] == 0 || !is_finite(value)) continue;
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
