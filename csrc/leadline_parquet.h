/* What Python sees of Parquet: footers, and pages of a column chunk -> Arrow memory. The rules are
 * those of leadline.h. */
#ifndef LEADLINE_SURFACE_PARQUET_H
#define LEADLINE_SURFACE_PARQUET_H

#include <stddef.h>
#include <stdint.h>

/* Not a page as these functions know them, or a damaged one: another reader has to decide. */
#define LL_PAGE_DECLINED 16
/* text_wanted says how much room for texts there has to be; nothing has happened. */
#define LL_PAGE_ROOM 17

/* A column chunk as the footer describes it; -1 for what it does not say. */
typedef struct ll_chunk {
    int64_t values;
    int64_t size;       /* bytes of its pages unpacked, with their headers */
    int64_t stored;     /* bytes of its pages as they lie in the file */
    int64_t data;       /* where its first page of data begins */
    int64_t dictionary; /* where its dictionary begins */
    int32_t codec;
    int32_t apart;      /* whether it lies in another file, or is encrypted */
    uint32_t encodings; /* bit `e` for pages of encoding `e` */
} ll_chunk;

/* The chunks of a footer, which are `room`: row group by row group. LL_PAGE_DECLINED if they are
 * not so many, or it is no footer; LL_ERROR_ARGUMENT for negative sizes. */
int ll_footer_chunks(const uint8_t *data, int64_t size, ll_chunk *chunks, int64_t room);

#define LL_PAGE_DATA       0
#define LL_PAGE_DICTIONARY 2
#define LL_PAGE_DATA_2     3

#define LL_ENCODING_PLAIN            0
#define LL_ENCODING_PLAIN_DICTIONARY 2
#define LL_ENCODING_RLE              3
#define LL_ENCODING_DICTIONARY       8

/* A page as its header describes it. */
typedef struct ll_page {
    int64_t begin;  /* of what comes after the header */
    int32_t stored; /* bytes of it */
    int32_t size;   /* bytes unpacked */
    int32_t kind;
    int32_t values; /* rows, nulls too; entries of a dictionary */
    int32_t encoding;
    int32_t level_encoding; /* LL_PAGE_DATA */
    int32_t nulls;          /* LL_PAGE_DATA_2, else -1 */
    int32_t level_bytes;    /* LL_PAGE_DATA_2: they come first and are not packed */
    int32_t packed;         /* LL_PAGE_DATA_2: whether the others are */
    int32_t body;           /* field of the header that described it */
} ll_page;

typedef struct ll_pages_found {
    int64_t pages;
    int64_t used;   /* bytes up to the end of the last one */
    int64_t wanted; /* bytes that the next one needs from there; 0 if that is not known */
} ll_pages_found;

/* The pages that lie in `size` bytes as a whole, at most `room`. LL_PAGE_DECLINED for what is no
 * header of a page; LL_ERROR_ARGUMENT for negative sizes. */
int ll_pages_find(const uint8_t *data, int64_t size, ll_page *pages, int64_t room,
                  ll_pages_found *found);

#define LL_COLUMN_BITS    0 /* booleans */
#define LL_COLUMN_NUMBERS 1
#define LL_COLUMN_CODES   2 /* int32 indices into the dictionary */
#define LL_COLUMN_TEXTS   3 /* byte strings with int32 offsets */

typedef struct ll_page_column {
    int32_t kind;
    int32_t stored_width;   /* bytes of a plain number: 4, 8 */
    int32_t width;          /* bytes of an Arrow number: 1, 2, 4, 8; 4 for codes and texts */
    int32_t nullable;       /* whether there are definition levels, of one bit */
    int64_t entries;        /* of the dictionary; -1 if there is none */
    const void *dictionary; /* numbers of `width` bytes, or entries + 1 offsets */
    const uint8_t *dictionary_text; /* bytes of its texts */
} ll_page_column;

/* Rows read so far. Bitmaps have 16 bytes more room than bits. */
typedef struct ll_page_rows {
    void *values;      /* numbers, bits, or offsets (one more than rows) */
    uint8_t *validity; /* NULL if not nullable */
    uint8_t *text;
    int64_t count;
    int64_t room; /* rows */
    int64_t nulls;
    int64_t text_size;
    int64_t text_room;
    int64_t text_wanted;
} ll_page_rows;

/* Append a page's rows. levels: those of LL_PAGE_DATA_2, page->level_bytes of them; data: the page
 * unpacked, of LL_PAGE_DATA_2 without levels. After any error the rows so far are as they were.
 * LL_ERROR_ARGUMENT for a column or page of an unknown kind, or too little room for rows. */
int ll_page_read(const ll_page_column *column, const ll_page *page, const uint8_t *levels,
                 const uint8_t *data, int64_t size, ll_page_rows *rows);

/* What unpacks pages, as ZSTD_decompressDCtx does: from `from` into `to`, and how many bytes that
 * are; any other number for what cannot be unpacked. NULL if nothing is packed. */
typedef struct ll_unpacker {
    size_t (*unpack)(void *context, void *to, size_t room, const void *from, size_t size);
    void *context;
    uint8_t *room; /* for one page, unpacked */
    int64_t room_size;
} ll_unpacker;

/* Append the rows of pages that ll_pages_find has found in `data`, up to a dictionary, a page whose
 * rows do not fit or one that does not fit unpacked; *done: how many pages. LL_PAGE_ROOM and
 * LL_PAGE_DECLINED are about the page after these. LL_ERROR_ARGUMENT for negative sizes, and for a
 * page that does not lie there. */
int ll_pages_read(const ll_page_column *column, const ll_unpacker *unpacker, const uint8_t *data,
                  int64_t size, const ll_page *pages, int64_t count, ll_page_rows *rows,
                  int64_t *done);

/* The rows from `first` on as the first ones of `rest`. */
int ll_page_rest(const ll_page_column *column, const ll_page_rows *rows, int64_t first,
                 ll_page_rows *rest);

#endif
