/* One table of function pointers per instruction set; one pointer says which table is in use.
 *
 * A family with variants declares its function types here, gets its members in ll_kernels, and
 * offers ll_<family>_install(), which fills them for one set. A family without a faster variant
 * needs no entry: its public function is the kernel.
 */
#ifndef LEADLINE_DISPATCH_H
#define LEADLINE_DISPATCH_H

#include "common.h"
#include "leadline.h"

typedef struct ll_kernels {
    int set;
} ll_kernels;

/* The table in use. Cheap: one relaxed atomic load. */
LL_HIDDEN const ll_kernels *ll_kernels_active(void);

#endif
