/* CPUID says what the core can do; XGETBV says which registers the operating system saves on a
 * context switch. Both must agree, or a wide register would be silently corrupted. Asked with our
 * own two instructions rather than __builtin_cpu_supports: the builtin's answer for the register
 * state differs between compiler versions. Manual: Intel SDM volume 1, sections 14.3 and 15.2-15.4.
 */
#include "cpu.h"

#if LL_X86

#include <cpuid.h>

/* Bits of XCR0: 1 = SSE, 2 = AVX, 5-7 = AVX-512 masks and upper halves. */
enum { XCR0_AVX = 0x06, XCR0_AVX512 = 0xe6 };

static uint64_t saved_registers(void) {
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE)) return 0;
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return ((uint64_t)high << 32) | low;
}

bool ll_cpu_has_avx2(void) {
    unsigned eax, ebx, ecx, edx;
    if ((saved_registers() & XCR0_AVX) != XCR0_AVX) return false;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_AVX) || !(ecx & bit_POPCNT))
        return false;
    if (!__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) || !(ecx & bit_LZCNT)) return false;
    const unsigned needed = bit_AVX2 | bit_BMI | bit_BMI2;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & needed) == needed;
}

bool ll_cpu_has_avx512(void) {
    unsigned eax, ebx, ecx, edx;
    if (!ll_cpu_has_avx2() || (saved_registers() & XCR0_AVX512) != XCR0_AVX512) return false;
    const unsigned needed = bit_AVX512F | bit_AVX512BW | bit_AVX512CD | bit_AVX512DQ | bit_AVX512VL;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) && (ebx & needed) == needed;
}

#else

bool ll_cpu_has_avx2(void) {
    return false;
}

bool ll_cpu_has_avx512(void) {
    return false;
}

#endif
