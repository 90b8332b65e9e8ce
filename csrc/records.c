/* Where records of CSV end, so that a file can be cut into pieces that threads parse on their own.
 *
 * The rules are those of Arrow's reader: a quote counts only at the start of a field, is doubled
 * inside it, and what follows the closing one belongs to the field; a record ends at LF, CR or
 * CRLF. Most pieces hold no quotes; then the last line end is the end, after one pass of memchr.
 */
#include <string.h>

#include "common.h"
#include "leadline.h"

#define QUOTE '"'

/* After the last line end before `size`; 0 if there is none. A CR that is the last byte may be half
 * of a CRLF, so it ends nothing yet. */
static size_t last_line_end(const uint8_t *data, size_t size) {
    for (size_t at = size; at > 0; at--)
        if (data[at - 1] == '\n' || (data[at - 1] == '\r' && at < size)) return at;
    return 0;
}

/* After the closing quote, from after the opening one; `size` if it is not closed. */
static size_t after_quoted(const uint8_t *data, size_t at, size_t size) {
    for (;;) {
        const uint8_t *quote = at < size ? memchr(data + at, QUOTE, size - at) : NULL;
        if (!quote) return size;
        at = (size_t)(quote - data) + 1;
        if (at >= size || data[at] != QUOTE) return at;
        at++;
    }
}

/* The same as last_line_end, from the start of a record, with quotes. */
static size_t last_record_end(const uint8_t *data, size_t at, size_t size, uint8_t delimiter) {
    size_t end = 0;
    int begins = 1; /* a field begins here */
    while (at < size) {
        uint8_t byte = data[at];
        if (begins && byte == QUOTE) {
            at = after_quoted(data, at + 1, size);
            begins = 0;
            continue;
        }
        at++;
        begins = byte == delimiter;
        if (byte == '\r' && at < size && data[at] == '\n') continue; /* ends with it */
        if (byte == '\n' || (byte == '\r' && at < size)) {
            end = at;
            begins = 1;
        }
    }
    return end;
}

int ll_records_end(const uint8_t *data, int64_t size, uint8_t delimiter, int64_t *end) {
    if (size < 0 || (!data && size > 0) || !end) return LL_ERROR_ARGUMENT;
    size_t length = (size_t)size;
    const uint8_t *quote = length ? memchr(data, QUOTE, length) : NULL;
    if (!quote) {
        *end = (int64_t)last_line_end(data, length);
        return LL_OK;
    }
    /* Lines before the one with the first quote need no second look. */
    size_t plain = last_line_end(data, (size_t)(quote - data));
    size_t quoted = last_record_end(data, plain, length, delimiter);
    *end = (int64_t)(quoted > plain ? quoted : plain);
    return LL_OK;
}
