/* Filled once at load, before Python can call anything; forced later only by swapping a pointer. */
#include "dispatch.h"
#include "cpu.h"

#include <stdatomic.h>

static ll_kernels tables[LL_SET_COUNT];
static bool available[LL_SET_COUNT];
static _Atomic(const ll_kernels *) active = &tables[LL_SET_SERIAL];

static void install(int set) {
    ll_kernels *kernels = &tables[set];
    kernels->set = set;
    ll_gather_install(kernels);
    ll_moments_install(kernels);
    ll_histogram_install(kernels);
    ll_distinct_install(kernels);
    ll_quantiles_install(kernels);
    ll_keys_install(kernels);
    available[set] = true;
    atomic_store(&active, kernels);
}

__attribute__((constructor)) static void fill_tables(void) {
    install(LL_SET_SERIAL);
    if (ll_cpu_has_avx2()) install(LL_SET_AVX2);
    if (ll_cpu_has_avx512()) install(LL_SET_AVX512);
}

const ll_kernels *ll_kernels_active(void) {
    return atomic_load_explicit(&active, memory_order_relaxed);
}

int ll_set_available(int set) {
    return set >= 0 && set < LL_SET_COUNT && available[set];
}

int ll_set_active(void) {
    return ll_kernels_active()->set;
}

int ll_set_force(int set) {
    if (!ll_set_available(set)) return LL_ERROR_SUPPORT;
    atomic_store(&active, &tables[set]);
    return LL_OK;
}

const char *ll_error_text(int code) {
    switch (code) {
    case LL_OK:
        return "no error";
    case LL_ERROR_ARGUMENT:
        return "a type, storage or size that the kernel does not know";
    case LL_ERROR_RANGE:
        return "a row number, code or offset that points outside its array (are the data damaged?)";
    case LL_ERROR_SUPPORT:
        return "an instruction set that this CPU or build does not have";
    default:
        return "unknown error code";
    }
}
