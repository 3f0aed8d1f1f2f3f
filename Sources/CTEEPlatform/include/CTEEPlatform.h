/*
 * System calls of the simulated TEE platform: the sealed image, the traced launch, the guard's event loop, small files.
 * All functions are for one thread, the program's first: a tracer is a thread, not a process.
 */
#ifndef CLOISTER_TEE_PLATFORM_H
#define CLOISTER_TEE_PLATFORM_H

#include <stddef.h>
#include <stdint.h>

/* Copies a file into a memfd sealed against every change. The descriptor, or -1 with errno. */
int cloister_tee_seal_image(const char *_Nonnull path);
/* pread. */
long cloister_tee_read_at(int fd, void *_Nonnull buffer, size_t count, uint64_t offset);
void cloister_tee_close(int fd);

#define CLOISTER_TEE_REASON 128
#define CLOISTER_TEE_ANNOUNCED 8
/* A number that no system call has; CEnclaveRuntime.h. */
#define CLOISTER_TEE_ANNOUNCE_CALL 0x0c10

typedef struct cloister_tee_child {
    int pid;
    int channel; /* this end of the socketpair that the enclave has as descriptor 3 */
    int executed; /* the image runs */
    int sealed;   /* ... out of memory that nobody can change: its start is over */
    int allows_ordinary; /* data outside of secret memory is not held against it: the region's locked kind was asked for */
    char reason[CLOISTER_TEE_REASON]; /* why it was killed, if it was caught at something */
    uint64_t announced[CLOISTER_TEE_ANNOUNCED][4]; /* SHA-256 of messages that its threads announced */
    unsigned next_announced;
} cloister_tee_child;

/* Blocks the signals that `wait` reports. Once, before the first launch. 0, or -1. */
int cloister_tee_prepare(void);
/* Starts the image under this thread's trace, with an empty environment. 0, or -1 with errno. */
int cloister_tee_launch(int image, char *_Nullable const *_Nonnull argv, int allows_ordinary,
                        cloister_tee_child *_Nonnull child);

enum cloister_tee_event {
    CLOISTER_TEE_MESSAGE = 1, /* `length` bytes from the enclave are in the buffer */
    CLOISTER_TEE_ENDED = 2,   /* `status` as of waitpid; the child is reaped */
    CLOISTER_TEE_SIGNAL = 3,  /* the platform itself got SIGTERM or SIGINT */
    CLOISTER_TEE_TIMEOUT = 4,
};
typedef struct cloister_tee_happening {
    int event;
    int status;
    size_t length;
} cloister_tee_happening;

/* Guards the child until something happens that the caller must know. `timeout_ms` -1: no limit. 0, or -1 with errno. */
int cloister_tee_wait(cloister_tee_child *_Nonnull child, void *_Nonnull buffer, size_t capacity, int timeout_ms,
                      cloister_tee_happening *_Nonnull happening);
int cloister_tee_answer(const cloister_tee_child *_Nonnull child, const void *_Nonnull message, size_t length);
/* 1, once, if a thread of the enclave announced a message with this SHA-256: whoever else holds a copy of its descriptor can't. */
int cloister_tee_was_announced(cloister_tee_child *_Nonnull child, const uint8_t *_Nonnull digest);
/* Whether the enclave that was launched last executes the sealed image and nothing else, and, unless `allows_ordinary`, writes to secret memory and
 * slots only. Compares all of its code with the image (`slice` 0), or the next `slice` bytes of all that is mapped from the image.
 * 0, or -1 with `reason` (CLOISTER_TEE_REASON bytes). */
int cloister_tee_inspect(int allows_ordinary, size_t slice, char *_Nonnull reason);
/* SIGKILL, then waits for the end. */
void cloister_tee_kill(cloister_tee_child *_Nonnull child);

/* "exited with status 78", "killed by signal 9 (Killed)". */
void cloister_tee_describe(int status, char *_Nonnull text, size_t capacity);

/* Reads a whole file of at most `capacity` bytes; its length, or -1 with errno. */
long cloister_tee_read_file(const char *_Nonnull path, void *_Nonnull buffer, size_t capacity);
/* Writes a file of the given mode, replacing it in one step and synced to disk. 0, or -1 with errno. */
int cloister_tee_write_file(const char *_Nonnull path, unsigned mode, const void *_Nonnull bytes, size_t length);
/* Makes a folder of mode 0700 unless it is there. */
int cloister_tee_make_folder(const char *_Nonnull path);
/* 1: others than the owner may read or write it. */
int cloister_tee_is_exposed(const char *_Nonnull path);
/* The uid of a user, or of a number; -1 if there is none. The same for a group. */
int64_t cloister_tee_user(const char *_Nonnull name);
int64_t cloister_tee_group(const char *_Nonnull name);
uint64_t cloister_tee_now(void);
/* Milliseconds of a clock that nobody sets. */
int64_t cloister_tee_ticks(void);
int cloister_tee_pid(void);
void cloister_tee_unlink(const char *_Nonnull path);

#endif
