/* texts.h -- the documents of a corpus one by one, pulled by the caller, for commands
 * that read one without writing one; scan.h does the same on all threads.
 *
 *     TRY(texts_open(&t, &opt, paths, env, &result, err));
 *     while (texts_next(&t, &d, &more, err) == WINNOW_OK && more) ...
 *     texts_read(...), texts_end(...), texts_release(&t)
 *
 * or, over shards that the caller has found, texts_over() in place of texts_open().
 */
#ifndef WINNOW_CORPUS_TEXTS_H
#define WINNOW_CORPUS_TEXTS_H

#include "winnow/tokenizer.h"

#include "corpus/block_walk.h"

struct texts {
    struct winnow_text_options opt;
    const struct winnow_env *env;
    struct shard_list shards; /* own; not used by texts_over() */
    struct block_walk walk;
    struct winnow_text_result *result;
    struct shard_block block;
    struct block_parser *parser;
    bool block_open;
    uint64_t block_number; /* from 1: which block the last document came from */
};

/* All-zero may be released.  result is counted into. */
winnow_status texts_open(struct texts *t, const struct winnow_text_options *opt,
                         struct winnow_list paths, const struct winnow_env *env,
                         struct winnow_text_result *result, struct winnow_error *err);

/* shards and result must outlive it; their account is counted into, without a word. */
void texts_over(struct texts *t, const struct shard_list *shards, const struct document_keys *keys,
                const struct winnow_env *env, struct winnow_text_result *result);
void texts_release(struct texts *t);

/* What of --memory there is for a long line, instead of half of it. */
void texts_budget(struct texts *t, const struct line_budget *budget);

/* The next document; its views hold until the next call.  Bad lines are an error where
 * they are to stop the work, else they are in the account. */
winnow_status texts_next(struct texts *t, struct document *d, bool *more, struct winnow_error *err);

/* The shard of the last document. */
const char *texts_shard(const struct texts *t);

/* The next document's text, as tokenizer_train() wants it; ctx is a struct texts. */
winnow_status texts_next_text(void *ctx, struct str *text, bool *more, struct winnow_error *err);

/* When all is read, and the caller took that many documents of it: a warning where
 * lines were left out, WINNOW_E_FORMAT where there is no document. */
winnow_status texts_read(const struct texts *t, uint64_t documents, struct winnow_error *err);

/* When all else is done: WINNOW_E_FORMAT where shards were lost. */
winnow_status texts_end(const struct texts *t, struct winnow_error *err);

#endif /* WINNOW_CORPUS_TEXTS_H */
