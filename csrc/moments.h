/* Moments of tiles, and their combination in a fixed tree; see moments.c. */
#ifndef LEADLINE_MOMENTS_H
#define LEADLINE_MOMENTS_H

#include "dispatch.h"

#define LL_MOMENTS_TILE 1024
/* A block of 2^63 values has 2^53 tiles: one subtree of each height up to 53, and one on top. */
#define LL_MOMENTS_LEVELS 56

/* Tiles are combined like the digits of a binary counter: two subtrees of one height become one.
 * What is left at the end is combined from the right, which carries odd ones up unchanged. Starts
 * with height and tiles at 0, and is so again after ll_moments_finish. */
typedef struct ll_moments_tree {
    int height;
    int64_t tiles;
    ll_moments stack[LL_MOMENTS_LEVELS];
} ll_moments_tree;

LL_HIDDEN void ll_moments_push(ll_moments_tree *tree, const ll_moments *tile, int storage);
LL_HIDDEN void ll_moments_finish(ll_moments_tree *tree, int storage, ll_moments *result);

/* a becomes the moments of both sides' values. */
LL_HIDDEN void ll_moments_merge(ll_moments *a, const ll_moments *b, int storage);

#endif
