/* json_lines.h -- the JSON values of one file, a line each, in order. */
#ifndef WINNOW_CORPUS_JSON_LINES_H
#define WINNOW_CORPUS_JSON_LINES_H

#include "base/json.h"
#include "corpus/shard_reader.h"

struct json_line {
    struct json_value root;
    struct str text;
    uint64_t number; /* from 1; blank lines count and are not given */
};

struct json_lines {
    const struct shard_reader_options *opt; /* NULL: the usual ones */
    winnow_status (*line)(void *ctx, const struct json_line *line, struct winnow_error *err);
    winnow_status (*block)(void *ctx, struct winnow_error *err); /* after each block; may be NULL */
    void *ctx;
};

/* Calls line() for each.  A line that cannot be read or parsed ends it with
 * WINNOW_E_FORMAT; sentences name path and line, those of line() too. */
winnow_status json_lines_read(const char *path, const struct json_lines *r,
                              struct winnow_error *err);

#endif /* WINNOW_CORPUS_JSON_LINES_H */
