/* Thrift's compact protocol, as far as Parquet's headers and footers use it. */
#ifndef LEADLINE_PARQUET_THRIFT_H
#define LEADLINE_PARQUET_THRIFT_H

#include "parquet.h"

enum {
    LL_THRIFT_STOP,
    LL_THRIFT_TRUE,
    LL_THRIFT_FALSE,
    LL_THRIFT_BYTE,
    LL_THRIFT_INT16,
    LL_THRIFT_INT32,
    LL_THRIFT_INT64,
    LL_THRIFT_DOUBLE,
    LL_THRIFT_BINARY,
    LL_THRIFT_LIST,
    LL_THRIFT_SET,
    LL_THRIFT_MAP,
    LL_THRIFT_STRUCT
};

/* What became of something that was to be read: it is there, its bytes end early, or it is none. */
typedef enum ll_thrift_outcome {
    LL_THRIFT_WHOLE,
    LL_THRIFT_CUT,
    LL_THRIFT_WRONG
} ll_thrift_outcome;

/* A field of a struct: its number and its type; STOP after the last one. */
typedef struct ll_thrift_field {
    int64_t number;
    int type;
} ll_thrift_field;

/* The field after the last one. */
LL_HIDDEN ll_thrift_outcome ll_thrift_next(ll_bytes *bytes, ll_thrift_field *last);
LL_HIDDEN ll_thrift_outcome ll_thrift_skip(ll_bytes *bytes, int type);
LL_HIDDEN ll_thrift_outcome ll_thrift_int32(ll_bytes *bytes, int type, int32_t *value);
LL_HIDDEN ll_thrift_outcome ll_thrift_int64(ll_bytes *bytes, int type, int64_t *value);
/* The head of a list whose items are of a type. */
LL_HIDDEN ll_thrift_outcome ll_thrift_list(ll_bytes *bytes, int type, int item, uint64_t *count);

#endif
