/*
 * The running image, out of reach of whoever may write another process's memory (root, by /proc/PID/mem).
 *
 * Such a write reaches a page that is not writable only by making a private copy of it, which the kernel does for private
 * mappings alone. So code and constants are mapped *shared* and read-only from the sealed file that was measured and executed
 * (FOLL_FORCE is refused then, EFAULT), the kernel's vdso from a sealed copy of it, and everything that is written (data, bss,
 * the C library's break, where thread-local storage lies) moves into secret memory (EIO). The addresses stay. The main thread
 * goes on on a stack of its own in the region; what the old one holds is never returned to.
 *
 * Called once, before there is a second thread. Between a segment's copy and its move nothing may be written that lies in it:
 * no malloc, no errno.
 */
#define _GNU_SOURCE
#include "CEnclaveRuntime.h"
#include "region.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef SYS_memfd_secret
#define SYS_memfd_secret 447
#endif
#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

enum { MAX_SECTIONS = 128, NAMES = 4096, MAIN_STACK = 256 << 10 };

struct span {
    uintptr_t start, end;
};

static inline uintptr_t page_down(uintptr_t at) { return at & ~(uintptr_t)(CLOISTER_PAGE - 1); }
static inline uintptr_t page_up(uintptr_t at) { return page_down(at + CLOISTER_PAGE - 1); }

/* Maps what is there already from the file it came from, such that no write can make a private copy. */
static int fix(int fd, struct span span, uintptr_t offset, int access) {
    if (span.start >= span.end) return 0;
    void *at = mmap((void *)span.start, span.end - span.start, access, MAP_SHARED | MAP_FIXED, fd, (off_t)offset);
    return at == MAP_FAILED ? -1 : 0;
}

/* Moves private memory into secret memory, or with `--allow-mlock`, where there is none, leaves it. */
static int hide(struct span span, int access) {
    if (span.start >= span.end || cloister_region_kind() != CLOISTER_REGION_SECRET) return 0;
    size_t bytes = span.end - span.start;
    int fd = (int)syscall(SYS_memfd_secret, O_CLOEXEC);
    if (fd < 0) return -1;
    void *copy = MAP_FAILED;
    if (ftruncate(fd, (off_t)bytes) == 0) copy = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (copy == MAP_FAILED) return -1;
    madvise(copy, bytes, MADV_DONTDUMP);
    memcpy(copy, (void *)span.start, bytes);
    if (access == PROT_READ && mprotect(copy, bytes, PROT_READ) != 0) return -1;
    return mremap(copy, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)span.start) == MAP_FAILED ? -1 : 0;
}

/* The first mapping of that name; 0 if there is none, -1 if the list can't be read. */
static int find_mapping(const char *name, struct span *found) {
    static char text[16384];
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    size_t length = 0;
    for (;;) {
        ssize_t n = read(fd, text + length, sizeof text - 1 - length);
        if (n <= 0) break;
        length += (size_t)n;
    }
    close(fd);
    text[length] = 0;
    for (char *line = text; line != NULL && *line; line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        char *end = strchr(line, '\n'), *at = strstr(line, name);
        if (at == NULL || (end != NULL && at > end)) continue;
        char *dash;
        found->start = strtoul(line, &dash, 16);
        found->end = strtoul(dash + 1, NULL, 16);
        return 1;
    }
    return 0;
}

static int fix_vdso(void) {
    struct span vdso;
    int found = find_mapping("[vdso]", &vdso);
    if (found <= 0) return found;
    size_t bytes = vdso.end - vdso.start;
    int fd = memfd_create("cloister-vdso", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
    if (fd < 0 && errno == EINVAL) fd = memfd_create("cloister-vdso", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0) return -1;
    int result = -1, only_read = -1;
    char path[32] = "/proc/self/fd/";
    size_t at = strlen(path);
    if (fd >= 100) goto out;
    if (fd >= 10) path[at++] = (char)('0' + fd / 10);
    path[at++] = (char)('0' + fd % 10);
    path[at] = 0;
    if (write(fd, (void *)vdso.start, bytes) != (ssize_t)bytes) goto out;
    only_read = open(path, O_RDONLY | O_CLOEXEC);
    if (only_read < 0) goto out;
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) != 0) goto out;
    result = fix(only_read, vdso, 0, PROT_READ | PROT_EXEC);
out:
    if (only_read >= 0) close(only_read);
    close(fd);
    return result;
}

/* The section of constants in the writable segment; empty if there is none. */
static int find_constants(int fd, const Elf64_Ehdr *header, struct span *found) {
    static Elf64_Shdr sections[MAX_SECTIONS];
    static char names[NAMES];
    found->start = found->end = 0;
    size_t bytes = (size_t)header->e_shnum * sizeof(Elf64_Shdr);
    if (header->e_shentsize != sizeof(Elf64_Shdr) || header->e_shnum > MAX_SECTIONS || header->e_shstrndx >= header->e_shnum) return -1;
    if (pread(fd, sections, bytes, (off_t)header->e_shoff) != (ssize_t)bytes) return -1;
    ssize_t length = pread(fd, names, sizeof names - 1, (off_t)sections[header->e_shstrndx].sh_offset);
    if (length <= 0) return -1;
    names[length] = 0;
    for (unsigned i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_name >= (Elf64_Word)length || strcmp(names + sections[i].sh_name, ".rodata") != 0) continue;
        found->start = page_up(sections[i].sh_addr);
        found->end = page_down(sections[i].sh_addr + sections[i].sh_size);
    }
    return 0;
}

int cloister_fix_image(void) {
    static Elf64_Phdr segments[16];
    Elf64_Ehdr header;
    struct span constants, relro = {0, 0}, heap;
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    int result = -1;
    if (pread(fd, &header, sizeof header, 0) != sizeof header || header.e_type != ET_EXEC || header.e_phnum > 16 ||
        header.e_phentsize != sizeof(Elf64_Phdr))
        goto out;
    size_t bytes = (size_t)header.e_phnum * sizeof(Elf64_Phdr);
    if (pread(fd, segments, bytes, (off_t)header.e_phoff) != (ssize_t)bytes || find_constants(fd, &header, &constants) != 0) goto out;
    for (unsigned i = 0; i < header.e_phnum; i++)
        if (segments[i].p_type == PT_GNU_RELRO)
            relro = (struct span){page_down(segments[i].p_vaddr), page_down(segments[i].p_vaddr + segments[i].p_memsz)};
    if (fix_vdso() != 0) goto out;
    for (unsigned i = 0; i < header.e_phnum; i++) {
        const Elf64_Phdr *s = &segments[i];
        if (s->p_type != PT_LOAD) continue;
        uintptr_t start = page_down(s->p_vaddr), end = page_up(s->p_vaddr + s->p_memsz), shift = s->p_vaddr - s->p_offset;
        if (!(s->p_flags & PF_W)) {
            int access = PROT_READ | (s->p_flags & PF_X ? PROT_EXEC : 0);
            if (fix(fd, (struct span){start, page_up(s->p_vaddr + s->p_filesz)}, start - shift, access) != 0) goto out;
            continue;
        }
        uintptr_t first = constants.start > start && constants.end < end ? constants.start : end;
        uintptr_t second = first == end ? end : constants.end;
        uintptr_t fixed = relro.start == start && relro.end <= first ? relro.end : start;
        if (first < second && fix(fd, (struct span){first, second}, first - shift, PROT_READ) != 0) goto out;
        if (hide((struct span){start, fixed}, PROT_READ) != 0 || hide((struct span){fixed, first}, PROT_READ | PROT_WRITE) != 0 ||
            hide((struct span){second, end}, PROT_READ | PROT_WRITE) != 0)
            goto out;
    }
    int found = find_mapping("[heap]", &heap);
    if (found < 0 || (found == 1 && hide(heap, PROT_READ | PROT_WRITE) != 0)) goto out;
    result = 0;
out:
    close(fd);
    return result;
}

static ucontext_t left, taken;
static struct {
    void (*body)(void *);
    void *context;
} task;

static void enter(void) {
    task.body(task.context);
    _exit(70);
}

int cloister_leave_stack(void (*body)(void *), void *context) {
    void *stack = cloister_region_stack(MAIN_STACK);
    if (stack == NULL || getcontext(&taken) != 0) return -1;
    taken.uc_stack.ss_sp = (char *)stack + CLOISTER_PAGE;
    taken.uc_stack.ss_size = MAIN_STACK - CLOISTER_PAGE;
    taken.uc_link = NULL;
    task.body = body;
    task.context = context;
    makecontext(&taken, enter, 0);
    return swapcontext(&left, &taken);
}
