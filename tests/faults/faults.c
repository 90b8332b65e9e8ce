// A disk that fails, for tests: preloaded into a process, it stands between the process and the
// calls that change files of one folder. What goes wrong is read from a page that the test maps.
//
// LEADLINE_FAULTS names the file of that page, LEADLINE_FAULTS_FOLDER the folder.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };

struct control {
    int64_t calls;          // counted calls so far
    int64_t die_at;         // number of the call before which the process is killed; -1: never
    int64_t torn;           // 1: half of a write is made before the process is killed in it
    int64_t budget;         // bytes that can still be written; -1: any number
    int64_t write_error;    // what writes fail with, 0: they do not
    int64_t sync_error;     // the same of syncs
    int64_t change_error;   // the same of open (for writing), link, rename, unlink, ftruncate
    int64_t stall_us;       // how long writes and syncs take
    int64_t unsynced;       // files with bytes that a crash of the machine would lose
    int64_t unsynced_names; // links and renames that it would lose
    int64_t early;          // links and renames of files with such bytes
};

static struct control *control;
static const char *folder;
static char watched[DESCRIPTORS];
static char unsynced[DESCRIPTORS];

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("LEADLINE_FAULTS");
    folder = getenv("LEADLINE_FAULTS_FOLDER");
    if (path == NULL || folder == NULL) return;
    int (*real_open)(const char *, int, ...) =
        (int (*)(const char *, int, ...))dlsym(RTLD_NEXT, "open");
    int descriptor = real_open(path, O_RDWR | O_CLOEXEC);
    void *page =
        mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    control = page == MAP_FAILED ? NULL : page;
    close(descriptor);
}

static int inside(const char *path) {
    return control != NULL && path != NULL && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_watched(int descriptor) {
    return control != NULL && descriptor >= 0 && descriptor < DESCRIPTORS && watched[descriptor];
}

static int is_last_call(void) {
    return __atomic_fetch_add(&control->calls, 1, __ATOMIC_SEQ_CST) == control->die_at;
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static void stall(void) {
    if (control->stall_us > 0) {
        struct timespec left = {control->stall_us / 1000000, control->stall_us % 1000000 * 1000};
        while (nanosleep(&left, &left) == -1 && errno == EINTR) {
        }
    }
}

// Counts a call; what it is to fail with.
static int fails(int64_t error) {
    if (is_last_call()) die();
    errno = (int)error;
    return error != 0;
}

// Notes that a file gets a name.
static void name_given(void) {
    control->unsynced_names += 1;
    control->early += control->unsynced > 0;
}

#define REAL(type, name, ...) ((type (*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                                                                 \
    int name(const char *path, int flags, ...) {                                                   \
        va_list rest;                                                                              \
        va_start(rest, flags);                                                                     \
        mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;                    \
        va_end(rest);                                                                              \
        int changes = inside(path) && (flags & O_ACCMODE) != O_RDONLY;                             \
        if (changes && fails(control->change_error)) return -1;                                    \
        int descriptor = REAL(int, name, const char *, int, ...)(path, flags, mode);               \
        if (descriptor >= 0 && descriptor < DESCRIPTORS) watched[descriptor] = (char)inside(path); \
        return descriptor;                                                                         \
    }

OPEN(open)
OPEN(open64)

ssize_t write(int descriptor, const void *data, size_t size) {
    ssize_t (*real)(int, const void *, size_t) = REAL(ssize_t, write, int, const void *, size_t);
    if (!is_watched(descriptor)) return real(descriptor, data, size);
    if (is_last_call()) {
        if (control->torn) real(descriptor, data, size / 2);
        die();
    }
    stall();
    if (control->write_error) {
        errno = (int)control->write_error;
        return -1;
    }
    int64_t budget = control->budget;
    if (budget == 0 && size > 0) {
        errno = ENOSPC;
        return -1;
    }
    if (budget > 0 && (uint64_t)budget < size) size = (size_t)budget;
    ssize_t written = real(descriptor, data, size);
    control->unsynced += !unsynced[descriptor];
    unsynced[descriptor] = 1;
    if (budget > 0 && written > 0) control->budget = budget - written;
    return written;
}

int fsync(int descriptor) {
    if (is_watched(descriptor)) {
        if (fails(control->sync_error)) return -1;
        stall();
        struct stat found;
        if (fstat(descriptor, &found) == 0 && S_ISDIR(found.st_mode)) control->unsynced_names = 0;
        control->unsynced -= unsynced[descriptor];
        unsynced[descriptor] = 0;
    }
    return REAL(int, fsync, int)(descriptor);
}

#define TRUNCATE(name)                                                                             \
    int name(int descriptor, off_t size) {                                                         \
        if (is_watched(descriptor) && fails(control->change_error)) return -1;                     \
        return REAL(int, name, int, off_t)(descriptor, size);                                      \
    }

TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

int rename(const char *from, const char *to) {
    if (inside(to)) {
        if (fails(control->change_error)) return -1;
        name_given();
    }
    return REAL(int, rename, const char *, const char *)(from, to);
}

int link(const char *from, const char *to) {
    if (inside(to)) {
        if (fails(control->change_error)) return -1;
        name_given();
    }
    return REAL(int, link, const char *, const char *)(from, to);
}

int linkat(int from_folder, const char *from, int to_folder, const char *to, int flags) {
    if (inside(to)) {
        if (fails(control->change_error)) return -1;
        name_given();
    }
    return REAL(int, linkat, int, const char *, int, const char *, int)(from_folder, from,
                                                                        to_folder, to, flags);
}

int unlink(const char *path) {
    if (inside(path) && fails(control->change_error)) return -1;
    return REAL(int, unlink, const char *)(path);
}

int close(int descriptor) {
    if (descriptor >= 0 && descriptor < DESCRIPTORS) watched[descriptor] = 0;
    return REAL(int, close, int)(descriptor);
}
