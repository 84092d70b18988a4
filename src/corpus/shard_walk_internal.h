/* shard_walk_internal.h -- what lies below a folder. */
#ifndef WINNOW_CORPUS_SHARD_WALK_INTERNAL_H
#define WINNOW_CORPUS_SHARD_WALK_INTERNAL_H

#include "corpus/account.h"

struct walked {
    const char **items;
    size_t count, cap;
};

void walked_add(struct walked *t, const char *text);

struct walk_options {
    /* Whether a file of that path, relative to the root, would be taken. */
    bool (*wants)(const void *ctx, const char *below);
    /* Whether something that is wanted may lie in the folder of that path; NULL: anywhere. */
    bool (*leads)(const void *ctx, const char *below);
    const void *ctx;
    bool all;         /* whatever is there is meant, so that all that is left out is told */
    bool underscores; /* files whose names start with "_" are files like others: pages have such */
    bool runs_too;    /* goes into run folders; else one below the root is refused */
};

/* All regular files under root, relative to it ("a/b.html"), in byte order; names live in keep,
 * items are the caller's to free. Hidden names, names that start with "_" (see above) and *.tmp are
 * not among them, nor are links to folders.  What is left out although it might hold what is
 * wanted, and what cannot be looked at, goes to the account. */
winnow_status walk_files(const char *root, const struct walk_options *opt, struct walked *files,
                         struct arena *keep, struct input_account *account,
                         struct winnow_error *err);

#endif /* WINNOW_CORPUS_SHARD_WALK_INTERNAL_H */
