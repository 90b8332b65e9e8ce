/* Taken blocks -> Arrow columns, without the GIL: rows become columns in tiles of 64 rows, which is
 * a word of the validity bits and lies in the first-level cache.
 *
 * All columns of a block share one piece of memory, whose parts are handed out as buffers. It takes
 * the place of the rows, whose bytes stay reserved until the block is released.
 */
#include "capture.h"

#include <structmember.h>

/* Arrow wants buffers on 64 bytes, and padded. */
#define ALIGNMENT 64
#define TILE      64

/* ---- memory that is handed out --------------------------------------------------------------- */

typedef struct memory {
    PyObject_HEAD PyObject *owner; /* whose part this is, or NULL: its own */
    void *raw;
    char *start;
    Py_ssize_t size;
} memory;

static void memory_dealloc(PyObject *self) {
    memory *own = (memory *)self;
    PyTypeObject *type = Py_TYPE(self);
    free(own->raw);
    Py_XDECREF(own->owner);
    PyObject_Free(self);
    Py_DECREF((PyObject *)type);
}

static int memory_buffer(PyObject *self, Py_buffer *view, int flags) {
    memory *own = (memory *)self;
    return PyBuffer_FillInfo(view, self, own->start, own->size, 1, flags);
}

static PyType_Slot memory_slots[] = {
    {Py_tp_doc, "Memory of a column; read it through the buffer protocol."},
    {Py_tp_dealloc, memory_dealloc},
    {Py_bf_getbuffer, memory_buffer},
    {0, NULL},
};
PyType_Spec ll_memory_spec = {.name = "leadline._capture.Memory",
                              .basicsize = sizeof(memory),
                              .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
                              .slots = memory_slots};

static PyObject *memory_new(const ll_state *state, PyObject *owner, void *raw, char *start,
                            size_t size) {
    memory *made = PyObject_New(memory, state->memory);
    if (!made) return NULL;
    Py_XINCREF(owner);
    made->owner = owner;
    made->raw = raw;
    made->start = start;
    made->size = (Py_ssize_t)size;
    return (PyObject *)made;
}

/* ---- rows to columns ------------------------------------------------------------------------- */

enum { NULL_COLUMN, BOOL_COLUMN, INT64_COLUMN, DOUBLE_COLUMN, TEXT_COLUMN, TIME_COLUMN };

static const char *const column_types[] = {"null", "bool", "int64", "double", "text", "time"};

typedef struct column {
    uint8_t class, type;
    bool wide;
    uint32_t mask; /* of tags seen */
    uint64_t nulls, text, inexact;
    size_t validity, values, data; /* where in the memory */
    size_t values_size;
    int32_t end; /* of the texts so far */
} column;

static const uint8_t *tags_of(const ll_block *block, uint64_t row) {
    return block->data + row * block->stride + 8 * (size_t)block->fields;
}

static uint64_t value_of(const ll_block *block, uint64_t row, int32_t field) {
    uint64_t value;
    memcpy(&value, block->data + row * block->stride + 8 * (size_t)field, sizeof value);
    return value;
}

static void survey(const ll_block *block, column *columns) {
    for (uint64_t row = 0; row < block->rows; row++) {
        const uint8_t *tags = tags_of(block, row);
        for (int32_t i = 0; i < block->fields; i++) {
            columns[i].mask |= 1u << tags[i];
            columns[i].nulls += tags[i] <= LL_NULL;
            if (tags[i] == LL_TEXT) columns[i].text += (uint32_t)value_of(block, row, i);
        }
    }
}

/* Once a double, a column stays one, so that its type only ever widens. A field that has held
 * nothing yet is of no type. */
static void choose_type(column *to) {
    static const uint8_t types[LL_CLASSES] = {
        [LL_ANY_CLASS] = NULL_COLUMN,     [LL_BOOL_CLASS] = BOOL_COLUMN,
        [LL_NUMBER_CLASS] = INT64_COLUMN, [LL_TEXT_CLASS] = TEXT_COLUMN,
        [LL_TIME_CLASS] = TIME_COLUMN,
    };
    if (to->mask & 1u << LL_DOUBLE) to->wide = true;
    to->type = to->wide && to->class == LL_NUMBER_CLASS ? DOUBLE_COLUMN : types[to->class];
}

static size_t padded(size_t size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

/* Where everything lies; the size of all. */
static size_t lay_out(const ll_block *block, column *columns) {
    const size_t rows = (size_t)block->rows, bits = (rows + TILE - 1) / TILE * 8;
    size_t end = 0;
    for (int32_t i = 0; i < block->fields; i++) {
        column *to = &columns[i];
        to->validity = end;
        if (to->nulls && to->type != NULL_COLUMN) end += padded(bits);
        to->values = end;
        to->values_size = to->type == NULL_COLUMN   ? 0
                          : to->type == BOOL_COLUMN ? bits
                          : to->type == TEXT_COLUMN ? 4 * (rows + 1)
                                                    : 8 * rows;
        end += padded(to->values_size);
        to->data = end;
        if (to->type == TEXT_COLUMN) end += padded((size_t)to->text);
    }
    return end;
}

static uint64_t bits_where(const ll_block *block, uint64_t first, uint64_t count, int32_t field,
                           bool value) {
    uint64_t bits = 0;
    for (uint64_t i = 0; i < count; i++)
        bits |= (uint64_t)(value ? value_of(block, first + i, field) != 0
                                 : tags_of(block, first + i)[field] > LL_NULL)
                << i;
    return bits;
}

static void fill_doubles(const ll_block *block, uint64_t first, uint64_t count, int32_t field,
                         column *to, char *out) {
    uint64_t inexact = 0;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t value = value_of(block, first + i, field);
        const int64_t whole = (int64_t)value;
        const double nearest = (double)whole;
        const bool is_int = tags_of(block, first + i)[field] == LL_INT;
        const uint64_t bits = ll_select(is_int, ll_bits_of_double(nearest), value);
        /* 2^63 itself is no int64; only integers near it round to it. */
        inexact += is_int && (nearest >= 0x1p63 || (int64_t)nearest != whole);
        memcpy(out + 8 * i, &bits, sizeof bits);
    }
    to->inexact += inexact;
}

static void fill_texts(const ll_block *block, uint64_t first, uint64_t count, int32_t field,
                       column *to, char *memory_start) {
    char *ends = memory_start + to->values + 4 * first;
    char *texts = memory_start + to->data;
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t value = value_of(block, first + i, field);
        const uint32_t size = (uint32_t)value;
        if (size) memcpy(texts + to->end, block->text + (value >> 32), size);
        to->end += (int32_t)size;
        memcpy(ends + 4 * (i + 1), &to->end, sizeof to->end);
    }
}

static void fill_tile(const ll_block *block, uint64_t first, uint64_t count, int32_t field,
                      column *to, char *start) {
    if (to->type == NULL_COLUMN) return;
    uint64_t bits;
    if (to->nulls) {
        bits = bits_where(block, first, count, field, false);
        memcpy(start + to->validity + first / 8, &bits, sizeof bits);
    }
    char *values = start + to->values + 8 * first;
    switch (to->type) {
    case BOOL_COLUMN:
        bits = bits_where(block, first, count, field, true);
        memcpy(start + to->values + first / 8, &bits, sizeof bits);
        break;
    case DOUBLE_COLUMN:
        if (to->mask & 1u << LL_INT) {
            fill_doubles(block, first, count, field, to, values);
            break;
        }
        __attribute__((fallthrough)); /* bits as they are */
    case INT64_COLUMN:
    case TIME_COLUMN:
        for (uint64_t i = 0; i < count; i++) {
            const uint64_t value = value_of(block, first + i, field);
            memcpy(values + 8 * i, &value, sizeof value);
        }
        break;
    default:
        fill_texts(block, first, count, field, to, start);
    }
}

/* Without the GIL: nobody else sees a block that was taken. NULL if there is no memory. */
static void *transpose(const ll_block *block, column *columns, char **start) {
    survey(block, columns);
    for (int32_t i = 0; i < block->fields; i++)
        choose_type(&columns[i]);
    const size_t size = lay_out(block, columns);
    void *raw = malloc(size + ALIGNMENT);
    if (!raw) return NULL;
    *start = (char *)raw + (ALIGNMENT - (uintptr_t)raw % ALIGNMENT) % ALIGNMENT;
    for (int32_t i = 0; i < block->fields; i++)
        if (columns[i].type == TEXT_COLUMN) memset(*start + columns[i].values, 0, 4);
    for (uint64_t first = 0; first < block->rows; first += TILE) {
        const uint64_t left = block->rows - first;
        for (int32_t i = 0; i < block->fields; i++)
            fill_tile(block, first, left < TILE ? left : TILE, i, &columns[i], *start);
    }
    return raw;
}

/* ---- blocks as Python sees them -------------------------------------------------------------- */

typedef struct taken {
    PyObject_HEAD ll_recorder *recorder; /* NULL when the garbage collector has been here */
    ll_block *block;                     /* NULL: columns were made of it */
    PyObject *columns, *batch;
    int64_t epoch;
    uint64_t rows, bytes, generation;
    bool held, busy;
} taken;

PyObject *ll_taken(ll_recorder *recorder, ll_block *block) {
    const ll_state *state = recorder->state;
    taken *made = PyObject_GC_New(taken, block->batch ? state->batch : state->block);
    if (!made) return NULL;
    Py_INCREF((PyObject *)recorder);
    made->recorder = recorder;
    made->columns = NULL;
    made->batch = block->batch;
    made->epoch = block->epoch;
    made->rows = block->rows;
    made->bytes = block->bytes;
    made->generation = recorder->generation;
    made->held = true;
    made->busy = false;
    made->block = block;
    if (block->batch) {
        made->block = NULL;
        ll_block_free(block);
    }
    PyObject_GC_Track(made);
    return (PyObject *)made;
}

static void let_go(taken *self) {
    if (!self->held) return;
    self->held = false;
    ll_recorder *recorder = self->recorder;
    if (recorder && self->generation == recorder->generation) {
        recorder->held_rows -= self->rows;
        recorder->bytes -= self->bytes;
    }
}

PyObject *ll_release(ll_recorder *recorder, PyObject *object) {
    const ll_state *state = recorder->state;
    taken *self = (taken *)object;
    if ((Py_TYPE(object) != state->block && Py_TYPE(object) != state->batch) ||
        self->recorder != recorder) {
        PyErr_SetString(state->input_error, "only what this recorder's take gave can be released");
        return NULL;
    }
    if (self->busy) {
        PyErr_SetString(state->input_error, "the block's columns are being made");
        return NULL;
    }
    let_go(self);
    ll_block *block = self->block;
    self->block = NULL;
    if (block) ll_block_free(block);
    Py_CLEAR(self->columns);
    Py_CLEAR(self->batch);
    Py_RETURN_NONE;
}

static int taken_traverse(PyObject *object, visitproc visit, void *arg) {
    taken *self = (taken *)object;
    Py_VISIT((PyObject *)Py_TYPE(object));
    Py_VISIT((PyObject *)self->recorder);
    Py_VISIT(self->columns);
    Py_VISIT(self->batch);
    return 0;
}

static int taken_clear(PyObject *object) {
    taken *self = (taken *)object;
    let_go(self);
    Py_CLEAR(self->recorder);
    Py_CLEAR(self->columns);
    Py_CLEAR(self->batch);
    return 0;
}

static void taken_dealloc(PyObject *object) {
    taken *self = (taken *)object;
    PyTypeObject *type = Py_TYPE(object);
    PyObject_GC_UnTrack(object);
    taken_clear(object);
    if (self->block) ll_block_free(self->block);
    PyObject_GC_Del(object);
    Py_DECREF((PyObject *)type);
}

/* A part of the memory, or None. */
static PyObject *part(const ll_state *state, PyObject *owner, size_t begin, size_t size, bool any) {
    if (!any) Py_RETURN_NONE;
    return memory_new(state, owner, NULL, ((memory *)owner)->start + begin, size);
}

static PyObject *describe(const taken *self, PyObject *owner, const column *from, int32_t field) {
    const ll_state *state = self->recorder->state;
    const size_t bits = (size_t)(self->rows + TILE - 1) / TILE * 8;
    const bool typed = from->type != NULL_COLUMN;
    PyObject *validity = part(state, owner, from->validity, bits, from->nulls && typed);
    PyObject *values = part(state, owner, from->values, from->values_size, typed);
    PyObject *data = part(state, owner, from->data, (size_t)from->text, from->type == TEXT_COLUMN);
    PyObject *made = NULL;
    if (validity && values && data)
        made = Py_BuildValue("OsKOOO", self->recorder->fields[field].name, column_types[from->type],
                             (unsigned long long)from->nulls, validity, values, data);
    Py_XDECREF(validity);
    Py_XDECREF(values);
    Py_XDECREF(data);
    return made;
}

static PyObject *list_columns(taken *self, PyObject *owner, const column *columns, int32_t count) {
    PyObject *list = PyList_New(0);
    for (int32_t i = 0; list && i < count; i++) {
        PyObject *described = describe(self, owner, &columns[i], i);
        if (!described || PyList_Append(list, described) < 0) Py_CLEAR(list);
        Py_XDECREF(described);
    }
    return list;
}

/* What was learned of the fields while their columns were made. */
static void note_fields(ll_recorder *recorder, const column *columns, int32_t count) {
    for (int32_t i = 0; i < count; i++) {
        recorder->fields[i].wide = recorder->fields[i].wide || columns[i].wide;
        recorder->fields[i].counts[LL_INEXACT] += columns[i].inexact;
    }
}

static PyObject *make_columns(taken *self) {
    ll_recorder *recorder = self->recorder;
    ll_block *block = self->block;
    const int32_t count = block->fields;
    column *columns = calloc((size_t)count + 1, sizeof *columns);
    if (!columns) return PyErr_NoMemory();
    for (int32_t i = 0; i < count; i++) {
        columns[i].class = recorder->classes[i];
        columns[i].wide = recorder->fields[i].wide;
    }
    char *start = NULL;
    void *raw;
    self->busy = true;
    Py_BEGIN_ALLOW_THREADS;
    raw = transpose(block, columns, &start);
    Py_END_ALLOW_THREADS;
    self->busy = false;
    PyObject *list = NULL, *owner = NULL;
    if (!raw)
        PyErr_NoMemory();
    else if (!(owner = memory_new(recorder->state, NULL, raw, start, 0)))
        free(raw);
    else
        list = list_columns(self, owner, columns, count);
    Py_XDECREF(owner);
    if (list) {
        note_fields(recorder, columns, count);
        self->block = NULL;
        ll_block_free(block);
    }
    free(columns);
    return list;
}

static PyObject *block_columns(PyObject *object, PyObject *Py_UNUSED(none)) {
    taken *self = (taken *)object;
    if (!self->columns) {
        if (!self->block || !self->recorder || self->busy)
            return PyErr_Format(PyExc_RuntimeError, self->busy
                                                        ? "another thread makes these columns"
                                                        : "the block was released");
        self->columns = make_columns(self);
    }
    Py_XINCREF(self->columns);
    return self->columns;
}

static PyObject *taken_repr(PyObject *object) {
    const taken *self = (const taken *)object;
    return PyUnicode_FromFormat("<%s of %llu rows in epoch %lld>", self->batch ? "Batch" : "Block",
                                (unsigned long long)self->rows, (long long)self->epoch);
}

static PyMethodDef block_methods[] = {
    {"columns", block_columns, METH_NOARGS,
     "columns($self, /)\n--\n\nThe columns as (field, type, nulls, validity, values, data)."},
    {NULL, NULL, 0, NULL},
};
static PyMemberDef block_members[] = {
    {"epoch", T_LONGLONG, offsetof(taken, epoch), READONLY, "Number of whole steps since 1970."},
    {"rows", T_ULONGLONG, offsetof(taken, rows), READONLY, "Number of rows."},
    {"nbytes", T_ULONGLONG, offsetof(taken, bytes), READONLY, "Bytes held against the bound."},
    {NULL, 0, 0, 0, NULL},
};
static PyMemberDef batch_members[] = {
    {"epoch", T_LONGLONG, offsetof(taken, epoch), READONLY, "Number of whole steps since 1970."},
    {"rows", T_ULONGLONG, offsetof(taken, rows), READONLY, "Number of rows."},
    {"nbytes", T_ULONGLONG, offsetof(taken, bytes), READONLY, "Bytes held against the bound."},
    {"data", T_OBJECT, offsetof(taken, batch), READONLY, "What was added; None once released."},
    {NULL, 0, 0, 0, NULL},
};
static PyType_Slot block_slots[] = {
    {Py_tp_doc, "Rows of one epoch, taken from a recorder."},
    {Py_tp_dealloc, taken_dealloc},
    {Py_tp_traverse, taken_traverse},
    {Py_tp_clear, taken_clear},
    {Py_tp_repr, taken_repr},
    {Py_tp_methods, block_methods},
    {Py_tp_members, block_members},
    {0, NULL},
};
static PyType_Slot batch_slots[] = {
    {Py_tp_doc, "A batch of rows that was captured elsewhere, taken from a recorder."},
    {Py_tp_dealloc, taken_dealloc},
    {Py_tp_traverse, taken_traverse},
    {Py_tp_clear, taken_clear},
    {Py_tp_repr, taken_repr},
    {Py_tp_members, batch_members},
    {0, NULL},
};
#define TAKEN_FLAGS (Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION)
PyType_Spec ll_block_spec = {.name = "leadline._capture.Block",
                             .basicsize = sizeof(taken),
                             .flags = TAKEN_FLAGS,
                             .slots = block_slots};
PyType_Spec ll_batch_spec = {.name = "leadline._capture.Batch",
                             .basicsize = sizeof(taken),
                             .flags = TAKEN_FLAGS,
                             .slots = batch_slots};
