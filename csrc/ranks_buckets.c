/* The distance of two histograms' bands without the bands, where neither side asks its sketch.
 *
 * Every count is then known at the start of every bucket, so that a page is two running sums and,
 * in vector code, two divisions and three maxima a bucket: two columns of 4,700 buckets took 43 us
 * instead of 148 us, the call from Python included. Only the buckets that hold an extreme of a
 * side, and the single values, are stated as the bands would be and go the long way. What comes out
 * has the same bits: the shares are the same quotients, and the largest of some numbers does not
 * depend on their order.
 */
#include "dispatch.h"
#include "ranks.h"

#define LANES  8
#define POINTS 4 /* of one bucket or single value */

/* One side on its way through the pages in ascending order of value. */
typedef struct {
    const ll_ranks_side *in;
    int64_t negative; /* pages of negative values, which are the last ones */
    int64_t passed;   /* pages */
    double below;     /* rows so far */
    double total;
} walk;

/* The shares of both sides below each bucket of a page, and below its end. */
typedef struct {
    double a[LL_HISTOGRAM_PAGE + LANES];
    double b[LL_HISTOGRAM_PAGE + LANES];
} page_shares;

/* Largest of what a run of buckets shows: of the distance, and of what is possible between. */
typedef struct {
    double apart;
    double most;
} run_maxima;

/* ---- a page in vector code --------------------------------------------------------------------
 */

/* Rows below each bucket in ascending order of value, and below the end; the largest count. */
LL_INLINE uint64_t sum_body(const uint8_t *counters, int bytes, int width, bool backwards,
                            double below, double *sums) {
    uint64_t largest = 0;
    sums[0] = below;
    for (int i = 0; i < width; i++) {
        uint64_t count = ll_element(counters, bytes, backwards ? width - 1 - i : i);
        largest = count > largest ? count : largest;
        sums[i + 1] = below += (double)count;
    }
    return largest;
}

static uint64_t sum_page(const uint8_t *counters, int bytes, int width, bool backwards,
                         double below, double *sums) {
    if (bytes == 1) return sum_body(counters, 1, width, backwards, below, sums);
    if (bytes == 2) return sum_body(counters, 2, width, backwards, below, sums);
    if (bytes == 4) return sum_body(counters, 4, width, backwards, below, sums);
    return sum_body(counters, 8, width, backwards, below, sums);
}

LL_INLINE void divide_body(double *sums, int count, double total) {
    for (int i = 0; i < count; i++)
        sums[i] /= total;
}

/* Over the buckets from `begin` to before `end`, and the end of the last one. */
LL_INLINE run_maxima maxima_body(const double *a, const double *b, int begin, int end) {
    run_maxima found = {fabs(a[end] - b[end]), 0.0};
    double apart[LANES] = {0}, most[LANES] = {0};
    int i = begin;
    for (; i + LANES <= end; i += LANES) {
        for (int j = 0; j < LANES; j++) {
            double here = fabs(a[i + j] - b[i + j]);
            double ahead = a[i + j + 1] - b[i + j], behind = b[i + j + 1] - a[i + j];
            double high = ahead > behind ? ahead : behind;
            apart[j] = here > apart[j] ? here : apart[j];
            most[j] = high > most[j] ? high : most[j];
        }
    }
    for (; i < end; i++) {
        found.apart = larger(found.apart, fabs(a[i] - b[i]));
        found.most = larger(found.most, larger(a[i + 1] - b[i], b[i + 1] - a[i]));
    }
    for (int j = 0; j < LANES; j++) {
        found.apart = larger(found.apart, apart[j]);
        found.most = larger(found.most, most[j]);
    }
    return found;
}

typedef void (*divide_function)(double *, int, double);
typedef run_maxima (*maxima_function)(const double *, const double *, int, int);

#define DEFINE_BUCKETS(isa, number, target)                                                        \
    target static void divide_##isa(double *sums, int count, double total) {                       \
        divide_body(sums, count, total);                                                           \
    }                                                                                              \
    target static run_maxima maxima_##isa(const double *a, const double *b, int begin, int end) {  \
        return maxima_body(a, b, begin, end);                                                      \
    }
LL_FOR_EACH_VARIANT(DEFINE_BUCKETS)

/* ---- single values, and buckets with an extreme of a side -------------------------------------
 */

/* What a side's band says of one piece; `store` has room for POINTS points. */
static side_in state_piece(walk *side, double start, double end, double count, double *store) {
    band_maker maker = {
        .out = {store, store + POINTS, store + 3 * POINTS, store + 5 * POINTS, store + 7 * POINTS,
                0},
        .limit = INFINITY,
        .minimum = side->in->extremes[0],
        .maximum = side->in->extremes[1],
        .below = side->below,
    };
    if (count > 0) add_piece(&maker, start, end, count);
    close_piece(&maker, NAN);
    side_in stated = {.point = maker.out.point,
                      .lower = maker.out.lower,
                      .upper = maker.out.upper,
                      .estimate = maker.out.estimate,
                      .size = maker.out.size,
                      .total = side->total,
                      .floor = side->below,
                      .ceiling = maker.below,
                      .through = side->below / side->total};
    side->below = maker.below;
    return stated;
}

/* The piece from the bands' points; both sides are then behind it. */
static void meet_piece(distance *found, walk *a, walk *b, double start, double end, double a_count,
                       double b_count) {
    double a_store[8 * POINTS], b_store[8 * POINTS];
    side_in x = state_piece(a, start, end, a_count, a_store);
    side_in y = state_piece(b, start, end, b_count, b_store);
    found->any = true;
    meet_all(found, &x, &y);
}

static void meet_single(distance *found, walk *a, walk *b, int which, double value) {
    double x = (double)a->in->singles[which], y = (double)b->in->singles[which];
    if (x > 0 || y > 0) meet_piece(found, a, b, value, value, x, y);
}

/* The bucket of a page that holds a value, in ascending order of value; -1 if none does. */
static int bucket_at(double value, unsigned page, int coarseness) {
    uint64_t bits = ll_bits_of_double(value);
    int width = LL_HISTOGRAM_PAGE >> coarseness;
    if (!isfinite(value) || bits >> EXPONENT_SHIFT != page) return -1;
    int bucket = (int)(bits >> (BUCKET_SHIFT + coarseness)) & (width - 1);
    return page < FIRST_NEGATIVE ? bucket : width - 1 - bucket;
}

/* ---- pages ------------------------------------------------------------------------------------
 */

/* Where a page stands in ascending order of value. */
static int order_of(unsigned page) {
    return page < FIRST_NEGATIVE ? (int)page : -1 - (int)(page - FIRST_NEGATIVE);
}

static int64_t next_page(const walk *side) {
    return side->passed < side->negative ? side->in->page_count - 1 - side->passed
                                         : side->passed - side->negative;
}

static bool any_left(const walk *side) {
    return side->passed < side->in->page_count;
}

/* The page's counters if it is the side's next one, which is then passed; NULL without any. */
static const uint8_t *take_page(walk *side, unsigned page, int width) {
    int64_t next = next_page(side);
    if (!any_left(side) || side->in->pages[next] != page) return NULL;
    side->passed++;
    return (const uint8_t *)side->in->counters + next * width * side->in->bytes;
}

/* The counts below the buckets of a page; whether one is over the side's limit. */
static bool read_page(walk *side, const uint8_t *counters, unsigned page, int width, double *sums) {
    if (!counters) {
        for (int i = 0; i <= width; i++)
            sums[i] = side->below;
        return false;
    }
    uint64_t largest =
        sum_page(counters, side->in->bytes, width, page >= FIRST_NEGATIVE, side->below, sums);
    return (double)largest > side->in->limit;
}

static void meet_run(distance *found, const page_shares *both, int begin, int end, unsigned page,
                     int coarseness) {
    static const maxima_function maxima[] = LL_VARIANTS(maxima);
    if (begin >= end) return;
    run_maxima here = maxima[ll_set_active()](both->a, both->b, begin, end);
    found->any = true;
    found->least = larger(found->least, here.apart);
    found->most = larger(found->most, larger(here.most, here.apart));
    if (!(here.apart > found->value)) return;
    int at = begin;
    while (fabs(both->a[at] - both->b[at]) != here.apart)
        at++;
    /* A distance that is new here comes from the bucket before: its end is the point. */
    int width = LL_HISTOGRAM_PAGE >> coarseness, cell = at > begin ? at - 1 : at;
    double start, stop;
    bucket_ends(page, page < FIRST_NEGATIVE ? cell : width - 1 - cell, BUCKET_SHIFT + coarseness,
                &start, &stop);
    meet_estimate(found, at > begin ? stop : start, here.apart);
}

/* The first bucket of a page from `begin` on that holds an extreme; `width` if none does. */
static int next_special(const walk *a, const walk *b, unsigned page, int coarseness, int begin) {
    int first = LL_HISTOGRAM_PAGE >> coarseness;
    for (int i = 0; i < 4; i++) {
        int bucket = bucket_at((i < 2 ? a : b)->in->extremes[i % 2], page, coarseness);
        if (bucket >= begin && bucket < first) first = bucket;
    }
    return first;
}

/* Whether both sides can do without their sketches in this page; if so it is passed. */
static bool meet_page(distance *found, walk *a, walk *b, unsigned page, int coarseness) {
    static const divide_function divide[] = LL_VARIANTS(divide);
    int width = LL_HISTOGRAM_PAGE >> coarseness, begin = 0;
    const uint8_t *x = take_page(a, page, width), *y = take_page(b, page, width);
    double a_sums[LL_HISTOGRAM_PAGE + 1], b_sums[LL_HISTOGRAM_PAGE + 1];
    page_shares both;
    bool heavy = read_page(a, x, page, width, a_sums);
    heavy |= read_page(b, y, page, width, b_sums);
    if (heavy) return false;
    memcpy(both.a, a_sums, (size_t)(width + 1) * sizeof *a_sums);
    memcpy(both.b, b_sums, (size_t)(width + 1) * sizeof *b_sums);
    divide[ll_set_active()](both.a, width + 1, a->total);
    divide[ll_set_active()](both.b, width + 1, b->total);
    while (begin < width) {
        int at = next_special(a, b, page, coarseness, begin);
        meet_run(found, &both, begin, at, page, coarseness);
        if (at == width) break;
        double start, end;
        bucket_ends(page, page < FIRST_NEGATIVE ? at : width - 1 - at, BUCKET_SHIFT + coarseness,
                    &start, &end);
        a->below = a_sums[at];
        b->below = b_sums[at];
        meet_piece(found, a, b, start, end, a_sums[at + 1] - a_sums[at],
                   b_sums[at + 1] - b_sums[at]);
        begin = at + 1;
    }
    a->below = a_sums[width];
    b->below = b_sums[width];
    return true;
}

/* All pages of negative, or all of other values. */
static bool meet_pages(distance *found, walk *a, walk *b, int coarseness, bool negative) {
    for (;;) {
        int x = INT32_MAX, y = INT32_MAX;
        if (any_left(a) && (a->passed < a->negative) == negative)
            x = order_of(a->in->pages[next_page(a)]);
        if (any_left(b) && (b->passed < b->negative) == negative)
            y = order_of(b->in->pages[next_page(b)]);
        if (x == INT32_MAX && y == INT32_MAX) return true;
        const walk *side = x <= y ? a : b;
        if (!meet_page(found, a, b, side->in->pages[next_page(side)], coarseness)) return false;
    }
}

/* A side before its first page; false if its sizes are out of range or it has no rows. */
static bool begin_walk(const ll_ranks_side *in, walk *side) {
    if (in->page_count < 0 || in->page_count > LL_HISTOGRAM_PAGES || !ll_width_known(in->bytes))
        return false;
    *side = (walk){.in = in, .total = (double)in->total};
    for (int64_t i = 0; i < in->page_count; i++) {
        if (i && in->pages[i] <= in->pages[i - 1]) return false;
        side->negative += in->pages[i] >= FIRST_NEGATIVE;
    }
    return in->total >= 1;
}

int ll_ranks_buckets(const ll_ranks_side *reference, const ll_ranks_side *current, int coarseness,
                     double *found, int32_t *enough) {
    walk a, b;
    if (coarseness < 0 || coarseness > COARSEST) return LL_ERROR_ARGUMENT;
    if (!begin_walk(reference, &a) || !begin_walk(current, &b)) return LL_ERROR_ARGUMENT;
    distance best = {0.0, 0.0, -1.0, 0.0, false};
    *enough = 0;
    meet_single(&best, &a, &b, 0, -INFINITY);
    if (!meet_pages(&best, &a, &b, coarseness, true)) return LL_OK;
    meet_single(&best, &a, &b, 1, 0.0);
    if (!meet_pages(&best, &a, &b, coarseness, false)) return LL_OK;
    meet_single(&best, &a, &b, 2, INFINITY);
    *enough = 1;
    found[0] = best.least;
    found[1] = best.most;
    found[2] = best.value;
    found[3] = best.where;
    return LL_OK;
}
