/* SPDX-License-Identifier: Apache-2.0
 * Preloaded into the program by faults.py: lets the n-th call of one kind fail as a full disk or too little memory would.
 *
 *   FAULT_KIND   alloc    malloc, calloc, realloc, aligned_alloc, posix_memalign called from the program's own code
 *                thread   pthread_create called from the program's own code
 *                write    write, pwrite, fwrite of the process to a file (not to its standard streams): ENOSPC
 *                sync     fsync, fdatasync: EIO
 *                rename   rename, renameat2, link: EIO
 *                open     open, openat, fopen for reading or writing: EACCES
 *   FAULT_AT     which call fails, from 1; 0: none
 *   FAULT_COUNT  a file that receives the number of calls of this kind at the end
 *
 * Calls that the C library makes inside itself are not seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

extern void *__libc_malloc(size_t bytes);
extern void *__libc_calloc(size_t count, size_t bytes);
extern void *__libc_realloc(void *old, size_t bytes);
extern void *__libc_memalign(size_t alignment, size_t bytes);

static char kind; /* the first letter; 0 until set up, so that nothing fails before main */
static long at;
static atomic_long calls;
static uintptr_t own_first, own_last;

static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type != PT_LOAD || (p->p_flags & PF_X) == 0) continue;
        own_first = info->dlpi_addr + p->p_vaddr;
        own_last = own_first + p->p_memsz;
    }
    return 1; /* the program is the first */
}

__attribute__((constructor)) static void set_up(void)
{
    const char *name = getenv("FAULT_KIND"), *number = getenv("FAULT_AT");
    dl_iterate_phdr(find_program, NULL);
    at = number != NULL ? strtol(number, NULL, 10) : 0;
    if (name != NULL) kind = name[0];
    unsetenv("LD_PRELOAD");
}

__attribute__((destructor)) static void report(void)
{
    const char *path = getenv("FAULT_COUNT");
    kind = 0;
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (file == NULL) return;
    fprintf(file, "%ld\n", atomic_load(&calls));
    fclose(file);
}

static bool fails(char of) { return kind == of && atomic_fetch_add(&calls, 1) + 1 == at; }

static bool own(const void *caller) { return (uintptr_t)caller >= own_first && (uintptr_t)caller < own_last; }

#define CALLER __builtin_return_address(0)
#define REAL(name) ((__typeof__(&name))real(#name))

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static int refused(int error)
{
    errno = error;
    return -1;
}

/* The C library's headers name their parameters with reserved words. */
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name) */

/* ---- memory ---- */

void *malloc(size_t bytes) { return own(CALLER) && fails('a') ? no_memory() : __libc_malloc(bytes); }
void *calloc(size_t n, size_t bytes) { return own(CALLER) && fails('a') ? no_memory() : __libc_calloc(n, bytes); }
void *realloc(void *old, size_t bytes) { return own(CALLER) && fails('a') ? no_memory() : __libc_realloc(old, bytes); }
void *aligned_alloc(size_t alignment, size_t bytes)
{
    return own(CALLER) && fails('a') ? no_memory() : __libc_memalign(alignment, bytes);
}
int posix_memalign(void **result, size_t alignment, size_t bytes)
{
    void *memory = own(CALLER) && fails('a') ? NULL : __libc_memalign(alignment, bytes);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}

/* ---- threads ---- */

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context)
{
    if (own(CALLER) && fails('t')) return EAGAIN;
    return REAL(pthread_create)(thread, attributes, run, context);
}

/* ---- files ---- */

ssize_t write(int file, const void *bytes, size_t n)
{
    return file > 2 && fails('w') ? refused(ENOSPC) : REAL(write)(file, bytes, n);
}
ssize_t pwrite(int file, const void *bytes, size_t n, off_t offset)
{
    return fails('w') ? refused(ENOSPC) : REAL(pwrite)(file, bytes, n, offset);
}
ssize_t pwrite64(int file, const void *bytes, size_t n, off64_t offset)
{
    return fails('w') ? refused(ENOSPC) : REAL(pwrite64)(file, bytes, n, offset);
}
size_t fwrite(const void *bytes, size_t size, size_t n, FILE *file)
{
    if (file != stdout && file != stderr && fails('w')) {
        errno = ENOSPC;
        return 0;
    }
    return REAL(fwrite)(bytes, size, n, file);
}
int fsync(int file) { return fails('s') ? refused(EIO) : REAL(fsync)(file); }
int fdatasync(int file) { return fails('s') ? refused(EIO) : REAL(fdatasync)(file); }
int rename(const char *from, const char *to) { return fails('r') ? refused(EIO) : REAL(rename)(from, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags)
{
    return fails('r') ? refused(EIO) : REAL(renameat2)(a, from, b, to, flags);
}
int link(const char *from, const char *to) { return fails('r') ? refused(EIO) : REAL(link)(from, to); }

static unsigned mode_of(int flags, va_list arguments)
{
    return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0;
}

#define OPEN(name)                                                                                                     \
    int name(const char *path, int flags, ...)                                                                         \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        const unsigned mode = mode_of(flags, arguments);                                                               \
        va_end(arguments);                                                                                             \
        return fails('o') ? refused(EACCES) : REAL(name)(path, flags, mode);                                           \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(name)                                                                                                   \
    int name(int folder, const char *path, int flags, ...)                                                             \
    {                                                                                                                  \
        va_list arguments;                                                                                             \
        va_start(arguments, flags);                                                                                    \
        const unsigned mode = mode_of(flags, arguments);                                                               \
        va_end(arguments);                                                                                             \
        return fails('o') ? refused(EACCES) : REAL(name)(folder, path, flags, mode);                                   \
    }
OPENAT(openat)
OPENAT(openat64)

#define FOPEN(name)                                                                                                    \
    FILE *name(const char *path, const char *mode)                                                                     \
    {                                                                                                                  \
        if (!fails('o')) return REAL(name)(path, mode);                                                                \
        errno = EACCES;                                                                                                \
        return NULL;                                                                                                   \
    }
FOPEN(fopen)
FOPEN(fopen64)

/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */
