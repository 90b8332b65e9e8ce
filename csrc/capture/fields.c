/* Fields by name, and keys that are no fields.
 *
 * Fields are only ever added, so that their numbers stay true in every block and every plan. What
 * is made of a key that nobody foresaw is bounded: its length, how many become fields, and how many
 * names of others are kept.
 */
#include "capture.h"

/* Longest name of a field, in characters; what is counted of a longer key is its beginning. */
#define NAME_LIMIT   1024
#define CALLED_LIMIT 200

int32_t ll_field_find(ll_recorder *recorder, PyObject *name) {
    PyObject *place = PyDict_GetItemWithError(recorder->index, name);
    return place ? (int32_t)PyLong_AsLong(place) : -1;
}

static bool grow(ll_recorder *recorder) {
    if (recorder->count < recorder->room) return true;
    const size_t room = recorder->room ? 2 * (size_t)recorder->room : 32;
    ll_field *fields = realloc(recorder->fields, room * sizeof *fields);
    if (!fields) return false;
    recorder->fields = fields;
    uint8_t *classes = realloc(recorder->classes, room);
    if (!classes) return false;
    recorder->classes = classes;
    recorder->room = (int32_t)room;
    return true;
}

int32_t ll_field_add(ll_recorder *recorder, PyObject *name, bool declared) {
    const int32_t place = recorder->count;
    if (place >= recorder->most_fields || !grow(recorder)) return -1;
    PyObject *number = PyLong_FromLong(place);
    const int failed = !number || PyDict_SetItem(recorder->index, name, number) < 0;
    Py_XDECREF(number);
    if (failed) {
        PyErr_Clear();
        return -1;
    }
    Py_INCREF(name);
    PyUnicode_InternInPlace(&name);
    recorder->fields[place] = (ll_field){.name = name, .declared = declared};
    recorder->classes[place] = LL_ANY_CLASS;
    recorder->count++;
    return place;
}

void ll_fields_free(ll_recorder *recorder) {
    for (int32_t i = 0; i < recorder->count; i++)
        Py_DECREF(recorder->fields[i].name);
    recorder->count = 0;
    free(recorder->fields);
    free(recorder->classes);
    recorder->fields = NULL;
    recorder->classes = NULL;
}

/* ---- keys that are no fields ----------------------------------------------------------------- */

static PyObject *called_by_type(PyObject *key) {
    PyObject *type = PyType_GetName(Py_TYPE(key));
    PyObject *called = type ? PyUnicode_FromFormat("<%U>", type) : NULL;
    Py_XDECREF(type);
    return called;
}

/* Text that can be written as UTF-8, whatever the key holds; not too long. */
static PyObject *called_by_text(PyObject *name) {
    PyObject *start = PyUnicode_Substring(name, 0, CALLED_LIMIT);
    PyObject *bytes = start ? PyUnicode_AsEncodedString(start, "utf-8", "backslashreplace") : NULL;
    PyObject *called = bytes ? PyUnicode_FromEncodedObject(bytes, "utf-8", "strict") : NULL;
    Py_XDECREF(start);
    Py_XDECREF(bytes);
    return called;
}

PyObject *ll_field_name(PyObject *key, PyObject **called) {
    *called = NULL;
    if (!PyUnicode_Check(key)) {
        *called = called_by_type(key);
        PyErr_Clear();
        return NULL;
    }
    PyObject *name = PyUnicode_FromObject(key); /* of a subclass, its plain text */
    Py_ssize_t size;
    if (name && PyUnicode_GetLength(name) <= NAME_LIMIT && PyUnicode_AsUTF8AndSize(name, &size)) {
        *called = called_by_text(name);
        PyErr_Clear();
        return name;
    }
    PyErr_Clear();
    if (name) *called = called_by_text(name);
    PyErr_Clear();
    Py_XDECREF(name);
    return NULL;
}

int32_t ll_extra_slot(ll_recorder *recorder, PyObject *called) {
    if (!called) return LL_EXTRA_NAMES;
    PyObject *known = PyDict_GetItemWithError(recorder->extra_index, called);
    if (known) return (int32_t)PyLong_AsLong(known);
    if (recorder->extras == LL_EXTRA_NAMES) return LL_EXTRA_NAMES;
    PyObject *number = PyLong_FromLong(recorder->extras);
    const int failed = !number || PyDict_SetItem(recorder->extra_index, called, number) < 0;
    Py_XDECREF(number);
    if (failed) {
        PyErr_Clear();
        return LL_EXTRA_NAMES;
    }
    Py_INCREF(called);
    recorder->extra_names[recorder->extras] = called;
    return recorder->extras++;
}
