/*
 * The enclave's heap under load, linked with Sources/CEnclaveRuntime/{heap,region}.c: threads allocate, fill, check, resize and
 * hand each other blocks; every fresh block must be zero, aligned and inside the region. `heap_stress misuse N` commits one
 * of the mistakes that must end the process.
 */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"

#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The program has no start.c: nothing was taken before. */
int cloister_start_kind;
size_t cloister_start_locked;

enum { THREADS = 4, BLOCKS = 400, STEPS = 150000, SHARED = 64 };

static _Atomic(unsigned char *) shared[SHARED];

static _Noreturn void fail(const char *what) {
    fprintf(stderr, "failed: %s\n", what);
    _Exit(1);
}

static void check_fresh(const unsigned char *p, size_t size, const char *what) {
    if (p == NULL) fail(what);
    if ((uintptr_t)p % 16 != 0 || !cloister_region_holds(p) || malloc_usable_size((void *)p) < size) fail(what);
    for (size_t i = 0; i < size; i++)
        if (p[i] != 0) fail("fresh memory is not zero");
}

static size_t some_size(unsigned *seed) {
    switch (rand_r(seed) % 8) {
    case 0: return (size_t)rand_r(seed) % 100000;
    case 1: return (size_t)rand_r(seed) % 9000;
    default: return (size_t)rand_r(seed) % 300;
    }
}

static void *work(void *argument) {
    unsigned seed = (unsigned)(uintptr_t)argument;
    static __thread unsigned char *blocks[BLOCKS];
    static __thread size_t sizes[BLOCKS];
    for (int step = 0; step < STEPS; step++) {
        int i = rand_r(&seed) % BLOCKS;
        if (blocks[i] != NULL) {
            for (size_t k = 0; k < sizes[i]; k += 97)
                if (blocks[i][k] != (unsigned char)(i + 1)) fail("a block was changed by somebody else");
            if (rand_r(&seed) % 4 == 0) {
                size_t size = some_size(&seed) + 1, kept = size < sizes[i] ? size : sizes[i];
                unsigned char *moved = realloc(blocks[i], size);
                if (moved == NULL) fail("realloc");
                for (size_t k = 0; k < kept; k += 31)
                    if (moved[k] != (unsigned char)(i + 1)) fail("realloc lost bytes");
                memset(moved, i + 1, size);
                blocks[i] = moved;
                sizes[i] = size;
                continue;
            }
            if (rand_r(&seed) % 8 == 0) {
                free(atomic_exchange(&shared[rand_r(&seed) % SHARED], blocks[i])); /* freed by another thread */
            } else {
                free(blocks[i]);
            }
            blocks[i] = NULL;
            continue;
        }
        size_t size = some_size(&seed);
        unsigned char *p;
        if (rand_r(&seed) % 4 == 0) {
            size_t alignment = (size_t)16 << rand_r(&seed) % 10;
            if (posix_memalign((void **)&p, alignment, size) != 0) fail("posix_memalign");
            if ((uintptr_t)p % alignment != 0) fail("alignment");
        } else {
            p = rand_r(&seed) % 2 ? malloc(size) : calloc(1, size);
        }
        check_fresh(p, size, "a fresh block");
        memset(p, i + 1, size);
        blocks[i] = p;
        sizes[i] = size;
    }
    for (int i = 0; i < BLOCKS; i++) free(blocks[i]);
    return NULL;
}

static int misuse(int which) {
    char *volatile p = malloc(100), *volatile other = malloc(100);
    switch (which) {
    case 0: free(p); free(p); break;
    case 1: free(p + 8); break;
    case 2: { char local[64]; char *volatile q = local; free(q); break; }
    case 3: /* written after free: noticed when it is handed out again */
        free(p);
        p[9] ^= 1;
        for (int i = 0; i < 1000; i++) free(other), other = malloc(100), p = malloc(100);
        break;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "misuse") == 0) return misuse(atoi(argv[2]));
    if (malloc(cloister_region_bytes() * 2) != NULL || malloc(SIZE_MAX - 100) != NULL || calloc(SIZE_MAX / 2, 3) != NULL)
        fail("an impossible size was granted");
    /* Exhaustion is an answer, not an end; afterwards all is there again. */
    size_t before = cloister_region_used();
    enum { PIECES = 4096 };
    static void *pieces[PIECES];
    int got = 0;
    while (got < PIECES && (pieces[got] = malloc(60000)) != NULL) got++;
    if (got == PIECES) fail("the region has no end");
    for (int i = 0; i < got; i++) free(pieces[i]);
    if (cloister_region_used() != before) fail("blocks were lost");

    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++) pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < SHARED; i++) free(atomic_exchange(&shared[i], NULL));
    void *last = malloc(cloister_region_bytes() / 2);
    check_fresh(last, cloister_region_bytes() / 2, "half the region after the load");
    puts("ok");
    return 0;
}
