/*
 * An independent client of the enclave channel, for tests and benchmarks: written from the text of cloister_slot.h, sharing
 * no code with the extension. `cc -O2 -shared` makes the library that enclave.py loads; with -DBENCH it is a program.
 */
#define _GNU_SOURCE
#include "cloister_slot.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct client {
    int fd, slot_fd, doorbell_fd;
    uint32_t index;
    uint8_t boot[16];
    cloister_slot *slot;
    cloister_doorbell *bell;
    double success; /* of late spins */
    uint32_t skipped;
};

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* 0; -1 no connection; -2 no welcome within `timeout` seconds (no slot free); -3 a bad welcome. */
int slot_connect(struct client *c, const char *path, double timeout) {
    memset(c, 0, sizeof *c);
    c->success = 0.5;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof address) != 0) {
        if (c->fd >= 0) close(c->fd);
        return -1;
    }
    struct pollfd ready = {c->fd, POLLIN, 0};
    if (poll(&ready, 1, (int)(timeout * 1000)) != 1) return -2;
    cloister_welcome welcome;
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec part = {&welcome, sizeof welcome};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    if (recvmsg(c->fd, &message, MSG_CMSG_CLOEXEC) != sizeof welcome) return -3;
    struct cmsghdr *h = CMSG_FIRSTHDR(&message);
    if (h == NULL || h->cmsg_len != CMSG_LEN(2 * sizeof(int)) || welcome.magic != CLOISTER_SLOT_MAGIC ||
        welcome.version != CLOISTER_SLOT_VERSION || welcome.slot_bytes != CLOISTER_SLOT_BYTES)
        return -3;
    int fds[2];
    memcpy(fds, CMSG_DATA(h), sizeof fds);
    c->slot_fd = fds[0];
    c->doorbell_fd = fds[1];
    c->index = welcome.slot;
    memcpy(c->boot, welcome.boot, 16);
    c->slot = mmap(NULL, CLOISTER_SLOT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fds[0], 0);
    c->bell = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fds[1], 0);
    return c->slot == MAP_FAILED || c->bell == MAP_FAILED ? -3 : 0;
}

void slot_close(struct client *c) {
    if (c->slot) munmap(c->slot, CLOISTER_SLOT_BYTES);
    if (c->bell) munmap(c->bell, 4096);
    if (c->slot_fd) close(c->slot_fd);
    if (c->doorbell_fd) close(c->doorbell_fd);
    close(c->fd);
}

void slot_post(struct client *c, uint32_t opcode, uint32_t length) {
    c->slot->opcode = opcode;
    c->slot->length = length;
    __atomic_store_n(&c->slot->state, CLOISTER_POSTED, __ATOMIC_RELEASE);
    __atomic_fetch_or(&c->bell->pending[c->index / 64], (uint64_t)1 << (c->index % 64), __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&c->bell->bell, 1, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&c->bell->sleepers, __ATOMIC_SEQ_CST) > 0)
        syscall(SYS_futex, &c->bell->bell, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* Spins at most `spin` µs for the answer; rarely, if it seldom helped (the other side then needs this processor). */
static int spin_for_answer(struct client *c, unsigned spin) {
    if (spin == 0 || (c->success < 0.25 && ++c->skipped % 32 != 0)) return 0;
    double until = now() + spin / 1e6;
    do {
        for (int i = 0; i < 8; i++) {
            if (__atomic_load_n(&c->slot->state, __ATOMIC_ACQUIRE) == CLOISTER_DONE) {
                c->success += (1 - c->success) / 16;
                return 1;
            }
            __builtin_ia32_pause();
        }
    } while (now() < until);
    c->success -= c->success / 16;
    return 0;
}

/* The status, or -1 after `timeout` seconds, or -2 if the enclave has gone. */
int slot_wait(struct client *c, double timeout, unsigned spin) {
    double deadline = now() + timeout;
    if (spin_for_answer(c, spin)) goto done;
    for (;;) {
        __atomic_store_n(&c->slot->waiting, 1, __ATOMIC_SEQ_CST);
        uint32_t state = __atomic_load_n(&c->slot->state, __ATOMIC_SEQ_CST);
        if (state != CLOISTER_DONE) {
            struct timespec slice = {0, 20 * 1000000};
            syscall(SYS_futex, &c->slot->state, FUTEX_WAIT, state, &slice, NULL, 0);
        }
        __atomic_store_n(&c->slot->waiting, 0, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&c->slot->state, __ATOMIC_ACQUIRE) == CLOISTER_DONE) goto done;
        char byte;
        if (recv(c->fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK) == 0) return -2;
        if (now() > deadline) return -1;
    }
done:
    c->slot->state = CLOISTER_IDLE;
    return (int)c->slot->status;
}

int slot_call(struct client *c, uint32_t opcode, const void *request, uint32_t length, double timeout) {
    memcpy((char *)c->slot + CLOISTER_SLOT_DATA, request, length);
    slot_post(c, opcode, length);
    return slot_wait(c, timeout, 50);
}

int slot_value(struct client *c) { return c->slot->value; }
uint64_t slot_hash(struct client *c) { return c->slot->hash; }
uint32_t slot_answer(struct client *c, void *buffer, uint32_t capacity) {
    uint32_t n = c->slot->answer_length;
    if (n > capacity || n > CLOISTER_SLOT_DATA_BYTES) return 0;
    memcpy(buffer, (char *)c->slot + CLOISTER_SLOT_DATA, n);
    return n;
}
size_t slot_client_size(void) { return sizeof(struct client); }
uint32_t slot_index(struct client *c) { return c->index; }
const uint8_t *slot_boot(struct client *c) { return c->boot; }
int slot_fd(struct client *c) { return c->fd; }
void *slot_memory(struct client *c) { return c->slot; }
void *slot_doorbell(struct client *c) { return c->bell; }

#ifdef BENCH
/*
 * bench SOCKET CLIENTS SECONDS PAUSE_NS OPCODE < requests: calls per second of the whole. Standard input is a list of
 * requests, each after its length (4 bytes, native); every client goes round the list.
 */
int main(int argc, char **argv) {
    if (argc != 6) return 2;
    int clients = atoi(argv[2]), opcode = atoi(argv[5]);
    double seconds = atof(argv[3]), pause = atof(argv[4]) / 1e9;
    static char requests[1 << 24];
    size_t bytes = fread(requests, 1, sizeof requests, stdin);
    long *counts = mmap(NULL, 4096 * 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < clients; i++) {
        if (fork() != 0) continue;
        struct client c;
        if (slot_connect(&c, argv[1], 10) != 0) _exit(1);
        double end = now() + seconds;
        size_t at = 0;
        long n = 0;
        do {
            for (int k = 0; k < 100; k++, n++) {
                uint32_t length;
                if (at + sizeof length > bytes) at = 0;
                memcpy(&length, requests + at, sizeof length);
                memcpy((char *)c.slot + CLOISTER_SLOT_DATA, requests + at + sizeof length, length);
                at += sizeof length + length;
                slot_post(&c, (uint32_t)opcode, length);
                if (slot_wait(&c, 5, 50) != 0) _exit(1);
                if (pause > 0) {
                    double until = now() + pause;
                    while (now() < until) {}
                }
            }
        } while (now() < end);
        counts[i] = n;
        _exit(0);
    }
    int status, failed = 0;
    while (wait(&status) > 0) failed |= status;
    long total = 0, least = 0;
    for (int i = 0; i < clients; i++) {
        total += counts[i];
        if (i == 0 || counts[i] < least) least = counts[i];
    }
    printf("{\"clients\": %d, \"calls\": %ld, \"calls_per_second\": %.0f, \"ns_per_call\": %.0f, \"least\": %ld}\n", clients,
           total, total / seconds, seconds * 1e9 / total, least);
    return failed != 0;
}
#endif
