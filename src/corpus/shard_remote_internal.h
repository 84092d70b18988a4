/* shard_remote_internal.h -- what an address of storage leads to, under the rules of folders
 * and globs on this machine. */
#ifndef WINNOW_CORPUS_SHARD_REMOTE_INTERNAL_H
#define WINNOW_CORPUS_SHARD_REMOTE_INTERNAL_H

#include "corpus/account.h"
#include "corpus/shard_walk_internal.h"
#include "storage/storage.h"

struct remote_walk {
    const struct walk_options *walk; /* wants, all and underscores count */
    const char *root;                /* the address that was given, for sentences */
    bool deep;                       /* a pattern with "**" */
    bool glob;
    struct input_account *account;
};

/* Cuts found down to what is read: a run means its documents, names that are set apart and
 * (where nothing is named) what is of no kind that is read are left out, and told.  WINNOW_E_USAGE
 * where a run lies in what was named.  A pattern's own match is the caller's. */
winnow_status shard_remote_cut(const struct remote_walk *how, struct storage_found *found,
                               struct winnow_error *err);

/* What an object of that name is called in outputs: the same, with %2F for parts that are
 * empty. */
const char *shard_remote_name(struct str below, struct arena *keep);

#endif /* WINNOW_CORPUS_SHARD_REMOTE_INTERNAL_H */
