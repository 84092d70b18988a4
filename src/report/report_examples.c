/* report_examples.c -- documents to look at: around the threshold, and samples of
 * what came in, what was removed and what is left. */
#include "base/utf8.h"
#include "report/report_sections.h"

#include <math.h>

#define EXCERPT 700U /* code points */

static void open_card(struct buf *out, const char *class_name)
{
    buf_addf(out, "<article class=\"doc %s\"><header>", class_name);
}

static void add_text(struct buf *out, struct str text, bool cut)
{
    buf_add_text(out, "</header><pre>");
    html_excerpt(out, text, EXCERPT);
    buf_add_text(out, cut && utf8_count(text) <= EXCERPT ? "\xE2\x80\xA6</pre></article>\n"
                                                         : "</pre></article>\n");
}

static void add_example(struct json_value e, const char *place, struct buf *out)
{
    bool kept = false;
    (void)json_as_bool(json_get(e, "kept"), &kept);
    open_card(out, kept ? "kept" : "gone");
    buf_addf(out, "<span class=\"tag %s\">%s</span> <b>%s</b> %s<br><code>",
             kept ? "better" : "worse", kept ? "kept" : "removed",
             number_real(data_number(e, "score"), 3).text, place);
    html_str(out, data_str(e, "id"));
    buf_add_text(out, "</code>");
    add_text(out, data_str(e, "text"), utf8_count(data_str(e, "text")) >= 400);
}

/* The places in the distribution, in its order, with what to call them. */
static const struct {
    const char *where, *heading;
} PLACES[] = {
    {"lowest", "the most predictable"},         {"below", "just below the band"},
    {"inside-low", "just inside, lower edge"},  {"middle", "in the middle"},
    {"inside-high", "just inside, upper edge"}, {"above", "just above the band"},
    {"highest", "the most surprising"},
};

void report_add_edge_examples(const struct report_data *d, struct buf *out)
{
    for (size_t i = 0; i < d->stage_count; i++) {
        struct json_value examples = json_get(d->stages[i].prune, "examples");
        if (json_count(examples) == 0) {
            continue;
        }
        section_open(out, "examples", "Documents around the threshold");
        buf_add_text(out, "<p>From the most predictable to the most surprising, with the score of "
                          "each.</p>\n<div class=\"cards\">\n");
        for (size_t p = 0; p < sizeof PLACES / sizeof *PLACES; p++) {
            struct json_iter it = json_walk(examples);
            while (json_next(&it)) {
                if (data_is(it.value, "where", PLACES[p].where)) {
                    add_example(it.value, PLACES[p].heading, out);
                }
            }
        }
        buf_add_text(out, "</div>\n");
        section_close(out);
    }
}

static void add_sample(const struct report_sample *s, struct buf *out)
{
    open_card(out, s->rule.len > 0 ? "gone" : "");
    buf_add_text(out, "<code>");
    html_str(out, s->id);
    buf_addf(out, "</code> <span class=\"mute\">%s of text</span>",
             number_bytes((double)s->text_bytes).text);
    if (s->rule.len > 0) {
        buf_add_text(out, " <span class=\"tag worse\">");
        html_str(out, s->rule);
        if (isfinite(s->score)) {
            buf_addf(out, " %s", number_real(s->score, 3).text);
        }
        if (isfinite(s->threshold)) {
            buf_addf(out, ", threshold %s", number_real(s->threshold, 3).text);
        }
        buf_add_text(out, "</span>");
    }
    add_text(out, s->text, s->text.len < s->text_bytes);
}

static void add_samples(const char *heading, const char *note, const struct report_sample *samples,
                        size_t count, struct buf *out)
{
    if (count == 0) {
        return;
    }
    buf_addf(out, "<h3>%s</h3>\n<p class=\"note\">%s</p>\n<div class=\"cards\">\n", heading, note);
    for (size_t i = 0; i < count; i++) {
        add_sample(&samples[i], out);
    }
    buf_add_text(out, "</div>\n");
}

static void add_removed(const struct report_data *d, struct buf *out)
{
    for (size_t i = 0; i < d->removed_count; i++) {
        const struct report_sample *s = &d->removed[i];
        const struct report_sample *before = i > 0 ? &d->removed[i - 1] : NULL;
        if (!before || !str_eq(before->stage, s->stage) || !str_eq(before->rule, s->rule)) {
            buf_add_text(out, before ? "</div>\n" : "");
            buf_add_text(out, "<h3>Removed by ");
            html_str(out, s->stage);
            buf_add_text(out, ": ");
            html_str(out, s->rule);
            buf_add_text(out, "</h3>\n<div class=\"cards\">\n");
        }
        add_sample(s, out);
    }
    buf_add_text(out, d->removed_count > 0 ? "</div>\n" : "");
}

void report_add_samples(const struct report_data *d, struct buf *out)
{
    if (d->before_count + d->after_count + d->removed_count == 0) {
        return;
    }
    section_open(out, "samples", "Samples");
    add_samples("Before", "Drawn at random from the first stage\xE2\x80\x99s documents.", d->before,
                d->before_count, out);
    add_samples("After", "Drawn at random from what is left at the end.", d->after, d->after_count,
                out);
    add_removed(d, out);
    section_close(out);
}
