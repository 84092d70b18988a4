/* fasttext_write.h -- writes a dense supervised model in fastText's format. */
#ifndef WINNOW_QUALITY_FASTTEXT_WRITE_H
#define WINNOW_QUALITY_FASTTEXT_WRITE_H

#include "quality/fasttext.h"

struct fasttext_parts {
    struct fasttext_args args;
    const struct fasttext_entry *entries; /* words, most frequent first, then labels */
    uint32_t word_count, label_count;
    int64_t tokens;      /* that were read to make it */
    uint64_t rows;       /* of input: words and buckets */
    const float *input;  /* rows * dim */
    const float *output; /* label_count * dim */
};

/* Whole or not at all. */
winnow_status fasttext_write(const char *path, const struct fasttext_parts *p,
                             struct winnow_error *err);

#endif /* WINNOW_QUALITY_FASTTEXT_WRITE_H */
