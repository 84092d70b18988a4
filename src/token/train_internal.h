/* train_internal.h -- word counts, which BPE training starts from. */
#ifndef WINNOW_TOKEN_TRAIN_INTERNAL_H
#define WINNOW_TOKEN_TRAIN_INTERNAL_H

#include "base/buf.h"
#include "token/tokenizer_internal.h"

/* Words with how often each was seen.  All-zero is empty. */
struct word {
    uint64_t hash, count;
    size_t at; /* in bytes */
    uint32_t len;
};
struct word_map {
    struct word *words;
    size_t count, cap;
    uint32_t *slots; /* index + 1 into words, 0 free */
    size_t slot_count;
    struct buf bytes;
};
void word_map_release(struct word_map *m);
void word_map_clear(struct word_map *m);
void word_map_add(struct word_map *m, struct str word, uint64_t hash, uint64_t count);

static inline struct str word_text(const struct word_map *m, const struct word *w)
{
    return (struct str){m->bytes.ptr + w->at, w->len};
}

/* Words by hash, each shard with its own map and share of the memory. */
#define WORD_SHARDS 64U
struct word_counts {
    struct word_map shards[WORD_SHARDS];
    uint64_t floors[WORD_SHARDS]; /* words seen this often or less were dropped */
    uint64_t bytes_read;
};
void word_counts_release(struct word_counts *c);

/* About what training takes of memory for that many distinct words, bytes in all: their
 * symbols, pairs and where they were seen (bpe_train.c). */
uint64_t train_bytes(uint64_t words, uint64_t bytes, uint32_t vocab_size);

/* Counts the words of all texts as t cuts them.  options->memory_max bounds them by dropping the
 * rarest; WINNOW_E_LIMIT where env->memory_max has no room for training on them. */
winnow_status word_counts_read(struct word_counts *c, const struct tokenizer *t,
                               const struct tokenizer_train_options *options,
                               const struct winnow_env *env, tokenizer_next_text next_text,
                               void *ctx, struct winnow_error *err);

#endif /* WINNOW_TOKEN_TRAIN_INTERNAL_H */
