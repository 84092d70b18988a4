/* writer_verdicts.h -- a language model that was taught verdicts (verdicts.h) as a writer of
 * programs: one pass over a chunk's prompt, no token is generated.  What it writes are
 * remove_lines() and keep_chunk() of the dialect winnow. */
#ifndef WINNOW_REFINE_WRITER_VERDICTS_H
#define WINNOW_REFINE_WRITER_VERDICTS_H

#include "engine/engine.h"
#include "refine/program_writer.h"
#include "token/tokenizer.h"

struct writer_verdicts_options {
    const char *model; /* folder or .gguf */
    enum engine_compute compute;
    uint32_t threads;     /* 0: as many as the machine has */
    uint32_t context_max; /* tokens of a prompt; 0: the model's context */
    double keep_above;    /* lines less likely to stay go */
};

/* Tokenizer and env must outlive it; requests must have tokens, and a grammar of the level
 * LEVEL_CHUNK, whose lines are judged.  An answer's margin is the least difference between a
 * line's two logits. */
winnow_status writer_verdicts_new(const struct writer_verdicts_options *opt,
                                  const struct tokenizer *t, const struct winnow_env *env,
                                  struct program_writer **out, struct winnow_error *err);

#endif /* WINNOW_REFINE_WRITER_VERDICTS_H */
