/* leak_judge.h -- a text against all items, by one of the rules of decontaminate.h.
 *
 *     TRY(leak_judge_open(&judge, set, opt, rule, err));       read-only from here on
 *     scratch = leak_scratch_new(&judge);                      one a thread
 *     TRY(leak_judge_text(&judge, scratch, text, err));
 *     ... scratch->finds, scratch->spans ...
 */
#ifndef WINNOW_LEAK_LEAK_JUDGE_H
#define WINNOW_LEAK_LEAK_JUDGE_H

#include "leak/leak_index.h"

struct leak_judge {
    const struct leak_set *set;
    struct winnow_decontaminate_options opt; /* n and share filled in */
    int rule;
    struct leak_index index;
    /* cluster: of each item's question */
    double *idf_sums;
    uint32_t *gram_counts;
    uint32_t *cold_grams; /* that may begin a cluster */
    bool some_all_hot;    /* an item has none */
};

/* An item that was found. */
struct leak_find {
    uint32_t item;
    uint32_t first, end;     /* where at best: words of the document; both 0 where not looked for */
    double share, threshold; /* threshold NaN: none */
};

/* Finds of which the place is looked for. */
#define LEAK_SHOWN 8U

struct leak_span {
    uint32_t first, end; /* words of the document */
};

struct leak_hit {
    uint32_t at; /* word of the document at which the gram starts */
    uint32_t slot;
};

struct leak_scratch {
    struct leak_words words;
    struct leak_hit *hits; /* in the order of the text */
    size_t hit_count, hit_cap;
    struct leak_hit *by_slot; /* the same by slot, then place */
    size_t by_slot_cap;
    struct leak_find *finds; /* by share, the largest first, then by item */
    size_t find_count, find_cap;
    struct leak_span *spans; /* of all that was found, in order, not touching */
    size_t span_count, span_cap;
    uint32_t *touched; /* items that a hit belongs to */
    size_t touched_count, touched_cap;
    uint64_t *grams; /* of a window of the document, or slots of a cluster */
    size_t gram_count, gram_cap;
    /* A number per item and word of the set: which text it was marked by last. */
    uint32_t generation;
    uint32_t *item_marks, *item_until, *word_marks;
};

const char *leak_rule_name(int rule); /* "gpt3" */
uint32_t leak_rule_n(int rule, const struct winnow_decontaminate_options *opt);

/* set must outlive the judge. */
winnow_status leak_judge_open(struct leak_judge *judge, const struct leak_set *set,
                              const struct winnow_decontaminate_options *opt, int rule,
                              struct winnow_error *err);
void leak_judge_release(struct leak_judge *judge);

/* Bytes that a judge takes while it is opened, and those of one scratch. */
uint64_t leak_judge_memory(const struct leak_set *set);
uint64_t leak_scratch_memory(const struct leak_set *set);

/* Items that the rule cannot find, whatever the text: they have no gram. */
uint64_t leak_judge_blind(const struct leak_judge *judge);

struct leak_scratch *leak_scratch_new(const struct leak_judge *judge);
void leak_scratch_free(struct leak_scratch *s);

/* Replaces finds and spans.  What was found does not depend on the texts before. */
winnow_status leak_judge_text(const struct leak_judge *judge, struct leak_scratch *s,
                              struct str text, struct winnow_error *err);

/* ---- between the files of the judge ---- */

/* leak_shares.c: gpt3, llama2, llama3 and hare, from the hits. */
void leak_find_shares(const struct leak_judge *judge, struct leak_scratch *s);
/* leak_cluster.c; fills spans, too. */
winnow_status leak_cluster_open(struct leak_judge *judge, struct winnow_error *err);
void leak_find_clusters(const struct leak_judge *judge, struct leak_scratch *s);

void leak_sort_finds(struct leak_scratch *s);
void leak_add_find(struct leak_scratch *s, const struct leak_find *find);
/* Spans come in any order; leak_judge_text() puts them in order at the end. */
void leak_add_span(struct leak_scratch *s, uint32_t first, uint32_t end);
/* True the first time a text. */
bool leak_touch(struct leak_scratch *s, uint32_t item);

/* Slack of comparisons with a threshold: sums may come in another order. */
#define LEAK_EPSILON 1e-9

#endif /* WINNOW_LEAK_LEAK_JUDGE_H */
