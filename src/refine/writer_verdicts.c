/* writer_verdicts.c -- requests collect until an answer is wanted; then all of them are one
 * batch of the engine, which a chunk's scores do not depend on (engine.h). */
#include "refine/writer_verdicts.h"

#include "base/mem.h"
#include "model/model_file.h"
#include "program/line_verdicts.h"
#include "refine/verdicts.h"

#include <assert.h>
#include <math.h>

#define WINDOW 16U

struct verdict_row {
    uint64_t tag;
    uint32_t first; /* line */
    uint32_t tokens;
    bool refused;
    double margin;
    struct u32_list places; /* in the batch */
    struct buf program;
};

struct writer_verdicts {
    struct program_writer head; /* first */
    const struct tokenizer *tokenizer;
    struct model *model;
    struct pool *pool;
    struct engine *engine;
    struct verdict_tokens wanted;
    double keep_above;

    struct verdict_row rows[WINDOW];
    uint64_t submitted, scored, answered; /* so far */
    uint32_t context;
    struct u32_list tokens, targets, starts;
    struct verdict_places places;
    float *logits, *scores; /* two a token of the batch; one a line */
    size_t logits_cap;
};

static struct writer_verdicts *own(struct program_writer *w)
{
    return (struct writer_verdicts *)w;
}

static void add_to_batch(struct writer_verdicts *w, const struct writer_request *request,
                         struct verdict_row *row)
{
    size_t from = w->tokens.len, n = request->token_count;
    memcpy(u32_list_reserve(&w->tokens, n), request->tokens, n * sizeof *request->tokens);
    uint32_t *targets = u32_list_reserve(&w->targets, n);
    memset(targets, 0xff, n * sizeof *targets); /* BATCH_NO_TARGET */
    row->places.len = 0;
    for (size_t i = 0; i < w->places.positions.len; i++) {
        uint32_t at = w->places.positions.ptr[i];
        targets[at] = w->wanted.keep;
        u32_list_add(&row->places, (uint32_t)from + at);
    }
    w->tokens.len += n;
    w->targets.len += n;
    u32_list_add(&w->starts, (uint32_t)w->tokens.len);
}

static winnow_status submit(struct program_writer *writer, const struct writer_request *request,
                            struct winnow_error *err)
{
    struct writer_verdicts *w = own(writer);
    const struct program_grammar_spec *g = request->grammar;
    assert(request->tokens && g && g->level == LEVEL_CHUNK);
    struct verdict_row *row = &w->rows[w->submitted % WINDOW];
    row->tag = request->tag;
    row->first = g->first;
    row->tokens = (uint32_t)request->token_count;
    row->refused = request->token_count > w->context;
    buf_clear(&row->program);
    row->places.len = 0;
    if (!row->refused) {
        TRY(verdict_places_find(&w->places, w->tokenizer, request->tokens, request->token_count,
                                (size_t)g->last - g->first + 1, err));
        add_to_batch(w, request, row);
    }
    w->submitted++;
    return WINNOW_OK;
}

static void write_row(struct writer_verdicts *w, struct verdict_row *row)
{
    row->margin = (double)INFINITY;
    for (size_t i = 0; i < row->places.len; i++) {
        const float *logits = w->logits + 2 * (size_t)row->places.ptr[i];
        double more = (double)logits[1] - (double)logits[0];
        row->margin = fmin(row->margin, fabs(more));
        w->scores[i] = (float)(1.0 / (1.0 + exp(-more)));
    }
    line_verdicts_program(w->scores, row->places.len, w->keep_above, row->first, &row->program);
}

/* Answers all that was submitted since the last time. */
static winnow_status score_batch(struct writer_verdicts *w, struct winnow_error *err)
{
    const struct token_batch batch = {w->tokens.ptr, w->starts.ptr, w->starts.len - 1,
                                      w->targets.ptr};
    if (w->tokens.len > w->logits_cap) {
        mem_free(w->logits);
        mem_free(w->scores);
        w->logits = mem_alloc(2 * w->tokens.len * sizeof *w->logits);
        w->scores = mem_alloc(w->tokens.len * sizeof *w->scores);
        w->logits_cap = w->tokens.len;
    }
    const uint32_t wanted[] = {w->wanted.remove, w->wanted.keep};
    TRY(engine_choices(w->engine, &batch, wanted, 2, w->logits, err));
    for (; w->scored < w->submitted; w->scored++) {
        struct verdict_row *row = &w->rows[w->scored % WINDOW];
        if (!row->refused) {
            write_row(w, row);
        }
    }
    w->tokens.len = w->targets.len = 0;
    w->starts.len = 1;
    return WINNOW_OK;
}

static winnow_status next(struct program_writer *writer, struct writer_answer *answer,
                          struct winnow_error *err)
{
    struct writer_verdicts *w = own(writer);
    assert(w->answered < w->submitted);
    if (w->answered == w->scored) {
        TRY(score_batch(w, err));
    }
    const struct verdict_row *row = &w->rows[w->answered++ % WINDOW];
    *answer = (struct writer_answer){
        .tag = row->tag,
        .outcome = row->refused ? WRITER_REFUSED : WRITER_STOPPED,
        .text = buf_str(&row->program),
        .reason = STR_LIT("the prompt is longer than the refiner's context"),
        .prompt_tokens = row->tokens,
        .margin = row->refused ? (double)NAN : row->margin,
    };
    return WINNOW_OK;
}

static void free_writer(struct program_writer *writer)
{
    struct writer_verdicts *w = own(writer);
    engine_free(w->engine);
    pool_free(w->pool);
    model_free(w->model);
    for (size_t i = 0; i < WINDOW; i++) {
        u32_list_release(&w->rows[i].places);
        buf_release(&w->rows[i].program);
    }
    u32_list_release(&w->tokens);
    u32_list_release(&w->targets);
    u32_list_release(&w->starts);
    verdict_places_release(&w->places);
    mem_free(w->logits);
    mem_free(w->scores);
    mem_free(w);
}

static const struct program_writer_kind VERDICTS = {"verdicts", submit, next, free_writer};

static winnow_status start(struct writer_verdicts *w, const struct writer_verdicts_options *opt,
                           const struct winnow_env *env, struct winnow_error *err)
{
    TRY(verdict_tokens_find(w->tokenizer, &w->wanted, err));
    TRY(model_open(opt->model, &w->model, err));
    const struct model_config *c = model_config(w->model);
    if (w->wanted.keep >= c->vocab || w->wanted.remove >= c->vocab) {
        return error_set(err, WINNOW_E_FORMAT, "%s: its tokenizer does not belong to the model",
                         opt->model);
    }
    w->context = c->context;
    if (opt->context_max > 0 && opt->context_max < c->context) {
        w->context = opt->context_max;
    }
    const struct engine_options engine = {.compute = opt->compute,
                                          .tokens_max = w->context > 2048 ? w->context : 2048};
    return engine_new(w->model, w->pool, &engine, env, &w->engine, err);
}

winnow_status writer_verdicts_new(const struct writer_verdicts_options *opt,
                                  const struct tokenizer *t, const struct winnow_env *env,
                                  struct program_writer **out, struct winnow_error *err)
{
    struct writer_verdicts *w = mem_zalloc(sizeof *w);
    w->head = (struct program_writer){&VERDICTS, WINDOW};
    w->tokenizer = t;
    w->keep_above = opt->keep_above;
    w->pool = pool_new(opt->threads);
    u32_list_add(&w->starts, 0);
    winnow_status st = start(w, opt, env, err);
    if (st != WINNOW_OK) {
        free_writer(&w->head);
        return st;
    }
    *out = &w->head;
    return WINNOW_OK;
}
