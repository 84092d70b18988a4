/* refine_estimate.c -- tokens times speed.
 *
 * A chunk takes whole lines, so it is rarely full: CHUNK_FILL of it, on web pages.  A
 * program may end long before --new-tokens, so the new tokens, and with them the time,
 * are an upper bound.  Speed is measured by letting the model write TRIAL_NEW tokens
 * behind each of up to TRIAL_ROWS prompts, side by side as it will. */
#include "refine/refine_estimate.h"

#include "winnow/train.h"

#include "base/mem.h"
#include "engine/generator.h"
#include "model/model_file.h"
#include "refine/refine_ask.h"

#include <math.h>
#include <stdio.h>

#define TOKEN_BYTES   4.0  /* of English under the common tokenizers */
#define LINE_TOKENS   0.25 /* numbers of lines, by token of text: "[012] " on lines of some 20 */
#define AROUND_TOKENS 40.0 /* template and system text */
#define CHUNK_FILL    0.85
#define TRIAL_ROWS    32U  /* fewer of a model so large that they would take long */
#define TRIAL_FLOPS   1e11 /* some seconds on one processor */
#define TRIAL_LARGEST ((uint64_t)1200000000) /* parameters; beyond, even loading takes long */
#define TRIAL_PROMPT  64U
#define TRIAL_NEW     16U

struct speeds {
    double prompt, decode; /* tokens a second */
};

static winnow_status submit_trial(struct generator *g, uint32_t vocab, uint32_t row,
                                  struct winnow_error *err)
{
    uint32_t prompt[TRIAL_PROMPT];
    for (uint32_t i = 0; i < TRIAL_PROMPT; i++) { /* no two rows share a start */
        prompt[i] = (row * TRIAL_PROMPT * 7 + i * 31) % vocab;
    }
    const struct generate_request r = {
        .prompt = prompt, .prompt_count = TRIAL_PROMPT, .new_max = TRIAL_NEW};
    return generator_submit(g, &r, err);
}

/* As many rows as take some seconds. */
static uint32_t trial_rows(const struct model_config *c)
{
    double each = 2.0 * (double)model_config_parameters(c) * (TRIAL_PROMPT + TRIAL_NEW);
    double rows = TRIAL_FLOPS / each;
    return rows < 1 ? 1 : rows > TRIAL_ROWS ? TRIAL_ROWS : (uint32_t)rows;
}

static winnow_status run_trial(struct engine *e, const struct winnow_env *env, struct speeds *out,
                               struct winnow_error *err)
{
    uint32_t rows = trial_rows(model_config(engine_model(e)));
    const struct generator_options opt = {.rows = rows, .context_max = TRIAL_PROMPT + TRIAL_NEW};
    struct generator *g = NULL;
    TRY(generator_new(e, &opt, env, &g, err));
    winnow_status st = WINNOW_OK;
    for (uint32_t row = 0; st == WINNOW_OK && row < rows; row++) {
        st = submit_trial(g, model_config(engine_model(e))->vocab, row, err);
    }
    for (uint32_t row = 0; st == WINNOW_OK && row < rows; row++) {
        struct generate_answer a;
        st = generator_next(g, &a, err);
    }
    const struct generator_stats *s = generator_stats(g);
    if (s->prompt_seconds > 0 && s->decode_seconds > 0) {
        *out = (struct speeds){(double)s->prompt_tokens / s->prompt_seconds,
                               (double)s->decode_tokens / s->decode_seconds};
    }
    generator_free(g);
    return st;
}

static winnow_status measure(const struct winnow_refine_options *opt, const struct stage_plan *plan,
                             struct speeds *out, struct winnow_error *err)
{
    const struct winnow_env env = {.threads = plan->threads, .memory_max = plan->memory_max};
    const struct engine_options how = {.compute =
                                           opt->compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32,
                                       .tokens_max = TRIAL_ROWS * TRIAL_PROMPT};
    struct model *m = NULL;
    struct engine *e = NULL;
    struct model_config c;
    TRY(model_load_config(opt->refiner, &c, err));
    if (model_config_parameters(&c) > TRIAL_LARGEST) {
        return error_set(err, WINNOW_E_LIMIT, "a trial of so large a model takes too long");
    }
    TRY(model_open(opt->refiner, &m, err));
    struct pool *pool = pool_new(plan->threads);
    winnow_status st = engine_new(m, pool, &how, &env, &e, err);
    st = st == WINNOW_OK ? run_trial(e, &env, out, err) : st;
    engine_free(e);
    pool_free(pool);
    model_free(m);
    return st;
}

/* "1.32M" */
static void add_count(struct buf *out, double n)
{
    buf_addf(out,
             n >= 1e9   ? "%.2fG"
             : n >= 1e6 ? "%.2fM"
             : n >= 1e4 ? "%.1fk"
                        : "%.0f",
             n >= 1e9   ? n / 1e9
             : n >= 1e6 ? n / 1e6
             : n >= 1e4 ? n / 1e3
                        : n);
}

struct work {
    double requests, prompt_tokens, new_tokens;
};

static struct work work_of(const struct winnow_refine_options *opt, const struct stage_plan *plan)
{
    struct work w = {0};
    double documents = (double)plan->documents;
    double tokens = (double)plan->text_bytes / TOKEN_BYTES * (1 + LINE_TOKENS);
    if (opt->level != WINNOW_REFINE_CHUNK) {
        w.requests += documents;
        w.prompt_tokens += fmin(tokens, documents * PROMPT_DOC_TOKENS) + documents * AROUND_TOKENS;
        w.new_tokens += documents * REFINE_DOC_NEW_TOKENS;
    }
    if (opt->level != WINNOW_REFINE_DOC) {
        /* Full chunks, and half a one at each document's end. */
        double chunks = tokens / (CHUNK_FILL * opt->chunk_tokens) + documents * 0.5;
        chunks = fmax(chunks, documents);
        w.requests += chunks;
        w.prompt_tokens += tokens + chunks * AROUND_TOKENS;
        w.new_tokens += opt->one_pass ? 0 : chunks * opt->new_tokens;
    }
    return w;
}

static void add_flops(struct buf *note, const struct winnow_refine_options *opt,
                      const struct work *w)
{
    struct model_config c;
    struct winnow_error unknown; /* a server's model may be here as a tokenizer only */
    if (opt->refiner && w->requests > 0 &&
        model_load_config(opt->refiner, &c, &unknown) == WINNOW_OK) {
        double each = (w->prompt_tokens + w->new_tokens) / w->requests;
        buf_addf(note, ", %.2g FLOPs", w->requests * model_config_flops(&c, (uint64_t)each));
    }
}

void refine_estimate_words(const struct winnow_refine_options *opt, const struct stage_plan *plan,
                           struct stage_estimate *out)
{
    struct work w = work_of(opt, plan);
    struct buf note = {0};
    struct speeds speeds = {0};
    struct winnow_error err;
    buf_add_text(&note, "about ");
    add_count(&note, w.requests);
    buf_add_text(&note, " requests, ");
    add_count(&note, w.prompt_tokens);
    buf_add_text(&note, " prompt tokens and up to ");
    add_count(&note, w.new_tokens);
    buf_add_text(&note, " new ones");
    add_flops(&note, opt, &w);
    if (opt->engine == WINNOW_ENGINE_HTTP) {
        buf_add_text(&note, "; how long that takes, its server decides");
    } else if (measure(opt, plan, &speeds, &err) != WINNOW_OK) {
        buf_addf(&note, "; its speed is not known: %s", err.text);
    } else if (speeds.prompt > 0 && speeds.decode > 0) {
        out->seconds = w.prompt_tokens / speeds.prompt + w.new_tokens / speeds.decode;
        buf_addf(&note, "; in a trial just now %.0f prompt and %.0f new tokens a second",
                 speeds.prompt, speeds.decode);
    }
    (void)snprintf(out->note, sizeof out->note, "%.*s", STR_ARG(buf_str(&note)));
    buf_release(&note);
}
