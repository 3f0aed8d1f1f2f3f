/*
 * The enclave's first instructions (the linker's entry point, before the C library's `_start`): puts everything the program
 * can write into the protected region, and everything it can't under the seal, before anything is written at all.
 *
 * Root may write to any private page of any process through /proc/PID/mem, code included. It can't write to a shared
 * mapping of a memfd sealed against writing, and neither read nor write a memfd_secret mapping. So:
 *   1. a stack in secret memory, set up in registers alone;
 *   2. code and read-only data: shared mappings of the sealed image, which the platform left as descriptor 4;
 *   3. data: secret memory, filled from the image, never from the private pages that it replaces;
 *   4. a new argument block on the new stack: no environment, and no address of a vdso, which is a private mapping too.
 * Until this is done the platform stops the process at each system call and looks for altered code (CTEEPlatform/inspect.c).
 *
 * Without memfd_secret(2) data and stack stay where they are; region.c decides whether that is allowed.
 *
 * No C library here: no thread-local storage, no relocated calls, and no data but the stack's.
 */
#define _GNU_SOURCE
#include "region.h"

#include <elf.h>
#include <fcntl.h>
#include <linux/auxvec.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>

enum { MAX_SEGMENTS = 16, MAX_SECTIONS = 128, MAX_ARGUMENTS = 64, MAX_ARGUMENT_BYTES = CLOISTER_ARGUMENT_ROOM - 4096, EXIT_SOFTWARE = 70, EXIT_CONFIGURATION = 78 };

int cloister_start_kind;
size_t cloister_start_locked;

/* Thread-local storage of the first thread, which the C library would take from the break, ordinary memory. */
void *_dl_early_allocate(size_t size) {
    static uint8_t room[32768] __attribute__((aligned(64)));
    static size_t taken;
    size_t wanted = (size + 63) & ~(size_t)63;
    if (wanted < size || wanted > sizeof room - taken) return NULL;
    void *result = room + taken;
    taken += wanted;
    return result;
}

#define STRING_(x) #x
#define STRING(x) STRING_(x)

#if defined(__x86_64__)
/* Registers only: rbx the kernel's stack, r12 the descriptor, r13 the new stack. A guard page on either side. */
__asm__(
    ".text\n.globl cloister_start\n.type cloister_start,@function\ncloister_start:\n"
    "  xor %ebp,%ebp\n  mov %rsp,%rbx\n"
    "  mov $447,%eax\n  mov $0x80000,%edi\n  syscall\n" /* memfd_secret(O_CLOEXEC) */
    "  test %eax,%eax\n  js 1f\n  mov %eax,%r12d\n"
    "  mov $77,%eax\n  mov %r12d,%edi\n  mov $" STRING(CLOISTER_FIRST_STACK) ",%esi\n  syscall\n" /* ftruncate */
    "  test %eax,%eax\n  jnz 2f\n"
    "  mov $9,%eax\n  xor %edi,%edi\n  mov $(" STRING(CLOISTER_FIRST_STACK) "+8192),%esi\n  xor %edx,%edx\n"
    "  mov $0x4022,%r10d\n  mov $-1,%r8\n  xor %r9d,%r9d\n  syscall\n" /* mmap(PROT_NONE) */
    "  cmp $-4096,%rax\n  ja 2f\n  lea 4096(%rax),%r13\n"
    "  mov $9,%eax\n  mov %r13,%rdi\n  mov $" STRING(CLOISTER_FIRST_STACK) ",%esi\n  mov $3,%edx\n"
    "  mov $0x11,%r10d\n  mov %r12d,%r8d\n  xor %r9d,%r9d\n  syscall\n" /* mmap(MAP_SHARED | MAP_FIXED) */
    "  cmp %r13,%rax\n  jne 2f\n"
    "  mov $3,%eax\n  mov %r12d,%edi\n  syscall\n" /* close */
    "  lea " STRING(CLOISTER_FIRST_STACK) "(%r13),%rsp\n  mov $1,%esi\n  jmp 3f\n"
    "1: xor %esi,%esi\n"
    "3: lea -16(%rsp),%rdx\n  sub $" STRING(CLOISTER_ARGUMENT_ROOM) ",%rsp\n  and $-16,%rsp\n"
    "  mov %rbx,%rdi\n  call cloister_start_mappings\n"
    "  mov %rax,%rsp\n  xor %edx,%edx\n  jmp _start\n"
    "2: mov %rbx,%rsp\n  and $-16,%rsp\n  call cloister_start_refused\n  ud2\n"
    ".size cloister_start,.-cloister_start\n");

static inline long call6(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
    return result;
}
#else
#error "start.c: the entry point is written for x86-64"
#endif

static _Noreturn void stop(void) {
    for (;;) call6(SYS_exit_group, EXIT_SOFTWARE, 0, 0, 0, 0, 0);
}

/* Secret memory was not to be had. Starting again would end the same way. */
__attribute__((used)) _Noreturn void cloister_start_refused(void) {
    static const char message[] =
        "cloister-enclave: CL4101: no secret memory for the enclave's data and first stack: raise RLIMIT_MEMLOCK (ulimit -l, "
        "LimitMEMLOCK=) to 8 MiB or more, or give the process CAP_IPC_LOCK\n";
    call6(SYS_write, 2, (long)message, sizeof message - 1, 0, 0, 0);
    for (;;) call6(SYS_exit_group, EXIT_CONFIGURATION, 0, 0, 0, 0, 0);
}

static void map(uintptr_t address, size_t bytes, int protection, int fd, uint64_t offset) {
    if (bytes == 0) return;
    long at = call6(SYS_mmap, (long)address, (long)bytes, protection, MAP_SHARED | MAP_FIXED, fd, (long)offset);
    if (at == (long)address) return;
    if (fd != CLOISTER_IMAGE_FD) cloister_start_refused();
    stop();
}

static void read_image(uintptr_t to, size_t count, uint64_t offset) {
    while (count > 0) {
        long n = call6(SYS_pread64, CLOISTER_IMAGE_FD, (long)to, (long)count, (long)offset, 0, 0);
        if (n <= 0) stop();
        to += (size_t)n;
        count -= (size_t)n;
        offset += (uint64_t)n;
    }
}

static inline uintptr_t down(uintptr_t x) { return x & ~(uintptr_t)(CLOISTER_PAGE - 1); }
static inline uintptr_t up(uintptr_t x) { return down(x + CLOISTER_PAGE - 1); }

/* [from, to) of a writable segment: secret pages with the image's bytes. Returns how many. */
static size_t take_in(const Elf64_Phdr *segment, uintptr_t from, uintptr_t to) {
    if (from >= to) return 0;
    int fd = (int)call6(SYS_memfd_secret, O_CLOEXEC, 0, 0, 0, 0, 0); /* one each: its size is set once */
    if (fd < 0 || call6(SYS_ftruncate, fd, (long)(to - from), 0, 0, 0, 0) != 0) stop();
    map(from, to - from, PROT_READ | PROT_WRITE, fd, 0);
    call6(SYS_close, fd, 0, 0, 0, 0, 0);
    uintptr_t first = from > segment->p_vaddr ? from : segment->p_vaddr;
    uintptr_t end = segment->p_vaddr + segment->p_filesz < to ? segment->p_vaddr + segment->p_filesz : to;
    if (first < end) read_image(first, end - first, segment->p_offset + (first - segment->p_vaddr));
    return to - from;
}

/* Sections that nobody writes though the linker put them into a writable segment: the image is not relocated. (The C library
 * writes to .data.rel.ro.) The names are compared as numbers: constants in memory are not trusted yet. */
static int is_constant(uint64_t name_offset) {
    uint64_t name[3];
    read_image((uintptr_t)name, sizeof name, name_offset);
    return name[0] == 0x00617461646f722eu || /* ".rodata" */
           (name[0] == 0x65722e617461642eu && name[1] == 0x636f6c2e6f722e6cu && (name[2] & 0xffffff) == 0x6c61); /* ".data.rel.ro.local" */
}

/* One writable segment, with its constant parts under the seal. Returns how much of it is secret. */
static size_t map_data(const Elf64_Phdr *segment, const Elf64_Ehdr *image) {
    size_t taken = 0;
    Elf64_Shdr sections[MAX_SECTIONS];
    if (image->e_shnum > MAX_SECTIONS || image->e_shstrndx >= image->e_shnum || image->e_shentsize != sizeof sections[0]) stop();
    read_image((uintptr_t)sections, image->e_shnum * sizeof sections[0], image->e_shoff);
    uintptr_t at = down(segment->p_vaddr), end = up(segment->p_vaddr + segment->p_memsz);
    for (unsigned i = 0; i < image->e_shnum; i++) {
        const Elf64_Shdr *s = &sections[i];
        uintptr_t from = up(s->sh_addr), to = down(s->sh_addr + s->sh_size);
        if (s->sh_type != SHT_PROGBITS || !(s->sh_flags & SHF_ALLOC) || from >= to || from < at || to > end) continue;
        if (!is_constant(sections[image->e_shstrndx].sh_offset + s->sh_name)) continue;
        taken += take_in(segment, at, from);
        map(from, to - from, PROT_READ, CLOISTER_IMAGE_FD, s->sh_offset + (from - s->sh_addr));
        at = to;
    }
    return taken + take_in(segment, at, end);
}

/* Argument strings and vectors below `top`; the result is the stack pointer for the C library. */
static uintptr_t *arguments(const uintptr_t *kernel, uint8_t *top, const Elf64_Ehdr *image, uintptr_t headers) {
    uintptr_t count = kernel[0];
    if (count > MAX_ARGUMENTS) stop();
    uintptr_t strings[MAX_ARGUMENTS];
    uint8_t *at = top;
    for (uintptr_t i = 0; i < count; i++) {
        const volatile uint8_t *from = (const uint8_t *)kernel[1 + i];
        size_t length = 0;
        while (from[length] != 0)
            if (++length > MAX_ARGUMENT_BYTES) stop();
        if (length + 1 > MAX_ARGUMENT_BYTES - (size_t)(top - at)) stop();
        at -= length + 1;
        for (size_t n = 0; n < length; n++) ((volatile uint8_t *)at)[n] = from[n];
        ((volatile uint8_t *)at)[length] = 0;
        strings[i] = (uintptr_t)at;
    }
    at = (uint8_t *)((uintptr_t)at & ~(uintptr_t)15) - 16;
    if (call6(SYS_getrandom, (long)at, 16, 0, 0, 0, 0) != 16) stop();
    const uintptr_t auxiliary[] = {
        AT_PHDR, headers, AT_PHENT, image->e_phentsize, AT_PHNUM, image->e_phnum, AT_PAGESZ, CLOISTER_PAGE, AT_ENTRY, image->e_entry,
        AT_SECURE, 0, AT_CLKTCK, 100, AT_RANDOM, (uintptr_t)at, AT_NULL, 0};
    const size_t words = 1 + count + 1 + 1 + sizeof auxiliary / sizeof auxiliary[0];
    uintptr_t *vector = (uintptr_t *)(((uintptr_t)at - words * sizeof(uintptr_t)) & ~(uintptr_t)15);
    volatile uintptr_t *out = vector;
    *out++ = count;
    for (uintptr_t i = 0; i < count; i++) *out++ = strings[i];
    *out++ = 0; /* end of the arguments */
    *out++ = 0; /* no environment */
    for (size_t i = 0; i < sizeof auxiliary / sizeof auxiliary[0]; i++) *out++ = auxiliary[i];
    return vector;
}

__attribute__((used, no_stack_protector)) uintptr_t *cloister_start_mappings(const uintptr_t *kernel, long is_secret, uint8_t *top) {
    Elf64_Ehdr image;
    Elf64_Phdr segments[MAX_SEGMENTS];
    read_image((uintptr_t)&image, sizeof image, 0);
    if (image.e_phnum > MAX_SEGMENTS || image.e_phentsize != sizeof segments[0] || image.e_type != ET_EXEC) stop();
    read_image((uintptr_t)segments, image.e_phnum * sizeof segments[0], image.e_phoff);
    size_t taken = CLOISTER_FIRST_STACK;
    uintptr_t headers = 0;
    for (unsigned i = 0; i < image.e_phnum; i++) {
        const Elf64_Phdr *s = &segments[i];
        if (s->p_type != PT_LOAD) continue;
        if (image.e_phoff >= s->p_offset && image.e_phoff < s->p_offset + s->p_filesz) headers = s->p_vaddr + image.e_phoff - s->p_offset;
        if (s->p_flags & PF_W) {
            if (is_secret) taken += map_data(s, &image);
            continue;
        }
        int protection = PROT_READ | (s->p_flags & PF_X ? PROT_EXEC : 0);
        map(down(s->p_vaddr), up(s->p_vaddr + s->p_filesz) - down(s->p_vaddr), protection, CLOISTER_IMAGE_FD, down(s->p_offset));
    }
    if (is_secret) {
        cloister_start_kind = CLOISTER_START_SECRET;
        cloister_start_locked = taken;
    }
    uintptr_t *vector = arguments(kernel, top, &image, headers);
    /* What the platform waits for: from here on nobody can change code or data. */
    call6(SYS_close, CLOISTER_IMAGE_FD, 0, 0, 0, 0, 0);
    return vector;
}
