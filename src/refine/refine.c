/* refine.c -- the stage `refine`:
 *
 *   1. ask      every document's programs from the refiner into
 *               state/programs.jsonl (left out with --programs)
 *   2. apply    execute them; verdicts, ledger, refine.json
 *
 * A refiner either reads texts itself (refine_lines.h) or is asked in words, here or
 * in a server (program_writer.h). */
#include "refine/refine.h"

#include "winnow/refine.h"
#include "winnow/train.h"

#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "lines/line_model.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "prune/scoring.h"
#include "refine/refine_apply.h"
#include "refine/refine_ask.h"
#include "refine/refine_estimate.h"
#include "refine/refine_lines.h"
#include "refine/refine_share.h"
#include "refine/writer_builtin.h"
#include "refine/writer_http.h"
#include "refine/writer_verdicts.h"
#include "remote/server.h"

#define PROMPT_MARGIN 64U /* tokens around a chunk: template, "[doc]", at most */

struct refine {
    const struct winnow_refine_options *opt;
    struct stage *stage;
    struct model_config config; /* of the refiner */
    struct tokenizer *tokenizer;
    struct program_writer *writer;
    struct answer_store *store;
    struct program_file *file;
    uint64_t resident; /* bytes that the process held before there was a refiner */
};

/* ---- options ---- */

/* Whether a line model works: where nothing else is named, the built-in one. */
static bool by_lines(const struct winnow_refine_options *opt)
{
    return (opt->refiner && refine_lines_named(opt->refiner)) ||
           (!opt->refiner && !opt->programs && opt->engine == WINNOW_ENGINE_BUILTIN);
}

static winnow_status check_window(const struct winnow_refine_options *opt,
                                  const struct model_config *c, struct winnow_error *err)
{
    uint64_t around = (uint64_t)opt->new_tokens + PROMPT_MARGIN;
    if (opt->level == WINNOW_REFINE_DOC || opt->chunk_tokens + around <= c->context) {
        return WINNOW_OK;
    }
    return error_set(err, WINNOW_E_USAGE,
                     "--chunk-tokens %u, --new-tokens %u and up to %u around them do not fit into "
                     "the refiner's context of %u tokens; lower them",
                     (unsigned)opt->chunk_tokens, (unsigned)opt->new_tokens, PROMPT_MARGIN,
                     (unsigned)c->context);
}

static winnow_status check_lines(const struct winnow_refine_options *opt, struct winnow_error *err)
{
    if (opt->level != WINNOW_REFINE_CHUNK || opt->dialect != WINNOW_DIALECT_WINNOW ||
        opt->engine != WINNOW_ENGINE_BUILTIN) {
        return error_set(err, WINNOW_E_USAGE,
                         "%s removes lines: it has --level chunk, --dialect winnow and --engine "
                         "builtin only",
                         opt->one_pass ? "a refiner with --one-pass"
                                       : "a line model, like the built-in refiner,");
    }
    return WINNOW_OK;
}

static winnow_status check_refiner(const struct winnow_refine_options *opt,
                                   struct winnow_error *err)
{
    if (opt->drop_below > 0 && !by_lines(opt)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--drop-below is for line models, like the built-in refiner; a language "
                         "model drops documents with --level doc");
    }
    if (opt->one_pass && by_lines(opt)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--one-pass needs a language model that was taught verdicts: --refiner "
                         "MODEL; a line model always takes one pass");
    }
    if (by_lines(opt) || opt->one_pass) {
        TRY(check_lines(opt, err));
    }
    if (by_lines(opt)) {
        return WINNOW_OK;
    }
    if (opt->engine == WINNOW_ENGINE_HTTP && !opt->server.url) {
        return error_set(err, WINNOW_E_USAGE,
                         "--engine http needs --url, the address of the server that has the "
                         "refiner, e.g. --url http://127.0.0.1:8080");
    }
    if (opt->level != WINNOW_REFINE_CHUNK && !program_grammar_has(opt->dialect, LEVEL_DOC)) {
        return error_set(err, WINNOW_E_USAGE,
                         "this --dialect has no call that drops a document; use --level chunk");
    }
    struct model_config config;
    if (opt->engine == WINNOW_ENGINE_HTTP) {
        return WINNOW_OK; /* what fits, the server knows */
    }
    TRY(model_load_config(opt->refiner, &config, err));
    return check_window(opt, &config, err);
}

static winnow_status refine_check(const void *options, const struct stage_plan *plan,
                                  struct winnow_error *err)
{
    const struct winnow_refine_options *opt = options;
    TRY(server_check(&opt->server, plan->env, err));
    if (!opt->programs) {
        return check_refiner(opt, err);
    }
    if (opt->refiner || opt->engine == WINNOW_ENGINE_HTTP) {
        return error_set(err, WINNOW_E_USAGE, "give one of --refiner and --programs, not both");
    }
    if (!file_exists(opt->programs)) {
        return error_set(err, WINNOW_E_IO, "no file of programs at %s", opt->programs);
    }
    return WINNOW_OK;
}

/* ---- 1. ask ---- */

static winnow_status find_template(const struct winnow_refine_options *opt, enum chat_template *out,
                                   struct winnow_error *err)
{
    static const enum chat_template GIVEN[] = {[WINNOW_TEMPLATE_AUTO] = CHAT_PLAIN,
                                               [WINNOW_TEMPLATE_PLAIN] = CHAT_PLAIN,
                                               [WINNOW_TEMPLATE_LLAMA2] = CHAT_LLAMA2,
                                               [WINNOW_TEMPLATE_CHATML] = CHAT_CHATML};
    *out = GIVEN[opt->prompt];
    bool find = opt->prompt == WINNOW_TEMPLATE_AUTO && opt->refiner;
    return find ? chat_template_of_model(opt->refiner, out, err) : WINNOW_OK;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static winnow_status open_http(struct refine *r, struct winnow_error *err)
{
    const struct winnow_env *env = stage_env(r->stage);
    struct completion_client_options client;
    struct buf key = {0};
    winnow_status st = server_client_options(&r->opt->server, env, &key, &client, err);
    st = st == WINNOW_OK ? writer_http_open(&client, env, &r->writer, err) : st;
    if (st == WINNOW_OK) {
        struct buf path = {0};
        const char *model = writer_http_model(r->writer);
        st = server_same_model(stage_path(r->stage, "server-model", &path), model, err);
        buf_release(&path);
    }
    buf_release(&key);
    return st;
}

static winnow_status open_builtin(struct refine *r, struct prompter *p, uint32_t doc_tokens,
                                  struct winnow_error *err)
{
    const struct winnow_refine_options *opt = r->opt;
    const struct winnow_env *env = stage_env(r->stage);
    uint32_t chunk = opt->chunk_tokens + opt->new_tokens + prompter_overhead(p) + PROMPT_MARGIN;
    uint32_t document = doc_tokens + REFINE_DOC_NEW_TOKENS;
    chunk = opt->level == WINNOW_REFINE_DOC ? 0 : chunk;
    document = opt->level == WINNOW_REFINE_CHUNK ? 0 : document;
    uint32_t context = chunk > document ? chunk : document;
    if (opt->long_lines == WINNOW_LONG_LINES_SEND) {
        context = r->config.context;
    }
    context = least(context, r->config.context);
    enum engine_compute compute = opt->compute == WINNOW_BF16 ? ENGINE_BF16 : ENGINE_F32;
    if (opt->one_pass) {
        const struct writer_verdicts_options verdicts = {.model = opt->refiner,
                                                         .compute = compute,
                                                         .threads = env->threads,
                                                         .context_max = context,
                                                         .keep_above = opt->keep_above};
        return writer_verdicts_new(&verdicts, r->tokenizer, env, &r->writer, err);
    }
    uint32_t stops[PROMPT_STOPS_MAX];
    const struct writer_builtin_options builtin = {
        .model = opt->refiner,
        .compute = compute,
        .threads = env->threads,
        .context_max = context,
        .stops = stops,
        .stop_count = prompter_stops(p, stops),
        .free = !opt->grammar,
    };
    return writer_builtin_new(&builtin, r->tokenizer, env, &r->writer, err);
}

/* What there is of the refiner on this machine. */
static winnow_status load_parts(struct refine *r, struct refine_ask *ask, struct winnow_error *err)
{
    bool http = r->opt->engine == WINNOW_ENGINE_HTTP;
    TRY(find_template(r->opt, &ask->template, err));
    if (r->opt->refiner) {
        TRY(model_load_tokenizer(r->opt->refiner, &r->tokenizer, err));
    }
    ask->tokenizer = r->tokenizer;
    ask->texts = http;
    ask->doc_tokens = PROMPT_DOC_TOKENS;
    if (!http) {
        TRY(model_load_config(r->opt->refiner, &r->config, err));
        uint32_t context = r->config.context;
        uint32_t room = context > REFINE_DOC_NEW_TOKENS ? context - REFINE_DOC_NEW_TOKENS : 1;
        ask->doc_tokens = least(PROMPT_DOC_TOKENS, room);
    }
    return WINNOW_OK;
}

static winnow_status ask_in_words(struct refine *r, struct winnow_error *err)
{
    struct refine_ask ask = {.opt = r->opt, .store = r->store, .resident = r->resident};
    TRY(load_parts(r, &ask, err));
    struct prompter *p = NULL;
    TRY(prompter_new(ask.template, r->opt->system, r->tokenizer, &p, err));
    winnow_status st = ask.texts ? open_http(r, err) : open_builtin(r, p, ask.doc_tokens, err);
    prompter_free(p);
    ask.writer = r->writer;
    return st == WINNOW_OK ? refine_ask_run(r->stage, &ask, err) : st;
}

static winnow_status ask_lines(void *refine, struct answer_store *store, struct winnow_error *err)
{
    struct refine *r = refine;
    struct refine_lines lines = {0};
    struct direct_refiner direct = {0};
    struct refine_ask ask = {
        .opt = r->opt, .store = store, .direct = &direct, .resident = r->resident};
    TRY(refine_lines_open(r->opt, stage_env(r->stage), &lines, &direct, err));
    winnow_status st = refine_ask_run(r->stage, &ask, err);
    refine_lines_release(&lines);
    return st;
}

static winnow_status get_programs(struct refine *r, struct winnow_error *err)
{
    struct buf path = {0};
    r->resident = mem_resident();
    TRY(stage_ranks(r->stage) ? refine_share(r->stage, ask_lines, r, err) : WINNOW_OK);
    winnow_status st = answer_store_open(stage_path(r->stage, REFINE_STORE, &path), &r->store, err);
    buf_release(&path);
    st = st == WINNOW_OK ? refine_share_clear(r->stage, err) : st;
    if (st != WINNOW_OK || answer_store_complete(r->store)) {
        return st;
    }
    uint64_t now = mem_resident(), held = answer_store_bytes(r->store);
    r->resident = now > held ? now - held : 0;
    return by_lines(r->opt) ? ask_lines(r, r->store, err) : ask_in_words(r, err);
}

/* ---- the stage ---- */

static winnow_status describe(const struct refine *r, struct refine_description *d,
                              struct winnow_error *err)
{
    static const char *const LEVELS[] = {"chunk", "doc", "both"};
    *d = (struct refine_description){.dialect = DIALECT_NAMES[r->opt->dialect]};
    if (r->opt->programs) {
        return WINNOW_OK;
    }
    bool http = r->opt->engine == WINNOW_ENGINE_HTTP;
    d->level = LEVELS[r->opt->level];
    d->engine = http ? "http" : r->opt->one_pass ? "one pass" : "builtin";
    d->refiner = r->opt->refiner    ? file_base(r->opt->refiner)
                 : by_lines(r->opt) ? "builtin"
                                    : "a server's model";
    if (by_lines(r->opt)) {
        return refine_lines_flops(r->opt->refiner, stage_env(r->stage), &d->flops_a_line, err);
    }
    struct model_config c;
    struct winnow_error unknown; /* a server's model may be here as a tokenizer only */
    winnow_status st =
        r->opt->refiner ? model_load_config(r->opt->refiner, &c, &unknown) : WINNOW_E_USAGE;
    if (st == WINNOW_OK) {
        d->flops_a_token = 2.0 * (double)model_config_parameters_hidden(&c);
    }
    return WINNOW_OK;
}

static winnow_status run_steps(struct refine *r, struct winnow_error *err)
{
    const struct winnow_refine_options *opt = r->opt;
    struct refine_description description;
    if (opt->programs) {
        TRY(program_file_open(opt->programs, stage_env(r->stage)->memory_max, &r->file, err));
    } else {
        TRY(get_programs(r, err));
        program_writer_free(r->writer); /* gives the model's memory back */
        r->writer = NULL;
    }
    TRY(describe(r, &description, err));
    struct refine_apply apply = {.dialect = opt->dialect, .file = r->file, .store = r->store};
    TRY(refine_apply_run(r->stage, &apply, &description, err));
    stage_note_double(
        r->stage, "programs",
        (double)(r->file ? program_file_documents(r->file) : answer_store_documents(r->store)));
    return WINNOW_OK;
}

static winnow_status refine_run(struct stage *stage, const void *options, struct winnow_error *err)
{
    struct refine r = {.opt = options, .stage = stage};
    winnow_status st = run_steps(&r, err);
    program_writer_free(r.writer);
    answer_store_close(r.store);
    if (r.file) {
        program_file_close(r.file);
    }
    tokenizer_free(r.tokenizer);
    return st;
}

static bool asks_in_words(const void *options)
{
    const struct winnow_refine_options *opt = options;
    return !opt->programs && !by_lines(opt);
}

static void refine_estimate(const void *options, const struct stage_plan *plan,
                            struct stage_estimate *out)
{
    if (asks_in_words(options)) {
        refine_estimate_words(options, plan, out);
    }
}

/* The built-in refiner reads a document by itself; a model writes for one after the other. */
static bool over_ranks(const void *options)
{
    return !asks_in_words(options);
}

const struct stage_kind REFINE_STAGE = {
    .table = &REFINE_TABLE,
    .check = refine_check,
    .estimate = refine_estimate,
    .estimate_only = asks_in_words,
    .run = refine_run,
    .over_ranks = over_ranks,
    .many_passes = true,
    .uses_kernels = true,
};
