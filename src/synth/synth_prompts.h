/* synth_prompts.h -- what a model is asked to make of a seed.
 *
 * A file of prompts is JSON lines, one object a prompt:
 *
 *     {"name": "school", "kind": "text", "prompt": "Explain to a child ...\n\n{text}"}
 *
 * kind is text, question, choice, cloze or summary; {text} is where the seed is shown, once.
 * Beside these three: "weight" (1..1000, how often it is drawn), "passage" (whether the seed
 * stands before the answer in the document; of a summary it does), "words_min", "words_max" and
 * "new_tokens" (of an answer).
 */
#ifndef WINNOW_SYNTH_SYNTH_PROMPTS_H
#define WINNOW_SYNTH_SYNTH_PROMPTS_H

#include "winnow/synthesize.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

enum synth_kind {
    SYNTH_TEXT,
    SYNTH_QUESTION,
    SYNTH_CHOICE,
    SYNTH_CLOZE,
    SYNTH_SUMMARY,
    SYNTH_KINDS,
    SYNTH_NONE = SYNTH_KINDS
};

struct synth_prompt {
    const char *name;
    enum synth_kind kind;
    struct str before, after; /* the seed */
    bool passage;
    uint32_t weight, words_min, words_max, new_tokens;
    char hash[33]; /* of kind, passage and prompt */
};

/* All-zero is empty. */
struct synth_prompts {
    struct synth_prompt *items;
    size_t count, cap;
    struct arena keep;
};

/* Those of opt->prompts, else the built-in ones, else (of templates) a name for each kind; of
 * them those that opt->make wants, with opt's limits where it has some. */
winnow_status synth_prompts_load(const struct winnow_synthesize_options *opt,
                                 struct synth_prompts *out, struct winnow_error *err);
void synth_prompts_release(struct synth_prompts *p);

/* Adds the prompts of a file's bytes; name is what sentences call it. */
winnow_status synth_prompts_parse(struct synth_prompts *p, const char *name, struct str bytes,
                                  struct winnow_error *err);

const char *synth_kind_name(enum synth_kind kind);

/* The built-in prompts, as the lines of such a file; NULL ends them. */
extern const char *const SYNTH_PROMPTS[];

#endif /* WINNOW_SYNTH_SYNTH_PROMPTS_H */
