/* guard.h -- no command writes into, or over, what it reads.
 *
 * Asked before anything is made, with every corpus, model, tokenizer, list and
 * attribute folder that the call names.  base/place.h says how paths are compared.
 */
#ifndef WINNOW_RUN_GUARD_H
#define WINNOW_RUN_GUARD_H

#include "base/place.h"
#include "corpus/shards.h"
#include "option/option.h"

/* What a call reads; all members may be zero. */
struct guarded {
    struct winnow_list paths;        /* corpora, as given */
    const char *files_from;          /* a list of further ones */
    const struct shard_list *shards; /* what they came to, where that is known */
    enum shards_kind kind;
};

/* Adds corpora with every shard in them. */
winnow_status guard_corpora(struct places *p, const struct guarded *what, struct winnow_error *err);

/* Adds what the options name. */
winnow_status guard_options(struct places *p, const struct option_table *table, const void *options,
                            struct winnow_error *err);

/* Refuses to write a file over one that the run was made from. */
winnow_status guard_recorded(const char *run, const char *output, struct winnow_error *err);

/* All of a command whose output is one folder. */
winnow_status guard_folder(const char *output, const struct guarded *what,
                           const struct option_table *table, const void *options,
                           struct winnow_error *err);

/* All of a command whose output is one file; NULL and "-" are standard output, which
 * may have been sent into a file that is read.  Refuses also
 * to replace a file in a folder that winnow filled. */
winnow_status guard_file(const char *output, const struct guarded *what,
                         const struct option_table *table, const void *options,
                         struct winnow_error *err);

#endif /* WINNOW_RUN_GUARD_H */
