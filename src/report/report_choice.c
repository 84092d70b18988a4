/* report_choice.c -- what a stage `select` chose: how much of the target is explained by how many
 * documents, how many groups the picks are beside those of top-k, and some of them with their
 * nearest neighbours, since a residual alone says nothing of whether the picks make sense. */
#include "base/mem.h"
#include "report/plot.h"
#include "report/report_sections.h"

#define EXCERPT      220U
#define ROUNDS_SHOWN 12U

/* Series of [picks, cosine]; the numbers lie in *room, which is the caller's to free. */
static bool read_course(struct json_value of, struct str name, struct plot_series *out,
                        double **room)
{
    struct json_value course = json_get(of, "course");
    size_t n = json_count(course), count = 0;
    if (n < 2) {
        return false;
    }
    double *x = mem_alloc(2 * n * sizeof *x), *y = x + n;
    *room = x;
    struct json_iter it = json_walk(course);
    while (count < n && json_next(&it)) {
        x[count] = data_item(it.value, 0);
        y[count++] = data_item(it.value, 1);
    }
    *out = (struct plot_series){
        .name = name, .colour = out->colour, .dashed = out->dashed, .count = count, .x = x, .y = y};
    return true;
}

static void add_course(struct json_value choice, struct buf *out)
{
    struct plot_series series[2] = {{.colour = 0}, {.colour = 1, .dashed = true}};
    double *room[2] = {NULL, NULL};
    size_t count = 0;
    count += read_course(choice, data_str(choice, "method"), &series[count], &room[count]);
    count += read_course(json_get(choice, "top_k"), STR_LIT("top-k"), &series[count], &room[count]);
    if (count == 0) {
        return;
    }
    const struct plot_axes axes = {.title = "Cosine with the target, by documents chosen",
                                   .x_label = "documents chosen",
                                   .y_label = "cosine",
                                   .x_number = number_tick};
    buf_add_text(out, "<figure><figcaption>How near the weighted sum of the first picks points to "
                      "the mean of the target's examples: the residual is the root of 1 minus its "
                      "square</figcaption>\n");
    plot_lines(out, &axes, series, count);
    buf_add_text(out, "</figure>\n");
    mem_free(room[0]);
    mem_free(room[1]);
}

static void add_rounds(struct json_value choice, struct buf *out)
{
    static const char *const HEAD[] = {"round", "documents by then", "not explained by its picks",
                                       NULL};
    struct json_iter it = json_walk(json_get(choice, "residual"));
    if (json_count(json_get(choice, "residual")) == 0) {
        return;
    }
    table_open(out, "plain", "rounds of pursuit");
    table_head(out, HEAD, "nnn");
    for (size_t i = 1; i <= ROUNDS_SHOWN && json_next(&it); i++) {
        buf_add_text(out, "<tr>");
        cell_number(out, number_count((double)i));
        cell_number(out, number_count(data_item(it.value, 0)));
        cell_number(out, number_share(data_item(it.value, 1)));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
}

static void add_group_row(const char *name, struct json_value g, struct buf *out)
{
    buf_addf(out, "<tr><th scope=\"row\">%s</th>", name);
    cell_number(out, number_count(data_number(g, "picks")));
    cell_number(out, number_count(data_number(g, "groups")));
    cell_number(out, number_count(data_number(g, "clusters")));
    buf_add_text(out, "</tr>\n");
}

static void add_groups(struct json_value choice, struct buf *out)
{
    static const char *const HEAD[] = {"choice", "picks looked at", "groups of near-copies",
                                       "clusters", NULL};
    struct json_value groups = json_get(choice, "groups"), top = json_get(choice, "top_k");
    if (json_kind(groups) != JSON_OBJECT) {
        return;
    }
    table_open(out, "plain", "groups among the picks");
    table_head(out, HEAD, "lnnn");
    struct buf name = {0};
    html_str(&name, data_str(choice, "method"));
    add_group_row(buf_cstr(&name), groups, out);
    if (json_kind(top) == JSON_OBJECT) {
        add_group_row("top-k of the same budget", json_get(top, "groups"), out);
    }
    table_close(out);
    buf_release(&name);
}

static void add_text_cell(struct json_value d, struct buf *out)
{
    buf_add_text(out, "<td>");
    html_excerpt(out, data_str(d, "text"), EXCERPT);
    buf_add_text(out, "</td>");
}

static void add_pick(struct json_value p, bool open, struct buf *out)
{
    static const char *const HEAD[] = {"cosine", "chosen", "document", NULL};
    buf_addf(out, "<details class=\"program\"%s><summary>", open ? " open" : "");
    buf_addf(out, "%s. <code>", number_count(data_number(p, "order")).text);
    html_str(out, data_str(p, "id"));
    buf_addf(out, "</code> weight %s, gain %s</summary>\n<p>",
             number_real(data_number(p, "weight"), 2).text,
             number_real(data_number(p, "gain"), 4).text);
    html_excerpt(out, data_str(p, "text"), 2 * EXCERPT);
    buf_add_text(out, "</p>\n");
    table_open(out, "plain", "nearest to it");
    table_head(out, HEAD, "nll");
    struct json_iter it = json_walk(json_get(p, "near"));
    while (json_next(&it)) {
        buf_add_text(out, "<tr>");
        cell_number(out, number_real(data_number(it.value, "cosine"), 2));
        bool chosen = false;
        (void)json_as_bool(json_get(it.value, "chosen"), &chosen);
        buf_addf(out, "<td>%s</td>", chosen ? "yes" : "no");
        add_text_cell(it.value, out);
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
    buf_add_text(out, "</details>\n");
}

static void add_instead(struct json_value top, double budget, struct buf *out)
{
    static const char *const HEAD[] = {"score", "document", NULL};
    if (json_kind(top) != JSON_OBJECT) {
        return;
    }
    buf_addf(out,
             "<h3>What top-k would have taken</h3>\n<p>%s of the %s are the same. Its first ones "
             "that are not:</p>\n",
             number_count(data_number(top, "shared")).text, number_count(budget).text);
    table_open(out, "plain", "documents that top-k takes and this choice does not");
    table_head(out, HEAD, "nl");
    struct json_iter it = json_walk(json_get(top, "instead"));
    while (json_next(&it)) {
        buf_add_text(out, "<tr>");
        cell_number(out, number_real(data_number(it.value, "score"), 3));
        add_text_cell(it.value, out);
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
}

static void add_stage(const struct report_stage *s, struct buf *out)
{
    struct json_value c = s->choice;
    buf_add_text(out, "<h3>");
    html_text(out, s->folder);
    buf_addf(out, "</h3>\n<p>%s of %s documents by <code>",
             number_count(data_number(c, "chosen")).text,
             number_count(data_number(c, "documents")).text);
    html_str(out, data_str(c, "method"));
    buf_addf(out, "</code>, under a budget of %s", number_count(data_number(c, "budget")).text);
    if (data_number(c, "copies_left_out") > 0) {
        buf_addf(out, "; %s near-copies of chosen ones were left out",
                 number_count(data_number(c, "copies_left_out")).text);
    }
    buf_add_text(out, ".</p>\n");
    if (data_number(c, "targets_in_corpus") > 0) {
        buf_addf(out,
                 "<p class=\"note\">%s documents stand among the target's examples, word for word: "
                 "nothing may be measured on those.</p>\n",
                 number_count(data_number(c, "targets_in_corpus")).text);
    }
    add_course(c, out);
    add_rounds(c, out);
    add_groups(c, out);
    struct json_value shown = json_get(c, "shown");
    if (json_count(shown) > 0) {
        buf_add_text(out, "<h3>Some picks and what is nearest to them</h3>\n<p class=\"note\">At "
                          "equal distances from the first pick to the last.</p>\n");
    }
    bool first = true;
    for (struct json_iter it = json_walk(shown); json_next(&it); first = false) {
        add_pick(it.value, first, out);
    }
    add_instead(json_get(c, "top_k"), data_number(c, "budget"), out);
}

void report_add_choice(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        if (json_kind(d->stages[i].choice) != JSON_OBJECT) {
            continue;
        }
        if (!open) {
            section_open(out, "choice", "Choice");
            open = true;
        }
        add_stage(&d->stages[i], out);
    }
    if (open) {
        section_close(out);
    }
}
