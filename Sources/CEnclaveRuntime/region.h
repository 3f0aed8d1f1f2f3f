/* Internal to CEnclaveRuntime: the protected region's bounds. */
#ifndef CLOISTER_REGION_H
#define CLOISTER_REGION_H

#include <stddef.h>
#include <stdint.h>

#define CLOISTER_PAGE 4096u

struct cloister_region {
    uint8_t *base; /* page-aligned to a span; NULL until made */
    size_t bytes;
    int kind; /* cloister_region_kind */
};

/* Makes the region, or ends the process with a message on standard error. Called once, under the heap's lock. */
void cloister_region_make(struct cloister_region *region, size_t alignment);
/* A message on standard error and abort(): the heap was corrupted by our own code. Allocates nothing. */
_Noreturn void cloister_panic(const char *message);
/* A worker's stack inside the region, its lowest page inaccessible. NULL if the region is full. */
void *cloister_region_stack(size_t bytes);

#endif
