/* eval.c -- `winnow eval`: model, documents, tasks, scores, results.
 *
 * Documents are scored block by block and forgotten, so a corpus of any size takes a
 * block's memory; --cloze alone holds their texts, as items are made of all of them.
 * Tasks are scored some items at a time, so that progress shows and a signal ends it.
 * What could not be read is said last, when the results of the rest are written. */
#include "winnow/eval.h"

#include "winnow/train.h"

#include "base/arena.h"
#include "base/env.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"
#include "corpus/texts.h"
#include "engine/engine.h"
#include "eval/eval_results.h"
#include "eval/eval_scorer.h"
#include "flow/leak_probe.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "prune/scoring.h"
#include "run/guard.h"
#include "train/example_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define WINDOW_MAX    2048U
#define ITEMS_AT_ONCE 2048U
#define EVAL_FACTOR   12U /* of a byte of a long line: raw, parsed, kept, its tokens and scores */
#define TEXTS_BESIDE  ((uint64_t)24 << 20) /* a block, and what is scored of it */
/* Cloze items need the documents at once. */
#define CLOZE_BYTES_MAX ((uint64_t)1 << 30)

/* Rows as tokens, one behind the other. */
struct eval_rows {
    struct u32_list tokens, targets;
    struct u32_list counts; /* tokens of each */
};

struct evaluation {
    const struct winnow_eval_options *opt;
    const struct winnow_list *paths;
    const struct winnow_env *env;
    struct winnow_eval_result *result;
    winnow_status lost; /* what is to be said of the input when all is done */
    struct winnow_error lost_error;
    struct pool *pool;
    struct model *model;
    struct tokenizer *tokenizer;
    struct engine *engine;
    struct eval_scorer *scorer;

    /* Of rows with responses. */
    struct example_encoder *encoder;
    struct example_text example;
    struct eval_rows rows; /* kept at the moment */
    uint64_t cut, empty;

    struct map domains;
    struct arena keep;               /* of documents: one block's, or all for cloze */
    struct eval_document *documents; /* kept at the moment */
    size_t count, cap;
    struct eval_text_nll *nll; /* of all documents so far */
    uint32_t *domain_of;
    size_t nll_count, nll_cap;
    uint64_t bytes_kept;
    uint64_t resident; /* with the model, before the first document */

    struct eval_suite *suite;
    struct eval_item_score *scores;
    struct buf probe, probe_table; /* what --leak-probe found */
};

static winnow_status load(struct evaluation *e, struct winnow_error *err)
{
    TRY(model_open(e->opt->model, &e->model, err));
    if (e->opt->tokenizer) {
        TRY(model_load_tokenizer(e->opt->tokenizer, &e->tokenizer, err));
    } else {
        TRY(model_load_tokenizer(e->opt->model, &e->tokenizer, err));
    }
    const struct model_config *c = model_config(e->model);
    uint32_t window = c->context < WINDOW_MAX ? c->context : WINDOW_MAX;
    window = e->opt->window ? e->opt->window : window;
    struct engine_options engine = ENGINE_OPTIONS_INIT;
    engine.compute = scoring_compute(e->opt->compute);
    engine.tokens_max = window > WINDOW_MAX ? window : WINDOW_MAX;
    TRY(memory_need(e->env->memory_max, "eval",
                    mem_resident() + engine_memory(c, &engine, pool_threads(e->pool)) +
                        TEXTS_BESIDE,
                    "use fewer threads (-t), or --compute int8", err));
    TRY(engine_new(e->model, e->pool, &engine, e->env, &e->engine, err));
    e->resident = mem_resident();
    struct eval_scorer_options scorer = EVAL_SCORER_OPTIONS_INIT;
    scorer.window = window;
    if (e->opt->responses) {
        e->encoder = example_encoder_new(e->tokenizer, window);
    }
    return eval_scorer_new(e->engine, e->tokenizer, &scorer, &e->scorer, err);
}

/* ---- documents ---- */

/* The string at key, tried as it stands, then as a dotted path. */
static struct str domain_of(struct json_value object, struct str key)
{
    struct str found = {"", 0};
    if (json_as_str(json_get_str(object, key), &found)) {
        return found;
    }
    const char *dot;
    while (key.len > 0 && (dot = memchr(key.ptr, '.', key.len)) != NULL) {
        size_t at = (size_t)(dot - key.ptr);
        object = json_get_str(object, str_sub(key, 0, at));
        key = str_sub(key, at + 1, key.len);
        if (json_kind(object) != JSON_OBJECT) {
            return found;
        }
    }
    (void)json_as_str(json_get_str(object, key), &found);
    return found;
}

static struct str keep(struct evaluation *e, struct str s)
{
    return (struct str){arena_strndup(&e->keep, s.ptr, s.len), s.len};
}

static void keep_row(struct evaluation *e, const struct document *d)
{
    struct example_text *x = &e->example;
    example_encode(e->encoder, d->json, d->text, x);
    size_t n = x->count > 0 ? x->tokens.len : 0;
    u32_list_add(&e->rows.counts, (uint32_t)n);
    memcpy(u32_list_reserve(&e->rows.tokens, n + 1), x->tokens.ptr, n * sizeof *x->tokens.ptr);
    memcpy(u32_list_reserve(&e->rows.targets, n + 1), x->targets.ptr, n * sizeof *x->targets.ptr);
    e->rows.tokens.len += n;
    e->rows.targets.len += n;
    e->cut += x->cut;
    e->empty += n == 0;
}

static void keep_document(struct evaluation *e, const struct document *d)
{
    struct str text = d->text;
    if (e->encoder) {
        keep_row(e, d);
        text.len = 0;
    }
    GROW(e->documents, e->count, e->cap, 1024);
    e->documents[e->count++] = (struct eval_document){
        keep(e, d->id), keep(e, text), keep(e, domain_of(d->json, str_of(e->opt->domain_key)))};
    e->bytes_kept += text.len;
    e->result->documents++;
}

/* Of a model whose numbers overflow nothing can be measured: what came out would read as
 * a result. */
static winnow_status refuse_overflow(const struct evaluation *e, const char *what, struct str id,
                                     struct winnow_error *err)
{
    return error_set(err, WINNOW_E_FORMAT,
                     "the model %s gives %s \"%.*s\" no finite likelihood: its numbers overflow; "
                     "its weights are broken, or its training went astray",
                     e->opt->model, what, STR_ARG(id));
}

/* What was kept of rows, which are let go; the sequences of a row are one. */
static winnow_status score_rows(struct evaluation *e, struct eval_text_nll *out,
                                struct winnow_error *err)
{
    struct eval_rows *r = &e->rows;
    winnow_status st = WINNOW_OK;
    size_t at = 0;
    for (size_t i = 0; st == WINNOW_OK && i < r->counts.len; i++) {
        size_t n = r->counts.ptr[i];
        out[i] = (struct eval_text_nll){0};
        for (size_t k = at; k < at + n; k++) {
            uint32_t target = r->targets.ptr[k];
            out[i].tokens += target != BATCH_NO_TARGET;
            out[i].bytes += target != BATCH_NO_TARGET && target != tokenizer_eos(e->tokenizer)
                                ? eval_token_bytes(e->scorer, target)
                                : 0;
        }
        if (n > 0) {
            const struct eval_sum sum = {.nll = &out[i].nll};
            st = eval_queue(e->scorer, r->tokens.ptr + at, r->targets.ptr + at, n, sum, err);
        }
        at += n;
    }
    winnow_status flushed = eval_flush(e->scorer, err); /* empties the queue after a failure too */
    r->tokens.len = r->targets.len = r->counts.len = 0;
    return st == WINNOW_OK ? flushed : st;
}

/* Scores the documents from the first-th kept one on. */
static winnow_status score_documents(struct evaluation *e, size_t first, struct winnow_error *err)
{
    size_t count = e->count - first;
    if (e->nll_count + count > e->nll_cap) {
        size_t cap = (e->nll_count + count) * 2;
        e->nll = mem_realloc(e->nll, e->nll_cap * sizeof *e->nll, cap * sizeof *e->nll);
        e->domain_of = mem_realloc(e->domain_of, e->nll_cap * sizeof *e->domain_of,
                                   cap * sizeof *e->domain_of);
        e->nll_cap = cap;
    }
    struct str *texts = mem_alloc((count + 1) * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        texts[i] = e->documents[first + i].text;
        uint64_t *number = map_put(&e->domains, e->documents[first + i].domain, &is_new);
        *number = is_new ? e->domains.count - 1 : *number;
        e->domain_of[e->nll_count + i] = (uint32_t)*number;
    }
    winnow_status st = e->encoder ? score_rows(e, e->nll + e->nll_count, err)
                                  : eval_nll(e->scorer, texts, count, e->nll + e->nll_count, err);
    for (size_t i = 0; st == WINNOW_OK && i < count; i++) {
        if (!isfinite(e->nll[e->nll_count + i].nll)) {
            st = refuse_overflow(e, "document", e->documents[first + i].id, err);
        }
    }
    e->nll_count += count;
    mem_free(texts);
    return st;
}

/* Cloze items need the documents at once, and take what is left beside the model. */
static winnow_status check_kept(const struct evaluation *e, struct winnow_error *err)
{
    if (e->bytes_kept > CLOZE_BYTES_MAX) {
        return error_set(err, WINNOW_E_LIMIT,
                         "cloze items are made from at most %" PRIu64
                         " MiB of text; --documents N takes the first N",
                         CLOZE_BYTES_MAX >> 20);
    }
    return memory_need(e->env->memory_max, "eval --cloze of as many documents",
                       e->resident + 2 * e->bytes_kept + TEXTS_BESIDE,
                       "take the first with --documents", err);
}

/* A block of documents is scored at a time; what is kept of it is let go then, unless
 * cloze items are to be made of it. */
static winnow_status score_block(struct evaluation *e, size_t *first, struct winnow_error *err)
{
    TRY(score_documents(e, *first, err));
    if (!e->opt->cloze) {
        arena_reset(&e->keep);
        e->count = 0;
    }
    *first = e->count;
    return WINNOW_OK;
}

static winnow_status score_texts(struct evaluation *e, struct texts *t, struct winnow_error *err)
{
    size_t first = 0;
    uint64_t block = 1;
    for (;;) {
        struct document d;
        bool more;
        TRY(texts_next(t, &d, &more, err));
        if (!more || t->block_number != block) {
            TRY(score_block(e, &first, err));
            block = t->block_number;
        }
        if (!more) {
            return WINNOW_OK;
        }
        keep_document(e, &d);
        if (e->opt->cloze) {
            TRY(check_kept(e, err));
        }
    }
}

static void warn_of_rows(const struct evaluation *e)
{
    if (e->cut + e->empty > 0) {
        env_log(e->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " rows are longer than the window and cut, %" PRIu64
                " have no response and no loss",
                e->cut, e->empty);
    }
}

static winnow_status read_documents(struct evaluation *e, struct winnow_error *err)
{
    const struct winnow_text_options text = {.text_key = e->opt->text_key,
                                             .id_key = e->opt->id_key,
                                             .files_from = e->opt->files_from,
                                             .chat = e->opt->chat,
                                             .limit = e->opt->documents,
                                             .line_max = (uint64_t)64 << 20};
    const struct line_budget budget = {e->env->memory_max, e->resident + TEXTS_BESIDE, EVAL_FACTOR,
                                       "leave such lines out of the input"};
    struct winnow_text_result read = {0};
    struct texts t = {0};
    winnow_status st = texts_open(&t, &text, *e->paths, e->env, &read, err);
    if (st == WINNOW_OK) {
        texts_budget(&t, &budget);
        st = score_texts(e, &t, err);
    }
    if (st == WINNOW_OK) {
        st = texts_read(&t, e->result->documents, err);
    }
    warn_of_rows(e);
    if (st == WINNOW_OK) { /* said at the end */
        e->lost = texts_end(&t, &e->lost_error);
    }
    e->result->documents_bad = read.documents_bad;
    texts_release(&t);
    return st;
}

/* ---- tasks ---- */

static winnow_status fill_suite(struct evaluation *e, struct winnow_error *err)
{
    const struct winnow_eval_options *opt = e->opt;
    const struct eval_file_options file = {
        .limit = opt->limit, .delimiter = opt->delimiter, .shots = opt->shots};
    for (size_t i = 0; i < opt->tasks.count; i++) {
        TRY(eval_suite_add_file(e->suite, opt->tasks.items[i], &file, &e->result->items_skipped,
                                err));
    }
    if (e->result->items_skipped > 0) {
        env_log(e->env, WINNOW_LOG_WARNING,
                "%" PRIu64 " task records are of a kind that is not scored by likelihood; left out",
                e->result->items_skipped);
    }
    if (opt->cloze) {
        const struct eval_cloze_options cloze = {.options = opt->cloze_options,
                                                 .context = opt->cloze_context,
                                                 .length = opt->cloze_length,
                                                 .per_document = opt->cloze_per_document,
                                                 .per_domain = opt->cloze_per_domain,
                                                 .seed = e->env->seed};
        TRY(eval_suite_add_cloze(e->suite, e->documents, e->count, &cloze, err));
    }
    e->result->items = eval_suite_item_count(e->suite);
    return WINNOW_OK;
}

static winnow_status score_tasks(struct evaluation *e, struct winnow_error *err)
{
    size_t items = eval_suite_item_count(e->suite);
    e->scores = mem_alloc((items + 1) * sizeof *e->scores);
    for (size_t first = 0; first < items; first += ITEMS_AT_ONCE) {
        size_t n = items - first < ITEMS_AT_ONCE ? items - first : ITEMS_AT_ONCE;
        TRY(env_check(e->env, err));
        TRY(eval_suite_score_some(e->suite, e->scorer, first, n, e->scores, err));
        for (size_t i = first; i < first + n; i++) {
            if (!isfinite(e->scores[i].nll)) {
                return refuse_overflow(e, "task item", eval_suite_item(e->suite, i)->id, err);
            }
        }
        env_progress(e->env, "tasks", "items", first + n, items);
    }
    return WINNOW_OK;
}

/* ---- results ---- */

/* All documents, then each domain in order of appearance. */
static size_t make_domains(const struct evaluation *e, struct eval_domain *domains)
{
    if (e->nll_count == 0) {
        return 0;
    }
    eval_domain_of((struct str){"", 0}, e->nll, e->nll_count, &domains[0]);
    if (e->domains.count == 1 && e->domains.entries[0].key.len == 0) {
        return 1;
    }
    struct eval_text_nll *part = mem_alloc(e->nll_count * sizeof *part);
    for (size_t d = 0; d < e->domains.count; d++) {
        size_t n = 0;
        for (size_t i = 0; i < e->nll_count; i++) {
            if (e->domain_of[i] == d) {
                part[n++] = e->nll[i];
            }
        }
        struct str name = e->domains.entries[d].key;
        eval_domain_of(name.len ? name : STR_LIT("-"), part, n, &domains[d + 1]);
    }
    mem_free(part);
    return e->domains.count + 1;
}

static void write_config(const struct evaluation *e, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_text(&w, "model", "winnow");
    json_member_text(&w, "model_args", e->opt->model);
    json_member_u64(&w, "model_num_parameters", model_config_parameters(model_config(e->model)));
    json_key(&w, "model_hash");
    char hash[17];
    (void)snprintf(hash, sizeof hash, "%016" PRIx64, model_hash(e->model));
    json_text(&w, hash);
    json_member_text(&w, "kernels", engine_kernels(e->engine));
    json_member_u64(&w, "random_seed", e->env->seed);
    json_member_open(&w, "settings", '{');
    option_write_json(&EVAL_TABLE, e->opt, &w);
    json_close(&w, '}');
    json_close(&w, '}');
}

static char *text_of(struct buf *b)
{
    char *text = mem_strdup(buf_cstr(b));
    buf_release(b);
    return text;
}

static winnow_status write_results(struct evaluation *e, struct winnow_error *err)
{
    struct buf json = {0}, table = {0}, config = {0};
    struct eval_domain *domains = mem_alloc((e->domains.count + 2) * sizeof *domains);
    write_config(e, &config);
    const struct eval_report report = {.domains = domains,
                                       .domain_count = make_domains(e, domains),
                                       .suite = e->suite,
                                       .scores = e->scores,
                                       .shots = e->opt->shots,
                                       .config = buf_str(&config),
                                       .probe = buf_str(&e->probe)};
    eval_report_json(&report, &json);
    eval_report_table(&report, &table);
    buf_add_str(&table, buf_str(&e->probe_table));
    winnow_status st =
        e->opt->output ? file_write_atomic(e->opt->output, buf_str(&json), err) : WINNOW_OK;
    e->result->json = text_of(&json);
    e->result->table = text_of(&table);
    buf_release(&config);
    mem_free(domains);
    return st;
}

static winnow_status check(const struct winnow_eval_options *opt, const struct winnow_list *paths,
                           struct winnow_error *err)
{
    bool documents = paths->count > 0 || opt->files_from;
    if (!opt->model) {
        return error_set(err, WINNOW_E_USAGE, "eval needs --model, a model folder or .gguf file");
    }
    if (!documents && opt->tasks.count == 0 && !opt->leak_probe) {
        return error_set(err, WINNOW_E_USAGE,
                         "nothing to measure: name held-out documents, --tasks or --leak-probe");
    }
    if (opt->paraphrased && !opt->leak_probe) {
        return error_set(err, WINNOW_E_USAGE,
                         "--paraphrased is what --leak-probe is compared with: give both");
    }
    if (opt->responses && (opt->cloze || !documents)) {
        return error_set(err, WINNOW_E_USAGE,
                         "--responses measures rows of the corpus, and --cloze their texts: name "
                         "rows, and leave --cloze out");
    }
    if (!documents && opt->cloze) {
        return error_set(err, WINNOW_E_USAGE, "--cloze needs documents to make items from");
    }
    return WINNOW_OK;
}

static winnow_status evaluate(struct evaluation *e, struct winnow_error *err)
{
    TRY(load(e, err));
    if (e->paths->count > 0 || e->opt->files_from) {
        TRY(read_documents(e, err));
    }
    TRY(fill_suite(e, err));
    TRY(score_tasks(e, err));
    if (e->opt->leak_probe) {
        TRY(leak_probe(e->opt, e->scorer, e->env, &e->probe, &e->probe_table, err));
    }
    TRY(write_results(e, err));
    if (e->lost != WINNOW_OK) {
        *err = e->lost_error;
    }
    return e->lost;
}

winnow_status winnow_eval(const struct winnow_eval_options *opt, const struct winnow_list *paths,
                          const struct winnow_env *env, struct winnow_eval_result *result,
                          struct winnow_error *err)
{
    *result = (struct winnow_eval_result){0};
    TRY(check(opt, paths, err));
    const struct guarded what = {.paths = *paths, .files_from = opt->files_from};
    TRY(guard_file(opt->output, &what, &EVAL_TABLE, opt, err));
    struct evaluation e = {.opt = opt, .paths = paths, .env = env, .result = result};
    e.pool = pool_new(env->threads);
    e.suite = eval_suite_new();
    arena_init(&e.keep, (size_t)1 << 20);
    winnow_status st = evaluate(&e, err);
    eval_scorer_free(e.scorer);
    example_encoder_free(e.encoder);
    example_text_release(&e.example);
    u32_list_release(&e.rows.tokens);
    u32_list_release(&e.rows.targets);
    u32_list_release(&e.rows.counts);
    engine_free(e.engine);
    tokenizer_free(e.tokenizer);
    model_free(e.model);
    eval_suite_free(e.suite);
    pool_free(e.pool);
    map_release(&e.domains);
    arena_release(&e.keep);
    mem_free(e.documents);
    mem_free(e.nll);
    mem_free(e.domain_of);
    mem_free(e.scores);
    buf_release(&e.probe);
    buf_release(&e.probe_table);
    return st;
}

void winnow_eval_result_free(struct winnow_eval_result *result)
{
    mem_free(result->json);
    mem_free(result->table);
    result->json = result->table = NULL;
}
