#include "cloister_atomic.h"

#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

void cloister_slot_wake(cloister_slot *slot) { syscall(SYS_futex, &slot->state, FUTEX_WAKE, 1, NULL, NULL, 0); }
