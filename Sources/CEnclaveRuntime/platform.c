/* The platform's channel: one question at a time over the inherited socketpair. Workers only, but for `tell`. */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;

static long milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void cloister_platform_announce(uint64_t a, uint64_t b, uint64_t c, uint64_t d) { syscall(CLOISTER_ANNOUNCE_CALL, a, b, c, d); }

int cloister_platform_tell(const void *message, size_t length) {
    return send(CLOISTER_PLATFORM_FD, message, length, MSG_NOSIGNAL) == (ssize_t)length ? 0 : -1;
}

long cloister_platform_ask(const void *request, size_t length, void *answer, size_t capacity, int timeout_ms) {
    if (length < 8 || capacity < 8) return -1;
    long result = -1;
    /* One worker waits for the platform at a time; the others have comparisons to do. */
    struct timespec patience;
    clock_gettime(CLOCK_REALTIME, &patience);
    patience.tv_nsec += 100 * 1000000;
    if (patience.tv_nsec >= 1000000000) {
        patience.tv_sec++;
        patience.tv_nsec -= 1000000000;
    }
    if (pthread_mutex_timedlock(&turn, &patience) != 0) return -1;
    if (cloister_platform_tell(request, length) == 0) {
        long deadline = milliseconds() + timeout_ms;
        for (;;) {
            long left = deadline - milliseconds();
            if (left <= 0) break;
            struct pollfd ready = {CLOISTER_PLATFORM_FD, POLLIN, 0};
            int n = poll(&ready, 1, (int)left);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) break;
            ssize_t got = recv(CLOISTER_PLATFORM_FD, answer, capacity, MSG_DONTWAIT | MSG_TRUNC);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) continue;
            if (got <= 0) break;
            if ((size_t)got > capacity || got < 8 || memcmp(answer, request, 8) != 0) continue; /* an older question's */
            result = got;
            break;
        }
    }
    pthread_mutex_unlock(&turn);
    return result;
}
