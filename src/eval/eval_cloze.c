/* eval_cloze.c -- four-way cloze items from held-out text.
 *
 * A text is cut at a blank between two words.  What stands before it (up to
 * `context` characters, from a word's start) is the context, the blank and what
 * follows, `length` characters in all, the continuation.  The wrong answers are
 * cut out of other documents of the same domain in the same way, so all begin
 * with a blank and a word's start, have as many characters, and end wherever
 * that number ends.
 *
 * Places are drawn evenly among a document's blanks that have enough text
 * behind them and at least a quarter of `context` before them.  Everything is
 * drawn from one generator (seed, "cloze"), document by document in the order
 * given, so the same documents give the same items. */
#include "base/grow.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "eval/eval_suite.h"

#define TRIES 64 /* for a wrong answer that is not a right one or there already */

/* A document and the blanks at which it can be cut. */
struct cut_text {
    const struct eval_document *document;
    uint32_t *blanks; /* byte offsets */
    size_t count;
};

struct domain {
    struct str name;
    size_t *texts; /* numbers of its documents that can be cut */
    size_t count;
};

/* The byte offset of the character n behind `at`, or SIZE_MAX past the end. */
static size_t forward(struct str s, size_t at, size_t n)
{
    for (; n > 0; n--) {
        if (at >= s.len) {
            return SIZE_MAX;
        }
        for (at++; at < s.len && utf8_continues(s.ptr[at]); at++) {
        }
    }
    return at;
}

/* The byte offset of the character n before `at`, or 0 where there are fewer. */
static size_t backward(struct str s, size_t at, size_t n)
{
    for (; n > 0 && at > 0; n--) {
        at = utf8_start(s, at - 1);
    }
    return at;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* All blanks where s may be cut. */
static void find_blanks(struct cut_text *t, const struct eval_cloze_options *opt)
{
    struct str s = t->document->text;
    size_t first = forward(s, 0, opt->context / 4 > 0 ? opt->context / 4 : 1);
    size_t end = backward(s, s.len, opt->length);
    t->blanks = NULL;
    t->count = 0;
    if (first == SIZE_MAX || end <= first || s.len > UINT32_MAX) {
        return;
    }
    size_t cap = 0;
    for (size_t i = first; i <= end && i + 1 < s.len; i++) {
        if (s.ptr[i] != ' ' || is_blank(s.ptr[i - 1]) || is_blank(s.ptr[i + 1])) {
            continue;
        }
        GROW(t->blanks, t->count, cap, 64);
        t->blanks[t->count++] = (uint32_t)i;
    }
}

static struct str continuation_at(const struct cut_text *t, uint32_t blank, uint32_t length)
{
    struct str s = t->document->text;
    return str_sub(s, blank, forward(s, blank, length));
}

static struct str context_at(const struct cut_text *t, uint32_t blank, uint32_t most)
{
    struct str s = t->document->text;
    size_t from = backward(s, blank, most);
    while (from > 0 && from < blank && !is_blank(s.ptr[from])) {
        from++; /* to the end of a word that was cut */
    }
    while (from < blank && is_blank(s.ptr[from])) {
        from++;
    }
    return str_sub(s, from, blank);
}

struct making {
    struct eval_suite *suite;
    const struct eval_cloze_options *opt;
    struct cut_text *texts;
    struct rng rng;
};

static struct str keep(struct making *m, struct str s)
{
    return (struct str){arena_strndup(eval_suite_arena(m->suite), s.ptr, s.len), s.len};
}

/* Fills answers[1..] with wrong ones; false where the domain has no more. */
static bool draw_wrong(struct making *m, const struct domain *d, size_t right,
                       struct str answers[EVAL_OPTIONS_MAX])
{
    for (uint32_t k = 1, tries = 0; k < m->opt->options; tries++) {
        if (tries == TRIES * m->opt->options) {
            return false;
        }
        size_t other = d->texts[rng_below(&m->rng, d->count)];
        const struct cut_text *t = &m->texts[other];
        struct str s = continuation_at(t, t->blanks[rng_below(&m->rng, t->count)], m->opt->length);
        bool usable = other != right;
        for (uint32_t j = 0; usable && j < k; j++) {
            usable = !str_eq(answers[j], s);
        }
        if (usable) {
            answers[k++] = s;
        }
    }
    return true;
}

static void make_item(struct making *m, const struct domain *d, uint32_t task, size_t right,
                      uint32_t number)
{
    const struct cut_text *t = &m->texts[right];
    uint32_t blank = t->blanks[rng_below(&m->rng, t->count)];
    struct str answers[EVAL_OPTIONS_MAX] = {{NULL, 0}};
    answers[0] = continuation_at(t, blank, m->opt->length);
    if (!draw_wrong(m, d, right, answers)) {
        return;
    }
    uint32_t count = m->opt->options, gold = (uint32_t)rng_below(&m->rng, count);
    struct eval_option *options = ARENA_NEW(eval_suite_arena(m->suite), struct eval_option, count);
    struct str context = keep(m, context_at(t, blank, m->opt->context));
    for (uint32_t k = 0, wrong = 1; k < count; k++) {
        struct str answer = k == gold ? answers[0] : answers[wrong];
        wrong += k != gold;
        options[k] = (struct eval_option){context, keep(m, answer), m->opt->length};
    }
    struct buf id = {0};
    buf_addf(&id, "%.*s/cloze-%u", STR_ARG(t->document->id), number);
    const struct eval_item item = {.kind = EVAL_CHOICE,
                                   .task = task,
                                   .option_count = count,
                                   .gold = gold,
                                   .options = options,
                                   .id = keep(m, buf_str(&id)),
                                   .source = keep(m, t->document->id)};
    buf_release(&id);
    eval_suite_add_item(m->suite, &item);
}

static void make_domain(struct making *m, const struct domain *d)
{
    if (d->count < m->opt->options) {
        return;
    }
    struct buf name = {0};
    buf_add_text(&name, d->name.len ? "cloze_" : "cloze");
    buf_add_str(&name, d->name);
    uint32_t task = eval_suite_find_task(m->suite, buf_str(&name), STR_LIT("cloze"), EVAL_CHOICE);
    buf_release(&name);
    for (uint32_t number = 0; number < m->opt->per_document; number++) {
        for (size_t i = 0; i < d->count; i++) {
            if (m->opt->per_domain && eval_suite_task_items(m->suite, task) >= m->opt->per_domain) {
                return;
            }
            make_item(m, d, task, d->texts[i], number);
        }
    }
}

/* Fills domains, in order of appearance, with the documents that can be cut;
 * order gets these, domain by domain.  Returns how many domains there are. */
static size_t group(struct cut_text *texts, size_t count, struct domain *domains, size_t *order)
{
    struct map names = {0};
    uint32_t *of = mem_alloc((count + 1) * sizeof *of);
    for (size_t i = 0; i < count; i++) {
        bool is_new;
        uint64_t *number = map_put(&names, texts[i].document->domain, &is_new);
        if (is_new) {
            *number = names.count - 1;
            domains[*number] = (struct domain){.name = texts[i].document->domain};
        }
        of[i] = (uint32_t)*number;
        domains[of[i]].count += texts[i].count > 0;
    }
    for (size_t d = 0; d < names.count; d++) {
        domains[d].texts = order;
        order += domains[d].count;
        domains[d].count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        if (texts[i].count > 0) {
            domains[of[i]].texts[domains[of[i]].count++] = i;
        }
    }
    size_t found = names.count;
    map_release(&names);
    mem_free(of);
    return found;
}

winnow_status eval_suite_add_cloze(struct eval_suite *s, const struct eval_document *documents,
                                   size_t count, const struct eval_cloze_options *opt,
                                   struct winnow_error *err)
{
    if (opt->options < 2 || opt->options > EVAL_OPTIONS_MAX || opt->length == 0) {
        return error_set(err, WINNOW_E_USAGE,
                         "cloze items need 2 to %d options and a length of 1 or more",
                         EVAL_OPTIONS_MAX);
    }
    struct making m = {.suite = s, .opt = opt};
    rng_init(&m.rng, opt->seed, "cloze");
    m.texts = mem_alloc((count + 1) * sizeof *m.texts);
    struct domain *domains = mem_alloc((count + 1) * sizeof *domains);
    for (size_t i = 0; i < count; i++) {
        m.texts[i] = (struct cut_text){.document = &documents[i]};
        find_blanks(&m.texts[i], opt);
    }
    size_t *order = mem_alloc((count + 1) * sizeof *order);
    size_t found = group(m.texts, count, domains, order);
    for (size_t d = 0; d < found; d++) {
        make_domain(&m, &domains[d]);
    }
    mem_free(order);
    for (size_t i = 0; i < count; i++) {
        mem_free(m.texts[i].blanks);
    }
    mem_free(m.texts);
    mem_free(domains);
    eval_suite_sort(s);
    return WINNOW_OK;
}
