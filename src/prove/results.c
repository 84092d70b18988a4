/* results.c -- costs, and one function a member of results.json. */
#include "prove/results.h"

#include "base/mem.h"

#include <math.h>
#include <stdio.h>

#define NONE ((double)NAN)

static void key_text(struct json_writer *w, const char *key, const char *text)
{
    json_key(w, key);
    if (text) {
        json_text(w, text);
    } else {
        json_null(w);
    }
}

static void key_list(struct json_writer *w, const char *key, const double *v, size_t n)
{
    json_member_open(w, key, '[');
    for (size_t i = 0; i < n; i++) {
        json_double(w, v[i]);
    }
    json_close(w, ']');
}

static void key_pair(struct json_writer *w, const char *key, double low, double high)
{
    const double pair[2] = {low, high};
    key_list(w, key, pair, 2);
}

static void key_domain(struct json_writer *w, const struct findings *f, uint32_t measure,
                       uint32_t domain)
{
    json_key(w, "domain");
    if (domain < f->measures[measure].domains) {
        json_str(w, f->x->yard.domains[domain].name);
    } else {
        json_null(w);
    }
}

/* ---- costs ---- */

struct arm_cost arm_cost(const struct findings *f, uint32_t arm)
{
    struct arm_cost c = {0};
    uint32_t n = f->o->seeds;
    bool selected = f->x->arms[arm].kind == ARM_BAND;
    for (uint32_t s = 0; s < n; s++) {
        c.training += f->o->results[s][arm].flops / n;
        if (selected) {
            c.reference += f->o->selections[s].reference_flops / n;
            c.scoring += f->o->selections[s].scoring_flops / n;
        }
    }
    c.preparation = f->x->prepared[f->x->arms[arm].set];
    c.selection = c.preparation + c.reference + c.scoring;
    c.total = c.training + c.selection;
    return c;
}

static bool curve_is_clean(const struct findings *f)
{
    return f->x->yard.has_clean && strcmp(f->measures[f->primary].name, "raw") != 0;
}

const struct steps_ratio *primary_ratio(const struct findings *f, uint32_t arm)
{
    return &f->ratios[2 * arm + (curve_is_clean(f) ? 1U : 0U)];
}

double arm_preparation(const struct findings *f, uint32_t arm)
{
    double own = f->x->prepared[f->x->arms[arm].set];
    double base = f->x->prepared[f->x->arms[f->x->baseline].set];
    return own > base ? own - base : 0;
}

/* Training on N tokens costs c N; the arm needs N / ratio of them for what the
 * baseline gets from N.  Making the pool and the reference cost the same whatever
 * N is, scoring grows with it: c N (1 - 1 / ratio) = preparation beyond the
 * baseline's + reference + s N. */
double break_even(const struct findings *f, uint32_t arm, const char **reason)
{
    *reason = NULL;
    if (f->x->arms[arm].kind != ARM_BAND) {
        *reason = "no selection was trained or scored for this arm";
        return NONE;
    }
    double ratio = primary_ratio(f, arm)->median;
    if (isnan(ratio)) {
        *reason = "most seeds never reach the baseline's final score";
        return NONE;
    }
    if (ratio <= 1) {
        *reason = "it needs as many steps as the baseline, or more";
        return NONE;
    }
    struct arm_cost c = arm_cost(f, arm);
    double tokens = (double)f->x->tokens;
    double saved = c.training / tokens * (1 - 1 / ratio) - c.scoring / tokens;
    if (saved <= 0) {
        *reason = "scoring the pool costs more than the steps it saves at this model size";
        return NONE;
    }
    return (arm_preparation(f, arm) + c.reference) / saved;
}

static void write_cost(const struct findings *f, struct json_writer *w)
{
    json_member_open(w, "cost", '{');
    json_member_open(w, "arms", '[');
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        struct arm_cost c = arm_cost(f, a);
        json_open(w, '{');
        key_text(w, "arm", f->x->arms[a].name);
        json_member_double(w, "training", c.training);
        json_member_double(w, "preparation", c.preparation);
        json_member_double(w, "reference", c.reference);
        json_member_double(w, "scoring", c.scoring);
        json_member_double(w, "selection", c.selection);
        json_member_double(w, "total", c.total);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_member_open(w, "break_even", '[');
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        if (f->x->arms[a].kind == ARM_BAND) {
            const char *reason;
            double tokens = break_even(f, a, &reason);
            json_open(w, '{');
            key_text(w, "arm", f->x->arms[a].name);
            json_member_double(w, "tokens", tokens);
            key_text(w, "reason", reason);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
    json_close(w, '}');
}

/* ---- what was done ---- */

static void write_model(const struct experiment *x, struct json_writer *w)
{
    json_member_open(w, "model", '{');
    json_member_u64(w, "parameters", x->parameters);
    json_member_u64(w, "dim", x->config.dim);
    json_member_u64(w, "layers", x->config.layers);
    json_member_u64(w, "heads", x->config.heads);
    json_member_u64(w, "ffn", x->config.ffn);
    json_member_u64(w, "vocab", x->config.vocab);
    json_member_u64(w, "context", x->config.context);
    key_text(w, "kernels", x->kernels);
    json_close(w, '}');
    json_member_open(w, "training", '{');
    json_member_u64(w, "tokens", x->tokens);
    json_member_u64(w, "steps", x->steps);
    json_member_u64(w, "batch_tokens", x->packer.batch_tokens);
    json_member_double(w, "learning_rate", x->opt->model.lr);
    json_close(w, '}');
}

/* What the bands were cut by; null where there are none. */
static void write_method(const struct experiment *x, struct json_writer *w)
{
    json_key(w, "selection");
    if (!x->has_bands) {
        json_null(w);
        return;
    }
    json_open(w, '{');
    key_text(w, "method", x->method.kind->name);
    json_key(w, "stage");
    json_bool(w, x->shipped);
    json_key(w, "settings");
    json_open(w, '{');
    option_write_json(x->method.kind->table, x->method.options, w);
    json_close(w, '}');
    json_close(w, '}');
}

static void write_heldout(const struct findings *f, struct json_writer *w)
{
    const struct yardstick *y = &f->x->yard;
    const struct yard_reading *r = &f->o->results[0][0].reading;
    uint64_t tokens = 0, bytes = 0, domain_tokens[YARD_DOMAINS_MAX] = {0};
    for (size_t i = 0; i < y->text_count; i++) {
        tokens += r->tokens[i];
        bytes += y->texts[i].text.len;
        if (y->texts[i].clean || !y->has_clean) {
            domain_tokens[y->texts[i].domain] += r->tokens[i];
        }
    }
    json_member_open(w, "heldout", '{');
    json_member_double(w, "share", f->x->opt->heldout.count > 0 ? NONE : f->x->opt->heldout_share);
    json_member_u64(w, "distinct", y->held_documents);
    json_member_u64(w, "documents", y->text_count);
    json_member_u64(w, "tokens", tokens);
    json_member_u64(w, "bytes", bytes);
    key_text(w, "clean_rule",
             f->x->opt->clean.count > 0 ? "given"
             : y->has_clean             ? f->x->opt->clean_rules
                                        : NULL);
    json_member_open(w, "domains", '[');
    for (uint32_t d = 0; d < y->domain_count; d++) {
        json_open(w, '{');
        json_member_str(w, "name", y->domains[d].name);
        json_member_u64(w, "documents", y->domains[d].documents);
        json_member_u64(w, "tokens", domain_tokens[d]);
        json_member_u64(w, "bytes", y->domains[d].bytes);
        json_member_u64(w, "cloze_items", y->domains[d].items);
        json_close(w, '}');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void write_composition(const struct findings *f, uint32_t arm, struct json_writer *w)
{
    const struct experiment *x = f->x;
    json_member_open(w, "composition", '[');
    for (uint32_t source = 0; source < x->names.map.count; source++) {
        double documents = 0, tokens = 0;
        for (uint32_t s = 0; s < f->o->seeds; s++) {
            const struct arm_result *r = &f->o->results[s][arm];
            for (size_t i = 0; i < r->share_count; i++) {
                if (r->shares[i].source == source) {
                    documents += r->shares[i].documents / f->o->seeds;
                    tokens += r->shares[i].tokens / f->o->seeds;
                }
            }
        }
        if (documents > 0) {
            json_open(w, '{');
            json_member_str(w, "source", source_name(&x->names, source));
            json_member_double(w, "documents", documents);
            json_member_double(w, "tokens", tokens);
            json_close(w, '}');
        }
    }
    json_close(w, ']');
}

static void write_arms(const struct findings *f, struct json_writer *w)
{
    uint32_t n = f->o->seeds;
    json_member_open(w, "arms", '[');
    for (uint32_t a = 0; a < f->x->arm_count; a++) {
        double documents = 0, available = 0, epochs = 0;
        for (uint32_t s = 0; s < n; s++) {
            const struct arm_result *r = &f->o->results[s][a];
            documents += (double)r->documents / n;
            available += (double)r->tokens_available / n;
            epochs += r->epochs / n;
        }
        json_open(w, '{');
        key_text(w, "name", f->x->arms[a].name);
        key_text(w, "kind", ARM_KIND_NAMES[f->x->arms[a].kind]);
        if (f->x->arms[a].kind == ARM_WITHOUT) {
            json_member_str(w, "without", source_name(&f->x->names, f->x->arms[a].source));
            json_member_double(w, "without_share", f->x->arms[a].source_share);
        }
        json_member_double(w, "documents", documents);
        json_member_double(w, "tokens_available", available);
        json_member_u64(w, "tokens_trained", f->x->tokens);
        json_member_double(w, "epochs", epochs);
        json_member_double(w, "mean_document_tokens", available / documents);
        write_composition(f, a, w);
        json_close(w, '}');
    }
    json_close(w, ']');
}

/* ---- what came out ---- */

static void write_measures(const struct findings *f, struct json_writer *w)
{
    json_member_open(w, "measures", '[');
    for (uint32_t i = 0; i < f->measure_count; i++) {
        const struct measure *m = &f->measures[i];
        json_open(w, '{');
        key_text(w, "name", m->name);
        key_text(w, "label", m->label);
        key_text(w, "unit", m->unit);
        json_member_bool(w, "lower_is_better", m->lower_is_better);
        json_member_bool(w, "primary", m->primary);
        json_member_u64(w, "observations", m->count);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_result(const struct findings *f, uint32_t measure, uint32_t arm, uint32_t domain,
                         struct json_writer *w)
{
    const struct cell *c = findings_cell(f, measure, arm, domain);
    json_open(w, '{');
    key_text(w, "arm", f->x->arms[arm].name);
    key_text(w, "measure", f->measures[measure].name);
    key_domain(w, f, measure, domain);
    json_member_double(w, "mean", c->mean);
    json_member_double(w, "sd", c->sd);
    key_pair(w, "interval", c->low, c->high);
    json_member_double(w, "bits_per_byte", c->bits_per_byte);
    key_list(w, "per_seed", c->per_seed, f->o->seeds);
    json_close(w, '}');
}

static void write_difference(const struct findings *f, uint32_t measure, uint32_t arm,
                             uint32_t domain, struct json_writer *w)
{
    const struct cell *c = findings_cell(f, measure, arm, domain);
    int v = cell_verdict(f, measure, c);
    json_open(w, '{');
    key_text(w, "arm", f->x->arms[arm].name);
    key_text(w, "baseline", f->x->arms[f->x->baseline].name);
    key_text(w, "measure", f->measures[measure].name);
    key_domain(w, f, measure, domain);
    json_member_double(w, "mean", c->difference.mean);
    key_list(w, "per_seed", c->differences, f->o->seeds);
    json_member_u64(w, "seeds_better", c->seeds_better);
    key_pair(w, "interval", c->difference_low, c->difference_high);
    key_pair(w, "t_interval", c->difference.low, c->difference.high);
    json_member_double(w, "p", c->difference.p);
    json_member_double(w, "p_holm", c->p_holm);
    json_member_double(w, "sd", stats_sd(c->differences, f->o->seeds));
    json_member_double(w, "detectable", c->detectable);
    json_key(w, "better");
    if (v == 0) {
        json_null(w);
    } else {
        json_bool(w, v > 0);
    }
    json_close(w, '}');
}

static void write_cells(const struct findings *f, bool differences, struct json_writer *w)
{
    json_member_open(w, differences ? "differences" : "results", '[');
    for (uint32_t i = 0; i < f->measure_count; i++) {
        for (uint32_t a = 0; a < f->x->arm_count; a++) {
            for (uint32_t d = 0; d <= f->measures[i].domains; d++) {
                uint32_t domain = d == 0 ? f->measures[i].domains : d - 1; /* all of it first */
                if (!findings_cell(f, i, a, domain)->present) {
                    continue;
                }
                if (!differences) {
                    write_result(f, i, a, domain, w);
                } else if (a != f->x->baseline) {
                    write_difference(f, i, a, domain, w);
                }
            }
        }
    }
    json_close(w, ']');
}

static void write_curve(const struct findings *f, uint32_t arm, int value, struct json_writer *w)
{
    uint32_t n = f->o->seeds;
    size_t points = f->o->results[0][arm].curve_count;
    double mean[ARM_CURVE_MAX + 1], low[ARM_CURVE_MAX + 1], high[ARM_CURVE_MAX + 1];
    double at[ARM_CURVE_MAX + 1];
    double *x = mem_alloc(n * sizeof *x);
    for (size_t p = 0; p < points; p++) {
        for (uint32_t s = 0; s < n; s++) {
            x[s] = f->o->results[s][arm].curve[p].values[value];
        }
        struct stats_paired t = stats_paired_t(x, n);
        at[p] = (double)f->o->results[0][arm].curve[p].tokens;
        mean[p] = t.mean;
        low[p] = t.low;
        high[p] = t.high;
    }
    mem_free(x);
    json_open(w, '{');
    key_text(w, "arm", f->x->arms[arm].name);
    key_text(w, "measure", value == 0 ? "raw" : "clean");
    key_list(w, "tokens", at, points);
    key_list(w, "mean", mean, points);
    key_list(w, "low", low, points);
    key_list(w, "high", high, points);
    json_member_open(w, "per_seed", '[');
    for (uint32_t s = 0; s < n; s++) {
        json_open(w, '[');
        for (size_t p = 0; p < points; p++) {
            json_double(w, f->o->results[s][arm].curve[p].values[value]);
        }
        json_close(w, ']');
    }
    json_close(w, ']');
    json_close(w, '}');
}

static void write_curves(const struct findings *f, struct json_writer *w)
{
    json_member_open(w, "curves", '[');
    for (int value = 0; value <= (f->x->yard.has_clean ? 1 : 0); value++) {
        for (uint32_t a = 0; a < f->x->arm_count; a++) {
            write_curve(f, a, value, w);
        }
    }
    json_close(w, ']');
    json_member_open(w, "steps_ratio", '[');
    for (uint32_t k = 0; k < 2 * f->x->arm_count; k++) {
        const struct steps_ratio *r = &f->ratios[k];
        if (k / 2 == f->x->baseline || (k % 2 == 1 && !f->x->yard.has_clean)) {
            continue;
        }
        json_open(w, '{');
        key_text(w, "arm", f->x->arms[k / 2].name);
        key_text(w, "baseline", f->x->arms[f->x->baseline].name);
        key_text(w, "measure", k % 2 == 0 ? "raw" : "clean");
        key_list(w, "per_seed", r->per_seed, f->o->seeds);
        json_member_u64(w, "reached", r->reached);
        json_member_u64(w, "seeds", f->o->seeds);
        json_member_double(w, "median", r->median);
        json_close(w, '}');
    }
    json_close(w, ']');
}

static void write_sentences(const struct findings *f, struct json_writer *w)
{
    struct buf text = {0};
    results_sentences(f, &text);
    json_member_open(w, "findings", '[');
    struct str rest = buf_str(&text), line;
    while (str_next_line(&rest, &line)) {
        json_str(w, line);
    }
    json_close(w, ']');
    buf_release(&text);
}

void results_write(const struct findings *f, const struct option_table *table, struct buf *out)
{
    const struct experiment *x = f->x;
    struct json_writer w = {.out = out, .pretty = true};
    json_open(&w, '{');
    json_member_u64(&w, "winnow_prove", 1);
    json_member_bool(&w, "complete", f->o->seeds == x->opt->seeds);
    json_member_u64(&w, "seeds_planned", x->opt->seeds);
    json_member_open(&w, "seeds", '[');
    for (uint32_t s = 0; s < f->o->seeds; s++) {
        json_u64(&w, s + 1);
    }
    json_close(&w, ']');
    key_text(&w, "baseline", x->arms[x->baseline].name);
    json_member_open(&w, "primary", '{');
    key_text(&w, "measure", f->measures[f->primary].name);
    json_member_null(&w, "domain");
    json_close(&w, '}');
    key_text(&w, "regime", x->opt->fixed_pool ? "fixed-pool" : "one-epoch");
    json_member_open(&w, "settings", '{');
    option_write_json(table, x->opt, &w);
    json_close(&w, '}');
    write_method(x, &w);
    write_model(x, &w);
    write_heldout(f, &w);
    write_arms(f, &w);
    write_measures(f, &w);
    write_cells(f, false, &w);
    write_cells(f, true, &w);
    write_curves(f, &w);
    write_cost(f, &w);
    results_write_ways(f, &w);
    json_member_open(&w, "paired", '{');
    json_member_u64(&w, "documents", x->yard.text_count);
    json_member_u64(&w, "items", x->yard.item_count);
    json_close(&w, '}');
    write_sentences(f, &w);
    json_close(&w, '}');
    buf_add_char(out, '\n');
}
