/* report_corpus.c -- the funnel: what each stage took in, let through and why not. */
#include "base/mem.h"
#include "base/sort.h"
#include "report/plot.h"
#include "report/report_sections.h"

#include <math.h>
#include <stdio.h>

#define REASONS_MAX 40U
#define KINDS       5U /* of reasons */

/* What a stage was given and what it passed on. */
struct flow {
    double in, kept, removed, aside, bad;
};

static struct flow flow_of(const struct report_stage *s, const char *unit)
{
    char path[48];
    double v[5];
    static const char *const PARTS[] = {"in", "kept", "removed", "aside", "bad"};
    for (size_t i = 0; i < 5; i++) {
        (void)snprintf(path, sizeof path, "%s.%s", unit, PARTS[i]);
        v[i] = data_number(s->stats, path);
        v[i] = isfinite(v[i]) ? v[i] : 0;
    }
    return (struct flow){v[0], v[1], v[2], v[3], v[4]};
}

static void add_flow_bar(struct flow f, double most, struct buf *out)
{
    const struct plot_part parts[] = {{f.kept / most, "kept", "kept"},
                                      {f.aside / most, "aside", "set aside"},
                                      {f.removed / most, "gone", "removed"},
                                      {f.bad / most, "bad", "bad"}};
    plot_bar(out, parts, 4);
}

/* text_bytes of a stage over pages: what went in were bytes of markup, so the
 * bar starts with what came out. */
static void add_stage_row(const struct report_stage *s, double most_documents, double most_text,
                          double most_tokens, struct buf *out)
{
    struct flow documents = flow_of(s, "documents"), text = flow_of(s, "text_bytes");
    double edited = data_number(s->stats, "documents.edited");
    buf_add_text(out, "<tr><th scope=\"row\">");
    html_text(out, s->folder);
    buf_add_text(out, "</th><td class=\"fig mid\">");
    add_flow_bar(documents, most_documents, out);
    add_flow_bar(text, most_text, out);
    if (isfinite(s->tokens) && most_tokens > 0) {
        const struct plot_part tokens = {s->tokens / most_tokens, "kept", "kept"};
        plot_bar(out, &tokens, 1);
    }
    buf_add_text(out, "</td>");
    cell_number(out, number_count(documents.in));
    cell_number(out, number_count(documents.kept));
    cell_number(out, number_count(edited));
    cell_number(out, number_count(documents.removed));
    cell_number(out, number_count(documents.aside));
    cell_number(out, number_count(documents.bad));
    cell_number(out, number_bytes(text.kept));
    cell_number(out, number_short(s->tokens));
    buf_add_text(out, "</tr>\n");
}

void report_add_funnel(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {"stage",
                                       "documents, text, tokens",
                                       "in",
                                       "kept",
                                       "of these edited",
                                       "removed",
                                       "set aside",
                                       "bad",
                                       "text kept",
                                       "tokens kept"};
    double documents = 0, text = 0, tokens = 0;
    if (d->stage_count == 0) {
        return;
    }
    for (size_t i = 0; i < d->stage_count; i++) {
        struct flow a = flow_of(&d->stages[i], "documents"),
                    b = flow_of(&d->stages[i], "text_bytes");
        documents = fmax(documents, a.in);
        text = fmax(text, fmax(b.in, b.kept + b.removed + b.aside));
        tokens = fmax(tokens, isfinite(d->stages[i].tokens) ? d->stages[i].tokens : 0);
    }
    section_open(out, "funnel", "What became of the corpus");
    table_open(out, "diff funnel",
               "Stage by stage <span class=\"key\"><i class=\"kept\"></i>kept <i "
               "class=\"aside\"></i>set aside "
               "<i class=\"gone\"></i>removed <i class=\"bad\"></i>bad</span>");
    table_head(out, HEAD, "llnnnnnnnn");
    for (size_t i = 0; i < d->stage_count; i++) {
        add_stage_row(&d->stages[i], fmax(documents, 1), fmax(text, 1), tokens, out);
    }
    table_close(out);
    buf_add_text(
        out, "<p class=\"note\">Upper bars: documents; middle: bytes of text; lower: tokens kept. "
             "Set aside: documents that served another purpose, such as training the reference "
             "model, and are neither kept nor judged.</p>\n");
    section_close(out);
}

struct counted {
    struct str name;
    double count;
};

/* Most first; of the same number in the order of names. */
static int by_count(const void *pa, const void *pb)
{
    const struct counted *a = pa, *b = pb;
    return a->count != b->count ? (a->count < b->count ? 1 : -1) : str_cmp(a->name, b->name);
}

static void add_reason_rows(const struct report_stage *s, const char *member, const char *what,
                            double in, struct buf *out)
{
    size_t shown = 0, all = 0;
    struct json_value reasons = json_get(s->stats, member);
    struct counted *rows = mem_alloc((json_count(reasons) + 1) * sizeof *rows);
    struct json_iter it = json_walk(reasons);
    while (json_next(&it)) {
        rows[all].name = it.key;
        all += json_as_double(it.value, &rows[all].count);
    }
    sort(rows, all, sizeof *rows, by_count);
    for (; shown < all && shown < REASONS_MAX; shown++) {
        double count = rows[shown].count;
        const struct plot_part part = {count / fmax(in, 1), what, NULL};
        buf_add_text(out, "<tr><th scope=\"row\">");
        html_text(out, s->folder);
        buf_add_text(out, "</th>");
        cell_str(out, rows[shown].name);
        buf_add_text(out, "<td class=\"fig small\">");
        plot_bar(out, &part, 1);
        buf_add_text(out, "</td>");
        cell_number(out, number_count(count));
        cell_number(out, number_share(in > 0 ? count / in : (double)NAN));
        buf_add_text(out, "</tr>\n");
    }
    mem_free(rows);
    if (shown < all) {
        buf_addf(out,
                 "<tr><td></td><td>and %zu more reason%s "
                 "(stats.json)</td><td></td><td></td><td></td></tr>\n",
                 all - shown, all - shown == 1 ? "" : "s");
    }
}

void report_add_reasons(const struct report_data *d, struct buf *out)
{
    static const char *const HEAD[] = {"stage", "reason", "share of its input", "documents",
                                       "share"};
    static const char *const MEMBERS[][2] = {{"reasons", "gone"},
                                             {"edit_reasons", "p2"},
                                             {"aside_reasons", "aside"},
                                             {"bad_reasons", "bad"},
                                             {"keep_reasons", "p1"}};
    size_t count = 0;
    for (size_t i = 0; i < d->stage_count; i++) {
        for (size_t m = 0; m < KINDS; m++) {
            count += json_count(json_get(d->stages[i].stats, MEMBERS[m][0]));
        }
    }
    if (count == 0) {
        return;
    }
    section_open(out, "reasons", "Why documents left or changed");
    table_open(
        out, "diff",
        "Reasons <span class=\"key\"><i class=\"gone\"></i>removed <i class=\"p2\"></i>edited "
        "<i class=\"aside\"></i>set aside <i class=\"bad\"></i>bad "
        "<i class=\"p1\"></i>noted only</span>");
    table_head(out, HEAD, "lllnn");
    for (size_t i = 0; i < d->stage_count; i++) {
        double in = flow_of(&d->stages[i], "documents").in;
        for (size_t m = 0; m < KINDS; m++) {
            add_reason_rows(&d->stages[i], MEMBERS[m][0], MEMBERS[m][1], in, out);
        }
    }
    table_close(out);
    section_close(out);
}
