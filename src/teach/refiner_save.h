/* refiner_save.h -- the folder of a trained refiner. */
#ifndef WINNOW_TEACH_REFINER_SAVE_H
#define WINNOW_TEACH_REFINER_SAVE_H

#include "winnow/refiner.h"

#include "model/model.h"
#include "teach/examples.h"
#include "train/tune.h"

/* What training.json says. */
struct refiner_card {
    const struct winnow_refiner_train_options *opt;
    uint64_t seed;
    const struct example_options *examples;
    const struct example_counts *counts;
    const struct tune_result *fitted;
    uint64_t train_examples, held_out_examples;
};

/* Writes config.json, model.safetensors, tokenizer.json, tokenizer_config.json,
 * chat_template.jinja (but for plain) and training.json into opt->output. */
winnow_status refiner_save(const struct model *m, const struct tokenizer *t,
                           const struct refiner_card *card, struct winnow_error *err);

#endif /* WINNOW_TEACH_REFINER_SAVE_H */
