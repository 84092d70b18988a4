/* ranks_mpi.c -- ranks over MPI: a module of its own (winnow-mpi.so), which the program loads when
 * mpirun or srun started it as one of several.  Compiled against the MPI that is there, of
 * which only MPI-3 is used.
 *
 * Everything waits by MPI_Test and sleep: a blocking call of MPI turns in a loop, and would take
 * the processor from the rank that everybody waits for. */
#include "ranks/transport.h"

#include <mpi.h>
#include <stdlib.h>
#include <time.h>

enum { TAG_CALL = 77 };
#define WAIT_LEAST 20000L /* nanoseconds */
#define WAIT_MOST  4000000L

struct mpi {
    MPI_Comm comm;
    int rank, count;
    int *numbers; /* 4 * count: counts and places of swap() */
};

static int wait_for(MPI_Request *request)
{
    long ns = WAIT_LEAST;
    for (;;) {
        int done = 0;
        if (MPI_Test(request, &done, MPI_STATUS_IGNORE) != MPI_SUCCESS) {
            return -1;
        }
        if (done) {
            return 0;
        }
        const struct timespec pause = {0, ns};
        (void)nanosleep(&pause, NULL);
        ns = ns < WAIT_MOST ? ns * 2 : ns;
    }
}

/* NOLINTBEGIN(clang-analyzer-optin.mpi.MPI-Checker): wait_for() waits for what these begin */

static int all(void *ctx, const void *mine, void *every, size_t bytes)
{
    const struct mpi *m = ctx;
    MPI_Request request;
    int n = (int)bytes;
    if (bytes * (size_t)m->count > RANKS_ROUND_MAX * 4) {
        return -1;
    }
    return MPI_Iallgather(mine, n, MPI_BYTE, every, n, MPI_BYTE, m->comm, &request) == MPI_SUCCESS
               ? wait_for(&request)
               : -1;
}

/* Counts and places as MPI has them; -1 where they do not fit. */
static int lay_out(const size_t *bytes, int count, int *counts, int *places)
{
    size_t at = 0;
    for (int i = 0; i < count; i++) {
        counts[i] = (int)bytes[i];
        places[i] = (int)at;
        at += bytes[i];
        if (at > INT32_MAX) {
            return -1;
        }
    }
    return 0;
}

static int swap(void *ctx, const void *out, const size_t *out_bytes, void *in,
                const size_t *in_bytes)
{
    const struct mpi *m = ctx;
    MPI_Request request;
    int *out_counts = m->numbers, *out_places = out_counts + m->count;
    int *in_counts = out_places + m->count, *in_places = in_counts + m->count;
    if (lay_out(out_bytes, m->count, out_counts, out_places) != 0 ||
        lay_out(in_bytes, m->count, in_counts, in_places) != 0) {
        return -1;
    }
    return MPI_Ialltoallv(out, out_counts, out_places, MPI_BYTE, in, in_counts, in_places, MPI_BYTE,
                          m->comm, &request) == MPI_SUCCESS
               ? wait_for(&request)
               : -1;
}

static int cast(void *ctx, void *bytes, size_t len)
{
    const struct mpi *m = ctx;
    MPI_Request request;
    return MPI_Ibcast(bytes, (int)len, MPI_BYTE, 0, m->comm, &request) == MPI_SUCCESS
               ? wait_for(&request)
               : -1;
}

/* NOLINTEND(clang-analyzer-optin.mpi.MPI-Checker) */

static void call(void *ctx)
{
    const struct mpi *m = ctx;
    for (int i = 0; i < m->count; i++) {
        if (i != m->rank) { /* no byte: it does not wait to be received */
            (void)MPI_Send(NULL, 0, MPI_BYTE, i, TAG_CALL, m->comm);
        }
    }
}

static bool called(void *ctx)
{
    const struct mpi *m = ctx;
    int there = 0;
    (void)MPI_Iprobe(MPI_ANY_SOURCE, TAG_CALL, m->comm, &there, MPI_STATUS_IGNORE);
    return there != 0;
}

static void leave(void *ctx)
{
    struct mpi *m = ctx;
    MPI_Request request;
    if (MPI_Ibarrier(m->comm, &request) == MPI_SUCCESS && wait_for(&request) == 0) {
        while (called(m)) {
            (void)MPI_Recv(NULL, 0, MPI_BYTE, MPI_ANY_SOURCE, TAG_CALL, m->comm, MPI_STATUS_IGNORE);
        }
    }
    (void)MPI_Comm_free(&m->comm);
    (void)MPI_Finalize();
    free(m->numbers);
    free(m);
}

static int count_beside(void)
{
    MPI_Comm machine;
    int n = 1;
    if (MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine) ==
        MPI_SUCCESS) {
        (void)MPI_Comm_size(machine, &n);
        (void)MPI_Comm_free(&machine);
    }
    return n;
}

__attribute__((visibility("default"))) int winnow_ranks_join(struct ranks_transport *out);

int winnow_ranks_join(struct ranks_transport *out)
{
    int given = 0;
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS) {
        return -1;
    }
    struct mpi *m = calloc(1, sizeof *m);
    if (!m || given < MPI_THREAD_FUNNELED ||
        MPI_Comm_dup(MPI_COMM_WORLD, &m->comm) != MPI_SUCCESS) {
        free(m);
        return -1;
    }
    (void)MPI_Comm_rank(m->comm, &m->rank);
    (void)MPI_Comm_size(m->comm, &m->count);
    m->numbers = calloc((size_t)m->count * 4, sizeof *m->numbers);
    if (!m->numbers) {
        free(m);
        return -1;
    }
    *out = (struct ranks_transport){.ctx = m,
                                    .rank = (uint32_t)m->rank,
                                    .count = (uint32_t)m->count,
                                    .beside = (uint32_t)count_beside(),
                                    .all = all,
                                    .swap = swap,
                                    .cast = cast,
                                    .call = call,
                                    .called = called,
                                    .leave = leave};
    return 0;
}
