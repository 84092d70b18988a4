/* llama.h -- the slow twin of the engine: a Llama in double, one token, one
 * head and one multiplication at a time, written from the formulas and sharing
 * no code with src/model beyond the tensor table. */
#ifndef WINNOW_TESTS_ORACLE_LLAMA_H
#define WINNOW_TESTS_ORACLE_LLAMA_H

#include "engine/batch.h"
#include "model/model.h"

/* NLL of every position (0 where there is no target), for weights laid out as
 * the model's; logits[tokens][vocab] too unless NULL.  Returns the sum. */
double oracle_llama(const struct model *m, const double *weights, const struct token_batch *b,
                    double *nll, double *logits);

/* The same, where what attention (site 0) and the MLP (1) of a layer add to number i of a
 * position of the batch is multiplied by factor(). */
typedef double (*oracle_factor)(void *ctx, uint32_t layer, int site, size_t position, size_t i);
double oracle_llama_times(const struct model *m, const double *weights, const struct token_batch *b,
                          oracle_factor factor, void *ctx);

#endif /* WINNOW_TESTS_ORACLE_LLAMA_H */
