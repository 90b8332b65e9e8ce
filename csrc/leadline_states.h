/* States into the bytes of a snapshot's fields (docs/format.md, sections 4 and 5), and fields into
 * the body of an Arrow record batch. */
#ifndef LEADLINE_STATES_H
#define LEADLINE_STATES_H

/* ---- states: what ll_numbers_profile and the text kernels found, cell by cell ---------------- */

/* The binary fields of a cell of numbers or instants, in the order in which they are written:
 * values, counts, histogram, quantiles, distinct, calendar. */
#define LL_NUMBER_PARTS 6

/* Fields of cells that ll_numbers_profile left in `from`, from number `first` on until `count` are
 * done or there is no room for what the next one might need; *done becomes how many are. They lie
 * one after the other; sizes[LL_NUMBER_PARTS] a cell: of each field, 0 of what the cell lacks.
 * LL_ERROR_ARGUMENT for a column that ll_numbers_profile refuses, or a negative size;
 * LL_ERROR_RANGE for cells that lie beyond the arrays of `from`. */
int ll_numbers_bytes(const ll_numbers *column, const ll_numbers_out *from, int64_t first,
                     int64_t count, uint8_t *out, int64_t room, int64_t *sizes, int64_t *done);

/* Those of a cell of texts, but for its form: keys, counts, distinct. */
#define LL_TEXT_PARTS 3

/* The same of all cells of `from`, sizes[LL_TEXT_PARTS] a cell. LL_ERROR_RANGE for less room than
 * 8192 + 4 bytes a cell, 16 a key, those of the keys, and 6145 a cell with registers, or cells that
 * lie beyond the arrays of `from`. */
int ll_text_bytes(const ll_text_output *from, uint8_t *out, int64_t room, int64_t *sizes);

/* ---- rows: fields into the body of an Arrow record batch ------------------------------------- */

/* What a row holds in each field: numbers of 8 bytes, or bytes that lie anywhere. */
typedef struct ll_rows {
    int32_t fields;
    int32_t count;          /* of rows */
    const uint8_t *binary;  /* [fields]: 1 where a field holds bytes */
    const uint8_t *present; /* [fields][count]: 0 where a row lacks the field, else 1 */
    const uint64_t *values; /* [fields][count]: numbers, or addresses of bytes */
    const int64_t *sizes;   /* [fields][count]: of the bytes, 0 where a row lacks them */
} ll_rows;

/* The body of a batch of the fields that some row holds, buffers at multiples of 8 bytes; nodes:
 * rows and nulls of each of these fields; buffers: offset and length of each of its buffers, two of
 * numbers and three of bytes; written[fields]: 1 where a field is one of them. LL_ERROR_ARGUMENT
 * for a negative size; LL_ERROR_RANGE for less room than 24 bytes a field, 10 a row of each, and
 * the bytes, or 2^31 bytes in a field. */
int ll_rows_body(const ll_rows *rows, uint8_t *out, int64_t room, int64_t *nodes, int64_t *buffers,
                 uint8_t *written, int64_t *size);

#endif
