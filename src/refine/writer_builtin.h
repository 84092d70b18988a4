/* writer_builtin.h -- our own engine as a writer of programs. */
#ifndef WINNOW_REFINE_WRITER_BUILTIN_H
#define WINNOW_REFINE_WRITER_BUILTIN_H

#include "engine/engine.h"
#include "refine/program_writer.h"
#include "token/tokenizer.h"

struct writer_builtin_options {
    const char *model; /* folder or .gguf */
    enum engine_compute compute;
    uint32_t threads;      /* 0: as many as the machine has */
    uint32_t context_max;  /* tokens of prompt and answer; 0: the model's context */
    const uint32_t *stops; /* tokens that end an answer; copied */
    size_t stop_count;
    bool free; /* requests' grammars are not held to */
};

/* Tokenizer and env must outlive it; requests must have tokens.  Answers are the
 * bytes of the tokens chosen. */
winnow_status writer_builtin_new(const struct writer_builtin_options *opt,
                                 const struct tokenizer *t, const struct winnow_env *env,
                                 struct program_writer **out, struct winnow_error *err);

#endif /* WINNOW_REFINE_WRITER_BUILTIN_H */
