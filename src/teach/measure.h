/* measure.h -- how near a refined page is to what people kept of it.
 *
 * A page counts into sums, sums of pages add up, and a score is a function of
 * sums; an interval comes from drawing pages with replacement.  What each score
 * means is said in docs/formats/refiner.md and, shortly, in MEASURES.
 *
 *   line verdicts   over the lines that gold decides (label 1 keep, 0 remove);
 *                   F1 of the kept and of the removed ones, from the sums of all
 *                   pages and as the mean over pages.  A page that has none and
 *                   got none counts 1.
 *   characters      the same over the characters of those lines, white space not
 *                   counted; of an edited line those that are left count as kept.
 *   text            against the gold text itself: pieces (teach/words.h) as a
 *                   multiset, each weighted with its characters.
 *   calls, documents, how much was removed
 */
#ifndef WINNOW_TEACH_MEASURE_H
#define WINNOW_TEACH_MEASURE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

/* What is counted of a page.  K: kept, R: removed; R(ight), W(rong). */
enum measure_count {
    COUNT_PAGES,
    COUNT_DOC_KR, /* kept, and gold keeps something */
    COUNT_DOC_KW,
    COUNT_DOC_RR, /* dropped, and gold keeps nothing */
    COUNT_DOC_RW,
    COUNT_LINE_KR,
    COUNT_LINE_KW,
    COUNT_LINE_RR,
    COUNT_LINE_RW,
    COUNT_CHAR_KR,
    COUNT_CHAR_KW,
    COUNT_CHAR_RR,
    COUNT_CHAR_RW,
    COUNT_TEXT_GOLD,   /* characters of the gold text */
    COUNT_TEXT_RAW,    /* of the page */
    COUNT_TEXT_RESULT, /* of what came out */
    COUNT_TEXT_SHARED, /* in gold and result */
    COUNT_TEXT_WITHIN, /* in gold and page: what could be had */
    COUNT_TOKENS_RAW,  /* tokens, or pieces where there is no tokenizer */
    COUNT_TOKENS_RESULT,
    COUNT_PROGRAMS, /* pages that have one */
    COUNT_CALLS,
    COUNT_CALLS_ILL_FORMED, /* that the parser refused */
    COUNT_CALLS_REJECTED,   /* that the executor refused, with its reason */
    COUNT_CALLS_SILENT,     /* that did nothing without anybody saying so */
    COUNT_COUNTS
};

/* F1s that are averaged over pages. */
enum measure_page_score { PAGE_LINE_K, PAGE_LINE_R, PAGE_CHAR, PAGE_TEXT, PAGE_SCORES };

struct measure_sums {
    uint64_t n[COUNT_COUNTS];
    double page[PAGE_SCORES];
};

void measure_add(struct measure_sums *to, const struct measure_sums *s);

/* A page, what is gold of it, and what came out. */
struct measure_page {
    const struct str *lines; /* of the page */
    size_t count;
    const int8_t *labels; /* 1 keep, 0 remove, else undecided; NULL: no line verdicts */
    bool gold_drops;      /* nothing of it is to be kept */
    struct str gold;      /* ptr NULL: no gold text */

    const bool *kept;
    /* Characters left of each line (words_chars()); NULL: all of a kept one. */
    const uint64_t *left;
    struct str result; /* the text; ptr may be NULL: empty */
};

/* Counts all but tokens and calls.  scratch is the caller's to reset. */
void measure_page(const struct measure_page *p, struct arena *scratch, struct measure_sums *out);

enum measure {
    MEASURE_LINE_K_F1,
    MEASURE_LINE_K_PRECISION,
    MEASURE_LINE_K_RECALL,
    MEASURE_LINE_K_F1_PAGE,
    MEASURE_LINE_R_F1,
    MEASURE_LINE_R_PRECISION,
    MEASURE_LINE_R_RECALL,
    MEASURE_LINE_R_F1_PAGE,
    MEASURE_CHAR_F1,
    MEASURE_CHAR_F1_PAGE,
    MEASURE_CHAR_LOST,
    MEASURE_TEXT_F1,
    MEASURE_TEXT_F1_PAGE,
    MEASURE_TEXT_LOST,
    MEASURE_DOC_KEEP_F1,
    MEASURE_DOC_DROP_F1,
    MEASURE_DROPPED,
    MEASURE_CHARS_REMOVED,
    MEASURE_TOKENS_REMOVED,
    MEASURE_CALLS,
    MEASURE_ILL_FORMED,
    MEASURE_REJECTED,
    MEASURE_SILENT,
    MEASURE_COUNT
};

struct measure_info {
    const char *name; /* in JSON */
    const char *help; /* one line */
};
extern const struct measure_info MEASURES[MEASURE_COUNT];

/* NaN where nothing was counted that it could be taken from. */
double measure_value(enum measure m, const struct measure_sums *s);

struct measure_interval {
    double value, low, high; /* 95 %, percentiles of the draws; NaN without any */
};

/* All scores of the pages, with intervals from that many draws of pages. */
void measure_intervals(const struct measure_sums *pages, size_t count, uint32_t draws,
                       uint64_t seed, struct measure_interval out[MEASURE_COUNT]);

#endif /* WINNOW_TEACH_MEASURE_H */
