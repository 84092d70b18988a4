/* transport.h -- what a way for processes to talk must do, in plain C: ranks_mpi.c does it over
 * MPI, tests over threads.
 *
 * A module that is loaded at run time fills it in, so the program itself needs no MPI.  Calls
 * come from one thread of each rank, and but for call() and called() from all ranks in the same
 * order.  They wait without using a processor: another rank may work for hours.
 */
#ifndef WINNOW_RANKS_TRANSPORT_H
#define WINNOW_RANKS_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of one rank in one call of all() or swap(), at most. */
#define RANKS_ROUND_MAX ((size_t)256 << 20)

struct ranks_transport {
    void *ctx;
    uint32_t rank, count;
    uint32_t beside; /* ranks on this machine, this one included */

    /* Each gives 0, or -1 where the system of messages failed. */
    int (*all)(void *ctx, const void *mine, void *every, size_t bytes); /* count * bytes */
    /* Everybody to everybody: bytes for rank i stand one behind the other, as those from it. */
    int (*swap)(void *ctx, const void *out, const size_t *out_bytes, void *in,
                const size_t *in_bytes);
    int (*cast)(void *ctx, void *bytes, size_t len); /* those of rank 0 */

    void (*call)(void *ctx); /* asks all others to come to the next common step */
    bool (*called)(void *ctx);
    void (*leave)(void *ctx); /* the last call, by all */
};

/* What such a module has under the name RANKS_JOIN; 0, or -1. */
typedef int ranks_join(struct ranks_transport *out);
#define RANKS_JOIN "winnow_ranks_join"

#endif /* WINNOW_RANKS_TRANSPORT_H */
