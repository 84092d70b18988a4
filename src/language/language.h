/* language.h -- the stage `language`: documents by the language they are in. */
#ifndef WINNOW_LANGUAGE_LANGUAGE_H
#define WINNOW_LANGUAGE_LANGUAGE_H

#include "run/stage.h"

extern const struct stage_kind LANGUAGE_STAGE;

#endif /* WINNOW_LANGUAGE_LANGUAGE_H */
