/*
 * The launch and the guard. The platform is the enclave's tracer from before its first instruction and for every thread it
 * makes: Linux allows one tracer, so no debugger can attach. PTRACE_O_EXITKILL: the enclave does not outlive the platform.
 * The guard passes every signal on, lets the enclave be stopped and continued, and ends it if it ever executes another
 * program or forks: such code would not be measured.
 *
 * From the first instruction until the enclave has left every page that root could write to (it then closes descriptor 4), the
 * guard stops it at each system call, allows only those of CEnclaveRuntime/start.c, and looks for altered code first.
 */
#define _GNU_SOURCE
#include "CTEEPlatform.h"
#include "inspect.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif

enum { IMAGE_FD = 4 };

static int signals = -1;

int cloister_tee_prepare(void) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0) return -1;
    signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return signals < 0 ? -1 : 0;
}

/* After fork: only system calls. */
static _Noreturn void become(int image, char *const *argv, int channel, int go) {
    /* Out of the way of descriptors 0 to 4. */
    channel = fcntl(channel, F_DUPFD, 16);
    go = fcntl(go, F_DUPFD, 16);
    image = fcntl(image, F_DUPFD, 16);
    int null = open("/dev/null", O_RDWR);
    if (channel < 0 || go < 0 || image < 0 || null < 0) _exit(71);
    if (dup2(null, 0) < 0 || dup2(2, 1) < 0 || dup2(channel, 3) < 0 || dup2(image, IMAGE_FD) < 0) _exit(71);
    if (syscall(SYS_close_range, 5u, ~0u, CLOSE_RANGE_CLOEXEC) != 0) _exit(71);
    sigset_t none;
    sigemptyset(&none);
    for (int s = 1; s < NSIG; s++) signal(s, SIG_DFL);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    struct rlimit locked; /* all that is allowed: the enclave's first instructions need some already */
    if (getrlimit(RLIMIT_MEMLOCK, &locked) == 0) {
        locked.rlim_cur = locked.rlim_max;
        setrlimit(RLIMIT_MEMLOCK, &locked);
    }
    char word;
    if (read(go, &word, 1) != 1) _exit(71); /* traced from here on, or the platform is gone */
    char *const empty[] = {NULL};
    syscall(SYS_execveat, image, "", argv, empty, AT_EMPTY_PATH);
    _exit(72);
}

int cloister_tee_launch(int image, char *const *argv, int allows_ordinary, cloister_tee_child *child) {
    int pair[2], go[2];
    if (cloister_inspect_image(image) != 0) return -1;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) return -1;
    if (pipe2(go, O_CLOEXEC) != 0) {
        int why = errno;
        close(pair[0]);
        close(pair[1]);
        errno = why;
        return -1;
    }
    pid_t pid = fork();
    if (pid == 0) become(image, argv, pair[1], go[0]);
    int failure = pid < 0 ? errno : 0;
    close(pair[1]);
    close(go[0]);
    if (failure == 0) {
        long options = PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC |
                       PTRACE_O_TRACESECCOMP | PTRACE_O_TRACESYSGOOD;
        if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)options) != 0) failure = errno;
        if (failure == 0 && write(go[1], "g", 1) != 1) failure = errno;
        if (failure != 0) {
            kill(pid, SIGKILL);
            waitpid(pid, NULL, __WALL);
        }
    }
    close(go[1]);
    if (failure != 0) {
        close(pair[0]);
        errno = failure;
        return -1;
    }
    *child = (cloister_tee_child){.pid = pid, .channel = pair[0], .allows_ordinary = allows_ordinary};
    return 0;
}

/* The enclave, or whatever became of it, ends here and now; the kernel zeroes its region. */
static void condemn(cloister_tee_child *child, const char *reason) {
    if (child->reason[0] == 0) snprintf(child->reason, sizeof child->reason, "%s", reason);
    kill(child->pid, SIGKILL);
}

/* A system call during the start: 0, or -1 with a reason why it is not start.c's. */
static int check_start(cloister_tee_child *child, const struct __ptrace_syscall_info *call, char *reason) {
    if (call->op == PTRACE_SYSCALL_INFO_ENTRY) {
        switch (call->entry.nr) {
        case SYS_memfd_secret:
        case SYS_ftruncate:
        case SYS_mmap:
        case SYS_pread64:
        case SYS_getrandom:
        case SYS_close:
        case SYS_exit_group: break;
        case SYS_write: /* why there is no secret memory */
            if (call->entry.args[0] == 2) break;
            /* fallthrough */
        default:
            snprintf(reason, CLOISTER_TEE_REASON, "system call %llu during the start: not a protected enclave", (unsigned long long)call->entry.nr);
            return -1;
        }
        if (cloister_inspect_unwritten(reason) != 0) return -1;
        if (call->entry.nr != SYS_close || call->entry.args[0] != IMAGE_FD) return 0;
        /* The last one. The kernel's own leavings (stack, vdso) are still there, unused. */
        if (cloister_tee_inspect(1, 0, reason) != 0) return -1;
        child->sealed = 1;
    }
    return 0;
}

static void at_system_call(cloister_tee_child *child, pid_t thread) {
    struct __ptrace_syscall_info call = {0};
    char reason[CLOISTER_TEE_REASON] = "a system call can't be looked at";
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof call, &call) <= 0 || check_start(child, &call, reason) != 0)
        condemn(child, reason);
}

/* A worker says what it is about to send. */
static void note_announcement(cloister_tee_child *child, pid_t thread) {
    struct __ptrace_syscall_info call = {0};
    if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, (void *)sizeof call, &call) <= 0) return;
    if (call.op != PTRACE_SYSCALL_INFO_SECCOMP || call.seccomp.nr != CLOISTER_TEE_ANNOUNCE_CALL) return;
    uint64_t *room = child->announced[child->next_announced++ % CLOISTER_TEE_ANNOUNCED];
    for (int i = 0; i < 4; i++) room[i] = call.seccomp.args[i];
}

int cloister_tee_was_announced(cloister_tee_child *child, const uint8_t *digest) {
    for (unsigned i = 0; i < CLOISTER_TEE_ANNOUNCED; i++)
        if (memcmp(child->announced[i], digest, sizeof child->announced[i]) == 0) {
            memset(child->announced[i], 0, sizeof child->announced[i]);
            return 1;
        }
    return 0;
}

/* One stopped thread of the enclave goes on. */
static void resume(cloister_tee_child *child, pid_t thread, int status) {
    int signal = WSTOPSIG(status);
    int onward = child->executed && !child->sealed ? PTRACE_SYSCALL : PTRACE_CONT;
    switch (status >> 16) {
    case 0:
        if (signal == (SIGTRAP | 0x80)) {
            if (!child->sealed) at_system_call(child, thread);
            ptrace(child->sealed ? PTRACE_CONT : PTRACE_SYSCALL, thread, NULL, NULL);
            return;
        }
        ptrace(onward, thread, NULL, (void *)(long)signal); /* a signal is about to be delivered: pass it on */
        return;
    case PTRACE_EVENT_STOP:
        if (signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU)
            ptrace(PTRACE_LISTEN, thread, NULL, NULL); /* stays stopped until SIGCONT */
        else
            ptrace(onward, thread, NULL, NULL);
        return;
    case PTRACE_EVENT_EXEC:
        if (child->executed) condemn(child, "it executed another program");
        else if (cloister_inspect_view(child->pid) != 0) condemn(child, "its memory can't be looked at");
        child->executed = 1;
        ptrace(PTRACE_SYSCALL, thread, NULL, NULL);
        return;
    case PTRACE_EVENT_FORK:
    case PTRACE_EVENT_VFORK:
        condemn(child, "it forked");
        return;
    case PTRACE_EVENT_SECCOMP:
        note_announcement(child, thread);
        ptrace(PTRACE_CONT, thread, NULL, NULL);
        return;
    default:
        ptrace(onward, thread, NULL, NULL);
        return;
    }
}

/* Handles whatever the enclave's threads report. 1: the enclave has ended, with *status. */
static int reap(cloister_tee_child *child, int *status) {
    for (;;) {
        int found;
        pid_t thread = waitpid(-1, &found, __WALL | WNOHANG);
        if (thread <= 0) return 0;
        if (WIFSTOPPED(found)) {
            resume(child, thread, found);
        } else if (thread == child->pid) {
            *status = found;
            return 1;
        }
    }
}

int cloister_tee_wait(cloister_tee_child *child, void *buffer, size_t capacity, int timeout_ms,
                      cloister_tee_happening *happening) {
    for (;;) {
        memset(happening, 0, sizeof *happening);
        if (child->pid > 0 && reap(child, &happening->status)) {
            close(child->channel);
            cloister_inspect_unview();
            child->pid = 0;
            child->channel = -1;
            happening->event = CLOISTER_TEE_ENDED;
            return 0;
        }
        struct pollfd ready[2] = {{signals, POLLIN, 0}, {child->channel, POLLIN, 0}};
        int n = poll(ready, child->channel >= 0 ? 2 : 1, timeout_ms);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return -1;
        if (n == 0) {
            happening->event = CLOISTER_TEE_TIMEOUT;
            return 0;
        }
        if (ready[0].revents & POLLIN) {
            struct signalfd_siginfo info;
            while (read(signals, &info, sizeof info) == (ssize_t)sizeof info) {
                if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT) {
                    happening->event = CLOISTER_TEE_SIGNAL;
                    happening->status = (int)info.ssi_signo;
                    return 0;
                }
            }
        }
        if (child->channel >= 0 && ready[1].revents != 0) {
            ssize_t got = recv(child->channel, buffer, capacity, MSG_DONTWAIT | MSG_TRUNC);
            if (got > 0 && (size_t)got <= capacity) {
                happening->event = CLOISTER_TEE_MESSAGE;
                happening->length = (size_t)got;
                return 0;
            }
            if (got == 0 || (ready[1].revents & (POLLHUP | POLLERR))) {
                /* The enclave closed it: its end is near. */
                close(child->channel);
                child->channel = -1;
            }
        }
    }
}

int cloister_tee_answer(const cloister_tee_child *child, const void *message, size_t length) {
    return send(child->channel, message, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length ? 0 : -1;
}

void cloister_tee_kill(cloister_tee_child *child) {
    if (child->pid <= 0) return;
    kill(child->pid, SIGKILL);
    int status;
    for (;;) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 && errno == EINTR) continue;
        if (thread < 0) break;
        if (WIFSTOPPED(status)) resume(child, thread, status);
        else if (thread == child->pid) break;
    }
    if (child->channel >= 0) close(child->channel);
    cloister_inspect_unview();
    child->pid = 0;
    child->channel = -1;
}

void cloister_tee_describe(int status, char *text, size_t capacity) {
    if (WIFEXITED(status)) snprintf(text, capacity, "exited with status %d", WEXITSTATUS(status));
    else if (WIFSIGNALED(status)) snprintf(text, capacity, "killed by signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else snprintf(text, capacity, "ended with status %#x", status);
}
