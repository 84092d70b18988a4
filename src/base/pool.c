/* pool.c -- persistent worker threads.
 *
 * A round of work is one generation number.  The caller publishes the work,
 * raises the generation and takes pieces itself; workers that see the new
 * generation take pieces from the same counter.  A worker waits for the next
 * round by spinning for some ten microseconds (the engine starts hundreds of
 * rounds a second), then sleeps on a condition variable.
 */
#include "base/pool.h"

#include "base/env.h"
#include "base/mem.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>

#define POOL_SPINS 4000

struct pool_worker {
    struct pool *pool;
    uint32_t index;
    pthread_t thread;
};

struct pool {
    uint32_t threads;
    struct pool_worker *workers; /* threads - 1 of them, with index from 1 */

    void (*work)(void *ctx, size_t piece, uint32_t worker);
    void *ctx;
    size_t pieces;
    atomic_size_t next;
    atomic_uint running;    /* workers that have not finished this generation */
    atomic_uint generation; /* raised under lock */
    atomic_bool stop;

    pthread_mutex_t lock;
    pthread_cond_t wake, idle;

    struct pool_tally tallies[POOL_TALLIES];
};

static void relax(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void take_pieces(struct pool *p, uint32_t worker)
{
    for (;;) {
        size_t piece = atomic_fetch_add_explicit(&p->next, 1, memory_order_relaxed);
        if (piece >= p->pieces) {
            return;
        }
        p->work(p->ctx, piece, worker);
    }
}

static unsigned wait_generation(struct pool *p, unsigned seen)
{
    for (int i = 0; i < POOL_SPINS; i++) {
        unsigned now = atomic_load_explicit(&p->generation, memory_order_acquire);
        if (now != seen) {
            return now;
        }
        relax();
    }
    (void)pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->generation) == seen) {
        (void)pthread_cond_wait(&p->wake, &p->lock);
    }
    (void)pthread_mutex_unlock(&p->lock);
    return atomic_load(&p->generation);
}

static void *worker_main(void *arg)
{
    struct pool_worker *w = arg;
    struct pool *p = w->pool;
    unsigned seen = 0;
    for (;;) {
        seen = wait_generation(p, seen);
        if (atomic_load(&p->stop)) {
            return NULL;
        }
        take_pieces(p, w->index);
        if (atomic_fetch_sub(&p->running, 1) == 1) {
            (void)pthread_mutex_lock(&p->lock);
            (void)pthread_cond_signal(&p->idle);
            (void)pthread_mutex_unlock(&p->lock);
        }
    }
}

static void next_generation(struct pool *p)
{
    (void)pthread_mutex_lock(&p->lock);
    (void)atomic_fetch_add(&p->generation, 1);
    (void)pthread_cond_broadcast(&p->wake);
    (void)pthread_mutex_unlock(&p->lock);
}

uint32_t pool_processors(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        return 1;
    }
    int n = CPU_COUNT(&set);
    return n > 0 ? (uint32_t)n : 1;
}

struct pool *pool_new(uint32_t threads)
{
    struct pool *p = mem_zalloc(sizeof *p);
    p->threads = threads > 0 ? threads : pool_processors();
    (void)pthread_mutex_init(&p->lock, NULL);
    (void)pthread_cond_init(&p->wake, NULL);
    (void)pthread_cond_init(&p->idle, NULL);
    p->workers = mem_zalloc((p->threads - 1) * sizeof *p->workers);
    uint32_t started = 0;
    for (uint32_t i = 0; i + 1 < p->threads; i++) {
        struct pool_worker *w = &p->workers[i];
        *w = (struct pool_worker){.pool = p, .index = i + 1};
        if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
            break; /* fewer threads: slower, the same result */
        }
        started++;
    }
    p->threads = started + 1;
    return p;
}

void pool_free(struct pool *p)
{
    if (!p) {
        return;
    }
    atomic_store(&p->stop, true);
    next_generation(p);
    for (uint32_t i = 0; i + 1 < p->threads; i++) {
        (void)pthread_join(p->workers[i].thread, NULL);
    }
    (void)pthread_mutex_destroy(&p->lock);
    (void)pthread_cond_destroy(&p->wake);
    (void)pthread_cond_destroy(&p->idle);
    mem_free(p->workers);
    mem_free(p);
}

uint32_t pool_threads(const struct pool *p)
{
    return p->threads;
}

const struct pool_tally *pool_tallies(const struct pool *p)
{
    return p->tallies;
}

static void book(struct pool *p, size_t pieces, double seconds)
{
    unsigned bits = 0;
    for (size_t n = pieces; n > 0 && bits + 1 < POOL_TALLIES; n >>= 1) {
        bits++;
    }
    struct pool_tally *t = &p->tallies[bits];
    t->rounds++;
    t->pieces += pieces;
    t->seconds += seconds;
}

static void run_round(struct pool *p)
{
    if (p->threads == 1 || p->pieces == 1) {
        take_pieces(p, 0);
        return;
    }
    assert(atomic_load(&p->running) == 0);
    atomic_store(&p->running, p->threads - 1);
    next_generation(p);
    take_pieces(p, 0);
    for (int i = 0; i < POOL_SPINS && atomic_load(&p->running) > 0; i++) {
        relax();
    }
    (void)pthread_mutex_lock(&p->lock);
    while (atomic_load(&p->running) > 0) {
        (void)pthread_cond_wait(&p->idle, &p->lock);
    }
    (void)pthread_mutex_unlock(&p->lock);
}

void pool_run(struct pool *p, size_t pieces, void (*work)(void *ctx, size_t piece, uint32_t worker),
              void *ctx)
{
    if (pieces == 0) {
        return;
    }
    double start = env_seconds();
    p->work = work;
    p->ctx = ctx;
    p->pieces = pieces;
    atomic_store(&p->next, 0);
    run_round(p);
    book(p, pieces, env_seconds() - start);
}
