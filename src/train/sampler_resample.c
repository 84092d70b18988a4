/* sampler_resample.c -- training on a share of the documents that is drawn anew now and then, after
 * INGENIOUS (Renduchintala et al. 2023).
 *
 * A draw is without replacement, with odds 1 + x + x^2 / 2 of x = weight / temperature: by the
 * gains of facility location (select --method facility) those documents come more often that stand
 * for many, and none is left out for good.  Without weights all are alike, which is what the method
 * has to beat.  It takes documents until they hold the share of the tokens, and is read in random
 * order, pass after pass, until the next draw.  Documents are cut as learn-focus-review cuts them
 * (train/blocks.h).
 *
 * Which documents a draw holds depends on the seed and its number alone, so that a training that
 * goes on finds it again. */
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "math/taylor_softmax.h"
#include "train/blocks.h"

#include <stdlib.h>

#define DRAWS 10U /* where nobody says when to draw */

struct candidate {
    double key; /* taylor_key() */
    uint32_t document;
    size_t first, count; /* its blocks */
    uint64_t tokens;
};

struct resampling {
    struct blocks blocks;
    double share, temperature;
    const float *odds; /* by document; NULL: all alike */
    uint64_t seed, every;
    uint64_t steps, draws; /* given so far */
    struct rng rng;        /* of the draw in work */
    struct candidate *candidates;
    size_t count;
    uint32_t *held; /* blocks of the draw in work */
    size_t held_count;
    bool *ever; /* by document: whether a draw held it */
    uint64_t drawn;
};

/* ---- a draw ---- */

static int by_key(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? 1 : -1;
    }
    return (x->document > y->document) - (x->document < y->document);
}

static int by_document(const void *a, const void *b)
{
    const struct candidate *x = a, *y = b;
    return (x->document > y->document) - (x->document < y->document);
}

static void next_draw(struct resampling *r)
{
    rng_init(&r->rng, rng_mix(r->seed) ^ ++r->draws, "resample");
    sort(r->candidates, r->count, sizeof *r->candidates, by_document); /* chance comes in order */
    for (size_t i = 0; i < r->count; i++) {
        struct candidate *c = &r->candidates[i];
        double x = r->odds ? (double)r->odds[c->document] / r->temperature : 0;
        c->key = taylor_key(x, rng_uniform(&r->rng));
    }
    sort(r->candidates, r->count, sizeof *r->candidates, by_key);
    double want = r->share * (double)r->blocks.tokens, have = 0;
    r->held_count = 0;
    for (size_t i = 0; i < r->count && (i == 0 || have < want); i++) {
        const struct candidate *c = &r->candidates[i];
        for (size_t k = 0; k < c->count; k++) {
            r->held[r->held_count++] = (uint32_t)(c->first + k);
        }
        have += (double)c->tokens;
        r->ever[c->document] = true;
        r->drawn++;
    }
}

/* Passes are not told apart afterwards: nobody asks what blocks lost. */
static void next_pass(struct resampling *r)
{
    rng_shuffle_u32(&r->rng, r->held, r->held_count);
    r->blocks.order_count = 0;
    blocks_pass(&r->blocks, r->held, r->held_count);
}

static winnow_status next_batch(void *state, struct sampler_batch *out, bool *more,
                                struct winnow_error *err)
{
    (void)err;
    struct resampling *r = state;
    bool again = r->steps % r->every == 0;
    if (again) {
        next_draw(r);
    }
    if (again || blocks_done(&r->blocks)) {
        next_pass(r);
    }
    r->steps++;
    *more = true;
    blocks_next(&r->blocks, out);
    return WINNOW_OK;
}

/* ---- the way to train ---- */

/* Blocks of a document lie together. */
static void find_candidates(struct resampling *r)
{
    r->candidates = mem_alloc((r->blocks.count + 1) * sizeof *r->candidates);
    for (size_t i = 0; i < r->blocks.count; i++) {
        const struct block *b = &r->blocks.items[i];
        if (i == 0 || b->document != b[-1].document) {
            r->candidates[r->count++] = (struct candidate){.document = b->document, .first = i};
        }
        r->candidates[r->count - 1].count++;
        r->candidates[r->count - 1].tokens += b->to - b->from;
    }
}

static void resample_close(void *state)
{
    struct resampling *r = state;
    blocks_release(&r->blocks);
    mem_free(r->candidates);
    mem_free(r->held);
    mem_free(r->ever);
    mem_free(r);
}

static winnow_status resample_open(const struct sampling_home *home, struct sampling *s,
                                   struct winnow_error *err)
{
    struct resampling *r = mem_zalloc(sizeof *r);
    uint64_t every = home->opt->redraw > 0 ? home->opt->redraw : home->steps / DRAWS;
    *r = (struct resampling){.share = home->opt->drawn,
                             .temperature = home->opt->temperature,
                             .odds = home->odds,
                             .seed = home->seed,
                             .every = every > 0 ? every : 1};
    blocks_cut(&r->blocks, home);
    find_candidates(r);
    r->held = mem_alloc((r->blocks.count + 1) * sizeof *r->held);
    r->ever = mem_zalloc((home->docs->count + 1) * sizeof *r->ever);
    s->state = r;
    s->sampler = (struct sampler){.state = r, .next = next_batch};
    return r->count > 0 ? WINNOW_OK
                        : error_set(err, WINNOW_E_FORMAT, "no document can be trained on");
}

/* "resample:0.25": the share. */
static bool resample_word(struct winnow_sampling *o, const char *word)
{
    char *end;
    double share = *word >= '0' && *word <= '9' ? strtod(word, &end) : 0;
    if (!(share > 0 && share <= 1) || *end != 0) {
        return false;
    }
    o->drawn = share;
    return true;
}

static void resample_tell(void *state, struct json_writer *w)
{
    const struct resampling *r = state;
    uint64_t different = 0;
    for (size_t i = 0; i < r->blocks.docs->count; i++) {
        different += r->ever[i];
    }
    json_member_u64(w, "draws", r->draws);
    json_member_u64(w, "steps_each", r->every);
    json_member_double(w, "documents_each", r->draws > 0 ? (double)r->drawn / (double)r->draws : 0);
    json_member_u64(w, "documents_ever", different);
    json_member_bool(w, "by_weights", r->odds != NULL);
}

static const char *const OPTIONS[] = {"drawn", "redraw", "temperature", NULL};

const struct sampling_kind SAMPLER_RESAMPLE = {.name = "resample",
                                               .options = OPTIONS,
                                               .texts_only = true,
                                               .by_weights = true,
                                               .word = resample_word,
                                               .open = resample_open,
                                               .close = resample_close,
                                               .tell = resample_tell};
