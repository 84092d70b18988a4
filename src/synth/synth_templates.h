/* synth_templates.h -- renderings by rule, for who has no model (or wants to know what one adds).
 *
 *     cloze      a sentence without its rarest word
 *     question   a sentence whose form answers one (synth_relations.h)
 *     choice     such a question, or a gap, beside answers of the same kind from other seeds
 *     summary    the first sentence, behind the ones that follow it (a gap sentence, as
 *                PEGASUS learns them: Zhang et al. 1912.08777)
 *     text       what several seeds say of the word that is rarest in them all: notes
 *
 * What is rare, and what could be answers, is learned from all seeds first.  English in the
 * main: questions need its word order, gaps only spaces between words.
 */
#ifndef WINNOW_SYNTH_SYNTH_TEMPLATES_H
#define WINNOW_SYNTH_SYNTH_TEMPLATES_H

#include "base/pool.h"
#include "synth/synth_prompts.h"
#include "synth/synth_seeds.h"

struct synth_templates;

/* seeds must outlive it. */
winnow_status synth_templates_new(const struct synth_seeds *seeds, struct pool *pool,
                                  const struct winnow_env *env, struct synth_templates **out,
                                  struct winnow_error *err);
void synth_templates_free(struct synth_templates *t);

/* Bytes that it holds for so many seeds, about. */
uint64_t synth_templates_memory(uint64_t seeds);

#define SYNTH_MATES_MAX 3U /* other seeds of a text */

/* Scratch of a thread. */
struct synth_template_scratch;
struct synth_template_scratch *synth_template_scratch_new(void);
void synth_template_scratch_free(struct synth_template_scratch *s);

/* What a template writes, in the form of synth_tasks.h. */
struct synth_rendering {
    struct buf text, passage;        /* passage: of a summary */
    uint32_t mates[SYNTH_MATES_MAX]; /* of a text: other seeds, in the order of asking */
    size_t mate_count;
};

struct synth_template_ask {
    size_t seed;   /* in the order of asking */
    uint64_t draw; /* decides between what is possible */
    enum synth_kind kind;
};

/* Clears out, and renders the seed.  *fits false where the template has nothing to make of it. */
winnow_status synth_template_write(const struct synth_templates *t,
                                   struct synth_template_scratch *s,
                                   const struct synth_template_ask *ask,
                                   struct synth_rendering *out, bool *fits,
                                   struct winnow_error *err);

#endif /* WINNOW_SYNTH_SYNTH_TEMPLATES_H */
