/*
 * Programs that pass for the enclave until they do what the measured one never does. Linked with Sources/CEnclaveRuntime/start.c and
 * the linker option --entry=cloister_start (without it: "unprotected"). Says that it is ready, then misbehaves as MISDEED says.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NONE, ANONYMOUS, EXECUTABLE, ALTERED_CODE, OTHER_CODE, MOVED_CODE, EXECUTES, FORKS };

static const uint8_t ready[24] = "CLRD";
static const uint64_t digest[4] = {DIGEST};

__attribute__((aligned(4096), noinline)) static void page_of_code(void) {
    for (int i = 0; i < 3; i++) __asm__ volatile(".fill 2048, 1, 0x90");
}

int main(void) {
    /* What the kernel mapped at the start goes, as in leave.c. */
    char maps[8192] = {0};
    int fd = open("/proc/self/maps", O_RDONLY);
    ssize_t length = read(fd, maps, sizeof maps - 1);
    close(fd);
    for (char *line = strtok(maps, "\n"); length > 0 && line != NULL; line = strtok(NULL, "\n")) {
        unsigned long from, to;
        char access[5];
        if (sscanf(line, "%lx-%lx %4s", &from, &to, access) == 3 && access[3] == 'p' && access[0] == 'r') munmap((void *)from, to - from);
    }
    page_of_code();
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x0c10, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {4, filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
    syscall(0x0c10, digest[0], digest[1], digest[2], digest[3]);
    send(3, ready, sizeof ready, 0);
    struct timespec moment = {0, 300000000};
    syscall(SYS_nanosleep, &moment, NULL);
    void *code = (void *)((uintptr_t)page_of_code & ~4095ul);
    static uint8_t copy[4096];
    memcpy(copy, code, sizeof copy);
    switch (MISDEED) {
    case ANONYMOUS: mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); break;
    case EXECUTABLE: mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_ANONYMOUS, -1, 0); break;
    case ALTERED_CODE:
        mmap(code, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED | MAP_ANONYMOUS, -1, 0);
        copy[100] ^= 1;
        memcpy(code, copy, sizeof copy);
        mprotect(code, 4096, PROT_READ);
        break;
    case OTHER_CODE: {
        int other = memfd_create("cloister-enclave", MFD_ALLOW_SEALING);
        copy[100] ^= 1;
        if (write(other, copy, sizeof copy) != sizeof copy) return 1;
        fcntl(other, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        mmap(code, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, other, 0);
        break;
    }
    case MOVED_CODE: {
        int self = open("/proc/self/exe", O_RDONLY);
        mmap(code, 4096, PROT_READ | PROT_EXEC, MAP_SHARED | MAP_FIXED, self, 0);
        break;
    }
    case EXECUTES: execl("/bin/sleep", "sleep", "30", NULL); break;
    case FORKS:
        if (fork() == 0) pause();
        break;
    }
    for (;;) syscall(SYS_pause);
}
