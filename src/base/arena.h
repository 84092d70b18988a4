/* arena.h -- memory with one owner and one end.
 *
 * An arena hands out memory that lives until arena_reset() or arena_release().
 * Nothing is freed singly.  Each long-lived object owns one arena; each worker
 * owns one scratch arena that it resets after every batch, so the steady state
 * of a run asks the system for no memory at all.
 */
#ifndef WINNOW_BASE_ARENA_H
#define WINNOW_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *head; /* block in use; older ones follow */
    size_t used;              /* bytes taken from head */
    size_t block_size;        /* least size of a new block */
    char *text;               /* where the next short string goes */
    size_t text_left;         /* bytes there */
};

void arena_init(struct arena *a, size_t block_size);
void arena_release(struct arena *a);

/* Takes everything back, keeps the newest block for the next round. */
void arena_reset(struct arena *a);

/* Zeroed, 64-byte aligned.  Never NULL: see mem.h for what happens when the
 * system is out of memory. */
void *arena_alloc(struct arena *a, size_t count, size_t size);

/* The same for a count that came from data: NULL where it does not fit. */
void *arena_try_alloc(struct arena *a, size_t count, size_t size);

/* A copy of len bytes with a NUL behind them; short ones follow each other closely. */
char *arena_strndup(struct arena *a, const char *s, size_t len);

#define ARENA_NEW(a, type, count) ((type *)arena_alloc((a), (count), sizeof(type)))

#endif /* WINNOW_BASE_ARENA_H */
