/* tokenizer.h -- training a tokenizer, and corpora as token ids. */
#ifndef WINNOW_TOKENIZER_H
#define WINNOW_TOKENIZER_H

#include "winnow/chat.h"
#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How a corpus is read; shared by training and encoding. */
struct winnow_text_options {
    const char *text_key, *id_key; /* NULL: text (raw_content, content) and id */
    int chat;                      /* enum winnow_chat */
    const char *files_from;        /* NULL, or a list of further paths */
    uint64_t limit;                /* documents; 0: all */
    uint64_t line_max;             /* longer lines are bad */
    int on_bad;                    /* enum winnow_text_on_bad */
};
enum winnow_text_on_bad {
    WINNOW_TEXT_SKIP, /* leave bad lines out, and say how many */
    WINNOW_TEXT_STOP  /* WINNOW_E_FORMAT at the first */
};
#define WINNOW_TEXT_OPTIONS_INIT       \
    {                                  \
        .line_max = (uint64_t)64 << 20 \
    }

struct winnow_text_result {
    uint64_t documents, documents_bad;
    uint64_t bytes; /* of text */
    bool complete;  /* all was done with what could be read, whatever the status */
};

enum winnow_tokenizer_pre { WINNOW_PRE_GPT2, WINNOW_PRE_LLAMA3, WINNOW_PRE_QWEN2 };

struct winnow_tokenizer_train_options {
    struct winnow_text_options text;
    const char *output;          /* the tokenizer.json */
    uint32_t vocab;              /* with special tokens and the 256 bytes */
    int pre;                     /* enum winnow_tokenizer_pre: how text is cut into words */
    uint64_t count_min;          /* rarer pairs are not merged */
    struct winnow_list specials; /* ids 0, 1, ...; none given: <|endoftext|> */
};
#define WINNOW_TOKENIZER_TRAIN_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_tokenizer_train_options){ \
        .text = WINNOW_TEXT_OPTIONS_INIT, .vocab = 8192, .count_min = 2})

/* Byte-level BPE on the texts of a corpus.  The same corpus gives the same file
 * whatever the number of threads.  WINNOW_E_LIMIT, with how much does, where
 * env->memory_max does not hold its distinct words. */
WINNOW_API winnow_status winnow_tokenizer_train(const struct winnow_tokenizer_train_options *opt,
                                                const struct winnow_list *paths,
                                                const struct winnow_env *env,
                                                struct winnow_text_result *result,
                                                struct winnow_error *err);

enum winnow_token_format {
    WINNOW_TOKENS_AUTO,     /* by the output's extension: .npy, .bin (llm.c), else JSON lines */
    WINNOW_TOKENS_JSONL,    /* {"id": ..., "tokens": [...]} */
    WINNOW_TOKENS_NPY,      /* NumPy, one row of uint16 or uint32 */
    WINNOW_TOKENS_LLMC,     /* llm.c */
    WINNOW_TOKENS_MEGATRON, /* OUTPUT.bin and OUTPUT.idx */
    WINNOW_TOKENS_NANOGPT   /* nanoGPT: ids of 2 bytes alone (4 for larger vocabularies) */
};

struct winnow_tokenizer_encode_options {
    struct winnow_text_options text;
    const char *tokenizer; /* file or folder */
    const char *output;    /* "-": JSON lines to env->write */
    int format;            /* enum winnow_token_format */
    bool separate;         /* one end-of-text token a document: before it for llm.c, else behind */
    bool bos_eos;          /* the tokenizer's own bos and eos around each document */
    bool specials;         /* special tokens written out in the text are taken as such */
};
#define WINNOW_TOKENIZER_ENCODE_OPTIONS_INIT      \
    (WINNOW_NEW(winnow_tokenizer_encode_options){ \
        .text = WINNOW_TEXT_OPTIONS_INIT, .output = "-", .separate = true})

struct winnow_tokenizer_encode_result {
    struct winnow_text_result text;
    uint64_t tokens;
};

/* Writes the ids of every document, in order; whole or not at all. */
WINNOW_API winnow_status winnow_tokenizer_encode(const struct winnow_tokenizer_encode_options *opt,
                                                 const struct winnow_list *paths,
                                                 const struct winnow_env *env,
                                                 struct winnow_tokenizer_encode_result *result,
                                                 struct winnow_error *err);

struct winnow_tokenizer_decode_options {
    const char *tokenizer; /* file or folder */
    bool plain;            /* the texts alone, not JSON lines */
    bool specials;         /* keep special tokens in the text */
};
#define WINNOW_TOKENIZER_DECODE_OPTIONS_INIT \
    (WINNOW_NEW(winnow_tokenizer_decode_options){.plain = false})

/* Reads JSON lines with "tokens" (or arrays alone) and hands {"id", "text"} to env->write; bytes
 * that are no UTF-8 become U+FFFD there, and stay with plain. */
WINNOW_API winnow_status winnow_tokenizer_decode(const struct winnow_tokenizer_decode_options *opt,
                                                 const struct winnow_list *paths,
                                                 const struct winnow_env *env,
                                                 struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_TOKENIZER_H */
