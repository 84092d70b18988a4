/* decontaminate.c -- the stage `decontaminate`: items to an index, documents against it.
 *
 * Each document is judged for itself, so order and threads change nothing; what is said
 * of one with a find is in its ledger line, with the item's text and the passage beside each
 * other, so that nobody has to look the benchmark up to see whether the find is one. */
#include "leak/decontaminate.h"

#include "winnow/decontaminate.h"

#include "base/amount.h"
#include "base/env.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "leak/leak_cut.h"
#include "leak/leak_notes.h"
#include "option/belongs.h"
#include "option/tables.h"

#include <inttypes.h>
#include <math.h>
#include <sys/stat.h>

#define EXCERPT    600U /* bytes of an item and of a passage in the ledger */
#define AROUND     80U  /* bytes of the text on either side of a passage */
#define LABELS_MAX 100U
#define WARN_FROM  20U /* documents */

struct decontaminate {
    struct winnow_decontaminate_options opt;
    struct leak_set set;
    struct leak_judge judge;
    struct leak_notes notes;
};

static const char *const FOUND[WINNOW_LEAK_RULES] = {
    [WINNOW_LEAK_CLUSTER] = "leak.cluster", [WINNOW_LEAK_GPT3] = "leak.gpt3",
    [WINNOW_LEAK_LLAMA2] = "leak.llama2",   [WINNOW_LEAK_LLAMA3] = "leak.llama3",
    [WINNOW_LEAK_HARE] = "leak.hare",
};

/* ---- what is said of a document ---- */

static void add_quoted(struct buf *out, const char *key, struct str text)
{
    buf_addf(out, "\"%s\": ", key);
    json_quote(out, text);
}

static struct str excerpt(struct str s)
{
    return utf8_cut(s, EXCERPT);
}

/* The bytes of the text from the first word of the find to its last. */
static struct str bytes_of(const struct leak_scratch *s, const struct leak_find *f, struct str text)
{
    return str_sub(text, s->words.items[f->first].start, s->words.items[f->end - 1].end);
}

static struct str with_surroundings(struct str text, struct str passage)
{
    size_t from = (size_t)(passage.ptr - text.ptr), to = from + passage.len;
    from = utf8_start(text, from > AROUND ? from - AROUND : 0);
    to = to + AROUND < text.len ? utf8_start(text, to + AROUND) : text.len;
    return excerpt(str_sub(text, from, to));
}

static void add_others(const struct leak_set *set, const struct leak_scratch *s, struct buf *out)
{
    size_t shown = s->find_count < LEAK_SHOWN ? s->find_count : LEAK_SHOWN;
    if (shown < 2) {
        return;
    }
    buf_add_text(out, ", \"others\": [");
    for (size_t i = 1; i < shown; i++) {
        const struct leak_item *item = &set->items[s->finds[i].item];
        buf_add_text(out, i > 1 ? ", {" : "{");
        add_quoted(out, "benchmark", str_of(set->benchmarks[item->benchmark].name));
        buf_add_text(out, ", ");
        add_quoted(out, "item", item->id);
        buf_addf(out, ", \"share\": %.4g}", s->finds[i].share);
    }
    buf_add_char(out, ']');
}

/* Members of the ledger line: which item, where, how much, and both texts. */
static void describe(const struct decontaminate *c, const struct leak_scratch *s, struct str text,
                     struct buf *out)
{
    const struct leak_find *f = &s->finds[0];
    const struct leak_item *item = &c->set.items[f->item];
    struct str passage = bytes_of(s, f, text);
    size_t at = utf8_count(str_sub(text, 0, (size_t)(passage.ptr - text.ptr)));
    add_quoted(out, "benchmark", str_of(c->set.benchmarks[item->benchmark].name));
    buf_add_text(out, ", ");
    add_quoted(out, "item", item->id);
    buf_addf(out, ", \"share\": %.4g, \"at\": [%zu, %zu], \"found\": %zu, ", f->share, at,
             at + utf8_count(passage), s->find_count);
    add_quoted(out, "passage", with_surroundings(text, passage));
    buf_add_text(out, ", ");
    add_quoted(out, "item_text", excerpt(item->text));
    add_others(&c->set, s, out);
}

/* `"leak__gpt3": [[from, to, share], ...]`, all passages with the share of the best item. */
static void label(const struct decontaminate *c, const struct leak_scratch *s, struct str text,
                  struct buf *out)
{
    size_t counted = 0, chars = 0;
    buf_addf(out, "\"leak__%s\": [", leak_rule_name(c->opt.rule));
    for (size_t i = 0; i < s->span_count && i < LABELS_MAX; i++) {
        size_t from = s->words.items[s->spans[i].first].start;
        size_t to = s->words.items[s->spans[i].end - 1].end;
        chars += utf8_count(str_sub(text, counted, from));
        counted = from;
        buf_addf(out, "%s[%zu, ", i > 0 ? ", " : "", chars);
        chars += utf8_count(str_sub(text, counted, to));
        counted = to;
        buf_addf(out, "%zu, %.4g]", chars, s->finds[0].share);
    }
    buf_add_char(out, ']');
}

/* ---- verdicts ---- */

static void cut(const struct decontaminate *c, const struct leak_scratch *s, struct str text,
                struct stage_result *r)
{
    struct buf ranges = {0};
    enum leak_cut_outcome left = leak_cut(&c->opt, s, text, &r->text, &ranges);
    r->verdict = left == LEAK_CUT_KEPT ? STAGE_EDIT : STAGE_REMOVE;
    r->rule = left == LEAK_CUT_TOO_LITTLE ? "leak.little-left"
              : left == LEAK_CUT_TOO_MANY ? "leak.many-pieces"
                                          : r->rule;
    buf_addf(&r->detail, ", \"cut\": [%.*s]", STR_ARG(buf_str(&ranges)));
    if (left != LEAK_CUT_KEPT) {
        buf_clear(&r->text);
    }
    buf_release(&ranges);
}

static winnow_status judge_document(void *state, void *worker, const struct document *d,
                                    struct stage_result *r, struct winnow_error *err)
{
    struct decontaminate *c = state;
    struct leak_scratch *s = worker;
    TRY(leak_judge_text(&c->judge, s, d->text, err));
    if (s->find_count == 0) {
        return WINNOW_OK;
    }
    leak_notes_count(&c->notes, s);
    r->rule = FOUND[c->opt.rule];
    r->score = s->finds[0].share;
    r->threshold = s->finds[0].threshold;
    describe(c, s, d->text, &r->detail);
    if (c->opt.action == WINNOW_LEAK_DROP) {
        r->verdict = STAGE_REMOVE;
    } else if (c->opt.action == WINNOW_LEAK_CUT) {
        cut(c, s, d->text, r);
    } else {
        label(c, s, d->text, &r->attributes[0]);
    }
    return WINNOW_OK;
}

static winnow_status note_document(void *state, struct str id, uint64_t ordinal,
                                   struct stage_result *r, struct winnow_error *err)
{
    (void)ordinal;
    (void)err;
    struct decontaminate *c = state;
    leak_notes_document(&c->notes, id, buf_str(&r->detail));
    return WINNOW_OK;
}

static void *worker_new(void *state)
{
    return leak_scratch_new(&((struct decontaminate *)state)->judge);
}

static void worker_free(void *worker)
{
    leak_scratch_free(worker);
}

/* ---- the stage ---- */

/* Without --self-test, which judges by all rules. */
static winnow_status check_rule(const struct winnow_decontaminate_options *o,
                                struct winnow_error *err)
{
    static const char *const OF_LLAMA2[] = {"skips", NULL};
    static const char *const OF_CLUSTER[] = {"misses", "perfect-words", "relaxed-words", NULL};
    static const char *const OF_CUT[] = {"margin", "left-min", "pieces-max", NULL};
    static const char *const OF_OTHERS[] = {"share", NULL};
    static const char *const OF_TEST[] = {"self-test-items", NULL};
    const struct option_table *table = &DECONTAMINATE_TABLE;
    if (o->rule != WINNOW_LEAK_LLAMA2) {
        TRY(option_belong(table, o, OF_LLAMA2, "--rule llama2", err));
    }
    if (o->rule != WINNOW_LEAK_CLUSTER) {
        TRY(option_belong(table, o, OF_CLUSTER, "--rule cluster", err));
    }
    if (o->rule == WINNOW_LEAK_GPT3) {
        TRY(option_belong(table, o, OF_OTHERS, "rules with a share of an item (gpt3 has none)",
                          err));
    }
    if (o->action != WINNOW_LEAK_CUT) {
        TRY(option_belong(table, o, OF_CUT, "--action cut", err));
    }
    return option_belong(table, o, OF_TEST, "--self-test", err);
}

static winnow_status check_options(const struct winnow_decontaminate_options *o,
                                   struct winnow_error *err)
{
    if (o->self_test) {
        return error_set(err, WINNOW_E_USAGE,
                         "--self-test measures and makes no corpus: it belongs to the command "
                         "`winnow decontaminate`, not into a recipe");
    }
    if (o->benchmarks.count == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "nothing to keep out: name the benchmarks with --benchmark FILE");
    }
    TRY(check_rule(o, err));
    if (o->perfect_words > o->relaxed_words) {
        return error_set(err, WINNOW_E_USAGE,
                         "--perfect-words %u is more than --relaxed-words %u: the share falls from "
                         "the first to the second",
                         o->perfect_words, o->relaxed_words);
    }
    return WINNOW_OK;
}

static uint64_t memory_of(const struct leak_set *set, uint32_t threads)
{
    return leak_set_bytes(set) + leak_judge_memory(set) + threads * leak_scratch_memory(set);
}

static winnow_status decontaminate_check(const void *options, const struct stage_plan *plan,
                                         struct winnow_error *err)
{
    struct leak_set set = {0};
    TRY(check_options(options, err));
    winnow_status st = leak_set_read(&set, options, err);
    uint64_t needed = memory_of(&set, plan->threads);
    if (st == WINNOW_OK && plan->memory_max > 0 && needed + STAGE_MEMORY_LEAST > plan->memory_max) {
        st = error_set(err, WINNOW_E_LIMIT,
                       "the benchmarks' items (%zu) take up to %" PRIu64
                       "M on %u threads, and the documents on their way 64M: give --memory %" PRIu64
                       "M; --memory is %s",
                       set.count, (needed >> 20) + 1, plan->threads,
                       ((needed + STAGE_MEMORY_LEAST) >> 20) + 1,
                       amount_memory(plan->memory_max).text);
    }
    leak_set_release(&set);
    return st;
}

static void decontaminate_estimate(const void *options, const struct stage_plan *plan,
                                   struct stage_estimate *out)
{
    struct leak_set set = {0};
    struct winnow_error ignored; /* check() told */
    if (leak_set_read(&set, options, &ignored) == WINNOW_OK) {
        out->memory = memory_of(&set, plan->threads);
    }
    leak_set_release(&set);
}

/* A benchmark that is read as corpus, too, would take itself out. */
static winnow_status refuse_own_files(const struct stage *stage, const struct leak_set *set,
                                      struct winnow_error *err)
{
    const struct shard_list *input = stage_input(stage);
    struct stat benchmark, shard;
    for (size_t i = 0; i < set->file_count; i++) {
        if (stat(set->files[i], &benchmark) != 0) {
            continue;
        }
        for (size_t k = 0; k < input->count; k++) {
            const char *path = input->items[k].path;
            if (strcmp(path, "-") != 0 && stat(path, &shard) == 0 &&
                shard.st_dev == benchmark.st_dev && shard.st_ino == benchmark.st_ino) {
                return error_set(err, WINNOW_E_USAGE,
                                 "the benchmark %s is a file of the corpus, too (%s): all of its "
                                 "items would be found in themselves; leave it out of the input",
                                 set->files[i], path);
            }
        }
    }
    return WINNOW_OK;
}

static void say(const struct decontaminate *c, const struct winnow_env *env)
{
    const struct leak_notes *n = &c->notes;
    uint64_t blind = leak_judge_blind(&c->judge);
    if (blind > 0) {
        env_log(env, WINNOW_LOG_INFO,
                "decontaminate: %" PRIu64 " of %zu items are shorter than the %u words that the "
                "rule %s looks for, and cannot be found",
                blind, c->set.count, c->judge.opt.n, leak_rule_name(c->opt.rule));
    }
    if (n->documents >= WARN_FROM && n->found * 2 > n->documents) {
        env_log(env, WINNOW_LOG_WARNING,
                "decontaminate: %" PRIu64 " of %" PRIu64
                " documents hold benchmark text; are the benchmarks made of this corpus?",
                n->found, n->documents);
    }
}

static void tell_notes(const void *state, struct buf *out)
{
    leak_notes_tell(&((const struct decontaminate *)state)->notes, out);
}

static winnow_status hear_notes(void *state, struct str told, struct winnow_error *err)
{
    return leak_notes_hear(&((struct decontaminate *)state)->notes, told, err);
}

static winnow_status run_pass(struct stage *stage, struct decontaminate *c,
                              struct winnow_error *err)
{
    static const char *const ATTRIBUTES[] = {"leak", NULL};
    struct stage_pass pass = {.name = "decontaminate",
                              .verdicts = true,
                              .attributes = c->opt.action == WINNOW_LEAK_LABEL ? ATTRIBUTES : NULL,
                              .state = c,
                              .worker_new = worker_new,
                              .worker_free = worker_free,
                              .document = judge_document,
                              .decide = note_document,
                              .apart = true,
                              .tell = tell_notes,
                              .hear = hear_notes,
                              .scratch_factor = 1,
                              .word_bytes = 48, /* words and hits, as their arrays double */
                              .worker_bytes = leak_scratch_memory(&c->set),
                              .edits = c->opt.action == WINNOW_LEAK_CUT};
    TRY(stage_run_pass(stage, &pass, err));
    if (c->notes.documents == 0 && stage_documents(stage) > 0) { /* an earlier life did the pass */
        pass.name = "count";
        pass.verdicts = false;
        pass.attributes = NULL;
        TRY(stage_run_pass(stage, &pass, err));
    }
    struct buf path = {0};
    stage_owns(stage, "leak.json");
    winnow_status st = WINNOW_OK;
    if (stage_leads(stage)) {
        st = leak_notes_write(&c->notes, file_join(&path, stage_folder(stage), "leak.json"), err);
    }
    buf_release(&path);
    return st;
}

/* A benchmark of which nothing is looked for is not kept out, whatever the figures say. */
static void warn_unseen(const struct decontaminate *c, const struct winnow_env *env)
{
    for (uint32_t i = 0; i < c->set.benchmark_count; i++) {
        const struct leak_benchmark *b = &c->set.benchmarks[i];
        if (b->items > 0 && b->too_short == b->items) {
            env_log(env, WINNOW_LOG_WARNING,
                    "decontaminate: none of the %u items of %s is looked for: they have fewer than "
                    "%u words (--item-words-min) or fewer than four different ones",
                    b->items, b->name, c->opt.item_words_min);
        }
    }
}

/* What was found of each benchmark, where anything was. */
static void say_found(const struct decontaminate *c, const struct winnow_env *env)
{
    for (uint32_t i = 0; i < c->set.benchmark_count; i++) {
        uint64_t looked_for, found;
        leak_notes_benchmark(&c->notes, i, &looked_for, &found);
        if (found > 0) {
            env_log(env, WINNOW_LOG_INFO,
                    "decontaminate: %s: %" PRIu64 " of %" PRIu64 " items found, in %u documents",
                    c->set.benchmarks[i].name, found, looked_for,
                    atomic_load(&c->notes.benchmark_documents[i]));
        }
    }
}

static winnow_status run_stage(struct stage *stage, struct decontaminate *c,
                               struct winnow_error *err)
{
    TRY(leak_set_read(&c->set, &c->opt, err));
    TRY(refuse_own_files(stage, &c->set, err));
    warn_unseen(c, stage_env(stage));
    TRY(leak_judge_open(&c->judge, &c->set, &c->opt, c->opt.rule, err));
    leak_notes_init(&c->notes, &c->judge);
    TRY(run_pass(stage, c, err));
    stage_note_double(stage, "items", (double)c->set.count);
    stage_note_double(stage, "items_found", (double)leak_notes_items(&c->notes));
    stage_note_double(stage, "items_without_gram", (double)leak_judge_blind(&c->judge));
    say_found(c, stage_env(stage));
    say(c, stage_env(stage));
    return WINNOW_OK;
}

static winnow_status decontaminate_run(struct stage *stage, const void *options,
                                       struct winnow_error *err)
{
    struct decontaminate c = {.opt = *(const struct winnow_decontaminate_options *)options};
    winnow_status st = run_stage(stage, &c, err);
    if (c.notes.judge) {
        leak_notes_release(&c.notes);
    }
    leak_judge_release(&c.judge);
    leak_set_release(&c.set);
    return st;
}

/* A document is judged by itself, and counts add up. */
static bool over_ranks(const void *options)
{
    (void)options;
    return true;
}

const struct stage_kind DECONTAMINATE_STAGE = {
    .table = &DECONTAMINATE_TABLE,
    .check = decontaminate_check,
    .estimate = decontaminate_estimate,
    .run = decontaminate_run,
    .over_ranks = over_ranks,
};
