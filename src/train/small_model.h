/* small_model.h -- from the options of a small model to what trains it. */
#ifndef WINNOW_TRAIN_SMALL_MODEL_H
#define WINNOW_TRAIN_SMALL_MODEL_H

#include "winnow/train.h"

#include "train/fit.h"

/* Refuses shapes that make no sense with a sentence that names the option. */
winnow_status small_model_config(const struct winnow_small_model *s, const struct tokenizer *t,
                                 struct model_config *out, struct winnow_error *err);

/* The shape alone, of options that were checked, with the vocabulary they ask for. */
struct model_config small_model_shape(const struct winnow_small_model *s);

/* The same checks for options whose tokenizer is not there yet. */
winnow_status small_model_check(const struct winnow_small_model *s, struct winnow_error *err);

/* Trains a tokenizer of that vocabulary on what next_text() gives, one special token. */
winnow_status small_model_train_tokenizer(uint32_t vocab, const struct winnow_env *env,
                                          tokenizer_next_text next_text, void *ctx,
                                          struct tokenizer **out, struct winnow_error *err);

/* The tokenizer that is named; or, named being NULL, the one that an earlier call left in
 * file; or one that is made now by make(ctx), and left there. */
typedef winnow_status (*small_model_make_tokenizer)(void *ctx, struct tokenizer **out,
                                                    struct winnow_error *err);
winnow_status small_model_tokenizer(const char *named, const char *file,
                                    small_model_make_tokenizer make, void *ctx,
                                    struct tokenizer **out, struct winnow_error *err);

void small_model_packer(const struct winnow_small_model *s, const struct model_config *c,
                        uint64_t document_tokens, struct packer_options *out);

/* A schedule of that many steps. */
void small_model_trainer(const struct winnow_small_model *s, uint64_t steps,
                         struct trainer_options *out);

/* Bytes of training it: weights, moments, gradients, an engine; documents not counted. */
uint64_t small_model_memory(const struct winnow_small_model *s, const struct model_config *c,
                            uint32_t threads);

#endif /* WINNOW_TRAIN_SMALL_MODEL_H */
