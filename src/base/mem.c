/* mem.c -- the only file that calls malloc.
 *
 * Pieces are cache-line aligned for the kernels.  Large ones are moved by remapping
 * pages (realloc over mremap) where that keeps the alignment: a copy would need the
 * old and the new piece at once, which doubles the peak of arrays that grow.
 * mem_try_*() count down to a failure that tests ordered; mem_alloc() does not, as
 * it never fails for a caller. */
#include "base/mem.h"

#include <assert.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) /* gcc */
#define MEM_IS_SHADOWED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || \
    __has_feature(memory_sanitizer)
#define MEM_IS_SHADOWED /* what the system counts is the sanitizer's */
#endif
#endif

#define MEM_ALIGN 64U
#define MEM_HUGE  ((size_t)2 << 20)

/* From this size on the C library maps a piece for itself, see mem_give_back(). */
#define MEM_REMAPPED ((size_t)1 << 20)

static atomic_ulong fail_countdown;

static bool fail_now(void)
{
    unsigned long left = atomic_load_explicit(&fail_countdown, memory_order_relaxed);
    if (left == 0) {
        return false;
    }
    return atomic_fetch_sub(&fail_countdown, 1) == 1;
}

static void *alloc_aligned(size_t size)
{
    if (size > SIZE_MAX - MEM_ALIGN) {
        return NULL;
    }
    size_t rounded = (size + MEM_ALIGN - 1) & ~(size_t)(MEM_ALIGN - 1);
    return aligned_alloc(MEM_ALIGN, rounded > 0 ? rounded : MEM_ALIGN);
}

void *mem_try_alloc(size_t size)
{
    return fail_now() ? NULL : alloc_aligned(size);
}

void *mem_alloc(size_t size)
{
    void *p = alloc_aligned(size);
    if (!p) {
        (void)fprintf(stderr, "winnow: out of memory (%zu bytes)\n", size);
        abort();
    }
    return p;
}

/* Large pieces are moved by remapping their pages where the system can: neither
 * the time of a copy nor room for the old and the new one.  NULL: it cannot, and
 * *p is where the bytes are now. */
static void *remap(void **p, size_t size)
{
    if (size > SIZE_MAX - MEM_ALIGN) {
        return NULL;
    }
    void *q = realloc(*p, (size + MEM_ALIGN - 1) & ~(size_t)(MEM_ALIGN - 1));
    if (q) {
        *p = q;
    }
    return q && (uintptr_t)q % MEM_ALIGN == 0 ? q : NULL;
}

static void *copy_to(void *q, void *p, size_t old_size, size_t size)
{
    if (q && p) {
        memcpy(q, p, old_size < size ? old_size : size);
        mem_free(p);
    }
    return q;
}

void *mem_realloc(void *p, size_t old_size, size_t size)
{
    assert(p || old_size == 0);
    bool large = p && old_size >= MEM_REMAPPED && size > old_size;
    void *moved = large ? remap(&p, size) : NULL;
    return moved ? moved : copy_to(mem_alloc(size), p, old_size, size);
}

bool mem_try_grow(void **p, size_t old_size, size_t size)
{
    assert(*p || old_size == 0);
    if (fail_now()) {
        return false;
    }
    if (*p && old_size >= MEM_REMAPPED && size > old_size && remap(p, size)) {
        return true;
    }
    void *q = copy_to(alloc_aligned(size), *p, old_size, size);
    *p = q ? q : *p;
    return q != NULL;
}

void *mem_zalloc(size_t size)
{
    void *p = mem_alloc(size);
    memset(p, 0, size);
    return p;
}

char *mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = mem_alloc(n);
    memcpy(copy, s, n);
    return copy;
}

void mem_free(void *p)
{
    free(p);
}

static size_t huge_round(size_t size)
{
    return (size + MEM_HUGE - 1) & ~(MEM_HUGE - 1);
}

void *mem_try_alloc_huge(size_t size)
{
    if (size == 0 || size > SIZE_MAX - 2 * MEM_HUGE || fail_now()) {
        return NULL;
    }
    size_t bytes = huge_round(size);
    char *p =
        mmap(NULL, bytes + MEM_HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        return NULL;
    }
    size_t before = huge_round((uintptr_t)p) - (uintptr_t)p, behind = MEM_HUGE - before;
    if (before > 0) {
        (void)munmap(p, before);
    }
    if (behind > 0) {
        (void)munmap(p + before + bytes, behind);
    }
    (void)madvise(p + before, bytes, MADV_HUGEPAGE); /* advice: slower without, never wrong */
    return p + before;
}

void mem_free_huge(void *p, size_t size)
{
    if (p) {
        (void)munmap(p, huge_round(size));
    }
}

void mem_give_back(void)
{
#ifdef __GLIBC__
    /* Left alone, it raises the first bound to 32 MiB as pieces are freed, and
     * keeps what lies between pieces in use; a heap for each thread keeps more. */
    /* NOLINTBEGIN(concurrency-mt-unsafe): before any thread, as the header says */
    (void)mallopt(M_MMAP_THRESHOLD, (int)MEM_REMAPPED);
    (void)mallopt(M_TRIM_THRESHOLD, (int)MEM_REMAPPED);
    (void)mallopt(M_ARENA_MAX, 2);
    /* NOLINTEND(concurrency-mt-unsafe) */
#endif
}

uint64_t mem_resident(void)
{
#ifdef MEM_IS_SHADOWED
    return 0;
#else
    char text[64] = ""; /* pages of the address space, pages in memory, ... */
    FILE *f = fopen("/proc/self/statm", "re");
    if (!f) {
        return 0;
    }
    const char *got = fgets(text, sizeof text, f);
    (void)fclose(f);
    const char *second = got ? strchr(text, ' ') : NULL;
    uint64_t pages = second ? strtoul(second, NULL, 10) : 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
#endif
}

void mem_fail_at(unsigned long n)
{
    atomic_store(&fail_countdown, n);
}
