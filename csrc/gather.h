/* Reading Arrow arrays for those who have checked what they ask for. */
#ifndef LEADLINE_GATHER_H
#define LEADLINE_GATHER_H

#include "dispatch.h"

LL_INLINE bool ll_type_known(int type) {
    return type >= LL_TYPE_BOOL && type <= LL_TYPE_FLOAT64;
}

LL_INLINE int ll_storage_of(int type) {
    if (type == LL_TYPE_UINT64) return LL_STORAGE_UINT64;
    return type >= LL_TYPE_FLOAT16 ? LL_STORAGE_FLOAT64 : LL_STORAGE_INT64;
}

/* The last row's address must not wrap; the widest row has 8 bytes. */
LL_INLINE bool ll_view_possible(const ll_view *view) {
    return view->offset >= 0 && view->length >= 0 && view->length <= INT64_MAX / 8 - view->offset;
}

/* ll_gather that adds to the tally (`next` is set), of a type and rows within the view; only rows
 * of an order are still looked at. */
LL_HIDDEN int ll_gather_more(const ll_view *view, int type, const int32_t *order, int64_t begin,
                             int64_t end, uint64_t *out, int64_t capacity, ll_tally *tally);

/* Rows of doubles that are neither null nor NaN, as they are: of the tally only `nulls`, `nan`,
 * `rows`, `written` and `next` are kept. */
LL_HIDDEN void ll_gather_doubles(const ll_view *view, int64_t begin, int64_t end, uint64_t *out,
                                 int64_t capacity, ll_tally *tally);

/* Whether none of these rows is null. */
LL_HIDDEN bool ll_gather_none_null(const ll_view *view, int64_t begin, int64_t end);

#endif
