/* One row -> the open block.
 *
 * The fast path reads values of the four plain types straight into the block; nothing it calls can
 * run Python code, so the row that it writes is committed or abandoned as one. Whatever is not
 * plain (foreign types, a field's first value, keys that nobody has seen) goes the other way: all
 * objects are gathered, then converted, which may run anything, then written in one stretch.
 */
#include "capture.h"

/* Keys beyond the fields whose names are looked at in one row; more are only counted. */
#define UNKNOWN_KEYS 1000
/* Keys that are no fields which a row of a known shape may have. */
#define EXTRAS 32
/* Entries of a row that lie on the stack: 56 bytes each. */
#define STACK_ENTRIES 32

/* ---- the fast path --------------------------------------------------------------------------- */

typedef struct row {
    ll_block *block;
    uint64_t *values;
    uint8_t *tags;
    size_t text_before;
} row;

static bool open_row(ll_recorder *recorder, row *to, int *drop) {
    ll_block *block = ll_block_open(recorder, drop);
    if (!block) return false;
    uint8_t *start = block->data + block->rows * block->stride;
    memset(start, 0, block->stride);
    *to = (row){.block = block,
                .values = (uint64_t *)(void *)start,
                .tags = start + 8 * (size_t)block->fields,
                .text_before = block->text_used};
    return true;
}

/* The row is complete: count what it violates and make it one of the block's. */
static void commit(ll_recorder *recorder, const row *from) {
    if (recorder->checks) ll_check_row(recorder, from->values, from->tags, from->block->text);
    from->block->rows++;
    recorder->held_rows++;
    recorder->accepted++;
}

static void abandon(const row *from) {
    from->block->text_used = from->text_before;
}

static bool put_bytes(ll_recorder *recorder, const row *to, int32_t place, const char *text,
                      size_t size) {
    ll_block *block = to->block;
    if (LL_UNLIKELY(!ll_block_text(recorder, block, size))) return false;
    if (size) memcpy(block->text + block->text_used, text, size);
    to->tags[place] = LL_TEXT;
    to->values[place] = (uint64_t)block->text_used << 32 | size;
    block->text_used += size;
    return true;
}

static int put_text(ll_recorder *recorder, const row *to, int32_t place, PyObject *value) {
    Py_ssize_t size;
    if ((size_t)PyUnicode_GetLength(value) > recorder->text_limit) return LL_NOT_PLAIN;
    const char *text = PyUnicode_AsUTF8AndSize(value, &size);
    if (LL_UNLIKELY(!text)) {
        PyErr_Clear();
        return LL_STALE;
    }
    if (LL_UNLIKELY((size_t)size > recorder->text_limit)) return LL_NOT_PLAIN;
    return put_bytes(recorder, to, place, text, (size_t)size) ? LL_DONE : LL_BYTES_BOUND;
}

/* A number of NumPy or of a subclass of float, whose value is read as a float's own. */
static LL_NOINLINE int put_trusted(const ll_recorder *recorder, const row *to, int32_t place,
                                   PyObject *value) {
    PyTypeObject *type = Py_TYPE(value);
    const ll_state *state = recorder->state;
    int i = 0;
    while (i < state->trusts && state->trusted[i].type != type)
        i++;
    const bool known = i < state->trusts;
    if (known && !state->trusted[i].is_float) {
        PyObject *integer = PyNumber_Index(value);
        int overflow = 1;
        if (integer) to->values[place] = (uint64_t)PyLong_AsLongLongAndOverflow(integer, &overflow);
        Py_XDECREF(integer);
        to->tags[place] = LL_INT;
        if (integer) return overflow ? LL_NOT_PLAIN : LL_DONE;
        PyErr_Clear();
        return LL_STALE;
    }
    if (!known && !PyType_IsSubtype(type, &PyFloat_Type)) return LL_NOT_PLAIN;
    const double number = PyFloat_AsDouble(value);
    if (LL_UNLIKELY(number == -1 && PyErr_Occurred())) {
        PyErr_Clear();
        return LL_STALE;
    }
    to->values[place] = ll_bits_of_double(number);
    to->tags[place] = LL_DOUBLE;
    return LL_DONE;
}

/* One plain value; LL_DONE, LL_NOT_PLAIN, LL_STALE, or why the row is dropped. */
LL_INLINE int put_plain(ll_recorder *recorder, const row *to, int32_t place, PyObject *value) {
    const PyTypeObject *type = Py_TYPE(value);
    const uint8_t class = recorder->classes[place];
    if (type == &PyFloat_Type) {
        if (LL_UNLIKELY(class != LL_NUMBER_CLASS)) return LL_NOT_PLAIN;
        to->values[place] = ll_bits_of_double(PyFloat_AsDouble(value));
        to->tags[place] = LL_DOUBLE;
        return LL_DONE;
    }
    if (type == &PyUnicode_Type)
        return class == LL_TEXT_CLASS ? put_text(recorder, to, place, value) : LL_NOT_PLAIN;
    if (type == &PyLong_Type) {
        int overflow;
        if (LL_UNLIKELY(class != LL_NUMBER_CLASS)) return LL_NOT_PLAIN;
        to->values[place] = (uint64_t)PyLong_AsLongLongAndOverflow(value, &overflow);
        to->tags[place] = LL_INT;
        return LL_LIKELY(!overflow) ? LL_DONE : LL_NOT_PLAIN;
    }
    if (value == Py_None) {
        to->tags[place] = LL_NULL;
        return LL_DONE;
    }
    if (type == &PyBool_Type && (class == LL_BOOL_CLASS || class == LL_NUMBER_CLASS)) {
        to->values[place] = value == Py_True;
        to->tags[place] = class == LL_BOOL_CLASS ? LL_BOOL : LL_INT;
        return LL_DONE;
    }
    return class == LL_NUMBER_CLASS ? put_trusted(recorder, to, place, value) : LL_NOT_PLAIN;
}

/* The same text? Dicts of a literal have the very same keys; those of parsed JSON equal ones. */
LL_INLINE bool same_key(PyObject *key, PyObject *known) {
    if (LL_LIKELY(key == known)) return true;
    return Py_TYPE(key) == &PyUnicode_Type && PyUnicode_Compare(key, known) == 0;
}

/* Where a key stands in a shape, from `*next` on; -1 if nowhere. The keys before it are lacking. */
LL_INLINE Py_ssize_t find_key(const ll_shape *shape, PyObject *key, Py_ssize_t *next) {
    for (Py_ssize_t i = *next; i < shape->count; i++)
        if (LL_LIKELY(same_key(key, shape->keys[i]))) {
            *next = i + 1;
            return i;
        }
    return -1;
}

static Py_ssize_t fields_of(const ll_recorder *recorder, const ll_binding *binding) {
    return binding->places ? binding->count : recorder->count;
}

static int32_t field_at(const ll_binding *binding, Py_ssize_t i) {
    return binding->places ? binding->places[i] : (int32_t)i;
}

static void count_missing(ll_recorder *recorder, const ll_binding *binding, const row *from) {
    const Py_ssize_t fields = fields_of(recorder, binding);
    for (Py_ssize_t i = 0; i < fields; i++) {
        const int32_t place = field_at(binding, i);
        ll_field *field = &recorder->fields[place];
        field->counts[LL_MISSING] += from->tags[place] == LL_ABSENT && !field->optional;
    }
}

static int capture_shape(ll_recorder *recorder, const ll_binding *binding, const ll_shape *shape,
                         PyObject *dict) {
    row to;
    int outcome = LL_DONE;
    if (!open_row(recorder, &to, &outcome)) return outcome;
    uint8_t extras[EXTRAS];
    PyObject *key, *value;
    Py_ssize_t position = 0, next = 0, present = 0, extra = 0;
    while (outcome == LL_DONE && PyDict_Next(dict, &position, &key, &value)) {
        const Py_ssize_t i = find_key(shape, key, &next);
        if (LL_UNLIKELY(i < 0 || extra == EXTRAS)) {
            outcome = LL_OTHER_KEYS;
        } else if (LL_LIKELY(shape->places[i] >= 0)) {
            outcome = put_plain(recorder, &to, shape->places[i], value);
            present++;
        } else {
            extras[extra++] = (uint8_t)(-1 - shape->places[i]);
        }
    }
    const bool lacking = present < fields_of(recorder, binding);
    if (LL_UNLIKELY(lacking && recorder->strict && outcome == LL_DONE)) outcome = LL_OTHER_KEYS;
    if (LL_UNLIKELY(outcome != LL_DONE)) {
        if (outcome != LL_STALE) abandon(&to);
        return outcome;
    }
    if (LL_UNLIKELY(lacking)) count_missing(recorder, binding, &to);
    while (extra)
        recorder->extra_counts[extras[--extra]]++;
    commit(recorder, &to);
    return LL_DONE;
}

/* ---- the other path: convert, then write ----------------------------------------------------- */

static void let_go(ll_entry *entries, Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        Py_XDECREF(entries[i].key);
        Py_XDECREF(entries[i].value);
        Py_XDECREF((PyObject *)entries[i].type);
    }
}

/* The value as its field's class stores it; an entry that the class refuses becomes null. */
static void settle(ll_entry *entry, uint8_t class) {
    static const uint8_t natural[] = {[LL_BOOL] = LL_BOOL_CLASS,
                                      [LL_INT] = LL_NUMBER_CLASS,
                                      [LL_DOUBLE] = LL_NUMBER_CLASS,
                                      [LL_TEXT] = LL_TEXT_CLASS,
                                      [LL_TIME] = LL_TIME_CLASS};
    if (entry->tag <= LL_NULL || class == LL_ANY_CLASS || class == natural[entry->tag]) return;
    if (entry->tag == LL_BOOL && class == LL_NUMBER_CLASS) {
        entry->tag = LL_INT;
        return;
    }
    const uint64_t one = ll_bits_of_double(1.0);
    if (class == LL_BOOL_CLASS &&
        ((entry->tag == LL_INT && entry->bits <= 1) ||
         (entry->tag == LL_DOUBLE && (entry->bits << 1 == 0 || entry->bits == one)))) {
        entry->bits = entry->bits == 1 || entry->bits == one;
        entry->tag = LL_BOOL;
        return;
    }
    entry->tag = LL_NULL;
    entry->reason = LL_MISTYPED;
    entry->bits = 0;
}

static void refuse_value(const ll_recorder *recorder, const ll_entry *entry) {
    static const char *const held[] = {"numbers, texts, true or false, or times", "true or false",
                                       "numbers", "texts", "times"};
    static const char *const advice[LL_REASONS] = {
        [LL_OVERSIZED] = "is too large to keep; shorten it, or raise the limit",
        [LL_INEXACT] = "cannot be kept exactly; log a number that a double holds, or valid text",
        [LL_MISTYPED] = "is none of them; convert it before it is logged",
    };
    PyObject *type = PyType_GetName(entry->type);
    if (!type) return;
    PyErr_Format(recorder->state->input_error, "field %R holds %s, and a value of type '%U' %s",
                 recorder->fields[entry->place].name, held[recorder->classes[entry->place]], type,
                 advice[entry->reason]);
    Py_DECREF(type);
}

/* For strict recorders: whether the row is as it should be; else the exception is set. */
static bool is_strictly_right(ll_recorder *recorder, const ll_entry *entries, Py_ssize_t count,
                              Py_ssize_t skipped, const row *to) {
    PyObject *refuse = recorder->state->input_error;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (entries[i].place >= 0 && entries[i].reason != LL_NO_REASON) {
            refuse_value(recorder, &entries[i]);
            return false;
        }
        if (entries[i].place < 0) {
            PyErr_Format(refuse,
                         "key %R is no field and no more may be added; log one of the "
                         "fields, or allow more",
                         entries[i].key);
            return false;
        }
    }
    if (skipped) {
        PyErr_Format(refuse, "%zd keys are no fields; log fewer", skipped);
        return false;
    }
    for (int32_t i = 0; i < to->block->fields; i++)
        if (recorder->fields[i].declared && !recorder->fields[i].optional &&
            to->tags[i] == LL_ABSENT) {
            PyErr_Format(refuse, "field %R is missing; log it, as None if it has no value",
                         recorder->fields[i].name);
            return false;
        }
    return true;
}

static bool write_entries(ll_recorder *recorder, const row *to, ll_entry *entries,
                          Py_ssize_t count) {
    for (Py_ssize_t i = 0; i < count; i++) {
        ll_entry *entry = &entries[i];
        if (entry->place < 0) continue;
        settle(entry, recorder->classes[entry->place]);
        if (entry->tag == LL_TEXT) {
            if (!put_bytes(recorder, to, entry->place, entry->text, entry->size)) return false;
            continue;
        }
        const bool refused = entry->tag == LL_NULL && entry->reason != LL_NO_REASON;
        to->tags[entry->place] = refused ? LL_REFUSED : entry->tag;
        to->values[entry->place] = entry->tag <= LL_NULL ? 0 : entry->bits;
    }
    return true;
}

static void set_class(uint8_t *class, uint8_t tag) {
    static const uint8_t first[] = {[LL_BOOL] = LL_BOOL_CLASS,
                                    [LL_INT] = LL_NUMBER_CLASS,
                                    [LL_DOUBLE] = LL_NUMBER_CLASS,
                                    [LL_TEXT] = LL_TEXT_CLASS,
                                    [LL_TIME] = LL_TIME_CLASS};
    if (*class == LL_ANY_CLASS && tag > LL_NULL) *class = first[tag];
}

/* Counts of a row about to be committed. */
static void count_entries(ll_recorder *recorder, const ll_binding *binding, const row *to,
                          const ll_entry *entries, Py_ssize_t count, Py_ssize_t skipped) {
    for (Py_ssize_t i = 0; i < count; i++) {
        const ll_entry *entry = &entries[i];
        if (entry->place < 0) {
            recorder->extra_counts[-1 - entry->place]++;
            continue;
        }
        set_class(&recorder->classes[entry->place], entry->tag);
        if (entry->reason != LL_NO_REASON) recorder->fields[entry->place].counts[entry->reason]++;
    }
    recorder->extra_counts[LL_EXTRA_NAMES] += (uint64_t)skipped;
    count_missing(recorder, binding, to);
}

/* Convert what was gathered and write the row. */
static int finish(ll_recorder *recorder, const ll_binding *binding, ll_entry *entries,
                  Py_ssize_t count, Py_ssize_t skipped) {
    const uint64_t generation = recorder->generation;
    for (Py_ssize_t i = 0; i < count; i++)
        if (entries[i].place >= 0 && ll_convert(recorder, &entries[i]) == LL_RAISED)
            return LL_RAISED;
    /* A value forked the process: the row is the parent's. */
    if (generation != recorder->generation) return LL_ERROR;
    /* From here on nothing runs Python code, until the row is committed or refused. */
    row to;
    int drop;
    if (!open_row(recorder, &to, &drop)) return drop;
    if (!write_entries(recorder, &to, entries, count)) {
        abandon(&to);
        return LL_BYTES_BOUND;
    }
    /* The exception may run Python code: what it finds in the block is as before, but for texts
     * of this row that nothing refers to. */
    if (recorder->strict && !is_strictly_right(recorder, entries, count, skipped, &to))
        return LL_RAISED;
    count_entries(recorder, binding, &to, entries, count, skipped);
    commit(recorder, &to);
    return LL_DONE;
}

/* ---- gathering ------------------------------------------------------------------------------- */

static bool is_bound(const ll_binding *binding, int32_t place) {
    return !binding->places || (place < binding->members && binding->member[place]);
}

/* The field of a key; -1 if there is none yet, or it is not of the plan. */
static int32_t place_of(ll_recorder *recorder, const ll_binding *binding, PyObject *key) {
    if (Py_TYPE(key) != &PyUnicode_Type) return -1;
    const int32_t place = ll_field_find(recorder, key);
    return place >= 0 && is_bound(binding, place) ? place : -1;
}

/* What a dict holds, in its order; of a known shape or none. Runs no Python code, so that the dict
 * and the shape stay as they are. */
static Py_ssize_t gather_dict(ll_recorder *recorder, const ll_binding *binding,
                              const ll_shape *shape, PyObject *dict, ll_entry *entries,
                              Py_ssize_t room, Py_ssize_t *skipped) {
    PyObject *key, *value;
    Py_ssize_t position = 0, count = 0, unknown = 0, next = 0;
    while (PyDict_Next(dict, &position, &key, &value)) {
        const Py_ssize_t i = shape ? find_key(shape, key, &next) : -1;
        const int32_t place = i >= 0 ? shape->places[i] : place_of(recorder, binding, key);
        if (count == room || (place < 0 && ++unknown > UNKNOWN_KEYS)) {
            ++*skipped;
            continue;
        }
        Py_INCREF(key);
        Py_INCREF(value);
        entries[count++] = (ll_entry){.key = key, .value = value, .place = place};
    }
    return count;
}

/* Keys that were not found: new fields where they may be, else extra ones. Whether all keys are
 * plain text, so that the shape can be learned. */
static bool admit(ll_recorder *recorder, const ll_binding *binding, ll_entry *entries,
                  Py_ssize_t count) {
    bool plain = true;
    for (Py_ssize_t i = 0; i < count; i++) {
        ll_entry *entry = &entries[i];
        plain = plain && Py_TYPE(entry->key) == &PyUnicode_Type;
        if (entry->place >= 0) continue;
        PyObject *called, *name = ll_field_name(entry->key, &called);
        int32_t place = -1;
        if (name) place = ll_field_find(recorder, name);
        if (name && place < 0 && !binding->places) place = ll_field_add(recorder, name, false);
        if (place >= 0 && !is_bound(binding, place)) place = -1;
        entry->place = place >= 0 ? place : -1 - ll_extra_slot(recorder, called);
        Py_XDECREF(name);
        Py_XDECREF(called);
    }
    return plain;
}

static int capture_gathered(ll_recorder *recorder, ll_binding *binding, const ll_shape *shape,
                            PyObject *dict, bool learn) {
    ll_entry few[STACK_ENTRIES], *entries = few;
    Py_ssize_t room = PyDict_Size(dict), skipped = 0;
    if (room > recorder->most_fields + UNKNOWN_KEYS) room = recorder->most_fields + UNKNOWN_KEYS;
    if (room > STACK_ENTRIES) {
        entries = malloc((size_t)room * sizeof *entries);
        if (!entries) return LL_BYTES_BOUND;
    }
    const Py_ssize_t count = gather_dict(recorder, binding, shape, dict, entries, room, &skipped);
    const bool plain = admit(recorder, binding, entries, count);
    const int outcome = finish(recorder, binding, entries, count, skipped);
    if (learn && outcome == LL_DONE && plain && !skipped)
        ll_binding_learn(binding, recorder, entries, count);
    let_go(entries, count);
    if (entries != few) free(entries);
    return outcome;
}

int ll_capture_dict(ll_recorder *recorder, ll_binding *binding, PyObject *dict) {
    const Py_ssize_t size = PyDict_Size(dict);
    for (unsigned i = 0; i < LL_SHAPES; i++) {
        const unsigned place = (binding->recent + i) % LL_SHAPES;
        const ll_shape *shape = &binding->shapes[place];
        if (!size || shape->count < size) continue;
        if (shape->extras && shape->fields != recorder->count) continue; /* it may be one by now */
        const int outcome = capture_shape(recorder, binding, shape, dict);
        if (LL_LIKELY(outcome == LL_DONE || outcome >= 0)) {
            binding->recent = place;
            return outcome;
        }
        if (outcome == LL_NOT_PLAIN) return capture_gathered(recorder, binding, shape, dict, false);
        if (outcome == LL_STALE) return capture_gathered(recorder, binding, NULL, dict, false);
    }
    return capture_gathered(recorder, binding, NULL, dict, true);
}

/* ---- tuples, lists, attributes --------------------------------------------------------------- */

/* Values in the order of the fields, given as owned entries. */
static int finish_entries(ll_recorder *recorder, const ll_binding *binding, ll_entry *entries,
                          Py_ssize_t count, int outcome) {
    if (outcome == LL_DONE) outcome = finish(recorder, binding, entries, count, 0);
    let_go(entries, count);
    free(entries);
    return outcome;
}

static int gather_sequence(ll_recorder *recorder, const ll_binding *binding, PyObject *sequence,
                           PyObject *(*item)(PyObject *, Py_ssize_t), Py_ssize_t count) {
    ll_entry *entries = malloc((size_t)(count ? count : 1) * sizeof *entries);
    if (!entries) return LL_BYTES_BOUND;
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *value = item(sequence, i);
        Py_INCREF(value);
        entries[i] = (ll_entry){.value = value, .place = field_at(binding, i)};
    }
    return finish_entries(recorder, binding, entries, count, LL_DONE);
}

int ll_capture_sequence(ll_recorder *recorder, const ll_binding *binding, PyObject *sequence) {
    const bool tuple = PyTuple_Check(sequence);
    PyObject *(*const item)(PyObject *, Py_ssize_t) = tuple ? PyTuple_GetItem : PyList_GetItem;
    const Py_ssize_t count = tuple ? PyTuple_Size(sequence) : PyList_Size(sequence);
    const Py_ssize_t wanted = fields_of(recorder, binding);
    if (count != wanted) {
        if (recorder->strict)
            PyErr_Format(recorder->state->input_error,
                         "a row of %zd values does not fit %zd fields; log one value a field",
                         count, wanted);
        return recorder->strict ? LL_RAISED : LL_ERROR;
    }
    row to;
    int outcome = LL_DONE;
    if (!open_row(recorder, &to, &outcome)) return outcome;
    for (Py_ssize_t i = 0; i < count && outcome == LL_DONE; i++)
        outcome = put_plain(recorder, &to, field_at(binding, i), item(sequence, i));
    if (LL_LIKELY(outcome == LL_DONE)) {
        commit(recorder, &to);
        return LL_DONE;
    }
    if (outcome != LL_STALE) abandon(&to);
    if (outcome != LL_NOT_PLAIN && outcome != LL_STALE) return outcome;
    return gather_sequence(recorder, binding, sequence, item, count);
}

int ll_capture_attributes(ll_recorder *recorder, const ll_binding *binding, PyObject *object) {
    const Py_ssize_t wanted = fields_of(recorder, binding);
    ll_entry *entries = malloc((size_t)(wanted ? wanted : 1) * sizeof *entries);
    if (!entries) return LL_BYTES_BOUND;
    Py_ssize_t count = 0;
    int outcome = LL_DONE;
    for (Py_ssize_t i = 0; i < wanted && outcome == LL_DONE; i++) {
        const int32_t place = field_at(binding, i);
        PyObject *value = PyObject_GetAttr(object, recorder->fields[place].name);
        if (value)
            entries[count++] = (ll_entry){.value = value, .place = place};
        else if (PyErr_ExceptionMatches(PyExc_Exception))
            PyErr_Clear();
        else
            outcome = LL_RAISED;
    }
    if (outcome == LL_DONE && wanted && !count) outcome = LL_ERROR; /* no row of these fields */
    return finish_entries(recorder, binding, entries, count, outcome);
}
