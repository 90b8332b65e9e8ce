/* Smallest and largest value of a block and a hash of its data, in one pass; compiled once for
 * every instruction set, with eight independent lanes so that all of them give the same words.
 * Included by quantiles.c only.
 */

/* The products of 32-bit halves are what every vector unit has; each is salted with its position,
 * so that order matters. */
LL_INLINE void scan_body(ll_scan *scan, const uint64_t *values, size_t count, int storage) {
    int64_t low[LL_SCAN_LANES], high[LL_SCAN_LANES];
    uint64_t sums[LL_SCAN_LANES], salts[LL_SCAN_LANES];
    memcpy(low, scan->low, sizeof low);
    memcpy(high, scan->high, sizeof high);
    memcpy(sums, scan->sums, sizeof sums);
    memcpy(salts, scan->salts, sizeof salts);
    size_t whole = count - count % LL_SCAN_LANES;
    for (size_t i = 0; i < whole; i += LL_SCAN_LANES) {
        for (int lane = 0; lane < LL_SCAN_LANES; lane++) {
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
    memcpy(scan->low, low, sizeof low);
    memcpy(scan->high, high, sizeof high);
    memcpy(scan->sums, sums, sizeof sums);
    memcpy(scan->salts, salts, sizeof salts);
    scan->count += count;
}

LL_INLINE void scan_storages(ll_scan *scan, const uint64_t *values, size_t count, int storage) {
    if (storage == LL_STORAGE_FLOAT64)
        scan_body(scan, values, count, LL_STORAGE_FLOAT64);
    else if (storage == LL_STORAGE_INT64)
        scan_body(scan, values, count, LL_STORAGE_INT64);
    else
        scan_body(scan, values, count, LL_STORAGE_UINT64);
}
