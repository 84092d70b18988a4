/* report_programs.c -- what a refiner's programs did: figures, calls, and documents
 * before and after, line beside line.
 *
 * Programs cut lines and mend strings but add no line, so the text after is the
 * text before with holes: one walk over both finds them.  A line that is not the next
 * one on the right was removed, or mended where the two are alike and the right one
 * does not come later.  Both texts are short (refine.json holds their beginning). */
#include "report/report_sections.h"

#include <math.h>

#define ROWS_MAX 120U  /* of one document */
#define RUN_ROWS 6U    /* of a run of removed lines */
#define RUN_MAX  4096U /* lines of a run */

/* ---- figures ---- */

static void add_figure(struct buf *out, const char *name, struct number value, const char *note)
{
    buf_addf(out, "<tr><th scope=\"row\">%s</th>", name);
    cell_number(out, value);
    buf_addf(out, "<td class=\"mute\">%s</td></tr>\n", note);
}

static struct number share_of(struct json_value v, const char *part, const char *whole)
{
    return number_share(data_number(v, part) / data_number(v, whole));
}

static void add_documents(struct json_value v, struct buf *out)
{
    double bytes = data_number(v, "text_bytes.in");
    table_open(out, "plain", "Documents and programs");
    buf_add_text(out, "<tbody>\n");
    add_figure(out, "documents", number_count(data_number(v, "documents.in")),
               "that the stage read");
    add_figure(out, "with a program", share_of(v, "documents.with_program", "documents.in"), "");
    add_figure(out, "edited", share_of(v, "documents.edited", "documents.in"),
               "lines removed or strings mended");
    add_figure(out, "dropped", share_of(v, "documents.dropped", "documents.in"),
               "by their program");
    add_figure(out, "left empty", share_of(v, "documents.emptied", "documents.in"),
               "nothing stayed of them");
    add_figure(out, "text removed",
               number_share((bytes - data_number(v, "text_bytes.kept")) / bytes),
               "of the bytes, dropped documents included");
    add_figure(out, "lines removed", share_of(v, "lines.removed", "lines.in"), "");
    add_figure(out, "calls a program",
               number_real(data_number(v, "calls.count") / data_number(v, "programs.count"), 2),
               "");
    add_figure(out, "ill-formed calls", share_of(v, "calls.ill_formed", "calls.count"),
               "what the grammar does not know");
    add_figure(out, "rejected calls", share_of(v, "calls.rejected", "calls.count"),
               "well-formed, but not to be executed as they stand");
    if (data_is(v, "dialect", "prox")) {
        add_figure(out, "calls without effect", share_of(v, "calls.no_ops", "calls.count"),
                   "passed over in silence by ProX\xE2\x80\x99s own executor");
    }
    add_figure(out, "unknown answers", number_count(data_number(v, "programs.unknown")),
               "neither keep nor drop: the document was kept");
    buf_add_text(out, "</tbody>\n");
    table_close(out);
}

static void add_asked(struct json_value v, struct buf *out)
{
    struct json_value a = json_get(v, "asked");
    if (json_kind(a) != JSON_OBJECT || data_number(a, "prompt_tokens") == 0) {
        return;
    }
    table_open(out, "plain", "Questions to the refiner");
    buf_add_text(out, "<tbody>\n");
    add_figure(out, "questions", number_count(data_number(a, "requests")), "");
    add_figure(out, "tokens read", number_short(data_number(a, "prompt_tokens")), "of prompts");
    add_figure(out, "tokens written", number_short(data_number(a, "new_tokens")), "of programs");
    double flops = data_number(a, "flops");
    if (flops > 0) {
        add_figure(out, "operations", number_flops(flops), "2 a parameter and token");
    }
    add_figure(out, "cut off", share_of(a, "cut", "requests"), "at the last token allowed");
    add_figure(out, "refused", number_count(data_number(a, "refused")),
               "longer than the context, say");
    add_figure(out, "long lines", number_count(data_number(a, "long_lines_skipped")),
               "not shown to the refiner");
    buf_add_text(out, "</tbody>\n");
    table_close(out);
}

/* ---- calls ---- */

static void add_operations(struct json_value v, struct buf *out)
{
    static const char *const HEAD[] = {"call",         "accepted", "rejected", "lines or places",
                                       "share of all", NULL};
    struct json_value ops = json_get(v, "operations");
    if (json_count(ops) == 0) {
        return;
    }
    table_open(out, "plain", "Calls");
    table_head(out, HEAD, "lnnnn");
    buf_add_text(out, "<tbody>\n");
    for (struct json_iter it = json_walk(ops); json_next(&it);) {
        double accepted = data_number(it.value, "accepted");
        double rejected = data_number(it.value, "rejected");
        buf_add_text(out, "<tr><th scope=\"row\"><code>");
        html_str(out, data_str(it.value, "call"));
        buf_add_text(out, "</code></th>");
        cell_number(out, number_count(accepted));
        cell_number(out, number_count(rejected));
        cell_number(out, number_count(data_number(it.value, "matches")));
        cell_number(out, number_share((accepted + rejected) / data_number(v, "calls.count")));
        buf_add_text(out, "</tr>\n");
    }
    buf_add_text(out, "</tbody>\n");
    table_close(out);
}

static void add_reasons(struct json_value v, struct buf *out)
{
    static const char *const HEAD[] = {"why calls were rejected", "calls", NULL};
    struct json_value reasons = json_get(v, "reasons");
    if (json_count(reasons) == 0) {
        return;
    }
    table_open(out, "plain", "Rejected calls");
    table_head(out, HEAD, "ln");
    buf_add_text(out, "<tbody>\n");
    for (struct json_iter it = json_walk(reasons); json_next(&it);) {
        double count = NAN;
        (void)json_as_double(it.value, &count);
        buf_add_text(out, "<tr>");
        cell_str(out, it.key);
        cell_number(out, number_count(count));
        buf_add_text(out, "</tr>\n");
    }
    buf_add_text(out, "</tbody>\n");
    table_close(out);
}

/* ---- before and after ---- */

static void add_row(struct buf *out, const char *class_name, struct str left,
                    const struct str *right)
{
    buf_addf(out, "<tr class=\"%s\"><td>", class_name);
    html_str(out, left);
    buf_add_text(out, "</td><td>");
    if (right) {
        html_str(out, *right);
    }
    buf_add_text(out, "</td></tr>\n");
}

/* Whether line is among those of text. */
static bool comes_later(struct str text, struct str line)
{
    struct str next;
    while (str_next_line(&text, &next)) {
        if (str_eq(next, line)) {
            return true;
        }
    }
    return false;
}

/* Whether one was made from the other: both ends together are half of the shorter. */
static bool is_mended(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len, head = 0, tail = 0;
    while (head < shorter && a.ptr[head] == b.ptr[head]) {
        head++;
    }
    while (head + tail < shorter && a.ptr[a.len - 1 - tail] == b.ptr[b.len - 1 - tail]) {
        tail++;
    }
    return shorter > 0 && (head + tail) * 2 >= shorter;
}

/* A run of removed lines: the first ones, how many more, the last. */
static void add_run(const struct str *lines, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i++) {
        if (count > RUN_ROWS && i == RUN_ROWS - 2) {
            buf_addf(out,
                     "<tr class=\"cut\"><td class=\"mute\">\xE2\x80\xA6 %zu more lines</td>"
                     "<td></td></tr>\n",
                     count - RUN_ROWS + 1);
            i = count - 2;
            continue;
        }
        add_row(out, "cut", lines[i], NULL);
    }
}

static void add_rows(struct str before, struct str after, bool cut, struct buf *out)
{
    struct str left, right = {"", 0}, rest = after, run[RUN_MAX];
    bool has_right = str_next_line(&rest, &right);
    size_t removed = 0, rows = 0;
    while (rows < ROWS_MAX && str_next_line(&before, &left)) {
        bool same = has_right && str_eq(left, right);
        bool mended = has_right && !same && !comes_later(before, right) && is_mended(left, right);
        if (!same && !mended && removed < RUN_MAX) {
            run[removed++] = left;
            continue;
        }
        add_run(run, removed, out);
        rows += 1 + (removed < RUN_ROWS ? removed : RUN_ROWS);
        removed = 0;
        add_row(out,
                same     ? "same"
                : mended ? "mended"
                         : "cut",
                left, same || mended ? &right : NULL);
        has_right = same || mended ? str_next_line(&rest, &right) : has_right;
    }
    add_run(run, removed, out);
    if (cut || rows >= ROWS_MAX) {
        add_row(out, "same", STR_LIT("\xE2\x80\xA6"), NULL);
    }
}

static void add_example(struct json_value e, bool open, struct buf *out)
{
    bool dropped = false, before_cut = false, after_cut = false;
    (void)json_as_bool(json_get(e, "dropped"), &dropped);
    (void)json_as_bool(json_get(e, "before_cut"), &before_cut);
    (void)json_as_bool(json_get(e, "after_cut"), &after_cut);
    buf_addf(out, "<details class=\"program\"%s><summary><code>", open ? " open" : "");
    html_str(out, data_str(e, "id"));
    buf_addf(out, "</code> <span class=\"tag %s\">%s</span></summary>\n",
             dropped ? "worse" : "better", dropped ? "dropped" : "edited");
    buf_add_text(out, "<pre class=\"calls\">");
    html_str(out, data_str(e, "programs"));
    buf_add_text(out, "</pre>\n<table class=\"beside\"><thead><tr><th>before</th><th>after</th>"
                      "</tr></thead><tbody>\n");
    add_rows(data_str(e, "before"), data_str(e, "after"), before_cut || after_cut, out);
    buf_add_text(out, "</tbody></table></details>\n");
}

static void add_examples(struct json_value v, struct buf *out)
{
    struct json_value examples = json_get(v, "examples");
    if (json_count(examples) == 0) {
        return;
    }
    buf_add_text(out, "<h3>Before and after</h3>\n<p class=\"note\">Changed documents drawn at "
                      "random; the first 8,000 bytes of each.</p>\n");
    bool first = true;
    for (struct json_iter it = json_walk(examples); json_next(&it); first = false) {
        add_example(it.value, first, out);
    }
}

static void add_stage(const struct report_stage *s, struct buf *out)
{
    struct str refiner = data_str(s->refine, "refiner");
    buf_add_text(out, "<h3>");
    html_text(out, s->folder);
    buf_add_text(out, "</h3>\n<p>");
    if (refiner.len > 0) {
        buf_add_text(out, "Programs by <b>");
        html_str(out, refiner);
        buf_add_text(out, "</b>");
    } else {
        buf_add_text(out, "Programs from a file");
    }
    buf_add_text(out, ", in the dialect <code>");
    html_str(out, data_str(s->refine, "dialect"));
    buf_add_text(out, "</code>.</p>\n<div class=\"pair\">\n");
    add_documents(s->refine, out);
    add_asked(s->refine, out);
    add_operations(s->refine, out);
    add_reasons(s->refine, out);
    buf_add_text(out, "</div>\n");
    add_examples(s->refine, out);
}

void report_add_programs(const struct report_data *d, struct buf *out)
{
    bool open = false;
    for (size_t i = 0; i < d->stage_count; i++) {
        if (json_kind(d->stages[i].refine) != JSON_OBJECT) {
            continue;
        }
        if (!open) {
            section_open(out, "programs", "Programs");
            open = true;
        }
        add_stage(&d->stages[i], out);
    }
    if (open) {
        section_close(out);
    }
}
