/* blocklist.c -- the stage `blocklist`: a document's address against lists of addresses.
 *
 * Documents without an address stay, and are counted: nothing is known of them. */
#include "blocklist/blocklist.h"

#include "winnow/blocklist.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/json_write.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "blocklist/block_list.h"
#include "option/tables.h"

#include <inttypes.h>

#define FINDS_MAX 16U

struct blocklist {
    const struct winnow_blocklist_options *opt;
    struct block_sources sources;
    struct block_list list;
    uint64_t *removed; /* by category: documents whose first find is of it */
    uint64_t documents, without_address;
};

/* ---- a document ---- */

enum { CARRY_CATEGORY, CARRY_ADDRESS }; /* the category + 1; whether there is an address */

static void add_key(struct buf *out, const char *category)
{
    buf_addf(out, "%s\"blocklist__", out->len > 0 ? ", " : "");
    for (; *category; category++) {
        bool plain = (*category >= 'a' && *category <= 'z') ||
                     (*category >= 'A' && *category <= 'Z') ||
                     (*category >= '0' && *category <= '9') || *category == '-';
        buf_add_char(out, plain ? *category : '_');
    }
}

static void annotate(const struct blocklist *b, const struct block_find *finds, size_t count,
                     struct str text, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (finds[k].category != finds[i].category) {
            k++;
        }
        if (k == i) { /* each category once */
            add_key(out, b->sources.categories[finds[i].category]);
            buf_addf(out, "\": [[0, %zu, 1]]", utf8_count(text));
        }
    }
}

static winnow_status look_up(void *state, void *worker, const struct document *d,
                             struct stage_result *r, struct winnow_error *err)
{
    (void)worker;
    (void)err;
    const struct blocklist *b = state;
    struct block_address address;
    struct block_find finds[FINDS_MAX];
    if (d->url.len == 0 || !block_address_read(d->url, &address)) {
        return WINNOW_OK;
    }
    r->carry[CARRY_ADDRESS] = 1;
    size_t count = block_list_find(&b->list, &address, finds, FINDS_MAX);
    if (count == 0) {
        return WINNOW_OK;
    }
    r->carry[CARRY_CATEGORY] = finds[0].category + 1U;
    r->verdict = b->opt->filter ? STAGE_REMOVE : STAGE_KEEP;
    r->rule = finds[0].to > address.host ? "blocklist.url" : "blocklist.domain";
    buf_add_text(&r->detail, "\"list\": ");
    json_quote(&r->detail, str_of(b->sources.categories[finds[0].category]));
    buf_add_text(&r->detail, ", \"listed\": ");
    json_quote(&r->detail, (struct str){address.text + finds[0].from, finds[0].to - finds[0].from});
    if (b->opt->annotate) {
        annotate(b, finds, count, d->text, &r->attributes[0]);
    }
    return WINNOW_OK;
}

static winnow_status count_document(void *state, struct str id, uint64_t ordinal,
                                    struct stage_result *r, struct winnow_error *err)
{
    (void)id;
    (void)ordinal;
    (void)err;
    struct blocklist *b = state;
    b->documents++;
    b->without_address += r->carry[CARRY_ADDRESS] == 0;
    if (r->carry[CARRY_CATEGORY] > 0) {
        b->removed[r->carry[CARRY_CATEGORY] - 1]++;
    }
    return WINNOW_OK;
}

/* The sums as numbers, for other ranks and of them. */
static void tell_counts(const void *state, struct buf *out)
{
    const struct blocklist *b = state;
    buf_add(out, &b->documents, sizeof b->documents);
    buf_add(out, &b->without_address, sizeof b->without_address);
    buf_add(out, b->removed, b->sources.category_count * sizeof *b->removed);
}

static winnow_status hear_counts(void *state, struct str told, struct winnow_error *err)
{
    struct blocklist *b = state;
    if (told.len != (2 + b->sources.category_count) * sizeof(uint64_t)) {
        return error_set(err, WINNOW_E_INTERNAL, "blocklist: another rank has other categories");
    }
    for (size_t i = 0; i < 2 + b->sources.category_count; i++) {
        uint64_t n;
        memcpy(&n, told.ptr + i * sizeof n, sizeof n);
        *(i == 0 ? &b->documents : i == 1 ? &b->without_address : &b->removed[i - 2]) += n;
    }
    return WINNOW_OK;
}

/* ---- the stage ---- */

static winnow_status blocklist_check(const void *options, const struct stage_plan *plan,
                                     struct winnow_error *err)
{
    const struct winnow_blocklist_options *o = options;
    struct block_sources sources = {0};
    if (!o->filter && !o->annotate) {
        return error_set(err, WINNOW_E_USAGE,
                         "blocklist with neither --filter nor --annotate would do nothing");
    }
    winnow_status st = block_sources_find(&sources, o, err);
    uint64_t needed = block_list_memory(sources.lines) + STAGE_MEMORY_LEAST;
    if (st == WINNOW_OK && plan->memory_max > 0 && needed > plan->memory_max) {
        st = error_set(err, WINNOW_E_LIMIT,
                       "the block lists have %" PRIu64 " lines, which take %" PRIu64
                       "M, and the documents on their way 64M: give --memory %" PRIu64
                       "M or fewer --categories; --memory is %s",
                       sources.lines, (block_list_memory(sources.lines) >> 20) + 1,
                       (needed >> 20) + 1, amount_memory(plan->memory_max).text);
    }
    block_sources_release(&sources);
    return st;
}

static void blocklist_estimate(const void *options, const struct stage_plan *plan,
                               struct stage_estimate *out)
{
    (void)plan;
    struct block_sources sources = {0};
    struct winnow_error ignored; /* check() told */
    if (block_sources_find(&sources, options, &ignored) == WINNOW_OK) {
        out->memory = block_list_memory(sources.lines);
    }
    block_sources_release(&sources);
}

static void note_counts(const struct blocklist *b, struct stage *stage)
{
    struct buf text = {0};
    struct json_writer w = {.out = &text};
    json_open(&w, '{');
    for (size_t i = 0; i < b->sources.category_count; i++) {
        if (b->removed[i] > 0) {
            json_member_u64(&w, b->sources.categories[i], b->removed[i]);
        }
    }
    json_close(&w, '}');
    stage_note(stage, "found", buf_str(&text));
    stage_note_double(stage, "entries", (double)b->list.count);
    stage_note_double(stage, "lines_passed_over", (double)b->list.wrong);
    stage_note_double(stage, "documents_without_address", (double)b->without_address);
    buf_release(&text);
}

static void say(const struct blocklist *b, const struct winnow_env *env)
{
    if (b->list.wrong > 0) {
        env_log(env, WINNOW_LOG_INFO,
                "blocklist: %" PRIu64 " lines of the lists are no addresses, and were passed over",
                b->list.wrong);
    }
    if (b->documents > 0 && b->without_address == b->documents) {
        env_log(env, WINNOW_LOG_WARNING,
                "blocklist: no document has an address (url or metadata.url), so none was found");
    }
}

static winnow_status run_stage(struct stage *stage, struct blocklist *b, struct winnow_error *err)
{
    static const char *const ATTRIBUTES[] = {"blocklist", NULL};
    TRY(block_sources_find(&b->sources, b->opt, err));
    TRY(block_list_read(&b->list, &b->sources, err));
    if (b->list.count == 0) {
        return error_set(err, WINNOW_E_FORMAT, "the block lists hold no address: %s is none",
                         b->opt->lists.items[0]);
    }
    b->removed = mem_zalloc((b->sources.category_count + 1) * sizeof *b->removed);
    struct stage_pass pass = {.name = "blocklist",
                              .verdicts = true,
                              .attributes = b->opt->annotate ? ATTRIBUTES : NULL,
                              .state = b,
                              .document = look_up,
                              .decide = count_document,
                              .apart = true,
                              .tell = tell_counts,
                              .hear = hear_counts};
    TRY(stage_run_pass(stage, &pass, err));
    if (b->documents == 0 && stage_documents(stage) > 0) { /* an earlier life did the pass */
        pass.name = "count";
        pass.verdicts = false;
        pass.attributes = NULL;
        TRY(stage_run_pass(stage, &pass, err));
    }
    note_counts(b, stage);
    say(b, stage_env(stage));
    return WINNOW_OK;
}

static winnow_status blocklist_run(struct stage *stage, const void *options,
                                   struct winnow_error *err)
{
    struct blocklist b = {.opt = options};
    winnow_status st = run_stage(stage, &b, err);
    block_list_release(&b.list);
    block_sources_release(&b.sources);
    mem_free(b.removed);
    return st;
}

/* A document is judged by itself, and counts add up. */
static bool over_ranks(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind BLOCKLIST_STAGE = {
    .table = &BLOCKLIST_TABLE,
    .check = blocklist_check,
    .estimate = blocklist_estimate,
    .run = blocklist_run,
    .over_ranks = over_ranks,
};
