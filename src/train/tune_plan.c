/* tune_plan.c -- which examples make which step, decided before the first one.
 *
 * An epoch is a shuffle that depends on seed and number only; steps are filled up to
 * batch_tokens without cutting an example.  So a training that goes on needs to know
 * its step and nothing else. */
#include "train/tune_plan.h"

#include "base/grow.h"
#include "base/mem.h"
#include "base/rng.h"

#include <assert.h>

void tune_examples_release(struct tune_examples *e)
{
    u32_list_release(&e->tokens);
    u32_list_release(&e->targets);
    mem_free(e->items);
    *e = (struct tune_examples){0};
}

void tune_examples_add(struct tune_examples *e, const uint32_t *tokens, uint32_t count,
                       uint32_t prompt)
{
    assert(prompt >= 1 && prompt < count);
    GROW(e->items, e->count, e->cap, 256);
    memcpy(u32_list_reserve(&e->tokens, count), tokens, count * sizeof *tokens);
    e->tokens.len += count;
    (void)u32_list_reserve(&e->targets, count);
    for (uint32_t k = 0; k < count; k++) {
        bool answers = k + 1 >= prompt && k + 1 < count;
        u32_list_add(&e->targets, answers ? tokens[k + 1] : BATCH_NO_TARGET);
    }
    e->items[e->count++] = (struct tune_example){e->tokens.len, count - prompt};
    e->longest = count > e->longest ? count : e->longest;
}

static size_t start_of(const struct tune_examples *e, size_t i)
{
    return i > 0 ? e->items[i - 1].end : 0;
}

void tune_examples_target(struct tune_examples *e, uint32_t position, uint32_t target)
{
    assert(e->count > 0);
    size_t from = start_of(e, e->count - 1);
    assert(position < e->tokens.len - from);
    uint32_t *at = e->targets.ptr + from + position;
    assert(*at == BATCH_NO_TARGET);
    *at = target;
    e->items[e->count - 1].targets++;
}

/* An epoch's examples in its order. */
struct epoch {
    uint32_t *items;
    size_t count, cap;
};

static void fill_epoch(const struct tune_planning *p, uint64_t number, struct epoch *out)
{
    struct rng r, round;
    rng_init(&r, rng_mix(p->seed) + number, "examples");
    rng_init(&round, rng_mix(p->seed) + number, "repeats");
    out->count = 0;
    for (uint32_t i = 0; i < p->count; i++) {
        double times = p->repeats ? (double)p->repeats[i] : 1;
        uint64_t count = (uint64_t)times;
        count += p->repeats && rng_uniform(&round) < times - (double)count;
        for (uint64_t k = 0; k < count; k++) {
            GROW(out->items, out->count, out->cap, 1024);
            out->items[out->count++] = i;
        }
    }
    rng_shuffle_u32(&r, out->items, out->count);
}

static uint64_t all_tokens(const struct tune_planning *p)
{
    double sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        sum += (double)p->lengths[i] * (p->repeats ? (double)p->repeats[i] : 1);
    }
    return (uint64_t)sum;
}

/* Steps being filled. */
struct filling {
    struct tune_plan *out;
    size_t n, order_cap, ends_cap;
    uint64_t filled;
};

static void end_step(struct filling *f)
{
    GROW(f->out->ends, f->out->steps, f->ends_cap, 1024);
    f->out->ends[f->out->steps++] = f->n;
    f->filled = 0;
}

static void take(struct filling *f, const struct tune_planning *p, uint32_t item)
{
    uint64_t length = p->lengths[item];
    if (f->filled > 0 && f->filled + length > p->batch_tokens) {
        end_step(f);
    }
    GROW(f->out->order, f->n, f->order_cap, 1024);
    f->out->order[f->n++] = item;
    f->filled += length;
    f->out->tokens += length;
}

void tune_plan_of(const struct tune_planning *p, struct tune_plan *out)
{
    *out = (struct tune_plan){0};
    uint64_t all = all_tokens(p);
    uint64_t budget = p->tokens > 0 ? p->tokens : (uint64_t)(p->epochs * (double)all);
    struct filling f = {.out = out};
    struct epoch epoch = {0};
    for (uint64_t e = 0; all > 0 && out->tokens < budget; e++) {
        fill_epoch(p, e, &epoch);
        for (size_t i = 0; i < epoch.count && out->tokens < budget; i++) {
            take(&f, p, epoch.items[i]);
        }
    }
    if (f.filled > 0) {
        end_step(&f);
    }
    out->epochs = all > 0 ? (double)out->tokens / (double)all : 0;
    mem_free(epoch.items);
}

void tune_plan_make(const struct tune_examples *e, const struct tune_options *opt,
                    struct tune_plan *out)
{
    uint32_t *lengths = mem_alloc((e->count + 1) * sizeof *lengths);
    for (size_t i = 0; i < e->count; i++) {
        lengths[i] = (uint32_t)(e->items[i].end - start_of(e, i));
    }
    const struct tune_planning p = {.lengths = lengths,
                                    .count = e->count,
                                    .seed = opt->seed,
                                    .batch_tokens = opt->batch_tokens,
                                    .tokens = opt->tokens,
                                    .epochs = opt->epochs};
    tune_plan_of(&p, out);
    mem_free(lengths);
}

void tune_plan_release(struct tune_plan *p)
{
    mem_free(p->order);
    mem_free(p->ends);
    *p = (struct tune_plan){0};
}

void tune_batch_release(struct tune_batch *b)
{
    u32_list_release(&b->tokens);
    u32_list_release(&b->targets);
    u32_list_release(&b->starts);
}

void tune_batch_fill(struct tune_batch *b, const struct tune_examples *e, const uint32_t *which,
                     size_t count)
{
    b->tokens.len = b->targets.len = b->starts.len = 0;
    u32_list_add(&b->starts, 0);
    for (size_t i = 0; i < count; i++) {
        const struct tune_example *x = &e->items[which[i]];
        size_t from = start_of(e, which[i]), n = x->end - from;
        memcpy(u32_list_reserve(&b->tokens, n), e->tokens.ptr + from, n * sizeof *e->tokens.ptr);
        memcpy(u32_list_reserve(&b->targets, n), e->targets.ptr + from, n * sizeof *e->targets.ptr);
        b->tokens.len += n;
        b->targets.len += n;
        u32_list_add(&b->starts, (uint32_t)b->tokens.len);
    }
    b->batch = (struct token_batch){b->tokens.ptr, b->starts.ptr, count, b->targets.ptr};
}
