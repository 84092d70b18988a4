/* quality_silo.h -- the documents of one silo, and what may leave it.
 *
 * A model of all silos is trained by rounds (federated averaging, McMahan et al. 1602.05629): each
 * silo goes on from the common model over its own documents, and the models that come out are
 * averaged.  Documents, words and scores stay; what crosses, either way, is a message:
 *
 *     struct silo_head, then numbers: rows, labels' rows, squares of the rows (f32)
 *
 * and of documents held out four counts and an area under the curve.  A model has no words, as
 * they would be text: rows are hashed pieces of words and n-grams only.
 *
 * Before, each silo chooses among its documents and evens their labels out, after Nikolaidis et
 * al. 2309.04311 (their rule is not public; ours is below):
 *
 *     selection   texts that are good and bad at once go, and of each label up to a share
 *                 of the documents that a model of the silo's other half rates otherwise
 *     rebalancing each label weighs n / (2 n of it), or the rarer one gets mixtures of its
 *                 documents with one of their five nearest (SMOTE) until there are as many
 */
#ifndef WINNOW_QUALITY_QUALITY_SILO_H
#define WINNOW_QUALITY_QUALITY_SILO_H

#include "quality/quality_train.h"

#define SILO_KIND       "winnowF1"
#define SILO_NEIGHBOURS 5U

struct silo_head {
    char kind[8];
    uint64_t rows;
    uint32_t dim, unused;
    uint64_t weight; /* lessons that the sender has; of the common model 0 */
};

struct silo_counts {
    uint64_t documents, unlabelled;
    uint64_t good, bad;           /* to train on, before the choice */
    uint64_t both, doubtful;      /* what it leaves out */
    uint64_t good_left, bad_left; /* after it */
    uint64_t mixtures;
};

/* Documents held out, by label, how many of them are rated right, and how well scores rank them:
 * all that is told of them.  Ranks are of documents of one silo, as scores stay there: auc is the
 * mean over pairs of a good and a bad document of the same silo, NaN where there are none. */
struct silo_measure {
    uint64_t good, good_right, bad, bad_right;
    uint64_t pairs;
    double auc;
};

struct silo_options {
    struct quality_train_options train; /* epochs: of all rounds together */
    uint32_t rounds;
    bool choose;
    double doubt;  /* of each label at most that share goes as doubtful */
    int rebalance; /* enum winnow_rebalance */
};

struct quality_silo {
    const char *name;
    struct quality_examples examples;
    struct quality_lessons lessons;
    struct silo_counts counts;
    size_t *ends; /* where the documents of each silo end, of several read as one; NULL: one */
    size_t end_count;
    bool out; /* it has one label only: measured, not trained on */
};
void quality_silo_release(struct quality_silo *s);

/* Chooses and rebalances, when all documents are in. */
winnow_status silo_prepare(struct quality_silo *s, const struct silo_options *opt,
                           const struct winnow_env *env, struct winnow_error *err);

/* One round: from the common model's message to the silo's.  WINNOW_E_FORMAT where the message
 * is of another shape. */
winnow_status silo_round(const struct quality_silo *s, const struct silo_options *opt,
                         const struct winnow_env *env, uint32_t round, struct str common,
                         struct buf *update, struct winnow_error *err);

winnow_status silo_test(const struct quality_silo *s, const struct silo_options *opt,
                        struct str common, struct silo_measure *m, struct winnow_error *err);

/* ---- messages ---- */

/* Bytes of a message of a model of that shape. */
size_t silo_message_bytes(uint64_t rows, uint32_t dim);
void silo_message_write(const struct quality_net *net, uint64_t weight, struct buf *out);

/* Into a net of the same shape. */
winnow_status silo_message_read(struct str message, struct quality_net *net, uint64_t *weight,
                                struct winnow_error *err);

/* The mean of messages by their weights: add each with share weight / all weights. */
void silo_message_add(struct quality_net *sum, const struct quality_net *net, double share);

/* Adds what another silo tells. */
void silo_measure_add(struct silo_measure *all, const struct silo_measure *m);

double silo_macro_f1(const struct silo_measure *m);
double silo_balanced(const struct silo_measure *m);

#endif /* WINNOW_QUALITY_QUALITY_SILO_H */
