/* Logs what a process writes, syncs and renames under POWER_ROOT into POWER_TRACE, in order.
 *
 * One lock is held over each operation and its line, so that the order in the trace is the order
 * in which the kernel was asked. Shared memory of SQLite (-shm) is not logged: it dies anyway. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;
static const char *root;
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

__attribute__((constructor)) static void begin(void) {
    root = getenv("POWER_ROOT");
    if (root) trace = REAL(open)(getenv("POWER_TRACE"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int inside(const char *path) {
    size_t n = strlen(path);
    return trace >= 0 && !strncmp(path, root, strlen(root)) && !(n > 4 && !strcmp(path + n - 4, "-shm"));
}

static int named(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, 4095);
    if (n <= 0 || fd == trace) return 0;
    path[n] = 0;
    return inside(path);
}

static void put(char op, const char *path, const char *other, uint64_t at, const void *data, uint64_t size) {
    uint32_t head[3] = {(uint32_t)op, (uint32_t)strlen(path), (uint32_t)strlen(other)};
    uint64_t tail[2] = {at, size};
    __typeof__(&write) out = REAL(write);
    if (out(trace, head, sizeof head) < 0 || out(trace, tail, sizeof tail) < 0) abort();
    if (out(trace, path, head[1]) < 0 || out(trace, other, head[2]) < 0) abort();
    if (size && data && out(trace, data, size) != (ssize_t)size) abort();
}

#define LOCKED(call, condition, logged)      \
    pthread_mutex_lock(&lock);               \
    __typeof__(call) result = call;          \
    if ((condition)) logged;                 \
    pthread_mutex_unlock(&lock);             \
    return result;

ssize_t write(int fd, const void *data, size_t size) {
    char path[4096];
    if (!named(fd, path)) return REAL(write)(fd, data, size);
    struct stat now;
    off_t at = fcntl(fd, F_GETFL) & O_APPEND ? (fstat(fd, &now), now.st_size) : lseek(fd, 0, SEEK_CUR);
    LOCKED(REAL(write)(fd, data, size), result > 0, put('w', path, "", at, data, result))
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    char path[4096];
    if (!named(fd, path)) return REAL(pwrite)(fd, data, size, at);
    LOCKED(REAL(pwrite)(fd, data, size, at), result > 0, put('w', path, "", at, data, result))
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return pwrite(fd, data, size, at); }
int fsync(int fd) {
    char path[4096];
    if (!named(fd, path)) return REAL(fsync)(fd);
    LOCKED(REAL(fsync)(fd), result == 0, put('s', path, "", 0, 0, 0))
}
int fdatasync(int fd) {
    char path[4096];
    if (!named(fd, path)) return REAL(fdatasync)(fd);
    LOCKED(REAL(fdatasync)(fd), result == 0, put('s', path, "", 0, 0, 0))
}
int ftruncate(int fd, off_t size) {
    char path[4096];
    if (!named(fd, path)) return REAL(ftruncate)(fd, size);
    LOCKED(REAL(ftruncate)(fd, size), result == 0, put('t', path, "", size, 0, 0))
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
int unlink(const char *path) {
    if (!inside(path)) return REAL(unlink)(path);
    LOCKED(REAL(unlink)(path), result == 0, put('u', path, "", 0, 0, 0))
}
int rename(const char *path, const char *other) {
    if (!inside(path)) return REAL(rename)(path, other);
    LOCKED(REAL(rename)(path, other), result == 0, put('r', path, other, 0, 0, 0))
}
int mkdir(const char *path, mode_t mode) {
    if (!inside(path)) return REAL(mkdir)(path, mode);
    LOCKED(REAL(mkdir)(path, mode), result == 0, put('m', path, "", 0, 0, 0))
}
static int opened(const char *path, int flags, mode_t mode) {
    int is_new = (flags & O_CREAT) && inside(path) && access(path, F_OK);
    LOCKED(REAL(open)(path, flags, mode), result >= 0 && (is_new || ((flags & O_TRUNC) && inside(path))),
           put(is_new ? 'c' : 't', path, "", 0, 0, 0))
}
#define WITH_MODE(flags)                      \
    va_list more;                             \
    va_start(more, flags);                    \
    mode_t mode = (flags) & O_CREAT ? va_arg(more, mode_t) : 0; \
    va_end(more);
int open(const char *path, int flags, ...) { WITH_MODE(flags) return opened(path, flags, mode); }
int open64(const char *path, int flags, ...) { WITH_MODE(flags) return opened(path, flags, mode); }
int openat(int folder, const char *path, int flags, ...) {
    WITH_MODE(flags)
    if (folder == AT_FDCWD || path[0] == '/') return opened(path, flags, mode);
    return REAL(openat)(folder, path, flags, mode);
}
int openat64(int folder, const char *path, int flags, ...) {
    WITH_MODE(flags)
    return openat(folder, path, flags, mode);
}
