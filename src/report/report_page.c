/* report_page.c -- the page: verdict first, then how it came about.
 *
 * The page holds no script at all and forbids everything from elsewhere by its
 * Content-Security-Policy, a second wall behind the escaping of all text. */
#include "report/report_sections.h"

#include <math.h>

static void add_head(const struct report_data *d, struct buf *out)
{
    buf_add_text(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                      "style-src 'unsafe-inline'\">\n"
                      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                      "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    html_str(out, d->name);
    buf_add_text(out, ": winnow report</title>\n<style>\n");
    for (const char *const *piece = REPORT_STYLE; *piece; piece++) {
        buf_add_text(out, *piece);
    }
    buf_add_text(out, "</style>\n</head>\n<body>\n");
}

static void add_tile(struct buf *out, const char *label, const char *value, const char *note)
{
    buf_addf(out, "<div class=\"tile\"><span>%s</span><b>%s</b><small>%s</small></div>\n", label,
             value, note);
}

static void add_corpus_tiles(const struct report_data *d, struct buf *out)
{
    if (d->stage_count == 0) {
        return;
    }
    struct buf value = {0};
    const struct report_stage *first = &d->stages[0], *last = &d->stages[d->stage_count - 1];
    buf_addf(&value, "%s \xE2\x86\x92 %s",
             number_count(data_number(first->stats, "documents.in")).text,
             number_count(data_number(last->stats, "documents.kept")).text);
    add_tile(out, "documents", buf_cstr(&value), "in \xE2\x86\x92 kept");
    buf_clear(&value);
    /* of pages, the files that they are; what is kept is text either way */
    double before = data_number(first->stats, "notes.source_bytes");
    bool pages = isfinite(before);
    before = pages ? before : data_number(first->stats, "text_bytes.in");
    buf_addf(&value, "%s \xE2\x86\x92 %s", number_bytes(before).text,
             number_bytes(data_number(last->stats, "text_bytes.kept")).text);
    add_tile(out, "size", buf_cstr(&value),
             pages ? "files of pages in \xE2\x86\x92 text kept" : "text in \xE2\x86\x92 text kept");
    if (isfinite(last->tokens)) {
        buf_clear(&value);
        buf_addf(&value, "%s \xE2\x86\x92 %s", number_short(first->tokens).text,
                 number_short(last->tokens).text);
        add_tile(out, "tokens", buf_cstr(&value),
                 "after the first stage \xE2\x86\x92 kept, under the run\xE2\x80\x99s tokenizer");
    }
    buf_release(&value);
}

static void add_proof_tiles(const struct report_data *d, const struct report_verdict *v,
                            struct buf *out)
{
    if (v->outcome == OUTCOME_NO_PROOF) {
        return;
    }
    struct buf value = {0}, note = {0};
    int decimals = report_decimals(v->unit);
    struct json_value interval = json_get(v->difference, "t_interval");
    buf_addf(&value, "<span class=\"%s\">%s</span>", report_outcome_name(v->outcome),
             number_signed(data_number(v->difference, "mean"), decimals).text);
    buf_addf(&note, "95 %%: %s to %s ", number_signed(data_item(interval, 0), decimals).text,
             number_signed(data_item(interval, 1), decimals).text);
    html_str(&note, v->unit);
    add_tile(out, "primary measure, after minus before", buf_cstr(&value), buf_cstr(&note));
    struct json_iter it = json_walk(data_get(d->proof, "cost.break_even"));
    while (json_next(&it)) {
        if (!str_eq(data_str(it.value, "arm"), v->arm)) {
            continue;
        }
        double tokens = data_number(it.value, "tokens");
        add_tile(out, "pays from",
                 isfinite(tokens)                ? number_short(tokens).text
                 : v->outcome == OUTCOME_UNCLEAR ? "not shown"
                                                 : "never",
                 "training tokens on, selection counted");
    }
    buf_release(&value);
    buf_release(&note);
}

static void add_nav(const struct buf *body, struct buf *out)
{
    static const char *const LINKS[][2] = {
        {"proof", "Proof"},
        {"curves", "Learning curves"},
        {"domains", "Domains"},
        {"causes", "Causes"},
        {"cost", "Cost"},
        {"funnel", "Funnel"},
        {"sources", "Sources"},
        {"mix", "Mixture"},
        {"groups", "Topics"},
        {"reasons", "Reasons"},
        {"programs", "Programs"},
        {"languages", "Languages"},
        {"duplicates", "Near-copies"},
        {"leaks", "Leakage"},
        {"choice", "Choice"},
        {"quality", "Quality"},
        {"scores", "Scores"},
        {"examples", "Threshold"},
        {"samples", "Samples"},
        {"settings", "Settings"},
    };
    struct buf id = {0};
    buf_add_text(out, "<nav aria-label=\"Sections\">");
    for (size_t i = 0; i < sizeof LINKS / sizeof *LINKS; i++) {
        buf_clear(&id);
        buf_addf(&id, "<section id=\"%s\">", LINKS[i][0]);
        if (str_find(buf_str(body), buf_str(&id)) != SIZE_MAX) {
            buf_addf(out, "<a href=\"#%s\">%s</a> ", LINKS[i][0], LINKS[i][1]);
        }
    }
    buf_add_text(out, "</nav>\n");
    buf_release(&id);
}

static void add_sections(const struct report_data *d, const struct report_verdict *v,
                         struct buf *out)
{
    report_add_proof(d, v, out);
    report_add_curves(d, v, out);
    report_add_domains(d, v, out);
    report_add_causes(d, v, out);
    report_add_cost(d, v, out);
    report_add_funnel(d, out);
    report_add_sources(d, out);
    report_add_groups(d, out);
    report_add_mix(d, out);
    report_add_reasons(d, out);
    report_add_programs(d, out);
    report_add_languages(d, out);
    report_add_duplicates(d, out);
    report_add_leaks(d, out);
    report_add_quality(d, out);
    report_add_choice(d, out);
    report_add_scores(d, out);
    report_add_edge_examples(d, out);
    report_add_samples(d, out);
    report_add_settings(d, out);
}

void report_page(const struct report_data *d, const struct report_verdict *v, struct buf *out)
{
    struct buf body = {0};
    add_sections(d, v, &body);
    add_head(d, out);
    buf_add_text(out, "<header class=\"top\">\n<p class=\"kicker\">winnow report</p>\n<h1>");
    html_str(out, d->name);
    buf_addf(out, "</h1>\n<p class=\"verdict %s\">",
             v->outcome == OUTCOME_NO_PROOF || v->of_sources ? "none"
                                                             : report_outcome_name(v->outcome));
    buf_add_text(out, "<b>");
    html_str(out, buf_str(&v->headline));
    buf_add_text(out, "</b> ");
    html_str(out, buf_str(&v->sentence));
    buf_add_text(out, "</p>\n");
    report_add_alerts(d, out);
    if (!d->finished) {
        buf_add_text(out, d->is_run ? "<p class=\"note\">The run is not finished: this shows the "
                                      "stages that are.</p>\n"
                                    : "<p class=\"note\">The proof is not finished: this shows the "
                                      "seeds that are.</p>\n");
    }
    buf_add_text(out, "<div class=\"tiles\">\n");
    add_proof_tiles(d, v, out);
    add_corpus_tiles(d, out);
    buf_add_text(out, "</div>\n</header>\n");
    add_nav(&body, out);
    buf_add_text(out, "<main>\n");
    buf_add_str(out, buf_str(&body));
    buf_add_text(out, "</main>\n</body>\n</html>\n");
    buf_release(&body);
}
