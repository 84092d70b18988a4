/* examples.h -- a page with what is known of it as examples to train a refiner on:
 * prompts exactly as they are asked (prompt.h), programs as answers.
 *
 * At the chunk level an example is a chunk and the calls for its lines; pages of
 * which nothing is to be left give none.  At the document level it is the whole
 * text and keep_doc() or drop_doc().  The answer comes from, in this order:
 *
 *   "program"  the calls that the parser accepts, written in the spelling of
 *              derive.h and cut to the lines of the chunk
 *   "label"    derive_labels()
 *   "clean"    derive_pair(); with prefer_text before the labels
 *   "drop"
 */
#ifndef WINNOW_TEACH_EXAMPLES_H
#define WINNOW_TEACH_EXAMPLES_H

#include "refine/prompt.h"
#include "teach/pair.h"

enum example_levels { EXAMPLES_CHUNK, EXAMPLES_DOC, EXAMPLES_BOTH };

struct example_options {
    enum chat_template template;
    const char *system;
    struct chunk_options chunk; /* its tokens are those of a chunk's lines */
    enum example_levels levels;
    int dialect; /* of given programs: enum winnow_refine_dialect, not prox */
    bool prefer_text;
    uint32_t sequence_max; /* tokens of prompt and answer; longer examples are left out */
    uint32_t answer_max;   /* of the answer */
    double removal_max;    /* pages of which a larger share of the characters goes are left out */
    double derivable_min;  /* so are those of whose clean text less can be reached */
    bool verdicts;         /* of a chunk's lines, too (verdicts.h) */
};
#define EXAMPLE_OPTIONS_INIT                                                           \
    ((struct example_options){.system = PROMPT_SYSTEM,                                 \
                              .chunk = {1500, LONG_LINES_SKIP, LINE_NUMBERS_BRACKETS}, \
                              .sequence_max = 2048,                                    \
                              .answer_max = 512,                                       \
                              .removal_max = 1,                                        \
                              .derivable_min = 0.5})

/* What became of pages and examples. */
struct example_counts {
    uint64_t pages, dropped;             /* dropped: nothing of the page is to be left */
    uint64_t unlike;                     /* left out: derivable_min */
    uint64_t stripped;                   /* left out: removal_max */
    uint64_t refused;                    /* left out: a call of the given program is none */
    uint64_t examples, kept;             /* kept: those in which nothing goes */
    uint64_t too_long;                   /* examples left out: sequence_max, answer_max */
    uint64_t lines_skipped;              /* chunks that the policy on long lines leaves out */
    uint64_t clean_chars, covered_chars; /* of pages with a clean text */
};

struct example {
    const uint32_t *tokens; /* the prompt, then the answer with the token that ends it */
    uint32_t prompt, count;
    /* With verdicts, of each line in order: the position of its last token, and whether it is
     * to stay.  Else none. */
    const uint32_t *places;
    const bool *stays;
    size_t lines;
};

/* Works with one tokenizer in one thread. */
struct example_maker;

winnow_status example_maker_new(const struct tokenizer *t, const struct example_options *opt,
                                struct example_maker **out, struct winnow_error *err);
void example_maker_free(struct example_maker *m);

/* Gives each example of the page to take(), valid during the call.
 * WINNOW_E_FORMAT where nothing is known of the page. */
typedef void (*example_take)(void *ctx, const struct example *e);
winnow_status example_maker_page(struct example_maker *m, const struct pair *p, example_take take,
                                 void *ctx, struct winnow_error *err);

/* Appends what is to be learnt of the whole page as one text, without prompts: for
 * training a tokenizer. */
winnow_status example_program(const struct pair *p, const struct example_options *opt,
                              struct arena *scratch, struct buf *out, struct winnow_error *err);

const struct example_counts *example_maker_counts(const struct example_maker *m);

#endif /* WINNOW_TEACH_EXAMPLES_H */
