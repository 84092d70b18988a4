/* tokenizer.h -- text to token ids and back.
 *
 * A tokenizer is what a tokenizer.json of Hugging Face's `tokenizers` says,
 * for BPE models: byte-level ones (GPT-2, Llama-3, Qwen) and those made from
 * SentencePiece with byte fallback (Llama-2, Mistral).  The ids are the same
 * ones.  A tokenizer never changes once made and may be used from any number of
 * threads, each with a scratch of its own.
 *
 *     struct tokenizer *t;
 *     TRY(tokenizer_load("model/", &t, err));
 *     struct tokenizer_scratch *s = tokenizer_scratch_new(t);
 *     struct u32_list ids = {0};
 *     tokenizer_encode(t, s, text, TOKENIZER_ADD_SPECIAL, &ids);
 *
 * docs/formats/tokenizer.md lists the components that are understood.
 */
#ifndef WINNOW_TOKEN_TOKENIZER_H
#define WINNOW_TOKEN_TOKENIZER_H

#include "base/buf.h"
#include "base/error.h"

/* Numbers that grow.  All-zero is an empty list. */
struct u32_list {
    uint32_t *ptr;
    size_t len, cap;
};

void u32_list_release(struct u32_list *l);

/* Room for extra more numbers behind len; returns where they go.  The caller
 * writes there and adds to len itself. */
uint32_t *u32_list_reserve(struct u32_list *l, size_t extra);
void u32_list_add(struct u32_list *l, uint32_t value);

struct tokenizer;

/* What a missing special token is. */
#define TOKENIZER_NONE UINT32_MAX

/* ---- making one ---- */

/* Reads a tokenizer.json, or from a folder what it holds of: tokenizer.json;
 * GPT-2's encoder.json + vocab.bpe, also under the names vocab.json +
 * merges.txt.  A tokenizer_config.json beside it names bos and eos.  A component
 * that is not understood gives WINNOW_E_FORMAT and its name, never other ids. */
winnow_status tokenizer_load(const char *path, struct tokenizer **out, struct winnow_error *err);

/* The same from the text of a tokenizer.json. */
winnow_status tokenizer_parse(struct str json, struct tokenizer **out, struct winnow_error *err);

/* What GGUF metadata (tokenizer.ggml.*) says.  Nothing is kept of the arrays. */
enum tokenizer_kind {
    TOKENIZER_BYTE_LEVEL, /* "gpt2": tokens in GPT-2's byte alphabet, merges "a b" */
    TOKENIZER_SPM         /* "llama": tokens with U+2581 for space, scores, <0x00> bytes */
};
enum tokenizer_type { /* token_type, as GGUF numbers them */
                      TOKENIZER_TYPE_NORMAL = 1,
                      TOKENIZER_TYPE_UNKNOWN = 2,
                      TOKENIZER_TYPE_CONTROL = 3,
                      TOKENIZER_TYPE_USER = 4,
                      TOKENIZER_TYPE_UNUSED = 5,
                      TOKENIZER_TYPE_BYTE = 6
};
struct tokenizer_arrays {
    enum tokenizer_kind kind;
    struct str pre;           /* tokenizer.ggml.pre: "gpt-2", "llama-bpe", "qwen2", "smollm" ... */
    const struct str *tokens; /* by id */
    size_t token_count;
    const struct str *merges; /* byte level: "a b", best first */
    size_t merge_count;
    const float *scores;    /* SPM: token_count of them */
    const uint32_t *types;  /* enum tokenizer_type, token_count of them, or NULL */
    uint32_t bos, eos, unk; /* TOKENIZER_NONE where there is none */
    bool add_bos, add_eos;  /* by TOKENIZER_ADD_SPECIAL */
    bool add_space_prefix;  /* SPM: a space before the text (the default of that key is true) */
};
winnow_status tokenizer_from_arrays(const struct tokenizer_arrays *a, struct tokenizer **out,
                                    struct winnow_error *err);

/* Byte-level BPE from text.  The same texts give the same tokenizer whatever
 * the number of threads; where memory_max is not touched, it is the one that
 * `tokenizers`' BpeTrainer makes. */
struct tokenizer_train_options {
    uint32_t vocab_size;         /* with the special tokens and the 256 bytes */
    const char *pre;             /* "gpt2", "llama3" or "qwen2": how text is cut into words */
    uint64_t count_min;          /* pairs seen less often are not merged */
    uint64_t memory_max;         /* for counting words; rare ones are dropped beyond it */
                                 /* (env->memory_max is a limit: WINNOW_E_LIMIT) */
    struct winnow_list specials; /* get ids 0, 1, ...; the first is bos and eos */
};
#define TOKENIZER_TRAIN_OPTIONS_INIT \
    ((struct tokenizer_train_options){8192, "gpt2", 2, (uint64_t)1 << 30, {NULL, 0}})

/* Gives the next text, which must stay valid until the next call; *more false
 * at the end. */
typedef winnow_status (*tokenizer_next_text)(void *ctx, struct str *text, bool *more,
                                             struct winnow_error *err);

winnow_status tokenizer_train(const struct tokenizer_train_options *options,
                              const struct winnow_env *env, tokenizer_next_text next_text,
                              void *ctx, struct tokenizer **out, struct winnow_error *err);

void tokenizer_free(struct tokenizer *t);

/* ---- using it ---- */

/* What one thread needs: word cache and working memory. */
struct tokenizer_scratch;
struct tokenizer_scratch *tokenizer_scratch_new(const struct tokenizer *t);
void tokenizer_scratch_free(struct tokenizer_scratch *s);

enum tokenizer_flags {
    TOKENIZER_ADD_SPECIAL = 1,   /* bos and eos as the tokenizer's own template has them */
    TOKENIZER_PLAIN_SPECIAL = 2, /* "<s>" in the text is text, not the special token */
    TOKENIZER_SKIP_SPECIAL = 4   /* decode: special tokens give nothing */
};

/* Appends the ids of text to out.  Never fails: text may hold any bytes.  A
 * byte-level tokenizer without a normalizer gives them all back. */
void tokenizer_encode(const struct tokenizer *t, struct tokenizer_scratch *s, struct str text,
                      unsigned flags, struct u32_list *out);

/* Appends the bytes of the ids to out, as they are: a cut inside a character
 * stays a cut.  WINNOW_E_FORMAT for an id that is not in the vocabulary. */
winnow_status tokenizer_decode(const struct tokenizer *t, const uint32_t *ids, size_t count,
                               unsigned flags, struct buf *out, struct winnow_error *err);

/* One more than the largest id. */
uint32_t tokenizer_vocab_size(const struct tokenizer *t);

/* TOKENIZER_NONE where there is none. */
uint32_t tokenizer_bos(const struct tokenizer *t);
uint32_t tokenizer_eos(const struct tokenizer *t);

/* The id of a token by its text in tokenizer.json, or TOKENIZER_NONE. */
uint32_t tokenizer_id(const struct tokenizer *t, struct str token);

/* The token as in tokenizer.json (byte-level ones in GPT-2's byte alphabet);
 * empty for an id that has none.  Valid as long as t. */
struct str tokenizer_token(const struct tokenizer *t, uint32_t id);

/* The bytes that a token stands for inside a text (of a special one, its name);
 * empty for an id that has none.  Valid as long as t. */
struct str tokenizer_token_bytes(const struct tokenizer *t, uint32_t id);

/* Whether it is a control token such as <s> or <|im_end|>. */
bool tokenizer_is_special(const struct tokenizer *t, uint32_t id);

/* ---- writing it ---- */

/* A tokenizer.json that `tokenizers` loads and that gives the same ids. */
void tokenizer_write(const struct tokenizer *t, struct buf *out);

/* tokenizer_write() to a file, whole or not at all; and into folder/ as
 * tokenizer.json with a tokenizer_config.json that names bos and eos. */
winnow_status tokenizer_save(const struct tokenizer *t, const char *path, struct winnow_error *err);
winnow_status tokenizer_save_folder(const struct tokenizer *t, const char *folder,
                                    struct winnow_error *err);

#endif /* WINNOW_TOKEN_TOKENIZER_H */
