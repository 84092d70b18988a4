/* leak_probe.c -- items as they are published against the same items in other words.
 *
 * A model that learnt what items say does as well on both; one that saw their text completes it,
 * and finds it likelier than the paraphrase (2404.18824; HARE's check of leakage).  Items are
 * paired by id, so what counts is the difference item by item, with Student's interval. */
#include "flow/leak_probe.h"

#include "winnow/decontaminate.h"

#include "base/env.h"
#include "base/json_write.h"
#include "base/map.h"
#include "base/mem.h"
#include "eval/eval_probe.h"
#include "leak/leak_items.h"
#include "prove/stats.h"

#include <inttypes.h>
#include <math.h>

#define ITEMS_AT_ONCE 64U

/* One file's items and what was found. */
struct side {
    struct leak_set set;
    struct eval_probe_score *scores;
    size_t items; /* that have a point, and so count */
    uint64_t asked, right, cut;
    double accuracy, nll; /* means over items, of shares of points and of nats a token */
    double accuracy_stderr, nll_stderr;
};

static bool counts(const struct eval_probe_score *s)
{
    return s->asked > 0;
}

static double accuracy_of(const struct eval_probe_score *s)
{
    return (double)s->right / s->asked;
}

static double nll_of(const struct eval_probe_score *s)
{
    return s->nll / s->tokens;
}

static winnow_status probe_items(struct side *side, const struct winnow_eval_options *opt,
                                 struct eval_scorer *scorer, const struct winnow_env *env,
                                 struct winnow_error *err)
{
    const struct eval_probe_options how = {.n = opt->probe_tokens, .points = opt->probe_points};
    size_t count = side->set.count;
    struct str texts[ITEMS_AT_ONCE];
    if (opt->limit > 0 && opt->limit < count) {
        count = (size_t)opt->limit;
    }
    side->set.count = count;
    side->scores = mem_zalloc((count + 1) * sizeof *side->scores);
    for (size_t first = 0; first < count; first += ITEMS_AT_ONCE) {
        size_t n = count - first < ITEMS_AT_ONCE ? count - first : ITEMS_AT_ONCE;
        for (size_t i = 0; i < n; i++) {
            texts[i] = side->set.items[first + i].text;
        }
        TRY(env_check(env, err));
        TRY(eval_probe(scorer, texts, n, &how, side->scores + first, err));
        env_progress(env, "leak probe", "items", first + n, count);
    }
    return WINNOW_OK;
}

static winnow_status sum_up(struct side *side, const char *path, uint32_t n,
                            struct winnow_error *err)
{
    double *accuracy = mem_alloc((side->set.count + 1) * sizeof *accuracy);
    double *nll = mem_alloc((side->set.count + 1) * sizeof *nll);
    bool finite = true;
    for (size_t i = 0; i < side->set.count; i++) {
        const struct eval_probe_score *s = &side->scores[i];
        side->cut += s->cut > 0;
        if (counts(s)) {
            accuracy[side->items] = accuracy_of(s);
            nll[side->items++] = nll_of(s);
            finite = finite && isfinite(s->nll);
            side->asked += s->asked;
            side->right += s->right;
        }
    }
    double root = sqrt((double)side->items);
    side->accuracy = stats_mean(accuracy, side->items);
    side->nll = stats_mean(nll, side->items);
    side->accuracy_stderr = stats_sd(accuracy, side->items) / root;
    side->nll_stderr = stats_sd(nll, side->items) / root;
    mem_free(accuracy);
    mem_free(nll);
    if (side->items == 0) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: no item has the %u tokens that a completion takes; --probe-tokens is "
                         "how many are asked for",
                         path, n + 2);
    }
    if (!finite) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: the model gives an item no finite likelihood: its weights are broken",
                         path);
    }
    return WINNOW_OK;
}

static winnow_status probe_file(struct side *side, const char *path,
                                const struct winnow_eval_options *opt, struct eval_scorer *scorer,
                                const struct winnow_env *env, struct winnow_error *err)
{
    struct winnow_decontaminate_options read = WINNOW_DECONTAMINATE_OPTIONS_INIT;
    const char *const files[] = {path};
    read.benchmarks = (struct winnow_list){files, 1};
    read.item_words_min = 1;
    TRY(leak_set_read(&side->set, &read, err));
    TRY(probe_items(side, opt, scorer, env, err));
    return sum_up(side, path, opt->probe_tokens, err);
}

/* ---- item by item ---- */

/* The id, or the number of its line where it has none of its own. */
static struct str key_of(const struct leak_set *set, const struct leak_item *item)
{
    struct str name = str_of(set->benchmarks[item->benchmark].name), id = item->id;
    bool made = str_starts(id, name) && id.len > name.len && id.ptr[name.len] == '#';
    return made ? str_sub(id, name.len, id.len) : id;
}

struct difference {
    size_t pairs;
    struct stats_paired accuracy, nll; /* original less paraphrased */
};

/* Sums of an original's paraphrases. */
struct partner {
    double accuracy, nll;
    size_t count;
};

static void compare(const struct side *a, const struct side *b, struct difference *out)
{
    struct map ids = {0};
    struct partner *partners = mem_zalloc((a->set.count + 1) * sizeof *partners);
    double *accuracy = mem_alloc((a->set.count + 1) * sizeof *accuracy);
    double *nll = mem_alloc((a->set.count + 1) * sizeof *nll);
    for (size_t i = 0; i < a->set.count; i++) {
        *map_put(&ids, key_of(&a->set, &a->set.items[i]), NULL) = i;
    }
    for (size_t i = 0; i < b->set.count; i++) {
        const uint64_t *at = map_get(&ids, key_of(&b->set, &b->set.items[i]));
        if (at && counts(&b->scores[i]) && counts(&a->scores[*at])) {
            partners[*at].accuracy += accuracy_of(&b->scores[i]);
            partners[*at].nll += nll_of(&b->scores[i]);
            partners[*at].count++;
        }
    }
    for (size_t i = 0; i < a->set.count; i++) {
        if (partners[i].count > 0) {
            double n = (double)partners[i].count;
            accuracy[out->pairs] = accuracy_of(&a->scores[i]) - partners[i].accuracy / n;
            nll[out->pairs++] = nll_of(&a->scores[i]) - partners[i].nll / n;
        }
    }
    out->accuracy = stats_paired_t(accuracy, out->pairs);
    out->nll = stats_paired_t(nll, out->pairs);
    map_release(&ids);
    mem_free(partners);
    mem_free(accuracy);
    mem_free(nll);
}

/* ---- what is said ---- */

static void write_side(struct json_writer *w, const char *key, const struct side *s)
{
    json_member_open(w, key, '{');
    json_member_u64(w, "items", s->items);
    json_member_u64(w, "items_too_short", s->set.count - s->items);
    json_member_u64(w, "items_cut", s->cut);
    json_member_u64(w, "points", s->asked);
    json_member_u64(w, "points_completed", s->right);
    json_member_double(w, "completed", s->accuracy);
    json_member_double(w, "completed_stderr", s->accuracy_stderr);
    json_member_double(w, "nll", s->nll);
    json_member_double(w, "nll_stderr", s->nll_stderr);
    json_close(w, '}');
}

static void write_paired(struct json_writer *w, const char *key, const struct stats_paired *p)
{
    json_member_open(w, key, '{');
    json_member_double(w, "mean", p->mean);
    json_member_double(w, "low", p->low);
    json_member_double(w, "high", p->high);
    json_member_double(w, "p", p->p);
    json_close(w, '}');
}

static void write_json(const struct winnow_eval_options *opt, const struct side *sides,
                       const struct difference *d, struct buf *out)
{
    struct json_writer w = {.out = out};
    json_open(&w, '{');
    json_member_u64(&w, "tokens", opt->probe_tokens);
    json_member_u64(&w, "points_an_item", opt->probe_points);
    write_side(&w, "original", &sides[0]);
    if (opt->paraphrased) {
        write_side(&w, "paraphrased", &sides[1]);
        json_member_open(&w, "difference", '{');
        json_member_u64(&w, "pairs", d->pairs);
        write_paired(&w, "completed", &d->accuracy);
        write_paired(&w, "nll", &d->nll);
        json_close(&w, '}');
    }
    json_close(&w, '}');
}

static void add_row(struct buf *out, const char *name, const struct side *s)
{
    buf_addf(out, "%-32s %8zu  %10" PRIu64 "  %.4f +- %.4f  %.4f +- %.4f\n", name, s->items,
             s->asked, s->accuracy, s->accuracy_stderr, s->nll, s->nll_stderr);
}

static void write_table(const struct winnow_eval_options *opt, const struct side *sides,
                        const struct difference *d, struct buf *out)
{
    buf_addf(out, "%-32s %8s  %10s  %-18s%s\n", "leak probe", "items", "points", "completed",
             "nats a token");
    add_row(out, "as published", &sides[0]);
    if (opt->paraphrased) {
        add_row(out, "paraphrased", &sides[1]);
        buf_addf(out,
                 "difference of %zu pairs: completed %+.4f [%.4f, %.4f], nats a token %+.4f "
                 "[%.4f, %.4f]\n",
                 d->pairs, d->accuracy.mean, d->accuracy.low, d->accuracy.high, d->nll.mean,
                 d->nll.low, d->nll.high);
    }
}

static winnow_status probe_both(const struct winnow_eval_options *opt, struct eval_scorer *scorer,
                                const struct winnow_env *env, struct side *sides,
                                struct difference *d, struct winnow_error *err)
{
    TRY(probe_file(&sides[0], opt->leak_probe, opt, scorer, env, err));
    if (!opt->paraphrased) {
        return WINNOW_OK;
    }
    TRY(probe_file(&sides[1], opt->paraphrased, opt, scorer, env, err));
    compare(&sides[0], &sides[1], d);
    if (d->pairs < 2) {
        return error_set(err, WINNOW_E_FORMAT,
                         "%s: %zu of its items have the id (without ids: the line) of one of %s; a "
                         "difference takes two pairs",
                         opt->paraphrased, d->pairs, opt->leak_probe);
    }
    return WINNOW_OK;
}

winnow_status leak_probe(const struct winnow_eval_options *opt, struct eval_scorer *scorer,
                         const struct winnow_env *env, struct buf *json, struct buf *table,
                         struct winnow_error *err)
{
    struct side sides[2] = {0};
    struct difference d = {0};
    winnow_status st = probe_both(opt, scorer, env, sides, &d, err);
    if (st == WINNOW_OK) {
        write_json(opt, sides, &d, json);
        write_table(opt, sides, &d, table);
    }
    for (size_t i = 0; i < 2; i++) {
        leak_set_release(&sides[i].set);
        mem_free(sides[i].scores);
    }
    return st;
}
