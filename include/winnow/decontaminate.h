/* decontaminate.h -- documents that hold benchmark text: found, dropped, cut or labelled.
 *
 * Options of the stage `decontaminate`; winnow_stage() and recipes run it.  A text is
 * compared by its words: letters and digits in lower case without accents, everything else
 * between them; docs/decontaminate.md says it in full.  An item of a benchmark is its
 * passage, question and right answer, in that order, as far as it has them.
 *
 * rule      who, and what it says of a document              own n    own share
 * llama3    Llama 3 (2407.21783, 5.1.4; Singh et al.         8        0.5
 *           2411.03923): share of an item in common n-grams
 * cluster   after AI2's decon: words of the question in      5        0.8
 *           runs of n, weighted by their rarity among the
 *           items, answer and passage near by
 * gpt3      GPT-3 (2005.14165, app. C): any n-gram of an     13       -
 *           item
 * llama2    Llama 2 (2307.09288, A.6): share of the item     10       0.8
 *           in spans of at least n words with up to 4
 *           skipped behind the first n
 * hare      HARE (2406.11410): more than this share of the   10       0.5
 *           document's n-grams are of benchmarks
 *
 * Llama's are token rules for judging items over a corpus; that words stand for tokens and
 * that each document is judged for itself is our choice, and so are the shares of llama2 and
 * llama3 ("dirty" above 80 %; none is published) and HARE's n among the 10 to 15 given.
 * llama3 is the default since it finds most of what was edited (docs/decontaminate.md).
 */
#ifndef WINNOW_DECONTAMINATE_H
#define WINNOW_DECONTAMINATE_H

#include "winnow/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_leak_rule {
    WINNOW_LEAK_LLAMA3,
    WINNOW_LEAK_CLUSTER,
    WINNOW_LEAK_GPT3,
    WINNOW_LEAK_LLAMA2,
    WINNOW_LEAK_HARE,
};
#define WINNOW_LEAK_RULES 5

enum winnow_leak_action {
    WINNOW_LEAK_DROP,  /* the document goes */
    WINNOW_LEAK_CUT,   /* the passages go, with a margin */
    WINNOW_LEAK_LABEL, /* it stays; attributes/leak/ and the ledger say where and what */
};

struct winnow_decontaminate_options {
    struct winnow_list benchmarks; /* files or folders */
    int rule;                      /* enum winnow_leak_rule */
    int action;                    /* enum winnow_leak_action */
    uint32_t n;                    /* words of a gram; 0: the rule's own */
    double share;                  /* of an item (hare: of the document); 0: the rule's own */
    uint32_t skips;                /* llama2: words of a span that may differ */
    uint32_t misses;               /* cluster: words without a hit that end a cluster */
    uint32_t perfect_words;        /* cluster: items up to so long must be found whole, */
    uint32_t relaxed_words;        /* from so long on to the share; between them in proportion */
    uint32_t item_words_min;       /* shorter items are not looked for */
    uint32_t margin;               /* cut: characters around a passage that go with it */
    uint32_t left_min;             /* cut: pieces of fewer characters go, too */
    uint32_t pieces_max;           /* cut: a document in more pieces goes whole */
    /* The command measures the rules on planted items instead of working on the corpus. */
    bool self_test;
    uint32_t self_test_items; /* planted, of those there are */
};
#define WINNOW_DECONTAMINATE_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_decontaminate_options){ \
        .skips = 4,                            \
        .misses = 11,                          \
        .perfect_words = 20,                   \
        .relaxed_words = 50,                   \
        .item_words_min = 8,                   \
        .margin = 200,                         \
        .left_min = 200,                       \
        .pieces_max = 10,                      \
        .self_test_items = 200,                \
    })

/* Plants items into documents of the corpus, edited at several rates, at the start, in the
 * middle and inside long documents, and judges by every rule (opt->rule and action do not
 * count).  json and table, for programs and people, are freed by winnow_bytes_free(). */
WINNOW_API winnow_status winnow_decontaminate_self_test(
    const struct winnow_decontaminate_options *opt, const struct winnow_text_options *text,
    const struct winnow_list *paths, const struct winnow_env *env, struct winnow_bytes *json,
    struct winnow_bytes *table, struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_DECONTAMINATE_H */
