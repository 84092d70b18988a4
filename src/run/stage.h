/* stage.h -- how a stage of a run is written.
 *
 * A stage reads a corpus (the input, or the documents of the stage before) and
 * says of each document what becomes of it.  Everything else is the driver's:
 * reading, threads, order, writing, the ledger, counts, checkpoints, resuming.
 *
 * A stage is a row {option table, check, run} in flow/stages.c.  Its run()
 * reads like a recipe: it makes one or several passes over its input.
 *
 *     static winnow_status judge(void *state, void *worker, const struct document *d,
 *                                struct stage_result *r, struct winnow_error *err)
 *     {
 *         if (d->text.len < 100) {
 *             r->verdict = STAGE_REMOVE;
 *             r->rule = "too_short";
 *             r->score = (double)d->text.len;
 *             r->threshold = 100;
 *         }
 *         return WINNOW_OK;
 *     }
 *
 *     static winnow_status short_stage(struct stage *s, const void *options, struct winnow_error
 * *err)
 *     {
 *         const struct stage_pass pass = {.name = "short", .verdicts = true, .document = judge};
 *         return stage_run_pass(s, &pass, err);
 *     }
 *
 * What a stage writes must depend on its options, its input, the seed and (where
 * it computes in floating point) the kernel table only: never on the number of
 * threads, on time, or on how often the run was interrupted.
 */
#ifndef WINNOW_RUN_STAGE_H
#define WINNOW_RUN_STAGE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/pool.h"
#include "corpus/document.h"
#include "corpus/shards.h"
#include "option/option.h"

struct stage;

enum stage_verdict {
    STAGE_KEEP,   /* the document goes on, byte for byte */
    STAGE_EDIT,   /* it goes on with a new text */
    STAGE_REMOVE, /* it ends here: a copy goes to removed/ with its reason */
    STAGE_ASIDE,  /* it served another purpose (training the reference): copy in aside/ */
};

/* --memory of any run: the program and the fewest blocks on their way.  What a stage
 * keeps for itself comes on top. */
#define STAGE_MEMORY_LEAST   ((uint64_t)64 << 20)

#define STAGE_ATTRIBUTES_MAX 4 /* attribute files of one pass */
#define STAGE_CARRY          4

/* What is said about one document.  It comes as "keep", with no rule, score and
 * threshold NaN and empty buffers; the buffers belong to the driver: add to them. */
struct stage_result {
    enum stage_verdict verdict;
    const char *rule;        /* what decided, counted in stats.json; must outlive the pass */
    double score, threshold; /* NaN: none */
    struct buf text;         /* STAGE_EDIT: the new text; STAGE_ASIDE: that of the copy, or empty */
    struct buf detail;       /* more members of the ledger line: `"kept":"id7"`; may be empty */
    /* Members of the "attributes" object of this document in the pass's i-th
     * attribute file: `"winnow__ppl":[[0,812,31.5]]`; empty gives {}. */
    struct buf attributes[STAGE_ATTRIBUTES_MAX];
    uint64_t carry[STAGE_CARRY]; /* from document() to decide() */
    /* Of a pass that arranges: how often a kept document is written.  Comes as 1. */
    uint32_t times;
};

/* One way through the input. */
struct stage_pass {
    const char *name; /* "score": shown as progress; names its checkpoint */

    /* Writes documents/, removed/, aside/, bad/ and ledger/.  One pass of each
     * stage does, and it is the last. */
    bool verdicts;

    /* Kept documents are written by stage_arrange(), which has to follow, in random order and
     * each as often as its `times` says.  Such a pass does not edit. */
    bool arranges;

    /* What becomes of a document does not hang on those that other ranks read: decide(), if there
     * is one, adds up, or knows before what it needs of others.  So ranks share the pass
     * (pass_share.c): each sees its shards in order, and then, with a decide(), tell() says what
     * it came to and hear() adds what another rank was told, in any order to the same end.
     * Ordinals are in the order of the corpus, but only behind another pass the same as in one
     * process. */
    bool apart;
    void (*tell)(const void *state, struct buf *out);
    winnow_status (*hear)(void *state, struct str told, struct winnow_error *err);

    /* NULL-terminated names of attribute files to write (attributes/<name>/),
     * or NULL.  A name is written by one pass of the stage only. */
    const char *const *attributes;

    /* Bytes of documents between two possible checkpoints; 0: 4 MB.  Smaller where
     * a document costs much (a model reads it).  A constant, never an option. */
    size_t block_bytes;

    /* For --memory: bytes that document() takes in its scratch for each byte of a
     * long text and for each word or line of it, and whether it may give a new text. */
    unsigned scratch_factor, word_bytes;
    bool edits;
    /* The member "structure" of documents goes, whatever becomes of them: it has served its
     * purpose.  (An edit of another stage takes it out, too, and that is told.) */
    bool ends_structure;
    unsigned line_bytes;   /* that it keeps of each document until decide() */
    uint64_t worker_bytes; /* that a worker takes with its first document, as a model's engine */

    /* Bytes that state holds beyond what it held when the pass began; NULL: it does
     * not grow. */
    uint64_t (*growth)(void *state);

    void *state;

    /* Scratch of one worker thread, given to document(); both may be NULL. */
    void *(*worker_new)(void *state);
    void (*worker_free)(void *worker);

    /* Called once a document, on any thread, in any order.  d and its views are
     * valid during the call.  d->ordinal is the number of its line in the whole
     * input of the stage, from 0, the same in every pass (bad lines leave gaps);
     * it is what arrays over the corpus are indexed by.  May be NULL. */
    winnow_status (*document)(void *state, void *worker, const struct document *d,
                              struct stage_result *r, struct winnow_error *err);

    /* Called after document(), one at a time, in the order of the input, for
     * what depends on the documents before: it may change the verdict, rule,
     * score, threshold, times and detail, but neither text nor attributes.  id is valid
     * during the call.  On resume, the documents before the checkpoint pass
     * through document() and decide() again, without output, so that state is
     * what it was.  May be NULL. */
    winnow_status (*decide)(void *state, struct str id, uint64_t ordinal, struct stage_result *r,
                            struct winnow_error *err);
};

/* Runs the pass to its end, or from its last checkpoint to its end.  A pass that
 * was completed by an earlier process returns at once, so what a pass computes
 * for later ones must come from files: attributes (stage_each_attribute) or own
 * files (stage_path).  A pass that writes nothing (no verdicts, no attributes)
 * keeps no checkpoint and always runs in full. */
winnow_status stage_run_pass(struct stage *s, const struct stage_pass *pass,
                             struct winnow_error *err);

/* Over ranks: from here on ordinals of passes that are shared are those of one process.  A pass
 * that reads only, unless one came before. */
winnow_status stage_count_lines(struct stage *s, struct winnow_error *err);

/* ---- documents in another order, and more than once ---- */

struct stage_arrangement {
    uint64_t seed;
    uint64_t shard_bytes; /* of an output shard, before it is packed */
};

/* Behind a pass that arranges: its kept documents, each as often as was said, in an order that
 * hangs on the seed and the lines alone: neither on their order, nor on shards, threads or
 * --memory.  They come as documents/00000.jsonl and so on, packed as the input's first shard.
 * The first copy is the line as it is; the n-th has the id "ID~n".  What a kill leaves is done
 * again but for output shards that were whole. */
winnow_status stage_arrange(struct stage *s, const struct stage_arrangement *how,
                            struct winnow_error *err);

/* The least --memory for such a pass in a process that holds `resident` bytes when it begins, over
 * lines of `line` bytes on the mean. */
uint64_t stage_pass_least(const struct stage *s, const struct stage_pass *how, uint64_t resident,
                          uint64_t line);

/* Reads an attribute that an earlier pass of this stage wrote, in the order of
 * the input.  attributes is the object inside the line. */
winnow_status stage_each_attribute(struct stage *s, const char *attribute,
                                   winnow_status (*each)(void *ctx, uint64_t ordinal, struct str id,
                                                         struct json_value attributes,
                                                         struct winnow_error *err),
                                   void *ctx, struct winnow_error *err);

/* `"name":[[0,<code points of text>,score]]`, with the comma that a further
 * member needs. */
void stage_add_score(struct buf *members, const char *name, struct str text, double score);

/* The ranks that do the stage together, NULL where one process does it. */
struct winnow_ranks *stage_ranks(const struct stage *s);

/* Whether this process writes what the stage has beside its passes (state/, x.json): rank 0, which
 * is every process that runs alone. */
bool stage_leads(const struct stage *s);

/* The surroundings.  The pool may be used between passes, not within one. */
const struct winnow_env *stage_env(const struct stage *s);
struct pool *stage_pool(struct stage *s);

/* The stage's folder, "runs/x/stages/04-prune"; its input folder ("" where the
 * input is no folder of this run). */
const char *stage_folder(const struct stage *s);

/* Documents of the input as far as known: exact after the first full pass, an
 * estimate before. */
uint64_t stage_documents(const struct stage *s);

/* More than every ordinal; 0 before the first full pass. */
uint64_t stage_ordinals(const struct stage *s);

/* Where the attributes of that name lie that the last stage of that command before this one
 * wrote; NULL where there is none.  Their rows are of its input, of which this stage's documents
 * are some, in the same order (unless a stage between reorders). */
const char *stage_earlier_attributes(const struct stage *s, const char *command, const char *name,
                                     struct buf *out);

/* The path of a file of the stage's own (a reference model, a table): in
 * <stage>/state/, which exists.  Write it atomically; it is kept with the run. */
const char *stage_path(const struct stage *s, const char *name, struct buf *out);

/* A file below the stage's folder ("state/signatures", "leak.json") that belongs to its result:
 * stats.json names its bytes, and where it goes missing the stage is done anew.  The same on each
 * call of run(); the file is whole when run() returns. */
void stage_owns(struct stage *s, const char *name);

/* ---- documents that a stage makes itself ----
 *
 * A stage that writes new documents puts them, as shards of its own, behind those that it
 * reads: its pass with verdicts then says of each of them what becomes of it, too, so that
 * what was made and did not pass is in removed/ with its reason.  Call both on each call of
 * run(), before that pass and with the same bytes; --limit counts documents of the input
 * only, and all of the input comes before all that was made. */

/* The path of a shard to be written, in <stage>/made/ (shard_writer.h makes the folder).  name
 * is no shard's of the input: see stage_made_name(). */
const char *stage_made_path(struct stage *s, const char *name, struct buf *out);

/* "synthetic-00003.jsonl.zst", or with a number behind the stem where the input has shards
 * whose names begin with it. */
const char *stage_made_name(const struct stage *s, const char *stem, uint64_t number,
                            struct buf *out);

/* Puts a written shard of documents behind the input and what was made before.  The ordinal of
 * its first one is that behind the last line of what comes before it: the first made document
 * has what stage_ordinals() said behind a full pass over the input. */
winnow_status stage_add_made(struct stage *s, const char *name, struct winnow_error *err);

/* A figure of the stage's own for stats.json ("notes": {key: json}); the same on
 * each call of run(), also when passes return at once.  A repeated key replaces. */
void stage_note(struct stage *s, const char *key, struct str json);
void stage_note_double(struct stage *s, const char *key, double value);

/* Seconds or other figures that may differ between runs: into timings.json. */
void stage_timing(struct stage *s, const char *key, double value);

/* ---- a stage as the registry sees it ---- */

/* What is known before a stage starts. */
struct stage_plan {
    uint64_t input_bytes; /* uncompressed, as far as known; estimated where compressed */
    uint64_t documents;   /* estimated */
    uint64_t text_bytes;  /* of their texts; 0: not known */
    uint64_t kept_bytes;  /* of endings: of the texts behind the last stage */
    uint64_t memory_max;  /* --memory, 0: no limit */
    uint32_t threads;
    const struct winnow_env *env;
};

/* What a stage expects of itself, for --dry-run and --memory. */
struct stage_estimate {
    double seconds;    /* 0: as measured on the sample */
    double keep;       /* share of documents; 0: as measured on the sample */
    uint64_t memory;   /* bytes beside the driver's own buffers, at the least; */
    uint64_t beside;   /* and where there is room, by how many more */
    char note[384];    /* one line of what the stage has to say, or empty */
    char refusal[384]; /* why it would refuse its input when its turn comes, or empty */
    char more[384];    /* another line, or empty */
};

struct stage_source;

struct stage_kind {
    const struct option_table *table; /* table->command is the stage's name in recipes */

    /* Refuses options that make no sense, missing models and promises of memory
     * that cannot be kept, before anything of the run starts.  May be NULL. */
    winnow_status (*check)(const void *options, const struct stage_plan *plan,
                           struct winnow_error *err);
    void (*estimate)(const void *options, const struct stage_plan *plan,
                     struct stage_estimate *out); /* may be NULL */

    /* Whether the stage is too dear for a dry run's sample and estimate() says all; NULL: no. */
    bool (*estimate_only)(const void *options);

    winnow_status (*run)(struct stage *s, const void *options, struct winnow_error *err);

    /* Whether several ranks do it together: run() is then called on all of them and makes the same
     * passes on each, which are `apart` or write nothing (those are made in full by each), and
     * whatever else it writes is written by the one that leads.  NULL: rank 0 does it alone. */
    bool (*over_ranks)(const void *options);

    bool reads_files; /* a first stage over files that are no documents (extract) */
    bool many_passes; /* needs its input more than once: a pipe is spooled to disk first */
    bool (*passes_again)(const void *options); /* the same where options decide; may be NULL */
    bool uses_kernels;                         /* its results depend on the kernel table */
};

/* ---- first stages over files ---- */

/* One piece of the input: a file, a part of a large one, or several small ones.
 * Whatever decides where pieces end, it must be the data, not time or threads. */
struct source_block {
    void *data;            /* the source's own, freed by release() */
    uint64_t file, offset; /* where the piece after this one starts */
    uint64_t bytes;        /* of input, for progress */
    uint64_t held;         /* bytes of pages in data */
    uint64_t largest;      /* bytes of its largest page, unpacked, at most */
};

/* Where convert() says what became of a page. */
struct source_sink;
void source_emit(struct source_sink *out, struct str id, struct str json_line, size_t text_bytes);
void source_remove(struct source_sink *out, struct str id, const char *rule, struct str detail);
struct source_place {
    const char *name, *label; /* of its file, see struct shard */
    uint64_t offset;
};
void source_bad(struct source_sink *out, const struct source_place *at, const char *reason);
/* A bad page with which bytes of its file are lost; unreadable: the system refused. */
void source_lost(struct source_sink *out, const struct source_place *at, const char *reason,
                 bool unreadable);

struct stage_source {
    void *state;
    unsigned scratch_factor; /* bytes that convert() takes for each byte of its largest page */
    uint64_t bytes_total;    /* 0: not known */
    /* Goes to where a piece ended; (0, 0) is the start. */
    winnow_status (*seek)(void *state, uint64_t file, uint64_t offset, struct winnow_error *err);
    /* The next piece; *more false at the end.  Called by one thread at a time. */
    winnow_status (*next)(void *state, struct source_block *block, bool *more,
                          struct winnow_error *err);
    /* Pages to documents, on any thread. */
    winnow_status (*convert)(void *state, void *worker, const struct source_block *block,
                             struct source_sink *out, struct winnow_error *err);
    void (*release)(void *state, struct source_block *block);
    void *(*worker_new)(void *state);
    void (*worker_free)(void *worker);
};

/* Runs a first stage: writes documents/00000.jsonl.zst and so on, each closed at
 * the first block that takes it past shard_bytes of documents (uncompressed).
 * extension is ".jsonl", ".jsonl.gz" or ".jsonl.zst". */
winnow_status stage_run_source(struct stage *s, const struct stage_source *source,
                               uint64_t shard_bytes, const char *extension,
                               struct winnow_error *err);

/* The files that the paths given as input came to. */
const struct shard_list *stage_input(const struct stage *s);

/* How its passes read them, for who reads them by other means than a pass. */
void stage_keys(const struct stage *s, struct document_keys *keys, size_t *line_max);

#endif /* WINNOW_RUN_STAGE_H */
