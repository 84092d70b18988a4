/* lessons.c -- draws without state, and losses of rows. */
#include "correct/lessons.h"

#include "base/mem.h"
#include "base/rng.h"
#include "corpus/split.h"

#include <string.h>

#define LOSS_ROWS 64U

winnow_status lessons_open(struct lessons *l, const struct ranking *ranking, size_t top,
                           const struct feature_texts *neutral, struct winnow_error *err)
{
    l->ranking = ranking;
    l->top = top;
    l->neutral = neutral;
    l->train = mem_alloc((neutral->count + 1) * sizeof *l->train);
    l->held = mem_alloc((neutral->count + 1) * sizeof *l->held);
    l->shuffled = mem_alloc((top + 1) * sizeof *l->shuffled);
    for (size_t i = 0; i < neutral->count; i++) {
        if (neutral->rows[i].targets == 0) {
            continue;
        }
        bool held = split_unit(neutral->rows[i].key, 0, "neutral") < LESSONS_HELD_OUT;
        (held ? l->held : l->train)[held ? l->held_count++ : l->train_count++] = i;
    }
    if (l->train_count + l->held_count < 2) {
        return error_set(err, WINNOW_E_FORMAT,
                         "the neutral text has fewer than two documents with anything to predict: "
                         "one is to stay as it is, another to measure that it did");
    }
    /* of few documents chance may put all on one side */
    if (l->held_count == 0) {
        l->held[l->held_count++] = l->train[--l->train_count];
    } else if (l->train_count == 0) {
        l->train[l->train_count++] = l->held[--l->held_count];
    }
    return WINNOW_OK;
}

void lessons_release(struct lessons *l)
{
    mem_free(l->train);
    mem_free(l->held);
    mem_free(l->shuffled);
    tune_batch_release(&l->pairs);
    tune_batch_release(&l->text);
    *l = (struct lessons){0};
}

static uint32_t any_passage(struct rng *r, const struct lessons *l, const struct feature_texts *t,
                            size_t row)
{
    return (uint32_t)rng_below(r, passages_of(t, row, l->context));
}

static uint32_t tokens_of(const struct lessons *l, const struct feature_texts *t, size_t row,
                          uint32_t passage)
{
    uint32_t left = t->rows[row].tokens - passage * l->context;
    return left < l->context ? left : l->context;
}

/* Passages to unlearn in an order of the step's own, each with one of the lower half, as many as
 * fit but at least one. */
static void draw_pairs(struct lessons *l, struct rng *r)
{
    const struct ranking *rank = l->ranking;
    const struct feature_texts *t = rank->texts;
    size_t half = rank->count / 2, from = half > l->top ? half : l->top;
    uint64_t tokens = 0;
    for (size_t i = 0; i < l->top; i++) {
        l->shuffled[i] = (uint32_t)i;
    }
    rng_shuffle_u32(r, l->shuffled, l->top);
    passages_clear(&l->pairs);
    for (size_t i = 0; i < l->top; i++) {
        size_t bad = rank->order[l->shuffled[i]];
        size_t good = rank->order[from + rng_below(r, rank->count - from)];
        uint32_t taught = (uint32_t)rank->influence[bad].passage;
        uint32_t other = any_passage(r, l, t, good);
        tokens += tokens_of(l, t, bad, taught) + tokens_of(l, t, good, other);
        if (i > 0 && tokens > l->batch_tokens) {
            break;
        }
        passages_add(t, bad, taught, l->context, &l->pairs);
        passages_add(t, good, other, l->context, &l->pairs);
    }
}

/* Passages of neutral documents that follow each other from a random one on. */
static void draw_text(struct lessons *l, struct rng *r)
{
    size_t at = rng_below(r, l->train_count);
    uint64_t tokens = 0;
    passages_clear(&l->text);
    for (size_t i = 0; i < l->train_count; i++) {
        size_t row = l->train[(at + i) % l->train_count];
        uint32_t passage = any_passage(r, l, l->neutral, row);
        tokens += tokens_of(l, l->neutral, row, passage);
        if (i > 0 && tokens > l->batch_tokens) {
            break;
        }
        passages_add(l->neutral, row, passage, l->context, &l->text);
    }
}

winnow_status lessons_next(void *lessons, uint64_t step, struct unlearn_batch *out,
                           struct winnow_error *err)
{
    (void)err;
    struct lessons *l = lessons;
    struct rng r;
    rng_init(&r, rng_mix(l->seed + 1) ^ step, "lessons");
    draw_pairs(l, &r);
    draw_text(l, &r);
    *out = (struct unlearn_batch){l->pairs.batch, l->text.batch};
    return WINNOW_OK;
}

winnow_status lessons_loss(struct engine *e, const struct feature_texts *t, const size_t *rows,
                           size_t count, uint32_t context, double *out, struct winnow_error *err)
{
    struct tune_batch batch = {0};
    double sum = 0, targets = 0;
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; st == WINNOW_OK && i < count; i += LOSS_ROWS) {
        size_t n = count - i < LOSS_ROWS ? count - i : LOSS_ROWS;
        passages_batch(t, rows + i, n, context, &batch);
        float *nll = mem_alloc((batch.tokens.len + 1) * sizeof *nll);
        st = engine_nll(e, &batch.batch, nll, err);
        for (size_t k = 0; st == WINNOW_OK && k < batch.tokens.len; k++) {
            sum += (double)nll[k];
        }
        targets += (double)batch_targets(&batch.batch);
        mem_free(nll);
    }
    tune_batch_release(&batch);
    *out = targets > 0 ? sum / targets : 0;
    return st;
}
