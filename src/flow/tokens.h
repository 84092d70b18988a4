/* tokens.h -- the ending that counts tokens. */
#ifndef WINNOW_FLOW_TOKENS_H
#define WINNOW_FLOW_TOKENS_H

#include "flow/stages.h"

/* tokens.json: tokens of each stage's documents, for the funnel. */
extern const struct ending_kind TOKENS_ENDING;

#endif /* WINNOW_FLOW_TOKENS_H */
