/* refiner_results.c -- measured groups of pages as JSON and as a table. */
#include "teach/refiner_results.h"

#include <math.h>

static const char *const COUNTS[COUNT_COUNTS] = {
    [COUNT_PAGES] = "pages",
    [COUNT_DOC_KR] = "doc_kept_right",
    [COUNT_DOC_KW] = "doc_kept_wrong",
    [COUNT_DOC_RR] = "doc_dropped_right",
    [COUNT_DOC_RW] = "doc_dropped_wrong",
    [COUNT_LINE_KR] = "line_kept_right",
    [COUNT_LINE_KW] = "line_kept_wrong",
    [COUNT_LINE_RR] = "line_removed_right",
    [COUNT_LINE_RW] = "line_removed_wrong",
    [COUNT_CHAR_KR] = "char_kept_right",
    [COUNT_CHAR_KW] = "char_kept_wrong",
    [COUNT_CHAR_RR] = "char_removed_right",
    [COUNT_CHAR_RW] = "char_removed_wrong",
    [COUNT_TEXT_GOLD] = "chars_gold",
    [COUNT_TEXT_RAW] = "chars_raw",
    [COUNT_TEXT_RESULT] = "chars_result",
    [COUNT_TEXT_SHARED] = "chars_shared",
    [COUNT_TEXT_WITHIN] = "chars_within",
    [COUNT_TOKENS_RAW] = "tokens_raw",
    [COUNT_TOKENS_RESULT] = "tokens_result",
    [COUNT_PROGRAMS] = "programs",
    [COUNT_CALLS] = "calls",
    [COUNT_CALLS_ILL_FORMED] = "calls_ill_formed",
    [COUNT_CALLS_REJECTED] = "calls_rejected",
    [COUNT_CALLS_SILENT] = "calls_silent",
};

static void write_group(const struct refiner_group *g, struct json_writer *w)
{
    json_open(w, '{');
    json_member_str(w, "group", g->name);
    json_member_u64(w, "pages", g->count);
    json_member_open(w, "scores", '{');
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        json_member_open(w, MEASURES[m].name, '[');
        json_double(w, g->scores[m].value);
        json_double(w, g->scores[m].low);
        json_double(w, g->scores[m].high);
        json_close(w, ']');
    }
    json_close(w, '}');
    struct measure_sums all = {0};
    for (size_t i = 0; i < g->count; i++) {
        measure_add(&all, &g->pages[i]);
    }
    json_member_open(w, "counts", '{');
    for (size_t i = 0; i < COUNT_COUNTS; i++) {
        json_member_u64(w, COUNTS[i], all.n[i]);
    }
    json_close(w, '}');
    json_close(w, '}');
}

void refiner_results_json(const struct refiner_group *groups, size_t count, struct json_writer *w)
{
    json_member_open(w, "groups", '[');
    for (size_t i = 0; i < count; i++) {
        write_group(&groups[i], w);
    }
    json_close(w, ']');
}

static const struct {
    const char *head;
    enum measure measure;
    bool interval;
} COLUMNS[] = {
    {"kept F1", MEASURE_LINE_K_F1, true}, {"page", MEASURE_LINE_K_F1_PAGE, false},
    {"gone F1", MEASURE_LINE_R_F1, true}, {"page", MEASURE_LINE_R_F1_PAGE, false},
    {"char F1", MEASURE_CHAR_F1, true},   {"lost", MEASURE_CHAR_LOST, false},
    {"text F1", MEASURE_TEXT_F1, false},  {"doc F1", MEASURE_DOC_KEEP_F1, false},
    {"dropped", MEASURE_DROPPED, false},  {"tokens-", MEASURE_TOKENS_REMOVED, false},
    {"calls", MEASURE_CALLS, false},      {"ill", MEASURE_ILL_FORMED, false},
    {"reject", MEASURE_REJECTED, false},  {"silent", MEASURE_SILENT, false},
};
#define COLUMN_COUNT (sizeof COLUMNS / sizeof COLUMNS[0])

static void add_number(struct buf *out, double v, int width)
{
    if (isnan(v)) {
        buf_addf(out, " %*s", width, "-");
    } else {
        buf_addf(out, " %*.3f", width, v);
    }
}

void refiner_results_table(const struct refiner_group *groups, size_t count, struct str name,
                           struct buf *out)
{
    buf_addf(out, "%-16.*s %6s", STR_ARG(name), "pages");
    for (size_t c = 0; c < COLUMN_COUNT; c++) {
        buf_addf(out, COLUMNS[c].interval ? " %-19s" : " %7s", COLUMNS[c].head);
    }
    buf_add_char(out, '\n');
    for (size_t i = 0; i < count; i++) {
        const struct refiner_group *g = &groups[i];
        buf_addf(out, "%-16.*s %6zu", STR_ARG(g->name), g->count);
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            const struct measure_interval *v = &g->scores[COLUMNS[c].measure];
            add_number(out, v->value, COLUMNS[c].interval ? 5 : 7);
            if (COLUMNS[c].interval && !isnan(v->low)) {
                buf_addf(out, " [%.3f,%.3f]", v->low, v->high);
            } else if (COLUMNS[c].interval) {
                buf_addf(out, "%14s", "");
            }
        }
        buf_add_char(out, '\n');
    }
}
