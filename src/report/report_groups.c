/* report_groups.c -- what the corpus is about: clusters of a diversify with their words, what is
 * left of each, and how even the corpus is over them before and after. */
#include "base/mem.h"
#include "base/sort.h"
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>

#define SHOWN_MAX 40U

struct group_row {
    struct json_value of;
    double number, in, kept;
};

/* The largest first. */
static int by_size(const void *pa, const void *pb)
{
    const struct group_row *a = pa, *b = pb;
    return a->in != b->in ? (a->in > b->in ? -1 : 1)
                          : (a->number > b->number) - (a->number < b->number);
}

static void add_words(struct json_value group, struct buf *out)
{
    struct json_iter it = json_walk(json_get(group, "words"));
    bool first = true;
    for (struct str word; json_next(&it) && json_as_str(it.value, &word); first = false) {
        buf_add_text(out, first ? "" : ", ");
        html_str(out, word);
    }
    buf_add_text(out, first ? "(no word sets it apart)" : "");
}

static void add_row(const struct group_row *g, double most, struct buf *out)
{
    const struct plot_part in = {g->in / most, "p0", NULL}, kept = {g->kept / most, "p2", NULL};
    buf_addf(out, "<tr><th scope=\"row\">%s</th><td>", number_count(g->number).text);
    add_words(g->of, out);
    buf_add_text(out, "</td><td class=\"fig small\">");
    plot_bar(out, &in, 1);
    plot_bar(out, &kept, 1);
    buf_add_text(out, "</td>");
    cell_number(out, number_count(g->in));
    cell_number(out, number_count(g->kept));
    cell_number(out, number_share(g->in > 0 ? g->kept / g->in : (double)NAN));
    buf_add_text(out, "</tr>\n");
}

static void add_table(struct json_value groups, struct buf *out)
{
    static const char *const HEAD[] = {"cluster", "words", "documents in and kept",
                                       "in",      "kept",  "share kept"};
    size_t all = json_count(groups), count = 0;
    struct group_row *rows = mem_alloc((all + 1) * sizeof *rows);
    struct json_iter it = json_walk(groups);
    while (count < all && json_next(&it)) {
        rows[count++] =
            (struct group_row){it.value, data_number(it.value, "cluster"),
                               data_number(it.value, "in"), data_number(it.value, "kept")};
    }
    sort(rows, count, sizeof *rows, by_size);
    table_open(out, "diff",
               "Clusters, the largest first <span class=\"key\"><i class=\"p0\"></i>in <i "
               "class=\"p2\"></i>kept</span>");
    table_head(out, HEAD, "lllnnn");
    for (size_t i = 0; i < count && i < SHOWN_MAX; i++) {
        add_row(&rows[i], fmax(rows[0].in, 1), out);
    }
    table_close(out);
    if (count > SHOWN_MAX) {
        buf_addf(out, "<p class=\"note\">and %zu more clusters (state/diversify.json)</p>\n",
                 count - SHOWN_MAX);
    }
    mem_free(rows);
}

static void add_stage(const struct report_stage *s, struct buf *out)
{
    struct json_value d = s->diversify;
    buf_add_text(out, "<h3>");
    html_text(out, s->folder);
    buf_addf(out, "</h3>\n<p>%s documents in %s clusters of ",
             number_count(data_number(d, "documents")).text,
             number_count(data_number(d, "clusters")).text);
    html_str(out, data_str(d, "vectors"));
    buf_add_text(out, ", method <b>");
    html_str(out, data_str(d, "method"));
    buf_addf(out, "</b>: %s near-copies, %s near a centroid and %s not drawn went. ",
             number_count(data_number(d, "near_copies")).text,
             number_count(data_number(d, "prototypes")).text,
             number_count(data_number(d, "not_drawn")).text);
    buf_addf(out, "Coverage: %s bits before, ",
             number_real(data_number(d, "coverage_before.entropy_bits"), 2).text);
    buf_addf(out, "%s after: as even as ",
             number_real(data_number(d, "coverage_after.entropy_bits"), 2).text);
    buf_addf(out, "%s equal clusters before and ",
             number_real(data_number(d, "coverage_before.even_clusters"), 1).text);
    buf_addf(out, "%s after.</p>\n",
             number_real(data_number(d, "coverage_after.even_clusters"), 1).text);
    add_table(json_get(d, "groups"), out);
}

void report_add_groups(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        if (json_kind(d->stages[i].diversify) != JSON_OBJECT) {
            continue;
        }
        if (!open) {
            section_open(out, "groups", "What it is about");
            open = true;
        }
        add_stage(&d->stages[i], out);
    }
    if (open) {
        section_close(out);
    }
}
