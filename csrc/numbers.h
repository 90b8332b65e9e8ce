/* One column of one unit, cell by cell: what the parts of the driver share. See numbers.c. */
#ifndef LEADLINE_NUMBERS_H
#define LEADLINE_NUMBERS_H

#include "gather.h"
#include "sort.h"

/* Where the next values of a cell come from. */
typedef struct ll_reader {
    const ll_numbers *column;
    int64_t position; /* of rows, or of places in the order */
    int64_t end;
    int64_t view; /* which holds the position, if there is no order */
    int64_t base; /* the first row of that view */
    ll_tally tally;
} ll_reader;

/* Read until out is full or the cell ends; *written becomes how many values were. */
LL_HIDDEN int ll_read(ll_reader *reader, uint64_t *out, int64_t capacity, int64_t *written);

/* The same of doubles without an order, uncleaned: see ll_gather_doubles. */
LL_HIDDEN int64_t ll_read_doubles(ll_reader *reader, uint64_t *out, int64_t capacity);

/* Where the next `count` doubles of a cell without an order lie one after the other, none of them
 * null; NULL if they do not. */
LL_HIDDEN const uint64_t *ll_lying(ll_reader *reader, int64_t count);

/* How far the output arrays are filled. */
typedef struct ll_filled {
    int64_t keys;
    int64_t counts;
    int64_t states; /* bytes */
} ll_filled;

/* A cell while it is being read. */
typedef struct ll_cell_work {
    const ll_numbers *column;
    const ll_numbers_memory *memory;
    ll_numbers_out *out;
    ll_filled *filled;
    ll_cell *cell;
    int64_t number; /* of the cell in the output arrays */
    int storage;
    ll_reader reader;
    int64_t held; /* values in the block that no state has seen */
} ll_cell_work;

/* Smallest and largest ordered key of integers that were counted; the first is larger before. */
typedef struct ll_range {
    uint64_t low;
    uint64_t high;
} ll_range;

/* Let the range hold two more keys; false, with nothing changed, if it would exceed the table. */
LL_INLINE bool ll_range_widen(ll_range *range, uint64_t low, uint64_t high) {
    low = low < range->low ? low : range->low;
    high = high > range->high ? high : range->high;
    if (high - low > UINT16_MAX) return false;
    *range = (ll_range){low, high};
    return true;
}

/* Count the values held from `begin` on; false, with none of them counted, if they do not fit. */
LL_HIDDEN bool ll_count_integers(ll_cell_work *work, int64_t begin, ll_range *found);

/* Count a cell of integers or booleans as they lie. Where *fits becomes false, those in the range
 * are in the table. The tally has no zeros and negatives, which the counts tell. */
LL_HIDDEN int ll_count_raw(ll_cell_work *work, ll_range *found, bool *fits);

/* The view that holds the next row; there is one. */
LL_HIDDEN const ll_view *ll_find_view(ll_reader *reader);

/* Count the values of a cell exactly. *exact becomes false, with up to one block of values held or
 * the reader at the start again, as soon as they cannot be. */
LL_HIDDEN int ll_count_cell(ll_cell_work *work, bool *exact);

/* Sketch the values held and all that follow. */
LL_HIDDEN int ll_sketch_cell(ll_cell_work *work);

/* Where the values that are read next lie, if they are 8 bytes each and lie one after the other;
 * else what is given. Only to be loaded into the cache: it may be beyond the array. */
LL_HIDDEN const uint8_t *ll_ahead(const ll_reader *reader, const void *otherwise);

/* Start reading the cell from its first row (again). */
LL_HIDDEN void ll_read_again(ll_cell_work *work);

LL_INLINE bool ll_at_end(const ll_reader *reader) {
    return reader->position == reader->end;
}

/* ---- instants -------------------------------------------------------------------------------- */

/* Hours of instants, counted in a table that wraps round until they span more than LL_HOURS; from
 * then on by day in another one, by hour of day and by weekday. */
typedef struct ll_instants {
    int unit;
    bool wide;
    bool any;
    int64_t low; /* the smallest and largest instant */
    int64_t high;
    uint32_t *hours;
    uint32_t *days;
    int64_t *calendar;
} ll_instants;

LL_HIDDEN void ll_instants_add(ll_instants *instants, const uint64_t *values, int64_t count);

/* Write days with their counts and return how many there are, -1 if they span too much. Leaves the
 * tables zeroed. */
LL_HIDDEN int64_t ll_instants_finish(ll_instants *instants, uint64_t *days, uint32_t *counts);

#endif
