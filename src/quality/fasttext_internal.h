/* fasttext_internal.h -- the index of a model's dictionary. */
#ifndef WINNOW_QUALITY_FASTTEXT_INTERNAL_H
#define WINNOW_QUALITY_FASTTEXT_INTERNAL_H

#include "quality/fasttext.h"

/* The slot of a word, or the free one where it would be. */
struct fasttext_slot *fasttext_slot(const struct fasttext *m, struct str word, uint32_t hash);

#endif /* WINNOW_QUALITY_FASTTEXT_INTERNAL_H */
