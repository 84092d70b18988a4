/* measures.c -- one pass of resampling a measure serves all its domains and arms.
 *
 * With w an observation's multiplicity in a draw, a domain's statistic is
 * sum(w num) / sum(w den): for NLL num is a text's nats and den its tokens, for
 * accuracies num is (right - chance) / (1 - chance) and den 1. */
#include "prove/measures.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>

#define NONE     ((double)NAN)
#define ROUNDING 1e-12 /* of numbers of about 1 or more, what is no difference */

/* ---- which measures there are ---- */

static struct measure *new_measure(struct findings *f, const char *name, const char *label,
                                   size_t most)
{
    struct measure *m = &f->measures[f->measure_count++];
    *m = (struct measure){.name = name, .label = label};
    m->texts = ARENA_NEW(&f->keep, uint32_t, most + 1);
    m->strata = ARENA_NEW(&f->keep, uint32_t, most + 1);
    m->chance = ARENA_NEW(&f->keep, double, most + 1);
    return m;
}

static void add_text_measure(struct findings *f, const char *name, const char *label, bool clean,
                             bool macro)
{
    const struct yardstick *y = &f->x->yard;
    struct measure *m = new_measure(f, name, label, y->text_count);
    m->unit = "nats/token";
    m->lower_is_better = m->nll = true;
    m->macro = macro;
    m->domains = macro ? 0 : y->domain_count;
    m->stratum_count = y->domain_count;
    for (uint32_t i = 0; i < y->text_count; i++) {
        if (clean ? y->texts[i].clean : y->texts[i].raw) {
            m->texts[m->count] = i;
            m->strata[m->count++] = y->texts[i].domain;
        }
    }
    f->measure_count -= m->count == 0;
}

static uint32_t cloze_domain(const struct yardstick *y, const char *task)
{
    for (uint32_t d = 0; d < y->domain_count; d++) {
        struct str name = str_of(task);
        if (name.len == y->domains[d].name.len + sizeof "cloze_" - 1 &&
            str_ends(name, y->domains[d].name)) {
            return d;
        }
    }
    return y->domain_count;
}

static void add_item_measure(struct findings *f, const char *group)
{
    const struct yardstick *y = &f->x->yard;
    bool cloze = strcmp(group, "cloze") == 0;
    char label[96];
    (void)snprintf(label, sizeof label,
                   cloze ? "cloze items from held-out text, accuracy above chance"
                         : "%s, accuracy above chance",
                   group);
    struct measure *m =
        new_measure(f, group, arena_strndup(&f->keep, label, strlen(label)), y->item_count);
    m->unit = "normalised accuracy";
    m->domains = cloze ? y->domain_count : 0;
    for (size_t t = 0; t < eval_suite_task_count(y->suite); t++) {
        const struct eval_task *task = eval_suite_task(y->suite, t);
        if (strcmp(task->group, group) != 0) {
            continue;
        }
        uint32_t stratum = cloze ? cloze_domain(y, task->name) : m->stratum_count;
        m->stratum_count = cloze ? y->domain_count + 1 : m->stratum_count + 1;
        for (size_t i = task->first; i < task->first + task->count; i++) {
            m->texts[m->count] = (uint32_t)i;
            m->chance[m->count] = task->chance;
            m->strata[m->count++] = stratum;
        }
    }
    m->clusters = !cloze && m->stratum_count >= 10;
    f->measure_count -= m->count == 0;
}

static bool has_measure(const struct findings *f, const char *name)
{
    for (uint32_t i = 0; i < f->measure_count; i++) {
        if (strcmp(f->measures[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void list_measures(struct findings *f)
{
    const struct yardstick *y = &f->x->yard;
    size_t tasks = eval_suite_task_count(y->suite);
    f->measures = ARENA_NEW(&f->keep, struct measure, tasks + 4);
    add_text_measure(f, "raw", "NLL on the held-out mixture as it is", false, false);
    add_text_measure(f, "clean", "NLL on clean held-out text", true, false);
    add_text_measure(f, "macro",
                     y->has_clean ? "NLL on clean held-out text, mean of the domains"
                                  : "NLL on held-out text, mean of the domains",
                     y->has_clean, true);
    for (size_t t = 0; t < tasks; t++) {
        const char *group = eval_suite_task(y->suite, t)->group;
        if (!has_measure(f, group)) {
            add_item_measure(f, group);
        }
    }
}

static winnow_status find_primary(struct findings *f, struct winnow_error *err)
{
    const char *name = f->x->opt->primary;
    struct buf names = {0};
    bool clean = has_measure(f, "clean");
    f->primary = UINT32_MAX;
    for (uint32_t i = 0; i < f->measure_count; i++) {
        if (strcmp(f->measures[i].name, name ? name : clean ? "clean" : "raw") == 0) {
            f->primary = i;
            f->measures[i].primary = true;
        }
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", f->measures[i].name);
    }
    winnow_status st = WINNOW_OK;
    if (f->primary == UINT32_MAX) {
        st = error_set(err, WINNOW_E_USAGE,
                       "--primary: there is no measure \"%s\" here; there are %s", name,
                       buf_cstr(&names));
    }
    buf_release(&names);
    return st;
}

winnow_status findings_check_primary(const struct experiment *x, struct winnow_error *err)
{
    struct findings f = {.x = x};
    arena_init(&f.keep, 65536);
    list_measures(&f);
    winnow_status st = find_primary(&f, err);
    findings_release(&f);
    return st;
}

/* ---- statistics ---- */

/* All that one measure is computed from. */
struct table {
    struct findings *f;
    const struct measure *m;
    uint32_t arms, seeds, slots; /* slots: domains, and over all */
    double *num;                 /* [(arm * seeds + seed) * count + observation] */
    double *den;                 /* [observation] */
    double *sums;                /* scratch: 2 * (strata + 1) */
};

static void fill_table(struct table *t)
{
    const struct outcome *o = t->f->o;
    for (size_t i = 0; i < t->m->count; i++) {
        uint32_t at = t->m->texts[i];
        t->den[i] = t->m->nll ? o->results[0][0].reading.tokens[at] : 1;
        for (uint32_t a = 0; a < t->arms; a++) {
            for (uint32_t s = 0; s < t->seeds; s++) {
                const struct yard_reading *r = &o->results[s][a].reading;
                double chance = t->m->chance[i];
                t->num[((size_t)a * t->seeds + s) * t->m->count + i] =
                    t->m->nll ? r->nll[at] : ((double)r->acc[at] - chance) / (1 - chance);
            }
        }
    }
}

/* out[slot] for one arm and seed under multiplicities w (NULL: all 1). */
static void statistics(const struct table *t, uint32_t arm, uint32_t seed, const uint32_t *w,
                       double *out)
{
    const struct measure *m = t->m;
    const double *num = t->num + ((size_t)arm * t->seeds + seed) * m->count;
    double *top = t->sums, *bottom = t->sums + m->stratum_count;
    double all_top = 0, all_bottom = 0, mean = 0, present = 0;
    memset(t->sums, 0, 2 * (size_t)m->stratum_count * sizeof *t->sums);
    for (size_t i = 0; i < m->count; i++) {
        double k = w ? w[i] : 1;
        top[m->strata[i]] += k * num[i];
        bottom[m->strata[i]] += k * t->den[i];
    }
    for (uint32_t d = 0; d < m->stratum_count; d++) {
        all_top += top[d];
        all_bottom += bottom[d];
        if (bottom[d] > 0) {
            mean += top[d] / bottom[d];
            present++;
        }
        if (d < m->domains) {
            out[d] = bottom[d] > 0 ? top[d] / bottom[d] : NONE;
        }
    }
    out[m->domains] = m->macro ? mean / present : all_top / all_bottom;
}

/* One draw of observations, or of strata with all that is in them. */
static void resample(const struct measure *m, struct rng *r, uint32_t *w, uint32_t *strata)
{
    memset(w, 0, m->count * sizeof *w);
    if (!m->clusters) {
        for (size_t i = 0; i < m->count; i++) {
            w[rng_below(r, m->count)]++;
        }
        return;
    }
    memset(strata, 0, m->stratum_count * sizeof *strata);
    for (uint32_t i = 0; i < m->stratum_count; i++) {
        strata[rng_below(r, m->stratum_count)]++;
    }
    for (size_t i = 0; i < m->count; i++) {
        w[i] = strata[m->strata[i]];
    }
}

/* replicates[(arm * slots + slot) * B + b] */
static void bootstrap(const struct table *t, size_t count, double *replicates)
{
    const struct measure *m = t->m;
    uint32_t *w = mem_alloc((m->count + 1) * sizeof *w);
    uint32_t *strata = mem_alloc(((size_t)m->stratum_count + 1) * sizeof *strata);
    uint32_t *seeds = mem_alloc(t->seeds * sizeof *seeds);
    double *out = mem_alloc(t->slots * sizeof *out);
    struct rng r;
    rng_init(&r, t->f->x->env->seed, m->name);
    for (size_t b = 0; b < count; b++) {
        resample(m, &r, w, strata);
        for (uint32_t s = 0; s < t->seeds; s++) {
            seeds[s] = (uint32_t)rng_below(&r, t->seeds);
        }
        for (uint32_t a = 0; a < t->arms; a++) {
            for (uint32_t k = 0; k < t->slots; k++) {
                replicates[((size_t)a * t->slots + k) * count + b] = 0;
            }
            for (uint32_t s = 0; s < t->seeds; s++) {
                statistics(t, a, seeds[s], w, out);
                for (uint32_t k = 0; k < t->slots; k++) {
                    replicates[((size_t)a * t->slots + k) * count + b] += out[k] / t->seeds;
                }
            }
        }
    }
    mem_free(w);
    mem_free(strata);
    mem_free(seeds);
    mem_free(out);
}

/* The middle 95 % of x (which is sorted in place); draws in which a domain was
 * absent are NaN and left out. */
static void middle(double *x, size_t n, double *low, double *high)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isnan(x[i])) {
            x[kept++] = x[i];
        }
    }
    stats_sort(x, kept);
    *low = stats_quantile(x, kept, 0.025);
    *high = stats_quantile(x, kept, 0.975);
}

static double text_bytes(const struct table *t, uint32_t domain)
{
    double bytes = 0, tokens = 0;
    for (size_t i = 0; i < t->m->count; i++) {
        if (domain == t->m->domains || t->m->strata[i] == domain) {
            bytes += (double)t->f->x->yard.texts[t->m->texts[i]].text.len;
            tokens += t->den[i];
        }
    }
    return bytes / tokens;
}

/* a - b; sums of the same numbers in another order are equal. */
static double apart(double a, double b)
{
    double d = a - b, size = fmax(1, fmax(fabs(a), fabs(b)));
    return fabs(d) <= ROUNDING * size ? 0 : d;
}

static void fill_cell(const struct table *t, uint32_t arm, uint32_t slot, const double *replicates,
                      size_t count, struct cell *c)
{
    struct findings *f = t->f;
    uint32_t base = f->x->baseline;
    struct cell *cells = f->cells[t->m - f->measures];
    const struct cell *b = &cells[base * t->slots + slot];
    c->present = !isnan(c->per_seed[0]);
    c->mean = stats_mean(c->per_seed, t->seeds);
    c->sd = stats_sd(c->per_seed, t->seeds);
    c->bits_per_byte = t->m->nll && !t->m->macro ? c->mean / log(2) / text_bytes(t, slot) : NONE;
    for (uint32_t s = 0; s < t->seeds; s++) {
        c->differences[s] = apart(c->per_seed[s], b->per_seed[s]);
        c->seeds_better += t->m->lower_is_better ? c->differences[s] < 0 : c->differences[s] > 0;
    }
    c->difference = stats_paired_t(c->differences, t->seeds);
    c->p_holm = c->detectable = NONE;
    double *x = mem_alloc((count + 1) * sizeof *x);
    const double *own = replicates + ((size_t)arm * t->slots + slot) * count;
    const double *other = replicates + ((size_t)base * t->slots + slot) * count;
    memcpy(x, own, count * sizeof *x);
    middle(x, count, &c->low, &c->high);
    for (size_t i = 0; i < count; i++) {
        x[i] = own[i] - other[i];
    }
    middle(x, count, &c->difference_low, &c->difference_high);
    mem_free(x);
}

/* The cells of a measure, from its table and as many replicates of it. */
static void fill_cells(struct table *t, struct cell *cells, double *statistic, double *replicates,
                       size_t count)
{
    struct findings *f = t->f;
    fill_table(t);
    for (uint32_t a = 0; a < t->arms; a++) {
        for (uint32_t k = 0; k < t->slots; k++) {
            cells[a * t->slots + k].per_seed = ARENA_NEW(&f->keep, double, t->seeds);
            cells[a * t->slots + k].differences = ARENA_NEW(&f->keep, double, t->seeds);
        }
        for (uint32_t s = 0; s < t->seeds; s++) {
            statistics(t, a, s, NULL, statistic);
            for (uint32_t k = 0; k < t->slots; k++) {
                cells[a * t->slots + k].per_seed[s] = statistic[k];
            }
        }
    }
    bootstrap(t, count, replicates);
    for (uint32_t a = 0; a < t->arms; a++) {
        for (uint32_t k = 0; k < t->slots; k++) {
            fill_cell(t, a, k, replicates, count, &cells[a * t->slots + k]);
        }
    }
}

static winnow_status measure_all(struct findings *f, uint32_t measure, struct winnow_error *err)
{
    const struct measure *m = &f->measures[measure];
    struct table t = {
        .f = f, .m = m, .arms = f->x->arm_count, .seeds = f->o->seeds, .slots = m->domains + 1};
    size_t count = f->x->opt->bootstrap;
    struct cell *cells = ARENA_NEW(&f->keep, struct cell, (size_t)t.arms * t.slots);
    f->cells[measure] = cells;
    t.num = mem_try_alloc((size_t)t.arms * t.seeds * m->count * sizeof *t.num + 1);
    t.den = mem_alloc((m->count + 1) * sizeof *t.den);
    t.sums = mem_alloc(2 * ((size_t)m->stratum_count + 1) * sizeof *t.sums);
    double *out = mem_alloc(t.slots * sizeof *out);
    double *replicates = mem_try_alloc((size_t)t.arms * t.slots * count * sizeof *replicates + 1);
    winnow_status st = WINNOW_OK;
    if (t.num && replicates) {
        fill_cells(&t, cells, out, replicates, count);
    } else {
        st = error_set(err, WINNOW_E_NOMEM, "no memory for %zu --bootstrap replicates", count);
    }
    mem_free(t.num);
    mem_free(t.den);
    mem_free(t.sums);
    mem_free(out);
    mem_free(replicates);
    return st;
}

/* Holm within two families: the primary differences, and all the others. */
static void correct(struct findings *f)
{
    for (int primary = 0; primary < 2; primary++) {
        size_t n = 0, most = 0;
        for (uint32_t i = 0; i < f->measure_count; i++) {
            most += (size_t)f->x->arm_count * (f->measures[i].domains + 1);
        }
        struct cell **family = mem_alloc((most + 1) * sizeof(struct cell *));
        double *p = mem_alloc((most + 1) * sizeof *p);
        for (uint32_t i = 0; i < f->measure_count; i++) {
            uint32_t slots = f->measures[i].domains + 1;
            for (uint32_t k = 0; k < f->x->arm_count * slots; k++) {
                bool is_primary = f->measures[i].primary && k % slots == slots - 1;
                struct cell *c = &f->cells[i][k];
                if (k / slots != f->x->baseline && c->present && is_primary == (primary == 1)) {
                    p[n] = c->difference.p;
                    family[n++] = c;
                }
            }
        }
        stats_holm(p, n, p);
        for (size_t i = 0; i < n; i++) {
            struct cell *c = family[i];
            c->p_holm = p[i]; /* and by Holm's first, strictest step: */
            c->detectable = stats_detectable(stats_sd(c->differences, f->o->seeds), f->o->seeds,
                                             FINDINGS_LEVEL / (double)n, FINDINGS_POWER);
        }
        mem_free(family);
        mem_free(p);
    }
}

/* ---- curves ---- */

double steps_to_reach(const double *tokens, const double *values, size_t n, double target)
{
    for (size_t i = 0; i < n; i++) {
        if (values[i] <= target) {
            double at = tokens[i];
            if (i > 0 && values[i - 1] > values[i]) {
                double part = (values[i - 1] - target) / (values[i - 1] - values[i]);
                at = tokens[i - 1] + part * (tokens[i] - tokens[i - 1]);
            }
            return at / tokens[n - 1];
        }
    }
    return NONE;
}

static double seed_ratio(const struct arm_result *arm, const struct arm_result *base, int value)
{
    double tokens[ARM_CURVE_MAX + 1], values[ARM_CURVE_MAX + 1];
    size_t n = arm->curve_count;
    if (n < 2 || base->curve_count != n) {
        return NONE;
    }
    for (size_t i = 0; i < n; i++) {
        tokens[i] = (double)arm->curve[i].tokens;
        values[i] = arm->curve[i].values[value];
    }
    double share = steps_to_reach(tokens, values, n, base->curve[n - 1].values[value]);
    return 1 / share;
}

static void fill_ratios(struct findings *f)
{
    uint32_t seeds = f->o->seeds;
    f->ratios = ARENA_NEW(&f->keep, struct steps_ratio, 2 * (size_t)f->x->arm_count);
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        for (int v = 0; v < 2; v++) {
            struct steps_ratio *r = &f->ratios[2 * a + (uint32_t)v];
            r->per_seed = ARENA_NEW(&f->keep, double, seeds);
            double *sorted = ARENA_NEW(&f->keep, double, seeds);
            for (uint32_t s = 0; s < seeds; s++) {
                r->per_seed[s] =
                    seed_ratio(&f->o->results[s][a], &f->o->results[s][f->x->baseline], v);
                r->reached += isnan(r->per_seed[s]) ? 0 : 1;
                sorted[s] = isnan(r->per_seed[s]) ? 0 : r->per_seed[s];
            }
            stats_sort(sorted, seeds);
            r->median = 2 * r->reached > seeds ? stats_quantile(sorted, seeds, 0.5) : NONE;
        }
    }
}

winnow_status findings_init(struct findings *f, const struct experiment *x, const struct outcome *o,
                            struct winnow_error *err)
{
    *f = (struct findings){.x = x, .o = o};
    arena_init(&f->keep, (size_t)1 << 18);
    list_measures(f);
    TRY(find_primary(f, err));
    f->cells = ARENA_NEW(&f->keep, struct cell *, f->measure_count);
    for (uint32_t i = 0; i < f->measure_count; i++) {
        TRY(measure_all(f, i, err));
    }
    correct(f);
    fill_ratios(f);
    return WINNOW_OK;
}

void findings_release(struct findings *f)
{
    arena_release(&f->keep);
    *f = (struct findings){0};
}

const struct cell *findings_cell(const struct findings *f, uint32_t measure, uint32_t arm,
                                 uint32_t domain)
{
    return &f->cells[measure][arm * (f->measures[measure].domains + 1) + domain];
}
