/* Moments of a tile of at most 1,024 values: the mean first, then powers of the deviations from
 * it (Chan, Golub and LeVeque 1983), with the deviations' own sum taking back the rounding of the
 * mean. Included by moments.c once for each instruction set, with
 *
 *     ISA(name)      the name with the variant's suffix
 *     SET            its LL_SET_* number
 *     TARGET         its target attribute
 *     VECTOR_BYTES   the width of its registers
 *     VECTOR_MIN, VECTOR_MAX   the smaller and the larger double of each lane
 *     VECTOR_PRODUCT           of both 32-bit halves of each 64-bit word
 *
 * Value i of a tile belongs to lane i % 8 and lanes are added as a tree, so every width adds the
 * same numbers in the same order. The registers are written out because GCC 12 does not find them
 * in a loop over 8 lanes (AVX2: 2.9 ns a value against 0.7; a Xeon with AMX at 2.6 GHz).
 */

typedef double ISA(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef uint64_t ISA(words) __attribute__((vector_size(VECTOR_BYTES)));
/* The same at any address of a double. */
typedef double ISA(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(8), may_alias));

#define WIDTH        (VECTOR_BYTES / 8)
#define PARTS        (LANES / WIDTH)
#define PART(values) (*(const ISA(loose) *)(values))

LL_INLINE double ISA(add_lanes)(const ISA(vector) * parts) {
    double lane[LANES];
    memcpy(lane, parts, sizeof lane);
    return ((lane[0] + lane[1]) + (lane[2] + lane[3])) +
           ((lane[4] + lane[5]) + (lane[6] + lane[7]));
}

/* The last, incomplete group of a tile, filled up. */
LL_INLINE void ISA(pad)(const stored_double *values, int count, double filler, double *padded) {
    for (int i = 0; i < LANES; i++)
        padded[i] = i < count ? values[i] : filler;
}

LL_INLINE double ISA(add_tile)(const stored_double *values, int count) {
    ISA(vector) sum[PARTS];
    double padded[LANES];
    memset(sum, 0, sizeof sum);
    int whole = count - count % LANES;
    for (int i = 0; i < whole; i += LANES)
        for (int part = 0; part < PARTS; part++)
            sum[part] += PART(values + i + part * WIDTH);
    if (whole < count) {
        ISA(pad)(values + whole, count - whole, 0.0, padded);
        for (int part = 0; part < PARTS; part++)
            sum[part] += PART(padded + part * WIDTH);
    }
    return ISA(add_lanes)(sum);
}

/* What the lanes of a look found, and what is left of the tile. */
LL_INLINE void ISA(join_lanes)(const ISA(vector) * low, const ISA(vector) * high,
                               const ISA(vector) * nearest, const ISA(words) * negatives,
                               const stored_double *rest, int count, ll_look *look) {
    double lows[LANES], highs[LANES], near[LANES];
    uint64_t below[LANES];
    memcpy(lows, low, sizeof lows);
    memcpy(highs, high, sizeof highs);
    memcpy(near, nearest, sizeof near);
    memcpy(below, negatives, sizeof below);
    for (int lane = 1; lane < LANES; lane++) {
        lows[0] = lows[lane] < lows[0] ? lows[lane] : lows[0];
        highs[0] = highs[lane] > highs[0] ? highs[lane] : highs[0];
        near[0] = near[lane] < near[0] ? near[lane] : near[0];
        below[0] += below[lane];
    }
    for (int i = 0; i < count; i++) {
        lows[0] = rest[i] < lows[0] ? rest[i] : lows[0];
        highs[0] = rest[i] > highs[0] ? rest[i] : highs[0];
        near[0] = fabs(rest[i]) < near[0] ? fabs(rest[i]) : near[0];
        below[0] += ll_bits_of_double(rest[i]) >> 63;
    }
    look->low = lows[0];
    look->high = highs[0];
    look->nearest = near[0];
    look->negatives = (int64_t)below[0];
    look->zeros = 0;
}

/* add_tile and what else ll_look asks for, infinities included, and the pass that the quantile
 * sketch needs (as in quantiles_body.h): a sum waits for the one before it, which leaves time for
 * all of this. */
TARGET LL_INLINE void ISA(first_pass)(const stored_double *values, int count, const uint8_t *ahead,
                                      ll_scan *scan, ll_look *look) {
    ISA(vector) sum[PARTS], low[PARTS], high[PARTS], nearest[PARTS];
    ISA(words) sums[PARTS], salts[PARTS], negatives[PARTS];
    double padded[LANES];
    memset(sum, 0, sizeof sum);
    memset(negatives, 0, sizeof negatives);
    for (int part = 0; part < PARTS; part++) {
        low[part] = high[part] = values[0] + sum[part];
        nearest[part] = fabs(values[0]) + sum[part];
    }
    if (scan) {
        memcpy(sums, scan->sums, sizeof sums);
        memcpy(salts, scan->salts, sizeof salts);
    }
    int whole = count - count % LANES;
    for (int i = 0; i < whole; i += LANES) {
        ll_fetch(ahead, (size_t)i);
        for (int part = 0; part < PARTS; part++) {
            ISA(vector) value = PART(values + i + part * WIDTH);
            ISA(words) bits = (ISA(words))value;
            sum[part] += value;
            low[part] = VECTOR_MIN(low[part], value);
            high[part] = VECTOR_MAX(high[part], value);
            nearest[part] = VECTOR_MIN(nearest[part], (ISA(vector))(bits & ~LL_SIGN_BIT));
            negatives[part] += bits >> 63;
            if (!scan) continue;
            ISA(words) salted = bits ^ salts[part];
            sums[part] += VECTOR_PRODUCT(salted) + ((bits << 7) | (bits >> 57));
            salts[part] += LL_GOLDEN;
        }
    }
    ISA(join_lanes)(low, high, nearest, negatives, values + whole, count - whole, look);
    if (scan) {
        memcpy(scan->sums, sums, sizeof sums);
        memcpy(scan->salts, salts, sizeof salts);
        for (int i = whole; i < count; i++)
            scan->sums[0] = ll_mix(scan->sums[0] ^ ll_bits_of_double(values[i]));
        int64_t least = signed_key(ll_bits_of_double(look->low));
        int64_t most = signed_key(ll_bits_of_double(look->high));
        scan->low[0] = least < scan->low[0] ? least : scan->low[0];
        scan->high[0] = most > scan->high[0] ? most : scan->high[0];
        scan->count += (uint64_t)count;
    }
    if (whole < count) {
        ISA(pad)(values + whole, count - whole, 0.0, padded);
        for (int part = 0; part < PARTS; part++)
            sum[part] += PART(padded + part * WIDTH);
    }
    look->sum = ISA(add_lanes)(sum);
}

/* Sums of the first to fourth powers of the deviations from center. */
LL_INLINE void ISA(add_powers)(const stored_double *values, int count, double center,
                               const uint8_t *ahead, double *sums) {
    ISA(vector) s1[PARTS], s2[PARTS], s3[PARTS], s4[PARTS];
    double padded[LANES];
    memset(s1, 0, sizeof s1);
    memset(s2, 0, sizeof s2);
    memset(s3, 0, sizeof s3);
    memset(s4, 0, sizeof s4);
    int whole = count - count % LANES;
    for (int i = 0; i < count; i += LANES) {
        ll_fetch(ahead, (size_t)i);
        const stored_double *group = values + i;
        if (LL_UNLIKELY(i == whole)) { /* a deviation of 0 adds nothing */
            ISA(pad)(group, count - whole, center, padded);
            group = padded;
        }
        for (int part = 0; part < PARTS; part++) {
            ISA(vector) deviation = PART(group + part * WIDTH) - center;
            ISA(vector) square = deviation * deviation;
            s1[part] += deviation;
            s2[part] += square;
            s3[part] += square * deviation;
            s4[part] += square * square;
        }
    }
    sums[0] = ISA(add_lanes)(s1);
    sums[1] = ISA(add_lanes)(s2);
    sums[2] = ISA(add_lanes)(s3);
    sums[3] = ISA(add_lanes)(s4);
}

/* Mean of finite values whose plain sum overflows: 1,024 of them divided by 2^11 cannot. */
LL_INLINE double ISA(mean_of_huge)(const stored_double *values, int count) {
    double scaled[TILE];
    for (int i = 0; i < count; i++)
        scaled[i] = values[i] * 0x1p-11;
    return ISA(add_tile)(scaled, count) / count * 0x1p11;
}

LL_INLINE void ISA(finish_tile)(const stored_double *values, int count, double sum,
                                const uint8_t *ahead, ll_moments *result) {
    double center = sum / count, sums[4];
    if (LL_UNLIKELY(!is_finite(center))) center = ISA(mean_of_huge)(values, count);
    ISA(add_powers)(values, count, center, ahead, sums);
    shift_center(count, center, sums, result);
}

TARGET static void ISA(ll_moments_look)(const uint64_t *values, int count, const uint8_t *ahead,
                                        ll_scan *scan, ll_look *look) {
    if (scan)
        ISA(first_pass)((const stored_double *)values, count, ahead, scan, look);
    else
        ISA(first_pass)((const stored_double *)values, count, ahead, NULL, look);
}

TARGET static void ISA(ll_moments_powers)(const uint64_t *bits, int count, const ll_look *look,
                                          const uint8_t *ahead, ll_moments *result) {
    const stored_double *values = (const stored_double *)bits;
    double finite[TILE];
    ll_look kept = *look;
    memset(result, 0, sizeof *result);
    if (LL_UNLIKELY(!is_finite(kept.sum))) { /* an infinity, or an overflow of the sum */
        count = keep_finite(values, count, finite);
        if (count == 0) return;
        values = finite;
        ISA(first_pass)(values, count, ahead, NULL, &kept);
    }
    result->minimum = ll_bits_of_double(kept.low);
    result->maximum = ll_bits_of_double(kept.high);
    ISA(finish_tile)(values, count, kept.sum, ahead, result);
}

TARGET static void ISA(ll_moments_kinds)(const uint64_t *values, int count, ll_kinds *kinds) {
    count_kinds(values, count, kinds);
}

LL_INLINE void ISA(integer_tile)(const uint64_t *values, int count, int storage,
                                 ll_moments *result) {
    double converted[TILE];
    for (int i = 0; i < count; i++)
        converted[i] = ll_double_of_integer(values[i], storage, SET);
    integer_extremes(values, count, storage, result);
    ISA(finish_tile)(converted, count, ISA(add_tile)(converted, count), (const uint8_t *)values,
                     result);
}

TARGET static void ISA(ll_moments_tile)(const uint64_t *values, int count, int storage,
                                        ll_moments *result) {
    const uint8_t *ahead = (const uint8_t *)values;
    ll_look look;
    memset(result, 0, sizeof *result);
    if (storage == LL_STORAGE_FLOAT64) {
        ISA(ll_moments_look)(values, count, ahead, NULL, &look);
        ISA(ll_moments_powers)(values, count, &look, ahead, result);
    } else if (storage == LL_STORAGE_INT64) {
        ISA(integer_tile)(values, count, LL_STORAGE_INT64, result);
    } else {
        ISA(integer_tile)(values, count, LL_STORAGE_UINT64, result);
    }
}

#undef WIDTH
#undef PARTS
#undef PART
#undef ISA
#undef SET
#undef TARGET
#undef VECTOR_BYTES
#undef VECTOR_MIN
#undef VECTOR_MAX
#undef VECTOR_PRODUCT
