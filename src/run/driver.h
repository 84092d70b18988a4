/* driver.h -- a run: stages over an input into one folder.  src/flow/ says which. */
#ifndef WINNOW_RUN_DRIVER_H
#define WINNOW_RUN_DRIVER_H

#include "winnow/run.h"

#include "corpus/shards.h"
#include "run/stage.h"

struct run_step {
    const struct stage_kind *kind;
    const void *options; /* of kind->table */
};

struct run;

/* What comes behind the last stage (proof, report): done once, when all stages
 * are done and the ledger is indexed.  key hashes all that its result depends
 * on (stages, earlier endings, its options, seed, kernels); what it left half
 * done under another key is its own to throw away.  The same rules hold for
 * what it writes as for stages. */
struct run_ending {
    const char *name;                 /* "prove": shown, and names its mark */
    const struct option_table *table; /* NULL: no options */
    const void *options;
    winnow_status (*run)(struct run *r, const void *options, const char *key,
                         struct winnow_error *err);
    /* Refuses, before the stages take their hours, what cannot be made behind them; may be NULL. */
    winnow_status (*check)(struct run *r, const void *options, struct winnow_error *err);
    /* For --dry-run; plan is of the first stage's documents.  NULL: nothing to speak of. */
    void (*estimate)(const void *options, const struct stage_plan *plan,
                     struct stage_estimate *out);
    const char *product; /* "report.html", which is there when it is done; or NULL */
    bool uses_kernels;   /* its results depend on the kernel table */
};

/* What the passes of a run take of memory, by their own accounts; the largest of each. */
struct run_memory {
    uint64_t least;  /* --memory with which a pass would begin */
    uint64_t fixed;  /* beside blocks on their way */
    double per_byte; /* of a block at work */
    size_t block;    /* bytes of one */
};

struct run_request {
    struct winnow_list paths;
    /* Of a sample: the shards that the paths are parts of, by whose names they go; or NULL. */
    const struct shard *const *stands_for;
    const struct winnow_corpus_options *corpus;
    const struct run_step *steps;
    size_t count;
    const struct run_ending *endings; /* in order */
    size_t ending_count;
    const char *recipe;        /* path of the recipe's file, or NULL */
    const char *kernels;       /* name of the kernel table in use, or NULL */
    struct run_memory *memory; /* out, or NULL */
    const struct winnow_env *env;
};

/* Does what is left to do of it. */
winnow_status run_do(const struct run_request *request, struct winnow_run_result *out,
                     struct winnow_error *err);

/* ---- what an ending may ask ---- */

const char *run_folder(const struct run *r);
const struct winnow_env *run_env(const struct run *r);
struct pool *run_pool(struct run *r);
const struct winnow_corpus_options *run_corpus(const struct run *r);

/* What of its own inputs the ending did without: it is said again at the end of this run,
 * and of every later call that finds all done, with exit code 3. */
void run_ending_lost(struct run *r, const char *sentence);

/* Number of stages; folder and command name of each ("runs/x/stages/01-extract",
 * "extract"). */
size_t run_stage_count(const struct run *r);
const char *run_stage_folder(const struct run *r, size_t i);
const char *run_stage_command(const struct run *r, size_t i);
const void *run_stage_options(const struct run *r, size_t i);

/* The shards of what stage i kept; to be released in any case. */
winnow_status run_stage_output(const struct run *r, size_t i, struct shard_list *out,
                               struct winnow_error *err);

#endif /* WINNOW_RUN_DRIVER_H */
