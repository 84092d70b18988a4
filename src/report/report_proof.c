/* report_proof.c -- the differences between arms, measure by measure.
 *
 * Differences are shown and tested, not levels: seeds are paired, so what they
 * share (the split, the held-out text) cancels.  Measures of one unit stand on
 * one scale, so that their rows can be compared by eye. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

void section_open(struct buf *out, const char *id, const char *heading)
{
    buf_addf(out, "<section id=\"%s\">\n<h2>%s</h2>\n", id, heading);
}

void section_close(struct buf *out)
{
    buf_add_text(out, "</section>\n");
}

void cell_str(struct buf *out, struct str s)
{
    buf_add_text(out, "<td>");
    html_str(out, s);
    buf_add_text(out, "</td>");
}

void cell_number(struct buf *out, struct number n)
{
    buf_addf(out, "<td class=\"n\">%s</td>", n.text);
}

void table_open(struct buf *out, const char *class_name, const char *caption)
{
    buf_addf(
        out,
        "<figure class=\"card\"><figcaption>%s</figcaption><div class=\"scroll\" tabindex=\"0\">"
        "<table class=\"%s\">\n",
        caption, class_name);
}

void table_head(struct buf *out, const char *const *names, const char *kinds)
{
    buf_add_text(out, "<thead><tr>");
    for (size_t i = 0; kinds[i]; i++) {
        buf_addf(out, "<th scope=\"col\"%s>%s</th>", kinds[i] == 'n' ? " class=\"n\"" : "",
                 names[i]);
    }
    buf_add_text(out, "</tr></thead>\n<tbody>\n");
}

void table_close(struct buf *out)
{
    buf_add_text(out, "</tbody></table></div></figure>\n");
}

static void reach(struct plot_scale *scale, double v)
{
    scale->low = fmin(scale->low, v);
    scale->high = fmax(scale->high, v);
}

/* What the rows against the random subset span, of the measures of that unit. */
static void reach_random(const struct report_data *d, const struct report_verdict *v,
                         struct str unit, struct plot_scale *scale)
{
    struct arena keep;
    arena_init(&keep, 4096);
    struct json_iter it = json_walk(json_get(d->proof, "measures"));
    while (json_next(&it)) {
        struct report_paired p;
        if (!str_eq(data_str(it.value, "unit"), unit)) {
            continue;
        }
        report_pair(d, v->arm, report_arm_of_kind(d, "random"), data_str(it.value, "name"), &keep,
                    &p);
        for (size_t i = 0; p.there && i < p.seeds; i++) {
            reach(scale, p.per_seed[i]);
        }
        if (p.there) {
            reach(scale, p.low);
            reach(scale, p.high);
        }
    }
    arena_release(&keep);
}

/* What all rows of a unit (all domains together) span, with zero in it. */
static struct plot_scale scale_of_unit(const struct report_data *d, const struct report_verdict *v,
                                       struct str unit)
{
    struct plot_scale scale = {0, 0};
    struct json_iter it = json_walk(json_get(d->proof, "differences"));
    while (json_next(&it)) {
        struct json_value measure = report_measure(d, data_str(it.value, "measure"));
        if (data_str(it.value, "domain").len > 0 || !str_eq(data_str(measure, "unit"), unit)) {
            continue;
        }
        struct json_value interval = json_get(it.value, "t_interval");
        double mean = data_number(it.value, "mean");
        reach(&scale, mean);
        reach(&scale, data_item(interval, 0));
        reach(&scale, data_item(interval, 1));
        struct json_iter seed = json_walk(json_get(it.value, "per_seed"));
        while (json_next(&seed)) {
            double one;
            if (json_as_double(seed.value, &one)) {
                reach(&scale, one);
            }
        }
    }
    reach_random(d, v, unit, &scale);
    double margin = (scale.high - scale.low) * 0.04;
    return (struct plot_scale){scale.low - margin, scale.high + margin};
}

struct row {
    struct str arm, baseline;
    struct plot_mean mean;
    double p;
    double better; /* seeds */
    enum report_outcome outcome;
    bool alone; /* not corrected for the number of comparisons */
};

/* What a reader has to know beside the tag: unclear although the row's own interval
 * lies beside 0, or clear only by that. */
static const char *correction(const struct row *r)
{
    bool beside = r->mean.low > 0 || r->mean.high < 0;
    return r->alone && beside ? " <span class=\"why\">not corrected for several comparisons</span>"
           : r->outcome == OUTCOME_UNCLEAR && beside ? " <span class=\"why\">once corrected</span>"
                                                     : "";
}

static void add_row(const struct row *r, struct str unit, struct plot_scale scale, struct buf *out)
{
    const char *says = report_outcome_name(r->outcome);
    int decimals = report_decimals(unit);
    buf_add_text(out, "<tr><th scope=\"row\">");
    html_str(out, r->arm);
    buf_add_text(out, " <span class=\"mute\">minus</span> ");
    html_str(out, r->baseline);
    buf_add_text(out, "</th><td class=\"fig\">");
    plot_interval(out, scale, &r->mean, says);
    buf_addf(out, "</td><td><span class=\"tag %s\">%s</span>%s</td>", says, says, correction(r));
    cell_number(out, number_signed(r->mean.mean, decimals));
    buf_addf(out, "<td class=\"n\">%s to %s</td>", number_signed(r->mean.low, decimals).text,
             number_signed(r->mean.high, decimals).text);
    buf_addf(out, "<td class=\"n\">%s</td>",
             isfinite(r->p) && r->p < 0.001 ? "&lt; 0.001" : number_real(r->p, 3).text);
    buf_addf(out, "<td class=\"n\">%s of %s</td></tr>\n", number_count(r->better).text,
             number_count((double)r->mean.point_count).text);
}

static void add_difference_row(struct json_value difference, struct str unit,
                               struct plot_scale scale, struct buf *out)
{
    struct arena scratch;
    arena_init(&scratch, 4096);
    struct json_value interval = json_get(difference, "t_interval");
    struct row r = {.arm = data_str(difference, "arm"),
                    .baseline = data_str(difference, "baseline"),
                    .mean = {.mean = data_number(difference, "mean"),
                             .low = data_item(interval, 0),
                             .high = data_item(interval, 1)},
                    .p = data_number(difference, "p_holm"),
                    .better = data_number(difference, "seeds_better"),
                    .outcome = report_outcome_of(difference)};
    r.mean.points = data_numbers(json_get(difference, "per_seed"), &scratch, &r.mean.point_count);
    add_row(&r, unit, scale, out);
    arena_release(&scratch);
}

/* The arm in question against the random subset, where the proof itself compares
 * with the baseline only. */
static void add_random_row(const struct report_data *d, const struct report_verdict *v,
                           struct str measure, struct plot_scale scale, struct buf *out)
{
    struct arena scratch;
    struct report_paired p;
    struct str random = report_arm_of_kind(d, "random");
    arena_init(&scratch, 4096);
    report_pair(d, v->arm, random, measure, &scratch, &p);
    if (p.there &&
        json_kind(report_difference(d, v->arm, random, measure, STR_LIT(""))) != JSON_OBJECT) {
        const struct row r = {.arm = v->arm,
                              .baseline = random,
                              .mean = {p.mean, p.low, p.high, p.per_seed, p.seeds},
                              .p = (double)NAN,
                              .better = (double)p.better,
                              .outcome = p.outcome,
                              .alone = true};
        add_row(&r, data_str(report_measure(d, measure), "unit"), scale, out);
    }
    arena_release(&scratch);
}

/* The largest difference that a row of the measure might have missed; NaN where no row says. */
static double detectable(const struct report_data *d, struct str measure)
{
    double most = NAN;
    struct json_iter it = json_walk(json_get(d->proof, "differences"));
    while (json_next(&it)) {
        if (str_eq(data_str(it.value, "measure"), measure) &&
            data_str(it.value, "domain").len == 0) {
            most = fmax(most, data_number(it.value, "detectable"));
        }
    }
    return most;
}

static void add_measure(const struct report_data *d, const struct report_verdict *v,
                        struct json_value measure, struct buf *out)
{
    static const char *const HEAD[] = {"arms",          "difference", "says",        "mean",
                                       "95 % interval", "p",          "seeds better"};
    struct str name = data_str(measure, "name"), unit = data_str(measure, "unit");
    struct plot_scale scale = scale_of_unit(d, v, unit);
    bool lower = true, primary = false, any = false;
    (void)json_as_bool(json_get(measure, "lower_is_better"), &lower);
    (void)json_as_bool(json_get(measure, "primary"), &primary);
    struct json_iter it = json_walk(json_get(d->proof, "differences"));
    while (json_next(&it)) {
        if (!str_eq(data_str(it.value, "measure"), name) || data_str(it.value, "domain").len > 0) {
            continue;
        }
        if (!any) {
            struct buf caption = {0};
            html_str(&caption, data_str(measure, "label"));
            buf_add_text(&caption, primary ? " <span class=\"tag\">primary measure</span>" : "");
            buf_add_text(&caption, " <span class=\"mute\">");
            html_str(&caption, unit);
            buf_addf(&caption, ", %s", lower ? "less is better" : "more is better");
            if (isfinite(detectable(d, name))) {
                buf_addf(&caption, "; a true difference of %s would be seen 8 times of 10",
                         number_real(detectable(d, name), report_decimals(unit)).text);
            }
            buf_add_text(&caption, "</span>");
            table_open(out, "diff", buf_cstr(&caption));
            buf_release(&caption);
            table_head(out, HEAD, "lllnnnn");
        }
        any = true;
        add_difference_row(it.value, unit, scale, out);
    }
    if (any) {
        add_random_row(d, v, name, scale, out);
        buf_add_text(out, "<tr class=\"axisrow\"><td></td><td class=\"fig\">");
        plot_interval_axis(out, scale, 3);
        buf_add_text(out, "</td><td colspan=\"5\"></td></tr>\n");
        table_close(out);
    }
}

static void add_arms(const struct report_data *d, const struct report_verdict *v, struct buf *out)
{
    static const char *const HEAD[] = {"arm",
                                       "documents",
                                       "tokens it has",
                                       "trained on",
                                       "epochs over its own",
                                       "tokens a document",
                                       "primary measure",
                                       "sd over seeds"};
    struct json_value arms = json_get(d->proof, "arms");
    if (json_kind(arms) != JSON_ARRAY) {
        return;
    }
    struct str domain = data_str(d->proof, "primary.domain");
    table_open(out, "plain", "The arms (means over seeds)");
    table_head(out, HEAD, "lnnnnnnn");
    struct json_iter it = json_walk(arms);
    while (json_next(&it)) {
        struct str name = data_str(it.value, "name");
        struct json_value result = report_result(d, name, v->measure, domain);
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, name);
        buf_add_text(out, "</th>");
        cell_number(out, number_count(data_number(it.value, "documents")));
        cell_number(out, number_short(data_number(it.value, "tokens_available")));
        cell_number(out, number_short(data_number(it.value, "tokens_trained")));
        cell_number(out, number_real(data_number(it.value, "epochs"), 2));
        cell_number(out, number_count(data_number(it.value, "mean_document_tokens")));
        cell_number(out, number_real(data_number(result, "mean"), 4));
        cell_number(out, number_real(data_number(result, "sd"), 4));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
}

static void add_findings(const struct report_data *d, struct buf *out)
{
    struct json_value findings = json_get(d->proof, "findings");
    if (json_kind(findings) != JSON_ARRAY || json_count(findings) == 0) {
        return;
    }
    buf_add_text(out, "<details class=\"data\"><summary>All findings in words</summary>\n<ul "
                      "class=\"findings\">\n");
    struct json_iter it = json_walk(findings);
    while (json_next(&it)) {
        struct str s;
        if (json_as_str(it.value, &s)) {
            buf_add_text(out, "<li>");
            html_str(out, s);
            buf_add_text(out, "</li>\n");
        }
    }
    buf_add_text(out, "</ul></details>\n");
}

void report_add_proof(const struct report_data *d, const struct report_verdict *v, struct buf *out)
{
    if (json_kind(d->proof) != JSON_OBJECT) {
        return;
    }
    section_open(out, "proof", "The proof");
    buf_add_text(
        out, "<p>Small models of the same shape were trained from scratch on each corpus, with the "
             "same tokenizer, number of tokens and schedule. Each seed draws its own split, "
             "reference model, random subset and data order, the same for all arms.");
    if (isfinite(data_number(d->proof, "heldout.documents"))) {
        buf_addf(out,
                 " They were judged on %s held-out documents (%s tokens) that "
                 "neither the reference model nor any arm had seen.",
                 number_count(data_number(d->proof, "heldout.documents")).text,
                 number_short(data_number(d->proof, "heldout.tokens")).text);
    }
    buf_add_text(out, "</p>\n");
    struct json_value measures = json_get(d->proof, "measures");
    if (json_kind(measures) == JSON_ARRAY &&
        json_kind(json_get(d->proof, "differences")) == JSON_ARRAY) {
        struct json_iter it = json_walk(measures);
        for (int primary_turn = 1; primary_turn >= 0; primary_turn--) {
            it = json_walk(measures);
            while (json_next(&it)) {
                if (str_eq(data_str(it.value, "name"), v->measure) == (primary_turn == 1)) {
                    add_measure(d, v, it.value, out);
                }
            }
        }
        buf_add_text(
            out,
            "<p class=\"note\">A dot is a seed, a bar the 95 % interval of the paired difference "
            "(t "
            "over seeds). p is corrected for the number of comparisons (Holm) in two families: the "
            "primary measure, with as many as there are arms beside the baseline, and all other "
            "measures and domains together. \xE2\x80\x9CUnclear, once corrected\xE2\x80\x9D: "
            "the interval of this row alone does not hold 0, but of so many rows one may do so by "
            "chance, and the corrected p is 0.05 or more. \xE2\x80\x9CNot corrected for several "
            "comparisons\xE2\x80\x9D: "
            "a comparison beside those, with the random documents, by its own interval "
            "alone.</p>\n");
    }
    add_arms(d, v, out);
    add_findings(d, out);
    section_close(out);
}
