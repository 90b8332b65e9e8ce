/* What every C file shares: inlining, target regions, aliasing-safe loads, small bit helpers.
 *
 * One portable body per family is force-inlined into one wrapper per instruction set; only the
 * wrapper carries a target attribute. The baseline flags of the build stay untouched, so nothing
 * outside such a wrapper can contain an instruction the CPU may lack.
 */
#ifndef LEADLINE_COMMON_H
#define LEADLINE_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if !defined(__GNUC__)
#error "Leadline's kernels need GCC or Clang (vector extensions, target attributes)"
#endif

#define LL_INLINE      static inline __attribute__((always_inline))
#define LL_NOINLINE    __attribute__((noinline))
#define LL_HIDDEN      __attribute__((visibility("hidden")))
#define LL_LIKELY(x)   __builtin_expect(!!(x), 1)
#define LL_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* FMA is left out of both targets on purpose: contraction is off, and so it cannot slip in. */
#if defined(__x86_64__)
#define LL_X86         1
#define LL_TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,lzcnt,popcnt")))
#define LL_TARGET_AVX512                                                                           \
    __attribute__((target("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt,"     \
                          "prefer-vector-width=512")))
#else
#define LL_X86 0
#endif

/* MACRO(isa, number, target) once for each variant of this build; a table of variants by number. */
#if LL_X86
#define LL_FOR_EACH_VARIANT(MACRO)                                                                 \
    MACRO(serial, LL_SET_SERIAL, )                                                                 \
    MACRO(avx2, LL_SET_AVX2, LL_TARGET_AVX2)                                                       \
    MACRO(avx512, LL_SET_AVX512, LL_TARGET_AVX512)
#define LL_VARIANTS(name) {name##_serial, name##_avx2, name##_avx512}
#else
#define LL_FOR_EACH_VARIANT(MACRO) MACRO(serial, LL_SET_SERIAL, )
#define LL_VARIANTS(name)          {name##_serial}
#endif

LL_INLINE double ll_double_of_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

LL_INLINE uint64_t ll_bits_of_double(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* condition ? a : b without a branch: GCC would otherwise move the computing of a or b into one, if
 * it has a floating-point operation that may trap, and then cannot make vector code of the loop. */
LL_INLINE uint64_t ll_select(bool condition, uint64_t a, uint64_t b) {
    uint64_t mask = 0 - (uint64_t)condition;
    return (a & mask) | (b & ~mask);
}

/* One line of memory that will be read later, into the second-level cache, at every 32nd value of a
 * pass: four passes over values of 8 bytes load as many as they read. Loaded by one of them only,
 * or by none, lines come too late: 2.25 and 2.7 ns a value of a full profile instead of 2.0. */
LL_INLINE void ll_fetch(const uint8_t *ahead, size_t i) {
    if (i % 32 == 0) __builtin_prefetch(ahead + 2 * i, 0, 2);
}

LL_INLINE int64_t ll_smaller(int64_t a, int64_t b) {
    return a < b ? a : b;
}

/* ---- unsigned numbers of any width ----------------------------------------------------------- */

LL_INLINE bool ll_width_known(int width) {
    return width == 1 || width == 2 || width == 4 || width == 8;
}

/* Element i of unsigned numbers of 1, 2, 4 or 8 bytes each, at any address. */
LL_INLINE uint64_t ll_element(const uint8_t *values, int width, int64_t i) {
    uint64_t wide = 0;
    uint32_t half = 0;
    uint16_t quarter = 0;
    switch (width) {
    case 1:
        return values[i];
    case 2:
        memcpy(&quarter, values + 2 * i, sizeof quarter);
        return quarter;
    case 4:
        memcpy(&half, values + 4 * i, sizeof half);
        return half;
    default:
        memcpy(&wide, values + 8 * i, sizeof wide);
        return wide;
    }
}

#endif
