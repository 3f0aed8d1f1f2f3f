/* The measured image: what is sealed is what is measured is what runs. */
#define _GNU_SOURCE
#include "CTEEPlatform.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

int cloister_tee_seal_image(const char *path) {
    int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0) return -1;
    int to = memfd_create("cloister-enclave", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (to < 0 && errno == EINVAL) to = memfd_create("cloister-enclave", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int failure = to < 0 ? errno : 0;
    static char buffer[1 << 16];
    while (failure == 0) {
        ssize_t n = read(from, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) failure = errno;
        if (n <= 0) break;
        for (ssize_t done = 0; done < n && failure == 0;) {
            ssize_t written = write(to, buffer + done, (size_t)(n - done));
            if (written < 0 && errno != EINTR) failure = errno;
            if (written > 0) done += written;
        }
    }
    if (failure == 0 && fchmod(to, 0500) != 0) failure = errno;
    if (failure == 0 && fcntl(to, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) failure = errno;
    close(from);
    if (failure != 0) {
        if (to >= 0) close(to);
        errno = failure;
        return -1;
    }
    return to;
}

long cloister_tee_read_at(int fd, void *buffer, size_t count, uint64_t offset) {
    for (;;) {
        ssize_t n = pread(fd, buffer, count, (off_t)offset);
        if (n >= 0 || errno != EINTR) return n;
    }
}

void cloister_tee_close(int fd) { close(fd); }
