/* model_options.h -- the options of a small model, in the table of any command
 * that has a struct winnow_small_model as member `model`. */
#ifndef WINNOW_OPTION_MODEL_OPTIONS_H
#define WINNOW_OPTION_MODEL_OPTIONS_H

#include "winnow/train.h"

#include "option/option.h"

#define SMALL_MODEL_OPTIONS(type)                                                               \
    OPT_U32(0, "dim", type, model.dim, 8, 16384, "model: width"),                               \
        OPT_U32(0, "layers", type, model.layers, 1, 256, "model: layers"),                      \
        OPT_U32(0, "heads", type, model.heads, 1, 256, "model: attention heads"),               \
        OPT_U32(0, "kv-heads", type, model.kv_heads, 0, 256,                                    \
                "model: key and value heads; 0: as heads"),                                     \
        OPT_U32(0, "ffn", type, model.ffn, 0, 65536, "model: inner width; 0: 8/3 of dim"),      \
        OPT_U32(0, "vocab", type, model.vocab, 300, 1000000,                                    \
                "vocabulary of a tokenizer that is trained"),                                   \
        OPT_U32(0, "context", type, model.context, 8, 65536, "model: longest sequence"),        \
        OPT_COUNT(0, "batch-tokens", type, model.batch_tokens, 64, 1e8, "tokens a step"),       \
        OPT_REAL(0, "lr", type, model.lr, 1e-6, 1, "learning rate at its top"),                 \
        OPT_SHARE(0, "warmup", type, model.warmup, 0, 1, "share of the steps that warm up"),    \
        OPT_SHARE(0, "lr-end", type, model.lr_end, 0, 1, "share of the rate at the last step"), \
        OPT_SHARE(0, "average", type, model.average, 0, 1,                                      \
                  "share of the steps, the last ones, whose weights are averaged; 0: none"),    \
        OPT_REAL(0, "weight-decay", type, model.weight_decay, 0, 10, "decoupled weight decay"), \
        OPT_ENUM(0, "compute", type, model.compute, SMALL_MODEL_COMPUTE,                        \
                 "number format of matrix products"),                                           \
        OPT_ENUM(0, "optimizer", type, model.optimizer, SMALL_MODEL_OPTIMIZER,                  \
                 "muon: for the hidden matrices; wants 2048 tokens a step or more")

/* What is read next, in the table of a command with a struct winnow_sampling as member
 * `sampling`.  Which of them belong to which sampler, train/sampling.h says. */
#define SAMPLING_OPTIONS(type)                                                                    \
    OPT_ENUM(0, "sampler", type, sampling.sampler, SAMPLER_NAMES,                                 \
             "what is read next: documents in random order; lfr: what was hard comes again; "     \
             "reweight: sequences weigh by what they lose in the step; opus, greats: of several " \
             "times as many candidates those that help a target; resample: a share of the "       \
             "documents, drawn anew now and then"),                                               \
        OPT_ENUM(0, "focus", type, sampling.focus, FOCUS_NAMES,                                   \
                 "lfr: what comes again: what lost most; as much by chance; everything"),         \
        OPT_SHARE(0, "focus-drop", type, sampling.drop, 0, 0.99,                                  \
                  "lfr: share of the tokens that the first focus leaves out"),                    \
        OPT_SHARE(0, "focus-drop-last", type, sampling.drop_last, 0, 0.99,                        \
                  "lfr: share that the last focus leaves out"),                                   \
        OPT_ENUM(0, "curve", type, sampling.curve, CURVE_NAMES,                                   \
                 "reweight: low losses weigh less, the middle most, or both ends most"),          \
        OPT_REAL(                                                                                 \
            0, "temperature", type, sampling.temperature, 0.01, 1000,                             \
            "reweight: weights of a step lie within exp(1/X); opus: odds rise with exp(gain/X); " \
            "resample: odds are 1 + x + x^2/2 of x = weight/X"),                                  \
        OPT_SHARE(0, "burn-in", type, sampling.burn_in, 0, 1,                                     \
                  "reweight: share of the steps before it begins"),                               \
        OPT_FILE(0, "toward", type, sampling.toward, "opus, greats: examples of what is wanted"), \
        OPT_REAL(0, "candidates", type, sampling.candidates, 1, 1000,                             \
                 "opus, greats: tokens that are read for one that is trained on"),                \
        OPT_REAL(0, "redundancy", type, sampling.redundancy, 0, 1e6,                              \
                 "opus, greats: how much a pick lowers what is like it; 1: as a step would"),     \
        OPT_SHARE(0, "drawn", type, sampling.drawn, 0.0001, 1,                                    \
                  "resample: share of the tokens that a draw holds"),                             \
        OPT_COUNT(0, "redraw", type, sampling.redraw, 0, 1e15,                                    \
                  "resample: steps until the next draw; 0: a tenth of all")

extern const char *const SAMPLER_NAMES[];         /* enum winnow_sampler */
extern const char *const FOCUS_NAMES[];           /* enum winnow_focus */
extern const char *const CURVE_NAMES[];           /* enum winnow_curve */
extern const char *const SMALL_MODEL_COMPUTE[];   /* enum winnow_compute */
extern const char *const SCORING_COMPUTE[];       /* the same, with int8 */
extern const char *const SMALL_MODEL_OPTIMIZER[]; /* enum winnow_optimizer */

#endif /* WINNOW_OPTION_MODEL_OPTIONS_H */
