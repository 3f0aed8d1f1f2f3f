/*
 * What the running enclave may still ask of the kernel: the calls of its event loop, its waits and its clock; shared,
 * never executable mappings for slots; nothing with a path, a program, a thread, another process or a new socket. What was measured is
 * then all the code there will ever be, and no ordinary memory can be made any more.
 *
 * Every other call fails with EPERM, in all threads. Landlock forbids files a second time, where the kernel has it.
 */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static const int allowed[] = {
    /* workers: sleep, wake, the clock, the platform's channel, the drained bell */
    SYS_futex, SYS_sched_yield, SYS_clock_gettime, SYS_gettimeofday, SYS_sendto, SYS_recvfrom, SYS_read, SYS_write, SYS_getrandom,
    /* OpenSSL looks whether the process was forked */
    SYS_getpid, SYS_gettid,
    /* the main thread: connections and slots */
    SYS_epoll_pwait, SYS_epoll_ctl, SYS_accept4, SYS_getsockopt, SYS_sendmsg, SYS_close, SYS_memfd_create, SYS_ftruncate, SYS_munmap,
    SYS_clock_nanosleep, SYS_ppoll,
    /* the end, and what the kernel itself resumes after a stop */
    SYS_exit, SYS_exit_group, SYS_restart_syscall, SYS_rt_sigreturn,
#if defined(__x86_64__)
    SYS_epoll_wait, SYS_poll, SYS_time,
#endif
};

#define COUNT (sizeof allowed / sizeof allowed[0])
#define ARGUMENT(n) (offsetof(struct seccomp_data, args) + 8 * (n)) /* low half: little endian */
#define STATEMENT(code, k) ((struct sock_filter)BPF_STMT((code), (k)))
#define JUMP(test, k, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | (test) | BPF_K, (k), (yes), (no)))
#define LOAD(offset) STATEMENT(BPF_LD | BPF_W | BPF_ABS, (offset))
#define RETURN(action) STATEMENT(BPF_RET | BPF_K, (action))

int cloister_confine(void) {
    struct sock_filter filter[COUNT * 2 + 40];
    unsigned n = 0;
    filter[n++] = LOAD(offsetof(struct seccomp_data, arch));
    filter[n++] = JUMP(BPF_JEQ, ARCHITECTURE, 1, 0);
    filter[n++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    filter[n++] = LOAD(offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < COUNT; i++) {
        filter[n++] = JUMP(BPF_JEQ, (unsigned)allowed[i], 0, 1);
        filter[n++] = RETURN(SECCOMP_RET_ALLOW);
    }
    filter[n++] = JUMP(BPF_JEQ, CLOISTER_ANNOUNCE_CALL, 0, 1);
    filter[n++] = RETURN(SECCOMP_RET_TRACE);
    /* fcntl: only seals, for new slots. */
    filter[n++] = JUMP(BPF_JEQ, SYS_fcntl, 0, 4);
    filter[n++] = LOAD(ARGUMENT(1));
    filter[n++] = JUMP(BPF_JEQ, F_ADD_SEALS, 0, 1);
    filter[n++] = RETURN(SECCOMP_RET_ALLOW);
    filter[n++] = RETURN(SECCOMP_RET_ERRNO | EPERM);
    /* mmap: a file, shared, not executable, where the kernel likes. */
    filter[n++] = JUMP(BPF_JEQ, SYS_mmap, 0, 6);
    filter[n++] = LOAD(ARGUMENT(2));
    filter[n++] = JUMP(BPF_JSET, (unsigned)~(PROT_READ | PROT_WRITE), 3, 0);
    filter[n++] = LOAD(ARGUMENT(3));
    filter[n++] = JUMP(BPF_JEQ, MAP_SHARED, 0, 1);
    filter[n++] = RETURN(SECCOMP_RET_ALLOW);
    filter[n++] = RETURN(SECCOMP_RET_ERRNO | EPERM);
    filter[n++] = RETURN(SECCOMP_RET_ERRNO | EPERM);
    struct sock_fprog program = {.len = (unsigned short)n, .filter = filter};
    /* For every thread, the workers too. */
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &program) == 0 ? 0 : -1;
}

static int has_landlock;
int cloister_has_landlock(void) { return has_landlock; }

/* A thread's own, inherited by those it makes: called before the workers are. */
int cloister_forbid_files(void) {
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 1) return 0; /* ENOSYS, EOPNOTSUPP: this kernel has none */
    struct landlock_ruleset_attr rules = {.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1}; /* all of version 1 */
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules.handled_access_fs, 0);
    if (fd < 0) return -1;
    long done = syscall(SYS_landlock_restrict_self, fd, 0);
    int why = errno;
    close(fd);
    errno = why;
    if (done != 0) return -1;
    has_landlock = 1;
    return 0;
}
