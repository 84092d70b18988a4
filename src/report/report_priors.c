/* report_priors.c -- what the human priors saw: near-copies, languages, quality.
 *
 * Each is a figure of shares by source or by language, since a total hides who loses: others'
 * deduplications emptied sources, and classifiers that scored well knew the source alone. */
#include "base/mem.h"
#include "base/sort.h"
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

#define SHOWN_MAX 40U

struct bar_row {
    struct str name;
    double all, part;
};

/* The greatest first; of equal ones in the order of names. */
static int by_all(const void *pa, const void *pb)
{
    const struct bar_row *a = pa, *b = pb;
    return a->all != b->all ? (a->all > b->all ? -1 : 1) : str_cmp(a->name, b->name);
}

static void add_bars(struct bar_row *rows, size_t count, struct buf *out)
{
    double most = 1;
    sort(rows, count, sizeof *rows, by_all);
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, rows[i].all);
    }
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        const struct plot_part all = {rows[i].all / most, "p0", NULL};
        const struct plot_part part = {rows[i].part / most, "p2", NULL};
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, rows[i].name.len > 0 ? rows[i].name : STR_LIT("(none)"));
        buf_add_text(out, "</th><td class=\"fig mid\">");
        plot_bar(out, &all, 1);
        plot_bar(out, &part, 1);
        buf_add_text(out, "</td>");
        cell_number(out, number_count(rows[i].all));
        cell_number(out, number_count(rows[i].part));
        cell_number(out, number_share(rows[i].all > 0 ? rows[i].part / rows[i].all : (double)NAN));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
    if (count > SHOWN_MAX) {
        buf_addf(out, "<p class=\"note\">and %zu more</p>\n", count - SHOWN_MAX);
    }
}

static void add_heading(const struct report_stage *s, struct buf *out)
{
    buf_add_text(out, "<h3>");
    html_text(out, s->folder);
    buf_add_text(out, "</h3>\n");
}

/* ---- near-copies ---- */

static void add_largest(struct json_value near, double in, struct buf *out)
{
    struct json_value largest = json_get(near, "largest");
    double documents = data_number(largest, "documents");
    if (!(documents > 1)) {
        return;
    }
    buf_addf(out, " The largest cluster has %s documents (", number_count(documents).text);
    buf_addf(out, "%s of all); one of them is <code>", number_share(documents / in).text);
    html_str(out, data_str(largest, "first"));
    buf_add_text(out, "</code>.");
}

static void add_near(const struct report_stage *s, struct buf *out)
{
    static const char *const HEAD[] = {
        "source", "documents in and gone", "in", "gone", "share gone", NULL};
    struct json_value near = s->near, list = json_get(near, "sources");
    double in = data_number(near, "in"), removed = data_number(near, "removed");
    size_t all = json_kind(list) == JSON_ARRAY ? json_count(list) : 0, count = 0;
    add_heading(s, out);
    buf_addf(out, "<p>%s of", number_count(removed).text);
    buf_addf(out, " %s documents are near-copies of one that stays, in", number_count(in).text);
    buf_addf(out, " %s clusters.", number_count(data_number(near, "clusters")).text);
    add_largest(near, in, out);
    double chained = data_number(near, "chained");
    if (chained > 0) {
        buf_addf(out,
                 " %s went by a chain: they are like one that went, less like the one that "
                 "stays.",
                 number_count(chained).text);
    }
    buf_add_text(out, "</p>\n");
    struct bar_row *rows = mem_alloc((all + 1) * sizeof *rows);
    struct json_iter it = {0};
    if (all > 0) {
        it = json_walk(list);
    }
    while (count < all && json_next(&it)) {
        rows[count++] = (struct bar_row){data_str(it.value, "source"), data_number(it.value, "in"),
                                         data_number(it.value, "removed")};
    }
    if (count > 0) {
        table_open(out, "diff",
                   "Near-copies by source <span class=\"key\"><i "
                   "class=\"p0\"></i>in <i class=\"p2\"></i>gone</span>");
        table_head(out, HEAD, "llnnn");
        add_bars(rows, count, out);
    }
    mem_free(rows);
}

void report_add_duplicates(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        if (json_kind(d->stages[i].near) != JSON_OBJECT) {
            continue;
        }
        if (!open) {
            section_open(out, "duplicates", "Near-copies");
            open = true;
        }
        add_near(&d->stages[i], out);
    }
    if (open) {
        section_close(out);
    }
}

/* ---- languages ---- */

static void add_languages(const struct report_stage *s, struct json_value languages,
                          struct buf *out)
{
    static const char *const HEAD[] = {
        "language", "documents in and kept", "in", "kept", "share kept", NULL};
    size_t all = json_count(languages), count = 0;
    struct bar_row *rows = mem_alloc((all + 1) * sizeof *rows);
    struct json_iter it = json_walk(languages);
    while (count < all && json_next(&it)) {
        rows[count++] =
            (struct bar_row){it.key, data_number(it.value, "in"), data_number(it.value, "kept")};
    }
    add_heading(s, out);
    table_open(out, "diff",
               "Documents by language <span class=\"key\"><i class=\"p0\"></i>in "
               "<i class=\"p2\"></i>kept</span>");
    table_head(out, HEAD, "llnnn");
    add_bars(rows, count, out);
    mem_free(rows);
}

void report_add_languages(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        struct json_value languages = data_get(d->stages[i].stats, "notes.languages");
        if (json_kind(languages) != JSON_OBJECT || json_count(languages) == 0) {
            continue;
        }
        if (!open) {
            section_open(out, "languages", "Languages");
            open = true;
        }
        add_languages(&d->stages[i], languages, out);
    }
    if (open) {
        section_close(out);
    }
}

/* ---- quality ---- */

/* What the score knows beyond the name of the source. */
static void add_source_only(struct json_value q, struct buf *out)
{
    double auc = data_number(q, "auc"), alone = data_number(q, "source_only_auc");
    double between = data_number(q, "explained_by_source");
    buf_add_text(out, "<p>");
    if (isfinite(auc)) {
        buf_addf(out, "The score tells good documents from bad with an AUC of <b>%s</b>",
                 number_real(auc, 3).text);
        buf_addf(out, " (95 %%: %s to", number_real(data_number(q, "auc_low"), 3).text);
        buf_addf(out, " %s); the name of the source alone has",
                 number_real(data_number(q, "auc_high"), 3).text);
        buf_addf(out, " <b>%s</b>. ", number_real(alone, 3).text);
    }
    if (isfinite(between)) {
        buf_addf(out, "The source explains <b>%s</b> of the variance of the score.",
                 number_share(between).text);
    }
    buf_add_text(out, "</p>\n");
}

static void add_quality_row(struct str name, struct json_value of, struct buf *out)
{
    double mean = data_number(of, "mean"), sd = data_number(of, "sd");
    double documents = data_number(of, "documents"), kept = data_number(of, "kept");
    buf_add_text(out, "<tr><th scope=\"row\">");
    html_str(out, name.len > 0 ? name : STR_LIT("(none)"));
    buf_add_text(out, "</th><td class=\"fig\">");
    if (isfinite(mean)) {
        const struct plot_mean m = {mean, isfinite(sd) ? fmax(0, mean - sd) : (double)NAN,
                                    isfinite(sd) ? fmin(1, mean + sd) : (double)NAN, NULL, 0};
        plot_interval(out, (struct plot_scale){-0.02, 1.02}, &m, "unclear");
    }
    buf_add_text(out, "</td>");
    cell_number(out, number_real(mean, 3));
    cell_number(out, number_real(sd, 3));
    cell_number(out, number_count(documents));
    cell_number(out, number_share(documents > 0 ? kept / documents : (double)NAN));
    buf_add_text(out, "</tr>\n");
}

static void add_quality(const struct report_stage *s, struct json_value q, struct buf *out)
{
    static const char *const HEAD[] = {
        "source", "mean score and deviation", "mean", "deviation", "documents", "share kept", NULL};
    struct json_value sources = json_get(q, "sources");
    size_t shown = 0;
    add_heading(s, out);
    add_source_only(q, out);
    if (json_kind(sources) != JSON_OBJECT || json_count(sources) == 0) {
        return;
    }
    table_open(out, "diff", "The score of each source");
    table_head(out, HEAD, "llnnnn");
    struct json_iter it = json_walk(sources);
    while (shown++ < SHOWN_MAX && json_next(&it)) {
        add_quality_row(it.key, it.value, out);
    }
    buf_add_text(out, "<tr class=\"axisrow\"><td></td><td class=\"fig\">");
    plot_interval_axis(out, (struct plot_scale){-0.02, 1.02}, 1);
    buf_add_text(out, "</td><td colspan=\"4\"></td></tr>\n");
    table_close(out);
}

void report_add_quality(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        struct json_value q = data_get(d->stages[i].stats, "notes.quality");
        if (json_kind(q) != JSON_OBJECT) {
            continue;
        }
        if (!open) {
            section_open(out, "quality", "Quality, source by source");
            open = true;
        }
        add_quality(&d->stages[i], q, out);
    }
    if (open) {
        section_close(out);
    }
}
