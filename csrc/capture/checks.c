/* What every row is checked for: ranges, nulls, known values; counted by field and reason.
 *
 * A second pass over the row just written, which lies in the first-level cache: 1 to 2 ns a value.
 * Known values are kept as bytes in one open-addressed table a field, numbers as their doubles.
 */
#include "capture.h"

#include "../mix.h"

const char *const ll_reasons[LL_REASONS] = {
    [LL_MISSING] = "missing",     [LL_NULL_VALUE] = "null", [LL_MISTYPED] = "mistyped",
    [LL_OVERSIZED] = "oversized", [LL_INEXACT] = "inexact", [LL_BELOW] = "below",
    [LL_ABOVE] = "above",         [LL_UNSEEN] = "unseen",
};

typedef struct known_entry {
    uint64_t hash;
    uint32_t begin, size;
    bool used;
} known_entry;

struct ll_known {
    uint32_t mask;
    known_entry *entries;
    char *bytes;
};

/* ---- known values ---------------------------------------------------------------------------- */

static uint64_t hash_of(const char *text, size_t size) {
    uint64_t hash = LL_GOLDEN ^ size, word;
    for (; size >= 8; size -= 8, text += 8) {
        memcpy(&word, text, 8);
        hash = (hash ^ word) * 0xbf58476d1ce4e5b9u;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, text, size);
    return ll_mix(hash ^ word);
}

/* The entry that holds these bytes, or the free one where they belong. */
static known_entry *find_entry(const ll_known *known, const char *text, size_t size) {
    const uint64_t hash = hash_of(text, size);
    uint32_t place = (uint32_t)hash & known->mask;
    for (;; place = (place + 1) & known->mask) {
        known_entry *entry = &known->entries[place];
        if (!entry->used) {
            entry->hash = hash;
            return entry;
        }
        if (entry->hash == hash && entry->size == size &&
            memcmp(known->bytes + entry->begin, text, size) == 0)
            return entry;
    }
}

static bool is_known(const ll_known *known, const char *text, size_t size) {
    const uint64_t hash = hash_of(text, size);
    uint32_t place = (uint32_t)hash & known->mask;
    for (;; place = (place + 1) & known->mask) {
        const known_entry *entry = &known->entries[place];
        if (!entry->used) return false;
        if (entry->hash == hash && entry->size == size &&
            memcmp(known->bytes + entry->begin, text, size) == 0)
            return true;
    }
}

static void known_free(ll_known *known) {
    if (!known) return;
    free(known->entries);
    free(known->bytes);
    free(known);
}

/* Bytes of one known value: a text's own, a number's as a double; NULL with an exception. */
static const char *bytes_of(PyObject *value, double *number, size_t *size) {
    if (PyUnicode_Check(value)) {
        Py_ssize_t length;
        const char *text = PyUnicode_AsUTF8AndSize(value, &length);
        *size = (size_t)length;
        return text;
    }
    *number = PyFloat_AsDouble(value) + 0.0; /* one zero */
    *size = sizeof *number;
    return PyErr_Occurred() ? NULL : (const char *)number;
}

static bool add_known(ll_known *known, size_t *used, size_t *room, PyObject *value) {
    double number;
    size_t size;
    const char *text = bytes_of(value, &number, &size);
    if (!text) return false;
    if (*used + size > UINT32_MAX) {
        PyErr_SetString(PyExc_OverflowError, "known values are too long");
        return false;
    }
    if (*used + size > *room) {
        *room = 2 * (*used + size) + 64;
        char *bytes = realloc(known->bytes, *room);
        if (!bytes) {
            PyErr_NoMemory();
            return false;
        }
        known->bytes = bytes;
    }
    known_entry *entry = find_entry(known, text, size);
    if (entry->used) return true;
    memcpy(known->bytes + *used, text, size);
    entry->begin = (uint32_t)*used;
    entry->size = (uint32_t)size;
    entry->used = true;
    *used += size;
    return true;
}

static ll_known *known_new(PyObject *values) {
    PyObject *list = PySequence_List(values);
    if (!list) return NULL;
    const Py_ssize_t count = PyList_Size(list);
    size_t slots = 8, used = 0, room = 0;
    while (slots < 2 * (size_t)count)
        slots *= 2;
    ll_known *known = slots <= UINT32_MAX ? calloc(1, sizeof *known) : NULL;
    if (known) known->entries = calloc(slots, sizeof *known->entries);
    bool made = known && known->entries;
    if (!made) PyErr_NoMemory();
    if (made) known->mask = (uint32_t)(slots - 1);
    for (Py_ssize_t i = 0; made && i < count && i < PyList_Size(list); i++)
        made = add_known(known, &used, &room, PyList_GetItem(list, i));
    Py_DECREF(list);
    if (made) return known;
    known_free(known);
    return NULL;
}

/* ---- checking -------------------------------------------------------------------------------- */

static void check_number(const ll_check *check, uint64_t *counts, double value) {
    /* Nothing is below or above a NaN. */
    if (value < check->least) counts[LL_BELOW]++;
    if (value > check->most) counts[LL_ABOVE]++;
    if (!check->known || value != value) return;
    value += 0.0;
    if (!is_known(check->known, (const char *)&value, sizeof value)) counts[LL_UNSEEN]++;
}

void ll_check_row(ll_recorder *recorder, const uint64_t *values, const uint8_t *tags,
                  const char *text) {
    for (int32_t i = 0; i < recorder->count; i++) {
        const ll_check *check = &recorder->checks[i];
        if (!check->active) continue;
        uint64_t *counts = recorder->fields[i].counts;
        switch (tags[i]) {
        case LL_NULL:
            if (check->no_nulls) counts[LL_NULL_VALUE]++;
            break;
        case LL_DOUBLE:
            check_number(check, counts, ll_double_of_bits(values[i]));
            break;
        case LL_BOOL:
        case LL_INT:
        case LL_TIME:
            check_number(check, counts, (double)(int64_t)values[i]);
            break;
        case LL_TEXT:
            if (check->known &&
                !is_known(check->known, text + (values[i] >> 32), (uint32_t)values[i]))
                counts[LL_UNSEEN]++;
            break;
        default:
            break;
        }
    }
}

/* ---- installing ------------------------------------------------------------------------------ */

void ll_checks_free(ll_check *checks, int32_t count) {
    for (int32_t i = 0; checks && i < count; i++)
        known_free(checks[i].known);
    free(checks);
}

static bool read_bound(PyObject *given, double otherwise, double *bound) {
    *bound = given == Py_None ? otherwise : PyFloat_AsDouble(given);
    return !PyErr_Occurred();
}

static bool read_check(PyObject *given, ll_check *check, int *required) {
    PyObject *least, *most, *known;
    int no_nulls;
    if (!PyTuple_Check(given)) {
        PyErr_SetString(PyExc_TypeError,
                        "a check is a tuple (least, most, known, no_nulls[, required])");
        return false;
    }
    if (!PyArg_ParseTuple(given, "OOOp|p;a check is (least, most, known, no_nulls[, required])",
                          &least, &most, &known, &no_nulls, required))
        return false;
    ll_check read = {.active = true, .no_nulls = no_nulls};
    if (!read_bound(least, -Py_HUGE_VAL, &read.least)) return false;
    if (!read_bound(most, Py_HUGE_VAL, &read.most)) return false;
    if (known != Py_None && !(read.known = known_new(known))) return false;
    known_free(check->known);
    *check = read;
    return true;
}

/* The declared field of a name, added if need be; -1 with an exception. */
static int32_t field_to_check(ll_recorder *recorder, PyObject *name) {
    PyObject *called, *plain = ll_field_name(name, &called);
    Py_XDECREF(called);
    int32_t place = -1;
    if (plain) {
        place = ll_field_find(recorder, plain);
        if (place < 0) place = ll_field_add(recorder, plain, true);
        if (place >= 0) recorder->fields[place].declared = true;
        Py_DECREF(plain);
    }
    if (place < 0)
        PyErr_Format(recorder->state->input_error,
                     "%R cannot be a field to check: it is no name, or there are too many", name);
    return place;
}

/* All of a table or nothing: checks are read into memory of their own, then swapped in. */
PyObject *ll_checks_install(ll_recorder *recorder, PyObject *table) {
    PyObject *items = PyMapping_Items(table);
    if (!items) return NULL;
    const int32_t room = recorder->most_fields;
    ll_check *checks = calloc((size_t)room, sizeof *checks);
    bool made = checks != NULL;
    if (!made) PyErr_NoMemory();
    for (Py_ssize_t i = 0; made && i < PyList_Size(items); i++) {
        PyObject *name, *given;
        made = PyArg_ParseTuple(PyList_GetItem(items, i), "OO", &name, &given);
        const int32_t place = made ? field_to_check(recorder, name) : -1;
        int required = true;
        made = place >= 0 && read_check(given, &checks[place], &required);
        if (made) recorder->fields[place].optional = !required;
    }
    Py_DECREF(items);
    ll_check *old = made ? recorder->checks : checks;
    if (made) recorder->checks = checks;
    ll_checks_free(old, room);
    if (!made) return NULL;
    Py_RETURN_NONE;
}

/* ---- counts ---------------------------------------------------------------------------------- */

static PyObject *reasons_of(const ll_field *field) {
    PyObject *reasons = PyDict_New();
    for (int i = 0; reasons && i < LL_REASONS; i++) {
        if (!field->counts[i]) continue;
        PyObject *count = PyLong_FromUnsignedLongLong(field->counts[i]);
        if (!count || PyDict_SetItemString(reasons, ll_reasons[i], count) < 0) Py_CLEAR(reasons);
        Py_XDECREF(count);
    }
    return reasons;
}

PyObject *ll_violations(ll_recorder *recorder) {
    PyObject *found = PyDict_New();
    for (int32_t i = 0; found && i < recorder->count; i++) {
        PyObject *reasons = reasons_of(&recorder->fields[i]);
        if (!reasons ||
            (PyDict_Size(reasons) && PyDict_SetItem(found, recorder->fields[i].name, reasons) < 0))
            Py_CLEAR(found);
        Py_XDECREF(reasons);
    }
    return found;
}
