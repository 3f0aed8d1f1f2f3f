/* Internal to CEnclaveRuntime: the protected region's bounds. */
#ifndef CLOISTER_REGION_H
#define CLOISTER_REGION_H

#include <stddef.h>
#include <stdint.h>

#define CLOISTER_PAGE 4096u

/* What start.c found and made before the C library ran. */
#define CLOISTER_FIRST_STACK 262144
#define CLOISTER_ARGUMENT_ROOM 24576
#define CLOISTER_START_SECRET 1
#define CLOISTER_IMAGE_FD 4
extern int cloister_start_kind;     /* CLOISTER_START_SECRET: data, bss and the first thread's stack are secret memory */
extern size_t cloister_start_locked; /* bytes of it */

struct cloister_region {
    uint8_t *base; /* page-aligned to a span; NULL until made */
    size_t bytes;
    int kind; /* cloister_region_kind */
};

/* Makes the region, or ends the process with a message on standard error. Called once, under the heap's lock. */
void cloister_region_make(struct cloister_region *region, size_t alignment);
/* A message on standard error and abort(): the heap was corrupted by our own code. Allocates nothing. */
_Noreturn void cloister_panic(const char *message);
/* Landlock: no rights to any file for this thread and those it makes; nothing where the kernel has none. 0, or -1. */
int cloister_forbid_files(void);
/* A worker's stack inside the region, an inaccessible page at either end of its block. NULL if the region is full. */
void *cloister_region_stack(size_t bytes);

#endif
