/* writer_builtin.c -- prompts to the generator, masks beside them, texts back.
 *
 * Many rows are generated side by side (engine/generator.h).  With a grammar each has a
 * mask, which lets through only tokens that some program goes on with. */
#include "refine/writer_builtin.h"

#include "base/mem.h"
#include "engine/generator.h"
#include "model/model_file.h"
#include "program/program_loop.h"
#include "program/program_mask.h"

#include <assert.h>
#include <math.h>

#define STOPS_MAX 4U

/* One answer being written. */
struct writing {
    const struct tokenizer *tokenizer;
    struct program_row row; /* without a mask: any text */
    struct program_loop loop;
    bool prose;
};

struct writer_builtin {
    struct program_writer head; /* first */
    const struct tokenizer *tokenizer;
    struct model *model;
    struct pool *pool;
    struct engine *engine;
    struct generator *generator;
    uint32_t stops[STOPS_MAX];
    size_t stop_count;
    bool free;
    struct program_mask *masks[4][LEVEL_COUNT]; /* by dialect; made when first asked for */
    struct writing *writings;                   /* by number of the request modulo window */
    uint64_t submitted, answered;
    struct buf text;
    struct writer_tie ties[WRITER_TIES];
};

static struct writer_builtin *own(struct program_writer *w)
{
    return (struct writer_builtin *)w;
}

/* ---- what may come next ---- */

static enum mask_answer allowed(void *state, uint64_t *bits)
{
    struct writing *s = state;
    if (s->loop.found) {
        return MASK_END;
    }
    return s->row.mask ? program_mask_allowed(&s->row, bits) : MASK_ANY;
}

static void accept(void *state, uint32_t token)
{
    struct writing *s = state;
    if (!s->prose) {
        program_loop_add(&s->loop, tokenizer_token_bytes(s->tokenizer, token));
    }
    if (s->row.mask) {
        program_mask_accept(&s->row, token);
    }
}

static const struct token_mask WRITING = {allowed, accept};

static winnow_status find_mask(struct writer_builtin *w, const struct program_grammar_spec *spec,
                               struct program_mask **out, struct winnow_error *err)
{
    struct program_mask **m = &w->masks[spec->dialect][spec->level];
    if (!*m) {
        const struct program_mask_options o = {
            .dialect = spec->dialect,
            .level = spec->level,
            .vocab = model_config(w->model)->vocab,
            .stops = w->stops,
            .stop_count = w->stop_count,
        };
        TRY(program_mask_new(w->tokenizer, &o, m, err));
    }
    *out = *m;
    return WINNOW_OK;
}

static winnow_status submit(struct program_writer *writer, const struct writer_request *request,
                            struct winnow_error *err)
{
    struct writer_builtin *w = own(writer);
    assert(request->tokens);
    struct writing *s = &w->writings[w->submitted % writer->window];
    *s = (struct writing){.tokenizer = w->tokenizer, .prose = request->prose};
    struct generate_request g = {.prompt = request->tokens,
                                 .prompt_count = request->token_count,
                                 .new_max = request->new_tokens,
                                 .stops = w->stops,
                                 .stop_count = w->stop_count,
                                 .mask = &WRITING,
                                 .mask_state = s,
                                 .temperature = (float)request->temperature,
                                 .seed = request->seed,
                                 .tag = request->tag};
    if (request->grammar && !w->free) {
        struct program_mask *m = NULL;
        TRY(find_mask(w, request->grammar, &m, err));
        program_mask_start(m, request->grammar, &s->row);
    }
    TRY(generator_submit(w->generator, &g, err));
    w->submitted++;
    return WINNOW_OK;
}

/* ---- answers ---- */

/* Keeps the closest choices, in the order in which they come. */
static size_t add_tie(struct writer_tie *ties, size_t count, struct writer_tie t)
{
    if (t.margin >= WRITER_TIE_BELOW) {
        return count;
    }
    if (count == WRITER_TIES) { /* the widest makes room */
        size_t widest = 0;
        for (size_t i = 1; i < count; i++) {
            widest = ties[i].margin > ties[widest].margin ? i : widest;
        }
        if (t.margin >= ties[widest].margin) {
            return count;
        }
        memmove(ties + widest, ties + widest + 1, (--count - widest) * sizeof *ties);
    }
    ties[count] = t;
    return count + 1;
}

/* Text and margins of an answer. */
static void read_tokens(struct writer_builtin *w, const struct generate_answer *a,
                        struct writer_answer *out)
{
    size_t chosen = a->count + (a->end == GENERATE_STOPPED ? 1U : 0U);
    buf_clear(&w->text);
    out->margin = (double)INFINITY;
    for (size_t i = 0; i < chosen; i++) {
        out->margin = fmin(out->margin, (double)a->margins[i]);
        out->tie_count = add_tie(w->ties, out->tie_count,
                                 (struct writer_tie){(uint32_t)w->text.len, a->margins[i]});
        if (i < a->count) {
            buf_add_str(&w->text, tokenizer_token_bytes(w->tokenizer, a->tokens[i]));
        }
    }
    out->ties = w->ties;
    out->text = buf_str(&w->text);
    out->new_tokens = (uint32_t)a->count;
}

static enum writer_outcome outcome_of(enum generate_end end)
{
    bool stopped = end == GENERATE_STOPPED || end == GENERATE_COMPLETE;
    return end == GENERATE_REFUSED ? WRITER_REFUSED : stopped ? WRITER_STOPPED : WRITER_CUT;
}

static winnow_status next(struct program_writer *writer, struct writer_answer *answer,
                          struct winnow_error *err)
{
    struct writer_builtin *w = own(writer);
    struct generate_answer a;
    TRY(generator_next(w->generator, &a, err));
    const struct program_loop *loop = &w->writings[w->answered++ % writer->window].loop;
    *answer = (struct writer_answer){
        .tag = a.tag,
        .outcome = outcome_of(a.end),
        .reason = STR_LIT("the prompt is as long as the refiner's context"),
        .prompt_tokens = a.prompt_count,
    };
    read_tokens(w, &a, answer);
    if (loop->found) {
        answer->outcome = WRITER_LOOPED;
        answer->text = str_sub(answer->text, 0, loop->end);
    }
    return WINNOW_OK;
}

static void free_writer(struct program_writer *writer)
{
    struct writer_builtin *w = own(writer);
    generator_free(w->generator);
    engine_free(w->engine);
    pool_free(w->pool);
    model_free(w->model);
    for (size_t i = 0; i < sizeof w->masks / sizeof w->masks[0]; i++) {
        for (size_t k = 0; k < LEVEL_COUNT; k++) {
            program_mask_free(w->masks[i][k]);
        }
    }
    mem_free(w->writings);
    buf_release(&w->text);
    mem_free(w);
}

static const struct program_writer_kind BUILTIN = {"builtin", submit, next, free_writer};

static winnow_status start(struct writer_builtin *w, const struct writer_builtin_options *opt,
                           const struct winnow_env *env, struct winnow_error *err)
{
    TRY(model_open(opt->model, &w->model, err));
    uint32_t context = model_config(w->model)->context;
    context = opt->context_max > 0 && opt->context_max < context ? opt->context_max : context;
    const struct engine_options engine = {.compute = opt->compute, .tokens_max = context};
    TRY(engine_new(w->model, w->pool, &engine, env, &w->engine, err));
    const struct generator_options generator = {.context_max = context};
    TRY(generator_new(w->engine, &generator, env, &w->generator, err));
    w->head.window = generator_window(w->generator);
    w->writings = mem_zalloc(w->head.window * sizeof *w->writings);
    return WINNOW_OK;
}

winnow_status writer_builtin_new(const struct writer_builtin_options *opt,
                                 const struct tokenizer *t, const struct winnow_env *env,
                                 struct program_writer **out, struct winnow_error *err)
{
    assert(opt->stop_count <= STOPS_MAX);
    struct writer_builtin *w = mem_zalloc(sizeof *w);
    w->head.kind = &BUILTIN;
    w->tokenizer = t;
    w->pool = pool_new(opt->threads);
    w->free = opt->free;
    w->stop_count = opt->stop_count;
    for (size_t i = 0; i < opt->stop_count; i++) {
        w->stops[i] = opt->stops[i];
    }
    winnow_status st = start(w, opt, env, err);
    if (st != WINNOW_OK) {
        free_writer(&w->head);
        return st;
    }
    *out = &w->head;
    return WINNOW_OK;
}
