/*
 * The atomic accesses that the channel needs, for Swift: each is one load or store of a field of cloister_slot.h in shared
 * memory. "Read once" is the rule on the enclave's side: the value that was checked is the value that is used.
 */
#ifndef CLOISTER_ATOMIC_H
#define CLOISTER_ATOMIC_H

#include "cloister_slot.h"

#include <string.h>

static inline uint32_t cloister_load32(const uint32_t *at) { return __atomic_load_n(at, __ATOMIC_RELAXED); }
static inline void cloister_store32(uint32_t *at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }
static inline void cloister_store_value(cloister_slot *slot, int32_t value) {
    __atomic_store_n(&slot->value, value, __ATOMIC_RELAXED);
}
static inline void cloister_store64(uint64_t *at, uint64_t value) { __atomic_store_n(at, value, __ATOMIC_RELAXED); }

/* POSTED -> SERVING. 1 if this caller made the step. */
static inline int cloister_slot_take(cloister_slot *slot) {
    uint32_t posted = CLOISTER_POSTED;
    return __atomic_compare_exchange_n(&slot->state, &posted, CLOISTER_SERVING, 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

/* SERVING -> DONE; 1 if the backend sleeps on `state` and must be woken. */
static inline int cloister_slot_finish(cloister_slot *slot) {
    __atomic_store_n(&slot->state, CLOISTER_DONE, __ATOMIC_SEQ_CST);
    return __atomic_load_n(&slot->waiting, __ATOMIC_SEQ_CST) != 0;
}

/* FUTEX_WAKE on `state`, shared between processes. */
void cloister_slot_wake(cloister_slot *slot);

#endif
