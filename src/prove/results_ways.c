/* results_ways.c -- what ways to train say beside their differences.
 *
 * Arms of one corpus and one dropout that differ in their passes alone are a series (Xue et al.
 * 2023): at equal tokens, fewer documents more often.  It stands so many passes as are not told
 * to be worse than the fewest of it, by a paired t test over seeds without correction: one that
 * is missed costs the reader more than one that is seen too soon.  Where the interval is so wide
 * that a loss which matters would not have been seen either, nothing is said to stand. */
#include "base/json.h"
#include "base/mem.h"
#include "prove/results.h"

#include <math.h>

#define WIDE_NATS  0.1  /* half an interval that says nothing of what matters */
#define WIDE_SHARE 0.05 /* the same of accuracies */

/* ---- how blocks went ---- */

static double share_of(struct json_value root, const char *key, double blocks)
{
    double v = 0;
    (void)json_as_double(json_get(root, key), &v);
    return blocks > 0 ? v / blocks : 0;
}

static void blocks_sentence(const struct findings *f, uint32_t arm, struct buf *out)
{
    static const char *const KEYS[] = {"learned", "unlearned", "forgotten", "forgotten_again"};
    double shares[4] = {0}, blocks = 0;
    struct json_parser *parser = json_parser_new();
    for (uint32_t s = 0; s < f->o->seeds; s++) {
        struct winnow_error err;
        struct json_value root;
        double n = 0;
        if (json_parse(parser, str_of(f->o->results[s][arm].told), &root, &err) == WINNOW_OK) {
            (void)json_as_double(json_get(root, "blocks"), &n);
        }
        for (int i = 0; n > 0 && i < 4; i++) {
            shares[i] += share_of(root, KEYS[i], n) / f->o->seeds;
        }
        blocks += n / f->o->seeds;
    }
    json_parser_free(parser);
    if (blocks > 0) {
        buf_addf(out,
                 "Blocks: of the %.0f of %s, %.1f %% were learned, %.1f %% lost no less at the end "
                 "than at the start, %.1f %% were forgotten once they had been learned, %.1f %% "
                 "more than once.\n",
                 blocks, f->x->arms[arm].name, 100 * shares[0], 100 * shares[1], 100 * shares[2],
                 100 * shares[3]);
    }
}

/* ---- repetition ---- */

struct series {
    uint32_t arms[PROVE_ARMS_MAX]; /* by passes, rising */
    uint32_t count;
    double dropout;
};

static double dropout_of(const struct findings *f, uint32_t arm)
{
    return f->x->arms[arm].way.dropout;
}

static bool is_plain(const struct findings *f, uint32_t arm)
{
    const struct arm *a = &f->x->arms[arm];
    return a->kind == ARM_CORPUS && a->way.sampling.sampler == WINNOW_UNIFORM;
}

static bool same_dropout(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static double passes_of(const struct findings *f, const struct series *s, uint32_t i)
{
    return arm_way_passes(&f->x->arms[s->arms[i]].way);
}

static bool has_passes(const struct findings *f, const struct series *s, double passes)
{
    for (uint32_t i = 0; i < s->count; i++) {
        if (passes_of(f, s, i) == passes) {
            return true;
        }
    }
    return false;
}

/* Arms like this one but for their passes. */
static void series_of(const struct findings *f, uint32_t arm, struct series *out)
{
    *out = (struct series){.dropout = dropout_of(f, arm)};
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        const struct arm *x = &f->x->arms[a], *y = &f->x->arms[arm];
        double passes = arm_way_passes(&x->way);
        if (!is_plain(f, a) || x->set != y->set || !same_dropout(dropout_of(f, a), out->dropout) ||
            has_passes(f, out, passes)) {
            continue;
        }
        uint32_t at = out->count++;
        for (; at > 0 && arm_way_passes(&f->x->arms[out->arms[at - 1]].way) > passes; at--) {
            out->arms[at] = out->arms[at - 1];
        }
        out->arms[at] = a;
    }
}

/* Calls each for every series of two arms or more. */
static void each_series(const struct findings *f,
                        void (*each)(const struct findings *f, const struct series *s, void *ctx),
                        void *ctx)
{
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        struct series s;
        series_of(f, a, &s);
        bool first = is_plain(f, a) && s.count > 1;
        for (uint32_t i = 0; first && i < s.count; i++) {
            first = s.arms[i] >= a;
        }
        if (first) {
            each(f, &s, ctx);
        }
    }
}

static const struct cell *primary_cell(const struct findings *f, uint32_t arm)
{
    return findings_cell(f, f->primary, arm, f->measures[f->primary].domains);
}

/* Of an arm from another; worse is above 0 whatever the measure. */
static struct stats_paired cost_beside(const struct findings *f, uint32_t arm, uint32_t other)
{
    uint32_t n = f->o->seeds;
    double sign = f->measures[f->primary].lower_is_better ? 1 : -1;
    double *d = mem_alloc((n + 1) * sizeof *d);
    for (uint32_t k = 0; k < n; k++) {
        d[k] = sign * (primary_cell(f, arm)->per_seed[k] - primary_cell(f, other)->per_seed[k]);
    }
    struct stats_paired t = stats_paired_t(d, n);
    mem_free(d);
    return t;
}

/* Of member i from the fewest passes. */
static struct stats_paired cost_of(const struct findings *f, const struct series *s, uint32_t i)
{
    return cost_beside(f, s->arms[i], s->arms[0]);
}

/* The first member that is told to be worse; count where none is. */
static uint32_t first_worse(const struct findings *f, const struct series *s)
{
    for (uint32_t i = 1; i < s->count; i++) {
        if (cost_of(f, s, i).low > 0) {
            return i;
        }
    }
    return s->count;
}

/* Half the interval of the last member that is not told to be worse, where it is too wide for
 * that to mean anything; else 0. */
static double too_wide(const struct findings *f, const struct series *s)
{
    uint32_t last = first_worse(f, s) - 1;
    if (last == 0) {
        return 0;
    }
    struct stats_paired t = cost_of(f, s, last);
    double half = (t.high - t.low) / 2;
    return half > (f->measures[f->primary].nll ? WIDE_NATS : WIDE_SHARE) ? half : 0;
}

/* Why nothing is said of how many passes the corpus stands; nothing: something is. */
static void add_open_reason(const struct findings *f, const struct series *s, struct buf *out)
{
    const struct measure *m = &f->measures[f->primary];
    if (f->o->seeds < 2) {
        buf_add_text(out, "one seed does not say how many passes the corpus stands");
    } else if (too_wide(f, s) > 0) {
        uint32_t last = first_worse(f, s) - 1;
        struct stats_paired t = cost_of(f, s, last);
        double scale = m->nll ? 1 : 100;
        buf_addf(out,
                 "how many passes the corpus stands cannot be told: from %g to %g the difference "
                 "is %+.3f %s, but its 95 %% interval is as wide as %+.3f to %+.3f; more seeds "
                 "make it narrower",
                 passes_of(f, s, 0), passes_of(f, s, last), scale * t.mean,
                 m->nll ? "nats" : "points", scale * t.low, scale * t.high);
    }
}

/* What a pass more costs between two neighbours. */
static double pass_cost(const struct findings *f, const struct series *s, uint32_t i)
{
    double step = passes_of(f, s, i) - passes_of(f, s, i - 1);
    double before = i > 1 ? cost_of(f, s, i - 1).mean : 0;
    return (cost_of(f, s, i).mean - before) / step;
}

static void series_sentence(const struct findings *f, const struct series *s, void *ctx)
{
    struct buf *out = ctx;
    const struct measure *m = &f->measures[f->primary];
    uint32_t worse = first_worse(f, s);
    const char *unit = m->nll ? "nats" : "points";
    double scale = m->nll ? 1 : 100;
    buf_addf(out, "Repetition%s of %.3g M parameters at %.3g M tokens: ",
             isnan(s->dropout) ? ""
             : s->dropout > 0  ? " under dropout"
                               : " without dropout",
             (double)f->x->parameters / 1e6, (double)f->x->tokens / 1e6);
    size_t before = out->len;
    add_open_reason(f, s, out);
    bool open = out->len > before;
    if (f->o->seeds < 2) {
        buf_add_text(out, ".\n");
        return;
    }
    double one = passes_of(f, s, 0), most = passes_of(f, s, s->count - 1);
    if (worse > 1 && !open) {
        struct stats_paired last = cost_of(f, s, worse - 1);
        buf_addf(out,
                 "up to %g passes nothing is told to be worse than %g (%+.3f %s, 95 %% interval "
                 "%+.3f to %+.3f)",
                 passes_of(f, s, worse - 1), one, scale * last.mean, unit, scale * last.low,
                 scale * last.high);
    }
    if (worse < s->count) {
        struct stats_paired t = cost_of(f, s, worse);
        buf_addf(out,
                 "%s%g passes are worse than %g by %.3f %s (%+.3f to %+.3f), %.4f for each "
                 "pass more",
                 worse > 1 ? "; " : "", passes_of(f, s, worse), one, scale * t.mean, unit,
                 scale * t.low, scale * t.high, scale * pass_cost(f, s, worse));
    }
    if (worse + 1 < s->count) {
        buf_addf(out, ", and %.4f before %g", scale * pass_cost(f, s, s->count - 1), most);
    }
    buf_add_text(out, ".\n");
}

/* ---- weights of a selection ---- */

/* The arm of the same selection and way without its weights; arm itself: there is none. */
static uint32_t support_of(const struct findings *f, uint32_t arm)
{
    const struct arm *x = &f->x->arms[arm];
    for (uint32_t a = 0; a < f->x->arm_count && x->way.use != ARM_USE_SUPPORT; a++) {
        const struct arm *y = &f->x->arms[a];
        if (y->kind == x->kind && y->options == x->options && y->way.use == ARM_USE_SUPPORT &&
            y->way.sampling.sampler == x->way.sampling.sampler && y->way.repeat == x->way.repeat &&
            same_dropout(y->way.dropout, x->way.dropout)) {
            return a;
        }
    }
    return arm;
}

static void use_sentence(const struct findings *f, uint32_t arm, struct buf *out)
{
    const struct measure *m = &f->measures[f->primary];
    uint32_t support = support_of(f, arm);
    if (support == arm || f->o->seeds < 2) {
        return;
    }
    struct stats_paired t = cost_beside(f, arm, support);
    double scale = m->nll ? 1 : 100;
    buf_addf(out,
             "Weights: %s is %s %s, the same documents counting alike (%.3f %s worse, 95 %% "
             "interval %.3f to %.3f; below 0 is better).\n",
             f->x->arms[arm].name,
             t.low > 0    ? "worse than"
             : t.high < 0 ? "better than"
                          : "not told from",
             f->x->arms[support].name, scale * t.mean, m->nll ? "nats" : "points", scale * t.low,
             scale * t.high);
}

void results_way_sentences(const struct findings *f, struct buf *out)
{
    each_series(f, series_sentence, out);
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        use_sentence(f, a, out);
        blocks_sentence(f, a, out);
    }
}

/* ---- as JSON ---- */

static void write_series(const struct findings *f, const struct series *s, void *ctx)
{
    struct json_writer *w = ctx;
    uint32_t worse = first_worse(f, s);
    json_open(w, '{');
    json_member_double(w, "dropout", s->dropout);
    struct buf reason = {0};
    add_open_reason(f, s, &reason);
    json_member_double(w, "stands", reason.len == 0 ? passes_of(f, s, worse - 1) : (double)NAN);
    json_key(w, "reason");
    if (reason.len > 0) {
        json_str(w, buf_str(&reason));
    } else {
        json_null(w);
    }
    buf_release(&reason);
    json_member_double(w, "pass_costs", worse < s->count ? pass_cost(f, s, worse) : (double)NAN);
    json_member_open(w, "arms", '[');
    for (uint32_t i = 0; i < s->count; i++) {
        struct stats_paired t = cost_of(f, s, i);
        json_open(w, '{');
        json_member_text(w, "arm", f->x->arms[s->arms[i]].name);
        json_member_double(w, "passes", passes_of(f, s, i));
        json_member_double(w, "mean", primary_cell(f, s->arms[i])->mean);
        json_member_double(w, "worse", t.mean);
        json_member_double(w, "low", i > 0 ? t.low : (double)NAN);
        json_member_double(w, "high", i > 0 ? t.high : (double)NAN);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static bool has_way(const struct arm_way *way)
{
    return way->use != ARM_USE_SUPPORT || way->repeat > 0 || !isnan(way->dropout) ||
           way->sampling.sampler != WINNOW_UNIFORM;
}

void results_write_ways(const struct findings *f, struct json_writer *w)
{
    json_member_open(w, "ways", '[');
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        const struct arm_way *way = &f->x->arms[a].way;
        if (!has_way(way)) {
            continue;
        }
        json_open(w, '{');
        json_member_text(w, "arm", f->x->arms[a].name);
        json_member_double(w, "passes", arm_way_passes(way));
        json_member_double(w, "dropout", way->dropout);
        json_member_text(w, "selection_as", ARM_USE_NAMES[way->use]);
        json_member_open(w, "sampler", '[');
        for (uint32_t s = 0; s < f->o->seeds; s++) {
            json_raw(w, str_of(f->o->results[s][a].told));
        }
        json_close(w, ']');
        json_close(w, '}');
    }
    json_close(w, ']');
    json_member_open(w, "repetition", '[');
    each_series(f, write_series, w);
    json_close(w, ']');
}
