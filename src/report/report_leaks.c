/* report_leaks.c -- benchmark text that was found: how much of each benchmark, and the
 * passages with the items beside them, since a count alone says nothing of whether a find
 * is one. */
#include "report/report_sections.h"

#include <math.h>

static void add_benchmarks(struct json_value leak, struct buf *out)
{
    static const char *const HEAD[] = {"benchmark", "items",     "looked for", "found",
                                       "share",     "documents", NULL};
    table_open(out, "plain", "items of each benchmark that are in the corpus");
    table_head(out, HEAD, "lnnnnn");
    struct json_iter it = json_walk(json_get(leak, "benchmarks"));
    while (json_next(&it)) {
        double looked_for = data_number(it.value, "looked_for");
        double found = data_number(it.value, "found");
        buf_add_text(out, "<tr>");
        cell_str(out, data_str(it.value, "name"));
        cell_number(out, number_count(data_number(it.value, "items")));
        cell_number(out, number_count(looked_for));
        cell_number(out, number_count(found));
        cell_number(out, number_share(looked_for > 0 ? found / looked_for : (double)NAN));
        cell_number(out, number_count(data_number(it.value, "documents")));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
}

static void add_cell(struct str text, struct buf *out)
{
    buf_add_text(out, "<td>");
    html_str(out, text);
    buf_add_text(out, "</td>");
}

static void add_example(struct json_value e, bool open, struct buf *out)
{
    buf_addf(out, "<details class=\"program\"%s><summary><code>", open ? " open" : "");
    html_str(out, data_str(e, "id"));
    buf_add_text(out, "</code> <span class=\"tag worse\">");
    html_str(out, data_str(e, "benchmark"));
    buf_addf(out, " %s</span> <code>", number_real(data_number(e, "share"), 2).text);
    html_str(out, data_str(e, "item"));
    buf_add_text(out, "</code></summary>\n<table class=\"beside\"><thead><tr><th>in the "
                      "document</th><th>the item</th></tr></thead><tbody><tr>");
    add_cell(data_str(e, "passage"), out);
    add_cell(data_str(e, "item_text"), out);
    buf_add_text(out, "</tr></tbody></table></details>\n");
}

static void add_stage(const struct report_stage *s, struct buf *out)
{
    struct json_value leak = s->leak;
    buf_add_text(out, "<h3>");
    html_text(out, s->folder);
    buf_addf(out, "</h3>\n<p>%s of %s documents hold an item, by the rule <code>",
             number_count(data_number(leak, "documents_found")).text,
             number_count(data_number(leak, "documents")).text);
    html_str(out, data_str(leak, "rule"));
    buf_addf(out, "</code> (%s words in a row); ", number_count(data_number(leak, "n")).text);
    buf_add_text(out, data_is(leak, "action", "drop")  ? "they went.</p>\n"
                      : data_is(leak, "action", "cut") ? "the passages were cut out.</p>\n"
                                                       : "they were labelled and stayed.</p>\n");
    double blind = data_number(leak, "items_without_gram");
    if (blind > 0) {
        buf_addf(out,
                 "<p class=\"note\">%s of %s items are too short for the rule and cannot be "
                 "found by it.</p>\n",
                 number_count(blind).text, number_count(data_number(leak, "items")).text);
    }
    add_benchmarks(leak, out);
    struct json_value examples = json_get(leak, "examples");
    if (json_count(examples) > 0) {
        buf_add_text(out, "<h3>Passages and items</h3>\n<p class=\"note\">Documents drawn at "
                          "random from those that hold an item.</p>\n");
    }
    bool first = true;
    for (struct json_iter it = json_walk(examples); json_next(&it); first = false) {
        add_example(it.value, first, out);
    }
}

void report_add_leaks(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        if (json_kind(d->stages[i].leak) != JSON_OBJECT) {
            continue;
        }
        if (!open) {
            section_open(out, "leaks", "Leakage");
            open = true;
        }
        add_stage(&d->stages[i], out);
    }
    if (open) {
        section_close(out);
    }
}
