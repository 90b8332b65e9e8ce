/* What a histogram and a quantile sketch know of ranks, and the distance of two such bands.
 *
 * A band bounds the rows below, and up to, every point of the line; engine/leadline/sketch/ranks.py
 * says what it promises and holds the same arithmetic in NumPy, for points that no double holds.
 * Both are to give the same bits, so the order of every operation here is that of the other. One
 * pass over the buckets, or over the points of two bands, with no memory but the caller's: a column
 * of 4,700 buckets a side takes 0.1 ms in all; NumPy's forty passes over them took 3 ms.
 */
#include <math.h>

#include "common.h"
#include "leadline.h"

#define PAGE_BUCKETS   256
#define BUCKET_SHIFT   44
#define FIRST_NEGATIVE 2048
#define SMALLEST       4.9406564584124654e-324
#define EXPONENT_SHIFT 52
#define COARSEST       8

/* Not fmin and fmax, which are calls for the sake of NaN; of equal numbers the first. */
LL_INLINE double smaller(double a, double b) {
    return b < a ? b : a;
}

LL_INLINE double larger(double a, double b) {
    return b > a ? b : a;
}

/* ---- pieces: buckets and single values as disjoint parts of the line --------------------------
 */

typedef struct {
    double *start;
    double *end;
    double *count;
    uint8_t *atom;
    int64_t room;
    int64_t size;
} pieces_out;

LL_INLINE bool add_piece(pieces_out *out, double start, double end, double count, bool atom) {
    if (out->size == out->room) return false;
    int64_t at = out->size++;
    out->start[at] = start;
    out->end[at] = end;
    out->count[at] = count;
    out->atom[at] = atom;
    return true;
}

/* A bucket as start <= x < end. A negative one holds its upper edge, so that the next larger double
 * takes the place of both edges: the one whose magnitude's bits are one less. */
LL_INLINE bool add_bucket(pieces_out *out, uint64_t near, uint64_t far, bool negative,
                          double count) {
    if (negative) {
        double end = near ? -ll_double_of_bits(near - 1) : 0.0;
        return add_piece(out, -ll_double_of_bits(far - 1), end, count, false);
    }
    return add_piece(out, near ? ll_double_of_bits(near) : SMALLEST, ll_double_of_bits(far), count,
                     false);
}

/* The buckets of one page in ascending order of value: backwards where values are negative. */
static bool add_page(pieces_out *out, unsigned page, int coarseness, const void *counters,
                     bool wide, int64_t row) {
    bool negative = page >= FIRST_NEGATIVE;
    uint64_t exponent = (uint64_t)(page % FIRST_NEGATIVE) << EXPONENT_SHIFT;
    int shift = BUCKET_SHIFT + coarseness, width = PAGE_BUCKETS >> coarseness;
    for (int i = 0; i < width; i++) {
        int bucket = negative ? width - 1 - i : i;
        int64_t at = row * width + bucket;
        uint64_t count = wide ? ((const uint64_t *)counters)[at] : ((const uint32_t *)counters)[at];
        if (!count) continue;
        uint64_t near = exponent | (uint64_t)bucket << shift;
        uint64_t far = near + ((uint64_t)1 << shift);
        if (!add_bucket(out, near, far, negative, (double)count)) return false;
    }
    return true;
}

/* Cut the outermost intervals to the range of the finite values, as far as it lies in them. */
static void trim(pieces_out *out, double minimum, double maximum) {
    int64_t first = 0, last = out->size - 1;
    while (first <= last && out->atom[first])
        first++;
    while (last >= first && out->atom[last])
        last--;
    if (first > last) return;
    if (out->start[first] < minimum && minimum < out->end[first]) out->start[first] = minimum;
    if (out->start[last] <= maximum && maximum < out->end[last]) {
        out->end[last] = maximum;
        out->atom[last] = out->start[last] == maximum;
    }
}

static double heaviest_interval(const pieces_out *out) {
    double heaviest = 0.0;
    for (int64_t i = 0; i < out->size; i++)
        if (!out->atom[i] && out->count[i] > heaviest) heaviest = out->count[i];
    return heaviest;
}

int ll_ranks_pieces(const uint16_t *pages, int64_t page_count, int coarseness, const void *counters,
                    int wide, const int64_t *singles, const double *extremes, int64_t room,
                    double *pieces, uint8_t *atoms, int64_t *size, double *heaviest) {
    if (page_count < 0 || room < 0 || coarseness < 0 || coarseness > COARSEST)
        return LL_ERROR_ARGUMENT;
    pieces_out out = {pieces, pieces + room, pieces + 2 * room, atoms, room, 0};
    int64_t positive = 0;
    while (positive < page_count && pages[positive] < FIRST_NEGATIVE)
        positive++;
    bool fits = true;
    if (singles[0]) fits = add_piece(&out, -INFINITY, -INFINITY, (double)singles[0], true);
    for (int64_t i = page_count - 1; fits && i >= positive; i--)
        fits = add_page(&out, pages[i], coarseness, counters, wide, i);
    if (fits && singles[1]) fits = add_piece(&out, 0.0, 0.0, (double)singles[1], true);
    for (int64_t i = 0; fits && i < positive; i++)
        fits = add_page(&out, pages[i], coarseness, counters, wide, i);
    if (fits && singles[2]) fits = add_piece(&out, INFINITY, INFINITY, (double)singles[2], true);
    if (!fits) return LL_ERROR_RANGE;
    trim(&out, extremes[0], extremes[1]);
    *size = out.size;
    *heaviest = heaviest_interval(&out);
    return LL_OK;
}

/* ---- band: bounds at every end of a piece, and at the sketch's items in heavy ones -------------
 */

typedef struct {
    double *point;
    double *lower; /* two a point: below it, and up to it */
    double *upper;
    double *estimate;
    double *noise;
    int64_t size;
} band_out;

typedef struct {
    const double *item;
    const double *weight;
    int64_t count;
    int64_t next;  /* first item that was not passed */
    double passed; /* weight of those before it */
    double scale;  /* rows over weight */
    double error;
    double split;
} sample_in;

/* A piece with the rows below it and up to its end. */
typedef struct {
    double start;
    double end;
    double low;
    double high;
    bool atom;
    bool closed;  /* its end is the largest value, and inside */
    bool has_end; /* its end is a point of its own: no piece begins there */
} piece_in;

LL_INLINE void add_point(band_out *out, double point, double low, double high, double estimate) {
    int64_t at = out->size++;
    out->point[at] = point;
    out->lower[2 * at] = out->lower[2 * at + 1] = low;
    out->upper[2 * at] = out->upper[2 * at + 1] = high;
    out->estimate[2 * at] = out->estimate[2 * at + 1] = estimate;
    out->noise[at] = 0.0;
}

/* Where a point lies between two others, 0 to 1; halved first, or a huge width would overflow. */
LL_INLINE double position(double point, double start, double end) {
    double low = start / 2, high = end / 2, at = point / 2;
    double share = (at - low) / (high - low);
    if (!(share > 0.0)) return 0.0; /* NaN too */
    return share < 1.0 ? share : 1.0;
}

LL_INLINE double between(const piece_in *piece, double point) {
    return piece->low + (piece->high - piece->low) * position(point, piece->start, piece->end);
}

LL_INLINE void add_start(band_out *out, const piece_in *piece) {
    add_point(out, piece->start, piece->low, piece->low, piece->low);
    int64_t through = 2 * out->size - 1;
    out->upper[through] = piece->high;
    if (piece->atom) out->lower[through] = out->estimate[through] = piece->high;
}

LL_INLINE void add_end(band_out *out, const piece_in *piece) {
    if (piece->closed)
        add_point(out, piece->end, piece->low, piece->high, between(piece, piece->end));
    else
        add_point(out, piece->end, piece->high, piece->high, piece->high);
}

/* Pass the items at a point; returns their weight and that of all before. */
LL_INLINE double pass_items(sample_in *sample, double point) {
    while (sample->next < sample->count && sample->item[sample->next] == point)
        sample->passed += sample->weight[sample->next++];
    return sample->passed;
}

static void split_count(const sample_in *sample, const piece_in *piece, double before, double held,
                        const double weight, double *lower, double *upper, double *estimate) {
    bool usable = held > 0;
    double share = (weight - before) / (usable ? held : 1.0);
    share = smaller(larger(share, 0.0), 1.0);
    double scaled = usable ? piece->low + share * (piece->high - piece->low) : *estimate;
    double split = usable ? sample->split : INFINITY, plain = weight * sample->scale;
    double floor = larger(scaled - split, plain - sample->error);
    double ceiling = smaller(scaled + split, plain + sample->error);
    /* Bounds that cross (one chance in a million) say nothing: the piece's own stand. */
    if (floor <= ceiling && floor <= *upper && ceiling >= *lower) {
        *lower = larger(*lower, floor);
        *upper = smaller(*upper, ceiling);
    }
    double error = smaller(sample->error, sample->split);
    double centred = smaller(larger(scaled, *upper - error), *lower + error);
    *estimate = smaller(larger(centred, *lower), *upper);
}

/* Tighten the counts inside a heavy piece, whose points begin at `first`. Until here their `lower`
 * holds the weights of the sample below and up to them. */
static void split_piece(band_out *out, const sample_in *sample, const piece_in *piece,
                        int64_t first) {
    double before = out->lower[2 * first], held = out->lower[2 * out->size - 1] - before;
    for (int64_t at = first; at < out->size; at++) {
        double weight[2] = {out->lower[2 * at], out->lower[2 * at + 1]};
        bool behind = out->point[at] == piece->end && !piece->closed;
        double low = behind ? piece->high : piece->low;
        for (int i = 0; i < 2; i++) {
            int64_t place = 2 * at + i;
            out->lower[place] = low;
            if (!behind)
                split_count(sample, piece, before, held, weight[i], out->lower + place,
                            out->upper + place, out->estimate + place);
        }
        if (out->point[at] < piece->end) out->noise[at] = smaller(sample->error, sample->split);
    }
}

static void add_heavy(band_out *out, sample_in *sample, const piece_in *piece) {
    int64_t first = out->size;
    while (sample->next < sample->count && sample->item[sample->next] < piece->start)
        sample->passed += sample->weight[sample->next++];
    add_start(out, piece);
    out->lower[2 * first] = sample->passed;
    out->lower[2 * first + 1] = pass_items(sample, piece->start);
    while (sample->next < sample->count && sample->item[sample->next] < piece->end) {
        double point = sample->item[sample->next], below = sample->passed;
        add_point(out, point, piece->low, piece->high, between(piece, point));
        out->lower[2 * out->size - 2] = below;
        out->lower[2 * out->size - 1] = pass_items(sample, point);
    }
    if (piece->has_end) {
        add_end(out, piece);
        out->lower[2 * out->size - 2] = sample->passed;
        out->lower[2 * out->size - 1] = pass_items(sample, piece->end);
    }
    split_piece(out, sample, piece, first);
}

/* Place of a value among ascending points, or -1. */
static int64_t place_of(const band_out *out, double value) {
    int64_t low = 0, high = out->size;
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (out->point[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < out->size && out->point[low] == value ? low : -1;
}

/* Use that the smallest and the largest finite value are known and occur. */
static void pin_extremes(band_out *out, double minimum, double maximum, double total) {
    int64_t at = place_of(out, minimum);
    if (at >= 0) out->lower[2 * at + 1] = larger(out->lower[2 * at + 1], out->upper[2 * at] + 1);
    at = place_of(out, maximum);
    if (at < 0) return;
    double beyond = at + 1 < out->size ? out->lower[2 * (at + 1)] : total;
    out->lower[2 * at + 1] = out->upper[2 * at + 1] = beyond;
    out->upper[2 * at] = smaller(out->upper[2 * at], beyond - 1);
}

/* Make bounds and estimates ascend, and the estimates lie in the bounds. */
static void tidy(band_out *out) {
    double highest = INFINITY, lowest = -INFINITY, middle = -INFINITY, last = -INFINITY;
    for (int64_t i = 2 * out->size - 1; i >= 0; i--) {
        highest = smaller(highest, out->upper[i]);
        out->upper[i] = highest;
    }
    for (int64_t i = 0; i < 2 * out->size; i++) {
        lowest = larger(lowest, out->lower[i]);
        middle = larger(middle, out->estimate[i]);
        double low = smaller(lowest, out->upper[i]);
        last = larger(last, smaller(larger(middle, low), out->upper[i]));
        out->lower[i] = low;
        out->estimate[i] = last;
    }
}

int ll_ranks_band(const double *pieces, const uint8_t *atoms, int64_t pieces_room, int64_t size,
                  const double *extremes, const double *items, const double *weights,
                  int64_t item_count, const double *errors, int64_t room, double *band,
                  int64_t *points) {
    if (size < 0 || size > pieces_room || item_count < 0) return LL_ERROR_ARGUMENT;
    if (room < 2 * size + item_count) return LL_ERROR_ARGUMENT;
    const double *start = pieces, *end = pieces + pieces_room, *count = pieces + 2 * pieces_room;
    band_out out = {band, band + room, band + 3 * room, band + 5 * room, band + 7 * room, 0};
    sample_in sample = {items, weights, item_count, 0, 0.0, errors[0], errors[1], errors[2]};
    double high = 0.0;
    for (int64_t i = 0; i < size; i++) {
        high += count[i];
        piece_in piece = {start[i], end[i], high - count[i], high, atoms[i], false, false};
        piece.closed = end[i] == extremes[1];
        piece.has_end = end[i] > start[i] && !(i + 1 < size && start[i + 1] == end[i]);
        if (item_count && !atoms[i] && count[i] > sample.split && count[i] > 1) {
            add_heavy(&out, &sample, &piece);
        } else {
            add_start(&out, &piece);
            if (piece.has_end) add_end(&out, &piece);
        }
    }
    pin_extremes(&out, extremes[0], extremes[1], high);
    tidy(&out);
    *points = out.size;
    return LL_OK;
}

/* ---- distance: both bands stated at the points of either --------------------------------------
 */

typedef struct {
    const double *point;
    const double *lower;
    const double *upper;
    const double *estimate;
    int64_t size;
    int64_t next; /* first point that was not passed */
    double total;
    double through; /* certain share up to the point before */
} side_in;

/* Shares of one side below, and up to, a point. */
typedef struct {
    double low[2];
    double high[2];
    double middle[2];
} shares;

LL_INLINE shares equal_shares(double share) {
    shares at = {{share, share}, {share, share}, {share, share}};
    return at;
}

/* At a point of the side's own. */
LL_INLINE shares own_shares(const side_in *side) {
    const double *low = side->lower + 2 * side->next, *high = side->upper + 2 * side->next;
    const double *middle = side->estimate + 2 * side->next;
    double total = side->total;
    /* Six equal numbers, since they ascend: at most edges of buckets, and divisions are slow. */
    if (low[0] == high[1]) return equal_shares(low[0] / total);
    shares at = {{low[0] / total, low[1] / total},
                 {high[0] / total, high[1] / total},
                 {middle[0] / total, middle[1] / total}};
    return at;
}

/* At a point between two of its own: at least what is up to the left one, at most what is below the
 * right one. */
static shares between_shares(const side_in *side, double point) {
    int64_t right = side->next, left = right - 1;
    double total = side->total;
    double low = left >= 0 ? side->lower[2 * left + 1] : 0.0;
    double high = right < side->size ? side->upper[2 * right] : total;
    double middle = left >= 0 ? side->estimate[2 * left + 1] : 0.0;
    double end = right < side->size ? side->estimate[2 * right] : total;
    if (left >= 0 && right < side->size && end > middle)
        middle += (end - middle) * position(point, side->point[left], side->point[right]);
    shares at = equal_shares(middle / total);
    at.low[0] = at.low[1] = low / total;
    at.high[0] = at.high[1] = high / total;
    return at;
}

LL_INLINE shares shares_at(side_in *side, double point) {
    if (side->next < side->size && side->point[side->next] == point) {
        shares at = own_shares(side);
        side->next++;
        return at;
    }
    return between_shares(side, point);
}

int ll_ranks_distance(const double *a_points, const double *a_lower, const double *a_upper,
                      const double *a_estimate, int64_t a_size, double a_total,
                      const double *b_points, const double *b_lower, const double *b_upper,
                      const double *b_estimate, int64_t b_size, double b_total, double *found) {
    if (a_size < 0 || b_size < 0 || !(a_total > 0) || !(b_total > 0)) return LL_ERROR_ARGUMENT;
    side_in a = {a_points, a_lower, a_upper, a_estimate, a_size, 0, a_total, 0.0};
    side_in b = {b_points, b_lower, b_upper, b_estimate, b_size, 0, b_total, 0.0};
    double least = 0.0, most = 0.0, value = -1.0, where = 0.0;
    bool first = true;
    while (a.next < a.size || b.next < b.size) {
        bool from_a = b.next == b.size || (a.next < a.size && a.point[a.next] <= b.point[b.next]);
        double point = from_a ? a.point[a.next] : b.point[b.next];
        shares x = shares_at(&a, point), y = shares_at(&b, point);
        for (int i = 0; i < 2; i++) {
            double low = x.low[i] - y.high[i], high = x.high[i] - y.low[i];
            double distance = fabs(x.middle[i] - y.middle[i]);
            least = larger(least, larger(low, -high));
            most = larger(most, larger(high, -low));
            where = distance > value ? point : where;
            value = larger(value, distance);
        }
        if (!first) {
            double high_a = smaller(x.high[0], 1.0), high_b = smaller(y.high[0], 1.0);
            most = larger(most, larger(high_a - b.through, high_b - a.through));
        }
        first = false;
        a.through = larger(x.low[1], 0.0);
        b.through = larger(y.low[1], 0.0);
    }
    found[0] = least;
    found[1] = most;
    found[2] = value;
    found[3] = where;
    return LL_OK;
}
