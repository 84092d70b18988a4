/* report_domains.c -- where the difference comes from: domain by domain, beside
 * the share of training text that the selection left each domain. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

#define DOMAINS_MAX 200U

struct domain_row {
    struct str name;
    double share_before, share_after; /* of training tokens; NaN */
    double before, after;             /* the primary measure */
    struct json_value difference;
};

static double share_of(struct json_value arm, struct str source)
{
    struct json_value all = json_get(arm, "composition");
    if (json_kind(all) == JSON_ARRAY) {
        struct json_iter it = json_walk(all);
        while (json_next(&it)) {
            if (str_eq(data_str(it.value, "source"), source)) {
                return data_number(it.value, "tokens");
            }
        }
    }
    return (double)NAN;
}

static size_t find_rows(const struct report_data *d, const struct report_verdict *v,
                        struct domain_row *rows)
{
    size_t count = 0;
    struct json_value domains = data_get(d->proof, "heldout.domains");
    struct json_value before = report_arm(d, v->baseline), after = report_arm(d, v->arm);
    struct json_iter it = {0};
    if (json_kind(domains) != JSON_ARRAY) {
        return 0;
    }
    it = json_walk(domains);
    while (json_next(&it) && count < DOMAINS_MAX) {
        struct domain_row row = {.name = data_str(it.value, "name")};
        row.difference = report_difference(d, v->arm, v->baseline, v->measure, row.name);
        row.before = data_number(report_result(d, v->baseline, v->measure, row.name), "mean");
        row.after = data_number(report_result(d, v->arm, v->measure, row.name), "mean");
        row.share_before = share_of(before, row.name);
        row.share_after = share_of(after, row.name);
        if (row.name.len > 0 && (isfinite(row.before) || isfinite(row.share_before))) {
            rows[count++] = row;
        }
    }
    return count;
}

static struct plot_scale scale_of(const struct domain_row *rows, size_t count)
{
    struct plot_scale scale = {0, 0};
    for (size_t i = 0; i < count; i++) {
        struct json_value interval = json_get(rows[i].difference, "t_interval");
        double mean = data_number(rows[i].difference, "mean");
        scale.low = fmin(scale.low, fmin(data_item(interval, 0), mean));
        scale.high = fmax(scale.high, fmax(data_item(interval, 1), mean));
    }
    double margin = (scale.high - scale.low) * 0.04;
    return (struct plot_scale){scale.low - margin, scale.high + margin};
}

static void add_row(const struct domain_row *row, struct plot_scale scale, double most_share,
                    int decimals, struct buf *out)
{
    struct json_value interval = json_get(row->difference, "t_interval");
    enum report_outcome outcome = report_outcome_of(row->difference);
    buf_add_text(out, "<tr><th scope=\"row\">");
    html_str(out, row->name);
    buf_add_text(out, "</th><td class=\"fig\">");
    if (outcome != OUTCOME_NO_PROOF) {
        plot_interval(out, scale,
                      &(struct plot_mean){data_number(row->difference, "mean"),
                                          data_item(interval, 0), data_item(interval, 1), NULL, 0},
                      report_outcome_name(outcome));
    }
    buf_add_text(out, "</td>");
    cell_number(out, number_signed(data_number(row->difference, "mean"), decimals));
    buf_addf(out, "<td class=\"n\">%s to %s</td>",
             number_signed(data_item(interval, 0), decimals).text,
             number_signed(data_item(interval, 1), decimals).text);
    cell_number(out, number_real(row->before, 3));
    cell_number(out, number_real(row->after, 3));
    buf_add_text(out, "<td class=\"fig small\">");
    const struct plot_part before = {row->share_before / most_share, "p0", "before"};
    const struct plot_part after = {row->share_after / most_share, "p2", "after"};
    plot_bar(out, &before, 1);
    plot_bar(out, &after, 1);
    buf_add_text(out, "</td>");
    cell_number(out, number_share(row->share_before));
    cell_number(out, number_share(row->share_after));
    buf_add_text(out, "</tr>\n");
}

void report_add_domains(const struct report_data *d, const struct report_verdict *v,
                        struct buf *out)
{
    static const char *const HEAD[] = {"domain",
                                       "difference",
                                       "mean",
                                       "95 % interval",
                                       "measure before",
                                       "after",
                                       "share of training tokens",
                                       "before",
                                       "after"};
    struct domain_row rows[DOMAINS_MAX];
    size_t count = find_rows(d, v, rows);
    if (count == 0) {
        return;
    }
    struct plot_scale scale = scale_of(rows, count);
    double most_share = 1e-9;
    size_t better = 0, worse = 0;
    for (size_t i = 0; i < count; i++) {
        most_share = fmax(most_share, fmax(rows[i].share_before, rows[i].share_after));
        better += report_outcome_of(rows[i].difference) == OUTCOME_BETTER;
        worse += report_outcome_of(rows[i].difference) == OUTCOME_WORSE;
    }
    section_open(out, "domains", "Domain by domain");
    buf_addf(
        out,
        "<p>Of %zu domains, %zu are better and %zu worse after than before; for the other %zu "
        "the difference is not clear once it is corrected for the number of comparisons.</p>\n",
        count, better, worse, count - better - worse);
    struct buf caption = {0};
    buf_add_text(&caption, "Before: <b>");
    html_str(&caption, v->baseline);
    buf_add_text(&caption, "</b>, after: <b>");
    html_str(&caption, v->arm);
    buf_add_text(&caption, "</b>; ");
    html_str(&caption, v->label);
    table_open(out, "diff domains", buf_cstr(&caption));
    buf_release(&caption);
    table_head(out, HEAD, "llnnnnlnn");
    for (size_t i = 0; i < count; i++) {
        add_row(&rows[i], scale, most_share, report_decimals(v->unit) - 1, out);
    }
    buf_add_text(out, "<tr class=\"axisrow\"><td></td><td class=\"fig\">");
    plot_interval_axis(out, scale, 2);
    buf_add_text(out, "</td><td colspan=\"7\"></td></tr>\n");
    table_close(out);
    section_close(out);
}
