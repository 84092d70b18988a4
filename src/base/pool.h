/* pool.h -- persistent worker threads.
 *
 * Work is cut into numbered pieces; which worker takes which piece is chance,
 * so a piece may depend on its number only, never on its worker (except for
 * that worker's scratch memory).  Results are joined by number.
 */
#ifndef WINNOW_BASE_POOL_H
#define WINNOW_BASE_POOL_H

#include <stddef.h>
#include <stdint.h>

struct pool;

/* threads 0: as many as the process may run on.  One of them is the caller of
 * pool_run(), so a pool of one starts no thread. */
struct pool *pool_new(uint32_t threads);
void pool_free(struct pool *p);
uint32_t pool_threads(const struct pool *p);

/* Calls work(ctx, piece, worker) once for each piece in 0..pieces-1, worker
 * being in 0..threads-1, and returns when all are done.  Pieces are handed out
 * in order.  Not re-entrant: no pool_run() on the same pool from within work. */
void pool_run(struct pool *p, size_t pieces, void (*work)(void *ctx, size_t piece, uint32_t worker),
              void *ctx);

/* What pool_run() did so far, by how far its work could have been shared out:
 * [b] has the rounds of 2^(b-1) up to 2^b - 1 pieces.  A round is one barrier. */
#define POOL_TALLIES 33
struct pool_tally {
    uint64_t rounds, pieces;
    double seconds;
};
const struct pool_tally *pool_tallies(const struct pool *p);

/* Processors this process may run on, at least 1. */
uint32_t pool_processors(void);

#endif /* WINNOW_BASE_POOL_H */
