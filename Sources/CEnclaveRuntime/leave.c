/*
 * Leaves ordinary memory behind: once options are read, nothing that the kernel made at the start (its stack with the
 * arguments, the vdso, the break) is needed any more, and what isn't mapped can't be written to through /proc/PID/mem.
 */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"
#include "region.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static long read_maps(char *buffer, size_t capacity) {
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t length = 0;
    for (;;) {
        ssize_t n = read(fd, buffer + length, capacity - 1 - length);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        length += (size_t)n;
    }
    close(fd);
    buffer[length] = 0;
    return length + 1 < capacity ? (long)length : -1;
}

int cloister_leave_ordinary_memory(void) {
    if (cloister_start_kind != CLOISTER_START_SECRET || cloister_region_kind() != CLOISTER_REGION_SECRET) return 0;
    static char maps[65536];
    if (read_maps(maps, sizeof maps) < 0) return -1;
    for (char *line = maps, *rest; *line != 0; line = rest) {
        rest = strchr(line, '\n');
        if (rest == NULL) break;
        *rest++ = 0;
        char *end;
        uintptr_t from = strtoul(line, &end, 16);
        if (*end != '-') continue;
        uintptr_t to = strtoul(end + 1, &end, 16);
        if (*end != ' ' || strlen(end) < 5) continue;
        const char *access = end + 1;
        if (access[3] != 'p' || strncmp(access, "---", 3) == 0 || strstr(access, "[vsyscall]") != NULL) continue;
        if (munmap((void *)from, to - from) != 0) return -1;
    }
    return 0;
}
