/* One table of function pointers per instruction set; one pointer says which table is in use.
 *
 * A family with variants declares its function types here, gets its members in ll_kernels, and
 * offers ll_<family>_install(), which fills them for one set. A family without a faster variant
 * needs no entry: its public function is the kernel.
 */
#ifndef LEADLINE_DISPATCH_H
#define LEADLINE_DISPATCH_H

#include "common.h"
#include "leadline.h"

/* In the passes over a chunk, `ahead` says where to fetch what is read later (see ll_fetch). */

/* What a first pass over a tile of doubles finds. Where the sum is not finite, because of an
 * infinity, a NaN or an overflow, the ends may be anything if there is a NaN. */
typedef struct ll_look {
    double sum;
    double low;
    double high;
    double nearest;    /* the smallest magnitude; without zeros once those are known */
    int64_t negatives; /* sign bits */
    int64_t zeros;     /* not known before ll_moments_kinds */
} ll_look;

/* How many values of a tile are of which kind, and the smallest magnitude that is not zero (an
 * infinity without any). Both zeros are zeros. */
typedef struct ll_kinds {
    int64_t zeros;
    int64_t negative_zeros;
    int64_t nan;
    int64_t positive_infinities;
    int64_t negative_infinities;
    double nearest;
} ll_kinds;

typedef void (*ll_gather_load_kernel)(int type, const void *values, int64_t first,
                                      const int32_t *rows, int count, uint64_t *out);
/* The values whose bit is set (all, without `keep`) and that are not NaN; returns how many. */
typedef int (*ll_gather_take_kernel)(const void *from, int count, const uint64_t *keep,
                                     uint64_t *to);
typedef int (*ll_gather_keep_kernel)(uint64_t *values, int count, const uint64_t *keep);
typedef int (*ll_gather_clean_kernel)(const void *from, int count, int storage, uint64_t *to,
                                      ll_tally *tally);

typedef void (*ll_histogram_index_kernel)(const uint64_t *values, int64_t count, int storage,
                                          uint32_t *index);
typedef void (*ll_histogram_add_kernel)(const uint64_t *values, int64_t count, int storage,
                                        uint32_t *counters, uint8_t *touched);
/* A tile of doubles that was looked at, zeros included. */
typedef void (*ll_histogram_tile_kernel)(const uint64_t *values, int count, const ll_look *look,
                                         const uint8_t *ahead, uint32_t *counters,
                                         uint8_t *touched);
typedef void (*ll_distinct_hash_kernel)(const uint64_t *values, int64_t count, int storage,
                                        uint64_t *hashes);
typedef void (*ll_distinct_add_kernel)(const uint64_t *values, int64_t count, int storage,
                                       const uint8_t *ahead, uint8_t *registers);
typedef void (*ll_distinct_add_hashes_kernel)(const uint64_t *hashes, int64_t count,
                                              uint8_t *registers);

/* A pass over a block of values, in eight lanes so that every instruction set finds the same. */
#define LL_SCAN_LANES 8
typedef struct ll_scan {
    int64_t low[LL_SCAN_LANES];
    int64_t high[LL_SCAN_LANES];
    uint64_t sums[LL_SCAN_LANES];
    uint64_t salts[LL_SCAN_LANES];
    uint64_t count;
} ll_scan;

/* Smallest and largest value in signed order, hash of the data. */
typedef struct ll_scanned {
    int64_t low;
    int64_t high;
    uint64_t hash;
} ll_scanned;

typedef void (*ll_moments_tile_kernel)(const uint64_t *values, int count, int storage,
                                       ll_moments *result);
/* The same in two steps, for doubles; the first takes `scan` along in its pass, if not NULL. */
typedef void (*ll_moments_look_kernel)(const uint64_t *values, int count, const uint8_t *ahead,
                                       ll_scan *scan, ll_look *look);
typedef void (*ll_moments_powers_kernel)(const uint64_t *values, int count, const ll_look *look,
                                         const uint8_t *ahead, ll_moments *result);
typedef void (*ll_moments_kinds_kernel)(const uint64_t *values, int count, ll_kinds *kinds);
typedef void (*ll_keys_encode_kernel)(const uint64_t *values, int64_t count, int storage,
                                      uint64_t *keys);
typedef bool (*ll_doubles_kernel)(const uint64_t *values, int64_t count, int storage,
                                  uint64_t *doubles);
typedef void (*ll_scan_add_kernel)(ll_scan *scan, const uint64_t *values, int64_t count,
                                   int storage);

typedef struct ll_kernels {
    int set;
    ll_gather_load_kernel gather_load;
    ll_gather_take_kernel gather_take;
    ll_gather_keep_kernel gather_keep;
    ll_gather_clean_kernel gather_clean;
    ll_moments_tile_kernel moments_tile;
    ll_moments_look_kernel moments_look;
    ll_moments_powers_kernel moments_powers;
    ll_moments_kinds_kernel moments_kinds;
    ll_histogram_index_kernel histogram_index;
    ll_histogram_add_kernel histogram_add;
    ll_histogram_tile_kernel histogram_tile;
    ll_distinct_hash_kernel distinct_hash;
    ll_distinct_add_kernel distinct_add;
    ll_distinct_add_hashes_kernel distinct_add_hashes;
    ll_scan_add_kernel scan_add;
    ll_keys_encode_kernel keys_encode;
    ll_doubles_kernel doubles; /* false if not all integers are exact below 2^53 */
} ll_kernels;

/* Each fills its family's members with the variants of kernels->set. */
LL_HIDDEN void ll_gather_install(ll_kernels *kernels);
LL_HIDDEN void ll_moments_install(ll_kernels *kernels);
LL_HIDDEN void ll_histogram_install(ll_kernels *kernels);
LL_HIDDEN void ll_distinct_install(ll_kernels *kernels);
LL_HIDDEN void ll_quantiles_install(ll_kernels *kernels);
LL_HIDDEN void ll_keys_install(ll_kernels *kernels);

/* The table in use. Cheap: one relaxed atomic load. */
LL_HIDDEN const ll_kernels *ll_kernels_active(void);

#endif
