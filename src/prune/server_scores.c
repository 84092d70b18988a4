/* server_scores.c -- what was answered, as scores: read from the store, corrected for length.
 *
 * server_ask.c asks.  Where length is corrected, the documents of the sample keep all their
 * numbers in the store: the curve is made of them when all is there. */
#include "prune/server_scores.h"

#include "base/env.h"
#include "base/file.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "model/model_file.h"
#include "prune/server_ask.h"
#include "remote/answer_store.h"
#include "remote/server.h"

#include <inttypes.h>
#include <math.h>

#define NAME_BYTES   4096U
#define REASON_BYTES 256U

struct server_scores {
    struct server_scores_options opt;
    struct tokenizer *tokenizer;
    struct answer_store *store;
    struct buf model, reason;
    uint64_t refused;
    struct length_curve curve;
};

/* ---- options ---- */

winnow_status server_scores_check(const struct server_scores_options *opt,
                                  const struct winnow_env *env, struct winnow_error *err)
{
    if (!opt->tokenizer) {
        return error_set(err, WINNOW_E_USAGE,
                         "--url scores token by token: it needs the tokenizer of the model that "
                         "is served, --tokenizer FOLDER (with its tokenizer.json)");
    }
    if (opt->server->chat) {
        return error_set(err, WINNOW_E_USAGE,
                         "--chat lets the server put its own template around a text; scores are "
                         "of the text alone: leave it out");
    }
    const struct scoring_shape *s = &opt->shape;
    if (s->window == 1 || (s->window > 0 && s->stride >= s->window)) {
        return error_set(err, WINNOW_E_USAGE, "--stride %u is not smaller than the window of %u",
                         s->stride, s->window);
    }
    return server_check(opt->server, env, err);
}

/* The token before each text: as the model's config.json has it, where it lies there, too. */
static uint32_t start_token(const struct server_scores *s)
{
    struct model_config config;
    struct winnow_error ignored;
    if (model_load_config(s->opt.tokenizer, &config, &ignored) == WINNOW_OK) {
        return config.bos != MODEL_NO_TOKEN ? config.bos : config.eos;
    }
    uint32_t bos = tokenizer_bos(s->tokenizer);
    uint32_t start = bos != TOKENIZER_NONE ? bos : tokenizer_eos(s->tokenizer);
    return start != TOKENIZER_NONE ? start : MODEL_NO_TOKEN;
}

/* ---- what was answered ---- */

struct reader {
    struct server_scores *s;
    struct buf line;
    struct json_parser *parser;
};

static void *reader_new(void *scores)
{
    struct reader *r = mem_zalloc(sizeof *r);
    r->s = scores;
    r->parser = json_parser_new();
    return r;
}

static void reader_free(void *reader)
{
    struct reader *r = reader;
    buf_release(&r->line);
    json_parser_free(r->parser);
    mem_free(r);
}

static winnow_status read_line(struct reader *r, uint64_t ordinal, struct json_value *root,
                               struct winnow_error *err)
{
    TRY(answer_store_read(r->s->store, ordinal, &r->line, err));
    *root = (struct json_value){0};
    return r->line.len > 0 ? json_parse(r->parser, buf_str(&r->line), root, err) : WINNOW_OK;
}

static winnow_status read_score(struct reader *r, uint64_t ordinal, struct document_nll *out,
                                struct winnow_error *err)
{
    struct json_value root;
    *out = (struct document_nll){.mean = (double)NAN};
    TRY(read_line(r, ordinal, &root, err));
    if (json_kind(root) != JSON_OBJECT || !json_as_double(json_get(root, "nll"), &out->mean) ||
        !json_as_u64(json_get(root, "tokens"), &out->tokens)) {
        out->mean = (double)NAN;
        return WINNOW_OK;
    }
    if (r->s->opt.shape.fixed_length > 0) {
        out->mean += length_curve_correction(&r->s->curve, out->tokens);
    }
    return WINNOW_OK;
}

/* Refusals are counted from what was stored, so that a resumed stage says the same; the curve
 * is that of the sample, in the order of the corpus. */
static winnow_status look_back(struct server_scores *s, struct winnow_error *err)
{
    struct reader *r = reader_new(s);
    winnow_status st = WINNOW_OK;
    for (uint64_t i = 0; i < answer_store_ordinals(s->store) && st == WINNOW_OK; i++) {
        struct json_value root;
        struct str reason;
        st = read_line(r, i, &root, err);
        if (st != WINNOW_OK || json_kind(root) != JSON_OBJECT) {
            continue;
        }
        if (json_as_str(json_get(root, "refused"), &reason)) {
            if (s->refused++ == 0) {
                buf_add_str(
                    &s->reason,
                    str_sub(reason, 0, reason.len < REASON_BYTES ? reason.len : REASON_BYTES));
            }
        }
        struct json_iter each = json_walk(json_get(root, "each"));
        for (uint32_t at = 0; at < s->curve.length && json_next(&each); at++) {
            double v = 0;
            (void)json_as_double(each.value, &v);
            s->curve.sum[at] += v;
            s->curve.count[at]++;
        }
    }
    reader_free(r);
    return st;
}

/* ---- the pass ---- */

static winnow_status score_document(void *state, void *reader, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)state;
    struct document_nll nll;
    TRY(read_score(reader, d->ordinal, &nll, err));
    scoring_attributes(d->text, &nll, &r->attributes[0]);
    r->score = nll.mean;
    return WINNOW_OK;
}

static winnow_status write_scores(struct server_scores *s, struct stage *stage,
                                  const char *attribute, bool verdicts, struct winnow_error *err)
{
    const char *const names[] = {attribute, NULL};
    const struct stage_pass pass = {.name = "score",
                                    .verdicts = verdicts,
                                    .attributes = names,
                                    .state = s,
                                    .worker_new = reader_new,
                                    .worker_free = reader_free,
                                    .document = score_document,
                                    .word_bytes = 64};
    return stage_run_pass(stage, &pass, err);
}

static void tell(const struct server_scores *s, struct stage *stage)
{
    struct buf name = {0};
    json_quote(&name, buf_str(&s->model));
    stage_note(stage, "served_model", buf_str(&name));
    buf_release(&name);
    if (s->refused > 0) {
        stage_note_double(stage, "refused", (double)s->refused);
        env_log(stage_env(stage), WINNOW_LOG_WARNING,
                "the server refused to score %llu documents, which have no score; the first with "
                "'%.*s'",
                (unsigned long long)s->refused, STR_ARG(buf_str(&s->reason)));
    }
}

/* ---- life ---- */

static winnow_status ask(struct server_scores *s, struct stage *stage, struct winnow_error *err)
{
    const struct server_ask what = {.stage = stage,
                                    .server = s->opt.server,
                                    .tokenizer = s->tokenizer,
                                    .start = start_token(s),
                                    .shape = s->opt.shape,
                                    .responses = s->opt.responses,
                                    .store = s->store};
    return server_ask_run(&what, err);
}

static winnow_status start(struct server_scores *s, struct stage *stage, struct winnow_error *err)
{
    struct buf path = {0};
    TRY(model_load_tokenizer(s->opt.tokenizer, &s->tokenizer, err));
    length_curve_init(&s->curve, s->opt.shape.fixed_length);
    winnow_status st = answer_store_open(stage_path(stage, "scores.jsonl", &path), &s->store, err);
    if (st == WINNOW_OK && !answer_store_complete(s->store)) {
        st = ask(s, stage, err);
    }
    if (st == WINNOW_OK) {
        st = file_read(stage_path(stage, "server-model", &path), NAME_BYTES, &s->model, err);
    }
    buf_release(&path);
    return st == WINNOW_OK ? look_back(s, err) : st;
}

winnow_status server_scores_run(struct stage *stage, const struct server_scores_options *opt,
                                const char *attribute, bool verdicts, struct server_scores **out,
                                struct winnow_error *err)
{
    struct server_scores *s = mem_zalloc(sizeof *s);
    s->opt = *opt;
    winnow_status st = start(s, stage, err);
    st = st == WINNOW_OK ? write_scores(s, stage, attribute, verdicts, err) : st;
    if (st != WINNOW_OK) {
        server_scores_close(s);
        return st;
    }
    tell(s, stage);
    *out = s;
    return WINNOW_OK;
}

void server_scores_close(struct server_scores *s)
{
    if (!s) {
        return;
    }
    answer_store_close(s->store);
    tokenizer_free(s->tokenizer);
    length_curve_release(&s->curve);
    buf_release(&s->model);
    buf_release(&s->reason);
    mem_free(s);
}

const char *server_scores_model(const struct server_scores *s)
{
    return s->model.ptr ? s->model.ptr : "";
}
