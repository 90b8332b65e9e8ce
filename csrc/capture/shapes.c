/* Shapes: the keys of rows in the order of their dicts, learned from the rows themselves.
 *
 * Dicts of one place in a program have the same keys in the same order, but for those that are left
 * out where there is no value. So a shape takes in every row whose keys stand in an order that
 * agrees with its own, and soon holds all keys that rows of the place may have. Without that, rows
 * with five optional keys each forgot the shapes of the others: 1.2 us a row in place of 0.25.
 */
#include "capture.h"

static void forget_shape(ll_shape *shape) {
    PyObject **keys = shape->keys;
    const Py_ssize_t count = shape->count;
    free(shape->places);
    memset(shape, 0, sizeof *shape);
    for (Py_ssize_t i = 0; i < count; i++)
        Py_DECREF(keys[i]);
    free(keys);
}

static bool make_room(ll_shape *shape, const ll_recorder *recorder, Py_ssize_t count) {
    *shape = (ll_shape){.fields = recorder->count};
    shape->keys = malloc(((size_t)count + 1) * sizeof *shape->keys);
    shape->places = malloc(((size_t)count + 1) * sizeof *shape->places);
    return shape->keys && shape->places;
}

static void add_key(ll_shape *shape, PyObject *key, int32_t place) {
    Py_INCREF(key);
    shape->keys[shape->count] = key;
    shape->places[shape->count++] = place;
    shape->extras = shape->extras || place < 0;
}

/* ---- merging --------------------------------------------------------------------------------- */

/* Fields and extra keys have a number each; the extra keys without a name share theirs. */
static size_t number_of(const ll_recorder *recorder, int32_t place) {
    return (size_t)(place >= 0 ? place : recorder->count - 1 - place);
}

static bool shares_number(int32_t place) {
    return place == -1 - LL_EXTRA_NAMES;
}

/* Where each number stands in a shape, from 1; 0: nowhere. NULL if some share theirs. */
static Py_ssize_t *positions_in(const ll_shape *shape, const ll_recorder *recorder) {
    const size_t numbers = (size_t)recorder->count + LL_EXTRA_SLOTS;
    Py_ssize_t *positions = calloc(numbers, sizeof *positions);
    for (Py_ssize_t i = 0; positions && i < shape->count; i++) {
        if (shares_number(shape->places[i])) {
            free(positions);
            return NULL;
        }
        positions[number_of(recorder, shape->places[i])] = i + 1;
    }
    return positions;
}

/* Whether the keys that both have stand in the same order, and are half of the row's or more. */
static bool agrees(const ll_recorder *recorder, const Py_ssize_t *positions,
                   const ll_entry *entries, Py_ssize_t count) {
    Py_ssize_t last = 0, common = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (shares_number(entries[i].place)) return false;
        const Py_ssize_t position = positions[number_of(recorder, entries[i].place)];
        if (!position) continue;
        if (position <= last) return false;
        last = position;
        common++;
    }
    return 2 * common >= count;
}

/* The shape with the row's other keys where the row has them. */
static bool merge(ll_shape *merged, const ll_shape *shape, const ll_recorder *recorder,
                  const Py_ssize_t *positions, const ll_entry *entries, Py_ssize_t count) {
    if (!make_room(merged, recorder, shape->count + count)) return false;
    Py_ssize_t next = 0;
    for (Py_ssize_t i = 0; i < count; i++) {
        const Py_ssize_t position = positions[number_of(recorder, entries[i].place)];
        if (!position) add_key(merged, entries[i].key, entries[i].place);
        for (; next < position; next++)
            add_key(merged, shape->keys[next], shape->places[next]);
    }
    for (; next < shape->count; next++)
        add_key(merged, shape->keys[next], shape->places[next]);
    return true;
}

static bool take_in(ll_shape *shape, const ll_recorder *recorder, const ll_entry *entries,
                    Py_ssize_t count) {
    if (!shape->count || (shape->extras && shape->fields != recorder->count)) return false;
    Py_ssize_t *positions = positions_in(shape, recorder);
    if (!positions) return false;
    ll_shape merged = {.count = 0};
    const bool made = agrees(recorder, positions, entries, count) &&
                      merge(&merged, shape, recorder, positions, entries, count);
    free(positions);
    if (made) {
        ll_shape old = *shape;
        *shape = merged;
        merged = old;
    }
    forget_shape(&merged);
    return made;
}

/* ---- learning -------------------------------------------------------------------------------- */

void ll_binding_learn(ll_binding *binding, const ll_recorder *recorder, const ll_entry *entries,
                      Py_ssize_t count) {
    for (unsigned i = 0; i < LL_SHAPES; i++)
        if (take_in(&binding->shapes[i], recorder, entries, count)) {
            binding->recent = i;
            return;
        }
    ll_shape learned;
    if (make_room(&learned, recorder, count)) {
        for (Py_ssize_t i = 0; i < count; i++)
            add_key(&learned, entries[i].key, entries[i].place);
        binding->recent = (binding->recent + 1) % LL_SHAPES;
        ll_shape old = binding->shapes[binding->recent];
        binding->shapes[binding->recent] = learned;
        learned = old;
    }
    forget_shape(&learned);
}

void ll_binding_free(ll_binding *binding) {
    for (int i = 0; i < LL_SHAPES; i++)
        forget_shape(&binding->shapes[i]);
    free(binding->places);
    free(binding->member);
    binding->places = NULL;
    binding->member = NULL;
}
