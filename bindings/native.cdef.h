/* Declarations of csrc/leadline*.h as cffi reads them; constants are filled in by the compiler. */

#define LL_OK ...
#define LL_ERROR_ARGUMENT ...
#define LL_ERROR_RANGE ...
#define LL_ERROR_SUPPORT ...
const char *ll_error_text(int code);

#define LL_SET_SERIAL ...
#define LL_SET_AVX2 ...
#define LL_SET_AVX512 ...
#define LL_SET_COUNT ...
int ll_set_available(int set);
int ll_set_active(void);
int ll_set_force(int set);

#define LL_STORAGE_FLOAT64 ...
#define LL_STORAGE_INT64 ...
#define LL_STORAGE_UINT64 ...

int ll_keys_encode(const uint64_t *values, int64_t count, int storage, uint64_t *keys);
int ll_keys_decode(const uint64_t *keys, int64_t count, int storage, uint64_t *values);

int ll_cells_windows(const int64_t *values, int64_t count, const int64_t *starts,
                     const int64_t *ends, int64_t windows, int32_t *codes, int64_t *outside);

int ll_cells_sort(const int32_t *codes, int64_t count, int64_t size, int32_t *table, int32_t *order,
                  int32_t *cells, int64_t *starts, int64_t *filled);

#define LL_TYPE_BOOL ...
#define LL_TYPE_INT8 ...
#define LL_TYPE_INT16 ...
#define LL_TYPE_INT32 ...
#define LL_TYPE_INT64 ...
#define LL_TYPE_UINT8 ...
#define LL_TYPE_UINT16 ...
#define LL_TYPE_UINT32 ...
#define LL_TYPE_UINT64 ...
#define LL_TYPE_FLOAT16 ...
#define LL_TYPE_FLOAT32 ...
#define LL_TYPE_FLOAT64 ...

typedef struct ll_tally {
    int64_t written;
    int64_t next;
    int64_t rows;
    int64_t nulls;
    int64_t nan;
    int64_t positive_infinity;
    int64_t negative_infinity;
    int64_t zeros;
    int64_t negatives;
} ll_tally;

int ll_gather(int type, const void *values, const uint8_t *validity, int64_t offset, int64_t length,
              const int32_t *order, int64_t begin, int64_t end, uint64_t *out, int64_t capacity,
              ll_tally *tally);

typedef struct ll_moments {
    int64_t count;
    double mean;
    double m2;
    double m3;
    double m4;
    uint64_t minimum;
    uint64_t maximum;
} ll_moments;

int ll_moments_block(const uint64_t *values, int64_t count, int storage, ll_moments *result);

int ll_moments_weighted(const uint64_t *values, const uint64_t *weights, int64_t count, int storage,
                        ll_moments *result);

#define LL_HISTOGRAM_PAGES ...
#define LL_HISTOGRAM_PAGE ...
#define LL_HISTOGRAM_COARSEST ...
#define LL_HISTOGRAM_TABLES ...
#define LL_HISTOGRAM_TABLE ...
#define LL_HISTOGRAM_COUNTERS ...
#define LL_HISTOGRAM_TOUCHED ...

int ll_histogram_index(const uint64_t *values, int64_t count, int storage, uint32_t *index);

int ll_histogram_add(const uint64_t *values, int64_t count, int storage, uint32_t *counters,
                     uint8_t *touched);

uint32_t ll_histogram_heaviest(const uint32_t *counters, uint8_t *touched);

int ll_histogram_pages(const uint32_t *counters, uint8_t *touched, uint16_t *pages);

int ll_histogram_read(const uint32_t *counters, const uint8_t *touched, const uint16_t *pages,
                      int count, int coarseness, uint32_t *counts);

void ll_histogram_clear(uint32_t *counters, uint8_t *touched);

#define LL_DISTINCT_REGISTERS ...

int ll_distinct_hash(const uint64_t *values, int64_t count, int storage, uint64_t *hashes);

int ll_distinct_add(const uint64_t *values, int64_t count, int storage, uint8_t *registers);
int ll_distinct_add_hashes(const uint64_t *hashes, int64_t count, uint8_t *registers);

#define LL_QUANTILE_LEVELS ...
#define LL_QUANTILE_BLOCK ...
#define LL_QUANTILE_MOST ...
int64_t ll_quantiles_capacity(int k, int levels);
int ll_quantiles_scan(const uint64_t *values, int64_t count, int storage, uint64_t seed,
                      uint64_t *found);
int ll_quantiles_block(const uint64_t *values, int64_t count, int storage, int height, int k,
                       uint64_t seed, uint64_t *keys, uint64_t *work, uint64_t *bounds,
                       uint32_t *offsets, int32_t *levels, uint64_t *items);
int ll_quantiles_weighted(const uint64_t *keys, const uint64_t *weights, int64_t count, int k,
                          uint64_t seed, uint32_t *offsets, int32_t *levels, uint64_t *items);
int ll_quantiles_merge(int k, uint64_t seed, const uint32_t *a_offsets, int a_levels,
                       const uint64_t *a_items, int64_t a_count, const uint32_t *b_offsets,
                       int b_levels, const uint64_t *b_items, int64_t b_count, uint64_t *work,
                       uint64_t *spare, uint32_t *offsets, int32_t *levels, uint64_t *items);

int ll_ranks_band(const uint16_t *pages, int64_t page_count, int coarseness, const void *counters,
                  int bytes, const int64_t *singles, const double *extremes, const double *items,
                  const double *weights, int64_t item_count, const double *errors, int64_t room,
                  double *band, int64_t *points);

int ll_ranks_on(const double *points, const double *lower, const double *upper,
                const double *estimate, const double *noise, int64_t size, int64_t total,
                const double *at, int64_t count, double *out);
int ll_ranks_counts(const double *points, const double *lower, const double *upper,
                    const double *estimate, int64_t size, int64_t total, const double *values,
                    const int64_t *counts, const int64_t *ends, int64_t sets, double *distances);
int ll_ranks_distance(const double *a_points, const double *a_lower, const double *a_upper,
                      const double *a_estimate, int64_t a_size, int64_t a_total,
                      const double *b_points, const double *b_lower, const double *b_upper,
                      const double *b_estimate, int64_t b_size, int64_t b_total, double *found);
typedef struct ll_ranks_side {
    const uint16_t *pages;
    const void *counters;
    int64_t page_count;
    int64_t singles[3];
    int64_t total;
    double extremes[2];
    double limit;
    int32_t bytes;
} ll_ranks_side;
int ll_ranks_buckets(const ll_ranks_side *reference, const ll_ranks_side *current, int coarseness,
                     double *found, int32_t *enough);
int ll_quantiles_bytes(int storage, int k, int height, uint64_t total, uint64_t minimum,
                       uint64_t maximum, const uint32_t *offsets, int levels, const uint64_t *items,
                       int64_t count, uint8_t *out, int64_t room, int64_t *size);

#define LL_FEW_BITS ...
#define LL_FEW_PLACES ...
int ll_counts_range(const uint64_t *values, int64_t count, int storage, uint64_t *keys);
int ll_counts_dense(const uint64_t *values, int64_t count, uint64_t low, uint64_t high,
                    uint32_t *table);
int ll_counts_few(const uint64_t *values, int64_t count, int limit, uint64_t *keys,
                  uint32_t *counts, int32_t *used);
int ll_counts_groups(const uint64_t *values, int64_t count, const int64_t *starts, int64_t groups,
                     int storage, uint64_t *work, uint64_t *keys, uint32_t *counts,
                     int64_t *unique_starts);
int ll_counts_merge(const uint64_t *a_keys, const uint64_t *a_counts, int64_t a_size,
                    const uint64_t *b_keys, const uint64_t *b_counts, int64_t b_size,
                    uint64_t *keys, uint64_t *counts, int64_t *size);
#define LL_BLOCK ...
#define LL_UNIT_ROWS ...
#define LL_SMALL ...
#define LL_FEW ...
#define LL_HISTOGRAM_MOST ...
#define LL_NUMBERS_PARTS ...
#define LL_NUMBERS_STATES ...
#define LL_HOURS ...
#define LL_CALENDAR ...
typedef struct ll_view {
    uint64_t values;
    uint64_t validity;
    int64_t offset;
    int64_t length;
} ll_view;
typedef struct ll_cell {
    int64_t rows;
    int64_t nulls;
    int64_t nan;
    int64_t positive_infinity;
    int64_t negative_infinity;
    int64_t zeros;
    int64_t negatives;
    int64_t exact;
    int64_t entries;
    int64_t largest;
    int64_t keys_begin;
    int64_t items;
    int64_t levels;
    int64_t height;
    int64_t counts_begin;
    int64_t states_begin;
    int64_t states;
    int64_t pages;
    int64_t coarseness;
    int64_t width;
    int64_t moments_count;
    double mean;
    double m2;
    double m3;
    double m4;
    uint64_t minimum;
    uint64_t maximum;
    uint64_t low;
    uint64_t high;
} ll_cell;
typedef struct ll_numbers_memory {
    uint64_t *block;
    uint64_t *sort;
    uint32_t *counters;
    uint8_t *touched;
    uint32_t *dense;
    uint32_t *hours;
    uint64_t *parts;
} ll_numbers_memory;
typedef struct ll_numbers_out {
    ll_cell *cells;
    int64_t *calendar;
    uint64_t *keys;
    int64_t keys_capacity;
    uint32_t *counts;
    int64_t counts_capacity;
    uint8_t *states;
    int64_t states_capacity;
} ll_numbers_out;
typedef struct ll_numbers {
    int32_t type;
    int32_t unit;
    int32_t k;
    int64_t view_count;
    const ll_view *views;
    int64_t order_count;
    const int32_t *order;
    int64_t cells;
    const int64_t *starts;
    uint64_t seed;
    double sampler_variance;
} ll_numbers;
int ll_numbers_profile(const ll_numbers *column, const ll_numbers_memory *memory, int64_t first,
                       int64_t most, ll_numbers_out *out, int64_t *done);
int ll_packing_numbers(const void *values, int64_t count, int width, uint64_t less, uint8_t *out,
                       int64_t room, int64_t *size);

int ll_packing_gaps(const void *values, int64_t count, int width, uint8_t *out, int64_t room,
                    int64_t *size);
typedef struct ll_sketches {
    int32_t held;
    int32_t coarseness;
    int32_t width;
    int32_t storage;
    int32_t k;
    int32_t height;
    int32_t levels;
    int64_t page_count;
    const uint16_t *pages;
    const void *counters;
    uint64_t total;
    uint64_t minimum;
    uint64_t maximum;
    const uint32_t *offsets;
    const uint64_t *items;
    int64_t item_count;
    const uint8_t *registers;
} ll_sketches;
int ll_sketches_bytes(const ll_sketches *sketches, int64_t count, uint8_t *out, int64_t room,
                      int64_t *sizes);

#define LL_TEXT_BLOCK ...
#define LL_TEXT_CAPACITY ...
#define LL_TEXT_KEY_BYTES ...
#define LL_TEXT_PREFIX ...
#define LL_TEXT_CUT_KEY ...
#define LL_TEXT_CLASSES ...
#define LL_TEXT_OCTAVES ...
#define LL_TEXT_WORK_WORDS ...
#define LL_TEXT_FORM_HEAD ...
#define LL_TEXT_FORM_WORDS ...
typedef struct ll_text_form {
    uint64_t empty;
    uint64_t minimum;
    uint64_t maximum;
    uint64_t total;
    uint64_t classes[7];
    uint64_t octaves;
    uint64_t lengths[32][256];
} ll_text_form;
typedef struct ll_text_chunk {
    const void *offsets;
    const uint8_t *data;
    int64_t data_size;
    const uint8_t *validity;
    int64_t offset;
    int64_t length;
    int32_t wide;
} ll_text_chunk;
typedef struct ll_code_chunk {
    const void *codes;
    const uint8_t *validity;
    int64_t offset;
    int64_t length;
    int32_t type;
} ll_code_chunk;
typedef struct ll_text_cells {
    const int32_t *order;
    int64_t rows;
    const int64_t *starts;
    int64_t first;
    int64_t last;
} ll_text_cells;
typedef struct ll_text_work ll_text_work;
typedef struct ll_text_cell {
    int64_t total;
    int64_t keys;
    int64_t key_bytes;
    int64_t error;
    int64_t form;
    int64_t sketched;
} ll_text_cell;
typedef struct ll_text_output {
    ll_text_cell *cells;
    uint32_t *offsets;
    uint64_t *counts;
    uint8_t *data;
    ll_text_form *forms;
    uint8_t *registers;
    int64_t cells_capacity, cells_used;
    int64_t keys_capacity, keys_used;
    int64_t bytes_capacity, bytes_used;
    int64_t forms_capacity, forms_used;
} ll_text_output;
int ll_text_count(const ll_text_chunk *chunks, int64_t chunk_count, const ll_text_cells *cells,
                  ll_text_work *work, ll_text_output *output, int64_t *next);
int ll_text_rank(const ll_text_chunk *dictionary, ll_text_work *work, int32_t *ranks,
                 int32_t *ranked, int64_t *distinct);
int ll_codes_count(const ll_code_chunk *chunks, int64_t chunk_count,
                   const ll_text_chunk *dictionary, const int32_t *ranks, const int32_t *ranked,
                   int64_t distinct, const ll_text_cells *cells, ll_text_work *work,
                   ll_text_output *output, int64_t *next);
int ll_text_hash(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                 uint64_t *hashes);
int ll_text_describe(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                     const uint64_t *counts, ll_text_form *form);
int ll_text_ascending(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                      int32_t *answer);
int ll_text_merge(const uint32_t *a_offsets, const uint8_t *a_data, int64_t a_size,
                  const uint64_t *a_counts, int64_t a_count, const uint32_t *b_offsets,
                  const uint8_t *b_data, int64_t b_size, const uint64_t *b_counts, int64_t b_count,
                  uint32_t *offsets, uint8_t *data, uint64_t *counts, uint64_t *found);
int ll_names_hash(const uint32_t *offsets, int64_t count, const uint8_t *data, int64_t size,
                  uint64_t *hashes, uint8_t *plain);
int ll_names_union(const uint32_t *a_offsets, int64_t a_count, const uint8_t *a_data,
                   int64_t a_size, const uint32_t *b_offsets, int64_t b_count,
                   const uint8_t *b_data, int64_t b_size, uint32_t *offsets, uint8_t *data,
                   int32_t *a_places, int32_t *b_places, int64_t *count);
int ll_records_end(const uint8_t *data, int64_t size, uint8_t delimiter, int64_t *end);
#define LL_UNIT_SECONDS ...
#define LL_UNIT_MILLISECONDS ...
#define LL_UNIT_MICROSECONDS ...
#define LL_UNIT_NANOSECONDS ...
int ll_calendar_count(const int64_t *values, const uint64_t *weights, int64_t count, int unit,
                      uint64_t *hours, uint64_t *weekdays, int64_t *days);
int ll_calendar_microseconds(const int64_t *values, int64_t count, int unit, int64_t *out);

#define LL_FAULT_NONE ...
#define LL_FAULT_NAN ...
#define LL_FAULT_UNSORTED ...
#define LL_FAULT_OUTSIDE ...
#define LL_FAULT_PAGES ...
#define LL_FAULT_EMPTY ...
#define LL_FAULT_ZERO ...
#define LL_FAULT_RANK ...

typedef struct ll_counted {
    uint64_t total;
    uint64_t negative;
    uint64_t bits;
    int32_t fault;
} ll_counted;

int ll_unpacking_histogram(const uint8_t *page_planes, int64_t page_size, int page_width,
                           const uint8_t *occupied, int64_t occupied_size, const uint8_t *planes,
                           int64_t size, int width, int64_t page_count, int64_t buckets,
                           uint16_t *pages, void *counts, ll_counted *found);
int ll_unpacking_registers(const uint8_t *bytes, int64_t size, uint8_t *registers, int32_t *fault);
int ll_unpacking_quantiles(const uint8_t *bytes, int64_t size, int storage, const uint32_t *offsets,
                           int levels, int sorted_from, uint64_t *ends, uint64_t *items,
                           int32_t *fault);

#define LL_PAGE_DECLINED             ...
#define LL_PAGE_ROOM                 ...
#define LL_PAGE_DATA                 ...
#define LL_PAGE_DICTIONARY           ...
#define LL_PAGE_DATA_2               ...
#define LL_ENCODING_PLAIN            ...
#define LL_ENCODING_PLAIN_DICTIONARY ...
#define LL_ENCODING_RLE              ...
#define LL_ENCODING_DICTIONARY       ...
typedef struct ll_page {
    int64_t begin;
    int32_t stored;
    int32_t size;
    int32_t kind;
    int32_t values;
    int32_t encoding;
    int32_t level_encoding;
    int32_t nulls;
    int32_t level_bytes;
    int32_t packed;
    int32_t body;
} ll_page;
typedef struct ll_pages_found {
    int64_t pages;
    int64_t used;
    int64_t wanted;
} ll_pages_found;
int ll_pages_find(const uint8_t *data, int64_t size, ll_page *pages, int64_t room,
                  ll_pages_found *found);
#define LL_COLUMN_BITS    ...
#define LL_COLUMN_NUMBERS ...
#define LL_COLUMN_CODES   ...
#define LL_COLUMN_TEXTS   ...
typedef struct ll_page_column {
    int32_t kind;
    int32_t stored_width;
    int32_t width;
    int32_t nullable;
    int64_t entries;
    const void *dictionary;
    const uint8_t *dictionary_text;
} ll_page_column;
typedef struct ll_page_rows {
    void *values;
    uint8_t *validity;
    uint8_t *text;
    int64_t count;
    int64_t room;
    int64_t nulls;
    int64_t text_size;
    int64_t text_room;
    int64_t text_wanted;
} ll_page_rows;
int ll_page_read(const ll_page_column *column, const ll_page *page, const uint8_t *levels,
                 const uint8_t *data, int64_t size, ll_page_rows *rows);
typedef struct ll_unpacker {
    size_t (*unpack)(void *context, void *to, size_t room, const void *from, size_t size);
    void *context;
    uint8_t *room;
    int64_t room_size;
} ll_unpacker;
int ll_pages_read(const ll_page_column *column, const ll_unpacker *unpacker, const uint8_t *data,
                  int64_t size, const ll_page *pages, int64_t count, ll_page_rows *rows,
                  int64_t *done);
int ll_page_rest(const ll_page_column *column, const ll_page_rows *rows, int64_t first,
                 ll_page_rows *rest);
typedef struct ll_chunk {
    int64_t values;
    int64_t size;
    int64_t stored;
    int64_t data;
    int64_t dictionary;
    int32_t codec;
    int32_t apart;
    uint32_t encodings;
} ll_chunk;
int ll_footer_chunks(const uint8_t *data, int64_t size, ll_chunk *chunks, int64_t room);

#define LL_NUMBER_PARTS ...
#define LL_TEXT_PARTS ...
int ll_numbers_bytes(const ll_numbers *column, const ll_numbers_out *from, int64_t first,
                     int64_t count, uint8_t *out, int64_t room, int64_t *sizes, int64_t *done);
int ll_text_bytes(const ll_text_output *from, uint8_t *out, int64_t room, int64_t *sizes);

typedef struct ll_rows {
    int32_t fields;
    int32_t count;
    const uint8_t *binary;
    const uint8_t *present;
    const uint64_t *values;
    const int64_t *sizes;
} ll_rows;

int ll_rows_body(const ll_rows *rows, uint8_t *out, int64_t room, int64_t *nodes, int64_t *buffers,
                 uint8_t *written, int64_t *size);
