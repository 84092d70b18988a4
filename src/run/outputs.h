/* outputs.h -- the files that one shard of a stage's input becomes.
 *
 * Up to nine files of the same relative name grow side by side, a frame a
 * block.  Their lengths at a checkpoint say where to go on after a kill:
 * whatever was written behind them is cut off and written again.
 */
#ifndef WINNOW_RUN_OUTPUTS_H
#define WINNOW_RUN_OUTPUTS_H

#include "base/error.h"
#include "base/json.h"
#include "base/json_write.h"
#include "corpus/shard_writer.h"
#include "run/stage.h"

enum stream {
    STREAM_DOCUMENTS,
    STREAM_REMOVED,
    STREAM_ASIDE,
    STREAM_BAD,
    STREAM_LEDGER,
    STREAM_ATTRIBUTES, /* and the following */
    STREAMS = STREAM_ATTRIBUTES + STAGE_ATTRIBUTES_MAX
};

struct output_file {
    struct shard_writer *writer; /* NULL: not open */
    uint64_t lines;              /* so far */
    uint64_t length;             /* at the last flush */
};

/* Kept documents until they are arranged. */
#define KEPT_FOLDER "state/kept"

/* What stands behind a shard's name there. */
const char *kept_ending(const char *shard);

/* The open files of one shard.  All-zero is closed. */
struct outputs {
    const char *folder;                       /* of the stage */
    const char *shard;                        /* relative name of the files */
    const char *documents;                    /* where those go: "documents", or KEPT_FOLDER */
    const char *const *attributes;            /* names, NULL-terminated, or NULL */
    const struct storage_object *like_remote; /* what like is the address of, or NULL */
    const char *like; /* the shard's input, whose columns Parquet documents have; or NULL */
    bool wanted[STREAMS], always[STREAMS]; /* written at all; even without lines */
    const struct winnow_env *to;           /* documents go to its write; NULL: to files */
    struct output_file files[STREAMS];
    struct buf committed; /* names of Parquet shards whose lines still lie beside them */
};

/* Says which streams a pass writes.  folder and attributes are borrowed. */
void outputs_init(struct outputs *o, const char *folder, const struct stage_pass *pass,
                  bool keep_removed);

/* Starts a shard; where from is an object written by outputs_write(), its files
 * are cut to the lengths given there.  shard is borrowed until outputs_commit(). */
winnow_status outputs_open(struct outputs *o, const char *shard, struct json_value from,
                           struct winnow_error *err);

/* Adds whole lines as one frame.  Distinct streams may be served by distinct
 * threads at the same time. */
winnow_status outputs_add(struct outputs *o, enum stream stream, struct str lines, uint64_t count,
                          struct winnow_error *err);

/* Everything added is on the disk. */
winnow_status outputs_sync(struct outputs *o, struct winnow_error *err);

/* {"documents": {"lines": 3, "bytes": 120}, ...}: members of the open object. */
void outputs_write(const struct outputs *o, struct json_writer *w);

/* Final names for all; then the same members with each file's hash, for the
 * shard's completion, into w. */
winnow_status outputs_commit(struct outputs *o, struct json_writer *w, struct winnow_error *err);

/* What was committed is noted: nobody will go on with it from an earlier place. */
void outputs_forget(struct outputs *o);
void outputs_forget_shard(struct outputs *o, const char *shard);

/* Leaves what was written as NAME.tmp. */
void outputs_close(struct outputs *o);

/* "documents", "ledger", "attributes/ppl" in out. */
const char *outputs_stream_folder(const struct outputs *o, enum stream stream, struct buf *out);

#endif /* WINNOW_RUN_OUTPUTS_H */
