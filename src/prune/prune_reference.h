/* prune_reference.h -- the reference models of `prune`.
 *
 * A side is the corpus or one half of it; its documents of least draw, until they
 * hold the tokens wanted, train its reference.  Where the side, or the share of
 * the documents that may be set aside, holds fewer, the reference trains on those,
 * which is said; it is refused below an eighth.  Without cross-fit there is one
 * side, all of it, and what trains the reference is set aside; with it two
 * sides, each scored by the other's reference. */
#ifndef WINNOW_PRUNE_PRUNE_REFERENCE_H
#define WINNOW_PRUNE_PRUNE_REFERENCE_H

#include "winnow/prune.h"

#include "model/model_file.h"
#include "prune/least_draws.h"
#include "prune/selector.h"
#include "token/tokenizer.h"

/* An empty one for the options: texts until they hold what a reference trains on, of
 * which one text gives its first tokens only. */
struct least_draws reference_texts_for(const struct winnow_prune_options *opt);

struct reference {
    struct model *model;
    uint64_t last_draw; /* documents up to it belong to it */
    uint64_t documents, tokens, parameters;
    double loss, flops;
    bool learnt_little; /* its loss is near that of guessing */
    char folder[32];    /* "reference-0", in home's folder */
};
void reference_release(struct reference *r);

/* The tokenizer named, or one trained on the sorted texts of all sides (kept in
 * home's folder). */
winnow_status reference_tokenizer(const struct selector_home *home,
                                  const struct winnow_prune_options *opt,
                                  const struct least_draws *sides, size_t count,
                                  struct tokenizer **out, struct winnow_error *err);

/* Trains the reference of a side or goes on training it; a finished one is
 * loaded.  texts are sorted. */
winnow_status reference_train(const struct selector_home *home,
                              const struct winnow_prune_options *opt, const struct tokenizer *t,
                              size_t side, struct least_draws *texts, struct reference *out,
                              struct winnow_error *err);

#endif /* WINNOW_PRUNE_PRUNE_REFERENCE_H */
