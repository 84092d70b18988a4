/* quality.h -- classifiers of texts: what they make of documents, and training one.
 *
 * Options of the stage `quality`, which winnow_stage() and recipes run; and training from
 * good and bad examples.  Models are fastText's, in its own file format, both ways. */
#ifndef WINNOW_QUALITY_H
#define WINNOW_QUALITY_H

#include "winnow/tokenizer.h"

#ifdef __cplusplus
extern "C" {
#endif

struct winnow_quality_options {
    const char *model; /* a supervised fastText model, .bin or .ftz */
    const char *label; /* whose probability is the score; with or without "__label__" */
    const char *name;  /* of the attribute folder; "quality" */
    double min, max;   /* documents outside go; 0 and 1: all stay */
    const char *truth; /* NULL, or a member that says whether a document is good */
};
#define WINNOW_QUALITY_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_quality_options){ \
        .label = "__label__hq", .name = "quality", .min = 0, .max = 1})

enum winnow_rebalance { WINNOW_REBALANCE_SMOTE, WINNOW_REBALANCE_WEIGHTS, WINNOW_REBALANCE_NONE };

struct winnow_quality_train_options {
    struct winnow_text_options text;
    const char *output; /* the model, a .bin of fastText */
    /* Paths given: good documents; against: bad ones.  With label_key, a member of each
     * document says which it is (true or above 0: good), and against is empty. */
    struct winnow_list against;
    const char *label_key;
    /* Or judgements of pairs of pages (docs/quality.md): of documents of the paths by their
     * ids, or with no paths of texts.  No against and no label_key then. */
    const char *pairs, *pairs_held; /* pairs_held: to measure with, in place of holdout */
    bool smooth;                    /* labels move towards what the model believes */
    double smooth_rate;             /* by that share of the way after each epoch */
    /* Or silos: each path is one, whose documents stay in it; label_key is needed. */
    bool silos;
    bool choose;      /* each silo leaves out what is ambiguous: */
    double doubt;     /* of each label at most that share, of what a model of its other half rates
                         otherwise */
    int rebalance;    /* enum winnow_rebalance */
    uint32_t rounds;  /* of averaging; epochs are of all of them together */
    bool centralised; /* train a model on all silos' documents at once, too, to compare */
    const char *results;               /* NULL, or a file for what was measured, as JSON */
    double holdout;                    /* share of the documents to measure with */
    uint32_t dim, word_ngrams, bucket; /* bucket: rows for hashed n-grams */
    uint32_t minn, maxn;               /* characters of a word's pieces; maxn 0: none */
    uint64_t count_min;                /* rarer words have no row of their own */
    double epochs, lr;
    uint32_t batch;    /* documents a step */
    double checkpoint; /* seconds between two at least; a broken-off training goes on */
    const char *good_label, *bad_label;
};
#define WINNOW_QUALITY_TRAIN_OPTIONS_INIT                                       \
    (WINNOW_NEW(winnow_quality_train_options){.text = WINNOW_TEXT_OPTIONS_INIT, \
                                              .smooth_rate = 0.5,               \
                                              .choose = true,                   \
                                              .doubt = 0.1,                     \
                                              .rounds = 10,                     \
                                              .holdout = 0.1,                   \
                                              .dim = 16,                        \
                                              .word_ngrams = 2,                 \
                                              .bucket = 1 << 20,                \
                                              .count_min = 2,                   \
                                              .epochs = 10,                     \
                                              .lr = 0.01,                       \
                                              .batch = 16,                      \
                                              .checkpoint = 60,                 \
                                              .good_label = "__label__hq",      \
                                              .bad_label = "__label__cc"})

struct winnow_quality_train_result {
    uint64_t good, bad, held_good, held_bad, unlabelled;
    uint64_t words, steps, sources, seed;
    double loss; /* mean of the last tenth of the steps */
    /* Of the documents held out, with intervals of 95 %; NaN where there are none of a kind. */
    double auc, auc_low, auc_high;
    double source_auc, source_auc_low, source_auc_high; /* of the source's name alone */

    /* Of judgements.  Losses are against the labels as given; NaN where none is held out. */
    uint64_t pages, pairs, pairs_held;
    uint64_t pairs_both;   /* pairs that are judged both ways */
    uint64_t pairs_same;   /* judgements left out: the same page on both sides */
    uint64_t pairs_turned; /* judgements whose label was smoothed over to the other side */
    uint64_t epochs, epoch_best;
    double held_loss_first, held_loss_best, held_loss; /* after an epoch, the best and the last */
    double held_right;                                 /* share of judgements, after the last */

    /* Of silos; good, bad, held_good and held_bad are sums over them. */
    uint64_t silos, silos_out;         /* out: with one label only */
    uint64_t silo_both, silo_doubtful; /* documents that the choice left out */
    uint64_t silo_mixtures;            /* documents made of two */
    uint64_t crossed;                  /* bytes that left a silo or came to one */
    double macro_f1, balanced;         /* of the documents held out; balanced accuracy */
    double central_macro_f1, central_balanced;
    double central_auc; /* as auc, which is then over pairs of the same silo, without interval */
};

/* The same examples, options and env->seed give the same file, whatever the number of threads
 * and interruptions. */
WINNOW_API winnow_status winnow_quality_train(const struct winnow_quality_train_options *opt,
                                              const struct winnow_list *paths,
                                              const struct winnow_env *env,
                                              struct winnow_quality_train_result *result,
                                              struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_QUALITY_H */
