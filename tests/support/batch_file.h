/* batch_file.h -- the token batches that scripts hand to the programs beside the tests:
 * u32 words, the number of sequences, their starts (one more), their tokens. */
#ifndef WINNOW_TESTS_BATCH_FILE_H
#define WINNOW_TESTS_BATCH_FILE_H

#include "base/file.h"
#include "engine/batch.h"

#define BATCH_FILE_MAX ((size_t)1 << 32)

/* b views words. */
static inline winnow_status batch_file_read(const char *path, struct buf *words,
                                            struct token_batch *b, struct winnow_error *err)
{
    TRY(file_read(path, BATCH_FILE_MAX, words, err));
    const uint32_t *w = (const uint32_t *)(const void *)words->ptr;
    size_t count = words->len / sizeof *w;
    if (count < 2 || w[0] > count - 2 || 2 + (size_t)w[0] + w[w[0] + 1] != count) {
        return error_set(err, WINNOW_E_FORMAT, "%s is no batch", path);
    }
    *b = (struct token_batch){.tokens = w + 2 + w[0], .starts = w + 1, .sequences = w[0]};
    return WINNOW_OK;
}

#endif /* WINNOW_TESTS_BATCH_FILE_H */
