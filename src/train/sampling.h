/* sampling.h -- the ways to train by name: one row and one file each.
 *
 * A way differs from plain training in the batches that it gives (sampler.h), in what a step
 * does with one (learner.h), or in both:
 *
 *     uniform    neither: the plain packer
 *     lfr        batches of its own, by what blocks lost (sampler_lfr.c)
 *     reweight   the engine's weights of sequences, by what they lost (sampler_reweight.c)
 *     opus, greats   in what a step does: its batch is chosen from several times as many tokens
 *                (sampler_choose.c)
 *     resample   a share of the documents, drawn anew now and then (sampler_resample.c)
 *
 * What a way knows of the past it hears again when a training is resumed, through told(); it
 * keeps no file.  A choice that depends on the weights of the model belongs into the learner,
 * which is not replayed.
 */
#ifndef WINNOW_TRAIN_SAMPLING_H
#define WINNOW_TRAIN_SAMPLING_H

#include "winnow/train.h"

#include "base/json_write.h"
#include "train/packer.h"
#include "train/trainer.h"

/* What a way stands on; all of it outlives it. */
struct sampling_home {
    const struct winnow_sampling *opt;
    const struct token_docs *docs; /* NULL: batches of rows, which only inner gives */
    const uint32_t *order;         /* documents as trained, epoch behind epoch */
    size_t order_count;
    const struct packer_options *packer; /* its batch_tokens are those of a step */
    struct sampler inner;                /* plain batches, of batch_tokens * reads tokens */
    struct learner learner;
    struct trainer *trainer; /* the same; NULL where it is of adapters */
    uint64_t seed, steps;
    struct pool *pool;
    const float *odds;                /* by document, what draws go by; NULL: all alike */
    const struct token_batch *target; /* what sampling.toward holds; NULL: nothing was read */
};

/* A way under work. */
struct sampling {
    const struct sampling_kind *kind;
    void *state;            /* NULL: the plain way */
    struct sampler sampler; /* what the loop is to ask */
    struct learner learner; /* and move: the home's, or one around it, which has it freed */
};

/* What was seen of a document: its blocks by how their losses went (train/blocks.h). */
struct sampling_document {
    uint32_t blocks, learned, unlearned, forgotten;
    double first, last; /* mean losses of its tokens, the first and the last time */
};

struct sampling_kind {
    const char *name;
    const char *const *options; /* names of those that belong to it, NULL-terminated */
    /* Tokens that a step reads for one that it trains on; NULL: one. */
    double (*reads)(const struct winnow_sampling *o);
    /* Passes over the documents where nobody says how many; NULL: one. */
    double (*passes)(const struct winnow_sampling *o);
    /* Fewest that it can be done in; NULL: any. */
    double (*passes_least)(const struct winnow_sampling *o);
    bool texts_only;   /* documents are cut by it: no rows */
    bool trainer_only; /* no adapters */
    bool by_target;    /* reads what sampling.toward names */
    bool by_weights;   /* draws by weights of documents, which are then no factors of losses */
    bool losses_first; /* trainer_options.losses_first, and steps of one micro-batch */
    /* Takes the word behind "NAME:" of an arm; false: it is none. */
    bool (*word)(struct winnow_sampling *o, const char *word);
    /* Fills s->state, and puts itself around s->sampler and s->learner, which are the home's. */
    winnow_status (*open)(const struct sampling_home *home, struct sampling *s,
                          struct winnow_error *err);
    void (*close)(void *state);
    /* FLOPs beside those of the learner; NULL: none. */
    double (*flops)(const void *state);
    /* Members for the object `sampler` of the model's card: how it went; NULL: nothing. */
    void (*tell)(void *state, struct json_writer *w);
    /* By document of the home's docs, zeroed before; NULL: nothing is known of them. */
    void (*documents)(void *state, struct sampling_document *out);
};

const struct sampling_kind *sampling_kind_of(const struct winnow_sampling *o);
/* The i-th kind, in the order of enum winnow_sampler; NULL behind the last. */
const struct sampling_kind *sampling_kind_at(size_t i);

/* What the trainer of it needs; options of steps of batch_tokens. */
void sampling_trainer(const struct winnow_sampling *o, uint64_t batch_tokens,
                      struct trainer_options *trainer);

double sampling_reads(const struct winnow_sampling *o);

/* Bytes of choosing by a target, for a model of that shape. */
uint64_t sampling_target_memory(const struct model_config *c);
double sampling_passes(const struct winnow_sampling *o);

winnow_status sampling_open(const struct sampling_home *home, struct sampling *out,
                            struct winnow_error *err);
void sampling_close(struct sampling *s); /* the home's learner stays */
double sampling_flops(const struct sampling *s);
void sampling_tell(const struct sampling *s, struct json_writer *w);
/* The caller's to free; NULL where nothing is known of documents. */
struct sampling_document *sampling_documents(const struct sampling *s, size_t count);

/* The kinds, for sampling.c. */
extern const struct sampling_kind SAMPLER_LFR, SAMPLER_REWEIGHT, SAMPLER_OPUS, SAMPLER_GREATS,
    SAMPLER_RESAMPLE;

#endif /* WINNOW_TRAIN_SAMPLING_H */
