/* run.h -- corpora in, corpora out: recipes, single stages, and what they leave.
 *
 * A run fills one folder (docs/formats/run.md).  It can be killed at any moment;
 * the same call goes on where it stood and leaves the same bytes.
 */
#ifndef WINNOW_RUN_H
#define WINNOW_RUN_H

#include "winnow/chat.h"
#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_on_bad {
    WINNOW_ON_BAD_QUARANTINE, /* bad lines are counted, left out and kept under bad/ */
    WINNOW_ON_BAD_SKIP,       /* counted and left out */
    WINNOW_ON_BAD_STOP,       /* the first one ends the run with WINNOW_E_FORMAT */
};

/* What every command that turns a corpus into a corpus shares. */
/* What outputs are, and what their names end in. */
enum winnow_output_format {
    WINNOW_OUTPUT_AS_INPUT,
    WINNOW_OUTPUT_JSONL,
    WINNOW_OUTPUT_JSONL_GZ,
    WINNOW_OUTPUT_JSONL_ZST,
    WINNOW_OUTPUT_PARQUET,
};

struct winnow_corpus_options {
    const char *output;     /* run folder, or "-" for documents to env->write */
    const char *run;        /* in a pipe: where all but the documents goes; NULL: nowhere */
    uint64_t limit;         /* documents of the input to read; 0: all */
    int on_bad;             /* enum winnow_on_bad */
    const char *text_key;   /* NULL: text, raw_content or content */
    const char *id_key;     /* NULL: id */
    int chat;               /* enum winnow_chat */
    int output_format;      /* enum winnow_output_format */
    const char *files_from; /* a file with one input path a line, or NULL */
    bool keep_removed;      /* copies of removed documents go to removed/ */
    bool dry_run;           /* estimate from a sample, write nothing */
    uint64_t line_max;      /* bytes; a longer line is bad */
    double checkpoint;      /* seconds between two checkpoints */
    const char *temporary;  /* where a pipe is spooled */
};
#define WINNOW_CORPUS_OPTIONS_INIT                                         \
    (WINNOW_NEW(winnow_corpus_options){.on_bad = WINNOW_ON_BAD_QUARANTINE, \
                                       .keep_removed = true,               \
                                       .line_max = (uint64_t)64 << 20,     \
                                       .checkpoint = 2.0,                  \
                                       .temporary = "/tmp"})

/* What a run came to, for the line that is printed at its end. */
struct winnow_run_result {
    uint64_t documents_in, documents_kept, documents_removed, documents_aside, documents_bad;
    uint64_t bytes_in, bytes_kept;
    uint64_t inputs_lost;   /* shards, files and folders that could not be read to their end */
    uint64_t files_skipped; /* of no kind that is read */
    bool complete;          /* all was done with what could be read, whatever the status */
    bool nothing_to_do;
    bool to_stdout; /* the documents went to winnow_env.write */
};

/* What of env holds even where it is 0 and the recipe says something else. */
enum winnow_from_env {
    WINNOW_THREADS_FROM_ENV = 1,
    WINNOW_MEMORY_FROM_ENV = 2,
    WINNOW_SEED_FROM_ENV = 4,
};

/* Overrides what the recipe says where set. */
struct winnow_run_options {
    const char *output; /* run folder */
    uint64_t limit;
    bool dry_run;
    double checkpoint; /* below 0: as the recipe says */
    unsigned from_env; /* enum winnow_from_env, joined by | */
};
#define WINNOW_RUN_OPTIONS_INIT (WINNOW_NEW(winnow_run_options){.checkpoint = -1})

/* The whole flow of a recipe, a file in YAML (docs/formats/recipe.md).  *out is filled in
 * any case.  WINNOW_E_USAGE names the recipe's line and column.  Where inputs were lost
 * everything else is done, and the status is WINNOW_E_FORMAT at this call and at later ones;
 * the same where the input holds no document, after its first stage. */
WINNOW_API winnow_status winnow_run(const char *recipe, const struct winnow_run_options *opt,
                                    const struct winnow_env *env, struct winnow_run_result *out,
                                    struct winnow_error *err);

/* Checks a finished run: counts, hashes, alignment of attributes and ledgers,
 * disjointness of kept, removed and aside.  Fails with the first thing that does
 * not hold (WINNOW_E_INTERNAL); env->log gets a line for each check that passes. */
WINNOW_API winnow_status winnow_verify(const char *run, const struct winnow_env *env,
                                       struct winnow_error *err);

/* Everything that happened to the documents of that id, as text for people or as
 * one JSON object a line, piece by piece to write(), whose text holds for the call.
 * WINNOW_E_USAGE where no document has that id. */
struct winnow_explain_options {
    bool json;
    bool no_text; /* neither texts nor differences */
};
#define WINNOW_EXPLAIN_OPTIONS_INIT (WINNOW_NEW(winnow_explain_options){0})
WINNOW_API winnow_status winnow_explain(const char *run, const char *id,
                                        const struct winnow_explain_options *opt,
                                        void (*write)(void *user, const char *text, size_t len),
                                        void *user, const struct winnow_env *env,
                                        struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_RUN_H */
