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
#include "prune/selector.h"
#include "token/tokenizer.h"

/* Texts of least draw until they hold bytes_max, of which one text gives at most
 * counted_max: only its first tokens are trained on. */
struct reference_texts {
    struct reference_item {
        uint64_t draw, ordinal;
        char *text;
        size_t len;
    } * items; /* a heap with the largest on top */
    size_t count, cap;
    uint64_t bytes, bytes_max; /* as they count */
    uint64_t held;             /* as they are */
    uint64_t counted_max;      /* of one text; 0: all */
    uint64_t text_max;         /* bytes of one text that are held; 0: all */
};
/* An empty one for the options. */
struct reference_texts reference_texts_for(const struct winnow_prune_options *opt);
/* Whether offering it would change anything; its text is not looked at. */
bool reference_texts_want(const struct reference_texts *r, uint64_t draw, uint64_t ordinal);
void reference_texts_offer(struct reference_texts *r, uint64_t draw, uint64_t ordinal,
                           struct str text);
void reference_texts_sort(struct reference_texts *r); /* by draw; nothing can be offered then */
void reference_texts_release(struct reference_texts *r);

struct reference {
    struct model *model;
    uint64_t last_draw; /* documents up to it belong to it */
    uint64_t documents, tokens, parameters;
    double loss, flops;
    char folder[32]; /* "reference-0", in home's folder */
};
void reference_release(struct reference *r);

/* The tokenizer named, or one trained on the sorted texts of all sides (kept in
 * home's folder). */
winnow_status reference_tokenizer(const struct selector_home *home,
                                  const struct winnow_prune_options *opt,
                                  const struct reference_texts *sides, size_t count,
                                  struct tokenizer **out, struct winnow_error *err);

/* Trains the reference of a side or goes on training it; a finished one is
 * loaded.  texts are sorted. */
winnow_status reference_train(const struct selector_home *home,
                              const struct winnow_prune_options *opt, const struct tokenizer *t,
                              size_t side, struct reference_texts *texts, struct reference *out,
                              struct winnow_error *err);

#endif /* WINNOW_PRUNE_PRUNE_REFERENCE_H */
