/* What Python sees of texts: hashing, counting, describing. The rules are those of leadline.h. */
#ifndef LEADLINE_SURFACE_TEXT_H
#define LEADLINE_SURFACE_TEXT_H

#include <stddef.h>
#include <stdint.h>

#define LL_TEXT_BLOCK      65536  /* values of a cell between two subtractions */
#define LL_TEXT_CAPACITY   4096   /* keys of a cell */
#define LL_TEXT_KEY_BYTES  524288 /* bytes of a cell's keys together */
#define LL_TEXT_PREFIX     256    /* a longer text keeps so many bytes and its 16-byte hash ... */
#define LL_TEXT_CUT_KEY    272    /* ... as its key */
#define LL_TEXT_CLASSES    7 /* lower, upper, digit, space, punctuation, control, outside ASCII */
#define LL_TEXT_OCTAVES    32
#define LL_TEXT_WORK_WORDS 516000

/* Lengths in code points and kinds of characters. minimum, maximum, lengths: without the empty
 * texts; lengths[i] counts those from 2^i to 2^(i+1) - 1 in 256 places, and bit i of `octaves` says
 * whether there are any. */
#define LL_TEXT_FORM_HEAD  12
#define LL_TEXT_FORM_WORDS (LL_TEXT_FORM_HEAD + LL_TEXT_OCTAVES * 256)
typedef struct ll_text_form {
    uint64_t empty;
    uint64_t minimum;
    uint64_t maximum;
    uint64_t total;
    uint64_t classes[7];
    uint64_t octaves;
    uint64_t lengths[32][256];
} ll_text_form;

/* Rows offset to offset + length of an Arrow array of strings; offsets are int32_t or int64_t
 * (`wide`), validity is NULL if no row is null, data is never NULL. */
typedef struct ll_text_chunk {
    const void *offsets;
    const uint8_t *data;
    int64_t data_size;
    const uint8_t *validity;
    int64_t offset;
    int64_t length;
    int32_t wide;
} ll_text_chunk;

/* The same of an array of dictionary codes, of one of the LL_TYPE_ integers. */
typedef struct ll_code_chunk {
    const void *codes;
    const uint8_t *validity;
    int64_t offset;
    int64_t length;
    int32_t type;
} ll_code_chunk;

/* Cells first to last - 1: the rows order[starts[i]..starts[i + 1]), of one chunk then, or without
 * an order the rows starts[i] to starts[i + 1] - 1 of all chunks together; `rows` in all. */
typedef struct ll_text_cells {
    const int32_t *order;
    int64_t rows;
    const int64_t *starts;
    int64_t first;
    int64_t last;
} ll_text_cells;

/* Work memory of one thread, LL_TEXT_WORK_WORDS words of any content. */
typedef struct ll_text_work ll_text_work;

/* What was found in one cell. */
typedef struct ll_text_cell {
    int64_t total;     /* values that are not null */
    int64_t keys;      /* held */
    int64_t key_bytes; /* of all of them together */
    int64_t error;     /* 0, or what was subtracted from every count */
    int64_t form;      /* its place among the output's forms, -1 if it follows from the keys */
    int64_t sketched;  /* whether registers are at the same place, as they are with an error */
} ll_text_cell;

/* Where cells are written. Of each cell: keys + 1 offsets from 0 on, and the keys' bytes, ascending
 * as byte strings; their counts. At least 4,096 keys of 524,288 bytes and one cell and form must be
 * free for a call; offsets has room for keys_capacity + cells_capacity. */
typedef struct ll_text_output {
    ll_text_cell *cells;
    uint32_t *offsets;
    uint64_t *counts;
    uint8_t *data;
    ll_text_form *forms;
    uint8_t *registers; /* LL_DISTINCT_REGISTERS a form */
    int64_t cells_capacity, cells_used;
    int64_t keys_capacity, keys_used;
    int64_t bytes_capacity, bytes_used;
    int64_t forms_capacity, forms_used;
} ll_text_output;

/* Count the texts of cells until the output has no room for the next one, which is *next.
 * LL_ERROR_ARGUMENT for negative sizes, 2^32 rows in a cell, an order over several chunks or an
 * output without room; LL_ERROR_RANGE for rows outside the chunks, offsets that do not ascend
 * within the data, or a text of 2^32 bytes. */
int ll_text_count(const ll_text_chunk *chunks, int64_t chunk_count, const ll_text_cells *cells,
                  ll_text_work *work, ll_text_output *output, int64_t *next);

/* Sort a dictionary of at most LL_TEXT_BLOCK entries: the rank of every entry among the distinct
 * ones (-1 for a null one), and the first entry of every rank. LL_ERROR_ARGUMENT for a negative
 * size or too many entries; LL_ERROR_RANGE for offsets as above. */
int ll_text_rank(const ll_text_chunk *dictionary, ll_text_work *work, int32_t *ranks,
                 int32_t *ranked, int64_t *distinct);

/* Like ll_text_count, for codes into a dictionary that was ranked. LL_ERROR_ARGUMENT and
 * LL_ERROR_RANGE as there; the latter also for codes, ranks or entries that do not exist. */
int ll_codes_count(const ll_code_chunk *chunks, int64_t chunk_count,
                   const ll_text_chunk *dictionary, const int32_t *ranks, const int32_t *ranked,
                   int64_t distinct, const ll_text_cells *cells, ll_text_work *work,
                   ll_text_output *output, int64_t *next);

/* Packed keys: key i is data[offsets[i]..offsets[i + 1]). In all six: LL_ERROR_ARGUMENT for a
 * negative size (or 2^31 bytes to be merged), LL_ERROR_RANGE for offsets outside the data. */

/* The first hash word of the text behind every key. */
int ll_text_hash(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                 uint64_t *hashes);

/* The form of texts that occur counts[i] times. */
int ll_text_describe(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                     const uint64_t *counts, ll_text_form *form);

/* *answer: whether the keys ascend and are distinct. */
int ll_text_ascending(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                      int32_t *answer);

/* Two ascending lists of keys into one of found[0] keys; found[1] is what had to be subtracted from
 * every count so that they fit. The results have room for both lists. */
int ll_text_merge(const uint32_t *a_offsets, const uint8_t *a_data, int64_t a_size,
                  const uint64_t *a_counts, int64_t a_count, const uint32_t *b_offsets,
                  const uint8_t *b_data, int64_t b_size, const uint64_t *b_counts, int64_t b_count,
                  uint32_t *offsets, uint8_t *data, uint64_t *counts, uint64_t *found);

/* The first 8 bytes of BLAKE2b of every key that is its text's UTF-8; plain[i] is 0, and the hash
 * too, for keys that are cut or are not UTF-8. */
int ll_names_hash(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                  uint64_t *hashes, uint8_t *plain);

/* Two ascending lists of distinct keys into one of *count keys, and each one's place in either
 * list, -1 where it is not. The results have room for both lists. Also LL_ERROR_ARGUMENT for 2^31
 * keys or bytes. */
int ll_names_union(const uint32_t *a_offsets, int64_t a_count, const uint8_t *a_data,
                   int64_t a_size, const uint32_t *b_offsets, int64_t b_count,
                   const uint8_t *b_data, int64_t b_size, uint32_t *offsets, uint8_t *data,
                   int32_t *a_places, int32_t *b_places, int64_t *count);

#endif
