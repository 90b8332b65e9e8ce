/* Instants of a cell by day, hour of day and weekday in UTC.
 *
 * The hour since 1970 says all of it, and a table of hours costs one increment an instant; while
 * they span at most LL_HOURS (15 years) they are counted in a table that wraps round, so it need
 * not move. Times that span more are counted by day, hour of day and weekday one by one.
 */
#include "numbers.h"

#define HOURS_A_DAY  24
#define DAYS_A_WEEK  7
#define THURSDAY     3 /* 1970-01-01, counted from Monday */
#define SECONDS_HOUR ((int64_t)3600)

LL_INLINE int64_t floor_divide(int64_t value, int64_t by) {
    int64_t quotient = value / by;
    return quotient - (value % by < 0);
}

static int64_t hour_length(int unit) {
    switch (unit) {
    case LL_UNIT_SECONDS:
        return SECONDS_HOUR;
    case LL_UNIT_MILLISECONDS:
        return SECONDS_HOUR * 1000;
    case LL_UNIT_MICROSECONDS:
        return SECONDS_HOUR * 1000000;
    default:
        return SECONDS_HOUR * 1000000000;
    }
}

static int64_t hour_of(const ll_instants *instants, int64_t value) {
    return floor_divide(value, hour_length(instants->unit));
}

static void count_hour(ll_instants *instants, int64_t hour, uint32_t count) {
    int64_t day = floor_divide(hour, HOURS_A_DAY);
    int64_t weekday = (day + THURSDAY) - DAYS_A_WEEK * floor_divide(day + THURSDAY, DAYS_A_WEEK);
    instants->calendar[hour - HOURS_A_DAY * day] += count;
    instants->calendar[HOURS_A_DAY + weekday] += count;
    instants->days[day & UINT16_MAX] += count;
}

/* From the table of hours to the others. */
static void empty_hours(ll_instants *instants) {
    for (int64_t hour = hour_of(instants, instants->low); hour <= hour_of(instants, instants->high);
         hour++) {
        uint32_t *count = &instants->hours[hour & (LL_HOURS - 1)];
        if (*count) count_hour(instants, hour, *count);
        *count = 0;
    }
}

/* One loop a unit, for a division by a constant. */
LL_INLINE void count_each(ll_instants *instants, const uint64_t *values, int64_t count,
                          int64_t length) {
    if (instants->wide)
        for (int64_t i = 0; i < count; i++)
            count_hour(instants, floor_divide((int64_t)values[i], length), 1);
    else
        for (int64_t i = 0; i < count; i++)
            instants->hours[floor_divide((int64_t)values[i], length) & (LL_HOURS - 1)]++;
}

void ll_instants_add(ll_instants *instants, const uint64_t *values, int64_t count) {
    uint64_t keys[2];
    ll_counts_range(values, count, LL_STORAGE_INT64, keys);
    int64_t low = (int64_t)(keys[0] ^ LL_SIGN_BIT), high = (int64_t)(keys[1] ^ LL_SIGN_BIT);
    int64_t first = hour_of(instants, low), last = hour_of(instants, high);
    int64_t lowest = instants->any && instants->low < low ? instants->low : low;
    int64_t highest = instants->any && instants->high > high ? instants->high : high;
    if (!instants->wide && hour_of(instants, highest) - hour_of(instants, lowest) >= LL_HOURS) {
        if (instants->any) empty_hours(instants);
        instants->wide = true;
    }
    instants->any = true;
    instants->low = lowest;
    instants->high = highest;
    if (first == last && !instants->wide) { /* as of nearly all sorted chunks */
        instants->hours[first & (LL_HOURS - 1)] += (uint32_t)count;
        return;
    }
    switch (instants->unit) {
    case LL_UNIT_SECONDS:
        count_each(instants, values, count, SECONDS_HOUR);
        break;
    case LL_UNIT_MILLISECONDS:
        count_each(instants, values, count, SECONDS_HOUR * 1000);
        break;
    case LL_UNIT_MICROSECONDS:
        count_each(instants, values, count, SECONDS_HOUR * 1000000);
        break;
    default:
        count_each(instants, values, count, SECONDS_HOUR * 1000000000);
        break;
    }
}

int64_t ll_instants_finish(ll_instants *instants, uint64_t *days, uint32_t *counts) {
    if (!instants->any) return 0;
    if (!instants->wide) empty_hours(instants);
    int64_t first = floor_divide(hour_of(instants, instants->low), HOURS_A_DAY);
    int64_t last = floor_divide(hour_of(instants, instants->high), HOURS_A_DAY), filled = 0;
    if (last - first > UINT16_MAX) {
        memset(instants->days, 0, (UINT16_MAX + 1) * sizeof *instants->days);
        return -1;
    }
    for (int64_t day = first; day <= last; day++) {
        uint32_t *count = &instants->days[day & UINT16_MAX];
        days[filled] = (uint64_t)day ^ LL_SIGN_BIT;
        counts[filled] = *count;
        filled += *count != 0;
        *count = 0;
    }
    return filled;
}
