/* encode_ending.h -- token files as the end of a recipe. */
#ifndef WINNOW_FLOW_ENCODE_ENDING_H
#define WINNOW_FLOW_ENCODE_ENDING_H

#include "flow/stages.h"

extern const struct ending_kind ENCODE_ENDING;

#endif /* WINNOW_FLOW_ENCODE_ENDING_H */
