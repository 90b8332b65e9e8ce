/* Python objects -> values of a row, for what the fast path leaves: foreign types and odd values.
 *
 * How a type is converted is found once and kept (most types are few; a bounded table forgets). No
 * object is asked for its `str`: what is no number, text, truth value or time is not captured.
 */
#include "capture.h"

#include <math.h>

enum {
    AS_NOTHING,
    AS_NULL,
    AS_BOOL,
    AS_INT,
    AS_INDEX,
    AS_DOUBLE,
    AS_TEXT,
    AS_BYTES,
    AS_DATETIME,
    AS_DATE,
    AS_DATETIME64,
    AS_ARRAY
};

enum { TYPES_KEPT = 256, DAYS_TO_1970 = 719163 };

#define DAY_US INT64_C(86400000000)

/* ---- types ----------------------------------------------------------------------------------- */

static bool is_in(PyObject *text, const char *prefix) {
    PyObject *start = PyUnicode_Substring(text, 0, (Py_ssize_t)strlen(prefix));
    const bool same = start && PyUnicode_CompareWithASCIIString(start, prefix) == 0;
    Py_XDECREF(start);
    return same;
}

static bool is_one_of(PyObject *name, const char *const *names) {
    for (; *names; names++)
        if (PyUnicode_CompareWithASCIIString(name, *names) == 0) return true;
    return false;
}

/* Types of NumPy and pandas by name, as neither is imported here; -1 for any other. */
static int find_by_name(PyTypeObject *type) {
    static const char *const nulls[] = {"NAType", "NaTType", "MaskedConstant", NULL};
    static const char *const bools[] = {"bool", "bool_", NULL};
    static const char *const instants[] = {"datetime64", NULL};
    static const char *const arrays[] = {"ndarray", NULL};
    static const char *const nothing[] = {"timedelta64", "complex64", "complex128", "clongdouble",
                                          "complex256",  "void",      "object_",    NULL};
    PyObject *name = PyType_GetName(type);
    PyObject *module = PyObject_GetAttrString((PyObject *)type, "__module__");
    int how = -1;
    if (name && module && PyUnicode_Check(module)) {
        const bool numpy = is_in(module, "numpy");
        if ((numpy || is_in(module, "pandas.")) && is_one_of(name, nulls))
            how = AS_NULL;
        else if (numpy && is_one_of(name, bools))
            how = AS_BOOL;
        else if (numpy && is_one_of(name, instants))
            how = AS_DATETIME64;
        else if (numpy && is_one_of(name, arrays))
            how = AS_ARRAY;
        else if (numpy && is_one_of(name, nothing))
            how = AS_NOTHING;
    }
    Py_XDECREF(name);
    Py_XDECREF(module);
    PyErr_Clear();
    return how;
}

static int find_how(const ll_state *state, PyTypeObject *type) {
    if (type == &PyBool_Type) return AS_BOOL;
    if (PyType_IsSubtype(type, &PyFloat_Type)) return AS_DOUBLE;
    if (PyType_IsSubtype(type, &PyUnicode_Type)) return AS_TEXT;
    if (PyType_IsSubtype(type, &PyBytes_Type)) return AS_BYTES;
    const int named = find_by_name(type);
    if (named >= 0) return named;
    if (PyType_IsSubtype(type, &PyLong_Type)) return AS_INT;
    if (PyType_IsSubtype(type, (PyTypeObject *)state->datetime)) return AS_DATETIME;
    if (PyType_IsSubtype(type, (PyTypeObject *)state->date)) return AS_DATE;
    if (PyType_GetSlot(type, Py_nb_index)) return AS_INDEX;
    if (PyType_GetSlot(type, Py_nb_float)) return AS_DOUBLE;
    return AS_NOTHING;
}

/* The scalars of NumPy, whose types are never freed: their conversion to float and int is its own
 * C code. */
static void trust(ll_state *state, PyTypeObject *type) {
    static const char *const floats[] = {"float16", "float32", NULL};
    static const char *const integers[] = {"int8",   "int16",  "int32",  "int64", "uint8",
                                           "uint16", "uint32", "uint64", NULL};
    if (PyType_GetFlags(type) & Py_TPFLAGS_HEAPTYPE || state->trusts == LL_TRUSTED) return;
    for (int i = 0; i < state->trusts; i++)
        if (state->trusted[i].type == type) return;
    PyObject *name = PyType_GetName(type);
    PyObject *module = PyObject_GetAttrString((PyObject *)type, "__module__");
    if (name && module && PyUnicode_Check(module) &&
        PyUnicode_CompareWithASCIIString(module, "numpy") == 0) {
        const bool is_float = is_one_of(name, floats);
        if (is_float || is_one_of(name, integers))
            state->trusted[state->trusts++] = (ll_trusted){.type = type, .is_float = is_float};
    }
    Py_XDECREF(name);
    Py_XDECREF(module);
    PyErr_Clear();
}

static int how_converted(ll_state *state, PyTypeObject *type) {
    if (type == &PyLong_Type) return AS_INT;
    if (type == &PyUnicode_Type) return AS_TEXT;
    if (type == &PyFloat_Type) return AS_DOUBLE;
    PyObject *known = PyDict_GetItemWithError(state->types, (PyObject *)type);
    if (known) return (int)PyLong_AsLong(known);
    PyErr_Clear();
    const int how = find_how(state, type);
    trust(state, type);
    if (PyDict_Size(state->types) >= TYPES_KEPT) PyDict_Clear(state->types);
    PyObject *number = PyLong_FromLong(how);
    if (number) PyDict_SetItem(state->types, (PyObject *)type, number);
    Py_XDECREF(number);
    PyErr_Clear();
    return how;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static void put_double(ll_entry *entry, double value) {
    entry->tag = LL_DOUBLE;
    entry->bits = ll_bits_of_double(value);
}

static void put_int(ll_entry *entry, int64_t value) {
    entry->tag = LL_INT;
    entry->bits = (uint64_t)value;
}

/* Beyond 64 bits the nearest double; beyond doubles, nothing. */
static void put_huge(ll_entry *entry, PyObject *integer) {
    const double nearest = PyLong_AsDouble(integer);
    if (nearest == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        entry->tag = LL_NULL;
        entry->reason = LL_OVERSIZED;
        return;
    }
    PyObject *back = PyLong_FromDouble(nearest);
    const int same = back ? PyObject_RichCompareBool(back, integer, Py_EQ) : 0;
    Py_XDECREF(back);
    PyErr_Clear();
    put_double(entry, nearest);
    if (same != 1) entry->reason = LL_INEXACT;
}

static void put_integer(ll_entry *entry, PyObject *integer) {
    int overflow;
    const long long value = PyLong_AsLongLongAndOverflow(integer, &overflow);
    if (overflow)
        put_huge(entry, integer);
    else
        put_int(entry, value);
}

static bool as_double(ll_entry *entry) {
    const double value = PyFloat_AsDouble(entry->value);
    if (value == -1 && PyErr_Occurred()) return false;
    put_double(entry, value);
    return true;
}

static bool as_index(ll_entry *entry) {
    PyObject *integer = PyNumber_Index(entry->value);
    if (!integer) {
        /* As a tensor of one float does, which has both methods. */
        if (!PyErr_ExceptionMatches(PyExc_TypeError)) return false;
        PyErr_Clear();
        return PyType_GetSlot(Py_TYPE(entry->value), Py_nb_float) && as_double(entry);
    }
    put_integer(entry, integer);
    Py_DECREF(integer);
    return true;
}

static bool as_bool(ll_entry *entry) {
    const int truth = PyObject_IsTrue(entry->value);
    if (truth < 0) return false;
    entry->tag = LL_BOOL;
    entry->bits = (uint64_t)truth;
    return true;
}

/* ---- text ------------------------------------------------------------------------------------ */

static void replace_value(ll_entry *entry, PyObject *owner) {
    PyObject *old = entry->value;
    entry->value = owner;
    Py_XDECREF(old);
}

static bool put_text(const ll_recorder *recorder, ll_entry *entry, const char *text,
                     Py_ssize_t size) {
    if (!text) return false;
    if ((size_t)size > recorder->text_limit) {
        entry->tag = LL_NULL;
        entry->reason = LL_OVERSIZED;
        return true;
    }
    entry->tag = LL_TEXT;
    entry->text = text;
    entry->size = (uint32_t)size;
    return true;
}

/* Halves of surrogate pairs are written as escapes, as no UTF-8 holds them. */
static bool as_text(const ll_recorder *recorder, ll_entry *entry) {
    if ((size_t)PyUnicode_GetLength(entry->value) > recorder->text_limit)
        return put_text(recorder, entry, "", PyUnicode_GetLength(entry->value));
    Py_ssize_t size;
    const char *text = PyUnicode_AsUTF8AndSize(entry->value, &size);
    if (text) return put_text(recorder, entry, text, size);
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return false;
    PyErr_Clear();
    PyObject *bytes = PyUnicode_AsEncodedString(entry->value, "utf-8", "backslashreplace");
    if (!bytes) return false;
    replace_value(entry, bytes);
    entry->reason = LL_INEXACT;
    return put_text(recorder, entry, PyBytes_AsString(bytes), PyBytes_Size(bytes));
}

/* Bytes as the text that they encode; where they encode none, escapes. */
static bool as_bytes(const ll_recorder *recorder, ll_entry *entry) {
    const Py_ssize_t size = PyBytes_Size(entry->value);
    if ((size_t)size > recorder->text_limit) return put_text(recorder, entry, "", size);
    const char *bytes = PyBytes_AsString(entry->value);
    PyObject *text = PyUnicode_DecodeUTF8(bytes, size, "strict");
    if (!text) {
        if (!PyErr_ExceptionMatches(PyExc_UnicodeDecodeError)) return false;
        PyErr_Clear();
        text = PyUnicode_DecodeUTF8(bytes, size, "backslashreplace");
        if (!text) return false;
        entry->reason = LL_INEXACT;
    }
    replace_value(entry, text);
    Py_ssize_t encoded;
    const char *utf8 = PyUnicode_AsUTF8AndSize(text, &encoded);
    return put_text(recorder, entry, utf8, encoded);
}

/* ---- time ------------------------------------------------------------------------------------ */

static void put_time(ll_entry *entry, int64_t microseconds) {
    entry->tag = LL_TIME;
    entry->bits = (uint64_t)microseconds;
}

static bool integer_attribute(const ll_state *state, PyObject *object, int name, int64_t *value) {
    PyObject *number = PyObject_GetAttr(object, state->attributes[name]);
    *value = number ? PyLong_AsLongLong(number) : -1;
    Py_XDECREF(number);
    return !(*value == -1 && PyErr_Occurred());
}

static bool in_range(int64_t days) {
    return days > -4000000 && days < 4000000; /* years 1 to 9999 */
}

/* Microseconds since 1970 in UTC; a time without a zone is in UTC. */
static bool as_datetime(const ll_state *state, ll_entry *entry) {
    PyObject *zone = PyObject_GetAttr(entry->value, state->attributes[LL_TZINFO]);
    if (!zone) return false;
    PyObject *epoch = zone == Py_None ? state->epoch_naive : state->epoch_aware;
    Py_DECREF(zone);
    PyObject *since = PyNumber_Subtract(entry->value, epoch);
    int64_t days, seconds, microseconds;
    const bool read = since && integer_attribute(state, since, LL_DAYS, &days) &&
                      integer_attribute(state, since, LL_SECONDS, &seconds) &&
                      integer_attribute(state, since, LL_MICROSECONDS, &microseconds);
    Py_XDECREF(since);
    if (!read || !in_range(days)) return false;
    put_time(entry, days * DAY_US + seconds * 1000000 + microseconds);
    return true;
}

static bool as_date(ll_entry *entry) {
    PyObject *ordinal = PyObject_CallMethod(entry->value, "toordinal", NULL);
    const int64_t day = ordinal ? PyLong_AsLongLong(ordinal) : -1;
    Py_XDECREF(ordinal);
    if ((day == -1 && PyErr_Occurred()) || !in_range(day)) return false;
    put_time(entry, (day - DAYS_TO_1970) * DAY_US);
    return true;
}

static bool as_datetime64(ll_entry *entry) {
    PyObject *instant = PyObject_CallMethod(entry->value, "astype", "s", "datetime64[us]");
    PyObject *scalar = instant ? PyObject_CallMethod(instant, "astype", "s", "int64") : NULL;
    PyObject *number = scalar ? PyNumber_Index(scalar) : NULL;
    const int64_t microseconds = number ? PyLong_AsLongLong(number) : -1;
    Py_XDECREF(instant);
    Py_XDECREF(scalar);
    Py_XDECREF(number);
    if (microseconds == -1 && PyErr_Occurred()) return false;
    if (microseconds == INT64_MIN) { /* not a time */
        entry->tag = LL_NULL;
        return true;
    }
    put_time(entry, microseconds);
    return true;
}

/* ---- any object ------------------------------------------------------------------------------ */

static bool convert_as(ll_recorder *recorder, ll_entry *entry, int how);

/* An array of no dimensions, as reductions give them, is its value. */
static bool as_array(ll_recorder *recorder, ll_entry *entry) {
    int64_t dimensions;
    if (!integer_attribute(recorder->state, entry->value, LL_NDIM, &dimensions) || dimensions != 0)
        return false;
    PyObject *item = PyObject_CallMethod(entry->value, "item", NULL);
    if (!item) return false;
    replace_value(entry, item);
    const int how = how_converted(recorder->state, Py_TYPE(item));
    return how != AS_ARRAY && convert_as(recorder, entry, how);
}

/* False if it cannot be captured, with or without an exception. */
static bool convert_as(ll_recorder *recorder, ll_entry *entry, int how) {
    switch (how) {
    case AS_NULL:
        entry->tag = LL_NULL;
        return true;
    case AS_BOOL:
        return as_bool(entry);
    case AS_INT:
        put_integer(entry, entry->value);
        return true;
    case AS_INDEX:
        return as_index(entry);
    case AS_DOUBLE:
        return as_double(entry);
    case AS_TEXT:
        return as_text(recorder, entry);
    case AS_BYTES:
        return as_bytes(recorder, entry);
    case AS_DATETIME:
        return as_datetime(recorder->state, entry);
    case AS_DATE:
        return as_date(entry);
    case AS_DATETIME64:
        return as_datetime64(entry);
    case AS_ARRAY:
        return as_array(recorder, entry);
    default:
        return false;
    }
}

int ll_convert(ll_recorder *recorder, ll_entry *entry) {
    entry->reason = LL_NO_REASON;
    entry->bits = 0;
    if (entry->value == Py_None) {
        entry->tag = LL_NULL;
        return LL_DONE;
    }
    if (recorder->strict) {
        entry->type = Py_TYPE(entry->value);
        Py_INCREF((PyObject *)entry->type);
    }
    if (convert_as(recorder, entry, how_converted(recorder->state, Py_TYPE(entry->value))))
        return LL_DONE;
    /* What asks the process or the task to end is not a property of the value. */
    if (PyErr_Occurred() && !PyErr_ExceptionMatches(PyExc_Exception)) return LL_RAISED;
    PyErr_Clear();
    entry->tag = LL_NULL;
    entry->bits = 0;
    entry->reason = LL_MISTYPED;
    return LL_DONE;
}
