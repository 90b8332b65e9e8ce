/* The whole C surface that Python sees (bindings/native.cdef.h repeats it for cffi), together with
 * leadline_text.h and leadline_parquet.h at its end.
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

/* ---- values ------------------------------------------------------------------------------- */

/* A block of values is uint64_t[]: the 8 raw bytes of a double, int64_t or uint64_t each. NaN is
 * not in it and -0.0 has become 0.0 (ll_gather sees to both); infinities may be. */
#define LL_STORAGE_FLOAT64 0
#define LL_STORAGE_INT64   1
#define LL_STORAGE_UINT64  2

/* Ordered keys: unsigned integers in the order of the values, and back. In place is fine.
 * LL_ERROR_ARGUMENT for an unknown storage or a negative count. */
int ll_keys_encode(const uint64_t *values, int64_t count, int storage, uint64_t *keys);
int ll_keys_decode(const uint64_t *keys, int64_t count, int storage, uint64_t *values);

/* ---- cells ----------------------------------------------------------------------------------- */

/* Which of the windows starts[i] <= value < ends[i], ascending and apart, every value is in; -1 if
 * in none, as are *outside of them. LL_ERROR_ARGUMENT for a negative count or more than 2^31 - 1
 * windows; LL_ERROR_RANGE for windows that do not ascend. */
int ll_cells_windows(const int64_t *values, int64_t count, const int64_t *starts,
                     const int64_t *ends, int64_t windows, int32_t *codes, int64_t *outside);

/* Row numbers sorted stably by code, the *filled codes that occur, and where each begins. table:
 * `size`; order: `count`; cells: the smaller of both, starts: one more. LL_ERROR_ARGUMENT for sizes
 * not in [0, 2^31 - 1]; LL_ERROR_RANGE for a code not in [0, size). */
int ll_cells_sort(const int32_t *codes, int64_t count, int64_t size, int32_t *table, int32_t *order,
                  int32_t *cells, int64_t *starts, int64_t *filled);

/* ---- gather: Arrow memory -> a block of values ---------------------------------------------- */

#define LL_TYPE_BOOL    0
#define LL_TYPE_INT8    1
#define LL_TYPE_INT16   2
#define LL_TYPE_INT32   3
#define LL_TYPE_INT64   4
#define LL_TYPE_UINT8   5
#define LL_TYPE_UINT16  6
#define LL_TYPE_UINT32  7
#define LL_TYPE_UINT64  8
#define LL_TYPE_FLOAT16 9
#define LL_TYPE_FLOAT32 10
#define LL_TYPE_FLOAT64 11

/* What a gather did. negatives: values below zero, -inf included; zeros: 0.0 and -0.0. */
typedef struct ll_tally {
    int64_t written; /* values in out */
    int64_t next;    /* first position that was not consumed */
    int64_t rows;    /* positions consumed, = next - begin */
    int64_t nulls;
    int64_t nan;
    int64_t positive_infinity;
    int64_t negative_infinity;
    int64_t zeros;
    int64_t negatives;
} ll_tally;

/* Write the values of the rows order[begin..end) (or begin..end without an order) that are neither
 * null nor NaN to out, and stop right after the row that fills it. values and validity are the
 * Arrow buffers; `offset` is in rows and applies to both; validity is NULL if no row is null.
 * LL_ERROR_ARGUMENT for an unknown type, a negative size, or offset + length whose address would
 * wrap; LL_ERROR_RANGE if a row is not in [0, length); out and tally are undefined then. */
int ll_gather(int type, const void *values, const uint8_t *validity, int64_t offset, int64_t length,
              const int32_t *order, int64_t begin, int64_t end, uint64_t *out, int64_t capacity,
              ll_tally *tally);

/* ---- moments ------------------------------------------------------------------------------ */

/* Of the finite values: count, mean, sums of powers of deviations, raw bytes of the extremes. */
typedef struct ll_moments {
    int64_t count;
    double mean;
    double m2;
    double m3;
    double m4;
    uint64_t minimum; /* undefined while count is 0 */
    uint64_t maximum;
} ll_moments;

/* Tiles of 1,024 consecutive values, 8 fixed lanes, adjacent tiles combined in a binary tree: the
 * same bits from every instruction set. LL_ERROR_ARGUMENT for an unknown storage or a negative
 * count. */
int ll_moments_block(const uint64_t *values, int64_t count, int storage, ll_moments *result);

/* The same of distinct values with multiplicities, by compensated sums in the order given.
 * LL_ERROR_ARGUMENT as above. */
int ll_moments_weighted(const uint64_t *values, const uint64_t *weights, int64_t count, int storage,
                        ll_moments *result);

/* ---- histogram ---------------------------------------------------------------------------- */

/* A value's bucket is the top 20 bits of its double, rounded towards zero: a page (sign and
 * exponent, 4,096 of them) and one of 256 linear buckets in it. Zeros and infinities are in no
 * bucket. Counters (uint32_t) lie in several tables that are added on reading, so that increments
 * of neighbouring equal values need not wait for each other; a page's length lies between two
 * tables, or equal buckets would share a cache set. touched (uint8_t) marks the pages that may hold
 * something, for the first table and for all of them. Both start as zeros. */
#define LL_HISTOGRAM_PAGES    4096
#define LL_HISTOGRAM_PAGE     256
#define LL_HISTOGRAM_COARSEST 5 /* then 4,096 pages have no more counters than 128 at first */
#define LL_HISTOGRAM_TABLES   4
#define LL_HISTOGRAM_TABLE    (LL_HISTOGRAM_PAGES * LL_HISTOGRAM_PAGE + LL_HISTOGRAM_PAGE)
#define LL_HISTOGRAM_COUNTERS (LL_HISTOGRAM_TABLES * LL_HISTOGRAM_TABLE)
#define LL_HISTOGRAM_TOUCHED  (2 * LL_HISTOGRAM_PAGES)

/* The bucket of every value, LL_HISTOGRAM_PAGES * LL_HISTOGRAM_PAGE for zeros and infinities.
 * LL_ERROR_ARGUMENT for an unknown storage or a negative count. */
int ll_histogram_index(const uint64_t *values, int64_t count, int storage, uint32_t *index);

/* Count at most 2^32 - 1 values between two calls of ll_histogram_clear. LL_ERROR_ARGUMENT as
 * above. */
int ll_histogram_add(const uint64_t *values, int64_t count, int storage, uint32_t *counters,
                     uint8_t *touched);

/* The largest count of a bucket. */
uint32_t ll_histogram_heaviest(const uint32_t *counters, uint8_t *touched);

/* Write the ascending numbers of the pages that hold values (room for LL_HISTOGRAM_PAGES) and
 * return how many there are. */
int ll_histogram_pages(const uint32_t *counters, uint8_t *touched, uint16_t *pages);

/* Write LL_HISTOGRAM_PAGE >> coarseness counts for each page. LL_ERROR_ARGUMENT for a negative
 * count or a coarseness not in [0, 8]; LL_ERROR_RANGE for a page that does not exist. */
int ll_histogram_read(const uint32_t *counters, const uint8_t *touched, const uint16_t *pages,
                      int count, int coarseness, uint32_t *counts);

/* Zero everything that was touched. */
void ll_histogram_clear(uint32_t *counters, uint8_t *touched);

/* ---- distinct ------------------------------------------------------------------------------- */

#define LL_DISTINCT_REGISTERS 4096

/* 64-bit hashes: a number hashes as its double if that is exact, whatever its storage.
 * LL_ERROR_ARGUMENT for an unknown storage or a negative count, here and below. */
int ll_distinct_hash(const uint64_t *values, int64_t count, int storage, uint64_t *hashes);

/* Raise the HyperLogLog registers (uint8_t[LL_DISTINCT_REGISTERS]) by values, or by hashes. */
int ll_distinct_add(const uint64_t *values, int64_t count, int storage, uint8_t *registers);
int ll_distinct_add_hashes(const uint64_t *hashes, int64_t count, uint8_t *registers);

/* ---- quantiles (KLL) ------------------------------------------------------------------------- */

#define LL_QUANTILE_LEVELS 61    /* DataSketches' limit: an item stands for at most 2^60 values */
#define LL_QUANTILE_BLOCK  65536 /* most values in one call of ll_quantiles_block */
#define LL_QUANTILE_MOST   ((uint64_t)1 << 60) /* most values in one sketch */

/* Items that a sketch of `levels` levels may hold, as DataSketches counts (m = 8). */
int64_t ll_quantiles_capacity(int k, int levels);

/* found[0], found[1]: smallest and largest value in signed order; found[2]: hash of the data.
 * LL_ERROR_ARGUMENT for an unknown storage or a negative count. */
int ll_quantiles_scan(const uint64_t *values, int64_t count, int storage, uint64_t seed,
                      uint64_t *found);

/* The sketch of 1 to 65,536 values, one of each 2^height kept. keys and work: `count` each;
 * bounds: smallest and largest key; offsets: LL_QUANTILE_LEVELS + 1; items: capacity of all
 * levels. LL_ERROR_ARGUMENT for an unknown storage, a count out of range, a height not in [0, 16]
 * or a k not in [8, 65,535]. */
int ll_quantiles_block(const uint64_t *values, int64_t count, int storage, int height, int k,
                       uint64_t seed, uint64_t *keys, uint64_t *work, uint64_t *bounds,
                       uint32_t *offsets, int32_t *levels, uint64_t *items);

/* The sketch of ascending distinct keys with counts above 0. LL_ERROR_ARGUMENT without keys or for
 * a k as above; LL_ERROR_RANGE for a count of 0 or above 2^60 values. */
int ll_quantiles_weighted(const uint64_t *keys, const uint64_t *weights, int64_t count, int k,
                          uint64_t seed, uint32_t *offsets, int32_t *levels, uint64_t *items);

/* Two sketches into one of k, in either order; work and spare: a_count + b_count each.
 * LL_ERROR_ARGUMENT for a k as above; LL_ERROR_RANGE for offsets that do not ascend to their count,
 * or items that stand for more than 2^60 values each. */
int ll_quantiles_merge(int k, uint64_t seed, const uint32_t *a_offsets, int a_levels,
                       const uint64_t *a_items, int64_t a_count, const uint32_t *b_offsets,
                       int b_levels, const uint64_t *b_items, int64_t b_count, uint64_t *work,
                       uint64_t *spare, uint32_t *offsets, int32_t *levels, uint64_t *items);

/* A sketch in the layout of Apache DataSketches, its items in the 8 bytes of
 * their storage. minimum, maximum: keys. LL_ERROR_ARGUMENT for an unknown storage, a negative size,
 * a k not in [8, 65,535] or a height not in [0, 255]; LL_ERROR_RANGE for no level or more than
 * LL_QUANTILE_LEVELS, offsets that do not ascend to `count`, more items than all levels
 * hold, or less room than 28 + 4 * LL_QUANTILE_LEVELS + 8 * (count + 2) bytes. */
int ll_quantiles_bytes(int storage, int k, int height, uint64_t total, uint64_t minimum,
                       uint64_t maximum, const uint32_t *offsets, int levels, const uint64_t *items,
                       int64_t count, uint8_t *out, int64_t room, int64_t *size);

/* ---- ranks: bands of cumulative counts ------------------------------------------------------- */

/* The band of a histogram, of single values and of ascending items of a sketch with their weights
 * (none: item_count 0). pages ascend; counters have 1, 2, 4 or 8 bytes each; singles: rows
 * at -inf, 0 and inf; extremes: smallest and largest finite value, NaN where unknown; errors: rows
 * over weight, error of a rank, error of a split, in rows. From band[0] the points, from band[room]
 * two lower bounds a point, from band[3 * room] two upper bounds, from band[5 * room] two
 * estimates, from band[7 * room] the noise; *points: how many points. LL_ERROR_ARGUMENT for sizes
 * out of range, a coarseness not in [0, 8], counters of other widths, or room for fewer points than
 * two a counter and single value and one an item. */
int ll_ranks_band(const uint16_t *pages, int64_t page_count, int coarseness, const void *counters,
                  int bytes, const int64_t *singles, const double *extremes, const double *items,
                  const double *weights, int64_t item_count, const double *errors, int64_t room,
                  double *band, int64_t *points);

/* A band stated at other points: from out[0] two lower bounds a point, from out[2 * count] two
 * upper bounds, from out[4 * count] two estimates, from out[6 * count] the noise. Points in
 * ascending order are found in one pass. LL_ERROR_ARGUMENT for negative sizes. */
int ll_ranks_on(const double *points, const double *lower, const double *upper,
                const double *estimate, const double *noise, int64_t size, int64_t total,
                const double *at, int64_t count, double *out);

/* The estimated distance of `ll_ranks_distance` of a band and of each of so many sets of values
 * that are counted exactly: ascending distinct values[ends[i - 1]] to values[ends[i] - 1] with
 * their counts. A band of 1,500 points beside 120 values takes 5 us; walking over both takes four
 * times as long. LL_ERROR_ARGUMENT for a band or set without points or rows. */
int ll_ranks_counts(const double *points, const double *lower, const double *upper,
                    const double *estimate, int64_t size, int64_t total, const double *values,
                    const int64_t *counts, const int64_t *ends, int64_t sets, double *distances);

/* Bounds of the largest distance of the shares of two bands: found[0] and found[1] the least and
 * the largest possible, found[2] that of the estimates, found[3] where. LL_ERROR_ARGUMENT for
 * negative sizes or totals below 1. */
int ll_ranks_distance(const double *a_points, const double *a_lower, const double *a_upper,
                      const double *a_estimate, int64_t a_size, int64_t a_total,
                      const double *b_points, const double *b_lower, const double *b_upper,
                      const double *b_estimate, int64_t b_size, int64_t b_total, double *found);

/* A side whose distance to another one follows from its buckets: as for ll_ranks_band, and limit:
 * rows of a bucket from which on its sketch has to be asked; total: all rows. */
typedef struct ll_ranks_side {
    const uint16_t *pages;
    const void *counters;
    int64_t page_count;
    int64_t singles[3];
    int64_t total;
    double extremes[2];
    double limit;
    int32_t bytes;
} ll_ranks_side;

/* Like ll_ranks_distance of the two sides' bands, if no bucket of either is over its limit; else
 * *enough is 0. found[3] means nothing where found[2] is 0. LL_ERROR_ARGUMENT for sizes, widths, or
 * a coarseness out of range, for pages that do not ascend or are beyond LL_HISTOGRAM_PAGES, and for
 * totals below 1. */
int ll_ranks_buckets(const ll_ranks_side *reference, const ll_ranks_side *current, int coarseness,
                     double *found, int32_t *enough);

/* ---- counts -------------------------------------------------------------------------------- */

#define LL_FEW_BITS   10
#define LL_FEW_PLACES 1024

/* keys[0], keys[1]: ordered keys of the smallest and largest of at least one value.
 * LL_ERROR_ARGUMENT for an unknown storage or without values. */
int ll_counts_range(const uint64_t *values, int64_t count, int storage, uint64_t *keys);

/* Count integers at their low 16 bits in table[65,536]. low and high bound the values (as values
 * or as keys: only their low bits and distance matter). LL_ERROR_ARGUMENT for a negative count or
 * bounds more than 65,535 apart. */
int ll_counts_dense(const uint64_t *values, int64_t count, uint64_t low, uint64_t high,
                    uint32_t *table);

/* Count values in a hash table of LL_FEW_PLACES (counts zeroed before the first call), until *used
 * distinct ones are more than `limit`; the table is incomplete then. LL_ERROR_ARGUMENT for a
 * negative count or a limit not in [0, LL_FEW_PLACES / 2]. */
int ll_counts_few(const uint64_t *values, int64_t count, int limit, uint64_t *keys,
                  uint32_t *counts, int32_t *used);

/* Distinct ordered keys and their counts of every group of values, one group after the other.
 * work, keys, counts: room for `count`; unique_starts: groups + 1. LL_ERROR_ARGUMENT for an unknown
 * storage, a negative size or 2^32 values; LL_ERROR_RANGE for starts that do not ascend within
 * them. */
int ll_counts_groups(const uint64_t *values, int64_t count, const int64_t *starts, int64_t groups,
                     int storage, uint64_t *work, uint64_t *keys, uint32_t *counts,
                     int64_t *unique_starts);

/* Two ascending lists of distinct keys into one of *size; keys, counts: room for a_size + b_size.
 * LL_ERROR_ARGUMENT for a negative size. */
int ll_counts_merge(const uint64_t *a_keys, const uint64_t *a_counts, int64_t a_size,
                    const uint64_t *b_keys, const uint64_t *b_counts, int64_t b_size,
                    uint64_t *keys, uint64_t *counts, int64_t *size);

/* ---- numbers: one column of one unit of work, cell by cell -------------------------------------
 */

#define LL_BLOCK     65536   /* values that are sketched together */
#define LL_UNIT_ROWS 1048576 /* most rows of one cell */
#define LL_SMALL     2048    /* so many values are always counted exactly */
#define LL_FEW       256     /* so many distinct doubles are; integers within a range of 65,536 */

/* Most counts of one histogram: 128 * 2^d pages of 256 / 2^d each. */
#define LL_HISTOGRAM_MOST 32768
/* Most bytes of a cell's sketches but for their items: registers, offsets, counters, pages. */
#define LL_NUMBERS_STATES (4096 + 4 * 62 + 4 * LL_HISTOGRAM_MOST + 2 * 4096)
/* Blocks wait to be joined like the digits of a binary counter: 16 of them, and two to work with.
 */
#define LL_NUMBERS_PARTS 7
#define LL_HOURS         131072 /* hours of a day that are counted apart: 15 years */
#define LL_CALENDAR      31     /* 24 hours of the day and 7 weekdays */

/* One Arrow array of numbers: addresses of its buffers (0 without a validity bitmap: no row is
 * null), offset of both and length in rows. */
typedef struct ll_view {
    uint64_t values;
    uint64_t validity;
    int64_t offset;
    int64_t length;
} ll_view;

/* What became of one cell, 8 bytes a field. Of exactly counted values there are `entries` keys and
 * counts; of the others `states` bytes of sketches, one after the other: registers, items, offsets
 * of the levels (one more than there are), and of numbers the histogram's counters of `width` bytes
 * (1, 2 or 4, the fewest that hold them) and its pages. Of instants there are also `entries` days,
 * -1 if they span too much. `begin` fields say where a cell's part of an array lies. */
typedef struct ll_cell {
    int64_t rows;
    int64_t nulls;
    int64_t nan;
    int64_t positive_infinity;
    int64_t negative_infinity;
    int64_t zeros;
    int64_t negatives;
    int64_t exact;
    int64_t entries;
    int64_t largest; /* the largest of the entries' counts */
    int64_t keys_begin;
    int64_t items;
    int64_t levels;
    int64_t height;
    int64_t counts_begin;
    int64_t states_begin;
    int64_t states;
    int64_t pages;
    int64_t coarseness;
    int64_t width;
    int64_t moments_count;
    double mean;
    double m2;
    double m3;
    double m4;
    uint64_t minimum;
    uint64_t maximum;
    uint64_t low; /* smallest and largest key of the sketch */
    uint64_t high;
} ll_cell;

/* Work memory of one thread. Zeroed before and after: counters, touched, dense, hours. */
typedef struct ll_numbers_memory {
    uint64_t *block;    /* LL_BLOCK */
    uint64_t *sort;     /* 2 * LL_BLOCK */
    uint32_t *counters; /* LL_HISTOGRAM_COUNTERS */
    uint8_t *touched;   /* LL_HISTOGRAM_TOUCHED */
    uint32_t *dense;    /* 65,536 */
    uint32_t *hours;    /* LL_HOURS */
    uint64_t *parts; /* LL_NUMBERS_PARTS + 4 times ll_quantiles_capacity(k, LL_QUANTILE_LEVELS) */
} ll_numbers_memory;

/* Where the states go: arrays with room for `cells` cells, or of a capacity given in elements. */
typedef struct ll_numbers_out {
    ll_cell *cells;
    int64_t *calendar; /* LL_CALENDAR a cell, for instants only */
    uint64_t *keys;
    int64_t keys_capacity; /* at least 65,536 */
    uint32_t *counts;
    int64_t counts_capacity; /* at least 65,536 */
    uint8_t *states;         /* at a multiple of 8 bytes */
    int64_t states_capacity; /* at least LL_NUMBERS_STATES and 8 * ll_quantiles_capacity(k,
                                LL_QUANTILE_LEVELS) bytes */
} ll_numbers_out;

/* A column of one Arrow type. Cell i has the rows order[starts[i]..starts[i + 1]) of the only view,
 * or, without an order, the rows starts[i] to starts[i + 1] of all views together. */
typedef struct ll_numbers {
    int32_t type;
    int32_t unit; /* LL_UNIT_* of instants, -1 of numbers */
    int32_t k;
    int64_t view_count;
    const ll_view *views;
    int64_t order_count;
    const int32_t *order;
    int64_t cells;
    const int64_t *starts;
    uint64_t seed;
    double sampler_variance; /* see ll_numbers_profile */
} ll_numbers;

/* Profile cells from number `first` on until `most` are done or their states might not fit; *done
 * becomes how many are. A block of n values of which the heaviest bucket holds the share m so far
 * keeps one of 2^h values, h = floor(log2(sampler_variance * n / m)) within [0, 8].
 * LL_ERROR_ARGUMENT for an unknown type or unit, a negative size, a cell of more than LL_UNIT_ROWS
 * rows, a k not in [8, 65,535], a capacity too small or addresses that would wrap; LL_ERROR_RANGE
 * for starts that do not ascend within the rows, or a row of the order that is not in the view. */
int ll_numbers_profile(const ll_numbers *column, const ll_numbers_memory *memory, int64_t first,
                       int64_t most, ll_numbers_out *out, int64_t *done);
/* ---- packing: whole numbers in few bytes (docs/format.md, section 5) ------------------------- */

/* Unsigned numbers of `width` (1, 2, 4 or 8) bytes each, less `less`: the smallest width that holds
 * them all, then their byte planes. LL_ERROR_ARGUMENT for a negative count or an unknown width;
 * LL_ERROR_RANGE for less room than 1 + 8 * count bytes. */
int ll_packing_numbers(const void *values, int64_t count, int width, uint64_t less, uint8_t *out,
                       int64_t room, int64_t *size);

/* Of at least two ascending numbers: the greatest common divisor of their gaps as a varint, then
 * the gaps in these steps, less 1, packed. LL_ERROR_ARGUMENT for fewer numbers or an unknown width;
 * LL_ERROR_RANGE for numbers that do not ascend or less room than 11 + 8 * count bytes. */
int ll_packing_gaps(const void *values, int64_t count, int width, uint8_t *out, int64_t room,
                    int64_t *size);

/* ---- sketches: those of many columns into the bytes of a snapshot's fields ------------------- */

/* Where the sketches of one column lie, as ll_histogram_read, ll_quantiles_block and
 * ll_distinct_add leave them; counters of `width` (1, 2, 4 or 8) bytes. held: 1 with a histogram,
 * + 2 with quantiles, + 4 with registers. */
typedef struct ll_sketches {
    int32_t held;
    int32_t coarseness;
    int32_t width;
    int32_t storage;
    int32_t k;
    int32_t height;
    int32_t levels;
    int64_t page_count;
    const uint16_t *pages;
    const void *counters;
    uint64_t total;
    uint64_t minimum;
    uint64_t maximum;
    const uint32_t *offsets;
    const uint64_t *items;
    int64_t item_count;
    const uint8_t *registers;
} ll_sketches;

/* All histograms one after the other, then all quantiles, then all registers; sizes (3 * count): of
 * each, 0 of what is not held. LL_ERROR_ARGUMENT for a negative size, and pages, coarseness, width
 * or quantiles out of range; LL_ERROR_RANGE as ll_quantiles_bytes, or for less room than a sketch
 * might need: 16 + 2 * page_count + width * counters + counters / 8, what ll_quantiles_bytes says,
 * 6145. */
int ll_sketches_bytes(const ll_sketches *sketches, int64_t count, uint8_t *out, int64_t room,
                      int64_t *sizes);

/* ---- calendar ------------------------------------------------------------------------------ */

#define LL_UNIT_SECONDS      0
#define LL_UNIT_MILLISECONDS 1
#define LL_UNIT_MICROSECONDS 2
#define LL_UNIT_NANOSECONDS  3

/* *end: where the last whole record of CSV ends in a piece that begins with a record; 0 if none
 * does. LL_ERROR_ARGUMENT for a negative size. */
int ll_records_end(const uint8_t *data, int64_t size, uint8_t delimiter, int64_t *end);

/* Add instants (each weights[i] times, once without weights) to hours[24] and weekdays[7], Monday
 * first, in UTC; days: the number of each instant's day since 1970-01-01. LL_ERROR_ARGUMENT for an
 * unknown unit or a negative count. */
int ll_calendar_count(const int64_t *values, const uint64_t *weights, int64_t count, int unit,
                      uint64_t *hours, uint64_t *weekdays, int64_t *days);

/* Instants in microseconds, rounded down, held at the ends of int64_t where they do not fit.
 * LL_ERROR_ARGUMENT as above. */
int ll_calendar_microseconds(const int64_t *values, int64_t count, int unit, int64_t *out);

/* ---- unpacking: sketch states out of a snapshot's bytes (docs/format.md, section 5) -------- */

/* What is wrong with a state. */
#define LL_FAULT_NONE     0
#define LL_FAULT_NAN      1
#define LL_FAULT_UNSORTED 2 /* a level of a sketch does not ascend */
#define LL_FAULT_OUTSIDE  3 /* an item of a sketch lies outside of its extremes */
#define LL_FAULT_PAGES    4 /* pages do not ascend or are not those of finite values */
#define LL_FAULT_EMPTY    5 /* a page holds nothing */
#define LL_FAULT_ZERO     6 /* a counter that is said to be above zero is not */
#define LL_FAULT_RANK     7 /* registers that no hash sets, or not in their shortest form */

/* What lies in the counters of a histogram. */
typedef struct ll_counted {
    uint64_t total;
    uint64_t negative; /* of negative values */
    uint64_t bits;     /* every counter, or-ed */
    int32_t fault;
} ll_counted;

/* page_count pages from their byte planes, and page_count * buckets counters: a bit for each that
 * is above zero, and the byte planes of these, 1 to 8 of them. counts: unsigned numbers of the next
 * of 1, 2, 4 and 8 bytes. LL_ERROR_ARGUMENT for a negative size or a width or count out of range;
 * LL_ERROR_RANGE unless the sizes are those of the bits and of the planes. */
int ll_unpacking_histogram(const uint8_t *page_planes, int64_t page_size, int page_width,
                           const uint8_t *occupied, int64_t occupied_size, const uint8_t *planes,
                           int64_t size, int width, int64_t page_count, int64_t buckets,
                           uint16_t *pages, void *counts, ll_counted *found);

/* LL_DISTINCT_REGISTERS registers as ll_sketches_bytes writes them. LL_ERROR_ARGUMENT for a
 * negative size. */
int ll_unpacking_registers(const uint8_t *bytes, int64_t size, uint8_t *registers, int32_t *fault);

/* The keys of a sketch's extremes, ends[2], and items, from 8 bytes each, extremes first. Levels
 * from `sorted_from` on must ascend. LL_ERROR_ARGUMENT for a negative size, an unknown storage or a
 * number of levels out of range; LL_ERROR_RANGE for offsets that do not ascend from 0 to the number
 * of items that `size` bytes hold. */
int ll_unpacking_quantiles(const uint8_t *bytes, int64_t size, int storage, const uint32_t *offsets,
                           int levels, int sorted_from, uint64_t *ends, uint64_t *items,
                           int32_t *fault);

#include "leadline_parquet.h"
#include "leadline_text.h"

#include "leadline_states.h"

#endif
