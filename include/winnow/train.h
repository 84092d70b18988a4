/* train.h -- a small Llama-architecture model from text. */
#ifndef WINNOW_TRAIN_H
#define WINNOW_TRAIN_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Shape and training of a small model: what `train`, `prune` (its reference)
 * and `prove` (its arms) share.
 *
 * A document is trained on as BOS, its tokens, EOS; one longer than context
 * goes on in sequences that start with the last token of the one before, so
 * each token is predicted once.  Sequences of several documents are packed into
 * steps of exactly batch_tokens tokens; attention does not cross from one into
 * the other. */
struct winnow_small_model {
    uint32_t dim, layers, heads, kv_heads; /* kv_heads 0: as heads */
    uint32_t ffn;                          /* 0: 8/3 dim, up to a multiple of 32 */
    uint32_t vocab;                        /* of a tokenizer that has yet to be trained */
    uint32_t context;
    uint64_t batch_tokens;
    double lr, warmup; /* warmup: share of the steps */
    double lr_end;     /* share of lr left at the last step */
    double average;    /* share of the steps, the last ones, whose weights are averaged; 0: none */
    double weight_decay;
    int compute;   /* enum winnow_compute */
    int optimizer; /* enum winnow_optimizer */
};
enum winnow_compute {
    WINNOW_F32,
    WINNOW_BF16, /* factors of matrix products rounded to bf16 */
    WINNOW_INT8  /* to bytes with a scale for each 64 numbers; scoring only */
};
enum winnow_optimizer {
    WINNOW_ADAMW,
    WINNOW_MUON, /* Muon for the hidden matrices, AdamW for all else */
    WINNOW_SGD,  /* plain: what values of documents are exact for */
};

#define WINNOW_SMALL_MODEL_INIT                                                                 \
    {                                                                                           \
        .dim = 96, .layers = 3, .heads = 3, .vocab = 2048, .context = 256, .batch_tokens = 512, \
        .lr = 2e-3, .warmup = 0.05, .lr_end = 0.1, .weight_decay = 0.1, .compute = WINNOW_F32,  \
        .optimizer = WINNOW_ADAMW                                                               \
    }

/* What `prove` trains; docs/evidence/power.md says why. */
#define WINNOW_PROOF_MODEL_INIT                                                                  \
    {                                                                                            \
        .dim = 96, .layers = 3, .heads = 3, .vocab = 2048, .context = 256, .batch_tokens = 2048, \
        .lr = 8e-3, .warmup = 0.05, .lr_end = 0.1, .weight_decay = 0.1, .compute = WINNOW_F32,   \
        .optimizer = WINNOW_MUON                                                                 \
    }

/* What a training reads next, and with what weight. */
enum winnow_sampler {
    WINNOW_UNIFORM,  /* documents in random order */
    WINNOW_LFR,      /* learn, focus, review: blocks that were hard come again */
    WINNOW_REWEIGHT, /* as uniform; sequences weigh by what they lose in the step */
    WINNOW_OPUS,     /* of several times as many candidates those that help a target, by chance */
    WINNOW_GREATS,   /* the same, the most helpful first */
    WINNOW_RESAMPLE  /* a share of the documents, drawn anew now and then */
};
enum winnow_focus {
    WINNOW_FOCUS_HARD,   /* what lost most */
    WINNOW_FOCUS_RANDOM, /* as much, by chance: says what the schedule does alone */
    WINNOW_FOCUS_NONE    /* everything in every epoch, in random order: a profile of blocks */
};
enum winnow_curve {
    WINNOW_LINUPPER,  /* low losses weigh less */
    WINNOW_QUADRATIC, /* the middle weighs most */
    WINNOW_EXTREMES   /* both ends weigh most */
};
struct winnow_sampling {
    int sampler;      /* enum winnow_sampler */
    int focus;        /* lfr: enum winnow_focus */
    double drop;      /* lfr: share of the tokens that the first focus leaves out */
    double drop_last; /* lfr: the same of the last */
    int curve;        /* reweight: enum winnow_curve */
    /* reweight: weights of a step lie within exp(1 / temperature).  opus: gains are drawn by
     * exp(gain / temperature), in standard deviations.  resample: the odds of a document are
     * 1 + x + x^2 / 2, x being its weight over temperature. */
    double temperature;
    double burn_in; /* reweight: share of the steps, the first ones, in which all weigh the same */
    const char *toward; /* opus, greats: examples of what is wanted */
    double candidates;  /* opus, greats: tokens that are read for one that is trained on */
    double redundancy;  /* opus, greats: how much a pick lowers what is like it; 1: as the step */
    double drawn;       /* resample: share of the tokens that a draw holds */
    uint64_t redraw;    /* resample: steps until the next draw; 0: a tenth of them */
};
#define WINNOW_SAMPLING_INIT                                                               \
    {                                                                                      \
        .drop = 0.5, .drop_last = 0.7, .temperature = 1, .burn_in = 0.05, .candidates = 4, \
        .redundancy = 1, .drawn = 0.25,                                                    \
    }

enum winnow_weights_as {
    WINNOW_AS_LOSS,   /* factors of the documents' losses */
    WINNOW_AS_REPEATS /* how often documents come in an epoch */
};
enum winnow_mean_of { WINNOW_MEAN_OF_TOKENS, WINNOW_MEAN_OF_DOCUMENTS };

struct winnow_train_options {
    struct winnow_small_model model;
    struct winnow_sampling sampling;
    double dropout;        /* of what each layer adds, while training; 0: none */
    const char *output;    /* the model folder */
    const char *init;      /* a model to go on from: its shape and tokenizer; NULL: from chance */
    const char *tokenizer; /* file or folder; NULL: one is trained on the corpus first */
    bool responses;        /* rows are prompt and response, or messages: winnow/features.h */
    uint64_t tokens;       /* 0: the epochs */
    double epochs;         /* 0: one */
    double epochs_max;     /* with tokens: refuse more passes over the documents than this */
    uint64_t document_tokens; /* of a document at most so many; 0: all */
    /* What each document counts for, scaled to a mean of 1: the attribute weight_name in the
     * folder of attributes `weights`, or the document's own member weight_key; NULL: 1. */
    const char *weights, *weight_name, *weight_key;
    int weights_as;     /* enum winnow_weights_as; of a sampler that draws by them, neither */
    int mean_of;        /* enum winnow_mean_of: what a step's loss is the mean of */
    uint32_t lora_rank; /* adapters on init's matrices, merged at the end; 0: all weights */
    double lora_alpha;  /* 0: twice the rank */
    uint64_t limit;     /* documents; 0: all */
    /* Examples of what is wanted: what each document was worth to them is gathered while the model
     * trains, and written as attributes winnow__value into output/value. */
    const char *value;
    uint32_t value_order;      /* 1, or 2: twice as dear */
    uint32_t keep_checkpoints; /* at equal distances, for features; 0: none */
    const char *text_key, *id_key;
};
#define WINNOW_TRAIN_OPTIONS_INIT                                       \
    (WINNOW_NEW(winnow_train_options){.model = WINNOW_SMALL_MODEL_INIT, \
                                      .sampling = WINNOW_SAMPLING_INIT, \
                                      .epochs_max = 4,                  \
                                      .weight_name = "winnow__weight",  \
                                      .value_order = 1})

struct winnow_train_result {
    uint64_t documents, documents_bad, tokens, steps, parameters;
    double epochs, loss; /* loss: mean of the last tenth of the steps */
    double flops;
    bool nothing_to_do; /* an earlier call did all of it; the rest is 0 */
};

/* *result is filled in where the call succeeds.  WINNOW_E_USAGE also where the corpus is
 * smaller than epochs_max allows, WINNOW_E_LIMIT where env->memory_max is too little.
 * Trains on the documents in a random order drawn from env->seed and writes
 * config.json, model.safetensors, tokenizer.json and training.json into output.
 * A checkpoint stands in output/checkpoint/ meanwhile: the same call after an
 * interruption goes on from it and writes the same bytes. */
WINNOW_API winnow_status winnow_train(const struct winnow_train_options *opt,
                                      const struct winnow_list *paths, const struct winnow_env *env,
                                      struct winnow_train_result *result, struct winnow_error *err);

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_TRAIN_H */
