/* `Recorder`: what a monitor holds. Its methods, apart from the capture of rows, are called by the
 * thread that summarises, some times a second.
 */
#include "capture.h"

#include <math.h>

static const char *const drops[LL_DROPS] = {[LL_ROWS_BOUND] = "rows",
                                            [LL_BYTES_BOUND] = "bytes",
                                            [LL_CLOSED] = "closed",
                                            [LL_ERROR] = "error"};

static const char *const classes[LL_CLASSES] = {"any", "bool", "number", "text", "time"};

enum { MOST_FIELDS = 65535 };

#define MOST_TEXT      ((int64_t)1 << 30)
#define LONGEST_WAIT_S 1e6

/* ---- making ---------------------------------------------------------------------------------- */

static bool declare_fields(ll_recorder *recorder, PyObject *fields) {
    PyObject *names = PySequence_Tuple(fields);
    if (!names) return false;
    for (Py_ssize_t i = 0; i < PyTuple_Size(names); i++) {
        PyObject *called, *name = ll_field_name(PyTuple_GetItem(names, i), &called);
        Py_XDECREF(called);
        const bool fresh = name && ll_field_find(recorder, name) < 0;
        const int32_t place = fresh ? ll_field_add(recorder, name, true) : -1;
        Py_XDECREF(name);
        if (place >= 0) continue;
        PyErr_Format(recorder->state->input_error,
                     "%R cannot be a field: it is no name, or named twice, or there are too many",
                     PyTuple_GetItem(names, i));
        break;
    }
    Py_DECREF(names);
    return !PyErr_Occurred();
}

static int class_named(PyObject *name) {
    for (int i = 0; PyUnicode_Check(name) && i < LL_CLASSES; i++)
        if (PyUnicode_CompareWithASCIIString(name, classes[i]) == 0) return i;
    return -1;
}

/* What fields hold, by name. */
static bool declare_classes(ll_recorder *recorder, PyObject *given) {
    PyObject *items = PyMapping_Items(given);
    if (!items) return false;
    for (Py_ssize_t i = 0; i < PyList_Size(items) && !PyErr_Occurred(); i++) {
        PyObject *name, *class;
        if (!PyArg_ParseTuple(PyList_GetItem(items, i), "OO", &name, &class)) break;
        const int32_t place = PyUnicode_CheckExact(name) ? ll_field_find(recorder, name) : -1;
        const int number = class_named(class);
        if (place >= 0 && number >= 0)
            recorder->classes[place] = (uint8_t)number;
        else
            PyErr_Format(recorder->state->input_error,
                         "classes are any, bool, number, text or time, by field; got %R: %R", name,
                         class);
    }
    Py_DECREF(items);
    return !PyErr_Occurred();
}

static bool is_in_range(const ll_recorder *recorder, const char *name, long long value,
                        long long most) {
    if (value >= 1 && value <= most) return true;
    PyErr_Format(recorder->state->input_error, "%s is from 1 to %lld, not %lld", name, most, value);
    return false;
}

static PyObject *recorder_new(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {"fields",     "step_ns",      "rows",    "bytes", "strict",
                            "text_limit", "fields_limit", "classes", NULL};
    PyObject *fields, *given = NULL;
    long long step = 0, rows = 0, bytes = 0, text_limit = 65536, most_fields = 1000;
    int strict = 0;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "O|$LLLpLLO", names, &fields, &step, &rows,
                                     &bytes, &strict, &text_limit, &most_fields, &given))
        return NULL;
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    ll_recorder *recorder = (ll_recorder *)allocate(type, 0);
    if (!recorder) return NULL;
    ll_bell_init(&recorder->bell);
    recorder->state = PyType_GetModuleState(type);
    recorder->index = PyDict_New();
    recorder->extra_index = PyDict_New();
    recorder->plans = PyDict_New();
    recorder->step = step;
    recorder->most_rows = (uint64_t)rows;
    recorder->most_bytes = (uint64_t)bytes;
    recorder->text_limit = (size_t)text_limit;
    recorder->most_fields = (int32_t)most_fields;
    recorder->strict = strict;
    if (recorder->index && recorder->extra_index && recorder->plans &&
        is_in_range(recorder, "step_ns", step, INT64_MAX / 4) &&
        is_in_range(recorder, "rows", rows, INT64_MAX / 4) &&
        is_in_range(recorder, "bytes", bytes, INT64_MAX / 4) &&
        is_in_range(recorder, "text_limit", text_limit, MOST_TEXT) &&
        is_in_range(recorder, "fields_limit", most_fields, MOST_FIELDS) &&
        declare_fields(recorder, fields) &&
        (!given || given == Py_None || declare_classes(recorder, given)))
        return (PyObject *)recorder;
    Py_DECREF((PyObject *)recorder);
    return NULL;
}

/* ---- the garbage collector ------------------------------------------------------------------- */

/* Only what can be part of a cycle: the rest is needed as long as somebody may log. */
static int recorder_traverse(PyObject *object, visitproc visit, void *arg) {
    ll_recorder *self = (ll_recorder *)object;
    Py_VISIT((PyObject *)Py_TYPE(object));
    Py_VISIT(self->on_start);
    Py_VISIT(self->plans);
    for (ll_block *block = self->oldest; block; block = block->next)
        Py_VISIT(block->batch);
    return 0;
}

static int recorder_clear(PyObject *object) {
    ll_recorder *self = (ll_recorder *)object;
    Py_CLEAR(self->on_start);
    if (self->plans) PyDict_Clear(self->plans);
    for (ll_block *block = self->oldest; block; block = block->next)
        Py_CLEAR(block->batch);
    return 0;
}

/* A list of blocks that nobody sees any more. */
static void free_blocks(ll_block *block) {
    while (block) {
        ll_block *next = block->next;
        Py_XDECREF(block->batch);
        ll_block_free(block);
        block = next;
    }
}

static void recorder_dealloc(PyObject *object) {
    ll_recorder *self = (ll_recorder *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    Py_CLEAR(self->on_start);
    free_blocks(self->oldest);
    free_blocks(self->open);
    Py_CLEAR(self->plans);
    ll_checks_free(self->checks, self->most_fields);
    ll_binding_free(&self->binding);
    ll_fields_free(self);
    for (int32_t i = 0; i < self->extras; i++)
        Py_DECREF(self->extra_names[i]);
    Py_CLEAR(self->index);
    Py_CLEAR(self->extra_index);
    PyObject_GC_Del(object);
    Py_DECREF((PyObject *)type);
}

/* ---- rows in --------------------------------------------------------------------------------- */

static PyObject *recorder_log(PyObject *self, PyObject *row) {
    ll_recorder *recorder = (ll_recorder *)self;
    return ll_logged(recorder, ll_capture_object(recorder, row));
}

static PyObject *recorder_plan(PyObject *self, PyObject *arguments) {
    PyObject *fields;
    const char *how = "any";
    if (!PyArg_ParseTuple(arguments, "O|s:plan", &fields, &how)) return NULL;
    return ll_plan_new((ll_recorder *)self, fields, how);
}

static int queue_batch(ll_recorder *recorder, PyObject *data, uint64_t rows, uint64_t bytes,
                       int64_t epoch) {
    if (recorder->closed) return LL_CLOSED;
    /* The batch that crosses the bound of rows is the last one accepted. */
    if (recorder->held_rows >= recorder->most_rows) return LL_ROWS_BOUND;
    if (bytes > recorder->most_bytes - recorder->bytes) return LL_BYTES_BOUND;
    ll_block *block = calloc(1, sizeof *block);
    if (!block) return LL_BYTES_BOUND;
    Py_INCREF(data);
    *block = (ll_block){.batch = data, .epoch = epoch, .rows = rows, .bytes = bytes};
    recorder->bytes += bytes;
    recorder->held_rows += rows;
    recorder->accepted += rows;
    ll_block_seal(recorder); /* what was logged before stays before */
    ll_block_queue(recorder, block);
    return LL_DONE;
}

static PyObject *recorder_add_batch(PyObject *self, PyObject *arguments) {
    ll_recorder *recorder = (ll_recorder *)self;
    PyObject *data;
    long long rows, bytes, epoch;
    if (!PyArg_ParseTuple(arguments, "OLLL:add_batch", &data, &rows, &bytes, &epoch)) return NULL;
    if (rows < 0 || bytes < 0 || rows > INT64_MAX / 4) {
        PyErr_SetString(recorder->state->input_error, "a batch has no negative rows or bytes");
        return NULL;
    }
    const int outcome = queue_batch(recorder, data, (uint64_t)rows, (uint64_t)bytes, epoch);
    if (outcome != LL_DONE) {
        recorder->dropped[outcome] += (uint64_t)rows;
        Py_RETURN_FALSE;
    }
    PyObject *logged = ll_logged(recorder, LL_DONE);
    if (!logged) return NULL;
    Py_DECREF(logged);
    Py_RETURN_TRUE;
}

/* ---- rows out -------------------------------------------------------------------------------- */

static PyObject *recorder_seal(PyObject *self, PyObject *Py_UNUSED(none)) {
    ll_block_seal((ll_recorder *)self);
    Py_RETURN_NONE;
}

static ll_block *unqueue(ll_recorder *recorder) {
    ll_block *block = recorder->oldest;
    if (!block) return NULL;
    recorder->oldest = block->next;
    if (!recorder->oldest) recorder->newest = NULL;
    block->next = NULL;
    recorder->taken += block->rows;
    return block;
}

static void put_back(ll_recorder *recorder, ll_block *block) {
    recorder->taken -= block->rows;
    block->next = recorder->oldest;
    recorder->oldest = block;
    if (!recorder->newest) recorder->newest = block;
}

static PyObject *recorder_take(PyObject *self, PyObject *most) {
    ll_recorder *recorder = (ll_recorder *)self;
    const long long wanted = PyLong_AsLongLong(most);
    if (wanted == -1 && PyErr_Occurred()) return NULL;
    PyObject *list = PyList_New(0);
    if (!list) return NULL;
    ll_block *block;
    uint64_t rows = 0;
    while ((long long)rows < wanted && (block = unqueue(recorder))) {
        const uint64_t more = block->rows;
        PyObject *object = ll_taken(recorder, block);
        if (!object) {
            put_back(recorder, block);
            break;
        }
        const int code = PyList_Append(list, object);
        Py_DECREF(object);
        if (code < 0) break;
        rows += more;
    }
    /* Without memory for more, what there is. */
    if (PyErr_Occurred() && PyList_Size(list)) PyErr_Clear();
    if (PyErr_Occurred()) Py_CLEAR(list);
    return list;
}

static PyObject *recorder_release(PyObject *self, PyObject *taken) {
    return ll_release((ll_recorder *)self, taken);
}

static PyObject *recorder_wait(PyObject *self, PyObject *seconds) {
    double limit = PyFloat_AsDouble(seconds);
    if (limit == -1 && PyErr_Occurred()) return NULL;
    limit = limit > LONGEST_WAIT_S ? LONGEST_WAIT_S : limit > 0 ? limit : 0;
    ll_bell *bell = &((ll_recorder *)self)->bell;
    bool rung;
    Py_BEGIN_ALLOW_THREADS;
    rung = ll_bell_wait(bell, limit);
    Py_END_ALLOW_THREADS;
    return PyBool_FromLong(rung);
}

static PyObject *recorder_wake(PyObject *self, PyObject *Py_UNUSED(none)) {
    ll_bell *bell = &((ll_recorder *)self)->bell;
    Py_BEGIN_ALLOW_THREADS;
    ll_bell_ring(bell);
    Py_END_ALLOW_THREADS;
    Py_RETURN_NONE;
}

static PyObject *recorder_close(PyObject *self, PyObject *Py_UNUSED(none)) {
    ((ll_recorder *)self)->closed = true;
    Py_RETURN_NONE;
}

/* In a forked child: rows, counts and locks are the parent's. Fields stay known. */
static PyObject *recorder_forget(PyObject *self, PyObject *Py_UNUSED(none)) {
    ll_recorder *recorder = (ll_recorder *)self;
    ll_bell_init(&recorder->bell);
    ll_block *sealed = recorder->oldest, *open = recorder->open;
    recorder->oldest = recorder->newest = recorder->open = NULL;
    recorder->generation++;
    recorder->bytes = recorder->held_rows = recorder->accepted = recorder->taken = 0;
    memset(recorder->dropped, 0, sizeof recorder->dropped);
    memset(recorder->extra_counts, 0, sizeof recorder->extra_counts);
    for (int32_t i = 0; i < recorder->count; i++)
        memset(recorder->fields[i].counts, 0, sizeof recorder->fields[i].counts);
    recorder->started = false;
    free_blocks(sealed);
    free_blocks(open);
    Py_RETURN_NONE;
}

/* ---- what it knows --------------------------------------------------------------------------- */

static PyObject *recorder_counters(PyObject *self, PyObject *Py_UNUSED(none)) {
    const ll_recorder *recorder = (const ll_recorder *)self;
    PyObject *dropped = PyDict_New();
    for (int i = 0; dropped && i < LL_DROPS; i++) {
        PyObject *count = PyLong_FromUnsignedLongLong(recorder->dropped[i]);
        if (!count || PyDict_SetItemString(dropped, drops[i], count) < 0) Py_CLEAR(dropped);
        Py_XDECREF(count);
    }
    if (!dropped) return NULL;
    typedef unsigned long long number;
    return Py_BuildValue(
        "{sKsKsKsKsKsN}", "accepted", (number)recorder->accepted, "taken", (number)recorder->taken,
        "waiting", (number)(recorder->accepted - recorder->taken), "held",
        (number)recorder->held_rows, "bytes", (number)recorder->bytes, "dropped", dropped);
}

static PyObject *recorder_extra(PyObject *self, PyObject *Py_UNUSED(none)) {
    const ll_recorder *recorder = (const ll_recorder *)self;
    PyObject *found = PyDict_New();
    for (int32_t i = 0; found && i < LL_EXTRA_SLOTS; i++) {
        if (!recorder->extra_counts[i]) continue;
        PyObject *count = PyLong_FromUnsignedLongLong(recorder->extra_counts[i]);
        PyObject *name = i == LL_EXTRA_NAMES ? PyUnicode_FromString("other")
                                             : PyUnicode_FromObject(recorder->extra_names[i]);
        if (!count || !name || PyDict_SetItem(found, name, count) < 0) Py_CLEAR(found);
        Py_XDECREF(count);
        Py_XDECREF(name);
    }
    return found;
}

static PyObject *recorder_checks(PyObject *self, PyObject *table) {
    return ll_checks_install((ll_recorder *)self, table);
}

static PyObject *recorder_violations(PyObject *self, PyObject *Py_UNUSED(none)) {
    return ll_violations((ll_recorder *)self);
}

static PyObject *get_fields(PyObject *self, void *Py_UNUSED(none)) {
    const ll_recorder *recorder = (const ll_recorder *)self;
    const int32_t count = recorder->count;
    PyObject *names = PyTuple_New(count);
    for (int32_t i = 0; names && i < count; i++) {
        Py_INCREF(recorder->fields[i].name);
        PyTuple_SetItem(names, i, recorder->fields[i].name);
    }
    return names;
}

static PyObject *get_classes(PyObject *self, void *Py_UNUSED(none)) {
    const ll_recorder *recorder = (const ll_recorder *)self;
    PyObject *found = PyDict_New();
    for (int32_t i = 0; found && i < recorder->count; i++) {
        PyObject *class = PyUnicode_FromString(classes[recorder->classes[i]]);
        if (!class || PyDict_SetItem(found, recorder->fields[i].name, class) < 0) Py_CLEAR(found);
        Py_XDECREF(class);
    }
    return found;
}

static PyObject *get_on_start(PyObject *self, void *Py_UNUSED(none)) {
    PyObject *callable = ((ll_recorder *)self)->on_start;
    if (!callable) Py_RETURN_NONE;
    Py_INCREF(callable);
    return callable;
}

static int set_on_start(PyObject *self, PyObject *callable, void *Py_UNUSED(none)) {
    ll_recorder *recorder = (ll_recorder *)self;
    PyObject *old = recorder->on_start;
    Py_XINCREF(callable);
    recorder->on_start = callable;
    if (callable == Py_None) Py_CLEAR(recorder->on_start);
    Py_XDECREF(old);
    return 0;
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyMethodDef recorder_methods[] = {
    {"log", recorder_log, METH_O, "log($self, row, /)\n--\n\nCapture one row."},
    {"plan", recorder_plan, METH_VARARGS,
     "plan($self, fields, how='any', /)\n--\n\nHow rows with these fields in order are read."},
    {"add_batch", recorder_add_batch, METH_VARARGS,
     "add_batch($self, data, rows, bytes, epoch, /)\n--\n\nQueue a batch captured elsewhere."},
    {"seal", recorder_seal, METH_NOARGS, "seal($self, /)\n--\n\nQueue the rows logged so far."},
    {"take", recorder_take, METH_O,
     "take($self, rows, /)\n--\n\nSealed blocks and batches in order."},
    {"release", recorder_release, METH_O,
     "release($self, taken, /)\n--\n\nWhat was taken counts against the bounds no longer."},
    {"wait", recorder_wait, METH_O,
     "wait($self, seconds, /)\n--\n\nUntil half a bound is reached."},
    {"wake", recorder_wake, METH_NOARGS, "wake($self, /)\n--\n\nEnd the wait."},
    {"counters", recorder_counters, METH_NOARGS,
     "counters($self, /)\n--\n\nRows and bytes, exactly."},
    {"extra", recorder_extra, METH_NOARGS,
     "extra($self, /)\n--\n\nKeys that are no fields, counted."},
    {"checks", recorder_checks, METH_O,
     "checks($self, table, /)\n--\n\nWhat rows are checked for."},
    {"violations", recorder_violations, METH_NOARGS,
     "violations($self, /)\n--\n\nCounts by field and reason."},
    {"forget", recorder_forget, METH_NOARGS,
     "forget($self, /)\n--\n\nBegin anew in a forked child."},
    {"close", recorder_close, METH_NOARGS, "close($self, /)\n--\n\nRows logged later are dropped."},
    {NULL, NULL, 0, NULL},
};
static PyGetSetDef recorder_getters[] = {
    {"fields", get_fields, NULL, "Names of the fields, in order.", NULL},
    {"classes", get_classes, NULL, "What each field holds.", NULL},
    {"on_start", get_on_start, set_on_start, "Called when the first row is there.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};
static PyType_Slot recorder_slots[] = {
    {Py_tp_doc, "Captures rows and keeps them, within bounds, until they are taken."},
    {Py_tp_new, recorder_new},
    {Py_tp_dealloc, recorder_dealloc},
    {Py_tp_traverse, recorder_traverse},
    {Py_tp_clear, recorder_clear},
    {Py_tp_methods, recorder_methods},
    {Py_tp_getset, recorder_getters},
    {0, NULL},
};
PyType_Spec ll_recorder_spec = {.name = "leadline._capture.Recorder",
                                .basicsize = sizeof(ll_recorder),
                                .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
                                .slots = recorder_slots};
