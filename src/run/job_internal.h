/* job_internal.h -- one block of the input on its way through a pass.
 *
 *     fill (one thread, in order)   bytes of a block
 *     read (any thread)             documents, and what the stage says of each
 *     settle (one thread, in order) decide(), --limit, --on-bad
 *     compose (any thread)          the lines of each output file (of attributes: read), counts
 *     append (a thread a file)      one frame a file
 *
 * All that depends on order happens in settle and append, so the threads
 * cannot show in the output.
 */
#ifndef WINNOW_RUN_JOB_INTERNAL_H
#define WINNOW_RUN_JOB_INTERNAL_H

#include "corpus/shard_reader.h"
#include "run/counts.h"
#include "run/outputs.h"
#include "run/stage.h"

struct span {
    size_t at, len;
};

/* What became of one line or page.  Where lines are short there are more bytes of
 * records than of text, so what only some passes have lies beside them. */
struct record {
    bool bad, torn;  /* bad: detail is the reason; torn: nothing more of the shard can be read */
    bool lost;       /* of a source: the file of this bad page cannot be read any further */
    bool unreadable; /* torn or lost by the system */
    bool structure_dropped; /* by an edit */
    bool dropped;           /* past --limit: as if it were not there */
    enum stage_verdict verdict;
    uint32_t times; /* of a pass that arranges */
    const char *rule;
    double score, threshold;
    struct str raw;                         /* the line in its block, or NULL: */
    struct span line;                       /* the line, or the record of a bad one, in store */
    struct span edited, id, source, detail; /* in store */
    uint64_t number, ordinal; /* line in its shard, from 1; in the stage's input, from 0 */
    uint64_t bytes, text_bytes, text_bytes_out;
};

/* Where in the input the next block starts. */
struct position {
    uint64_t file;    /* index of the shard or source file */
    uint64_t offset;  /* in it, uncompressed */
    uint64_t lines;   /* before that, in the file */
    uint64_t ordinal; /* of the file's first line */
};

struct job {
    struct shard_block block;  /* stages over documents */
    struct source_block piece; /* stages over files */
    bool end_of_shard;         /* no block: the shard is at its end */
    bool end;                  /* no block: there is no more input */
    struct position start, after;
    const char *shard;    /* name of the input shard */
    const char *label;    /* what sentences call it */
    uint64_t most;        /* documents to take; what lies behind is past --limit */
    uint64_t ordinal_end; /* documents from here on are past --limit, as an earlier pass found */
    bool foreign;         /* it was not written by winnow: some lines may be no documents */
    size_t longest, structure, words; /* of the longest line, see gate.c */
    struct record *records;
    size_t count, cap;
    uint64_t *carry; /* STAGE_CARRY a record, where the pass decides in order */
    struct buf store;
    struct buf lines[STREAMS];
    uint64_t line_counts[STREAMS];
    struct counts counts;
    winnow_status status; /* of the phase that ran last on it */
    struct winnow_error error;
};

/* Scratch of one thread. */
struct job_worker {
    struct block_parser *parser;
    struct stage_result result;
    size_t longest; /* line it has read */
    void *own;      /* the stage's */
};

void job_release(struct job *j);
void job_clear(struct job *j);

/* Frees buffers that grew past `most` bytes; what they held is done with. */
void job_trim(struct job *j, size_t most);

/* Room for the records of so many lines. */
void job_expect(struct job *j, uint64_t lines, const struct stage_pass *pass);

void job_worker_release(struct job_worker *w); /* own is the caller's to release */

struct record *job_add_record(struct job *j);
struct span job_store(struct job *j, struct str s);
struct str job_view(const struct job *j, struct span s);

/* read: fills records from the block. */
void job_read(struct job *j, const struct stage_pass *pass, struct job_worker *w);

/* read, of a stage over files. */
void job_convert(struct job *j, const struct stage_source *source, struct job_worker *w);

/* settle: calls decide() for each record. */
winnow_status job_decide(struct job *j, const struct stage_pass *pass, struct stage_result *scratch,
                         struct winnow_error *err);

/* compose: fills lines, line_counts and counts.  stage is the folder's name. */
void job_compose(struct job *j, const struct stage_pass *pass, const char *stage,
                 const bool wanted[STREAMS]);

void stage_result_clear(struct stage_result *r);
void stage_result_release(struct stage_result *r);

#endif /* WINNOW_RUN_JOB_INTERNAL_H */
