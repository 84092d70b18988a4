/* pass_internal.h -- one pass of a stage while it runs. */
#ifndef WINNOW_RUN_PASS_INTERNAL_H
#define WINNOW_RUN_PASS_INTERNAL_H

#include "ranks/ranks.h"
#include "run/feed_internal.h"
#include "run/gate_internal.h"
#include "run/run_internal.h"

struct pass;

/* What a pass goes over, in all that the two kinds differ in: the documents of shards, or
 * files of which a source makes documents. */
struct pass_input {
    void *(*worker_new)(const struct pass *p); /* the stage's scratch of a thread, or NULL */
    void (*worker_free)(const struct pass *p, void *own);
    winnow_status (*seek)(struct feed *f, const struct position *at, struct winnow_error *err);
    winnow_status (*fill)(struct feed *f, struct job *job, bool *waits, struct winnow_error *err);
    uint64_t (*bytes_total)(const struct feed *f); /* 0: not known */
    uint64_t (*held)(const struct job *job);       /* bytes while it waits */
    void (*read)(const struct pass *p, struct job *job, struct job_worker *w); /* any thread */
    void (*let_go)(const struct pass *p, struct job *job); /* what fill() gave beside the block */
    const char *(*shard_name)(struct pass *p,
                              const char *shard); /* of the output, for this input */
    /* Whether the open output shard ends behind the block; NULL: with the input's. */
    bool (*shard_ends)(const struct pass *p, const struct job *job);
    struct str (*name_of)(const struct job *job, const struct record *r); /* the file it is from */
    winnow_status (*refuse_bad)(const struct job *job, const struct record *r,
                                struct winnow_error *err);
    /* The block needs `least` MiB of --memory, which is `limit`. */
    winnow_status (*refuse_large)(const struct job *job, uint64_t least, uint64_t limit,
                                  struct winnow_error *err);
    bool has_lines;       /* a block says how many documents it holds at most */
    bool one_by_one;      /* blocks are appended each for itself */
    uint64_t room_beside; /* with less room the next batch is not filled beside this one */
};
extern const struct pass_input PASS_DOCUMENTS, PASS_FILES;

/* Of a shard, in a pass that is kept by shards (pass_share.c). */
enum part {
    PART_OTHER,   /* another rank's */
    PART_THROUGH, /* an earlier process did it */
    PART_AGAIN,   /* the same, but decide() has to see it again */
    PART_MINE,
};
struct place {
    uint64_t offset, lines;
};

struct pass {
    struct stage *stage;
    const struct pass_input *input;
    const struct stage_pass *how;
    uint64_t shard_bytes;  /* sources: when an output shard is full */
    const char *extension; /* sources: of output shards */
    bool writes;           /* files at all */
    bool resumable;        /* keeps checkpoints */

    struct feed feed;
    struct gate gate;
    struct job *now, *next; /* job_count each */
    size_t job_count, now_filled, next_filled;
    size_t from, to;  /* of now: the blocks at work together */
    bool fills;       /* next is filled beside them */
    bool working;     /* blocks are at work: what waits must leave them room */
    uint64_t held;    /* bytes of the blocks in next */
    uint64_t dearest; /* bytes at work, of any block so far */
    struct job_worker *workers;
    struct stage_result scratch;

    struct outputs outputs;
    bool open;                    /* outputs has a shard */
    bool by_shard;                /* its place is kept a shard, and ranks may share it: */
    unsigned char *part;          /* enum part, of each shard */
    struct place *places;         /* in each shard, where an earlier process was */
    uint64_t *shard_lines;        /* of each shard that this rank has read or passed over */
    uint64_t shard_start;         /* ordinal of the open shard's first line */
    struct position at;           /* behind the last block that is in the outputs */
    struct counts counts;         /* of the open shard */
    uint64_t shard_number;        /* sources: of output shards begun */
    char shard_name[64];          /* sources */
    uint64_t cost, cost_of;       /* of blocks that were at work, and their bytes */
    struct input_account account; /* of the open shard; where nothing is written, of all */

    uint64_t seen;                       /* documents so far, for --limit */
    uint64_t ordinal_end;                /* behind the last document that was taken */
    bool full;                           /* --limit is reached */
    bool shown_all;                      /* progress has reached its end */
    uint64_t replay_file, replay_offset; /* up to here decide() only */
    double started, saved;
    double seconds_before; /* of earlier processes */

    winnow_status fill_status;
    struct winnow_error fill_error;
};

/* ---- pass_turns.c ---- */

winnow_status pass_plan_memory(struct pass *p, struct winnow_error *err);

/* For a dry run: what the pass has taken, by the same account. */
void pass_tell_memory(const struct pass *p);

/* Whether another block of the usual size may wait. */
bool pass_has_room(const struct pass *p);

/* --limit, where it is of account for the documents of the job; else 0. */
uint64_t pass_limit(const struct pass *p, const struct job *job);

/* The next turn: p->to and p->fills. */
winnow_status pass_choose(struct pass *p, struct winnow_error *err);

/* ---- pass_share.c ---- */

bool pass_is_by_shard(const struct pass *p);

/* Which shards are this rank's; *done comes as rank 0 read it, and goes as all have it. */
winnow_status pass_share(struct pass *p, bool *done, struct winnow_error *err);
void pass_share_release(struct pass *p);

/* The file that says where the open shard is. */
const char *pass_place_path(const struct pass *p, struct buf *out);

/* Whether the outputs have the job already. */
bool pass_share_is_replay(const struct pass *p, const struct job *job);

/* What outputs_open() needs for the job's shard, where an earlier process was in it. */
winnow_status pass_share_open(struct pass *p, const struct job *job, struct json_parser *parser,
                              struct json_value *files, struct winnow_error *err);

/* The pass, or this rank's part of it, is through: what all saw is everybody's. */
winnow_status pass_meet(struct pass *p, struct winnow_error *err);

/* ---- checkpoint.c ---- */

/* Whether a file of a place is of this stage as it is now; the place. */
bool checkpoint_is_of(const struct pass *p, struct json_value root);
void checkpoint_position(struct json_value root, struct position *at);

/* What an earlier process left: *done when the pass is complete; otherwise `at`,
 * counts, seen and so on are set, and from is what outputs_open() needs (parser
 * owns it). */
winnow_status checkpoint_read(struct pass *p, struct json_parser *parser, struct json_value *from,
                              bool *done, struct winnow_error *err);
winnow_status checkpoint_write(struct pass *p, bool done, struct winnow_error *err);

/* The one place of a pass is no more: what one process was at alone, several go on with by shards.
 * And the other way round: it begins at the start, whatever shards are through. */
winnow_status checkpoint_by_shards(const struct pass *p, struct winnow_error *err);
winnow_status checkpoint_forget_shards(const struct pass *p, struct winnow_error *err);

/* The pass is complete: rank 0 says so. */
winnow_status checkpoint_end(struct pass *p, struct winnow_error *err);

/* Final names for the open shard and its completion file. */
winnow_status checkpoint_shard(struct pass *p, struct winnow_error *err);

#endif /* WINNOW_RUN_PASS_INTERNAL_H */
