/* Blocks of rows: where the next row goes, when a block is sealed, and what may wait.
 *
 * Blocks begin with a few KB, or with what the last one came to need, and double up to about 1 MB,
 * so that an idle monitor is small and a busy one copies nothing twice. Their whole capacity counts
 * against the bound. Memory is the C library's: nothing here can run Python code or take a lock
 * that a forked child would find held.
 */
#include "capture.h"

#include <errno.h>
#include <math.h>
#include <time.h>

/* About 6,000 rows of 20 fields: 0.02 us a row for what is done once a block. */
#define BLOCK_BYTES ((size_t)1 << 20)
/* Rows of many fields: a block's columns cost 1 us each, whatever their length. */
#define BLOCK_ROWS       1024
#define MOST_BLOCK_BYTES ((size_t)8 << 20)
#define FIRST_BYTES      4096
#define FIRST_TEXT       1024
/* So many blocks at least make up a bound, so that the summarising thread hears of it in time. */
#define SHARE 8

static int64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static bool reserve(ll_recorder *recorder, ll_block *block, size_t more) {
    if (recorder->most_bytes - recorder->bytes < more) return false;
    recorder->bytes += more;
    block->bytes += more;
    return true;
}

static void give_back(ll_recorder *recorder, ll_block *block, size_t size) {
    recorder->bytes -= size;
    block->bytes -= size;
}

void ll_block_free(ll_block *block) {
    free(block->data);
    free(block->text);
    free(block);
}

/* ---- growing --------------------------------------------------------------------------------- */

/* At most `wanted` units of `size` bytes, and at least one more than there are; 0 if even that does
 * not fit. What fits is reserved. */
static uint64_t room_for(ll_recorder *recorder, ll_block *block, uint64_t have, uint64_t wanted,
                         size_t size) {
    while (wanted > have && !reserve(recorder, block, (size_t)(wanted - have) * size))
        wanted = have + (wanted - have) / 2;
    return wanted > have ? wanted : 0;
}

static bool grow_rows(ll_recorder *recorder, ll_block *block, uint64_t wanted) {
    const uint64_t have = block->capacity;
    const uint64_t capacity = room_for(recorder, block, have, wanted, block->stride);
    if (!capacity) return false;
    uint8_t *data = realloc(block->data, capacity * block->stride);
    if (!data) {
        give_back(recorder, block, (size_t)(capacity - have) * block->stride);
        return false;
    }
    block->data = data;
    block->capacity = capacity;
    return true;
}

bool ll_block_text(ll_recorder *recorder, ll_block *block, size_t size) {
    const size_t have = block->text_capacity, needed = block->text_used + size;
    if (LL_LIKELY(needed <= have)) return true;
    if (needed > UINT32_MAX) return false;
    size_t wanted = have ? 2 * have : FIRST_TEXT;
    if (wanted < recorder->likely_text) wanted = recorder->likely_text;
    if (wanted < needed || !reserve(recorder, block, wanted - have)) {
        wanted = needed;
        if (!reserve(recorder, block, wanted - have)) return false;
    }
    char *text = realloc(block->text, wanted);
    if (!text) {
        give_back(recorder, block, wanted - have);
        return false;
    }
    block->text = text;
    block->text_capacity = wanted;
    return true;
}

/* ---- opening and sealing --------------------------------------------------------------------- */

static ll_block *new_block(ll_recorder *recorder, int64_t now) {
    if (recorder->most_bytes - recorder->bytes < sizeof(ll_block)) return NULL;
    ll_block *block = calloc(1, sizeof *block);
    if (!block) return NULL;
    reserve(recorder, block, sizeof *block);
    const int64_t step = recorder->step;
    block->epoch = now / step - (now % step < 0);
    block->begin = block->epoch * step;
    block->end = block->begin + step;
    block->fields = recorder->count;
    const size_t fields = (size_t)recorder->count;
    block->stride = fields ? 8 * fields + (fields + 7) / 8 * 8 : 8;

    size_t bytes = BLOCK_ROWS * block->stride;
    bytes = bytes < BLOCK_BYTES ? BLOCK_BYTES : bytes > MOST_BLOCK_BYTES ? MOST_BLOCK_BYTES : bytes;
    if (bytes > recorder->most_bytes / SHARE) bytes = recorder->most_bytes / SHARE;
    block->most = bytes / block->stride + 1;
    if (block->most > recorder->most_rows / SHARE + 1)
        block->most = recorder->most_rows / SHARE + 1;
    block->text_most = bytes;

    uint64_t rows = FIRST_BYTES / block->stride + 1;
    if (rows < recorder->likely_rows) rows = recorder->likely_rows;
    if (!grow_rows(recorder, block, rows < block->most ? rows : block->most)) {
        give_back(recorder, block, block->bytes);
        ll_block_free(block);
        return NULL;
    }
    return block;
}

void ll_block_queue(ll_recorder *recorder, ll_block *block) {
    block->next = NULL;
    if (recorder->newest)
        recorder->newest->next = block;
    else
        recorder->oldest = block;
    recorder->newest = block;
    if (recorder->start_again) recorder->started = recorder->start_again = false;
    if (recorder->bytes >= recorder->most_bytes / 2 ||
        recorder->held_rows >= recorder->most_rows / 2)
        ll_bell_try(&recorder->bell);
}

void ll_block_seal(ll_recorder *recorder) {
    ll_block *block = recorder->open;
    recorder->open = NULL;
    if (!block) return;
    if (!block->rows) {
        give_back(recorder, block, block->bytes);
        ll_block_free(block);
        return;
    }
    recorder->likely_rows = block->rows;
    recorder->likely_text = block->text_used;
    ll_block_queue(recorder, block);
}

static LL_NOINLINE ll_block *open_otherwise(ll_recorder *recorder, int64_t now, int *drop) {
    if (recorder->closed) {
        *drop = LL_CLOSED;
        return NULL;
    }
    if (recorder->held_rows >= recorder->most_rows) {
        *drop = LL_ROWS_BOUND;
        return NULL;
    }
    ll_block *block = recorder->open;
    if (block && (now < block->begin || now >= block->end || block->fields != recorder->count ||
                  block->rows >= block->most || block->text_used >= block->text_most)) {
        ll_block_seal(recorder);
        block = NULL;
    }
    if (!block) {
        block = recorder->open = new_block(recorder, now);
    } else if (block->rows == block->capacity) {
        const uint64_t wanted = 2 * block->capacity;
        if (!grow_rows(recorder, block, wanted < block->most ? wanted : block->most)) block = NULL;
    }
    if (!block) *drop = LL_BYTES_BOUND;
    return block;
}

ll_block *ll_block_open(ll_recorder *recorder, int *drop) {
    const int64_t now = now_ns();
    ll_block *block = recorder->open;
    if (LL_LIKELY(block && now >= block->begin && now < block->end &&
                  block->rows < block->capacity && block->fields == recorder->count &&
                  block->text_used < block->text_most && !recorder->closed &&
                  recorder->held_rows < recorder->most_rows))
        return block;
    return open_otherwise(recorder, now, drop);
}

/* ---- waking the thread that summarises ------------------------------------------------------- */

/* Also used over the memory of one that another thread of a parent process held: it is not
 * destroyed, as that would wait for threads that a forked child does not have. */
void ll_bell_init(ll_bell *bell) {
    pthread_condattr_t monotonic;
    pthread_mutex_init(&bell->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&bell->rung, &monotonic);
    pthread_condattr_destroy(&monotonic);
    bell->ringing = false;
}

/* From a request: it never waits, and if the waiter is just about to wait, the next block rings. */
void ll_bell_try(ll_bell *bell) {
    if (pthread_mutex_trylock(&bell->lock)) return;
    bell->ringing = true;
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

void ll_bell_ring(ll_bell *bell) {
    pthread_mutex_lock(&bell->lock);
    bell->ringing = true;
    pthread_cond_signal(&bell->rung);
    pthread_mutex_unlock(&bell->lock);
}

bool ll_bell_wait(ll_bell *bell, double seconds) {
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    const double whole = floor(seconds);
    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)((seconds - whole) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&bell->lock);
    int code = 0;
    while (!bell->ringing && code != ETIMEDOUT)
        code = pthread_cond_timedwait(&bell->rung, &bell->lock, &until);
    const bool rung = bell->ringing;
    bell->ringing = false;
    pthread_mutex_unlock(&bell->lock);
    return rung;
}
