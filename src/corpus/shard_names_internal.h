/* shard_names_internal.h -- what shards are called in outputs. */
#ifndef WINNOW_CORPUS_SHARD_NAMES_INTERNAL_H
#define WINNOW_CORPUS_SHARD_NAMES_INTERNAL_H

#include "corpus/shards.h"

/* Makes the names of a list valid UTF-8 and such that outputs called after them
 * can lie side by side, and, of documents, such that a walk finds them again;
 * WINNOW_E_USAGE where that cannot be.  ending: what all of these end in, or NULL. */
winnow_status shard_names_settle(struct shard_list *list, bool documents, const char *ending,
                                 struct winnow_error *err);

/* Whether a walk for documents takes a file of that name. */
bool shard_name_is_of_documents(const char *name);

#endif /* WINNOW_CORPUS_SHARD_NAMES_INTERNAL_H */
