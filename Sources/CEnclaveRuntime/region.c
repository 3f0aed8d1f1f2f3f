/*
 * The protected region: one memfd_secret(2) mapping. The kernel takes its pages out of its own direct map; root reads it
 * neither through /proc/PID/mem nor ptrace nor process_vm_readv, it is never swapped and never dumped. The pages count
 * against RLIMIT_MEMLOCK unless the process has CAP_IPC_LOCK.
 *
 * All of this runs before main and inside malloc, so it uses only system calls and static buffers.
 */
#define _GNU_SOURCE
#include "region.h"
#include "CEnclaveRuntime.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

enum { DEFAULT_MIB = 64, FLOOR_MIB = 6, CEILING_MIB = 1024, EXIT_CONFIGURATION = 78 };

static void say(const char *text) {
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

_Noreturn void cloister_panic(const char *message) {
    say("cloister-enclave: ");
    say(message);
    say("\n");
    _exit(70);
}

static _Noreturn void refuse(const char *message) {
    say("cloister-enclave: CL4101: ");
    say(message);
    say("\n");
    _exit(EXIT_CONFIGURATION);
}

struct wishes {
    size_t mib; /* 0: not said */
    int allow_mlock;
};

/* The two options that must be known before the first allocation. */
static struct wishes read_command_line(void) {
    static char buffer[8192];
    struct wishes wishes = {0, 0};
    int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return wishes;
    size_t length = 0;
    for (;;) {
        ssize_t n = read(fd, buffer + length, sizeof buffer - 1 - length);
        if (n <= 0) break;
        length += (size_t)n;
    }
    close(fd);
    buffer[length] = 0;
    const char *previous = "";
    for (size_t at = 0; at < length; at += strlen(buffer + at) + 1) {
        const char *word = buffer + at;
        if (strcmp(word, "--allow-mlock") == 0) wishes.allow_mlock = 1;
        if (strcmp(previous, "--region-mib") == 0) {
            size_t value = 0;
            for (const char *c = word; *c; c++) {
                if (*c < '0' || *c > '9' || value > 100000) refuse("--region-mib is not a number");
                value = value * 10 + (size_t)(*c - '0');
            }
            if (value < FLOOR_MIB || value > CEILING_MIB) refuse("--region-mib must lie between 6 and 1024");
            wishes.mib = value;
        }
        previous = word;
    }
    return wishes;
}

static int may_lock_any_amount(void) {
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0}};
    if (syscall(SYS_capget, &header, data) != 0) return 0;
    return (data[0].effective >> CAP_IPC_LOCK) & 1;
}

/* What may be locked: the wish, or what the limit leaves when nothing was wished for. */
static size_t choose_bytes(struct wishes wishes) {
    size_t mib = wishes.mib ? wishes.mib : DEFAULT_MIB;
    struct rlimit limit;
    if (may_lock_any_amount() || getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return mib << 20;
    if (limit.rlim_cur < limit.rlim_max) {
        struct rlimit raised = {limit.rlim_max, limit.rlim_max};
        if (setrlimit(RLIMIT_MEMLOCK, &raised) == 0) limit = raised;
    }
    /* Data and the first stack took their part already (start.c). */
    if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= (mib << 20) + cloister_start_locked) return mib << 20;
    size_t allowed = limit.rlim_cur > cloister_start_locked ? ((size_t)limit.rlim_cur - cloister_start_locked) >> 20 : 0;
    if (wishes.mib || allowed < FLOOR_MIB)
        refuse("RLIMIT_MEMLOCK is smaller than the protected region: raise it (ulimit -l, LimitMEMLOCK=) to one MiB above the region's "
               "size, give the process CAP_IPC_LOCK, or ask for a smaller region with --region-mib (at least 6)");
    return allowed << 20;
}

void cloister_region_make(struct cloister_region *region, size_t alignment) {
    struct wishes wishes = read_command_line();
    size_t bytes = choose_bytes(wishes);

    /* Address space with room for alignment and an inaccessible page on either side. */
    size_t reserve = bytes + alignment + 2 * CLOISTER_PAGE;
    uint8_t *space = mmap(NULL, reserve, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (space == MAP_FAILED) refuse("no address space for the protected region");
    uint8_t *base = (uint8_t *)(((uintptr_t)space + CLOISTER_PAGE + alignment - 1) & ~(uintptr_t)(alignment - 1));

    int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
    if (fd >= 0) {
        if (ftruncate(fd, (off_t)bytes) == 0 &&
            mmap(base, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED) {
            close(fd);
            region->kind = CLOISTER_REGION_SECRET;
        } else {
            int why = errno;
            close(fd);
            if (why == EAGAIN)
                refuse("the protected region exceeds RLIMIT_MEMLOCK: raise it, give the process CAP_IPC_LOCK, or ask for a "
                       "smaller region with --region-mib");
            refuse("the memfd_secret region could not be mapped");
        }
    } else {
        if (!wishes.allow_mlock)
            refuse("memfd_secret(2) is not available: it needs Linux 5.14 with CONFIG_SECRETMEM (and secretmem.enable=1 before "
                   "6.5); --allow-mlock takes locked ordinary memory instead, which root can read, and says so in the report");
        if (mmap(base, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            refuse("the locked region could not be mapped");
        if (mlock(base, bytes) != 0)
            refuse("mlock failed: raise RLIMIT_MEMLOCK to the region's size or give the process CAP_IPC_LOCK");
        region->kind = CLOISTER_REGION_MLOCK;
    }
    madvise(base, bytes, MADV_DONTDUMP);
    madvise(base, bytes, MADV_DONTFORK);
    region->base = base;
    region->bytes = bytes;
}

int cloister_harden(void) {
    struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0) return -1;
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return -1;
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int cloister_random(void *bytes, size_t count) {
    uint8_t *at = bytes;
    while (count > 0) {
        ssize_t n = getrandom(at, count, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return -1;
        at += n;
        count -= (size_t)n;
    }
    return 0;
}
