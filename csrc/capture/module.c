/* The extension module `leadline._capture`: its types and what they share. */
#include "capture.h"

static int add_type(PyObject *module, PyType_Spec *spec, PyTypeObject **type) {
    *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
    return *type ? PyModule_AddType(module, *type) : -1;
}

/* The moment times are counted from, with and without a zone. */
static bool find_times(ll_state *state) {
    PyObject *datetime = PyImport_ImportModule("datetime");
    if (!datetime) return false;
    state->datetime = PyObject_GetAttrString(datetime, "datetime");
    state->date = PyObject_GetAttrString(datetime, "date");
    PyObject *zone = PyObject_GetAttrString(datetime, "timezone");
    PyObject *utc = zone ? PyObject_GetAttrString(zone, "utc") : NULL;
    if (state->datetime && state->date && utc) {
        state->epoch_naive = PyObject_CallFunction(state->datetime, "iii", 1970, 1, 1);
        state->epoch_aware =
            PyObject_CallFunction(state->datetime, "iiiiiiiO", 1970, 1, 1, 0, 0, 0, 0, utc);
    }
    Py_XDECREF(utc);
    Py_XDECREF(zone);
    Py_DECREF(datetime);
    return state->epoch_naive && state->epoch_aware;
}

static bool name_attributes(ll_state *state) {
    static const char *const names[LL_ATTRIBUTES] = {"tzinfo", "days", "seconds", "microseconds",
                                                     "ndim"};
    for (int i = 0; i < LL_ATTRIBUTES; i++)
        if (!(state->attributes[i] = PyUnicode_InternFromString(names[i]))) return false;
    return true;
}

static int module_exec(PyObject *module) {
    ll_state *state = PyModule_GetState(module);
    PyObject *errors = PyImport_ImportModule("leadline.errors");
    if (!errors) return -1;
    state->input_error = PyObject_GetAttrString(errors, "InputError");
    Py_DECREF(errors);
    state->types = PyDict_New();
    if (!state->input_error || !state->types || !find_times(state)) return -1;
    if (!name_attributes(state)) return -1;
    if (add_type(module, &ll_recorder_spec, &state->recorder) < 0) return -1;
    if (add_type(module, &ll_plan_spec, &state->plan) < 0) return -1;
    if (add_type(module, &ll_block_spec, &state->block) < 0) return -1;
    if (add_type(module, &ll_batch_spec, &state->batch) < 0) return -1;
    return add_type(module, &ll_memory_spec, &state->memory);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
    ll_state *state = PyModule_GetState(module);
    Py_VISIT((PyObject *)state->recorder);
    Py_VISIT((PyObject *)state->plan);
    Py_VISIT((PyObject *)state->block);
    Py_VISIT((PyObject *)state->batch);
    Py_VISIT((PyObject *)state->memory);
    Py_VISIT(state->input_error);
    Py_VISIT(state->datetime);
    Py_VISIT(state->date);
    Py_VISIT(state->epoch_naive);
    Py_VISIT(state->epoch_aware);
    Py_VISIT(state->types);
    Py_VISIT(state->binder);
    return 0;
}

/* Recorders may outlive their module while the interpreter ends: what they read of the state goes
 * with its memory, and only what can be part of a cycle goes before. */
static int module_clear(PyObject *module) {
    ll_state *state = PyModule_GetState(module);
    if (state->types) PyDict_Clear(state->types);
    Py_CLEAR(state->binder);
    return 0;
}

static void module_free(void *module) {
    ll_state *state = PyModule_GetState(module);
    module_clear(module);
    Py_CLEAR(state->types);
    Py_CLEAR(state->recorder);
    Py_CLEAR(state->plan);
    Py_CLEAR(state->block);
    Py_CLEAR(state->batch);
    Py_CLEAR(state->memory);
    Py_CLEAR(state->input_error);
    Py_CLEAR(state->datetime);
    Py_CLEAR(state->date);
    Py_CLEAR(state->epoch_naive);
    Py_CLEAR(state->epoch_aware);
    for (int i = 0; i < LL_ATTRIBUTES; i++)
        Py_CLEAR(state->attributes[i]);
}

static PyObject *set_binder(PyObject *module, PyObject *callable) {
    ll_state *state = PyModule_GetState(module);
    PyObject *old = state->binder;
    Py_INCREF(callable);
    state->binder = callable;
    Py_XDECREF(old);
    Py_RETURN_NONE;
}

static PyMethodDef module_methods[] = {
    {"binder", set_binder, METH_O,
     "binder($module, ask, /)\n--\n\nWho is asked for the plan of a type: (recorder, type) -> "
     "Plan."},
    {NULL, NULL, 0, NULL},
};
static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "leadline._capture",
    .m_doc = "Rows of a running service, captured at the call.",
    .m_size = sizeof(ll_state),
    .m_methods = module_methods,
    .m_slots = module_slots,
    .m_traverse = module_traverse,
    .m_clear = module_clear,
    .m_free = module_free,
};

PyMODINIT_FUNC PyInit__capture(void);

PyMODINIT_FUNC PyInit__capture(void) {
    return PyModuleDef_Init(&definition);
}
