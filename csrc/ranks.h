/* What a histogram and a quantile sketch know of ranks, and the distance of two such bands.
 *
 * A band bounds the rows below, and up to, every point of the line; engine/leadline/sketch/ranks.py
 * says what it promises and holds the same arithmetic in NumPy, for points that no double holds.
 * Both are to give the same bits, so the order of every operation here is that of the other.
 */
#ifndef LEADLINE_RANKS_H
#define LEADLINE_RANKS_H

#include <math.h>

#include "common.h"
#include "leadline.h"

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

/* ---- band: bounds at every end of a bucket, and at the sketch's items in heavy ones -------------
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

/* A bucket, start <= x < end, or a single value, with the rows below it and up to its end. */
typedef struct {
    double start;
    double end;
    double low;
    double high;
    bool atom;
    bool closed; /* its end is the largest value, and inside */
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

/* The largest value, as the end of the piece that holds it. */
LL_INLINE void add_closed_end(band_out *out, const piece_in *piece) {
    add_point(out, piece->end, piece->low, piece->high, between(piece, piece->end));
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

/* Tighten the counts inside a heavy piece, whose points begin at `first`; until here their `lower`
 * holds the weights of the sample below and up to them. held: the weight in the piece. */
static void split_piece(band_out *out, const sample_in *sample, const piece_in *piece,
                        int64_t first, double held) {
    double before = out->lower[2 * first];
    for (int64_t place = 2 * first; place < 2 * out->size; place++) {
        double weight = out->lower[place];
        out->lower[place] = piece->low;
        split_count(sample, piece, before, held, weight, out->lower + place, out->upper + place,
                    out->estimate + place);
    }
    for (int64_t at = first; at < out->size; at++)
        if (out->point[at] < piece->end) out->noise[at] = smaller(sample->error, sample->split);
}

static void add_heavy(band_out *out, sample_in *sample, const piece_in *piece) {
    int64_t first = out->size;
    while (sample->next < sample->count && sample->item[sample->next] < piece->start)
        sample->passed += sample->weight[sample->next++];
    add_start(out, piece);
    double before = sample->passed;
    out->lower[2 * first] = before;
    out->lower[2 * first + 1] = pass_items(sample, piece->start);
    while (sample->next < sample->count && sample->item[sample->next] < piece->end) {
        double point = sample->item[sample->next], below = sample->passed;
        add_point(out, point, piece->low, piece->high, between(piece, point));
        out->lower[2 * out->size - 2] = below;
        out->lower[2 * out->size - 1] = pass_items(sample, point);
    }
    if (piece->closed) {
        add_closed_end(out, piece);
        out->lower[2 * out->size - 2] = sample->passed;
        out->lower[2 * out->size - 1] = pass_items(sample, piece->end);
    }
    split_piece(out, sample, piece, first, sample->passed - before);
}

/* Make bounds and estimates of the points from `first` on ascend, the estimates in the bounds. */
static void tidy(band_out *out, int64_t first) {
    double highest = INFINITY, lowest = -INFINITY, middle = -INFINITY, last = -INFINITY;
    for (int64_t i = 2 * out->size - 1; i >= 2 * first; i--) {
        highest = smaller(highest, out->upper[i]);
        out->upper[i] = highest;
    }
    for (int64_t i = 2 * first; i < 2 * out->size; i++) {
        lowest = larger(lowest, out->lower[i]);
        middle = larger(middle, out->estimate[i]);
        double low = smaller(lowest, out->upper[i]);
        last = larger(last, smaller(larger(middle, low), out->upper[i]));
        out->lower[i] = low;
        out->estimate[i] = last;
    }
}

/* Use that the smallest and the largest finite value are known and occur: the first point of a
 * piece may be the one, its last point, or a single value, the other. */
static void pin_extremes(band_out *out, const piece_in *piece, int64_t first, double minimum,
                         double maximum) {
    if (out->point[first] == minimum)
        out->lower[2 * first + 1] = larger(out->lower[2 * first + 1], out->upper[2 * first] + 1);
    int64_t at = out->size - 1;
    if (out->point[at] != maximum) return;
    out->lower[2 * at + 1] = out->upper[2 * at + 1] = piece->high;
    out->upper[2 * at] = smaller(out->upper[2 * at], piece->high - 1);
}

/* What is to become a band, piece after piece. */
typedef struct {
    band_out out;
    sample_in sample;
    double limit; /* rows of a bucket from which on the sample is asked */
    double minimum;
    double maximum;
    double below; /* rows so far */
    double end;   /* of the last piece, if it is open */
    bool open;    /* that end is a point of its own unless the next piece begins there */
} band_maker;

static void add_special(band_maker *maker, const piece_in *piece, bool heavy) {
    band_out *out = &maker->out;
    int64_t first = out->size;
    if (heavy) {
        add_heavy(out, &maker->sample, piece);
    } else {
        add_start(out, piece);
        if (piece->closed && !piece->atom) add_closed_end(out, piece);
    }
    /* None of this reaches beyond the piece, whose counts at both ends are exact. */
    pin_extremes(out, piece, first, maker->minimum, maker->maximum);
    tidy(out, first);
}

LL_INLINE void close_piece(band_maker *maker, double next) {
    if (maker->open && maker->end != next)
        add_point(&maker->out, maker->end, maker->below, maker->below, maker->below);
}

LL_INLINE void add_piece(band_maker *maker, double start, double end, double count) {
    double minimum = maker->minimum, maximum = maker->maximum;
    close_piece(maker, start);
    bool first = start <= minimum && minimum < end, last = start <= maximum && maximum < end;
    start = first ? minimum : start;
    end = last ? maximum : end;
    maker->below += count;
    piece_in piece = {start, end, maker->below - count, maker->below, start == end, last};
    bool heavy = count > maker->limit && !piece.atom;
    if (LL_UNLIKELY(first || last || heavy))
        add_special(maker, &piece, heavy);
    else
        add_start(&maker->out, &piece);
    maker->open = !last && !piece.atom;
    maker->end = end;
}

/* The ends of a bucket, start <= x < end. A negative bucket holds its upper edge, so that the next
 * larger double takes the place of both edges: the one whose magnitude's bits are one less. */
LL_INLINE void bucket_ends(unsigned page, int bucket, int shift, double *start, double *end) {
    uint64_t near = (uint64_t)(page % FIRST_NEGATIVE) << EXPONENT_SHIFT | (uint64_t)bucket << shift;
    uint64_t far = near + ((uint64_t)1 << shift);
    if (page < FIRST_NEGATIVE) {
        *start = near ? ll_double_of_bits(near) : SMALLEST;
        *end = ll_double_of_bits(far);
    } else {
        *start = -ll_double_of_bits(far - 1);
        *end = near ? -ll_double_of_bits(near - 1) : 0.0;
    }
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
    double floor;   /* rows known to lie before the first point ... */
    double ceiling; /* ... and up to the last one at most */
    double through; /* certain share up to the point before */
    double count;   /* the last count that was divided, and its share */
    double share;
} side_in;

/* Shares of one side below, and up to, a point. */
typedef struct {
    double low[2];
    double high[2];
    double middle[2];
} shares;

typedef struct {
    double least;
    double most;
    double value;
    double where;
    bool any;
} distance;

/* At a point of the side's own. */
static shares own_shares(const side_in *side) {
    int64_t at = 2 * side->next;
    double total = side->total;
    shares found = {{side->lower[at] / total, side->lower[at + 1] / total},
                    {side->upper[at] / total, side->upper[at + 1] / total},
                    {side->estimate[at] / total, side->estimate[at + 1] / total}};
    return found;
}

/* At a point between two of its own: at least what is up to the left one, at most what is below the
 * right one. */
static shares between_shares(const side_in *side, double point) {
    int64_t right = side->next, left = right - 1;
    double total = side->total;
    double low = left >= 0 ? side->lower[2 * left + 1] : side->floor;
    double high = right < side->size ? side->upper[2 * right] : side->ceiling;
    double middle = left >= 0 ? side->estimate[2 * left + 1] : side->floor;
    double end = right < side->size ? side->estimate[2 * right] : side->ceiling;
    if (left >= 0 && right < side->size && end > middle)
        middle += (end - middle) * position(point, side->point[left], side->point[right]);
    low /= total, high /= total, middle /= total;
    shares found = {{low, low}, {high, high}, {middle, middle}};
    return found;
}

LL_INLINE bool stands_at(const side_in *side, double point) {
    return side->next < side->size && side->point[side->next] == point;
}

/* Between the point before and this one a function lies above that one's certain share and below
 * this one's highest. */
LL_INLINE void cross_gap(distance *found, const side_in *a, const side_in *b, double high_a,
                         double high_b) {
    double high = larger(smaller(high_a, 1.0) - b->through, smaller(high_b, 1.0) - a->through);
    if (found->any) found->most = larger(found->most, high);
}

LL_INLINE void meet_estimate(distance *found, double point, double apart) {
    if (apart > found->value) {
        found->value = apart;
        found->where = point;
    }
}

/* Whether the rows below a point are known, and none is known to be at it: so it is at the start of
 * every bucket, where of the six counts only the highest up to the point may differ, and where the
 * side has no rows between two of its points. */
LL_INLINE bool known_at(const side_in *side, bool own, double *low, double *high) {
    int64_t at = 2 * side->next;
    if (own) {
        *low = side->lower[at];
        *high = side->upper[at + 1];
        return *low == side->upper[at] && *low == side->estimate[at + 1];
    }
    *low = at ? side->lower[at - 1] : side->floor;
    *high = side->next < side->size ? side->upper[at] : side->ceiling;
    return *low == *high;
}

/* A count over the total. The most up to a bucket's start are those below the next one's, and
 * divisions are slow. */
LL_INLINE double share_of(side_in *side, double count) {
    if (count != side->count) {
        side->count = count;
        side->share = count / side->total;
    }
    return side->share;
}

/* As `meet`, if both sides are known; nine in ten points of a column of floats take this way. */
LL_INLINE bool meet_known(distance *found, side_in *a, side_in *b, double point) {
    double low_a, high_a, low_b, high_b;
    bool own_a = stands_at(a, point), own_b = stands_at(b, point);
    if (!known_at(a, own_a, &low_a, &high_a) || !known_at(b, own_b, &low_b, &high_b)) return false;
    double x = share_of(a, low_a), y = share_of(b, low_b), apart = fabs(x - y);
    found->least = larger(found->least, apart);
    meet_estimate(found, point, apart);
    cross_gap(found, a, b, x, y);
    double beyond = larger(share_of(a, high_a) - y, share_of(b, high_b) - x);
    found->most = larger(found->most, larger(apart, beyond));
    a->through = x;
    b->through = y;
    a->next += own_a;
    b->next += own_b;
    return true;
}

static LL_NOINLINE void meet(distance *found, side_in *a, side_in *b, double point) {
    bool own_a = stands_at(a, point), own_b = stands_at(b, point);
    shares x = own_a ? own_shares(a) : between_shares(a, point);
    shares y = own_b ? own_shares(b) : between_shares(b, point);
    for (int i = 0; i < 2; i++) {
        double low = x.low[i] - y.high[i], high = x.high[i] - y.low[i];
        found->least = larger(found->least, larger(low, -high));
        found->most = larger(found->most, larger(high, -low));
        meet_estimate(found, point, fabs(x.middle[i] - y.middle[i]));
    }
    cross_gap(found, a, b, x.high[0], y.high[0]);
    a->through = larger(x.low[1], 0.0);
    b->through = larger(y.low[1], 0.0);
    a->next += own_a;
    b->next += own_b;
}

/* Both bands at the points of either, in ascending order. */
static void meet_all(distance *found, side_in *a, side_in *b) {
    while (a->next < a->size || b->next < b->size) {
        bool from_a =
            b->next == b->size || (a->next < a->size && a->point[a->next] <= b->point[b->next]);
        double point = from_a ? a->point[a->next] : b->point[b->next];
        if (!meet_known(found, a, b, point)) meet(found, a, b, point);
        found->any = true;
    }
}

#endif
