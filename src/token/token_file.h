/* token_file.h -- writes token ids the way trainers read them.
 *
 * docs/formats/tokens.md has the layouts.  Ids take 2 bytes where the vocabulary
 * allows, else 4.  A final name only ever holds complete content.
 */
#ifndef WINNOW_TOKEN_TOKEN_FILE_H
#define WINNOW_TOKEN_TOKEN_FILE_H

#include "base/error.h"

enum token_file_kind {
    TOKEN_FILE_NPY,     /* NumPy: one row of all ids */
    TOKEN_FILE_LLMC,    /* llm.c: header of 256 int32, ids */
    TOKEN_FILE_NANOGPT, /* the ids and nothing else */
    TOKEN_FILE_MEGATRON /* path.bin with the ids, path.idx with the documents */
};

/* temporary: a folder for what goes to a device or a pipe until its header is known. */
struct token_file;
winnow_status token_file_open(struct token_file **out, enum token_file_kind kind, const char *path,
                              const char *temporary, uint32_t vocab_size, struct winnow_error *err);

/* The ids of one document. */
winnow_status token_file_add(struct token_file *f, const uint32_t *ids, size_t count,
                             struct winnow_error *err);

/* Completes the file under its name. */
winnow_status token_file_commit(struct token_file *f, struct winnow_error *err);

/* Ends it in any case; without a commit before, nothing stays. */
void token_file_close(struct token_file *f);

#endif /* WINNOW_TOKEN_TOKEN_FILE_H */
