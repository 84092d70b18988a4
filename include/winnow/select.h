/* select.h -- choose, under a budget, the documents whose vectors say what a target asks for. */
#ifndef WINNOW_SELECT_H
#define WINNOW_SELECT_H

#include "winnow/common.h"

#ifdef __cplusplus
extern "C" {
#endif

enum winnow_method {
    WINNOW_GTP,         /* pursuit of gradients along a training */
    WINNOW_TOP_K,       /* the most similar to the target's mean (LESS) */
    WINNOW_ROUND_ROBIN, /* each target example in turn takes its most similar */
    WINNOW_RDS,         /* the same over hidden states (RDS+) */
    WINNOW_PROJECTION,  /* pursuit of hidden states */
    WINNOW_FACILITY,    /* those that stand for all (INGENIOUS); no target */
    WINNOW_RANDOM,
    WINNOW_LOSS_DROP, /* what loses most of its loss when a model is warmed on the target (TACS) */
    WINNOW_SHAPLEY    /* scores that lie in attributes, as train --value writes them */
};
enum winnow_objective { WINNOW_TARGET_MEAN, WINNOW_EACH };

struct winnow_select_options {
    int method;                         /* enum winnow_method */
    const char *features;               /* vectors of this corpus */
    struct winnow_list targets;         /* files of examples; each is a subtask with its share */
    struct winnow_list target_features; /* the same, as vectors made like `features` */
    const char *budget;                 /* "5%" of the documents, or a number of them */
    int objective;                      /* enum winnow_objective: what pursuit is after */
    uint32_t subspace;  /* pursuit: numbers a checkpoint, in its principal directions; 0: all */
    double copy;        /* cosine above which a document is another one's copy */
    bool no_floor;      /* pursue into noise */
    bool match_length;  /* random: as long as the target's examples */
    const char *model;  /* loss-drop: that is warmed */
    uint32_t lora_rank; /* loss-drop: of the adapters that are trained */
    double tune_epochs, tune_lr;     /* loss-drop: passes over the target, rate at its top */
    const char *scores, *score_name; /* shapley: folder of attributes, the score among them */
    uint32_t partition;              /* facility: documents compared with each other */
};
#define WINNOW_SELECT_OPTIONS_INIT                                    \
    (WINNOW_NEW(winnow_select_options){.budget = "5%",                \
                                       .copy = 0.98,                  \
                                       .lora_rank = 8,                \
                                       .tune_epochs = 4,              \
                                       .tune_lr = 1e-3,               \
                                       .score_name = "winnow__value", \
                                       .partition = 1000})

#ifdef __cplusplus
}
#endif

#endif /* WINNOW_SELECT_H */
