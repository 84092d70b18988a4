/* mem.h -- the only file of the code base that calls malloc.
 *
 * mem_alloc() and mem_realloc() are for sizes that the code itself chose or
 * bounded: they do not return on failure.  mem_try_alloc() is for sizes that
 * came from data or options, which a user can get wrong: the caller reports
 * WINNOW_E_NOMEM with the size and what caused it.
 */
#ifndef WINNOW_BASE_MEM_H
#define WINNOW_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 64-byte aligned, not zeroed; a size of 0 gives a pointer that can be freed. */
void *mem_alloc(size_t size);
void *mem_try_alloc(size_t size);

/* Grows or shrinks a piece; the first min(old, size) bytes stay.  p may be NULL. */
void *mem_realloc(void *p, size_t old_size, size_t size);

/* The same for a size that came from data: false where it does not fit, and *p
 * holds what it held. */
bool mem_try_grow(void **p, size_t old_size, size_t size);

void *mem_zalloc(size_t size);
char *mem_strdup(const char *s);
void mem_free(void *p);

/* For arrays that a kernel streams through: 2 MiB aligned and backed by huge
 * pages where the system gives them, zeroed.  A page comes when it is first
 * touched: what is never used costs nothing, and threads that fill an array
 * together share that work too.  NULL when out of memory; freed by
 * mem_free_huge() with the same size. */
void *mem_try_alloc_huge(size_t size);
void mem_free_huge(void *p, size_t size);

/* Makes the C library give large pieces back to the system as soon as they are
 * freed, and keep few heaps: for a process that has promised a limit.  Call it
 * before any thread starts. */
void mem_give_back(void);

/* Bytes of the process that are in memory now; 0 where the system does not say. */
uint64_t mem_resident(void);

/* Tests: the n-th mem_try_alloc() from now returns NULL; 0 turns it off. */
void mem_fail_at(unsigned long n);

#endif /* WINNOW_BASE_MEM_H */
