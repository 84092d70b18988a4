/* results_words.c -- findings as sentences and as a table for the terminal. */
#include "base/amount.h"
#include "prove/results.h"

#include <math.h>
#include <stdio.h>

int cell_verdict(const struct findings *f, uint32_t measure, const struct cell *c)
{
    if (!(c->p_holm < FINDINGS_LEVEL)) {
        return 0;
    }
    return (c->difference.mean < 0) == f->measures[measure].lower_is_better ? 1 : -1;
}

static const char *amount(char out[32], const struct measure *m, double v)
{
    if (m->nll) {
        (void)snprintf(out, 32, "%.3f nats", fabs(v));
    } else {
        (void)snprintf(out, 32, "%.1f points", 100 * fabs(v));
    }
    return out;
}

/* "0.050 nats lower"; of what would be written as 0, thousandths of a nat as
 * tenths of a point, neither lower nor higher. */
static void add_difference(const struct measure *m, double mean, struct buf *out)
{
    char size[32];
    if (fabs(mean) < 0.0005) {
        buf_add_text(out, "no different");
    } else {
        buf_addf(out, "%s %s", amount(size, m, mean), mean < 0 ? "lower" : "higher");
    }
}

/* "medium is better than before: clean 0.050 nats lower (95 % interval ...)" */
static void compare(const struct findings *f, uint32_t measure, uint32_t arm, struct buf *out)
{
    const struct measure *m = &f->measures[measure];
    const struct cell *c = findings_cell(f, measure, arm, m->domains);
    const char *base = f->x->arms[f->x->baseline].name;
    char size[32];
    int v = cell_verdict(f, measure, c);
    double scale = m->nll ? 1 : 100;
    const char *unit = m->nll ? "" : " points";
    buf_addf(out, "%s%s: %s ", m->primary ? "Primary measure, " : "", m->label,
             f->x->arms[arm].name);
    bool apart = c->difference.low > 0 || c->difference.high < 0;
    if (v == 0 && apart) {
        buf_addf(out, "is apart from %s, but not past Holm's correction", base);
    } else if (v == 0) {
        buf_addf(out, "cannot be told from %s", base);
    } else {
        buf_addf(out, "is %s than %s", v > 0 ? "better" : "worse", base);
    }
    buf_add_text(out, ", ");
    add_difference(m, c->difference.mean, out);
    buf_add_text(out, " (");
    if (isnan(c->difference.low)) {
        buf_add_text(out, "one seed gives no interval).\n");
        return;
    }
    buf_addf(
        out, "95 %% interval of the paired difference %+.3f to %+.3f%s, %u of %u seeds better)",
        scale * c->difference.low, scale * c->difference.high, unit, c->seeds_better, f->o->seeds);
    if (m->primary && !isnan(c->detectable)) {
        buf_addf(out,
                 "; seeds spread so that a true difference of %s would be seen %.0f times of 10",
                 amount(size, m, c->detectable), 10 * FINDINGS_POWER);
    }
    buf_add_text(out, ".\n");
}

static void ratio_sentence(const struct findings *f, uint32_t arm, struct buf *out)
{
    const struct steps_ratio *r = primary_ratio(f, arm);
    const char *name = f->x->arms[arm].name, *base = f->x->arms[f->x->baseline].name;
    if (r->reached == 0) {
        buf_addf(out, "Steps: %s never reaches the final score of %s, in any seed.\n", name, base);
    } else if (isnan(r->median)) {
        buf_addf(out, "Steps: %s reaches the final score of %s in %u of %u seeds only.\n", name,
                 base, r->reached, f->o->seeds);
    } else {
        buf_addf(out,
                 "Steps: %s reaches the final score of %s with 1/%.2f of its steps (median; %u of "
                 "%u seeds reach it).\n",
                 name, base, r->median, r->reached, f->o->seeds);
    }
    const char *reason;
    double tokens = break_even(f, arm, &reason);
    struct arm_cost c = arm_cost(f, arm);
    double made = arm_preparation(f, arm), chosen = made + c.reference + c.scoring;
    if (f->x->arms[arm].kind == ARM_CORPUS && made > 0) {
        buf_addf(out,
                 "Cost: making the corpus of %s took %.2f times the FLOPs of training on it.\n",
                 name, made / c.training);
    } else if (chosen > 0) {
        buf_addf(out,
                 "Cost: choosing the documents of %s took %.2f times the FLOPs of training on "
                 "them; ",
                 name, chosen / c.training);
        if (isnan(tokens)) {
            buf_addf(out, "it does not break even: %s.\n", reason);
        } else {
            buf_addf(out, "it breaks even at a training run of %.3g tokens.\n", tokens);
        }
    }
}

static uint32_t measure_named(const struct findings *f, const char *name)
{
    for (uint32_t i = 0; i < f->measure_count; i++) {
        if (strcmp(f->measures[i].name, name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

/* Whether the mixture as it is and a task say opposite things of an arm. */
static void disagreement(const struct findings *f, uint32_t arm, struct buf *out)
{
    uint32_t raw = measure_named(f, "raw");
    for (uint32_t i = 0; raw != UINT32_MAX && i < f->measure_count; i++) {
        int a = cell_verdict(f, raw, findings_cell(f, raw, arm, f->measures[raw].domains));
        int b = cell_verdict(f, i, findings_cell(f, i, arm, f->measures[i].domains));
        if (a * b < 0) {
            buf_addf(out, "Measures disagree on %s: %s on the raw mixture, %s by \"%s\".\n",
                     f->x->arms[arm].name, a > 0 ? "better" : "worse", b > 0 ? "better" : "worse",
                     f->measures[i].name);
        }
    }
}

/* What is asked by leaving a source out. */
static void source_sentence(const struct findings *f, uint32_t arm, struct buf *out)
{
    const struct arm *a = &f->x->arms[arm];
    if (a->kind == ARM_WITHOUT) {
        struct buf name = {0};
        arm_show(source_name(&f->x->names, a->source), &name);
        buf_addf(out,
                 "Source: %s trains on more of the other sources instead of \"%.*s\", which has "
                 "%.1f %% of the corpus's tokens.\n",
                 a->name, STR_ARG(buf_str(&name)), 100 * a->source_share);
        buf_release(&name);
    }
}

void results_sentences(const struct findings *f, struct buf *out)
{
    if (f->o->seeds < 5) {
        buf_addf(out, "Only %u seed%s: intervals are wide, and nothing here is settled.\n",
                 f->o->seeds, f->o->seeds == 1 ? "" : "s");
    }
    for (int pass = 0; pass < 2; pass++) { /* the primary measure first */
        for (uint32_t i = 0; i < f->measure_count; i++) {
            for (uint32_t a = 0; a < f->x->arm_count; a++) {
                if (a != f->x->baseline && f->measures[i].primary == (pass == 0)) {
                    compare(f, i, a, out);
                }
            }
        }
    }
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        if (a != f->x->baseline) {
            disagreement(f, a, out);
        }
    }
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        if (a != f->x->baseline && f->x->arms[a].kind != ARM_RANDOM) {
            ratio_sentence(f, a, out);
        }
        source_sentence(f, a, out);
    }
    results_way_sentences(f, out);
}

/* What the proof could have seen of the primary measure. */
static void detectable_line(const struct findings *f, struct buf *out)
{
    const struct measure *m = &f->measures[f->primary];
    char size[32];
    buf_addf(out, "would be seen %.0f times of 10 (%s):", 10 * FINDINGS_POWER, m->name);
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        double v = findings_cell(f, f->primary, a, m->domains)->detectable;
        if (!isnan(v)) {
            buf_addf(out, " %s %s", f->x->arms[a].name, amount(size, m, v));
        }
    }
    buf_add_char(out, '\n');
}

static int name_width(const struct experiment *x)
{
    size_t width = 10;
    for (uint32_t a = 0; a < x->arm_count; a++) {
        size_t n = strlen(x->arms[a].name);
        width = n > width ? n : width;
    }
    return (int)width;
}

static const char *regime_words(const struct experiment *x)
{
    if (x->opt->fixed_pool) {
        return "fixed pool";
    }
    for (uint32_t a = 0; a < x->arm_count; a++) {
        if (arm_way_passes(&x->arms[a].way) > 1) {
            return "epochs as the arms say";
        }
    }
    return "at most one epoch";
}

void results_table(const struct findings *f, struct buf *out)
{
    const struct experiment *x = f->x;
    buf_addf(out, "%u seed%s, %s parameters, %s tokens an arm, %s; difference from %s +- 95 %%\n",
             f->o->seeds, f->o->seeds == 1 ? "" : "s", amount_count((double)x->parameters).text,
             amount_count((double)x->tokens).text, regime_words(x), x->arms[x->baseline].name);
    int width = name_width(x);
    buf_addf(out, "%-*s", width, "arm");
    for (uint32_t i = 0; i < f->measure_count; i++) {
        buf_addf(out, " %9s%-17s", f->measures[i].name, f->measures[i].primary ? " (primary)" : "");
    }
    buf_add_char(out, '\n');
    for (uint32_t a = 0; a < x->arm_count; a++) {
        buf_addf(out, "%-*s", width, x->arms[a].name);
        for (uint32_t i = 0; i < f->measure_count; i++) {
            const struct cell *c = findings_cell(f, i, a, f->measures[i].domains);
            buf_addf(out, " %9.4f", c->mean);
            if (a == x->baseline) {
                buf_addf(out, "%17s", "");
            } else if (isnan(c->difference.low)) {
                buf_addf(out, " %+.4f%9s", c->difference.mean, "");
            } else {
                int v = cell_verdict(f, i, c);
                buf_addf(out, " %+.4f+-%.4f%s", c->difference.mean,
                         c->difference.mean - c->difference.low,
                         v == 0  ? " "
                         : v > 0 ? "*"
                                 : "!");
            }
        }
        buf_add_char(out, '\n');
    }
    buf_addf(out, "* better, ! worse than %s (paired t over seeds, Holm's correction, 5 %%)\n",
             x->arms[x->baseline].name);
    if (f->o->seeds > 1) {
        detectable_line(f, out);
    }
}
