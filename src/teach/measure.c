/* measure.c -- scores of pages as functions of sums, and their intervals.
 *
 * Counts are whole numbers, so scores over all pages do not depend on their order.
 * Intervals are the percentiles of `draws` resamples of pages (Efron's
 * bootstrap): pages, not lines, as lines of a page are alike.  Cost: draws * pages
 * additions of a sum. */
#include "teach/measure.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base/sort.h"
#include "teach/words.h"

#include <math.h>

const struct measure_info MEASURES[MEASURE_COUNT] = {
    [MEASURE_LINE_K_F1] = {"kept_line_f1", "kept lines: F1 over all pages"},
    [MEASURE_LINE_K_PRECISION] = {"kept_line_precision", "kept lines: precision"},
    [MEASURE_LINE_K_RECALL] = {"kept_line_recall", "kept lines: recall"},
    [MEASURE_LINE_K_F1_PAGE] = {"kept_line_f1_page", "kept lines: mean F1 of a page"},
    [MEASURE_LINE_R_F1] = {"removed_line_f1", "removed lines: F1 over all pages"},
    [MEASURE_LINE_R_PRECISION] = {"removed_line_precision", "removed lines: precision"},
    [MEASURE_LINE_R_RECALL] = {"removed_line_recall", "removed lines: recall"},
    [MEASURE_LINE_R_F1_PAGE] = {"removed_line_f1_page", "removed lines: mean F1 of a page"},
    [MEASURE_CHAR_F1] = {"char_f1", "characters, by line verdict: F1 over all pages"},
    [MEASURE_CHAR_F1_PAGE] = {"char_f1_page", "characters: mean F1 of a page"},
    [MEASURE_CHAR_LOST] = {"gold_chars_lost", "share of the characters to keep that went"},
    [MEASURE_TEXT_F1] = {"text_f1", "text beside the gold text: F1 over all pages"},
    [MEASURE_TEXT_F1_PAGE] = {"text_f1_page", "text: mean F1 of a page"},
    [MEASURE_TEXT_LOST] = {"gold_text_lost", "share of the gold text on the page that went"},
    [MEASURE_DOC_KEEP_F1] = {"doc_keep_f1", "documents kept: F1"},
    [MEASURE_DOC_DROP_F1] = {"doc_drop_f1", "documents dropped: F1"},
    [MEASURE_DROPPED] = {"documents_dropped", "share of the documents that went"},
    [MEASURE_CHARS_REMOVED] = {"chars_removed", "share of the characters that went"},
    [MEASURE_TOKENS_REMOVED] = {"tokens_removed", "share of the tokens that went"},
    [MEASURE_CALLS] = {"calls_per_program", "calls a program"},
    [MEASURE_ILL_FORMED] = {"calls_ill_formed", "share of the calls that the parser refused"},
    [MEASURE_REJECTED] = {"calls_rejected", "share that the executor refused"},
    [MEASURE_SILENT] = {"calls_silent", "share that did nothing, silently"},
};

void measure_add(struct measure_sums *to, const struct measure_sums *s)
{
    for (size_t i = 0; i < COUNT_COUNTS; i++) {
        to->n[i] += s->n[i];
    }
    for (size_t i = 0; i < PAGE_SCORES; i++) {
        to->page[i] += s->page[i];
    }
}

static double f1(uint64_t right, uint64_t wrong, uint64_t missed)
{
    uint64_t all = 2 * right + wrong + missed;
    return all > 0 ? 2 * (double)right / (double)all : 1;
}

static double share(uint64_t part, uint64_t whole)
{
    return whole > 0 ? (double)part / (double)whole : (double)NAN;
}

/* F1 over many pages: none where there was nothing at all to find. */
static double f1_of(uint64_t right, uint64_t wrong, uint64_t missed)
{
    return right + wrong + missed > 0 ? f1(right, wrong, missed) : (double)NAN;
}

static double page_mean(const struct measure_sums *s, enum measure_page_score k, bool any)
{
    return any && s->n[COUNT_PAGES] > 0 ? s->page[k] / (double)s->n[COUNT_PAGES] : (double)NAN;
}

/* Shares of verdicts that start at count kr: KR, KW, RR, RW. */
static bool any_verdict(const struct measure_sums *s, enum measure_count kr)
{
    return s->n[kr] + s->n[kr + 1] + s->n[kr + 2] + s->n[kr + 3] > 0;
}

static double text_value(enum measure m, const struct measure_sums *s)
{
    const uint64_t *n = s->n;
    switch (m) {
    case MEASURE_TEXT_F1:
        return f1_of(n[COUNT_TEXT_SHARED], n[COUNT_TEXT_RESULT] - n[COUNT_TEXT_SHARED],
                     n[COUNT_TEXT_GOLD] - n[COUNT_TEXT_SHARED]);
    case MEASURE_TEXT_F1_PAGE:
        return page_mean(s, PAGE_TEXT, n[COUNT_TEXT_GOLD] > 0);
    case MEASURE_TEXT_LOST:
        /* a result may hold gold text that the page, as lines, does not */
        return n[COUNT_TEXT_SHARED] < n[COUNT_TEXT_WITHIN]
                   ? share(n[COUNT_TEXT_WITHIN] - n[COUNT_TEXT_SHARED], n[COUNT_TEXT_WITHIN])
                   : share(0, n[COUNT_TEXT_WITHIN]);
    default:
        return (double)NAN;
    }
}

static double removed_share(uint64_t before, uint64_t after)
{
    return before > 0 ? 1 - (double)after / (double)before : (double)NAN;
}

static double document_value(enum measure m, const struct measure_sums *s)
{
    const uint64_t *n = s->n;
    switch (m) {
    case MEASURE_DOC_KEEP_F1:
        return f1_of(n[COUNT_DOC_KR], n[COUNT_DOC_KW], n[COUNT_DOC_RW]);
    case MEASURE_DOC_DROP_F1:
        return f1_of(n[COUNT_DOC_RR], n[COUNT_DOC_RW], n[COUNT_DOC_KW]);
    case MEASURE_DROPPED:
        return share(n[COUNT_DOC_RR] + n[COUNT_DOC_RW], n[COUNT_PAGES]);
    case MEASURE_CHARS_REMOVED:
        return removed_share(n[COUNT_TEXT_RAW], n[COUNT_TEXT_RESULT]);
    case MEASURE_TOKENS_REMOVED:
        return removed_share(n[COUNT_TOKENS_RAW], n[COUNT_TOKENS_RESULT]);
    case MEASURE_CALLS:
        return share(n[COUNT_CALLS], n[COUNT_PROGRAMS]);
    case MEASURE_ILL_FORMED:
        return share(n[COUNT_CALLS_ILL_FORMED], n[COUNT_CALLS]);
    case MEASURE_REJECTED:
        return share(n[COUNT_CALLS_REJECTED], n[COUNT_CALLS]);
    case MEASURE_SILENT:
        return share(n[COUNT_CALLS_SILENT], n[COUNT_CALLS]);
    default:
        return text_value(m, s);
    }
}

double measure_value(enum measure m, const struct measure_sums *s)
{
    const uint64_t *n = s->n;
    switch (m) {
    case MEASURE_LINE_K_F1:
        return f1_of(n[COUNT_LINE_KR], n[COUNT_LINE_KW], n[COUNT_LINE_RW]);
    case MEASURE_LINE_K_PRECISION:
        return share(n[COUNT_LINE_KR], n[COUNT_LINE_KR] + n[COUNT_LINE_KW]);
    case MEASURE_LINE_K_RECALL:
        return share(n[COUNT_LINE_KR], n[COUNT_LINE_KR] + n[COUNT_LINE_RW]);
    case MEASURE_LINE_K_F1_PAGE:
        return page_mean(s, PAGE_LINE_K, any_verdict(s, COUNT_LINE_KR));
    case MEASURE_LINE_R_F1:
        return f1_of(n[COUNT_LINE_RR], n[COUNT_LINE_RW], n[COUNT_LINE_KW]);
    case MEASURE_LINE_R_PRECISION:
        return share(n[COUNT_LINE_RR], n[COUNT_LINE_RR] + n[COUNT_LINE_RW]);
    case MEASURE_LINE_R_RECALL:
        return share(n[COUNT_LINE_RR], n[COUNT_LINE_RR] + n[COUNT_LINE_KW]);
    case MEASURE_LINE_R_F1_PAGE:
        return page_mean(s, PAGE_LINE_R, any_verdict(s, COUNT_LINE_KR));
    case MEASURE_CHAR_F1:
        return f1_of(n[COUNT_CHAR_KR], n[COUNT_CHAR_KW], n[COUNT_CHAR_RW]);
    case MEASURE_CHAR_F1_PAGE:
        return page_mean(s, PAGE_CHAR, any_verdict(s, COUNT_CHAR_KR));
    case MEASURE_CHAR_LOST:
        return share(n[COUNT_CHAR_RW], n[COUNT_CHAR_KR] + n[COUNT_CHAR_RW]);
    default:
        return document_value(m, s);
    }
}

/* ---- a page ---- */

static void count_lines(const struct measure_page *p, struct measure_sums *out)
{
    for (size_t i = 0; p->labels && i < p->count; i++) {
        if (p->labels[i] != 0 && p->labels[i] != 1) {
            continue;
        }
        uint64_t chars = words_chars(p->lines[i]);
        uint64_t left = !p->kept[i] ? 0 : p->left && p->left[i] < chars ? p->left[i] : chars;
        bool keep = p->labels[i] == 1;
        out->n[keep ? COUNT_CHAR_KR : COUNT_CHAR_KW] += left;
        out->n[keep ? COUNT_CHAR_RW : COUNT_CHAR_RR] += chars - left;
        out->n[p->kept[i] ? (keep ? COUNT_LINE_KR : COUNT_LINE_KW)
                          : (keep ? COUNT_LINE_RW : COUNT_LINE_RR)]++;
    }
}

/* How often each piece stands in the gold text, and not yet in the other one. */
struct bag {
    struct map map;
    uint32_t *counts;
    uint64_t chars;
};

static void fill_bag(struct bag *b, struct str text, struct arena *scratch)
{
    size_t at = 0, cap = 0;
    struct str piece;
    while (words_next(text, &at, &piece)) {
        bool is_new;
        uint64_t *number = map_put(&b->map, piece, &is_new);
        if (is_new) {
            *number = b->map.count - 1;
        }
        if (b->map.count > cap) {
            size_t larger = cap ? 2 * cap : 256;
            uint32_t *counts = ARENA_NEW(scratch, uint32_t, larger);
            if (cap > 0) {
                memcpy(counts, b->counts, cap * sizeof *counts);
            }
            b->counts = counts;
            cap = larger;
        }
        b->counts[*number]++;
        b->chars += words_chars(piece);
    }
}

/* Characters of the pieces that text shares with the bag. */
static uint64_t shared_chars(const struct bag *b, struct str text, struct arena *scratch)
{
    uint32_t *used = ARENA_NEW(scratch, uint32_t, b->map.count + 1);
    uint64_t sum = 0;
    size_t at = 0;
    struct str piece;
    while (words_next(text, &at, &piece)) {
        const uint64_t *number = map_get(&b->map, piece);
        if (number && b->counts && used[*number] < b->counts[*number]) {
            used[*number]++;
            sum += words_chars(piece);
        }
    }
    return sum;
}

static void count_text(const struct measure_page *p, struct arena *scratch,
                       struct measure_sums *out)
{
    struct bag gold = {0};
    fill_bag(&gold, p->gold, scratch);
    uint64_t within = 0;
    struct buf raw = {0};
    for (size_t i = 0; i < p->count; i++) {
        buf_add_str(&raw, p->lines[i]);
        buf_add_char(&raw, '\n');
    }
    within = shared_chars(&gold, buf_str(&raw), scratch);
    buf_release(&raw);
    out->n[COUNT_TEXT_GOLD] = gold.chars;
    out->n[COUNT_TEXT_WITHIN] = within;
    out->n[COUNT_TEXT_SHARED] = shared_chars(&gold, p->result, scratch);
    map_release(&gold.map);
}

void measure_page(const struct measure_page *p, struct arena *scratch, struct measure_sums *out)
{
    *out = (struct measure_sums){.n[COUNT_PAGES] = 1};
    uint64_t *n = out->n;
    count_lines(p, out);
    n[COUNT_TEXT_RESULT] = words_chars(p->result);
    for (size_t i = 0; i < p->count; i++) {
        n[COUNT_TEXT_RAW] += words_chars(p->lines[i]);
    }
    if (p->gold.ptr) {
        count_text(p, scratch, out);
        out->page[PAGE_TEXT] = f1(n[COUNT_TEXT_SHARED], n[COUNT_TEXT_RESULT] - n[COUNT_TEXT_SHARED],
                                  n[COUNT_TEXT_GOLD] - n[COUNT_TEXT_SHARED]);
    }
    bool dropped = n[COUNT_TEXT_RESULT] == 0;
    n[dropped ? (p->gold_drops ? COUNT_DOC_RR : COUNT_DOC_RW)
              : (p->gold_drops ? COUNT_DOC_KW : COUNT_DOC_KR)] = 1;
    out->page[PAGE_LINE_K] = f1(n[COUNT_LINE_KR], n[COUNT_LINE_KW], n[COUNT_LINE_RW]);
    out->page[PAGE_LINE_R] = f1(n[COUNT_LINE_RR], n[COUNT_LINE_RW], n[COUNT_LINE_KW]);
    out->page[PAGE_CHAR] = f1(n[COUNT_CHAR_KR], n[COUNT_CHAR_KW], n[COUNT_CHAR_RW]);
}

/* ---- intervals ---- */

static int ascending(const void *pa, const void *pb)
{
    double a = *(const double *)pa, b = *(const double *)pb;
    return (a > b) - (a < b);
}

/* The share of sorted x, linear between its members. */
static double quantile(const double *x, size_t n, double at)
{
    double place = at * (double)(n - 1);
    size_t low = (size_t)place;
    size_t high = low + 1 < n ? low + 1 : low;
    return x[low] + (place - (double)low) * (x[high] - x[low]);
}

static void interval_of(double *values, size_t draws, struct measure_interval *out)
{
    size_t n = 0;
    for (size_t i = 0; i < draws; i++) { /* a draw may hold nothing to score */
        if (!isnan(values[i])) {
            values[n++] = values[i];
        }
    }
    out->low = out->high = NAN;
    if (n > 0) {
        sort(values, n, sizeof *values, ascending);
        out->low = quantile(values, n, 0.025);
        out->high = quantile(values, n, 0.975);
    }
}

void measure_intervals(const struct measure_sums *pages, size_t count, uint32_t draws,
                       uint64_t seed, struct measure_interval out[MEASURE_COUNT])
{
    struct measure_sums all = {0};
    for (size_t i = 0; i < count; i++) {
        measure_add(&all, &pages[i]);
    }
    double *values = mem_alloc(((size_t)draws * MEASURE_COUNT + 1) * sizeof *values);
    struct rng r;
    rng_init(&r, seed, "bootstrap over pages");
    for (uint32_t d = 0; count > 0 && d < draws; d++) {
        struct measure_sums s = {0};
        for (size_t i = 0; i < count; i++) {
            measure_add(&s, &pages[rng_below(&r, count)]);
        }
        for (size_t m = 0; m < MEASURE_COUNT; m++) {
            values[m * draws + d] = measure_value((enum measure)m, &s);
        }
    }
    for (size_t m = 0; m < MEASURE_COUNT; m++) {
        out[m] = (struct measure_interval){measure_value((enum measure)m, &all), NAN, NAN};
        if (count > 0 && draws > 0) {
            interval_of(values + m * draws, draws, &out[m]);
        }
    }
    mem_free(values);
}
