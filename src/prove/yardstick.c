/* yardstick.c -- choosing held-out texts, and reading models with them.
 *
 * The choice depends on texts and options, not on any seed or arm, so all arms of all
 * seeds answer the same questions and may be compared in pairs.  Domains are the sources
 * with most clean texts, each of which has so many that a mean says something; the rest
 * is "other". */
#include "prove/yardstick.h"

#include "base/hash.h"
#include "base/mem.h"
#include "base/sort.h"
#include "base/utf8.h"
#include "corpus/split.h"
#include "rules/rules.h"

#include <math.h>

#define CURVE_PART       8U /* of a part that points of a curve read */
#define BYTES_A_TOKEN    4U /* for budgets only */
#define DOMAIN_TEXTS_MIN 8U /* fewer clean texts: part of "other" */

struct candidate {
    const struct held_text *text;
    uint64_t draw;
    bool passes;     /* is clean */
    bool clean, raw; /* is measured as such */
    bool curve;      /* and by points of the curve */
};

static int candidate_compare(const void *pa, const void *pb)
{
    const struct candidate *a = pa, *b = pb;
    if (a->draw != b->draw) {
        return a->draw < b->draw ? -1 : 1;
    }
    /* copies of one text: the same one first in any order of the input */
    return str_cmp(a->text->id, b->text->id);
}

/* Distinct texts in their drawn order; returns how many. */
static size_t collect(const struct held_set *held, struct candidate *out)
{
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < held->count; i++) {
        if (held->items[i].text.len > 0) {
            out[n++] = (struct candidate){.text = &held->items[i],
                                          .draw = split_draw(held->items[i].key, 0, "yardstick")};
        }
    }
    sort(out, n, sizeof *out, candidate_compare);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || out[kept - 1].draw != out[i].draw) {
            out[kept++] = out[i];
        }
    }
    return kept;
}

static winnow_status rule_sets(const char *names, unsigned *sets, struct winnow_error *err)
{
    *sets = 0;
    struct str rest = str_of(names ? names : "none");
    while (rest.len > 0 && !str_is(rest, "none")) {
        size_t comma = str_find(rest, STR_LIT(","));
        struct str name = comma == SIZE_MAX ? rest : str_sub(rest, 0, comma);
        unsigned set = rules_set_of(str_trim(name));
        if (set == 0) {
            return error_set(err, WINNOW_E_USAGE, "--clean-rules: there is no rule set \"%.*s\"",
                             STR_ARG(name));
        }
        *sets |= set;
        rest = comma == SIZE_MAX ? (struct str){NULL, 0} : str_sub(rest, comma + 1, rest.len);
    }
    return WINNOW_OK;
}

static winnow_status mark_clean(struct candidate *c, size_t n, unsigned sets,
                                struct winnow_error *err)
{
    const struct winnow_rules_limits limits = WINNOW_RULES_LIMITS_INIT;
    struct rules_gauge *gauge = rules_gauge_new();
    winnow_status st = WINNOW_OK;
    for (size_t i = 0; i < n && st == WINNOW_OK; i++) {
        double values[RULES_VALUES];
        st = rules_measure(gauge, sets, &limits, c[i].text->text, values, err);
        c[i].passes = st == WINNOW_OK && rules_judge(sets, &limits, values) == NULL;
    }
    rules_gauge_free(gauge);
    return st;
}

/* A window of at most room bytes, at whole characters, from a line's start. */
static struct str window_of(const struct held_text *t, uint32_t room)
{
    struct str s = t->text;
    if (s.len <= room) {
        return s;
    }
    size_t at = (size_t)(split_unit(t->key, 0, "window") * (double)(s.len - room));
    for (size_t line = at; line > 0 && line < s.len - room; line++) {
        if (s.ptr[line - 1] == '\n') {
            at = line;
            break;
        }
    }
    at = utf8_start(s, at);
    size_t end = at + room < s.len ? at + room : s.len;
    while (end > at + 1 && end < s.len && utf8_continues(s.ptr[end])) {
        end--;
    }
    return str_sub(s, at, end);
}

/* ---- choosing ---- */

struct chooser {
    struct candidate *items; /* held-out ones, then given clean ones */
    size_t count, held_count;
    const struct yard_options *opt;
    const struct source_names *names;
    uint32_t *domain_of; /* source -> domain, UINT32_MAX: none */
};

/* Sources with the most clean texts become domains; what is left is "other". */
static void choose_domains(struct yardstick *y, struct chooser *ch)
{
    size_t sources = ch->names->map.count;
    uint64_t *counts = mem_zalloc((sources + 1) * sizeof *counts);
    for (size_t i = 0; i < ch->count; i++) {
        counts[ch->items[i].text->source] += ch->items[i].passes || !y->has_clean;
    }
    for (size_t s = 0; s < sources; s++) {
        ch->domain_of[s] = UINT32_MAX;
    }
    bool other = false;
    while (y->domain_count < YARD_DOMAINS_MAX - 1) {
        size_t best = 0;
        for (size_t s = 1; s < sources; s++) {
            best = counts[s] > counts[best] ? s : best;
        }
        if (sources == 0 || counts[best] < DOMAIN_TEXTS_MIN) {
            break;
        }
        counts[best] = 0;
        ch->domain_of[best] = y->domain_count;
        y->domains[y->domain_count++].name = source_name(ch->names, (uint32_t)best);
    }
    for (size_t s = 0; s < sources; s++) {
        if (ch->domain_of[s] == UINT32_MAX) {
            ch->domain_of[s] = y->domain_count;
            other = true;
        }
    }
    if (other) {
        y->domains[y->domain_count++].name = STR_LIT("other");
    }
    mem_free(counts);
}

static uint64_t part_bytes(const struct yard_options *opt)
{
    return opt->eval_tokens * BYTES_A_TOKEN / 2;
}

static void choose_raw(struct chooser *ch)
{
    uint64_t bytes = 0, most = part_bytes(ch->opt);
    for (size_t i = 0; i < ch->held_count && bytes < most; i++) {
        ch->items[i].raw = true;
        ch->items[i].curve = ch->items[i].curve || bytes < most / CURVE_PART;
        bytes += window_of(ch->items[i].text, ch->opt->eval_bytes).len;
    }
}

/* Texts that pass, of each domain in turn. */
static void choose_clean(struct chooser *ch, uint32_t domains)
{
    size_t next[YARD_DOMAINS_MAX] = {0};
    uint64_t bytes = 0, most = part_bytes(ch->opt);
    bool any = true;
    while (any && bytes < most) {
        any = false;
        for (uint32_t d = 0; d < domains && bytes < most; d++) {
            size_t i = next[d];
            while (i < ch->count &&
                   !(ch->items[i].passes && ch->domain_of[ch->items[i].text->source] == d)) {
                i++;
            }
            next[d] = i + 1;
            if (i < ch->count) {
                ch->items[i].clean = any = true;
                ch->items[i].curve = ch->items[i].curve || bytes < most / CURVE_PART;
                bytes += window_of(ch->items[i].text, ch->opt->eval_bytes).len;
            }
        }
    }
}

static void fill_texts(struct yardstick *y, const struct chooser *ch)
{
    y->texts = mem_zalloc((ch->count + 1) * sizeof *y->texts);
    y->views = mem_zalloc((ch->count + 1) * sizeof *y->views);
    y->curve_views = mem_zalloc((ch->count + 1) * sizeof *y->curve_views);
    y->curve_texts = mem_zalloc((ch->count + 1) * sizeof *y->curve_texts);
    for (size_t i = 0; i < ch->count; i++) {
        const struct candidate *c = &ch->items[i];
        if (!c->raw && !c->clean) {
            continue;
        }
        struct str w = window_of(c->text, ch->opt->eval_bytes);
        w.ptr = arena_strndup(&y->keep, w.ptr, w.len);
        uint32_t domain = ch->domain_of[c->text->source];
        if (c->curve) {
            y->curve_views[y->curve_count] = w;
            y->curve_texts[y->curve_count++] = (uint32_t)y->text_count;
        }
        y->views[y->text_count] = w;
        y->texts[y->text_count++] = (struct yard_text){w, domain, c->raw, c->clean, c->curve};
        if (c->clean || (!y->has_clean && c->raw)) {
            y->domains[domain].documents++;
            y->domains[domain].bytes += w.len;
        }
    }
}

/* Cloze items come from whole texts that pass, measured or not; from raw ones
 * where nothing is called clean. */
static winnow_status add_cloze(struct yardstick *y, const struct chooser *ch,
                               struct winnow_error *err)
{
    struct eval_document *docs = mem_alloc((ch->count + 1) * sizeof *docs);
    size_t n = 0;
    for (size_t i = 0; i < ch->count; i++) {
        const struct candidate *c = &ch->items[i];
        if (c->passes || !y->has_clean) {
            docs[n++] = (struct eval_document){c->text->id, c->text->text,
                                               y->domains[ch->domain_of[c->text->source]].name};
        }
    }
    struct eval_cloze_options opt = EVAL_CLOZE_OPTIONS_INIT;
    opt.per_domain = ch->opt->cloze_items;
    winnow_status st = eval_suite_add_cloze(y->suite, docs, n, &opt, err);
    mem_free(docs);
    for (size_t t = 0; st == WINNOW_OK && t < eval_suite_task_count(y->suite); t++) {
        const struct eval_task *task = eval_suite_task(y->suite, t);
        for (uint32_t d = 0; d < y->domain_count; d++) {
            struct str name = str_of(task->name);
            if (str_ends(name, y->domains[d].name) &&
                name.len == y->domains[d].name.len + sizeof "cloze_" - 1) {
                y->domains[d].items = task->count;
            }
        }
    }
    return st;
}

static winnow_status choose(struct yardstick *y, struct chooser *ch, unsigned sets,
                            struct winnow_error *err)
{
    if (sets != 0) {
        TRY(mark_clean(ch->items, ch->held_count, sets, err));
    }
    y->has_clean = sets != 0 || ch->count > ch->held_count;
    choose_domains(y, ch);
    choose_raw(ch);
    choose_clean(ch, y->domain_count);
    fill_texts(y, ch);
    return ch->opt->cloze_items > 0 ? add_cloze(y, ch, err) : WINNOW_OK;
}

winnow_status yardstick_init(struct yardstick *y, const struct yard_options *opt,
                             const struct held_set *held, const struct source_names *names,
                             struct winnow_error *err)
{
    *y = (struct yardstick){0};
    arena_init(&y->keep, (size_t)1 << 20);
    y->suite = eval_suite_new();
    unsigned sets = 0;
    TRY(rule_sets(opt->clean && opt->clean->count > 0 ? "none" : opt->clean_rules, &sets, err));
    size_t given = opt->clean ? opt->clean->count : 0;
    struct chooser ch = {.opt = opt, .names = names};
    ch.items = mem_zalloc((held->count + given + 1) * sizeof *ch.items);
    ch.domain_of = mem_alloc((names->map.count + 1) * sizeof *ch.domain_of);
    ch.held_count = collect(held, ch.items);
    ch.count = ch.held_count;
    y->held_documents = ch.held_count;
    if (given > 0) {
        ch.count += collect(opt->clean, ch.items + ch.held_count);
        for (size_t i = ch.held_count; i < ch.count; i++) {
            ch.items[i].passes = true;
        }
    }
    winnow_status st = choose(y, &ch, sets, err);
    if (st == WINNOW_OK && y->text_count == 0) {
        st = error_set(err, WINNOW_E_USAGE,
                       "no document is held out to measure with; raise --heldout-share or name "
                       "some with --heldout");
    }
    const struct eval_file_options file = {.limit = opt->task_limit};
    for (size_t i = 0; st == WINNOW_OK && i < opt->tasks.count; i++) {
        st = eval_suite_add_file(y->suite, opt->tasks.items[i], &file, &y->skipped_items, err);
    }
    y->item_count = eval_suite_item_count(y->suite);
    mem_free(ch.items);
    mem_free(ch.domain_of);
    return st;
}

void yardstick_release(struct yardstick *y)
{
    mem_free(y->texts);
    mem_free(y->views);
    mem_free(y->curve_views);
    mem_free(y->curve_texts);
    eval_suite_free(y->suite);
    arena_release(&y->keep);
    *y = (struct yardstick){0};
}

uint64_t yardstick_hash(const struct yardstick *y)
{
    struct hash_stream *h = hash_stream_new();
    for (size_t i = 0; i < y->text_count; i++) {
        const char mark[2] = {(char)y->texts[i].raw, (char)y->texts[i].clean};
        const uint64_t length = y->texts[i].text.len;
        hash_stream_add(h, (struct str){mark, 2});
        hash_stream_add(h, (struct str){(const char *)&length, sizeof length});
        hash_stream_add(h, y->texts[i].text);
    }
    for (size_t i = 0; i < y->item_count; i++) {
        const struct eval_item *item = eval_suite_item(y->suite, i);
        const uint32_t asked[] = {item->kind, item->task, item->option_count, item->gold};
        hash_stream_add(h, (struct str){(const char *)asked, sizeof asked});
        for (uint32_t k = 0; k < item->option_count; k++) {
            const uint64_t lengths[] = {item->options[k].context.len,
                                        item->options[k].continuation.len};
            hash_stream_add(h, (struct str){(const char *)lengths, sizeof lengths});
            hash_stream_add(h, item->options[k].context);
            hash_stream_add(h, item->options[k].continuation);
        }
    }
    uint64_t value = hash_stream_value(h).low;
    hash_stream_free(h);
    return value;
}

/* ---- reading ---- */

void yard_reading_init(struct yard_reading *r, const struct yardstick *y, struct arena *keep)
{
    r->nll = ARENA_NEW(keep, double, y->text_count + 1);
    r->tokens = ARENA_NEW(keep, uint32_t, y->text_count + 1);
    r->acc = ARENA_NEW(keep, float, y->item_count + 1);
}

winnow_status yardstick_read(const struct yardstick *y, struct eval_scorer *scorer,
                             struct yard_reading *out, struct winnow_error *err)
{
    struct eval_text_nll *nll = mem_alloc((y->text_count + 1) * sizeof *nll);
    struct eval_item_score *scores = mem_alloc((y->item_count + 1) * sizeof *scores);
    winnow_status st = eval_nll(scorer, y->views, y->text_count, nll, err);
    if (st == WINNOW_OK && y->item_count > 0) {
        st = eval_suite_score(y->suite, scorer, scores, err);
    }
    for (size_t i = 0; st == WINNOW_OK && i < y->text_count; i++) {
        out->nll[i] = nll[i].nll;
        out->tokens[i] = (uint32_t)nll[i].tokens;
    }
    for (size_t i = 0; st == WINNOW_OK && i < y->item_count; i++) {
        out->acc[i] = scores[i].acc;
    }
    mem_free(nll);
    mem_free(scores);
    return st;
}

winnow_status yardstick_read_curve(const struct yardstick *y, struct eval_scorer *scorer,
                                   struct yard_curve *out, struct winnow_error *err)
{
    struct eval_text_nll *nll = mem_alloc((y->curve_count + 1) * sizeof *nll);
    struct eval_text_nll raw = {0}, clean = {0};
    winnow_status st = eval_nll(scorer, y->curve_views, y->curve_count, nll, err);
    for (size_t i = 0; st == WINNOW_OK && i < y->curve_count; i++) {
        const struct yard_text *t = &y->texts[y->curve_texts[i]];
        if (t->raw) {
            eval_nll_add(&raw, &nll[i]);
        }
        if (t->clean) {
            eval_nll_add(&clean, &nll[i]);
        }
    }
    mem_free(nll);
    out->raw = eval_nll_mean(&raw);
    out->clean = eval_nll_mean(&clean);
    return st;
}

struct yard_curve yardstick_means(const struct yardstick *y, const struct yard_reading *r)
{
    double nll[2] = {0}, tokens[2] = {0};
    for (size_t i = 0; i < y->text_count; i++) {
        for (int k = 0; k < 2; k++) {
            bool in = k == 0 ? y->texts[i].raw : y->texts[i].clean;
            nll[k] += in ? r->nll[i] : 0;
            tokens[k] += in ? r->tokens[i] : 0;
        }
    }
    return (struct yard_curve){nll[0] / tokens[0], nll[1] / tokens[1]}; /* of none: NaN */
}
