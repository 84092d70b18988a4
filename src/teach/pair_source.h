/* pair_source.h -- the lines of a corpus of pages with what is known of them
 * (teach/pair.h), shard after shard, for commands that read one. */
#ifndef WINNOW_TEACH_PAIR_SOURCE_H
#define WINNOW_TEACH_PAIR_SOURCE_H

#include "base/env.h"
#include "corpus/block_walk.h"
#include "teach/pair.h"

struct pair_source {
    const struct winnow_env *env;
    uint64_t limit, given;
    struct shard_list shards;
    struct block_walk walk;
    struct shard_block block;
    struct str rest; /* of the block */
    uint64_t number; /* of the line before rest */
};

/* limit: lines at most; 0: all.  All-zero may be released. */
winnow_status pair_source_open(struct pair_source *s, const struct winnow_list *paths,
                               uint64_t limit, const struct winnow_env *env,
                               struct winnow_error *err);
void pair_source_release(struct pair_source *s);

/* The next line that is not blank, valid until the next call, and where it stands;
 * *more false at the end.  A line that cannot be read is WINNOW_E_FORMAT. */
struct pair_line {
    struct str text;
    const char *shard;
    uint64_t number;
};
winnow_status pair_source_next(struct pair_source *s, struct pair_line *line, bool *more,
                               struct winnow_error *err);

/* Which share of the input the lines given so far are, by their bytes or by the limit. */
double pair_source_done(const struct pair_source *s, uint64_t bytes);

/* Parses it; the sentence on failure says where it stands. */
winnow_status pair_line_read(const struct pair_line *line, struct json_parser *parser,
                             const char *group, struct arena *keep, struct pair *out,
                             struct winnow_error *err);

#endif /* WINNOW_TEACH_PAIR_SOURCE_H */
