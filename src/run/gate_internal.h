/* gate_internal.h -- how much of the input may be on its way at a time.
 *
 *     --memory = what the process holds when the pass begins (program, models, tables)
 *              + the stage's growth, the writers, the threads' scratch, a zstd window
 *              + room: blocks that wait (held) and blocks at work (cost)
 *
 * A block that waits is its bytes.  At work it is its bytes, what is stored and
 * composed of it, a record a line, and what parser and stage take for its longest
 * line.  Blocks are cut by their bytes alone, so all of this decides only how many
 * of them are at work together. */
#ifndef WINNOW_RUN_GATE_INTERNAL_H
#define WINNOW_RUN_GATE_INTERNAL_H

#include "run/job_internal.h"

/* What a pass is known to need before it reads. */
struct gate_needs {
    uint64_t limit;  /* --memory; 0: none */
    uint64_t window; /* of the input's packed shards */
    uint32_t threads;
    unsigned streams;                /* files written side by side */
    size_t block_max;                /* bytes of a block of short lines */
    unsigned scratch, word_bytes;    /* that the stage takes a byte and a word of text */
    uint64_t worker_bytes;           /* that each thread takes for the stage */
    bool measures;                   /* all blocks are looked at, though there is no limit */
    bool edits;                      /* it may give a document another text */
    unsigned attributes, line_bytes; /* files of attributes; see struct stage_pass */
};

struct gate {
    struct gate_needs needs;
    uint64_t resident;   /* when the pass began */
    uint64_t room_max;   /* for blocks on their way, before the stage's state grew */
    uint64_t room;       /* now */
    uint64_t held_max;   /* of it, for the bytes of blocks that wait */
    uint64_t line_bytes; /* ledger, attributes, details of one line: a guess, then measured */
    bool measured;
    uint64_t kept;      /* bytes of buffers that blocks leave behind to be used again */
    bool releases;      /* a block's buffers are freed as soon as it is through */
    size_t scratch_max; /* longest line after which a thread's scratch is kept */
};

/* WINNOW_E_LIMIT, with the least that does, where there is no room for a block. */
winnow_status gate_init(struct gate *g, const struct gate_needs *needs, const char *stage,
                        struct winnow_error *err);

/* Before anything of a run starts: refuses a --memory that is too little for any
 * stage, or for the windows that the packed shards of its input need. */
winnow_status gate_check(const struct shard_list *input, uint64_t limit, struct winnow_error *err);

/* The least --memory of the pass, and what of it is no room for blocks. */
uint64_t gate_least(const struct gate *g);
uint64_t gate_fixed(const struct gate *g);

/* The first before the pass: of a process that holds so much, over lines of so many bytes. */
uint64_t gate_least_of(const struct gate_needs *needs, uint64_t resident, uint64_t line);

/* The least --memory that leaves so much room. */
uint64_t gate_limit_for(const struct gate *g, uint64_t room);

/* The stage's state has grown by so many bytes since the pass began. */
void gate_shrink(struct gate *g, uint64_t growth);

/* What a line of n bytes takes of --memory, for the reader. */
struct line_budget gate_line_budget(const struct gate *g);

/* Bytes while the block is at work. */
uint64_t gate_cost(const struct gate *g, const struct job *j);

/* Looks at what the block of the job holds; for gate_cost(). */
void gate_measure(const struct gate *g, struct job *j);

/* What came of a job that has been composed. */
void gate_learn(struct gate *g, const struct job *j);

#endif /* WINNOW_RUN_GATE_INTERNAL_H */
