/*
 * The malloc family of the whole program, over the protected region.
 *
 * The region is cut into spans of 64 KiB. A span is free, belongs to one size class (objects of one size from its first
 * byte on), or is part of a large block of whole spans. Sizes up to 32 KiB go to 40 classes (steps of 16 up to 128, then
 * four per doubling); the powers of two are classes, so an aligned request takes one of those. Each thread keeps a short
 * list per class; the lists behind them are shared, one spin lock per class; spans have one lock.
 *
 * Every byte is zeroed when it is freed, so what is handed out is zero. A free object holds the encoded address of
 * the next and a mark; a wrong mark (written after free) or a mark on something being freed (freed twice) ends the process.
 * Threads of the enclave never end, so a thread's lists need no reclaiming.
 */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"
#include "region.h"

#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SPAN_SHIFT 16
#define SPAN_BYTES ((size_t)1 << SPAN_SHIFT)
#define MAX_SPANS (1024u << (20 - SPAN_SHIFT))
#define SMALL_MAX 32768u
#define CLASSES 40

enum { SPAN_FREE = 0, SPAN_LARGE = 0xfe, SPAN_REST = 0xff }; /* otherwise: class + 1 */

struct object {
    uintptr_t next; /* encoded */
    uintptr_t mark;
};

struct list {
    atomic_flag lock;
    struct object *head;
    uint8_t *fresh, *fresh_end; /* not yet handed out part of the newest span */
} __attribute__((aligned(64)));

struct cache {
    struct object *head[CLASSES];
    uint16_t count[CLASSES];
};

/* Bookkeeping lives in ordinary memory: sizes and addresses, no content. */
static struct cloister_region region;
static atomic_int made;
static atomic_flag spans_lock = ATOMIC_FLAG_INIT;
static uint8_t span_kind[MAX_SPANS];
static uint32_t span_run[MAX_SPANS]; /* spans of the large block that starts here */
static uint32_t spans;
static uint32_t spans_hint;
static _Atomic uint32_t spans_free;
static struct list central[CLASSES];
static uintptr_t secret; /* encodes free objects' links */
static atomic_size_t used;
static __thread struct cache cache;
/* Spans that the request under way on this thread may have when there are no others: whatever it allocates then succeeds. */
static __thread struct {
    uint8_t *at, *end;
} purse;

static inline void lock(atomic_flag *flag) {
    unsigned tries = 0;
    while (atomic_flag_test_and_set_explicit(flag, memory_order_acquire)) {
#if defined(__x86_64__)
        __builtin_ia32_pause();
#endif
        if (++tries % 64 == 0) sched_yield();
    }
}
static inline void unlock(atomic_flag *flag) { atomic_flag_clear_explicit(flag, memory_order_release); }

static inline unsigned class_of(size_t size) {
    if (size <= 128) return size <= 16 ? 0 : (unsigned)((size + 15) / 16 - 1);
    unsigned top = 63u - (unsigned)__builtin_clzl(size - 1); /* 2^top < size <= 2^(top+1), top >= 7 */
    return 8 + (top - 7) * 4 + (unsigned)((size - 1 - ((size_t)1 << top)) >> (top - 2));
}
static inline size_t class_bytes(unsigned class) {
    if (class < 8) return (class + 1) * 16;
    unsigned top = 7 + (class - 8) / 4;
    return ((size_t)1 << top) + (((class - 8) % 4 + 1) * ((size_t)1 << (top - 2)));
}
static inline unsigned cache_limit(size_t size) {
    size_t n = 32768 / size;
    return n < 2 ? 2 : n > 64 ? 64 : (unsigned)n;
}

static void make_region(void) {
    lock(&spans_lock);
    if (!atomic_load(&made)) {
        cloister_region_make(&region, SPAN_BYTES);
        spans = (uint32_t)(region.bytes >> SPAN_SHIFT);
        spans_free = spans;
        if (cloister_random(&secret, sizeof secret) != 0) cloister_panic("no random bytes");
        atomic_store(&made, 1);
    }
    unlock(&spans_lock);
}

static inline void ready(void) {
    if (__builtin_expect(!atomic_load_explicit(&made, memory_order_acquire), 0)) make_region();
}

static void give_back(uint32_t span, uint32_t count) {
    memset(span_kind + span, SPAN_FREE, count);
    span_run[span] = 0;
    if (span < spans_hint) spans_hint = span;
    spans_free += count;
}

/* From this thread's purse. */
static uint8_t *take_reserved(uint32_t count, uint32_t step, uint8_t kind) {
    size_t align = (size_t)step << SPAN_SHIFT, bytes = (size_t)count << SPAN_SHIFT;
    uint8_t *at = (uint8_t *)(((uintptr_t)purse.at + align - 1) & ~(uintptr_t)(align - 1));
    if (at > purse.end || bytes > (size_t)(purse.end - at)) return NULL;
    uint32_t first = (uint32_t)((size_t)(purse.at - region.base) >> SPAN_SHIFT);
    uint32_t span = (uint32_t)((size_t)(at - region.base) >> SPAN_SHIFT);
    lock(&spans_lock);
    if (span > first) give_back(first, span - first);
    memset(span_kind + span, SPAN_REST, count);
    span_kind[span] = kind;
    span_run[span] = count;
    unlock(&spans_lock);
    purse.at = at + bytes;
    return at;
}

/* A run of free spans, first fit from the hint on; its start is a multiple of `step` spans. */
static uint8_t *take_spans(uint32_t count, uint32_t step, uint8_t kind) {
    lock(&spans_lock);
    for (int pass = 0; pass < 2; pass++) {
        uint32_t at = pass == 0 ? spans_hint : 0;
        while (at + count <= spans) {
            uintptr_t number = ((uintptr_t)region.base >> SPAN_SHIFT) + at;
            if (number % step != 0) {
                at++;
                continue;
            }
            uint32_t n = 0;
            while (n < count && span_kind[at + n] == SPAN_FREE) n++;
            if (n == count) {
                memset(span_kind + at, SPAN_REST, count);
                span_kind[at] = kind;
                span_run[at] = count;
                spans_hint = at + count;
                spans_free -= count;
                unlock(&spans_lock);
                return region.base + ((size_t)at << SPAN_SHIFT);
            }
            at += n + 1;
        }
    }
    unlock(&spans_lock);
    return purse.at == purse.end ? NULL : take_reserved(count, step, kind);
}

static inline void push(struct object **head, struct object *o) {
    o->next = (uintptr_t)*head ^ secret;
    o->mark = (uintptr_t)o ^ ~secret;
    *head = o;
}
static inline struct object *pop(struct object **head) {
    struct object *o = *head;
    if (o->mark != ((uintptr_t)o ^ ~secret)) cloister_panic("heap: an object was written to after it was freed");
    *head = (struct object *)(o->next ^ secret);
    o->next = 0;
    o->mark = 0;
    return o;
}

static void *small_slow(unsigned class) {
    size_t size = class_bytes(class);
    unsigned want = cache_limit(size) / 2;
    struct list *list = &central[class];
    void *result = NULL;
    lock(&list->lock);
    for (unsigned i = 0; i <= want; i++) {
        void *o;
        if (list->head != NULL) {
            o = pop(&list->head);
        } else {
            if ((size_t)(list->fresh_end - list->fresh) < size) {
                if (result != NULL) break; /* enough: do not open a span for the cache alone */
                uint8_t *span = take_spans(1, 1, (uint8_t)(class + 1));
                if (span == NULL) break;
                list->fresh = span;
                list->fresh_end = span + SPAN_BYTES;
            }
            o = list->fresh;
            list->fresh += size;
        }
        if (result == NULL) {
            result = o;
        } else {
            push(&cache.head[class], o);
            cache.count[class]++;
        }
    }
    unlock(&list->lock);
    return result;
}

static inline void *small(unsigned class) {
    void *o;
    if (__builtin_expect(cache.head[class] != NULL, 1)) {
        o = pop(&cache.head[class]);
        cache.count[class]--;
    } else {
        o = small_slow(class);
        if (o == NULL) return NULL;
    }
    atomic_fetch_add_explicit(&used, class_bytes(class), memory_order_relaxed);
    return o;
}

static void *large(size_t size, size_t alignment) {
    if (size > region.bytes) return NULL;
    uint32_t count = (uint32_t)((size + SPAN_BYTES - 1) >> SPAN_SHIFT);
    uint32_t step = alignment <= SPAN_BYTES ? 1 : (uint32_t)(alignment >> SPAN_SHIFT);
    void *block = take_spans(count ? count : 1, step, SPAN_LARGE);
    if (block != NULL) atomic_fetch_add_explicit(&used, (size_t)count << SPAN_SHIFT, memory_order_relaxed);
    return block;
}

static inline void *allocate(size_t size) {
    ready();
    void *o = size <= SMALL_MAX ? small(class_of(size)) : large(size, SPAN_BYTES);
    if (__builtin_expect(o == NULL, 0)) errno = ENOMEM;
    return o;
}

static void *allocate_aligned(size_t alignment, size_t size) {
    ready();
    if (alignment <= 16) return allocate(size);
    void *o;
    if (size <= SMALL_MAX && alignment <= SMALL_MAX) {
        size_t power = alignment;
        while (power < size) power <<= 1;
        o = small(class_of(power));
    } else {
        o = large(size, alignment);
    }
    if (o == NULL) errno = ENOMEM;
    return o;
}

/* The span of an address we handed out, checked. */
static inline uint32_t span_of(const void *p) {
    uintptr_t offset = (uintptr_t)p - (uintptr_t)region.base;
    if (offset >= region.bytes) cloister_panic("heap: a pointer from elsewhere was freed");
    return (uint32_t)(offset >> SPAN_SHIFT);
}

static size_t usable(const void *p) {
    uint32_t span = span_of(p);
    uint8_t kind = span_kind[span];
    if (kind == SPAN_LARGE) return (size_t)span_run[span] << SPAN_SHIFT;
    if (kind == SPAN_FREE || kind == SPAN_REST) cloister_panic("heap: not the address of a block");
    return class_bytes(kind - 1u);
}

static void spill(unsigned class) {
    struct list *list = &central[class];
    unsigned keep = cache_limit(class_bytes(class)) / 2;
    lock(&list->lock);
    while (cache.count[class] > keep) {
        push(&list->head, pop(&cache.head[class]));
        cache.count[class]--;
    }
    unlock(&list->lock);
}

static void release(void *p) {
    uint32_t span = span_of(p);
    uint8_t kind = span_kind[span];
    if (kind == SPAN_LARGE) {
        uint32_t count = span_run[span];
        if (((uintptr_t)p & (SPAN_BYTES - 1)) != 0) cloister_panic("heap: not the address of a block");
        explicit_bzero(p, (size_t)count << SPAN_SHIFT);
        atomic_fetch_sub_explicit(&used, (size_t)count << SPAN_SHIFT, memory_order_relaxed);
        lock(&spans_lock);
        give_back(span, count);
        unlock(&spans_lock);
        return;
    }
    if (kind == SPAN_FREE || kind == SPAN_REST) cloister_panic("heap: not the address of a block");
    unsigned class = kind - 1u;
    size_t size = class_bytes(class);
    if (((uint32_t)(uintptr_t)p & (SPAN_BYTES - 1)) % (uint32_t)size != 0) cloister_panic("heap: not the address of a block");
    struct object *o = p;
    if (o->mark == ((uintptr_t)o ^ ~secret)) cloister_panic("heap: freed twice");
    memset(p, 0, size);
    __asm__ volatile("" : : "r"(p) : "memory"); /* the zeroing stays */
    atomic_fetch_sub_explicit(&used, size, memory_order_relaxed);
    push(&cache.head[class], o);
    if (++cache.count[class] > cache_limit(size)) spill(class);
}

/* The C library's names. */

void *malloc(size_t size) { return allocate(size); }

void free(void *p) {
    if (p == NULL) return;
    int saved = errno;
    release(p);
    errno = saved;
}

void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return allocate(bytes); /* what is free is zero */
}

void *realloc(void *p, size_t size) {
    if (p == NULL) return allocate(size);
    if (size == 0) {
        free(p);
        return NULL;
    }
    size_t have = usable(p);
    if (size <= have && size >= have / 2) {
        return p;
    }
    void *q = allocate(size);
    if (q == NULL) return NULL;
    memcpy(q, p, have < size ? have : size);
    release(p);
    return q;
}

void *reallocarray(void *p, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

int posix_memalign(void **out, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0) return EINVAL;
    int saved = errno;
    void *p = allocate_aligned(alignment, size);
    errno = saved;
    if (p == NULL) return ENOMEM;
    *out = p;
    return 0;
}

void *aligned_alloc(size_t alignment, size_t size) {
    if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return allocate_aligned(alignment, size);
}

void *memalign(size_t alignment, size_t size) { return aligned_alloc(alignment, size); }
void *valloc(size_t size) { return allocate_aligned(CLOISTER_PAGE, size); }
void *pvalloc(size_t size) { return allocate_aligned(CLOISTER_PAGE, (size + CLOISTER_PAGE - 1) & ~(size_t)(CLOISTER_PAGE - 1)); }
size_t malloc_usable_size(void *p) { return p == NULL ? 0 : usable(p); }

/* The region, for the rest of the program. */

int cloister_region_kind(void) { return ready(), region.kind; }
size_t cloister_region_bytes(void) { return ready(), region.bytes; }
uintptr_t cloister_region_base(void) { return ready(), (uintptr_t)region.base; }
size_t cloister_region_used(void) { return atomic_load_explicit(&used, memory_order_relaxed); }
int cloister_region_reserve(size_t bytes, size_t plenty) {
    ready();
    if (plenty != 0 && (size_t)spans_free << SPAN_SHIFT >= plenty) return 1;
    if (purse.at != purse.end) cloister_panic("heap: two reservations at once");
    if (bytes > region.bytes) return 0;
    uint32_t count = (uint32_t)((bytes + SPAN_BYTES - 1) >> SPAN_SHIFT);
    uint8_t *block = take_spans(count, 1, SPAN_LARGE);
    if (block == NULL) return 0;
    purse.at = block;
    purse.end = block + ((size_t)count << SPAN_SHIFT);
    return 1;
}
void cloister_region_release(void) {
    if (purse.at == purse.end) return;
    lock(&spans_lock);
    give_back(span_of(purse.at), (uint32_t)((size_t)(purse.end - purse.at) >> SPAN_SHIFT));
    unlock(&spans_lock);
    purse.at = purse.end = NULL;
}

int cloister_region_holds(const void *address) {
    ready();
    return (uintptr_t)address - (uintptr_t)region.base < region.bytes;
}

void *cloister_region_stack(size_t bytes) {
    ready();
    uint8_t *block = large(bytes + 2 * CLOISTER_PAGE, SPAN_BYTES);
    if (block == NULL) return NULL;
    uint8_t *end = block + usable(block) - CLOISTER_PAGE;
    if (mprotect(block, CLOISTER_PAGE, PROT_NONE) != 0 || mprotect(end, CLOISTER_PAGE, PROT_NONE) != 0) return NULL;
    return end - bytes;
}
