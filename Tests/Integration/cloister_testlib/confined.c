/*
 * The enclave's filter of system calls (Sources/CEnclaveRuntime/confine.c) on a program that tries them all. Prints the number of every
 * call that the filter lets through, and a word for each of the tries whose arguments matter.
 */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static char text[65536];
static size_t used;

static void say(const char *what, long result) {
    used += (size_t)snprintf(text + used, sizeof text - used, "%s %s\n", what, result >= 0 ? "done" : strerrorname_np(errno));
}

static volatile int started;

static void *idle(void *unused) {
    started = 1;
    for (;;) syscall(SYS_sched_yield);
    return unused;
}

int main(int count, char **arguments) {
    (void)count;
    int memory = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (memory < 0 || ftruncate(memory, 4096) != 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
    if (strcmp(arguments[1], "files") == 0) {
        if (cloister_forbid_files() != 0) return 1;
        printf("landlock %d\n", cloister_has_landlock());
        const char *paths[] = {"/etc/passwd", "/dev/null", "/proc/self/maps", "/tmp"};
        for (unsigned i = 0; i < sizeof paths / sizeof paths[0]; i++)
            printf("%s %s\n", paths[i], open(paths[i], O_RDONLY) >= 0 ? "done" : strerrorname_np(errno));
        return 0;
    }
    pthread_t thread; /* the filter is for threads that are there already, too */
    if (pthread_create(&thread, NULL, idle, NULL) != 0) return 1;
    while (!started) sched_yield();
    if (cloister_confine() != 0) return 1;
    /* Not called: calls that end or stop this program, or that it needs; they are let through as the list says. */
    const int spared[] = {SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_read, SYS_write, SYS_close, SYS_munmap, SYS_poll,
                          SYS_ppoll, SYS_epoll_wait, SYS_epoll_pwait, SYS_restart_syscall, SYS_accept4, SYS_recvfrom, SYS_clock_nanosleep};
    for (long number = 0; number < 1024; number++) {
        int is_spared = 0;
        for (unsigned i = 0; i < sizeof spared / sizeof spared[0]; i++) is_spared |= spared[i] == number;
        /* 335 uretprobe, 336 uprobe: for the kernel's own trampolines; no filter sees them, whoever else calls them gets a signal. */
        if (is_spared || number == 335 || number == 336) continue;
        errno = 0;
        long result = syscall(number, -1L, -1L, -1L, -1L, -1L, -1L);
        if (result == -1 && errno == EPERM) continue;
        used += (size_t)snprintf(text + used, sizeof text - used, "%ld\n", number);
    }
    say("anonymous memory", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    say("shared anonymous memory", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
    say("private file", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, memory, 0));
    say("executable file", (long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, memory, 0));
    say("shared file", (long)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0));
    say("shared file over the code", (long)mmap((void *)((uintptr_t)main & ~4095ul), 4096, PROT_READ, MAP_SHARED | MAP_FIXED, memory, 0));
    say("seals", fcntl(memory, F_ADD_SEALS, F_SEAL_GROW));
    say("copy of a descriptor", fcntl(memory, F_DUPFD, 10));
    ssize_t ignored = write(1, text, used);
    (void)ignored;
    _exit(0);
}
