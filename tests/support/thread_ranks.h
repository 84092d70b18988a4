/* thread_ranks.h -- ranks as threads of one process, for tests of what stands on ranks.h.
 *
 * A meeting is a barrier before and behind what is copied, so it is right and slow. */
#ifndef TESTS_THREAD_RANKS_H
#define TESTS_THREAD_RANKS_H

#include "ranks/ranks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define THREAD_RANKS_MAX 8

struct thread_world {
    uint32_t count;
    pthread_barrier_t barrier;
    const void *out[THREAD_RANKS_MAX];
    const size_t *out_bytes[THREAD_RANKS_MAX];
    atomic_int calls[THREAD_RANKS_MAX]; /* by that rank */
};

struct thread_rank {
    struct thread_world *world;
    uint32_t rank;
};

static int thread_all(void *ctx, const void *mine, void *every, size_t bytes)
{
    struct thread_rank *t = ctx;
    t->world->out[t->rank] = mine;
    (void)pthread_barrier_wait(&t->world->barrier);
    for (uint32_t i = 0; i < t->world->count && bytes > 0; i++) {
        memcpy((char *)every + i * bytes, t->world->out[i], bytes);
    }
    (void)pthread_barrier_wait(&t->world->barrier);
    return 0;
}

static int thread_swap(void *ctx, const void *out, const size_t *out_bytes, void *in,
                       const size_t *in_bytes)
{
    struct thread_rank *t = ctx;
    char *at = in;
    t->world->out[t->rank] = out;
    t->world->out_bytes[t->rank] = out_bytes;
    (void)pthread_barrier_wait(&t->world->barrier);
    for (uint32_t i = 0; i < t->world->count; i++) {
        size_t from = 0;
        for (uint32_t k = 0; k < t->rank; k++) {
            from += t->world->out_bytes[i][k];
        }
        if (in_bytes[i] > 0) {
            memcpy(at, (const char *)t->world->out[i] + from, in_bytes[i]);
        }
        at += in_bytes[i];
    }
    (void)pthread_barrier_wait(&t->world->barrier);
    return 0;
}

static int thread_cast(void *ctx, void *bytes, size_t len)
{
    struct thread_rank *t = ctx;
    t->world->out[t->rank] = bytes;
    (void)pthread_barrier_wait(&t->world->barrier);
    if (t->rank > 0) {
        memcpy(bytes, t->world->out[0], len);
    }
    (void)pthread_barrier_wait(&t->world->barrier);
    return 0;
}

static void thread_call(void *ctx)
{
    struct thread_rank *t = ctx;
    (void)atomic_fetch_add(&t->world->calls[t->rank], 1);
}

static bool thread_called(void *ctx)
{
    struct thread_rank *t = ctx;
    bool any = false;
    for (uint32_t i = 0; i < t->world->count; i++) {
        any = any || (i != t->rank && atomic_load(&t->world->calls[i]) > 0);
    }
    return any;
}

static void thread_leave(void *ctx)
{
    (void)ctx;
}

static struct winnow_ranks *thread_ranks_new(struct thread_rank *t)
{
    return ranks_new(&(struct ranks_transport){.ctx = t,
                                               .rank = t->rank,
                                               .count = t->world->count,
                                               .beside = t->world->count,
                                               .all = thread_all,
                                               .swap = thread_swap,
                                               .cast = thread_cast,
                                               .call = thread_call,
                                               .called = thread_called,
                                               .leave = thread_leave});
}

/* work() on so many ranks at the same time. */
struct thread_job {
    struct thread_rank at;
    void (*work)(struct winnow_ranks *r);
};

static void *thread_main(void *ctx)
{
    struct thread_job *job = ctx;
    struct winnow_ranks *r = thread_ranks_new(&job->at);
    job->work(r);
    ranks_free(r);
    return NULL;
}

static void on_thread_ranks(uint32_t count, void (*work)(struct winnow_ranks *r))
{
    struct thread_world world = {.count = count};
    struct thread_job jobs[THREAD_RANKS_MAX];
    pthread_t threads[THREAD_RANKS_MAX];
    (void)pthread_barrier_init(&world.barrier, NULL, count);
    for (uint32_t i = 0; i < count; i++) {
        jobs[i] = (struct thread_job){{&world, i}, work};
        if (pthread_create(&threads[i], NULL, thread_main, &jobs[i]) != 0) {
            abort();
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)pthread_barrier_destroy(&world.barrier);
}

#endif /* TESTS_THREAD_RANKS_H */
