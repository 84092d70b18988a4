/* report_mix.c -- what each group is of the corpus before a mix and behind it, and how often its
 * documents are repeated. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

#define GROUPS_MAX 60U

static void add_row(struct json_value g, struct buf *out)
{
    double before = data_number(g, "share"), after = data_number(g, "share_after");
    double epochs = data_number(g, "epochs");
    const struct plot_part in = {before, "p0", NULL}, kept = {after, "p2", NULL};
    buf_add_text(out, "<tr><th scope=\"row\">");
    html_str(out, data_str(g, "name"));
    buf_add_text(out, "</th><td class=\"fig small\">");
    plot_bar(out, &in, 1);
    plot_bar(out, &kept, 1);
    buf_add_text(out, "</td>");
    cell_number(out, number_share(before));
    cell_number(out, number_share(after));
    cell_number(out, number_real(epochs, 2));
    cell_number(out, number_count(data_number(g, "documents")));
    cell_number(out, number_count(data_number(g, "distinct")));
    cell_number(out, number_count(data_number(g, "documents_after")));
    buf_add_text(out, "</tr>\n");
}

static void add_note(struct json_value mix, struct buf *out)
{
    double unit = data_number(mix, "units_a_token");
    buf_addf(out, "<p class=\"note\">%s tokens came in, %s go on",
             number_short(data_number(mix, "before.units") / unit).text,
             number_short(data_number(mix, "after.units") / unit).text);
    buf_add_text(out, data_is(mix, "unit", "bytes")
                          ? " (4 bytes of text taken for one). "
                          : " (by the tokenizer given, an end-of-text token a document). ");
    double aside = data_number(mix, "validation");
    if (aside > 0) {
        buf_addf(out, "%s documents were set aside to validate with. ", number_count(aside).text);
    }
    if (json_kind(json_get(mix, "upsample")) == JSON_OBJECT) {
        buf_add_text(out, "Within each group, copies rise with <code>");
        html_str(out, data_str(mix, "upsample.by"));
        buf_add_text(out, "</code>. ");
    }
    buf_add_text(out, "Shares are of tokens. Up to about four epochs, repeats were found to be "
                      "nearly as good as new text.</p>\n");
}

static void add_stage(const struct report_stage *s, struct buf *out)
{
    static const char *const HEAD[] = {"group",      "share before and after",
                                       "before",     "after",
                                       "epochs",     "documents",
                                       "of them on", "with copies"};
    struct json_value groups = json_get(s->mix, "groups");
    size_t n = 0;
    table_open(out, "diff",
               "Shares of tokens <span class=\"key\"><i class=\"p0\"></i>before <i "
               "class=\"p2\"></i>after</span>");
    table_head(out, HEAD, "llnnnnnn");
    struct json_iter it = json_walk(groups);
    while (n < GROUPS_MAX && json_next(&it)) {
        add_row(it.value, out);
        n++;
    }
    table_close(out);
    if (json_count(groups) > n) {
        buf_addf(out, "<p class=\"note\">and %zu more (state/mix.json)</p>\n",
                 json_count(groups) - n);
    }
    add_note(s->mix, out);
}

void report_add_mix(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        if (json_kind(json_get(d->stages[i].mix, "groups")) != JSON_ARRAY) {
            continue;
        }
        if (!open) {
            section_open(out, "mix", "The mixture");
            open = true;
        }
        add_stage(&d->stages[i], out);
    }
    if (open) {
        section_close(out);
    }
}
