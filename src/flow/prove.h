/* prove.h -- the ending `prove`: a recipe's last documents, put to the proof. */
#ifndef WINNOW_FLOW_PROVE_H
#define WINNOW_FLOW_PROVE_H

#include "flow/stages.h"

extern const struct ending_kind PROVE_ENDING;

#endif /* WINNOW_FLOW_PROVE_H */
