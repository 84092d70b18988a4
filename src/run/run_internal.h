/* run_internal.h -- a run and its stages, as the files of src/run/ share them. */
#ifndef WINNOW_RUN_RUN_INTERNAL_H
#define WINNOW_RUN_RUN_INTERNAL_H

#include "base/hash.h"
#include "base/map.h"
#include "base/prints.h"
#include "corpus/shards.h"
#include "ranks/ranks.h"
#include "run/counts.h"
#include "run/driver.h"

#include <time.h>

struct note {
    const char *key;
    struct str json;
};

struct note_list {
    struct note *items;
    size_t count, cap;
};

struct run {
    const struct run_request *request;
    const struct winnow_env *env;
    const struct winnow_corpus_options *corpus;
    const char *folder; /* the run folder; a temporary one in a pipe without --run */
    bool temporary;
    bool to_stdout;     /* the last stage's documents go there */
    int lock;           /* file descriptor, or -1 */
    int ranks_lock;     /* the same, of all ranks */
    int temporary_lock; /* the same, of a folder under --temporary */
    struct pool *pool;
    struct arena keep;
    struct winnow_list paths; /* of the input; a spooled pipe is a file here */
    char input_key[33];
    char (*ending_keys)[33]; /* request->ending_count of them */
    struct prints *prints;   /* of all that is read */
    struct stage *stages;    /* request->count of them */
    struct note_list ending_times;
    const char *ending_lost; /* said by the ending that runs; else NULL */
    time_t started;
};

struct stage {
    struct run *run;
    const struct stage_kind *kind;
    const void *options;
    const char *name;     /* "02-rules" */
    const char *folder;   /* "runs/x/stages/02-rules" */
    char key[33];         /* of all that its bytes depend on */
    const char *settings; /* of its command, options and input by name: settings.h */
    bool first, last;
    bool shared;    /* several ranks do it together */
    bool complete;  /* an earlier process finished it */
    bool damaged;   /* the same, but what it left is not whole any more */
    bool pipe_read; /* a pass has taken what its pipe gave */
    struct shard_list input;
    bool input_found;
    size_t made;            /* of the input, the last so many shards: made.c */
    const char *extension;  /* sources: of output shards; */
    uint64_t source_shards; /* how many there are */
    uint64_t documents, ordinals;
    uint64_t *bases; /* over ranks, once they are known: ordinals of the shards' first lines */
    struct winnow_list passes; /* that write, in the order in which they ran */
    const char *verdict_pass;
    bool arranges;       /* its documents are not in the shards of its input, but in */
    struct str arranged; /* these: elements of "out" in stats.json, once they are written */
    struct winnow_list attributes, attribute_passes; /* which pass wrote which */
    struct note_list notes, timings;
    struct winnow_list own; /* files of the stage that are no shards: own_files.c */
    double seconds;
    uint64_t lost;    /* inputs, as stats.json has them */
    uint64_t resumed; /* times a pass went on from a checkpoint */
};

/* A value under a key, replacing what was there; both are copied into keep. */
void note_set(struct note_list *list, const char *key, struct str json, struct arena *keep);
void note_list_release(struct note_list *list);

/* "<stage>/<what>/<name>" in out. */
const char *stage_file(const struct stage *s, const char *what, const char *name, struct buf *out);

/* Whether an input that the system did not let read can be read now. */
bool stage_lost_is_back(const struct stage *s);

/* After run() of the stage: checks the sum and writes stats.json and _SUCCESS. */
winnow_status stage_finish(struct stage *s, struct winnow_error *err);

/* The member "own" of stats.json: the files that the stage named by stage_owns(). */
winnow_status own_files_write(const struct stage *s, struct json_writer *w,
                              struct winnow_error *err);

/* ---- over_ranks.c ---- */

/* Refuses what several ranks cannot do, before any work. */
winnow_status ranks_may(const struct run *r, struct winnow_error *err);

/* The same of an input that is there once, when it is known. */
winnow_status ranks_may_read(const struct run *r, struct winnow_error *err);

/* Says which stages rank 0 does alone. */
void ranks_tell_alone(const struct run *r);

/* Refuses, on all ranks, where one was told something else than rank 0, or sees other files under
 * the names that options give (ranks_same.c). */
winnow_status ranks_same_request(struct run *r, struct winnow_error *err);

/* The same of the input, once rank 0 has found it. */
winnow_status ranks_same_input(const struct run *r, struct winnow_error *err);

/* Hashes of the input, by all ranks: rank 0 while it looks at its input, the others meanwhile. */
winnow_status ranks_hash_input(struct run *r, struct winnow_error *err);

/* What rank 0 found in the folder and of the input, to all; where it failed, all fail. */
winnow_status ranks_take_over(struct run *r, bool *finished, struct winnow_error *err);

/* A lock that all ranks share as long as they live: a launch that was killed may leave some of
 * them at work for a moment.  On rank 0 first, which refuses where there are such. */
winnow_status ranks_lock(struct run *r, struct winnow_error *err);
void ranks_unlock(struct run *r);

/* Threads of this process, where nobody said how many. */
uint32_t ranks_threads(const struct winnow_env *env);

/* ---- endings.c ---- */

/* Refuses, before the stages, what cannot be made behind them. */
winnow_status endings_check(struct run *r, struct winnow_error *err);
/* Makes those that an earlier process has not made; the first failure, when all were tried. */
winnow_status endings_make(struct run *r, struct winnow_error *err);
/* Whether what they made is there, and nothing was lost to them. */
bool endings_are_made(const struct run *r);
/* WINNOW_E_FORMAT with what they did without. */
winnow_status endings_tell(const struct run *r, struct winnow_error *err);

/* The documents of a finished stage, from its stats.json. */
winnow_status stage_output(const char *folder, struct shard_list *out, struct winnow_error *err);

/* The shards that hold its documents, of a stats.json: "out" where the stage arranged them anew,
 * else "shards". */
struct json_value stage_output_shards(struct json_value stats);

/* Names of its ledger's shards. */
winnow_status stage_ledger_shards(const char *folder, struct winnow_list *out, bool *arranged,
                                  struct arena *keep, struct winnow_error *err);

/* Names of the stages of a folder, in no order; *found is false where it has none. */
winnow_status run_find_stages(const char *run, struct winnow_list *out, struct arena *keep,
                              bool *found, struct winnow_error *err);

/* Names of the stages of a run folder, in order. */
winnow_status run_list_stages(const char *run, struct winnow_list *out, struct arena *keep,
                              struct winnow_error *err);

/* Names what killed calls left in a finished run; an error where a file of a stream is
 * of no stage. */
winnow_status verify_left(const char *run, const struct winnow_list *stages,
                          const struct winnow_env *env, struct winnow_error *err);

/* A file with one line of ours, e.g. a key; "" where it does not exist. */
winnow_status run_read_line(const char *path, char out[33], struct winnow_error *err);
winnow_status run_write_line(const char *path, const char *text, struct winnow_error *err);

/* What a finished first stage says of its input, from its stats.json. */
winnow_status stage_read_account(const char *folder, struct input_account *out,
                                 struct winnow_error *err);

/* The counts of a finished stage, from its stats.json. */
winnow_status stage_read_counts(const char *folder, struct counts *out, struct winnow_error *err);

/* Reads a small JSON file of ours.  *found is false, and nothing read, where it
 * does not exist.  The caller keeps parser and text as long as root is used. */
winnow_status run_read_json(const char *path, struct json_parser *parser, struct json_value *root,
                            bool *found, struct winnow_error *err);

/* What names of outputs end in by --output-format; NULL: what those of the input do. */
const char *run_output_ending(const struct winnow_corpus_options *corpus);

#endif /* WINNOW_RUN_RUN_INTERNAL_H */
