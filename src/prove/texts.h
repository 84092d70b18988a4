/* texts.h -- corpora as an experiment holds them: encoded, with key and source
 * of each document, held-out ones apart. */
#ifndef WINNOW_PROVE_TEXTS_H
#define WINNOW_PROVE_TEXTS_H

#include "base/map.h"
#include "corpus/scan.h"
#include "train/packer.h"

/* Names of sources, numbered in the order of the input. */
struct source_names {
    struct map map;
    uint64_t bytes; /* that they take, about */
};
void source_names_release(struct source_names *s);
struct str source_name(const struct source_names *s, uint32_t source);

/* What a document is known by beside its tokens. */
struct text_meta {
    uint64_t key;  /* corpus/split.h */
    uint64_t id;   /* hash64() of its id, or 1 for 0 */
    uint32_t copy; /* how many documents of that key came before it */
    uint32_t source;
    uint32_t bytes; /* of its text, 4 GiB - 1 at most */
    float weight;   /* 1 where nobody weighs */
    bool named;     /* it says its source itself; else its shard's name stands for it */
};

/* An encoded corpus.  All-zero is empty. */
struct text_set {
    struct token_docs docs;
    struct text_meta *meta; /* docs.count of them */
    size_t meta_cap;
    uint64_t documents_read, documents_bad, documents_held_out, bytes;
    /* Documents whose draw "sample" is below it were taken, 1 for all: what
     * does not fit into bytes_max is left out by halving this share. */
    double sampled;
    struct input_account account; /* of its paths */
};
void text_set_release(struct text_set *t);

/* A held-out text.  Views into an arena of the set. */
struct held_text {
    struct str text, id;
    uint64_t key;
    uint32_t source;
};
struct held_set {
    struct held_text *items;
    size_t count, cap;
    uint64_t bytes;
    struct input_account account; /* of its paths */
    struct arena keep;
};
void held_set_release(struct held_set *h);

struct text_load {
    struct winnow_list paths;
    const struct document_keys *keys;
    const struct tokenizer *tokenizer;
    double heldout_share;  /* documents that the held-out rule names are left out ... */
    struct held_set *held; /* ... and go here, where it is not NULL */
    uint64_t limit;        /* documents; 0: all */
    uint64_t bytes_max;    /* of text; 0: no bound */
    document_weigh weigh;  /* NULL: documents have no weight */
    void *weigh_ctx;

    /* For --memory: what is yet to come beside the corpus, who asks, what helps. */
    uint64_t memory_rest;
    const char *command, *remedy;
};

/* Reads and encodes a corpus.  names is shared by all corpora of an experiment. */
winnow_status text_set_load(const struct text_load *load, struct pool *pool,
                            const struct winnow_env *env, struct source_names *names,
                            struct text_set *out, struct winnow_error *err);

/* Reads held-out texts from paths, whatever their keys. */
winnow_status held_set_load(const struct winnow_list *paths, const struct document_keys *keys,
                            const struct winnow_env *env, struct source_names *names,
                            struct held_set *out, struct winnow_error *err);

/* A tokenizer of that many tokens from the texts of a corpus that the held-out
 * rule does not name: of all, or of a sample by hash where there is more than
 * sample_bytes. */
struct text_tokenizer {
    struct winnow_list paths;
    const struct document_keys *keys;
    double heldout_share;
    uint32_t vocab;
    uint64_t sample_bytes;
};
winnow_status text_tokenizer_train(const struct text_tokenizer *opt, const struct winnow_env *env,
                                   struct tokenizer **out, struct winnow_error *err);

#endif /* WINNOW_PROVE_TEXTS_H */
