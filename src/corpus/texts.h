/* texts.h -- the documents of a corpus, shard after shard, for commands that
 * read one without writing one (tokenizer train, tokenizer encode). */
#ifndef WINNOW_CORPUS_TEXTS_H
#define WINNOW_CORPUS_TEXTS_H

#include "winnow/tokenizer.h"

#include "corpus/shard_reader.h"
#include "corpus/shards.h"

struct texts {
    const struct winnow_text_options *opt;
    const struct winnow_env *env;
    struct shard_list shards;
    size_t shard; /* the next to be opened */
    struct shard_reader *reader;
    uint64_t bytes_done; /* of the shards closed */
    struct winnow_text_result *result;
    struct line_budget budget;

    /* texts_next_document() */
    struct shard_block block;
    struct block_parser *parser;
    bool block_open;
};

/* All-zero may be released.  result is counted into. */
winnow_status texts_open(struct texts *t, const struct winnow_text_options *opt,
                         struct winnow_list paths, const struct winnow_env *env,
                         struct winnow_text_result *result, struct winnow_error *err);
void texts_release(struct texts *t);

/* The next block of any shard. */
winnow_status texts_next_block(struct texts *t, struct shard_block *block, bool *more,
                               struct winnow_error *err);

/* Counts a bad line: an error where bad lines are to stop the work. */
winnow_status texts_bad(struct texts *t, const struct bad_line *bad, const char *shard,
                        struct winnow_error *err);

/* The next document; its views hold until the next call. */
winnow_status texts_next_document(struct texts *t, struct document *d, bool *more,
                                  struct winnow_error *err);

/* The next document's text, as tokenizer_train() wants it; ctx is a struct texts. */
winnow_status texts_next(void *ctx, struct str *text, bool *more, struct winnow_error *err);

/* When all is read, and the caller took that many documents of it: a warning where
 * lines were left out, WINNOW_E_FORMAT where there is no document. */
winnow_status texts_read(const struct texts *t, uint64_t documents, struct winnow_error *err);

/* When all else is done: WINNOW_E_FORMAT where shards were lost. */
winnow_status texts_end(const struct texts *t, struct winnow_error *err);

#endif /* WINNOW_CORPUS_TEXTS_H */
