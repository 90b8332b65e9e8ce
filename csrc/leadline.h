/* The whole C surface that Python sees (bindings/native.cdef.h repeats it for cffi).
 *
 * Rules for every function: the caller owns all memory; nothing is allocated, printed or kept;
 * no Python object is touched, so the interpreter lock is free while a kernel runs. Functions
 * that can refuse return LL_OK or a positive error code, and then say so in their comment.
 */
#ifndef LEADLINE_H
#define LEADLINE_H

#include <stdint.h>

/* ---- error codes ------------------------------------------------------------------------- */

#define LL_OK             0
#define LL_ERROR_ARGUMENT 1 /* a type, storage or size the kernel does not know */
#define LL_ERROR_RANGE    2 /* a row, code or offset outside its array */
#define LL_ERROR_SUPPORT  3 /* an instruction set this CPU or build does not have */

/* One English phrase for a code, a static string. */
const char *ll_error_text(int code);

/* ---- instruction sets ---------------------------------------------------------------------- */

#define LL_SET_SERIAL 0
#define LL_SET_AVX2   1
#define LL_SET_AVX512 2
#define LL_SET_COUNT  3

/* 1 if this build has the variant and this CPU (and its operating system) can run it, else 0. */
int ll_set_available(int set);
/* The set in use: at load the best available one. */
int ll_set_active(void);
/* Use this set from the next call on, in all threads. LL_ERROR_SUPPORT if it is not available. */
int ll_set_force(int set);

/* ---- quantiles (KLL) ------------------------------------------------------------------------- */

#define LL_QUANTILE_LEVELS 61    /* DataSketches' limit: an item stands for at most 2^60 values */
#define LL_QUANTILE_BLOCK  65536 /* most values in one call of ll_quantiles_block */
#define LL_QUANTILE_MOST   ((uint64_t)1 << 60) /* most values in one sketch */

/* Items that a sketch of `levels` levels may hold, as DataSketches counts (m = 8). */
int64_t ll_quantiles_capacity(int k, int levels);

/* found[0], found[1]: smallest and largest value in signed order; found[2]: hash of the data. */
int ll_quantiles_scan(const uint64_t *values, int64_t count, int storage, uint64_t seed,
                      uint64_t *found);

/* The sketch of 1 to 65,536 values, one of each 2^height kept. keys and work: `count` each;
 * bounds: smallest and largest key; offsets: LL_QUANTILE_LEVELS + 1; items: capacity of all
 * levels. */
int ll_quantiles_block(const uint64_t *values, int64_t count, int storage, int height, int k,
                       uint64_t seed, uint64_t *keys, uint64_t *work, uint64_t *bounds,
                       uint32_t *offsets, int32_t *levels, uint64_t *items);

/* The sketch of ascending distinct keys with counts above 0; LL_ERROR_RANGE above 2^60 values. */
int ll_quantiles_weighted(const uint64_t *keys, const uint64_t *weights, int64_t count, int k,
                          uint64_t seed, uint32_t *offsets, int32_t *levels, uint64_t *items);

/* Two sketches into one of k, in either order; work and spare: a_count + b_count each. */
int ll_quantiles_merge(int k, uint64_t seed, const uint32_t *a_offsets, int a_levels,
                       const uint64_t *a_items, int64_t a_count, const uint32_t *b_offsets,
                       int b_levels, const uint64_t *b_items, int64_t b_count, uint64_t *work,
                       uint64_t *spare, uint32_t *offsets, int32_t *levels, uint64_t *items);

#endif
