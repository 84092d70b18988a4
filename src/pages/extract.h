/* extract.h -- the stage `extract`: pages and text files to documents. */
#ifndef WINNOW_PAGES_EXTRACT_H
#define WINNOW_PAGES_EXTRACT_H

#include "run/stage.h"

extern const struct stage_kind EXTRACT_STAGE;

#endif /* WINNOW_PAGES_EXTRACT_H */
