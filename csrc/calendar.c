/* Instants by hour of day and weekday in UTC, and the day of each; exact, negative times included.
 *
 * Everything follows from the number of whole hours since 1970, one division by a constant that
 * depends on the unit, so each unit has its own loop. Floor division: a second before 1970 belongs
 * to the last hour of Wednesday, 1969-12-31.
 */
#include "common.h"
#include "leadline.h"

#define HOURS_A_DAY  24
#define DAYS_A_WEEK  7
#define THURSDAY     3 /* 1970-01-01, counted from Monday */
#define SECONDS_HOUR ((int64_t)3600)

LL_INLINE int64_t floor_divide(int64_t value, int64_t by) {
    int64_t quotient = value / by;
    return quotient - (value % by < 0);
}

LL_INLINE void count_body(const int64_t *values, const uint64_t *weights, size_t count,
                          int64_t hour_length, uint64_t *hours, uint64_t *weekdays, int64_t *days) {
    for (size_t i = 0; i < count; i++) {
        int64_t hour = floor_divide(values[i], hour_length);
        int64_t day = floor_divide(hour, HOURS_A_DAY);
        int64_t weekday =
            (day + THURSDAY) - DAYS_A_WEEK * floor_divide(day + THURSDAY, DAYS_A_WEEK);
        uint64_t weight = weights ? weights[i] : 1;
        hours[hour - HOURS_A_DAY * day] += weight;
        weekdays[weekday] += weight;
        days[i] = day;
    }
}

int ll_calendar_count(const int64_t *values, const uint64_t *weights, int64_t count, int unit,
                      uint64_t *hours, uint64_t *weekdays, int64_t *days) {
    if (count < 0) return LL_ERROR_ARGUMENT;
    size_t size = (size_t)count;
    switch (unit) {
    case LL_UNIT_SECONDS:
        count_body(values, weights, size, SECONDS_HOUR, hours, weekdays, days);
        return LL_OK;
    case LL_UNIT_MILLISECONDS:
        count_body(values, weights, size, SECONDS_HOUR * 1000, hours, weekdays, days);
        return LL_OK;
    case LL_UNIT_MICROSECONDS:
        count_body(values, weights, size, SECONDS_HOUR * 1000000, hours, weekdays, days);
        return LL_OK;
    case LL_UNIT_NANOSECONDS:
        count_body(values, weights, size, SECONDS_HOUR * 1000000000, hours, weekdays, days);
        return LL_OK;
    default:
        return LL_ERROR_ARGUMENT;
    }
}

static int64_t saturated(int64_t value, int64_t factor) {
    int64_t product;
    if (__builtin_mul_overflow(value, factor, &product)) return value < 0 ? INT64_MIN : INT64_MAX;
    return product;
}

int ll_calendar_microseconds(const int64_t *values, int64_t count, int unit, int64_t *out) {
    if (count < 0) return LL_ERROR_ARGUMENT;
    switch (unit) {
    case LL_UNIT_SECONDS:
        for (int64_t i = 0; i < count; i++)
            out[i] = saturated(values[i], 1000000);
        return LL_OK;
    case LL_UNIT_MILLISECONDS:
        for (int64_t i = 0; i < count; i++)
            out[i] = saturated(values[i], 1000);
        return LL_OK;
    case LL_UNIT_MICROSECONDS:
        for (int64_t i = 0; i < count; i++)
            out[i] = values[i];
        return LL_OK;
    case LL_UNIT_NANOSECONDS:
        for (int64_t i = 0; i < count; i++)
            out[i] = floor_divide(values[i], 1000);
        return LL_OK;
    default:
        return LL_ERROR_ARGUMENT;
    }
}
