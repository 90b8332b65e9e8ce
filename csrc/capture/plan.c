/* Plans: rows of other forms than dicts, and rows with fewer fields than the recorder has.
 *
 * What a type's rows are is asked once, of the function that `binder` was given (Python code: how
 * dataclasses, named tuples and models name their fields changes, and is no hot path), and kept.
 */
#include "capture.h"

enum { AS_ANY, AS_MAPPING, AS_SEQUENCE, AS_ATTRIBUTES, AS_VARIABLES, MANNERS };

static const char *const manners[MANNERS] = {"any", "mapping", "sequence", "attributes",
                                             "variables"};

/* Types whose plan is kept; with more, all are asked anew. */
enum { PLANS_KEPT = 256 };

typedef struct plan {
    PyObject_HEAD ll_recorder *recorder; /* NULL when the garbage collector has been here */
    ll_binding binding;
    bool whole; /* of all fields of the recorder, as its own binding is */
    int how;
} plan;

/* ---- capturing ------------------------------------------------------------------------------- */

/* What an exception of foreign code makes of a row. */
static int failed(void) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return LL_RAISED;
    PyErr_Clear();
    return LL_ERROR;
}

static int unreadable(const ll_recorder *recorder, PyObject *row) {
    if (!recorder->strict) return LL_ERROR;
    PyObject *type = PyType_GetName(Py_TYPE(row));
    if (type)
        PyErr_Format(recorder->state->input_error,
                     "a row of type '%U' has no fields to read; log a dict, a dataclass, a named "
                     "tuple, or bind the fields first",
                     type);
    Py_XDECREF(type);
    return LL_RAISED;
}

static int capture_mapping(ll_recorder *recorder, ll_binding *binding, PyObject *row) {
    if (PyDict_Check(row)) return ll_capture_dict(recorder, binding, row);
    PyObject *copy = PyDict_New();
    if (!copy || PyDict_Update(copy, row) < 0) {
        Py_XDECREF(copy);
        const int outcome = failed();
        return outcome == LL_ERROR ? unreadable(recorder, row) : outcome;
    }
    const int outcome = ll_capture_dict(recorder, binding, copy);
    Py_DECREF(copy);
    return outcome;
}

/* The attributes that an object happens to have. */
static int capture_variables(ll_recorder *recorder, ll_binding *binding, PyObject *row) {
    PyObject *variables = PyObject_GetAttrString(row, "__dict__");
    int outcome = variables ? LL_DONE : failed();
    if (variables) outcome = capture_mapping(recorder, binding, variables);
    Py_XDECREF(variables);
    return outcome;
}

static int capture_attributes(ll_recorder *recorder, const ll_binding *binding, PyObject *row) {
    const int outcome = ll_capture_attributes(recorder, binding, row);
    return outcome == LL_ERROR ? unreadable(recorder, row) : outcome;
}

static int capture_as(ll_recorder *recorder, ll_binding *binding, int how, PyObject *row) {
    const bool sequence = PyTuple_Check(row) || PyList_Check(row);
    switch (how) {
    case AS_MAPPING:
        return capture_mapping(recorder, binding, row);
    case AS_SEQUENCE:
        return sequence ? ll_capture_sequence(recorder, binding, row) : unreadable(recorder, row);
    case AS_ATTRIBUTES:
        return capture_attributes(recorder, binding, row);
    case AS_VARIABLES:
        return capture_variables(recorder, binding, row);
    default:
        if (PyDict_Check(row)) return ll_capture_dict(recorder, binding, row);
        if (sequence) return ll_capture_sequence(recorder, binding, row);
        if (PyObject_HasAttrString(row, "keys")) return capture_mapping(recorder, binding, row);
        return capture_attributes(recorder, binding, row);
    }
}

static int capture_by(plan *by, PyObject *row) {
    ll_recorder *recorder = by->recorder;
    if (!recorder) return LL_ERROR;
    return capture_as(recorder, by->whole ? &recorder->binding : &by->binding, by->how, row);
}

/* The plan of a type, a new reference: of this recorder, or None; NULL with an exception. */
static PyObject *plan_of_type(ll_recorder *recorder, PyTypeObject *type) {
    const ll_state *state = recorder->state;
    PyObject *known = PyDict_GetItemWithError(recorder->plans, (PyObject *)type);
    if (known) {
        Py_INCREF(known);
        return known;
    }
    if (PyErr_Occurred()) return NULL;
    if (!state->binder) Py_RETURN_NONE;
    PyObject *found =
        PyObject_CallFunctionObjArgs(state->binder, (PyObject *)recorder, (PyObject *)type, NULL);
    if (!found) return NULL;
    const bool usable = Py_TYPE(found) == state->plan && ((plan *)found)->recorder == recorder;
    if (!usable && found != Py_None) {
        Py_DECREF(found);
        PyErr_SetString(PyExc_TypeError, "a binder gives a plan of the recorder, or None");
        return NULL;
    }
    if (PyDict_Size(recorder->plans) >= PLANS_KEPT) PyDict_Clear(recorder->plans);
    if (PyDict_SetItem(recorder->plans, (PyObject *)type, found) < 0) PyErr_Clear();
    return found;
}

int ll_capture_object(ll_recorder *recorder, PyObject *row) {
    if (LL_LIKELY(PyDict_Check(row))) return ll_capture_dict(recorder, &recorder->binding, row);
    if (Py_TYPE(row) == &PyTuple_Type || Py_TYPE(row) == &PyList_Type)
        return ll_capture_sequence(recorder, &recorder->binding, row);
    PyObject *found = plan_of_type(recorder, Py_TYPE(row));
    if (!found) {
        const int outcome = failed();
        return outcome == LL_ERROR ? unreadable(recorder, row) : outcome;
    }
    const int outcome =
        found == Py_None ? unreadable(recorder, row) : capture_by((plan *)found, row);
    Py_DECREF(found);
    return outcome;
}

/* ---- the account of a row -------------------------------------------------------------------- */

static PyObject *start(ll_recorder *recorder) {
    recorder->started = true;
    if (!recorder->on_start) Py_RETURN_NONE;
    PyObject *callable = recorder->on_start;
    Py_INCREF(callable);
    PyObject *result = PyObject_CallNoArgs(callable);
    Py_DECREF(callable);
    if (!result) {
        if (!PyErr_ExceptionMatches(PyExc_Exception)) return NULL;
        PyErr_Clear();
        recorder->start_again = true; /* with the next block */
    }
    Py_XDECREF(result);
    Py_RETURN_NONE;
}

PyObject *ll_logged(ll_recorder *recorder, int outcome) {
    if (LL_LIKELY(outcome == LL_DONE)) {
        if (LL_UNLIKELY(!recorder->started)) return start(recorder);
        Py_RETURN_NONE;
    }
    recorder->dropped[outcome == LL_RAISED ? LL_ERROR : outcome]++;
    if (outcome == LL_RAISED) return NULL;
    if (outcome == LL_CLOSED && recorder->strict) {
        PyErr_SetString(recorder->state->input_error,
                        "the recorder is closed; log before it is closed");
        return NULL;
    }
    Py_RETURN_NONE;
}

/* ---- the object ------------------------------------------------------------------------------ */

/* Resolve the fields of a plan; false with an exception. */
static bool bind_fields(ll_recorder *recorder, ll_binding *binding, PyObject *fields) {
    const Py_ssize_t count = PyTuple_Size(fields);
    binding->places = calloc((size_t)count + 1, sizeof *binding->places);
    binding->member = calloc((size_t)recorder->most_fields + 1, sizeof *binding->member);
    if (!binding->places || !binding->member) {
        PyErr_NoMemory();
        return false;
    }
    binding->members = recorder->most_fields;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *called, *name = ll_field_name(PyTuple_GetItem(fields, i), &called);
        Py_XDECREF(called);
        int32_t place = name ? ll_field_find(recorder, name) : -1;
        if (name && place < 0) place = ll_field_add(recorder, name, false);
        Py_XDECREF(name);
        if (place < 0 || binding->member[place]) {
            PyErr_Format(recorder->state->input_error, "field %R %s", PyTuple_GetItem(fields, i),
                         place >= 0 ? "is named twice; name each once"
                                    : "cannot be added: it is no name, or there are too many");
            return false;
        }
        binding->member[place] = true;
        binding->places[binding->count++] = place;
    }
    return true;
}

PyObject *ll_plan_new(ll_recorder *recorder, PyObject *fields, const char *how) {
    int manner = 0;
    while (manner < MANNERS && strcmp(how, manners[manner]) != 0)
        manner++;
    if (manner == MANNERS)
        return PyErr_Format(
            recorder->state->input_error,
            "rows are read as any, mapping, sequence, attributes or variables, not '%s'", how);
    plan *made = PyObject_GC_New(plan, recorder->state->plan);
    if (!made) return NULL;
    Py_INCREF((PyObject *)recorder);
    made->recorder = recorder;
    memset(&made->binding, 0, sizeof made->binding);
    made->whole = fields == Py_None;
    made->how = manner;
    PyObject_GC_Track(made);
    PyObject *names = made->whole ? NULL : PySequence_Tuple(fields);
    const bool bound = made->whole || (names && bind_fields(recorder, &made->binding, names));
    Py_XDECREF(names);
    if (bound) return (PyObject *)made;
    Py_DECREF((PyObject *)made);
    return NULL;
}

static PyObject *plan_log(PyObject *self, PyObject *row) {
    plan *by = (plan *)self;
    if (!by->recorder) Py_RETURN_NONE;
    return ll_logged(by->recorder, capture_by(by, row));
}

static PyObject *plan_fields(PyObject *self, void *Py_UNUSED(none)) {
    const plan *by = (const plan *)self;
    const ll_recorder *recorder = by->recorder;
    const Py_ssize_t count = !recorder ? 0 : by->whole ? recorder->count : by->binding.count;
    PyObject *names = PyTuple_New(count);
    for (Py_ssize_t i = 0; names && i < count; i++) {
        PyObject *name = recorder->fields[by->whole ? i : by->binding.places[i]].name;
        Py_INCREF(name);
        PyTuple_SetItem(names, i, name);
    }
    return names;
}

static int plan_traverse(PyObject *self, visitproc visit, void *arg) {
    Py_VISIT((PyObject *)Py_TYPE(self));
    Py_VISIT((PyObject *)((plan *)self)->recorder);
    return 0;
}

static int plan_clear(PyObject *self) {
    Py_CLEAR(((plan *)self)->recorder);
    return 0;
}

static void plan_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    plan_clear(self);
    ll_binding_free(&((plan *)self)->binding);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyMethodDef plan_methods[] = {
    {"log", plan_log, METH_O, "log($self, row, /)\n--\n\nCapture one row."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef plan_getters[] = {
    {"fields", plan_fields, NULL, "Names of the fields, in order.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot plan_slots[] = {
    {Py_tp_doc, "How rows of one form are read; made by Recorder.plan."},
    {Py_tp_dealloc, plan_dealloc},
    {Py_tp_traverse, plan_traverse},
    {Py_tp_clear, plan_clear},
    {Py_tp_methods, plan_methods},
    {Py_tp_getset, plan_getters},
    {0, NULL},
};
PyType_Spec ll_plan_spec = {.name = "leadline._capture.Plan",
                            .basicsize = sizeof(plan),
                            .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC |
                                     Py_TPFLAGS_DISALLOW_INSTANTIATION,
                            .slots = plan_slots};
