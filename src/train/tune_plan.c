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

/* The examples in the order of an epoch. */
static void shuffle(uint32_t *order, size_t count, uint64_t seed, uint64_t epoch)
{
    struct rng r;
    rng_init(&r, rng_mix(seed) + epoch, "examples");
    for (uint32_t i = 0; i < count; i++) {
        order[i] = i;
    }
    rng_shuffle_u32(&r, order, count);
}

void tune_plan_make(const struct tune_examples *e, const struct tune_options *opt,
                    struct tune_plan *out)
{
    *out = (struct tune_plan){0};
    uint64_t budget = opt->tokens;
    if (budget == 0) {
        budget = (uint64_t)(opt->epochs * (double)e->tokens.len);
    }
    uint32_t *epoch = mem_alloc((e->count + 1) * sizeof *epoch);
    size_t n = 0, order_cap = 0, ends_cap = 0;
    uint64_t spent = 0, filled = 0;
    for (uint64_t i = 0; e->count > 0 && spent < budget; i++) {
        size_t at = (size_t)(i % e->count);
        if (at == 0) {
            shuffle(epoch, e->count, opt->seed, i / e->count);
        }
        uint64_t length = e->items[epoch[at]].end - start_of(e, epoch[at]);
        if (filled > 0 && filled + length > opt->batch_tokens) {
            GROW(out->ends, out->steps, ends_cap, 1024);
            out->ends[out->steps++] = n;
            filled = 0;
        }
        GROW(out->order, n, order_cap, 1024);
        out->order[n++] = epoch[at];
        filled += length;
        spent += length;
    }
    if (filled > 0) {
        GROW(out->ends, out->steps, ends_cap, 1024);
        out->ends[out->steps++] = n;
    }
    out->epochs = e->tokens.len > 0 ? (double)spent / (double)e->tokens.len : 0;
    mem_free(epoch);
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
