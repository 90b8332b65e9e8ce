/* The whole C surface that Python sees (bindings/native.cdef.h repeats it for cffi).
 *
 * Rules for every function: the caller owns all memory; nothing is allocated, printed or kept;
 * no Python object is touched, so the interpreter lock is free while a kernel runs. Functions
 * that can refuse return LL_OK or a positive error code, and then say so in their comment.
 */
#ifndef LEADLINE_H
#define LEADLINE_H

#include <stdint.h>

/* ---- error codes ------------------------------------------------------------------------- */

#define LL_OK             0
#define LL_ERROR_ARGUMENT 1 /* a type, storage or size the kernel does not know */
#define LL_ERROR_RANGE    2 /* a row, code or offset outside its array */
#define LL_ERROR_SUPPORT  3 /* an instruction set this CPU or build does not have */

/* One English phrase for a code, a static string. */
const char *ll_error_text(int code);

/* ---- instruction sets ---------------------------------------------------------------------- */

#define LL_SET_SERIAL 0
#define LL_SET_AVX2   1
#define LL_SET_AVX512 2
#define LL_SET_COUNT  3

/* 1 if this build has the variant and this CPU (and its operating system) can run it, else 0. */
int ll_set_available(int set);
/* The set in use: at load the best available one. */
int ll_set_active(void);
/* Use this set from the next call on, in all threads. LL_ERROR_SUPPORT if it is not available. */
int ll_set_force(int set);

#endif
