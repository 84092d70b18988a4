/* report_cost.c -- what the selection cost, and whether it pays.
 *
 * FLOPs of one seed: training the proof's model, and what had to be spent before
 * (making the corpus, training the reference, scoring the pool).  The baseline spends the first
 * only. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

struct cost_row {
    struct str arm;
    double training, preparation, reference, scoring, total;
};

static struct cost_row cost_of(struct json_value v)
{
    return (struct cost_row){
        data_str(v, "arm"),          data_number(v, "training"), data_number(v, "preparation"),
        data_number(v, "reference"), data_number(v, "scoring"),  data_number(v, "total")};
}

static void add_bars(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {
        "arm",     "",      "training the model", "making the corpus", "training the reference",
        "scoring", "in all"};
    double most = 0;
    struct json_iter it = json_walk(data_get(d->proof, "cost.arms"));
    while (json_next(&it)) {
        most = fmax(most, cost_of(it.value).total);
    }
    if (!(most > 0)) {
        return;
    }
    table_open(out, "diff",
               "Floating-point operations of one seed "
               "<span class=\"key\"><i class=\"p0\"></i>training "
               "<i class=\"p1\"></i>the corpus <i class=\"p2\"></i>reference "
               "<i class=\"p3\"></i>scoring</span>");
    table_head(out, HEAD, "llnnnnn");
    it = json_walk(data_get(d->proof, "cost.arms"));
    while (json_next(&it)) {
        struct cost_row r = cost_of(it.value);
        const struct plot_part parts[] = {{r.training / most, "p0", "training"},
                                          {r.preparation / most, "p1", "the corpus"},
                                          {r.reference / most, "p2", "reference"},
                                          {r.scoring / most, "p3", "scoring"}};
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, r.arm);
        buf_add_text(out, "</th><td class=\"fig\">");
        plot_bar(out, parts, 4);
        buf_add_text(out, "</td>");
        cell_number(out, number_flops(r.training));
        cell_number(out, number_flops(r.preparation));
        cell_number(out, number_flops(r.reference));
        cell_number(out, number_flops(r.scoring));
        cell_number(out, number_flops(r.total));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
}

static struct json_value ratio_of(const struct report_data *d, struct str arm, struct str measure)
{
    struct json_iter it = json_walk(json_get(d->proof, "steps_ratio"));
    while (json_next(&it)) {
        if (str_eq(data_str(it.value, "arm"), arm) &&
            str_eq(data_str(it.value, "measure"), measure)) {
            return it.value;
        }
    }
    return (struct json_value){0};
}

static void add_ratio(const struct report_data *d, const struct report_verdict *v, struct str arm,
                      struct buf *out)
{
    struct json_value ratio = ratio_of(d, arm, v->measure);
    double median = data_number(ratio, "median");
    if (json_kind(ratio) != JSON_OBJECT) {
        buf_add_text(out, "<td>\xE2\x80\x93</td>");
        return;
    }
    buf_addf(out, "<td>%s of %s seeds reach the baseline\xE2\x80\x99s final score",
             number_count(data_number(ratio, "reached")).text,
             number_count(data_number(ratio, "seeds")).text);
    if (isfinite(median)) {
        buf_addf(out, ", in the median %s times as fast", number_real(median, 2).text);
    }
    buf_add_text(out, "</td>");
}

static void add_break_even(const struct report_data *d, const struct report_verdict *v,
                           struct buf *out)
{
    static const char *const HEAD[] = {"arm", "steps saved",
                                       "training run that pays for the selection"};
    struct json_value all = data_get(d->proof, "cost.break_even");
    if (json_count(all) == 0) {
        return;
    }
    table_open(out, "plain", "Does it pay?");
    table_head(out, HEAD, "lll");
    struct json_iter it = json_walk(all);
    while (json_next(&it)) {
        struct str arm = data_str(it.value, "arm"), reason = data_str(it.value, "reason");
        double tokens = data_number(it.value, "tokens");
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, arm);
        buf_add_text(out, "</th>");
        add_ratio(d, v, arm, out);
        buf_add_text(out, "<td>");
        if (isfinite(tokens)) {
            buf_addf(out, "%s tokens or more", number_short(tokens).text);
        } else {
            buf_add_text(out, "none");
        }
        if (reason.len > 0) {
            buf_add_text(out, ": ");
            html_str(out, reason);
        }
        buf_add_text(out, "</td></tr>\n");
    }
    table_close(out);
}

void report_add_cost(const struct report_data *d, const struct report_verdict *v, struct buf *out)
{
    double total = 0, seconds = data_number(d->proof_timings, "wall_seconds.total");
    double evaluation = data_number(d->proof, "cost.evaluation");
    if (json_kind(json_get(d->proof, "cost")) != JSON_OBJECT) {
        return;
    }
    section_open(out, "cost", "What it cost");
    struct json_iter it = json_walk(data_get(d->proof, "cost.arms"));
    while (json_next(&it)) {
        total += cost_of(it.value).training;
    }
    add_bars(d, out);
    add_break_even(d, v, out);
    buf_addf(out, "<p class=\"note\">Training all arms once: %s floating-point operations",
             number_flops(total).text);
    if (isfinite(evaluation)) {
        buf_addf(out, "; evaluating them: %s", number_flops(evaluation).text);
    }
    buf_add_text(out, ".");
    if (isfinite(seconds)) {
        buf_addf(out, " The whole proof took %s.", number_seconds(seconds).text);
    }
    buf_add_text(out, "</p>\n");
    section_close(out);
}
