/*
 * The enclave channel, version 1: the one contract between the extension (backend side) and cloister-enclave.
 *
 * A backend connects to the enclave's Unix stream socket. The enclave answers with one `cloister_welcome` and two
 * descriptors (SCM_RIGHTS): the backend's own slot and the doorbell that all backends share; both are ordinary memfds of
 * fixed, sealed size. The socket carries nothing more: its closing frees the slot, and its end-of-file tells the backend
 * that the enclave is gone. With no slot free the enclave does not answer; the backend waits until its deadline.
 *
 * One call: the backend writes `opcode`, `length` and the operands at CLOISTER_SLOT_DATA, stores state = POSTED
 * (release), sets its bit in the doorbell's `pending` (fetch_or), adds 1 to `bell`, and wakes `bell` (FUTEX_WAKE, shared)
 * if `sleepers` > 0. A worker takes the bit (fetch_and), moves POSTED to SERVING (compare-exchange), copies the request
 * once into its protected memory, checks that copy, evaluates, writes the answer, stores state = DONE (release) and wakes
 * `state` if `waiting` is set. The backend spins a bounded time on `state`, then sets `waiting` and sleeps on it in slices,
 * looking between slices at interrupts, the deadline and the socket. A backend that gives up closes its socket: a slot is
 * never used again after an abandoned call.
 *
 * Everything in a slot is written by an untrusted party: the enclave reads each field once and checks the copy. No field
 * ever carries plaintext or a key. Integers are native (little) endian; cells are as in schemas/cell-v1.md.
 */
#ifndef CLOISTER_SLOT_H
#define CLOISTER_SLOT_H

#include <stdint.h>

#define CLOISTER_SLOT_MAGIC 0x4c534c43u /* "CLSL" */
#define CLOISTER_SLOT_VERSION 1u
#define CLOISTER_MAX_SLOTS 4096u
#define CLOISTER_SLOT_BYTES (1u << 20)
#define CLOISTER_SLOT_DATA 4096u /* offset of the operands and of the answer's bytes */
#define CLOISTER_SLOT_DATA_BYTES (CLOISTER_SLOT_BYTES - CLOISTER_SLOT_DATA)

/* Sent once over the socket, with the descriptors {slot, doorbell}. 32 bytes. */
typedef struct cloister_welcome {
    uint32_t magic;
    uint32_t version;
    uint32_t slot;       /* index: the bit in the doorbell's `pending` */
    uint32_t slot_bytes; /* size of the slot's memfd */
    uint8_t boot[16];    /* random, drawn at the enclave's start: tells one enclave from the next */
} cloister_welcome;

enum cloister_state { CLOISTER_IDLE = 0, CLOISTER_POSTED = 1, CLOISTER_SERVING = 2, CLOISTER_DONE = 3 };

enum cloister_opcode {
    CLOISTER_OP_PING = 1,    /* no operands */
    CLOISTER_OP_COMPARE = 2, /* cloister_pair, cell a, cell b -> value -1, 0, 1 */
    CLOISTER_OP_HASH = 3,    /* one cell of `length` bytes -> hash (64 bits, keyed by the CEK, equal for equal values) */
    CLOISTER_OP_MATCH = 4,   /* cloister_match, value cell, pattern cell -> value 0, 1 */
    CLOISTER_OP_AGGREGATE = 5, /* cloister_aggregate, then `count` times: length (32 bits), cell -> with LAST a result cell */
    CLOISTER_OP_TUNNEL = 16, /* a frame of schemas/release-v1.md -> a frame of `length` bytes at CLOISTER_SLOT_DATA */
};

/* Before the two cells of COMPARE, at CLOISTER_SLOT_DATA; the cells follow without padding. 8 bytes. */
typedef struct cloister_pair {
    uint32_t a_bytes;
    uint32_t b_bytes;
} cloister_pair;

/* How a value is matched against a pattern. */
enum cloister_pattern {
    CLOISTER_LIKE = 1,   /* SQL's LIKE with backslash as escape character */
    CLOISTER_ILIKE = 2,  /* the same, both sides in lower case */
    CLOISTER_PREFIX = 3, /* starts_with: the pattern is text */
};

/* Before the two cells of MATCH, at CLOISTER_SLOT_DATA; the cells follow without padding. 12 bytes. */
typedef struct cloister_match {
    uint32_t kind; /* cloister_pattern */
    uint32_t value_bytes;
    uint32_t pattern_bytes;
} cloister_match;

enum cloister_aggregate_function {
    CLOISTER_SUM = 1,
    CLOISTER_AVG = 2,
    CLOISTER_STDDEV_POP = 3,
    CLOISTER_STDDEV_SAMP = 4,
    CLOISTER_VAR_POP = 5,
    CLOISTER_VAR_SAMP = 6,
};

#define CLOISTER_AGGREGATE_FIRST 1u /* a group begins: whatever the slot had under way is forgotten */
#define CLOISTER_AGGREGATE_LAST 2u  /* it ends: the answer is a result cell of `length` bytes at CLOISTER_SLOT_DATA */

/*
 * One part of a group, at CLOISTER_SLOT_DATA; a group may take several requests, of one slot, with nothing in between. Cells of
 * int2, int4, int8 and numeric come in ascending order of their bytes 8..23 (writer id, counter), over the whole group; those of
 * float4 and float8 in the order in which they are to be added. A cell may be in a group once. 12 bytes.
 */
typedef struct cloister_aggregate {
    uint32_t function; /* cloister_aggregate_function */
    uint32_t flags;
    uint32_t count;
} cloister_aggregate;

/* What a request is for, as the server says. Untrusted: it widens nothing but what the key's policy allows anyone. */
enum cloister_purpose {
    CLOISTER_QUERY = 0,
    CLOISTER_MAINTENANCE = 1, /* VACUUM, REINDEX, CLUSTER, an index build: stored cells only */
};

enum cloister_status {
    CLOISTER_OK = 0,
    CLOISTER_BAD_REQUEST = 1, /* opcode, length or framing */
    CLOISTER_BAD_CELL = 2,    /* malformed, or its tag does not verify */
    CLOISTER_NO_KEY = 3,      /* the key was not released to this enclave */
    CLOISTER_MISMATCH = 4,    /* the cells differ in key, type, collation or algorithm, or their roles may not meet */
    CLOISTER_FORBIDDEN = 5,   /* the key's policy does not allow the operation */
    CLOISTER_TOO_LARGE = 6,
    CLOISTER_NO_MEMORY = 7,
    CLOISTER_DISABLED = 8, /* the enclave has shut itself off */
    CLOISTER_BAD_PATTERN = 9,       /* MATCH: the pattern ends with its escape character */
    CLOISTER_NONDETERMINISTIC = 10, /* MATCH: PostgreSQL matches no patterns under a nondeterministic collation */
    CLOISTER_SMALL_GROUP = 11,      /* AGGREGATE: fewer cells than the key's policy asks for */
    CLOISTER_REPEATED_CELL = 12,    /* AGGREGATE: a cell is in the group twice */
    CLOISTER_OUT_OF_RANGE = 13,     /* AGGREGATE: the result's type can't hold it */
    CLOISTER_UNGRANTED = 14,        /* the key is served only to sessions that a proxy vouched for */
    CLOISTER_LIMIT = 15,            /* the session has asked as much of the key as its policy allows */
};

/* The slot. Line 0 is written once by the enclave; the rest by both sides in turn. */
typedef struct cloister_slot {
    /* 0 */
    uint32_t magic;
    uint32_t version;
    uint32_t index;
    uint32_t bytes;
    uint8_t pad0[48];
    /* 64: the handshake; accessed atomically */
    uint32_t state;   /* cloister_state; a shared futex word */
    uint32_t waiting; /* 1 while the backend sleeps on `state` */
    uint8_t pad1[56];
    /* 128: the request */
    uint32_t opcode;
    uint32_t length; /* bytes of operands at CLOISTER_SLOT_DATA */
    uint32_t purpose; /* cloister_purpose */
    uint8_t pad2[52];
    /* 192: the answer */
    uint32_t status;
    int32_t value;
    uint64_t hash;
    uint32_t answer_length; /* bytes at CLOISTER_SLOT_DATA, TUNNEL and AGGREGATE */
    uint8_t pad3[44];
} cloister_slot;

/* The doorbell: one page, shared by all backends and workers. Accessed atomically. */
typedef struct cloister_doorbell {
    /* 0 */
    uint32_t bell; /* counts posts; a shared futex word on which idle workers sleep */
    uint8_t pad0[60];
    /* 64 */
    uint32_t sleepers; /* workers asleep on `bell` */
    uint8_t pad1[60];
    /* 128 */
    uint64_t pending[CLOISTER_MAX_SLOTS / 64];
} cloister_doorbell;

_Static_assert(sizeof(cloister_welcome) == 32, "welcome");
_Static_assert(sizeof(cloister_aggregate) == 12, "aggregate");
_Static_assert(sizeof(cloister_match) == 12, "match");
_Static_assert(sizeof(cloister_slot) == 256, "slot header");
_Static_assert(sizeof(cloister_doorbell) == 640, "doorbell");

#endif
