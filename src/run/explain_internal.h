/* explain_internal.h -- what the parts of `winnow explain` share. */
#ifndef WINNOW_RUN_EXPLAIN_INTERNAL_H
#define WINNOW_RUN_EXPLAIN_INTERNAL_H

#include "run/run_internal.h"

#include <sqlite3.h>

struct explain {
    const char *run;
    const struct winnow_explain_options *opt;
    sqlite3 *db;
    struct json_parser *parser;
    uint64_t memory_max;
    struct buf out;
    uint64_t entries;
};

/* One row of the ledger; texts belong to the statement that gave it. */
struct entry {
    sqlite3_stmt *row;
    const char *id, *folder, *stage, *verdict, *shard, *rule, *detail;
    int64_t number, rowid, shard_number, line, output_line;
    double score; /* NaN: none */
};

/* explain.c */
winnow_status explain_prepare(const struct explain *x, const char *sql, sqlite3_stmt **out,
                              struct winnow_error *err);
/* Lines of the text, each behind "    | ". */
void explain_lines(struct buf *out, struct str text, size_t lines_max);
/* The text of a document in a file, unescaped. */
winnow_status explain_text_at(struct explain *x, const char *path, int64_t line, struct buf *out,
                              bool *found, struct winnow_error *err);

/* explain_detail.c: what else the ledger line says, in words. */
winnow_status explain_detail(struct explain *x, const struct entry *e, struct winnow_error *err);

/* explain_copies.c: of a dedup's documents, which one stays and what differs. */
bool explain_is_copy(const struct entry *e);
winnow_status explain_copy(struct explain *x, const struct entry *e, struct json_value detail,
                           struct winnow_error *err);
/* Documents that ended as copies of that one. */
winnow_status explain_copies(struct explain *x, const char *id, struct winnow_error *err);

#endif /* WINNOW_RUN_EXPLAIN_INTERNAL_H */
