/* sampler_lfr.c -- learn, focus, review, after "Learn-Focus-Review" (Prakriya et al. 2025).
 *
 *     learn    every block once
 *     focus    once those that lost most: all but `drop` of the tokens
 *     review   every block once
 *     focus    those that lost most in the review, all but `drop_last`, again and again until
 *              the steps are done; five times, where nobody says how many tokens to train on
 *
 * Each pass has a random order of its own.  The paper's blocks are windows of concatenated
 * documents; ours end with their document, and shares are of tokens, so that the schedule is
 * known before the losses are.  A schedule without a choice by losses is the control: `random`
 * focuses on as much by chance, `none` reads everything in every pass. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "train/blocks.h"

#include <math.h>
#include <string.h>

#define LAST_PASSES 5

enum phase { LEARN, FOCUS, REVIEW, LAST };

struct lfr {
    struct blocks blocks;
    struct winnow_sampling opt;
    enum phase phase;
    struct rng rng;
    uint32_t *chosen; /* of the phase */
    size_t chosen_count;
    struct scored {
        float loss;
        uint32_t block;
    } * scored;
};

static double passes(const struct winnow_sampling *o)
{
    if (o->focus == WINNOW_FOCUS_NONE) {
        return 4;
    }
    return 2 + (1 - o->drop) + LAST_PASSES * (1 - o->drop_last);
}

/* Passes before the last phase, and one of it. */
static double passes_least(const struct winnow_sampling *o)
{
    return o->focus == WINNOW_FOCUS_NONE ? 0 : 2 + (1 - o->drop) + (1 - o->drop_last);
}

static int by_loss(const void *pa, const void *pb)
{
    const struct scored *a = pa, *b = pb;
    if (a->loss != b->loss) {
        return a->loss > b->loss ? -1 : 1;
    }
    return (a->block > b->block) - (a->block < b->block);
}

static void choose_all(struct lfr *l)
{
    l->chosen_count = l->blocks.count;
    for (uint32_t i = 0; i < l->blocks.count; i++) {
        l->chosen[i] = i;
    }
}

/* Of the pass that was closed last, in which every block was read. */
static void focus_on(struct lfr *l, double drop)
{
    struct blocks *b = &l->blocks;
    const float *losses = b->losses[b->passes - 1];
    bool random = l->opt.focus == WINNOW_FOCUS_RANDOM;
    for (uint32_t i = 0; i < b->count; i++) {
        l->scored[i] = (struct scored){random ? (float)rng_uniform(&l->rng) : losses[i], i};
    }
    sort(l->scored, b->count, sizeof *l->scored, by_loss);
    double want = (1 - drop) * (double)b->tokens, have = 0;
    l->chosen_count = 0;
    for (size_t i = 0; i < b->count && (have < want || i == 0); i++) {
        const struct block *k = &b->items[l->scored[i].block];
        l->chosen[l->chosen_count++] = l->scored[i].block;
        have += (double)(k->to - k->from);
    }
}

static void next_pass(struct lfr *l)
{
    blocks_end_pass(&l->blocks);
    if (l->blocks.passes > 0 && l->phase < LAST) {
        l->phase++;
        if (l->opt.focus != WINNOW_FOCUS_NONE && l->phase == FOCUS) {
            focus_on(l, l->opt.drop);
        } else if (l->opt.focus != WINNOW_FOCUS_NONE && l->phase == LAST) {
            focus_on(l, l->opt.drop_last);
        } else {
            choose_all(l);
        }
    }
    rng_shuffle_u32(&l->rng, l->chosen, l->chosen_count);
    blocks_pass(&l->blocks, l->chosen, l->chosen_count);
}

static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    (void)err;
    struct lfr *l = state;
    *more = l->blocks.count > 0;
    if (*more) {
        if (blocks_done(&l->blocks)) {
            next_pass(l);
        }
        blocks_next(&l->blocks, out);
    }
    return WINNOW_OK;
}

static winnow_status told(void *state, const struct sampler_batch *b, const double *nll,
                          struct winnow_error *err)
{
    (void)err;
    struct lfr *l = state;
    blocks_told(&l->blocks, b, nll);
    return WINNOW_OK;
}

static winnow_status check_budget(const struct lfr *l, const struct sampling_home *home,
                                  struct winnow_error *err)
{
    double tokens = (double)home->steps * (double)home->packer->batch_tokens;
    double need = passes_least(home->opt) * (double)l->blocks.tokens;
    if (tokens >= need) {
        return WINNOW_OK;
    }
    double batch = (double)home->packer->batch_tokens;
    return error_set(err, WINNOW_E_USAGE,
                     "the %zu blocks hold %llu tokens, and learn-focus-review reads them %.2f "
                     "times before its last phase is through once; %.0f tokens are only %.2f "
                     "times: train on more (--tokens %.0f at least; or, where --tokens, which goes "
                     "before it, is left away, --epochs %.3g), or on fewer documents",
                     l->blocks.count, (unsigned long long)l->blocks.tokens, passes_least(home->opt),
                     tokens, tokens / (double)l->blocks.tokens, ceil(need / batch) * batch,
                     passes(home->opt));
}

static void lfr_close(void *state)
{
    struct lfr *l = state;
    blocks_release(&l->blocks);
    mem_free(l->chosen);
    mem_free(l->scored);
    mem_free(l);
}

static winnow_status lfr_open(const struct sampling_home *home, struct sampling *s,
                              struct winnow_error *err)
{
    struct lfr *l = mem_zalloc(sizeof *l);
    l->opt = *home->opt;
    rng_init(&l->rng, home->seed, "learn-focus-review");
    blocks_cut(&l->blocks, home);
    l->chosen = mem_alloc((l->blocks.count + 1) * sizeof *l->chosen);
    l->scored = mem_alloc((l->blocks.count + 1) * sizeof *l->scored);
    choose_all(l);
    winnow_status st = check_budget(l, home, err);
    if (st != WINNOW_OK) {
        lfr_close(l);
        return st;
    }
    s->state = l;
    s->sampler = (struct sampler){l, next_batch, told};
    return WINNOW_OK;
}

static bool lfr_word(struct winnow_sampling *o, const char *word)
{
    static const char *const WORDS[] = {[WINNOW_FOCUS_HARD] = "hard",
                                        [WINNOW_FOCUS_RANDOM] = "random",
                                        [WINNOW_FOCUS_NONE] = "none"};
    for (int i = 0; i <= WINNOW_FOCUS_NONE; i++) {
        if (strcmp(word, WORDS[i]) == 0) {
            o->focus = i;
            return true;
        }
    }
    return false;
}

/* The pass in work counts as far as it went. */
static void lfr_tell(void *state, struct json_writer *w)
{
    struct lfr *l = state;
    blocks_end_pass(&l->blocks);
    blocks_tell(&l->blocks, w);
}

static void lfr_documents(void *state, struct sampling_document *out)
{
    struct lfr *l = state;
    blocks_end_pass(&l->blocks);
    blocks_documents(&l->blocks, out);
}

static const char *const OPTIONS[] = {"focus", "focus-drop", "focus-drop-last", NULL};

const struct sampling_kind SAMPLER_LFR = {.name = "lfr",
                                          .options = OPTIONS,
                                          .passes = passes,
                                          .passes_least = passes_least,
                                          .texts_only = true,
                                          .word = lfr_word,
                                          .open = lfr_open,
                                          .close = lfr_close,
                                          .tell = lfr_tell,
                                          .documents = lfr_documents};
