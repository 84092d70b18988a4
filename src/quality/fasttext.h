/* fasttext.h -- a supervised fastText model: read where it lies, asked for probabilities.
 *
 * Its file (`.bin`, or quantised `.ftz`) is mapped, every count in it checked against its
 * size, and texts get the numbers that fastText gives them.  docs/formats/fasttext.md has the
 * layout.
 */
#ifndef WINNOW_QUALITY_FASTTEXT_H
#define WINNOW_QUALITY_FASTTEXT_H

#include "base/file.h"
#include "quality/fasttext_matrix.h"
#include "quality/fasttext_words.h"

#define FASTTEXT_MAGIC      793712314
#define FASTTEXT_VERSION    12
#define FASTTEXT_SUPERVISED 3

enum fasttext_loss { FASTTEXT_HS = 1, FASTTEXT_NS, FASTTEXT_SOFTMAX, FASTTEXT_OVA };

/* As they lie in the file. */
struct fasttext_args {
    int32_t dim, window, epochs, count_min, negatives, word_ngrams, loss, model, bucket, minn, maxn,
        rate_updates;
    double sampling;
};
_Static_assert(sizeof(struct fasttext_args) == 56, "as it lies in the file");

struct fasttext_entry {
    struct str text; /* a view into the file */
    int64_t count;
};

struct fasttext_slot {
    uint32_t index, hash; /* index + 1 into entries, 0: free */
};

/* Of a model that kept some of its n-grams only: which row a bucket has. */
struct fasttext_kept {
    int32_t bucket, row;
};

/* A node of the tree of hierarchical softmax; leaves come first, the root is the last. */
struct fasttext_node {
    uint32_t left, right;
    int64_t count;
};

struct fasttext {
    struct file_map map;
    struct fasttext_args args;
    struct fasttext_entry *entries; /* words, then labels */
    uint32_t word_count, label_count;
    struct fasttext_slot *slots;
    size_t slot_count;          /* a power of two */
    bool keeps_some;            /* buckets that are not in kept have no row */
    struct fasttext_kept *kept; /* by bucket */
    size_t kept_count;
    struct fasttext_matrix input, output;
    struct fasttext_node *tree; /* 2 * label_count - 1, where the loss is FASTTEXT_HS */
};

/* Memory that one thread needs for its texts. */
struct fasttext_scratch {
    struct fasttext_ids ids, hashes;
    float *hidden;  /* dim */
    double *scores; /* 2 * label_count */
};

/* WINNOW_E_FORMAT, with a sentence, for anything but a whole supervised model. */
winnow_status fasttext_open(const char *path, struct fasttext **out, struct winnow_error *err);
void fasttext_free(struct fasttext *m);

/* The same of bytes, which must outlive the model; path is for sentences. */
winnow_status fasttext_read(struct str bytes, const char *path, struct fasttext **out,
                            struct winnow_error *err);

/* Bytes that the model takes beside its file. */
uint64_t fasttext_bytes(const struct fasttext *m);

/* Which label is called so, with or without "__label__"; WINNOW_E_USAGE, with those that
 * there are, where none is. */
winnow_status fasttext_find_label(const struct fasttext *m, const char *name, uint32_t *label,
                                  struct winnow_error *err);
struct str fasttext_label(const struct fasttext *m, uint32_t label);

struct fasttext_scratch *fasttext_scratch_new(const struct fasttext *m);
void fasttext_scratch_free(struct fasttext_scratch *s);

/* The buckets of n-grams of 2..word_ngrams words, whose hashes are given. */
void fasttext_ngrams(const struct fasttext_ids *hashes, const struct fasttext_args *args,
                     struct fasttext_ids *out);

/* The rows of the input matrix that a text is the mean of, into s->ids. */
void fasttext_rows(const struct fasttext *m, struct str text, struct fasttext_scratch *s);

/* The probability of each label, into s->scores: what `fasttext predict-prob` prints, but no
 * more than 1.  (It adds 1e-5 before each logarithm.)  A line feed in the text counts as a
 * space.  False where the model knows nothing of the text. */
bool fasttext_score(const struct fasttext *m, struct str text, struct fasttext_scratch *s);

#endif /* WINNOW_QUALITY_FASTTEXT_H */
