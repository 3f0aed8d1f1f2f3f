/* Small files of the platform's state folder, and names of users. */
#define _GNU_SOURCE
#include "CTEEPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

long cloister_tee_read_file(const char *path, void *buffer, size_t capacity) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t length = 0;
    while (length < capacity) {
        ssize_t n = read(fd, (char *)buffer + length, capacity - length);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            int why = errno;
            close(fd);
            errno = why;
            return -1;
        }
        if (n == 0) break;
        length += (size_t)n;
    }
    close(fd);
    return (long)length;
}

int cloister_tee_write_file(const char *path, unsigned mode, const void *bytes, size_t length) {
    char temporary[4096];
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary) {
        errno = ENAMETOOLONG;
        return -1;
    }
    unlink(temporary);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) return -1;
    int failure = fchmod(fd, mode) != 0 ? errno : 0;
    for (size_t done = 0; done < length && failure == 0;) {
        ssize_t n = write(fd, (const char *)bytes + done, length - done);
        if (n < 0 && errno != EINTR) failure = errno;
        if (n > 0) done += (size_t)n;
    }
    if (failure == 0 && fsync(fd) != 0) failure = errno;
    close(fd);
    if (failure == 0 && rename(temporary, path) != 0) failure = errno;
    if (failure != 0) {
        unlink(temporary);
        errno = failure;
        return -1;
    }
    return 0;
}

int cloister_tee_make_folder(const char *path) { return mkdir(path, 0700) == 0 || errno == EEXIST ? 0 : -1; }

int cloister_tee_is_exposed(const char *path) {
    struct stat found;
    return stat(path, &found) == 0 && (found.st_mode & 077) != 0;
}

static int64_t number(const char *text) {
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno == 0 && end != text && *end == 0 && value >= 0 && value < 0xffffffffLL ? value : -1;
}

int64_t cloister_tee_user(const char *name) {
    struct passwd *entry = getpwnam(name);
    return entry != NULL ? (int64_t)entry->pw_uid : number(name);
}

int64_t cloister_tee_group(const char *name) {
    struct group *entry = getgrnam(name);
    return entry != NULL ? (int64_t)entry->gr_gid : number(name);
}

uint64_t cloister_tee_now(void) { return (uint64_t)time(NULL); }
int64_t cloister_tee_ticks(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}
int cloister_tee_pid(void) { return (int)getpid(); }
void cloister_tee_unlink(const char *path) { unlink(path); }
