/* store.h -- vectors of documents in one file that says what made them.
 *
 *     page 0       struct store_head and up to STORE_PARTS_MAX checkpoints
 *     rows         64 bytes each, in the order of the corpus
 *     norms        float [rows][parts]
 *     data         bf16  [rows][parts][dim], of norm 1
 *
 * Each of them begins at a page, so that the file is used where it lies.  A store is made in
 * any number of sittings: a row's part counts once its bit in `done` is set, which is written
 * after its numbers.  docs/formats/vectors.md is the manual.
 */
#ifndef WINNOW_VECTORS_STORE_H
#define WINNOW_VECTORS_STORE_H

#include "base/file.h"

#include <stdbool.h>

#define STORE_FILE      "vectors.bin"
#define STORE_MAGIC     "winnowV1"
#define STORE_PAGE      4096U
#define STORE_PARTS_MAX 32U

enum store_kind { STORE_GRADIENT, STORE_HIDDEN, STORE_TEXT };
enum store_sketch {
    STORE_FACTORED,
    STORE_HASHED,
    STORE_MEAN,
    STORE_WEIGHTED,
    STORE_LAST,
    STORE_NGRAMS
};

struct store_part {
    uint64_t step;
    double rate;          /* learning rate there; 0: not known */
    uint64_t weights;     /* hash of config and weights; of n-grams that of their counts */
    uint64_t moments;     /* of the second moments; 0: none */
    uint64_t projections; /* of what gradients are projected on; 0: nothing */
    uint64_t spare[3];
};

/* What decides every number: two stores that are alike may be compared. */
struct store_head {
    char magic[8];
    uint32_t kind, sketch; /* enum store_kind, store_sketch */
    uint32_t parts, dim;
    uint64_t rows;
    uint64_t seed;
    uint32_t rank;    /* of factored sketches; of n-grams words | characters << 8 */
    uint32_t scaled;  /* by 1 / sqrt(second moments) */
    uint32_t context; /* tokens of a document at most */
    uint32_t form;    /* how documents become tokens: EXAMPLE_FORM */
    uint64_t tokenizer;
    uint64_t corpus;        /* hash of all rows' keys */
    struct hash128 kernels; /* of their table's name */
    uint64_t spare[4];
};

enum store_flag {
    STORE_ZERO = 1,       /* of some part: no direction, its norm is 0 */
    STORE_NOT_FINITE = 2, /* the same */
    STORE_CUT = 4,        /* longer than the context */
    STORE_EMPTY = 8,      /* nothing in it has a loss: no vector */
};

struct store_row {
    uint64_t id, key; /* hashes of its id and of its tokens */
    uint64_t ordinal;
    uint32_t tokens, targets;
    uint32_t done, flags; /* done: bit t for part t */
    float nll;            /* mean over its targets at the last part */
    uint32_t spare;
    uint64_t spares[2];
};

struct store {
    const struct store_head *head;
    const struct store_part *parts;
    const struct store_row *rows;
    const float *norms;
    const uint16_t *data;
    struct file_map map;
    bool forget; /* the caller's: of a sweep over data nothing stays in memory (vector_rows.h) */
};

/* Where what begins, and the size of a file. */
struct store_layout {
    uint64_t rows, norms, data, bytes;
};
struct store_layout store_layout(uint64_t rows, uint32_t parts, uint32_t dim);

/* Checks all that is said of the bytes, which stay the caller's; path is for sentences. */
winnow_status store_check(struct str bytes, const char *path, struct store *out,
                          struct winnow_error *err);

/* The finished store in a folder. */
winnow_status store_open(const char *folder, struct store *out, struct winnow_error *err);
void store_close(struct store *s);

/* WINNOW_E_FORMAT with what differs where vectors of the two may not be compared. */
winnow_status store_alike(const struct store *a, const char *a_name, const struct store *b,
                          const char *b_name, struct winnow_error *err);

/* ---- writing ---- */

struct store_writer {
    int fd;
    struct buf path;
    struct store_head head;
    struct store_part parts[STORE_PARTS_MAX];
    struct store_layout at;
    struct store_row *rows;      /* [head.rows], the caller's to fill before it starts */
    size_t dirty_from, dirty_to; /* rows written since the last sync */
    double synced_at;
    bool resumed;
};

/* Goes on with the file of that path where it is of the same head and rows, else makes it anew.
 * rows hold what is known of each document; their done, flags and nll are set here. */
winnow_status store_start(struct store_writer *w, const char *path, struct winnow_error *err);

/* Numbers of part `part` of one row, raw: normalised, or marked, here. */
winnow_status store_put(struct store_writer *w, size_t row, uint32_t part, const float *numbers,
                        struct winnow_error *err);

/* Everything put so far is there after a kill or a loss of power. */
winnow_status store_sync(struct store_writer *w, struct winnow_error *err);
/* The same where the last time is some seconds ago. */
winnow_status store_sync_now_and_then(struct store_writer *w, struct winnow_error *err);

/* Syncs, and gives the file its final name. */
winnow_status store_finish(struct store_writer *w, const char *final, struct winnow_error *err);
void store_writer_release(struct store_writer *w);

#endif /* WINNOW_VECTORS_STORE_H */
