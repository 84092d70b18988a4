/* report_scores.c -- the distribution of the score and the band that was kept. */
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

/* The figure's numbers, for those who cannot see it. */
static void add_bins(const struct plot_histogram *h, struct buf *out)
{
    static const char *const HEAD[] = {"score from", "to", "pool", "kept"};
    buf_add_text(out, "<details class=\"data\"><summary>The numbers of this figure</summary>\n");
    table_open(out, "plain", "Documents by score; empty bins left out");
    table_head(out, HEAD, "nnnn");
    for (size_t i = 0; i < h->count; i++) {
        if (h->all[i] > 0) {
            buf_add_text(out, "<tr>");
            cell_number(out, number_real(h->low + (double)i * h->width, 3));
            cell_number(out, number_real(h->low + (double)(i + 1) * h->width, 3));
            cell_number(out, number_count(h->all[i]));
            cell_number(out, number_count(h->kept[i]));
            buf_add_text(out, "</tr>\n");
        }
    }
    table_close(out);
    buf_add_text(out, "</details>\n");
}

static void add_histogram(const struct report_stage *s, struct buf *out)
{
    struct arena keep;
    size_t bins, kept_bins;
    struct json_value edge = {0};
    arena_init(&keep, 8192);
    struct json_iter it = json_walk(json_get(s->prune, "edges"));
    bool one_edge = json_count(json_get(s->prune, "edges")) == 1 && json_next(&it);
    if (one_edge) {
        edge = it.value;
    }
    struct plot_histogram h = {
        .title = "Distribution of the score over the pool, with what was kept",
        .x_label = "score: mean NLL a token (nats)",
        .low = data_number(s->prune, "histogram.low"),
        .width = data_number(s->prune, "histogram.width"),
        .edge_low = data_number(edge, "low"),
        .edge_high = data_number(edge, "high"),
    };
    h.all = data_numbers(data_get(s->prune, "histogram.pool"), &keep, &bins);
    h.kept = data_numbers(data_get(s->prune, "histogram.kept"), &keep, &kept_bins);
    h.count = bins;
    if (bins > 0 && bins == kept_bins) {
        buf_add_text(out,
                     "<figure><div class=\"legend\"><span><i class=\"swatch kept\"></i>kept</span> "
                     "<span><i class=\"swatch out\"></i>removed</span></div>\n");
        plot_histogram(out, &h);
        buf_add_text(out, "</figure>\n");
        add_bins(&h, out);
    }
    arena_release(&keep);
}

static void add_quantiles(const struct report_stage *s, struct buf *out)
{
    struct json_value quantiles = json_get(s->prune, "quantiles");
    if (json_count(quantiles) == 0) {
        return;
    }
    static const char *const HEAD[] = {"share of the pool below", "score", "perplexity"};
    buf_add_text(out, "<details class=\"data\"><summary>Quantiles of the score</summary>\n");
    table_open(out, "plain", "Quantiles");
    table_head(out, HEAD, "nnn");
    struct json_iter it = json_walk(quantiles);
    while (json_next(&it)) {
        double score = data_number(it.value, "score");
        buf_add_text(out, "<tr>");
        cell_number(out, number_share(data_number(it.value, "share")));
        cell_number(out, number_real(score, 3));
        cell_number(out, number_real(exp(score), 1));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
    buf_add_text(out, "</details>\n");
}

static void add_composition(const struct report_stage *s, struct buf *out)
{
    static const char *const HEAD[] = {
        "source", "text before and after", "documents", "kept", "text", "kept", "share kept"};
    struct json_value all = json_get(s->prune, "composition");
    double most = 1;
    struct json_iter it = json_walk(all);
    while (json_next(&it)) {
        most = fmax(most, data_number(it.value, "bytes_before"));
    }
    if (json_count(all) == 0) {
        return;
    }
    table_open(
        out, "diff",
        "By source <span class=\"key\"><i class=\"p0\"></i>before <i class=\"p2\"></i>kept</span>");
    table_head(out, HEAD, "llnnnnn");
    it = json_walk(all);
    while (json_next(&it)) {
        double before = data_number(it.value, "bytes_before");
        double after = data_number(it.value, "bytes_after");
        const struct plot_part parts[] = {{before / most, "p0", NULL}, {after / most, "p2", NULL}};
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, data_str(it.value, "source"));
        buf_add_text(out, "</th><td class=\"fig small\">");
        plot_bar(out, &parts[0], 1);
        plot_bar(out, &parts[1], 1);
        buf_add_text(out, "</td>");
        cell_number(out, number_count(data_number(it.value, "documents_before")));
        cell_number(out, number_count(data_number(it.value, "documents_after")));
        cell_number(out, number_bytes(before));
        cell_number(out, number_bytes(after));
        cell_number(out, number_share(before > 0 ? after / before : (double)NAN));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
}

/* Where the score says mostly where a document is from, one band over all chooses sources. */
static void add_consistency(const struct report_stage *s, struct buf *out)
{
    double sources = data_number(s->prune, "consistency.between_sources");
    double groups = data_number(s->prune, "consistency.between_groups");
    struct str by = data_str(s->prune, "by");
    if (isfinite(sources)) {
        buf_addf(out, "<p>%s of the score\xE2\x80\x99s variance lies between sources",
                 number_share(sources).text);
        if (isfinite(groups) && !str_is(by, "source")) {
            buf_addf(out, ", %s between groups by ", number_share(groups).text);
            html_str(out, by);
        }
        buf_add_text(out, by.len > 0 ? "; each group was cut by its own scores, so none went for "
                                       "its mean.</p>\n"
                                     : "; all were cut by one band, which chooses by that, too "
                                       "(<code>by: source</code>, <code>by: cluster</code> do "
                                       "not).</p>\n");
    }
}

void report_add_scores(const struct report_data *d, struct buf *out)
{
    for (size_t i = 0; i < d->stage_count; i++) {
        const struct report_stage *s = &d->stages[i];
        if (json_kind(s->prune) != JSON_OBJECT) {
            continue;
        }
        section_open(out, "scores", "How documents were chosen");
        buf_add_text(
            out, "<p>A small reference model, trained on documents set aside for it, read every "
                 "other document: low scores are predictable text, high ones surprising. Kept is "
                 "the <b>");
        html_str(out, data_str(s->prune, "criterion"));
        buf_addf(out, "</b> band of the score, %s of the pool (%s of %s documents); score: ",
                 number_share(data_number(s->prune, "rate")).text,
                 number_count(data_number(s->prune, "documents.kept")).text,
                 number_count(data_number(s->prune, "documents.pool")).text);
        html_str(out, data_str(s->prune, "score"));
        buf_add_text(out, ".</p>\n");
        add_consistency(s, out);
        add_histogram(s, out);
        add_quantiles(s, out);
        add_composition(s, out);
        section_close(out);
    }
}
