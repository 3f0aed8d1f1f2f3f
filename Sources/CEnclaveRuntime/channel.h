/* Internal to CEnclaveRuntime: what the connection server and the worker pool share. */
#ifndef CLOISTER_CHANNEL_H
#define CLOISTER_CHANNEL_H

#include "CEnclaveRuntime.h"
#include "cloister_slot.h"

#include <stdatomic.h>

/*
 * Who may touch a slot's mapping. The server makes it (FREE -> IDLE) and closes it; a worker holds it while it serves.
 *   FREE -> IDLE        server, slot made for a connection
 *   IDLE <-> HELD       worker, around one call
 *   HELD <-> HELD_AGAIN another worker found the slot's next post too soon; the holder sets its bit again
 *   IDLE -> FREE        server, connection closed
 *   HELD… -> CLOSING    server, connection closed in the middle of a call
 *   CLOSING -> DRAINED  worker, call finished: the server is told and makes it FREE
 */
enum slot_use { SLOT_FREE, SLOT_IDLE, SLOT_HELD, SLOT_HELD_AGAIN, SLOT_CLOSING, SLOT_DRAINED };

struct slot_entry {
    _Atomic uint32_t use;
    cloister_slot *slot;
    uint64_t session; /* number of the connection that has the slot; never used again */
    int32_t peer;     /* its process, as the kernel says; 0 unknown */
};

struct channel {
    cloister_doorbell *doorbell;
    int doorbell_fd;
    struct slot_entry *slots;
    uint32_t max_slots;
    uint32_t words; /* of doorbell->pending in use */
    uint32_t workers;
    uint32_t spin_us;
    int drained_fd; /* eventfd: a worker left a slot DRAINED */
    cloister_callbacks callbacks;
};

extern struct channel channel;

/* Starts the pool. 0, or -1 with errno. */
int cloister_workers_start(void);

#endif
