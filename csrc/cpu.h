/* What the processor, and the operating system's saving of its registers, can run. */
#ifndef LEADLINE_CPU_H
#define LEADLINE_CPU_H

#include "common.h"

/* True if every instruction that LL_TARGET_AVX2 / LL_TARGET_AVX512 may emit can run here. */
LL_HIDDEN bool ll_cpu_has_avx2(void);
LL_HIDDEN bool ll_cpu_has_avx512(void);

#endif
