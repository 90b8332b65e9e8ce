/* Rows of a running service, captured at the call: the extension module `leadline._capture`.
 *
 * A row goes through one C call into the open block of its recorder: a row-major copy of its
 * values, of 8 bytes and a tag each, texts in the block's own bytes. A block holds rows of one
 * epoch; full, or when the next epoch begins, it is sealed and waits in a queue bounded in rows and
 * bytes. The thread that summarises takes sealed blocks and turns them into Arrow columns without
 * the GIL.
 *
 * The GIL is the only lock of rows. It covers what lies between reading the write position and
 * committing the row, because no Python code can run there: what might run some (conversions of
 * foreign types, attributes, exceptions, whose allocation can start the garbage collector) is done
 * before, on memory of the call. So captures may nest in signal handlers, `__del__`, `__float__`.
 */
#ifndef LEADLINE_CAPTURE_H
#define LEADLINE_CAPTURE_H

#include <Python.h>

#ifdef Py_GIL_DISABLED
#error "leadline._capture relies on the GIL; a free-threaded Python cannot use it yet"
#endif

#include <pthread.h>
#include <stdlib.h>

#include "../common.h"

#pragma GCC visibility push(hidden)

/* ---- values ---------------------------------------------------------------------------------- */

/* What a stored value is; up to LL_NULL it is none. A refused one is counted by why it was, and is
 * no null that somebody logged. */
enum { LL_ABSENT, LL_REFUSED, LL_NULL, LL_BOOL, LL_INT, LL_DOUBLE, LL_TEXT, LL_TIME };

/* What a field holds: set beforehand, or by its first value. */
enum { LL_ANY_CLASS, LL_BOOL_CLASS, LL_NUMBER_CLASS, LL_TEXT_CLASS, LL_TIME_CLASS, LL_CLASSES };

/* Why a value is counted; the names are in checks.c. */
enum {
    LL_MISSING,
    LL_NULL_VALUE,
    LL_MISTYPED,
    LL_OVERSIZED,
    LL_INEXACT,
    LL_BELOW,
    LL_ABOVE,
    LL_UNSEEN,
    LL_REASONS,
    LL_NO_REASON = LL_REASONS
};

/* Why a row is not accepted; the names are in recorder.c. */
enum { LL_ROWS_BOUND, LL_BYTES_BOUND, LL_CLOSED, LL_ERROR, LL_DROPS };

/* What the capture of a row comes to, besides a reason to drop it (0 and up). */
enum {
    LL_DONE = -1,
    LL_RAISED = -2,
    LL_OTHER_KEYS = -3, /* not of this shape */
    LL_NOT_PLAIN = -4,  /* a value of another type */
    LL_STALE = -5       /* the same, and Python code may have run: the block is no longer known */
};

typedef struct ll_known ll_known;

typedef struct ll_check {
    double least, most;
    ll_known *known; /* or NULL: any value */
    bool active, no_nulls;
} ll_check;

typedef struct ll_field {
    PyObject *name; /* exact text, interned */
    bool declared;  /* given beforehand: strict recorders want it in every row */
    bool optional;  /* its absence is not counted */
    bool wide;      /* has held a double: its columns stay doubles */
    uint64_t counts[LL_REASONS];
} ll_field;

/* ---- keys of rows ---------------------------------------------------------------------------- */

/* Keys in the order of a dict, and where their values go: a row with these keys in this order, or
 * some of them, is read without a look-up. */
typedef struct ll_shape {
    Py_ssize_t count; /* 0: none learned */
    PyObject **keys;  /* exact texts */
    int32_t *places;  /* number of the field, or -1 - number of the extra key */
    int32_t fields;   /* of the recorder when it was learned */
    bool extras;      /* whether some are no fields */
} ll_shape;

enum { LL_SHAPES = 4, LL_EXTRA_NAMES = 100, LL_EXTRA_SLOTS = LL_EXTRA_NAMES + 1 };

typedef struct ll_binding {
    ll_shape shapes[LL_SHAPES];
    unsigned recent;
    int32_t *places; /* of a plan: its fields in order; NULL: every field, and new ones */
    Py_ssize_t count;
    bool *member; /* of a plan, by number of the field */
    int32_t members;
} ll_binding;

/* ---- blocks ---------------------------------------------------------------------------------- */

/* Rows of one epoch: `fields` values of 8 bytes, then as many tags, padded to a multiple of 8.
 * Or a batch that was captured elsewhere. */
typedef struct ll_block {
    struct ll_block *next;
    PyObject *batch; /* or NULL */
    int64_t epoch, begin, end;
    uint64_t rows, capacity, most;
    uint64_t bytes; /* counted against the bound */
    int32_t fields;
    size_t stride;
    uint8_t *data;
    char *text;
    size_t text_used, text_capacity, text_most;
} ll_block;

/* Wakes the thread that summarises. */
typedef struct ll_bell {
    pthread_mutex_t lock;
    pthread_cond_t rung;
    bool ringing;
} ll_bell;

/* ---- objects --------------------------------------------------------------------------------- */

/* A type whose conversion runs C code only and allocates nothing that the garbage collector sees.
 */
typedef struct ll_trusted {
    PyTypeObject *type;
    bool is_float;
} ll_trusted;

enum { LL_TRUSTED = 12 };

/* Attributes that are asked for often. */
enum { LL_TZINFO, LL_DAYS, LL_SECONDS, LL_MICROSECONDS, LL_NDIM, LL_ATTRIBUTES };

typedef struct ll_state {
    PyTypeObject *recorder, *plan, *block, *batch, *memory;
    PyObject *input_error;
    PyObject *attributes[LL_ATTRIBUTES];
    PyObject *datetime, *date, *epoch_naive, *epoch_aware;
    ll_trusted trusted[LL_TRUSTED]; /* scalars of NumPy, as they are first met */
    int trusts;
    PyObject *types;  /* type -> how its values are converted */
    PyObject *binder; /* (recorder, type) -> plan or None */
} ll_state;

typedef struct ll_recorder {
    PyObject_HEAD ll_state *state;
    ll_field *fields;
    uint8_t *classes;
    ll_check *checks; /* one a possible field, or NULL: none */
    PyObject *index;  /* name -> number of the field */
    int32_t count, room, most_fields;
    PyObject *extra_index; /* name -> number of the extra key */
    PyObject *extra_names[LL_EXTRA_SLOTS];
    uint64_t extra_counts[LL_EXTRA_SLOTS];
    int32_t extras;
    ll_binding binding;
    PyObject *plans; /* type -> plan or None */

    ll_block *open, *oldest, *newest;
    int64_t step;
    uint64_t most_rows, most_bytes;
    uint64_t held_rows; /* accepted and not released */
    uint64_t bytes;
    uint64_t accepted, taken, dropped[LL_DROPS];
    uint64_t likely_rows;
    size_t likely_text;
    size_t text_limit;
    uint64_t generation; /* which process: a forked child begins a new one */
    bool closed, started, start_again, strict;
    PyObject *on_start;
    ll_bell bell;
} ll_recorder;

/* One value on its way into a row. */
typedef struct ll_entry {
    PyObject *key;      /* owned, may be NULL */
    PyObject *value;    /* owned: the object, then what keeps `text` */
    PyTypeObject *type; /* owned, only where a strict recorder will name it */
    int32_t place;
    uint8_t tag, reason;
    uint32_t size;
    uint64_t bits;
    const char *text;
} ll_entry;

/* ---- fields.c -------------------------------------------------------------------------------- */

/* Number of the field of an exact text; -1 if there is none. Runs no Python code. */
int32_t ll_field_find(ll_recorder *recorder, PyObject *name);
/* A new field of an exact text; -1 if there is no room. Runs no Python code. */
int32_t ll_field_add(ll_recorder *recorder, PyObject *name, bool declared);
/* The name that a key is captured under, or NULL (without an exception) if it cannot be a field's:
 * then `*called` is how it is counted, which may be NULL too. Both new references. */
PyObject *ll_field_name(PyObject *key, PyObject **called);
/* Number of the extra key of this name; the last one is for all others. */
int32_t ll_extra_slot(ll_recorder *recorder, PyObject *called);
void ll_fields_free(ll_recorder *recorder);

/* ---- shapes.c -------------------------------------------------------------------------------- */

/* Keep the keys of a row, all of which are exact texts, for the rows to come. */
void ll_binding_learn(ll_binding *binding, const ll_recorder *recorder, const ll_entry *entries,
                      Py_ssize_t count);
void ll_binding_free(ll_binding *binding);

/* ---- values.c -------------------------------------------------------------------------------- */

/* Turn the object of an entry into its value; LL_DONE or LL_RAISED. May run any Python code. */
int ll_convert(ll_recorder *recorder, ll_entry *entry);

/* ---- checks.c -------------------------------------------------------------------------------- */

extern const char *const ll_reasons[LL_REASONS];

/* Count what a stored row violates. */
void ll_check_row(ll_recorder *recorder, const uint64_t *values, const uint8_t *tags,
                  const char *text);
PyObject *ll_checks_install(ll_recorder *recorder, PyObject *table);
PyObject *ll_violations(ll_recorder *recorder);
void ll_checks_free(ll_check *checks, int32_t count);

/* ---- capture.c ------------------------------------------------------------------------------- */

/* Each captures one row; LL_DONE, LL_RAISED, or why the row is dropped. */
int ll_capture_dict(ll_recorder *recorder, ll_binding *binding, PyObject *row);
int ll_capture_sequence(ll_recorder *recorder, const ll_binding *binding, PyObject *row);
int ll_capture_attributes(ll_recorder *recorder, const ll_binding *binding, PyObject *row);

/* ---- blocks.c -------------------------------------------------------------------------------- */

/* A block of this moment's epoch with room for one more row, or NULL and why not. */
ll_block *ll_block_open(ll_recorder *recorder, int *drop);
/* Room for more text in a block; false if there is none. */
bool ll_block_text(ll_recorder *recorder, ll_block *block, size_t size);
void ll_block_seal(ll_recorder *recorder);
void ll_block_queue(ll_recorder *recorder, ll_block *block);
void ll_block_free(ll_block *block);

void ll_bell_init(ll_bell *bell);
void ll_bell_try(ll_bell *bell);
void ll_bell_ring(ll_bell *bell);
bool ll_bell_wait(ll_bell *bell, double seconds);

/* ---- columns.c ------------------------------------------------------------------------------- */

/* What `take` hands out, for a block that has left the queue; NULL with an exception. */
PyObject *ll_taken(ll_recorder *recorder, ll_block *block);
PyObject *ll_release(ll_recorder *recorder, PyObject *taken);

extern PyType_Spec ll_block_spec, ll_batch_spec, ll_memory_spec, ll_plan_spec, ll_recorder_spec;

/* ---- plan.c ---------------------------------------------------------------------------------- */

/* Capture a row of any type by the plan that its type has; as `ll_capture_dict`. */
int ll_capture_object(ll_recorder *recorder, PyObject *row);
PyObject *ll_plan_new(ll_recorder *recorder, PyObject *fields, const char *how);
/* Close the account of a captured row: counts, strict errors, the first row's callback. */
PyObject *ll_logged(ll_recorder *recorder, int outcome);

#pragma GCC visibility pop

#endif
