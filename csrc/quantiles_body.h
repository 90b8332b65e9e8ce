/* Smallest and largest value of a block and a hash of its data, in one pass; compiled once for
 * every instruction set, with eight independent lanes so that all of them give the same words.
 * Included by quantiles.c only.
 */
#define LANES 8

/* found: smallest and largest in signed order, hash. The products of 32-bit halves are what every
 * vector unit has; each is salted with its position, so that order matters. */
LL_INLINE void scan_body(const uint64_t *values, size_t count, int storage, uint64_t seed,
                         uint64_t *found) {
    int64_t low[LANES], high[LANES];
    uint64_t sums[LANES], salts[LANES];
    for (int lane = 0; lane < LANES; lane++) {
        low[lane] = INT64_MAX;
        high[lane] = INT64_MIN;
        sums[lane] = 0;
        salts[lane] = ll_draw(seed, (uint64_t)lane);
    }
    size_t whole = count - count % LANES;
    for (size_t i = 0; i < whole; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            uint64_t bits = values[i + (size_t)lane];
            int64_t value = ll_signed_order(bits, storage);
            low[lane] = value < low[lane] ? value : low[lane];
            high[lane] = value > high[lane] ? value : high[lane];
            uint64_t salted = bits ^ salts[lane];
            sums[lane] += (salted & 0xffffffffu) * (salted >> 32) + (bits << 7) + (bits >> 57);
            salts[lane] += LL_GOLDEN;
        }
    }
    for (size_t i = whole; i < count; i++) {
        int64_t value = ll_signed_order(values[i], storage);
        low[0] = value < low[0] ? value : low[0];
        high[0] = value > high[0] ? value : high[0];
        sums[0] = ll_mix(sums[0] ^ values[i]);
    }
    uint64_t hash = ll_draw(seed, count);
    for (int lane = 0; lane < LANES; lane++) {
        low[0] = low[lane] < low[0] ? low[lane] : low[0];
        high[0] = high[lane] > high[0] ? high[lane] : high[0];
        hash = ll_mix(hash ^ sums[lane]);
    }
    found[0] = (uint64_t)low[0];
    found[1] = (uint64_t)high[0];
    found[2] = hash;
}

LL_INLINE void scan_storages(const uint64_t *values, size_t count, int storage, uint64_t seed,
                             uint64_t *found) {
    if (storage == LL_STORAGE_FLOAT64)
        scan_body(values, count, LL_STORAGE_FLOAT64, seed, found);
    else if (storage == LL_STORAGE_INT64)
        scan_body(values, count, LL_STORAGE_INT64, seed, found);
    else
        scan_body(values, count, LL_STORAGE_UINT64, seed, found);
}

#undef LANES
