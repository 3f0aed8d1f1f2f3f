/*
 * The worker pool: threads whose stacks lie in the protected region. They find posted slots by the doorbell's bits.
 *
 * At most one idle worker spins; the rest sleep on `bell`. `sleepers` (what makes a backend pay for a wake-up) is published
 * only while no worker is awake to look: a lone backend and a spinning worker hand over without a system call. A worker
 * that finds more posts than it can take wakes another. The bits and the bell are written by anyone: a lost or
 * forged one costs time, never more; a slow scan after each unanswered sleep finds what was lost.
 */
#define _GNU_SOURCE
#include "channel.h"
#include "region.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct channel channel;

enum { STACK_BYTES = (256 << 10) - 2 * CLOISTER_PAGE, SLOW_SCAN_MS = 200, LONG_REQUEST = 16 << 10, BACKLOG_PATIENCE = 4, PROBE_EVERY = 16 };
enum { SHORT_SPIN_NS = 4000, PREEMPTED_NS = 200000, LEAST_BACKOFF_NS = 20000000, MOST_BACKOFF_NS = 320000000 };

static _Atomic uint32_t awake;    /* workers that look at the doorbell or will within a few µs */
static _Atomic uint32_t started;  /* workers that have their state: what the C library asks of the kernel for a thread is behind them */
static _Atomic uint32_t sleeping; /* workers asleep on the bell, or about to */

static inline void relax(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static uint64_t clock_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/*
 * Time for the spinning, which asks often: the processor's counter. The kernel's clock would be a system call: there is no vdso
 * (start.c). A counter that stops or jumps costs spins, nothing else.
 */
static uint64_t nanoseconds_per_tick; /* as 32.32 bits */
#if defined(__x86_64__)
static inline uint64_t ticks(void) { return __builtin_ia32_rdtsc(); }
#elif defined(__aarch64__)
static inline uint64_t ticks(void) {
    uint64_t value;
    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
}
#endif
static uint64_t now_ns(void) { return (uint64_t)((unsigned __int128)ticks() * nanoseconds_per_tick >> 32); }

static void learn_ticks(void) {
    uint64_t from = ticks(), start = clock_ns();
    usleep(2000);
    uint64_t passed = ticks() - from, elapsed = clock_ns() - start;
    nanoseconds_per_tick = passed == 0 ? (uint64_t)1 << 32 : (uint64_t)(((unsigned __int128)elapsed << 32) / passed);
}

static void bell_wait(uint32_t seen) {
    struct timespec limit = {0, SLOW_SCAN_MS * 1000000L};
    syscall(SYS_futex, &channel.doorbell->bell, FUTEX_WAIT, seen, &limit, NULL, 0);
}
static void bell_wake(void) { syscall(SYS_futex, &channel.doorbell->bell, FUTEX_WAKE, 1, NULL, NULL, 0); }

static int any_pending(void) {
    for (uint32_t w = 0; w < channel.words; w++)
        if (__atomic_load_n(&channel.doorbell->pending[w], __ATOMIC_RELAXED) != 0) return 1;
    return 0;
}

/* Takes one set bit, round robin from `*cursor`. -1: none. */
static int take(uint32_t *cursor) {
    uint32_t start = *cursor / 64;
    for (uint32_t i = 0; i <= channel.words; i++) {
        uint32_t w = (start + i) % channel.words;
        uint64_t bits = __atomic_load_n(&channel.doorbell->pending[w], __ATOMIC_RELAXED);
        if (i == 0) bits &= ~(uint64_t)0 << (*cursor % 64);
        while (bits != 0) {
            uint64_t bit = bits & -bits;
            if (__atomic_fetch_and(&channel.doorbell->pending[w], ~bit, __ATOMIC_ACQ_REL) & bit) {
                uint32_t index = w * 64 + (uint32_t)__builtin_ctzl(bit);
                *cursor = (index + 1) % (channel.words * 64);
                return (int)index;
            }
            bits &= ~bit;
        }
    }
    return -1;
}

static void stop_watching(void) {
    if (atomic_fetch_sub(&awake, 1) == 1)
        __atomic_store_n(&channel.doorbell->sleepers, atomic_load(&sleeping), __ATOMIC_SEQ_CST);
}
static void start_watching(void) {
    atomic_fetch_add(&awake, 1);
    __atomic_store_n(&channel.doorbell->sleepers, 0, __ATOMIC_SEQ_CST);
}

static void set_pending(uint32_t index) {
    __atomic_fetch_or(&channel.doorbell->pending[index / 64], (uint64_t)1 << (index % 64), __ATOMIC_ACQ_REL);
}

/*
 * Takes a slot for this thread. 0: it is not in use, or another thread has it. The next post can come, and its bit be taken
 * by another worker, before the one that answered the last has let go of the slot: that one is then told to set the bit again.
 */
static int hold(struct slot_entry *entry) {
    for (;;) {
        uint32_t use = SLOT_IDLE;
        if (atomic_compare_exchange_strong(&entry->use, &use, SLOT_HELD)) return 1;
        if (use != SLOT_HELD) return 0;
        if (atomic_compare_exchange_strong(&entry->use, &use, SLOT_HELD_AGAIN)) return 0;
    }
}

/* Lets go of a held slot. */
static void release(struct slot_entry *entry, uint32_t index) {
    for (;;) {
        uint32_t use = SLOT_HELD;
        if (atomic_compare_exchange_strong(&entry->use, &use, SLOT_IDLE)) return;
        if (use != SLOT_HELD_AGAIN) break;
        if (atomic_compare_exchange_strong(&entry->use, &use, SLOT_HELD)) set_pending(index);
    }
    /* Closing: what was drained is the server's to free. */
    atomic_store(&entry->use, SLOT_DRAINED);
    uint64_t one = 1;
    ssize_t ignored = write(channel.drained_fd, &one, sizeof one);
    (void)ignored;
}

/* Serves slot `index` if it is in use; the bit may be anyone's invention. */
static void serve(void *worker, uint32_t index) {
    if (index >= channel.max_slots) return;
    struct slot_entry *entry = &channel.slots[index];
    if (!hold(entry)) return;
    /* A hint only: while this one is busy for long, posts must wake somebody else. */
    int is_long = __atomic_load_n(&entry->slot->length, __ATOMIC_RELAXED) > LONG_REQUEST ||
                  __atomic_load_n(&entry->slot->opcode, __ATOMIC_RELAXED) == CLOISTER_OP_TUNNEL;
    if (is_long) {
        stop_watching();
        if (any_pending()) bell_wake();
    }
    channel.callbacks.serve(worker, entry->slot, entry->session, entry->peer);
    if (is_long) start_watching();
    release(entry, index);
}

/* Sets the bits of posted slots whose bit somebody cleared. */
static void slow_scan(void) {
    for (uint32_t i = 0; i < channel.max_slots; i++) {
        struct slot_entry *entry = &channel.slots[i];
        if (!hold(entry)) continue;
        if (__atomic_load_n(&entry->slot->state, __ATOMIC_ACQUIRE) == CLOISTER_POSTED) set_pending(i);
        release(entry, i);
    }
}

/* What a worker has learnt about spinning. Times in ns. */
struct spinner {
    uint64_t expected; /* moving average of how long the bell took to ring */
    uint32_t skipped;
    uint64_t contended_until, backoff;
};

/*
 * Spins until the bell rings, if the past says that it will soon: a spin in vain counts as four times the bound, and while
 * spinning does not pay, one idle time in 16 tries again.
 *
 * A spinning worker that was preempted took a processor from somebody who needed it, a backend most likely. Then only
 * short spins are made for a while, and for longer each time it happens again: with more clients than processors
 * the processors are the clients', and a burst of calls of one of them is still caught.
 * 1: it rang.
 */
static int spin(uint32_t seen, struct spinner *s) {
    const uint64_t most = (uint64_t)channel.spin_us * 1000;
    if (most == 0) return 0;
    uint64_t start = now_ns(), last = start, elapsed = 0, limit = most;
    int contended = start < s->contended_until;
    if (contended) {
        limit = most < SHORT_SPIN_NS ? most : SHORT_SPIN_NS;
    } else if (s->expected < most) {
        limit = 2 * s->expected + 2000;
        if (limit > most) limit = most;
    } else if (++s->skipped % PROBE_EVERY != 0) {
        return 0;
    }
    int rang = 0;
    do {
        for (int i = 0; i < 32 && !rang; i++) {
            rang = __atomic_load_n(&channel.doorbell->bell, __ATOMIC_ACQUIRE) != seen;
            relax();
        }
        uint64_t now = now_ns();
        if (now - last > PREEMPTED_NS) {
            int again = now < s->contended_until + 2 * s->backoff;
            s->backoff = again ? s->backoff * 2 : LEAST_BACKOFF_NS;
            if (s->backoff > MOST_BACKOFF_NS) s->backoff = MOST_BACKOFF_NS;
            s->contended_until = now + s->backoff;
            return rang;
        }
        last = now;
        elapsed = now - start;
    } while (!rang && elapsed < limit);
    if (rang) s->expected = s->expected - s->expected / 4 + elapsed / 4;
    else if (!contended) s->expected = s->expected - s->expected / 8 + most / 2;
    return rang;
}

static void *worker_main(void *argument) {
    uint32_t number = (uint32_t)(uintptr_t)argument;
    /* The C library puts a thread's own storage on the stack that it is given. */
    if (!cloister_region_holds(&number) || !cloister_region_holds(&errno) || !cloister_region_holds(__builtin_thread_pointer()))
        cloister_panic("a worker's stack or thread-local storage lies outside the protected region");
    void *worker = channel.callbacks.start(channel.callbacks.context, number);
    atomic_fetch_add(&started, 1);
    uint32_t cursor = 0, backlog = 0;
    struct spinner spinner = {.expected = (uint64_t)channel.spin_us * 250};
    start_watching();
    for (;;) {
        uint32_t seen = __atomic_load_n(&channel.doorbell->bell, __ATOMIC_SEQ_CST);
        int index = take(&cursor);
        if (index >= 0) {
            if (any_pending()) {
                if (++backlog >= BACKLOG_PATIENCE && atomic_load_explicit(&sleeping, memory_order_relaxed) > 0) {
                    backlog = 0;
                    bell_wake();
                }
            } else {
                backlog = 0;
            }
            serve(worker, (uint32_t)index);
            continue;
        }
        backlog = 0;
        if (atomic_load(&awake) == 1 && spin(seen, &spinner)) continue;
        atomic_fetch_add(&sleeping, 1);
        stop_watching();
        atomic_thread_fence(memory_order_seq_cst);
        int rang = __atomic_load_n(&channel.doorbell->bell, __ATOMIC_SEQ_CST) != seen || any_pending();
        if (!rang) bell_wait(seen);
        atomic_fetch_sub(&sleeping, 1);
        start_watching();
        if (!rang && __atomic_load_n(&channel.doorbell->bell, __ATOMIC_SEQ_CST) == seen) slow_scan();
    }
    return NULL;
}

int cloister_workers_start(void) {
    learn_ticks();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* signals are the main thread's */
    int failure = 0;
    for (uint32_t i = 0; i < channel.workers && failure == 0; i++) {
        void *stack = cloister_region_stack(STACK_BYTES);
        if (stack == NULL) {
            failure = ENOMEM;
            break;
        }
        pthread_attr_t attributes;
        pthread_attr_init(&attributes);
        pthread_attr_setstack(&attributes, stack, STACK_BYTES);
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
        pthread_t thread;
        failure = pthread_create(&thread, &attributes, worker_main, (void *)(uintptr_t)i);
        pthread_attr_destroy(&attributes);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    while (failure == 0 && atomic_load(&started) < channel.workers) sched_yield(); /* they will be confined next */
    errno = failure;
    return failure == 0 ? 0 : -1;
}
