/* refiner_eval.c -- `winnow refiner eval`: pages, what was made of them, counts,
 * scores.
 *
 * Pages are worked on side by side, a batch at a time, and counted in their
 * order, so that results do not depend on the number of threads. */
#include "winnow/refiner.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/file.h"
#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/pool.h"
#include "corpus/texts.h"
#include "model/model_file.h"
#include "option/tables.h"
#include "run/guard.h"
#include "teach/outcome.h"
#include "teach/pair_source.h"
#include "teach/refiner_results.h"
#include "teach/words.h"
#include "token/tokenizer.h"

#include <inttypes.h>

#define BATCH_MAX 64U

/* The documents of the cleaned corpora, by id. */
struct cleaned {
    struct map by_id;
    struct str *texts;
    size_t cap;
    struct arena keep;
    uint64_t bytes;
};

struct page_slot {
    struct buf line;
    const char *shard;
    uint64_t number;
    struct measure_sums sums;
    struct buf id, group;
    winnow_status status;
    struct winnow_error error;
};

struct eval_worker {
    struct json_parser *parser;
    struct arena keep;
    struct tokenizer_scratch *scratch;
    struct u32_list tokens;
};

struct refiner_eval {
    const struct winnow_refiner_eval_options *opt;
    const struct winnow_env *env;
    struct pair_source source;
    struct program_file *programs;
    struct cleaned cleaned;
    struct tokenizer *tokenizer;
    struct eval_worker *workers;
    struct page_slot slots[BATCH_MAX];
    size_t filled;
    struct pair_line waiting; /* for the next batch, as this one has no room; or NULL */

    struct measure_sums *pages; /* in order */
    uint32_t *group_of;
    size_t count, cap;
    struct map groups, ids;
    uint64_t matched;
};

static bool has_results(const struct refiner_eval *e)
{
    return e->programs || e->opt->cleaned.count > 0;
}

/* ---- what the tools made ---- */

static winnow_status add_cleaned(struct refiner_eval *e, const struct document *d,
                                 struct winnow_error *err)
{
    struct cleaned *c = &e->cleaned;
    bool is_new;
    uint64_t *index = map_put(&c->by_id, d->id, &is_new);
    if (!is_new) {
        return error_set(err, WINNOW_E_FORMAT, "two cleaned documents have the id \"%.*s\"",
                         STR_ARG(d->id));
    }
    *index = c->by_id.count - 1;
    GROW(c->texts, *index, c->cap, 1024);
    c->bytes += d->text.len + d->id.len + 128;
    if (e->env->memory_max > 0 && c->bytes > e->env->memory_max / 2) {
        return error_set(err, WINNOW_E_LIMIT,
                         "the cleaned documents take more than half of --memory %s"
                         "; give more, or measure the pages in parts",
                         amount_memory(e->env->memory_max).text);
    }
    c->texts[*index] = (struct str){
        arena_strndup(&c->keep, d->text.len > 0 ? d->text.ptr : "", d->text.len), d->text.len};
    return WINNOW_OK;
}

static winnow_status read_cleaned(struct refiner_eval *e, struct winnow_error *err)
{
    const struct winnow_text_options opt = {.line_max = (uint64_t)64 << 20,
                                            .on_bad = WINNOW_TEXT_STOP};
    struct winnow_text_result counts = {0};
    struct texts t = {0};
    winnow_status st = texts_open(&t, &opt, e->opt->cleaned, e->env, &counts, err);
    bool more = st == WINNOW_OK;
    while (st == WINNOW_OK && more) {
        struct document d;
        st = texts_next(&t, &d, &more, err);
        if (st == WINNOW_OK && more) {
            st = add_cleaned(e, &d, err);
        }
    }
    st = st == WINNOW_OK ? texts_end(&t, err) : st;
    texts_release(&t);
    return st;
}

static winnow_status open_results(struct refiner_eval *e, struct winnow_error *err)
{
    if (e->opt->programs && e->opt->cleaned.count > 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "--programs and --cleaned say twice what came out; give one of them");
    }
    if (e->opt->programs) {
        TRY(program_file_open(e->opt->programs, e->env->memory_max, &e->programs, err));
    } else if (e->opt->cleaned.count > 0) {
        TRY(read_cleaned(e, err));
    }
    return e->opt->tokenizer ? model_load_tokenizer(e->opt->tokenizer, &e->tokenizer, err)
                             : WINNOW_OK;
}

/* ---- a page ---- */

static winnow_status find_outcome(const struct refiner_eval *e, const struct pair *p,
                                  struct arena *keep, struct outcome *out, struct winnow_error *err)
{
    if (e->opt->cleaned.count > 0) {
        const uint64_t *index = map_get(&e->cleaned.by_id, p->id);
        struct str text = index ? e->cleaned.texts[*index] : (struct str){NULL, 0};
        return outcome_of_text(p->raw, text, keep, out, err);
    }
    const struct program_text *programs = NULL;
    size_t count = e->programs ? program_file_find(e->programs, p->id, &programs) : 0;
    return outcome_of_programs(p->raw, e->opt->dialect, programs, count, keep, out, err);
}

static uint64_t count_tokens(const struct refiner_eval *e, struct eval_worker *w, struct str text)
{
    if (e->tokenizer) {
        w->tokens.len = 0;
        tokenizer_encode(e->tokenizer, w->scratch, text, TOKENIZER_PLAIN_SPECIAL, &w->tokens);
        return w->tokens.len;
    }
    uint64_t n = 0;
    size_t at = 0;
    struct str piece;
    while (words_next(text, &at, &piece)) {
        n++;
    }
    return n;
}

static winnow_status measure_slot(const struct refiner_eval *e, struct eval_worker *w,
                                  struct page_slot *s, struct winnow_error *err)
{
    struct pair_line line = {buf_str(&s->line), s->shard, s->number};
    struct pair p;
    struct outcome o;
    arena_reset(&w->keep);
    TRY(pair_line_read(&line, w->parser, e->opt->by, &w->keep, &p, err));
    buf_clear(&s->id);
    buf_add_str(&s->id, p.id);
    buf_clear(&s->group);
    buf_add_str(&s->group, p.group);
    winnow_status st = find_outcome(e, &p, &w->keep, &o, err);
    if (st == WINNOW_OK) {
        st = outcome_measure(&p, &o, &w->keep, &s->sums, err);
    }
    if (st != WINNOW_OK) {
        return error_wrap(err, st, "%s, line %" PRIu64, s->shard, s->number);
    }
    s->sums.n[COUNT_TOKENS_RAW] = count_tokens(e, w, p.raw);
    s->sums.n[COUNT_TOKENS_RESULT] = count_tokens(e, w, o.text);
    return WINNOW_OK;
}

static void work(void *ctx, size_t piece, uint32_t worker)
{
    struct refiner_eval *e = ctx;
    struct page_slot *s = &e->slots[piece];
    s->status = measure_slot(e, &e->workers[worker], s, &s->error);
}

static winnow_status fill_batch(struct refiner_eval *e, struct winnow_error *err)
{
    uint64_t room = line_budget_fits(&e->source.walk.opt.budget), held = 0;
    e->filled = 0;
    while (e->filled < BATCH_MAX) {
        struct pair_line line = e->waiting;
        bool more = line.text.ptr != NULL;
        e->waiting = (struct pair_line){0};
        if (!more) {
            TRY(pair_source_next(&e->source, &line, &more, err));
        }
        if (!more) {
            break;
        }
        held += line.text.len;
        if (e->filled > 0 && held > room) { /* all at work at once */
            e->waiting = line;
            break;
        }
        struct page_slot *s = &e->slots[e->filled++];
        buf_clear(&s->line);
        buf_add_str(&s->line, line.text);
        s->shard = line.shard;
        s->number = line.number;
    }
    return WINNOW_OK;
}

static winnow_status check_id(struct refiner_eval *e, const struct page_slot *s,
                              struct winnow_error *err)
{
    struct str id = buf_str(&s->id);
    if (!has_results(e)) {
        return WINNOW_OK;
    }
    bool is_new = true;
    if (id.len > 0) {
        (void)map_put(&e->ids, id, &is_new);
    }
    if (id.len == 0 || !is_new) {
        return error_set(err, WINNOW_E_FORMAT, "%s, line %" PRIu64 ": %s; results are found by id",
                         s->shard, s->number,
                         id.len == 0 ? "a page without \"id\"" : "a second page with its id");
    }
    const struct program_text *unused;
    e->matched += e->programs ? program_file_find(e->programs, id, &unused) > 0
                              : map_get(&e->cleaned.by_id, id) != NULL;
    return WINNOW_OK;
}

static winnow_status join(struct refiner_eval *e, struct page_slot *s, struct winnow_error *err)
{
    if (s->status != WINNOW_OK) {
        *err = s->error;
        return s->status;
    }
    TRY(check_id(e, s, err));
    if (e->count == e->cap) {
        size_t cap = e->cap ? 2 * e->cap : 1024;
        e->pages = mem_realloc(e->pages, e->cap * sizeof *e->pages, cap * sizeof *e->pages);
        e->group_of =
            mem_realloc(e->group_of, e->cap * sizeof *e->group_of, cap * sizeof *e->group_of);
        e->cap = cap;
    }
    struct str group = s->group.len > 0 ? buf_str(&s->group) : STR_LIT("-");
    e->group_of[e->count] = words_number(&e->groups, group);
    e->pages[e->count++] = s->sums;
    return WINNOW_OK;
}

static winnow_status measure_pages(struct refiner_eval *e, struct pool *pool,
                                   struct winnow_error *err)
{
    do {
        TRY(fill_batch(e, err));
        pool_run(pool, e->filled, work, e);
        for (size_t i = 0; i < e->filled; i++) {
            TRY(join(e, &e->slots[i], err));
        }
    } while (e->filled > 0);
    if (e->count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "no page to measure");
    }
    if (has_results(e) && e->matched == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "no page has the id of any result; do both name the same pages?");
    }
    return WINNOW_OK;
}

/* ---- results ---- */

/* All pages first, then each group in byte order. */
static struct refiner_group *make_groups(const struct refiner_eval *e, size_t *count)
{
    size_t kinds = e->opt->by ? e->groups.count : 0;
    struct refiner_group *groups = mem_zalloc((kinds + 1) * sizeof *groups);
    groups[0] = (struct refiner_group){.name = STR_LIT("all"), .count = e->count};
    groups[0].pages = mem_alloc(e->count * sizeof *groups[0].pages);
    memcpy(groups[0].pages, e->pages, e->count * sizeof *e->pages);
    *count = 1;
    for (size_t done = 0; done < kinds; done++) {
        size_t next = SIZE_MAX; /* the smallest name not taken yet */
        for (size_t k = 0; k < kinds; k++) {
            struct str name = e->groups.entries[k].key;
            bool later = *count == 1 || str_cmp(name, groups[*count - 1].name) > 0;
            if (later && (next == SIZE_MAX || str_cmp(name, e->groups.entries[next].key) < 0)) {
                next = k;
            }
        }
        struct refiner_group *g = &groups[(*count)++];
        g->name = e->groups.entries[next].key;
        g->pages = mem_alloc(e->count * sizeof *g->pages);
        for (size_t i = 0; i < e->count; i++) {
            if (e->group_of[i] == next) {
                g->pages[g->count++] = e->pages[i];
            }
        }
    }
    return groups;
}

static char *text_of(struct buf *b)
{
    char *text = mem_strdup(buf_cstr(b));
    buf_release(b);
    return text;
}

static void write_results(const struct refiner_eval *e, struct winnow_refiner_eval_result *result)
{
    size_t count;
    struct refiner_group *groups = make_groups(e, &count);
    for (size_t i = 0; i < count; i++) {
        measure_intervals(groups[i].pages, groups[i].count, e->opt->bootstrap, e->env->seed,
                          groups[i].scores);
    }
    struct buf json = {0}, table = {0};
    struct json_writer w = {.out = &json, .pretty = true};
    json_open(&w, '{');
    json_member_text(&w, "name", e->opt->name);
    json_member_open(&w, "settings", '{');
    option_write_json(&REFINER_EVAL_TABLE, e->opt, &w);
    json_close(&w, '}');
    json_member_u64(&w, "seed", e->env->seed);
    json_member_u64(&w, "unmatched", result->unmatched);
    refiner_results_json(groups, count, &w);
    json_close(&w, '}');
    buf_add_char(&json, '\n');
    refiner_results_table(groups, count, str_of(e->opt->name), &table);
    for (size_t i = 0; i < count; i++) {
        mem_free(groups[i].pages);
    }
    mem_free(groups);
    result->json = text_of(&json);
    result->table = text_of(&table);
}

static void set_up(struct refiner_eval *e, uint32_t threads)
{
    e->workers = mem_zalloc(threads * sizeof *e->workers);
    for (uint32_t i = 0; i < threads; i++) {
        e->workers[i].parser = json_parser_new();
        arena_init(&e->workers[i].keep, (size_t)1 << 20);
        e->workers[i].scratch = e->tokenizer ? tokenizer_scratch_new(e->tokenizer) : NULL;
    }
}

static void tear_down(struct refiner_eval *e, uint32_t threads)
{
    for (uint32_t i = 0; e->workers && i < threads; i++) {
        json_parser_free(e->workers[i].parser);
        arena_release(&e->workers[i].keep);
        tokenizer_scratch_free(e->workers[i].scratch);
        u32_list_release(&e->workers[i].tokens);
    }
    mem_free(e->workers);
    for (size_t i = 0; i < BATCH_MAX; i++) {
        buf_release(&e->slots[i].line);
        buf_release(&e->slots[i].id);
        buf_release(&e->slots[i].group);
    }
    pair_source_release(&e->source);
    program_file_close(e->programs);
    map_release(&e->cleaned.by_id);
    mem_free(e->cleaned.texts);
    arena_release(&e->cleaned.keep);
    tokenizer_free(e->tokenizer);
    mem_free(e->pages);
    mem_free(e->group_of);
    map_release(&e->groups);
    map_release(&e->ids);
    mem_free(e);
}

static winnow_status evaluate(struct refiner_eval *e, const struct winnow_list *paths,
                              struct pool *pool, struct winnow_refiner_eval_result *result,
                              struct winnow_error *err)
{
    TRY(open_results(e, err));
    set_up(e, pool_threads(pool));
    TRY(pair_source_open(&e->source, paths, e->opt->limit, e->env, err));
    TRY(measure_pages(e, pool, err));
    uint64_t results =
        e->programs ? program_file_documents(e->programs) : (uint64_t)e->cleaned.by_id.count;
    result->pages = e->count;
    result->unmatched = results - e->matched;
    write_results(e, result);
    return e->opt->output ? file_write_atomic(e->opt->output, str_of(result->json), err)
                          : WINNOW_OK;
}

winnow_status winnow_refiner_eval(const struct winnow_refiner_eval_options *opt,
                                  const struct winnow_list *paths, const struct winnow_env *env,
                                  struct winnow_refiner_eval_result *result,
                                  struct winnow_error *err)
{
    *result = (struct winnow_refiner_eval_result){0};
    const struct guarded what = {.paths = *paths};
    TRY(guard_file(opt->output, &what, &REFINER_EVAL_TABLE, opt, err));
    struct refiner_eval *e = mem_zalloc(sizeof *e);
    e->opt = opt;
    e->env = env;
    arena_init(&e->cleaned.keep, (size_t)1 << 20);
    struct pool *pool = pool_new(env->threads);
    winnow_status st = evaluate(e, paths, pool, result, err);
    tear_down(e, pool_threads(pool));
    pool_free(pool);
    return st;
}

void winnow_refiner_eval_result_free(struct winnow_refiner_eval_result *result)
{
    mem_free(result->json);
    mem_free(result->table);
    *result = (struct winnow_refiner_eval_result){0};
}
