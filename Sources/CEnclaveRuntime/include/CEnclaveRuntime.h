/*
 * What the enclave needs below Swift: one protected region that holds the whole heap and every worker's stack, the
 * worker pool, and the server side of the channel (EnclaveABI/cloister_slot.h). Linking this target replaces the C
 * library's malloc family for the whole program, so only the executable `cloister-enclave` may depend on it.
 *
 * Nothing here knows keys, cells or plaintext: a posted slot is handed to a callback.
 */
#ifndef CLOISTER_ENCLAVE_RUNTIME_H
#define CLOISTER_ENCLAVE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#ifndef __clang__ /* Swift reads these; other compilers need not */
#define _Nonnull
#define _Nullable
#endif

/* Region kinds as in schemas/release-v1.md. */
enum cloister_region_kind { CLOISTER_REGION_SECRET = 1, CLOISTER_REGION_MLOCK = 2 };

/* The region is made at the program's first allocation, from the command line: `--region-mib N` (default 64, or what
 * RLIMIT_MEMLOCK leaves without CAP_IPC_LOCK), `--allow-mlock`. If it cannot be made the program ends with status 78. */
int cloister_region_kind(void);
size_t cloister_region_bytes(void);
uintptr_t cloister_region_base(void);
/* Bytes handed out and not yet freed, in whole size classes. */
size_t cloister_region_used(void);
/* Puts memory aside for the calling thread: 1, or 0 if there is none in one piece. Allocations of this thread that fail otherwise
 * are made from it. Swift can't survive an allocation that fails, so whoever may need memory asks first. With at least `plenty`
 * bytes free (0: never) nothing is put aside. */
int cloister_region_reserve(size_t bytes, size_t plenty);
/* What was put aside and not needed is free again. */
void cloister_region_release(void);
/* 1 if the address lies in the region. */
int cloister_region_holds(const void *_Nullable address);

/* No core dumps, not dumpable, no new privileges. 0, or -1 with errno. */
int cloister_harden(void);
/* Once options are read: unmaps whatever is neither secret, sealed nor shared. Nothing to do in the locked kind. 0, or -1. */
int cloister_leave_ordinary_memory(void);
/* Once everything is set up: no files at all, and of the system calls only those in confine.c. 0, or -1 with errno. */
int cloister_confine(void);
/* 1 if Landlock forbids files too, 0 if this kernel has none: the filter of system calls forbids them in any case. Once the
 * server has started. */
int cloister_has_landlock(void);
/* Fills from getrandom(2). 0, or -1. */
int cloister_random(void *_Nonnull bytes, size_t count);

/* One worker's view: made on the worker's own thread and stack. */
typedef struct cloister_callbacks {
    void *_Nullable context;
    /* Returns the worker's own state, handed back to `serve`. */
    void *_Nonnull (*_Nonnull start)(void *_Nullable context, uint32_t worker);
    /* A slot whose bit was set: takes the request if one is posted, answers it. `session`: the connection's number, one of its
     * own for each; `peer`: its process as the kernel says, 0 if unknown. */
    void (*_Nonnull serve)(void *_Nonnull worker, void *_Nonnull slot, uint64_t session, int32_t peer);
    /* The connection is gone and its slot served no more; on the main thread. */
    void (*_Nonnull ended)(void *_Nullable context, uint64_t session);
} cloister_callbacks;

typedef struct cloister_server_options {
    const char *_Nullable socket_path;
    uint32_t socket_mode;
    int64_t socket_uid; /* -1: as created */
    int64_t socket_gid; /* -1: as created */
    int64_t peer_uid;   /* -1: any; else only this user, root and the enclave's own */
    uint32_t max_slots; /* 1...CLOISTER_MAX_SLOTS */
    uint32_t workers;   /* 1...64 */
    uint32_t spin_us;   /* upper bound of an idle worker's spin */
    uint8_t boot[16];
} cloister_server_options;

/* Binds the socket and starts the workers; 0, or -1 with errno and `*what` saying which step failed. */
int cloister_server_start(const cloister_server_options *_Nonnull options, const cloister_callbacks *_Nonnull callbacks,
                          const char *_Nullable *_Nonnull what);
/* Serves connections on the calling thread until the listening socket fails; returns -1 with errno. */
int cloister_server_run(void);

/* The platform's channel: a SOCK_SEQPACKET socketpair inherited as descriptor 3. */
#define CLOISTER_PLATFORM_FD 3
/* A number that no system call has: the filter hands it to the tracer. The same in CTEEPlatform. */
#define CLOISTER_ANNOUNCE_CALL 0x0c10
/* What a message to the platform must be announced with: its SHA-256, as four words. The platform sees it in the registers of a
 * thread that it traces. A copy of descriptor 3 (pidfd_getfd) sends messages that nobody announced. After confine only. */
void cloister_platform_announce(uint64_t a, uint64_t b, uint64_t c, uint64_t d);
/* Sends one message and returns the length of the answer that carries the same first 8 bytes (magic and sequence
 * number), or -1: no platform, or no answer within `timeout_ms`. */
long cloister_platform_ask(const void *_Nonnull request, size_t length, void *_Nonnull answer, size_t capacity,
                           int timeout_ms);
/* Sends one message that has no answer. 0, or -1. */
int cloister_platform_tell(const void *_Nonnull message, size_t length);

#endif
