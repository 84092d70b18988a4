/* report_settings.c -- how to get the same result again. */
#include "base/json_write.h"
#include "report/report_sections.h"

#include <math.h>

/* A member's value as text: strings bare, the rest as JSON would write it. */
static void add_value(struct json_value v, struct buf *out)
{
    struct str text;
    double number;
    bool flag;
    struct json_iter it;
    switch (json_kind(v)) {
    case JSON_STRING:
        (void)json_as_str(v, &text);
        html_str(out, text);
        break;
    case JSON_NUMBER: {
        (void)json_as_double(v, &number);
        struct buf digits = {0};
        struct json_writer w = {.out = &digits};
        json_double(&w, number);
        buf_add_str(out, buf_str(&digits));
        buf_release(&digits);
        break;
    }
    case JSON_BOOL:
        (void)json_as_bool(v, &flag);
        buf_add_text(out, flag ? "yes" : "no");
        break;
    case JSON_ARRAY:
        it = json_walk(v);
        for (size_t i = 0; json_next(&it); i++) {
            buf_add_text(out, i > 0 ? ", " : "");
            buf_addf(out, "%s", json_as_str(it.value, &text) ? "" : "\xE2\x80\xA6");
            html_str(out, json_as_str(it.value, &text) ? text : STR_LIT(""));
        }
        break;
    case JSON_OBJECT:
        buf_add_text(out, "\xE2\x80\xA6");
        break;
    case JSON_NONE:
    case JSON_NULL:
        buf_add_text(out, "\xE2\x80\x93");
        break;
    }
}

static void add_settings_of(const char *name, struct json_value settings, struct buf *out)
{
    if (json_count(settings) == 0) {
        return;
    }
    buf_add_text(out, "<details class=\"data\"><summary>Options of ");
    html_text(out, name);
    buf_add_text(out, "</summary>\n<dl>\n");
    struct json_iter it = json_walk(settings);
    while (json_next(&it)) {
        buf_add_text(out, "<div><dt>");
        html_str(out, it.key);
        buf_add_text(out, "</dt><dd>");
        add_value(it.value, out);
        buf_add_text(out, "</dd></div>\n");
    }
    buf_add_text(out, "</dl></details>\n");
}

static void add_times(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {"stage", "seconds", "threads", "resumed"};
    struct json_value stages = json_get(d->timings, "stages");
    if (json_count(stages) == 0) {
        return;
    }
    table_open(out, "plain", "Time (this is what differs from run to run)");
    table_head(out, HEAD, "lnnn");
    struct json_iter it = json_walk(stages);
    while (json_next(&it)) {
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_str(out, it.key);
        buf_add_text(out, "</th>");
        cell_number(out, number_seconds(data_number(it.value, "seconds")));
        cell_number(out, number_count(data_number(it.value, "threads")));
        cell_number(out, number_count(data_number(it.value, "resumed")));
        buf_add_text(out, "</tr>\n");
    }
    table_close(out);
    if (isfinite(data_number(d->timings, "peak_memory_bytes"))) {
        buf_addf(out, "<p class=\"note\">Peak memory: %s.</p>\n",
                 number_bytes(data_number(d->timings, "peak_memory_bytes")).text);
    }
}

static void add_hashes(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {"stage", "version",
                                       "key: a hash of all that its bytes depend on"};
    table_open(out, "plain", "Stages and their keys");
    table_head(out, HEAD, "lll");
    for (size_t i = 0; i < d->stage_count; i++) {
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_text(out, d->stages[i].folder);
        buf_add_text(out, "</th>");
        cell_str(out, data_str(d->stages[i].stats, "winnow"));
        buf_add_text(out, "<td><code>");
        html_str(out, data_str(d->stages[i].stats, "key"));
        buf_add_text(out, "</code></td></tr>\n");
    }
    table_close(out);
}

/* Of a proof or a study alone: by which options. */
static void add_settings_alone(const struct report_data *d, struct buf *out)
{
    buf_add_text(out,
                 "<p>The same corpus, options, seed and version give the same bytes, whatever the "
                 "number of threads; <code>timings.json</code> aside.</p>\n");
    add_settings_of("the proof", json_get(d->proof, "settings"), out);
    add_settings_of("the study", json_get(d->study, "settings"), out);
    section_close(out);
}

void report_add_settings(const struct report_data *d, struct buf *out)
{
    section_open(out, "settings", "How to get this again");
    if (!d->is_run) {
        add_settings_alone(d, out);
        return;
    }
    buf_add_text(
        out, "<p>The same recipe, input, seed and version give the same bytes, whatever the number "
             "of threads; <code>timings.json</code> aside. Save the recipe below and run</p>\n"
             "<pre class=\"code\">winnow run recipe.yaml\nwinnow verify ");
    html_text(out, d->folder);
    buf_add_text(out, "\nwinnow explain ");
    html_text(out, d->folder);
    buf_add_text(out, " ID      # all that happened to one document</pre>\n");
    if (d->recipe.len > 0) {
        buf_add_text(
            out, "<details class=\"data\" open><summary>The recipe as it was understood</summary>"
                 "<pre class=\"code\">");
        html_str(out, d->recipe);
        buf_add_text(out, "</pre></details>\n");
    }
    add_hashes(d, out);
    add_times(d, out);
    for (size_t i = 0; i < d->stage_count; i++) {
        add_settings_of(d->stages[i].folder, json_get(d->stages[i].stats, "settings"), out);
    }
    add_settings_of("the proof", json_get(d->proof, "settings"), out);
    section_close(out);
}
