/* report_sources.c -- what became of each source, and what a reader must hear
 * first: sources of which next to nothing is left, and inputs that could not be read.
 *
 * A source is counted from the first stage that knows it (a stage over pages makes
 * it) to the last stage. */
#include "base/mem.h"
#include "base/sort.h"
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

#define SHOWN_MAX     60U
#define SHARES_MAX    25U
#define VANISHED_MIN  20.0 /* documents of a source that is missed */
#define VANISHED_PART 50.0 /* fewer than one in so many are kept */
#define NAMED_MAX     5U

struct source_row {
    struct str name;
    double in, kept;
    const char *stage; /* the first that kept none, or the one that took most */
};

static struct json_value sources_of(const struct report_stage *s)
{
    return json_get(s->stats, "sources");
}

/* Follows one source through the stages behind the first that counts sources. */
static void follow(const struct report_data *d, size_t first, struct source_row *row)
{
    double most = 0, before = row->in;
    for (size_t i = first; i < d->stage_count; i++) {
        struct json_value of = json_get_str(sources_of(&d->stages[i]), row->name);
        double kept = data_number(of, "kept");
        kept = isfinite(kept) ? kept : 0;
        if (before - kept > most) {
            most = before - kept;
            row->stage = d->stages[i].folder;
        }
        row->kept = before = kept;
    }
}

/* Largest loss first; of the same loss in the order of names. */
static int by_loss(const void *pa, const void *pb)
{
    const struct source_row *a = pa, *b = pb;
    double left_a = a->in > 0 ? a->kept / a->in : 1, left_b = b->in > 0 ? b->kept / b->in : 1;
    return left_a != left_b ? (left_a < left_b ? -1 : 1) : str_cmp(a->name, b->name);
}

/* All sources in an allocation of the caller's. */
static struct source_row *find_sources(const struct report_data *d, size_t *count)
{
    size_t first = 0;
    *count = 0;
    while (first < d->stage_count && json_count(sources_of(&d->stages[first])) == 0) {
        first++;
    }
    size_t all = first < d->stage_count ? json_count(sources_of(&d->stages[first])) : 0;
    struct source_row *rows = mem_alloc((all + 1) * sizeof *rows);
    struct json_iter it = {0};
    if (all > 0) {
        it = json_walk(sources_of(&d->stages[first]));
    }
    while (*count < all && json_next(&it)) {
        rows[*count] = (struct source_row){.name = it.key, .in = data_number(it.value, "in")};
        follow(d, first, &rows[(*count)++]);
    }
    sort(rows, *count, sizeof *rows, by_loss);
    return rows;
}

static void add_vanished(const struct source_row *rows, size_t count, struct buf *out)
{
    size_t vanished = 0;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].kept * VANISHED_PART >= rows[i].in || rows[i].in < VANISHED_MIN) {
            continue;
        }
        if (vanished == 0) {
            buf_add_text(out, "<p class=\"alert\"><b>Next to nothing is left of</b> ");
        }
        if (vanished < NAMED_MAX) {
            buf_add_text(out, vanished > 0 ? ", " : "");
            html_str(out, rows[i].name);
            buf_addf(out, " (%s of", number_count(rows[i].kept).text);
            buf_addf(out, " %s documents, most lost in ", number_count(rows[i].in).text);
            html_text(out, rows[i].stage ? rows[i].stage : "");
            buf_add_text(out, ")");
        }
        vanished++;
    }
    if (vanished > NAMED_MAX) {
        buf_addf(out, " and %zu more source%s", vanished - NAMED_MAX,
                 vanished == NAMED_MAX + 1 ? "" : "s");
    }
    buf_add_text(out, vanished > 0 ? ". Is that right?</p>\n" : "");
}

/* Inputs that broke off or could not be read, as the first stage has them, and
 * those that were passed over. */
static void add_lost(const struct report_data *d, struct buf *out)
{
    static const char *const LISTS[][2] = {{"bad_shards", "Not read to its end:"},
                                           {"skipped_files", "Passed over:"}};
    for (size_t k = 0; k < 2 && d->stage_count > 0; k++) {
        struct json_value list = json_get(d->stages[0].stats, LISTS[k][0]);
        size_t all = json_kind(list) == JSON_ARRAY ? json_count(list) : 0, shown = 0;
        struct json_iter it = {0};
        if (all > 0) {
            it = json_walk(list);
            buf_addf(out, "<p class=\"alert\"><b>%s</b> ", LISTS[k][1]);
        }
        for (; shown < all && shown < NAMED_MAX && json_next(&it); shown++) {
            struct str reason = data_str(it.value, "reason");
            buf_add_text(out, shown > 0 ? "; " : "");
            html_str(out, data_str(it.value, "path"));
            buf_add_text(out, reason.len > 0 ? ": " : "");
            html_str(out, reason);
        }
        if (all > shown) {
            buf_addf(out, " and %zu more", all - shown);
        }
        buf_add_text(out, all > 0 ? ".</p>\n" : "");
    }
}

static void add_learnt_little(const struct report_data *d, struct buf *out)
{
    for (size_t i = 0; i < d->stage_count; i++) {
        struct json_iter it = json_walk(json_get(d->stages[i].prune, "reference"));
        bool little = false;
        while (!little && json_next(&it)) {
            (void)json_as_bool(json_get(it.value, "learnt_little"), &little);
        }
        if (little) {
            buf_add_text(out, "<p class=\"alert\"><b>The reference model has learnt next to "
                              "nothing:</b> its loss is near that of guessing, so the scores by "
                              "which ");
            html_str(out, str_of(d->stages[i].folder));
            buf_add_text(out, " chose say little about the texts.</p>\n");
        }
    }
}

void report_add_alerts(const struct report_data *d, struct buf *out)
{
    size_t count;
    struct source_row *rows = find_sources(d, &count);
    add_vanished(rows, count, out);
    add_lost(d, out);
    add_learnt_little(d, out);
    mem_free(rows);
}

/* Of all that a stage has, how much is of the source; NaN where it has none. */
static double share_in(const struct report_stage *s, struct str source, const char *field)
{
    double all = 0, own = 0;
    struct json_iter it = json_walk(sources_of(s));
    while (json_next(&it)) {
        double n = data_number(it.value, field);
        all += isfinite(n) ? n : 0;
        own = str_eq(it.key, source) && isfinite(n) ? n : own;
    }
    return all > 0 ? own / all : (double)NAN;
}

static void shares_head(const struct report_data *d, size_t first, struct buf *out)
{
    table_open(out, "diff", "Share of each source of the documents, before and behind each stage");
    buf_add_text(out, "<thead><tr><th scope=\"col\">source</th><th scope=\"col\" "
                      "class=\"n\">before</th>");
    for (size_t i = first; i < d->stage_count; i++) {
        buf_add_text(out, "<th scope=\"col\" class=\"n\">");
        html_text(out, d->stages[i].folder);
        buf_add_text(out, "</th>");
    }
    buf_add_text(out, "</tr></thead><tbody>\n");
}

static int by_in(const void *pa, const void *pb)
{
    const struct source_row *a = pa, *b = pb;
    return a->in != b->in ? (a->in > b->in ? -1 : 1) : str_cmp(a->name, b->name);
}

/* A stage may turn a mixture over without emptying any source: so all shares, stage by stage. */
static void add_shares(const struct report_data *d, struct source_row *rows, size_t count,
                       struct buf *out)
{
    size_t first = 0;
    while (first < d->stage_count && json_count(sources_of(&d->stages[first])) == 0) {
        first++;
    }
    if (first == d->stage_count) {
        return;
    }
    sort(rows, count, sizeof *rows, by_in);
    shares_head(d, first, out);
    for (size_t i = 0; i < count && i < SHARES_MAX; i++) {
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, rows[i].name);
        buf_add_text(out, "</th>");
        cell_number(out, number_share(share_in(&d->stages[first], rows[i].name, "in")));
        for (size_t k = first; k < d->stage_count; k++) {
            cell_number(out, number_share(share_in(&d->stages[k], rows[i].name, "kept")));
        }
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
    if (count > SHARES_MAX) {
        buf_addf(out, "<p class=\"note\">of the %u largest sources</p>\n", SHARES_MAX);
    }
}

void report_add_sources(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {"source",     "documents in and kept", "in", "kept",
                                       "share kept", "most lost in"};
    size_t count;
    double most = 1;
    struct source_row *rows = find_sources(d, &count);
    for (size_t i = 0; i < count; i++) {
        most = fmax(most, rows[i].in);
    }
    if (count > 1) {
        section_open(out, "sources", "What became of each source");
        table_open(out, "diff",
                   "Documents by source, the greatest loss first <span class=\"key\"><i "
                   "class=\"p0\"></i>in <i class=\"p2\"></i>kept</span>");
        table_head(out, HEAD, "llnnnl");
    }
    for (size_t i = 0; count > 1 && i < count && i < SHOWN_MAX; i++) {
        const struct plot_part in = {rows[i].in / most, "p0", NULL};
        const struct plot_part kept = {rows[i].kept / most, "p2", NULL};
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, rows[i].name);
        buf_add_text(out, "</th><td class=\"fig small\">");
        plot_bar(out, &in, 1);
        plot_bar(out, &kept, 1);
        buf_add_text(out, "</td>");
        cell_number(out, number_count(rows[i].in));
        cell_number(out, number_count(rows[i].kept));
        cell_number(out, number_share(rows[i].in > 0 ? rows[i].kept / rows[i].in : (double)NAN));
        cell_str(out, str_of(rows[i].stage ? rows[i].stage : ""));
        buf_add_text(out, "</tr>\n");
    }
    if (count > 1) {
        table_close(out);
        if (count > SHOWN_MAX) {
            buf_addf(out, "<p class=\"note\">and %zu more source%s (stats.json)</p>\n",
                     count - SHOWN_MAX, count == SHOWN_MAX + 1 ? "" : "s");
        }
        add_shares(d, rows, count, out);
        section_close(out);
    }
    mem_free(rows);
}
