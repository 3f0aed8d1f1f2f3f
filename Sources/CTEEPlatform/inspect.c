/*
 * Looks at the running enclave from outside: whether what it executes is the sealed image and nothing else, and whether all it
 * can write is secret memory or a slot. The platform may look because it is the tracer; what it looks at are mappings, which the
 * kernel tells truly, and code, which it compares with the image byte by byte.
 *
 * During the start, while the enclave still runs from private pages (CEnclaveRuntime/start.c), a page that was written to
 * has become anonymous memory, and stays so whatever is written back: /proc/PID/pagemap tells. Nothing but a system call of the
 * enclave itself can make that trace disappear, and before each of those the platform looks.
 */
#define _GNU_SOURCE
#include "CTEEPlatform.h"
#include "inspect.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { PAGE = 4096, CHUNK = 64 << 10 };

/* The sealed image, mapped: the one the enclave was started from. */
static struct {
    int fd;
    const uint8_t *bytes;
    size_t size;
    dev_t device;
    ino_t inode;
} image = {.fd = -1};

int cloister_inspect_image(int fd) {
    if (image.fd == fd) return 0;
    struct stat found;
    if (fstat(fd, &found) != 0) return -1;
    if (found.st_size < (off_t)sizeof(Elf64_Ehdr)) return 0; /* no program: executing it will fail */
    void *bytes = mmap(NULL, (size_t)found.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (bytes == MAP_FAILED) return -1;
    image.fd = fd;
    image.bytes = bytes;
    image.size = (size_t)found.st_size;
    image.device = found.st_dev;
    image.inode = found.st_ino;
    return 0;
}

static int fail(char *reason, const char *text, uintptr_t address) {
    snprintf(reason, CLOISTER_TEE_REASON, "%s at %#lx", text, (unsigned long)address);
    return -1;
}

/* The segment that the image asks for at this address; NULL: none. Headers were measured, bounds are checked all the same. */
static const Elf64_Phdr *segment_of(uintptr_t from) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image.bytes;
    if (image.bytes == NULL || header->e_phoff > image.size || header->e_phnum > (image.size - header->e_phoff) / sizeof(Elf64_Phdr))
        return NULL;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(image.bytes + header->e_phoff);
    for (unsigned i = 0; i < header->e_phnum; i++) {
        const Elf64_Phdr *s = &segments[i];
        if (s->p_type == PT_LOAD && from >= (s->p_vaddr & ~(uint64_t)(PAGE - 1)) && from < s->p_vaddr + s->p_memsz) return s;
    }
    return NULL;
}

static size_t executable_bytes(void) {
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)image.bytes;
    const Elf64_Phdr *segments = (const Elf64_Phdr *)(image.bytes + header->e_phoff);
    size_t total = 0;
    for (unsigned i = 0; i < header->e_phnum; i++)
        if (segments[i].p_type == PT_LOAD && (segments[i].p_flags & PF_X)) {
            uint64_t from = segments[i].p_vaddr & ~(uint64_t)(PAGE - 1);
            total += (segments[i].p_vaddr + segments[i].p_filesz - from + PAGE - 1) & ~(uint64_t)(PAGE - 1);
        }
    return total;
}

struct mapping {
    uintptr_t from, to;
    char access[5];
    uint64_t offset;
    int is_image;
    char name[64];
};

static int next_mapping(FILE *maps, struct mapping *m) {
    char *line = NULL;
    size_t room = 0;
    if (getline(&line, &room, maps) < 0) {
        free(line);
        return 0;
    }
    unsigned long from, to, inode;
    unsigned long long offset;
    unsigned major, minor;
    m->name[0] = 0;
    int fields = sscanf(line, "%lx-%lx %4s %llx %x:%x %lu %63s", &from, &to, m->access, &offset, &major, &minor, &inode, m->name);
    free(line);
    if (fields < 7) return 0;
    m->from = from;
    m->to = to;
    m->offset = offset;
    m->is_image = inode == image.inode && makedev(major, minor) == image.device;
    return 1;
}

static int open_of(int pid, const char *what) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", pid, what);
    return open(path, O_RDONLY | O_CLOEXEC);
}

/* Opened once, early: the enclave soon makes itself undumpable, and a platform without root could not open them any more. */
static struct {
    int maps, memory, pages;
} view = {-1, -1, -1};

void cloister_inspect_unview(void) {
    int *all[] = {&view.maps, &view.memory, &view.pages};
    for (unsigned i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (*all[i] >= 0) close(*all[i]);
        *all[i] = -1;
    }
}

int cloister_inspect_view(int pid) {
    cloister_inspect_unview();
    view.maps = open_of(pid, "maps");
    view.memory = open_of(pid, "mem");
    view.pages = open_of(pid, "pagemap");
    return view.maps >= 0 && view.memory >= 0 && view.pages >= 0 ? 0 : -1;
}

static FILE *open_maps(void) {
    if (view.maps < 0 || lseek(view.maps, 0, SEEK_SET) != 0) return NULL;
    int copy = fcntl(view.maps, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy < 0 ? NULL : fdopen(copy, "r");
    if (file == NULL && copy >= 0) close(copy);
    return file;
}

/* Compares [from, to) of the enclave with the image's bytes from `offset` on. */
static int compare(const struct mapping *m, size_t start, size_t count, char *reason) {
    static uint8_t buffer[CHUNK];
    for (size_t at = start; at < start + count;) {
        size_t part = start + count - at < CHUNK ? start + count - at : CHUNK;
        ssize_t n = pread(view.memory, buffer, part, (off_t)(m->from + at));
        if (n <= 0) return fail(reason, "a page of the image can't be read", m->from + at);
        uint64_t offset = m->offset + at;
        size_t known = offset >= image.size ? 0 : image.size - offset < (size_t)n ? image.size - offset : (size_t)n;
        if (memcmp(buffer, image.bytes + offset, known) != 0) return fail(reason, "a page differs from the measured image", m->from + at);
        at += (size_t)n;
    }
    return 0;
}

/* One mapping's place: 0, or what is wrong with it. */
static int check_place(const struct mapping *m, int allows_ordinary, char *reason) {
    int executable = m->access[2] == 'x', private = m->access[3] == 'p';
    if (strcmp(m->name, "[vsyscall]") == 0) return 0; /* the kernel's own, the same in every process */
    if (executable) {
        if (allows_ordinary && strcmp(m->name, "[vdso]") == 0) return 0;
        if (!m->is_image) return fail(reason, "executable memory that is not the measured image", m->from);
        if (private || m->access[1] == 'w') return fail(reason, "code in memory that can be written to", m->from);
    }
    if (m->is_image && !private) {
        const Elf64_Phdr *s = segment_of(m->from);
        if (s == NULL || m->offset != (s->p_offset & ~(uint64_t)(PAGE - 1)) + (m->from - (s->p_vaddr & ~(uint64_t)(PAGE - 1))))
            return fail(reason, "a part of the image in a place that is not its own", m->from);
        if (executable && !(s->p_flags & PF_X)) return fail(reason, "data that can be executed", m->from);
    }
    if (private && !allows_ordinary && strncmp(m->access, "---", 3) != 0) return fail(reason, "memory that is neither secret nor sealed", m->from);
    return 0;
}

int cloister_tee_inspect(int allows_ordinary, size_t slice, char *reason) {
    static size_t cursor; /* of the mapped image bytes, in order of their addresses: the next slice begins there */
    reason[0] = 0;
    if (image.bytes == NULL) return fail(reason, "no image", 0);
    FILE *maps = open_maps();
    int result = maps != NULL ? 0 : fail(reason, "the enclave's memory can't be looked at", 0);
    size_t code = 0, seen = 0, end = slice == 0 ? 0 : cursor + slice;
    struct mapping m;
    while (result == 0 && next_mapping(maps, &m)) {
        result = check_place(&m, allows_ordinary, reason);
        if (result != 0 || !m.is_image || m.access[3] == 'p') continue;
        size_t bytes = m.to - m.from;
        code += m.access[2] == 'x' ? bytes : 0;
        if (slice == 0) {
            if (m.access[2] == 'x') result = compare(&m, 0, bytes, reason);
        } else {
            size_t first = cursor > seen ? cursor - seen : 0, last = end > seen ? end - seen : 0;
            if (last > bytes) last = bytes;
            if (first < last) result = compare(&m, first, last - first, reason);
        }
        seen += bytes;
    }
    if (slice != 0) cursor = end >= seen ? 0 : end;
    if (result == 0 && code != executable_bytes()) result = fail(reason, "code is missing", code);
    if (maps != NULL) fclose(maps);
    return result;
}

int cloister_inspect_unwritten(char *reason) {
    reason[0] = 0;
    FILE *maps = open_maps();
    int result = maps != NULL ? 0 : fail(reason, "the enclave's pages can't be looked at", 0);
    struct mapping m;
    while (result == 0 && next_mapping(maps, &m)) {
        if (m.access[2] != 'x' || m.name[0] == '[') continue;
        if (!m.is_image) result = fail(reason, "executable memory that is not the measured image", m.from);
        for (uintptr_t at = m.from; result == 0 && at < m.to;) {
            static uint64_t entries[512];
            size_t wanted = (m.to - at) / PAGE < 512 ? (m.to - at) / PAGE : 512;
            ssize_t n = pread(view.pages, entries, wanted * sizeof entries[0], (off_t)(at / PAGE * sizeof entries[0]));
            if (n < (ssize_t)sizeof entries[0]) result = fail(reason, "the enclave's pages can't be looked at", at);
            for (ssize_t i = 0; result == 0 && i < n / (ssize_t)sizeof entries[0]; i++, at += PAGE) {
                int in_use = entries[i] >> 62 != 0, of_file = (entries[i] >> 61) & 1; /* present or swapped; a file's */
                if (in_use && !of_file) result = fail(reason, "code was written to during the start", at);
            }
        }
    }
    if (maps != NULL) fclose(maps);
    return result;
}
