/*
 * The connection server, on the main thread: accepts backends, gives each a slot (a fresh sealed memfd) or lets it wait,
 * and frees the slot when the socket closes. A freed slot's memory is never given to another backend.
 */
#define _GNU_SOURCE
#include "channel.h"
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif

enum { MAX_WAITING = 1024, EVENTS = 64 };
enum { TAG_LISTENER = 0xffffffffu, TAG_DRAINED = 0xfffffffeu };
enum conn_kind { CONN_FREE, CONN_WAITING, CONN_ACTIVE };

struct conn {
    enum conn_kind kind;
    int fd;
    uint32_t generation;     /* tells this connection's events from those of an earlier one */
    uint32_t slot;           /* CONN_ACTIVE */
    int32_t previous, next;  /* CONN_WAITING: the queue, oldest first; CONN_FREE: next only */
};

static struct {
    int epoll, listener;
    int64_t peer_uid;
    uint8_t boot[16];
    struct conn *conns;
    uint32_t conn_count;
    int32_t free_conn, first_waiting, last_waiting;
    int listening;
} server;

static int make_sealed(const char *name, size_t bytes, void **mapping) {
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL);
    if (fd < 0 && errno == EINVAL) fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    if (ftruncate(fd, (off_t)bytes) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0) {
        void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (at != MAP_FAILED) {
            *mapping = at;
            return fd;
        }
    }
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

static int watch(int fd, uint32_t tag, uint32_t generation, uint32_t events) {
    struct epoll_event event = {.events = events, .data.u64 = (uint64_t)generation << 32 | tag};
    return epoll_ctl(server.epoll, EPOLL_CTL_ADD, fd, &event);
}

static void set_listening(int on) {
    if (server.listening == on) return;
    struct epoll_event event = {.events = on ? EPOLLIN : 0, .data.u64 = TAG_LISTENER};
    epoll_ctl(server.epoll, EPOLL_CTL_MOD, server.listener, &event);
    server.listening = on;
}

static int send_welcome(int fd, uint32_t index, int slot_fd) {
    cloister_welcome welcome = {CLOISTER_SLOT_MAGIC, CLOISTER_SLOT_VERSION, index, CLOISTER_SLOT_BYTES, {0}};
    memcpy(welcome.boot, server.boot, sizeof welcome.boot);
    int fds[2] = {slot_fd, channel.doorbell_fd};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof fds)];
    } control = {0};
    struct iovec part = {&welcome, sizeof welcome};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fds);
    memcpy(CMSG_DATA(c), fds, sizeof fds);
    return sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)sizeof welcome ? 0 : -1;
}

static void forget(struct conn *conn) {
    close(conn->fd);
    conn->kind = CONN_FREE;
    conn->generation++;
    conn->next = server.free_conn;
    server.free_conn = (int32_t)(conn - server.conns);
    set_listening(1);
}

static void leave_queue(struct conn *conn) {
    if (conn->previous >= 0) server.conns[conn->previous].next = conn->next;
    else server.first_waiting = conn->next;
    if (conn->next >= 0) server.conns[conn->next].previous = conn->previous;
    else server.last_waiting = conn->previous;
}

static void free_slot(struct slot_entry *entry) {
    munmap(entry->slot, CLOISTER_SLOT_BYTES);
    entry->slot = NULL;
    channel.callbacks.ended(channel.callbacks.context, entry->session);
    atomic_store(&entry->use, SLOT_FREE);
}

static int32_t peer_process(int fd) {
    struct ucred peer;
    socklen_t length = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 ? peer.pid : 0;
}

/* Gives `conn` a slot. 0: none free; 1: done, or the connection was dropped for want of memory. */
static int give_slot(struct conn *conn) {
    uint32_t index = 0;
    while (index < channel.max_slots && atomic_load(&channel.slots[index].use) != SLOT_FREE) index++;
    if (index == channel.max_slots) return 0;
    if (conn->kind == CONN_WAITING) leave_queue(conn);
    struct slot_entry *entry = &channel.slots[index];
    void *mapping;
    int fd = make_sealed("cloister-slot", CLOISTER_SLOT_BYTES, &mapping);
    if (fd < 0) {
        forget(conn);
        return 1;
    }
    static uint64_t sessions;
    entry->session = ++sessions;
    entry->peer = peer_process(conn->fd);
    entry->slot = mapping;
    entry->slot->magic = CLOISTER_SLOT_MAGIC;
    entry->slot->version = CLOISTER_SLOT_VERSION;
    entry->slot->index = index;
    entry->slot->bytes = CLOISTER_SLOT_BYTES;
    __atomic_fetch_and(&channel.doorbell->pending[index / 64], ~((uint64_t)1 << (index % 64)), __ATOMIC_ACQ_REL);
    conn->kind = CONN_ACTIVE;
    conn->slot = index;
    int sent = send_welcome(conn->fd, index, fd);
    close(fd);
    if (sent != 0) {
        free_slot(entry);
        forget(conn);
        return 1;
    }
    atomic_store(&entry->use, SLOT_IDLE);
    return 1;
}

static void serve_waiting(void) {
    while (server.first_waiting >= 0 && give_slot(&server.conns[server.first_waiting])) {}
}

static void closed(struct conn *conn) {
    if (conn->kind == CONN_WAITING) {
        leave_queue(conn);
    } else {
        struct slot_entry *entry = &channel.slots[conn->slot];
        /* Idle: ours at once. Held: the worker that has it drains it. */
        uint32_t use = SLOT_IDLE;
        while (!atomic_compare_exchange_weak(&entry->use, &use, SLOT_CLOSING)) {}
        if (use == SLOT_IDLE) free_slot(entry);
    }
    forget(conn);
    serve_waiting();
}

static void collect_drained(void) {
    uint64_t count;
    ssize_t ignored = read(channel.drained_fd, &count, sizeof count);
    (void)ignored;
    for (uint32_t i = 0; i < channel.max_slots; i++)
        if (atomic_load(&channel.slots[i].use) == SLOT_DRAINED) free_slot(&channel.slots[i]);
    serve_waiting();
}

static int peer_allowed(int fd) {
    if (server.peer_uid < 0) return 1;
    struct ucred peer;
    socklen_t length = sizeof peer;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return 0;
    return peer.uid == (uid_t)server.peer_uid || peer.uid == 0 || peer.uid == geteuid();
}

static void accept_all(void) {
    for (;;) {
        if (server.free_conn < 0) {
            set_listening(0); /* the rest wait in the listening socket's queue */
            return;
        }
        int fd = accept4(server.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) {
                set_listening(0);
                usleep(1000);
                set_listening(1);
            }
            return;
        }
        if (!peer_allowed(fd)) {
            close(fd);
            continue;
        }
        uint32_t number = (uint32_t)server.free_conn;
        struct conn *conn = &server.conns[number];
        server.free_conn = conn->next;
        conn->fd = fd;
        conn->kind = CONN_WAITING;
        conn->previous = server.last_waiting;
        conn->next = -1;
        if (server.last_waiting >= 0) server.conns[server.last_waiting].next = (int32_t)number;
        else server.first_waiting = (int32_t)number;
        server.last_waiting = (int32_t)number;
        if (watch(fd, number, conn->generation, EPOLLIN | EPOLLRDHUP) != 0) {
            leave_queue(conn);
            forget(conn);
            continue;
        }
        serve_waiting();
    }
}

static int open_listener(const cloister_server_options *options) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (options->socket_path == NULL || strlen(options->socket_path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    strcpy(address.sun_path, options->socket_path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int in_use = probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof address) == 0;
    if (probe >= 0) close(probe);
    if (in_use) {
        errno = EADDRINUSE; /* another enclave answers there */
        return -1;
    }
    struct stat found;
    if (lstat(options->socket_path, &found) == 0 && S_ISSOCK(found.st_mode)) unlink(options->socket_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    mode_t mask = umask(0777 & ~options->socket_mode);
    int bound = bind(fd, (struct sockaddr *)&address, sizeof address);
    int why = errno;
    umask(mask);
    errno = why;
    if (bound != 0) return -1;
    if ((options->socket_uid >= 0 || options->socket_gid >= 0) &&
        chown(options->socket_path, (uid_t)options->socket_uid, (gid_t)options->socket_gid) != 0)
        return -1;
    if (chmod(options->socket_path, options->socket_mode) != 0) return -1;
    if (listen(fd, 4096) != 0) return -1;
    return fd;
}

int cloister_server_start(const cloister_server_options *options, const cloister_callbacks *callbacks, const char **what) {
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    *what = "the doorbell";
    void *mapping;
    channel.doorbell_fd = make_sealed("cloister-doorbell", CLOISTER_PAGE, &mapping);
    if (channel.doorbell_fd < 0) return -1;
    channel.doorbell = mapping;
    channel.max_slots = options->max_slots;
    channel.words = (options->max_slots + 63) / 64;
    channel.workers = options->workers;
    channel.spin_us = options->spin_us;
    channel.callbacks = *callbacks;
    channel.slots = calloc(options->max_slots, sizeof *channel.slots);
    server.conn_count = options->max_slots + MAX_WAITING;
    server.conns = calloc(server.conn_count, sizeof *server.conns);
    *what = "the slot table";
    if (channel.slots == NULL || server.conns == NULL) return -1;
    for (uint32_t i = 0; i < server.conn_count; i++) server.conns[i].next = i + 1 < server.conn_count ? (int32_t)i + 1 : -1;
    server.first_waiting = server.last_waiting = -1;
    server.peer_uid = options->peer_uid;
    memcpy(server.boot, options->boot, sizeof server.boot);
    *what = "the event queue";
    channel.drained_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server.epoll = epoll_create1(EPOLL_CLOEXEC);
    if (channel.drained_fd < 0 || server.epoll < 0) return -1;
    *what = "the socket";
    server.listener = open_listener(options);
    if (server.listener < 0) return -1;
    if (watch(server.listener, TAG_LISTENER, 0, EPOLLIN) != 0 || watch(channel.drained_fd, TAG_DRAINED, 0, EPOLLIN) != 0) return -1;
    server.listening = 1;
    *what = "Landlock";
    if (cloister_forbid_files() != 0) return -1;
    *what = "the workers";
    return cloister_workers_start();
}

int cloister_server_run(void) {
    struct epoll_event events[EVENTS];
    for (;;) {
        int n = epoll_wait(server.epoll, events, EVENTS, -1);
        if (n < 0 && errno != EINTR) return -1;
        for (int i = 0; i < n; i++) {
            uint32_t tag = (uint32_t)events[i].data.u64, generation = (uint32_t)(events[i].data.u64 >> 32);
            if (tag == TAG_LISTENER) {
                if (events[i].events & (EPOLLERR | EPOLLHUP)) return -1;
                accept_all();
            } else if (tag == TAG_DRAINED) {
                collect_drained();
            } else if (server.conns[tag].kind != CONN_FREE && server.conns[tag].generation == generation) {
                closed(&server.conns[tag]); /* end of file, or bytes that have no business there */
            }
        }
    }
}
