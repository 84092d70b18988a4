/* recipe.h -- recipes: the options of several commands, in YAML.
 *
 *     winnow: 1
 *     input: [corpus/]
 *     output: runs/x
 *     stages:
 *       - rules: {sets: [gopher]}
 *       - dedup:
 *     prove: {seeds: 5}
 *
 * Every name comes from the option tables given; what they do not know is
 * refused with file, line, column and the nearest name. */
#ifndef WINNOW_OPTION_RECIPE_H
#define WINNOW_OPTION_RECIPE_H

#include "winnow/run.h"

#include "option/option.h"

/* What a recipe may say that the command line says with options of every
 * command; all-zero where it does not. */
struct recipe_common {
    uint32_t threads;
    uint64_t memory, seed;
    const char *kernels;
};

extern const struct option_table RECIPE_COMMON_TABLE;

struct recipe_part {
    const struct option_table *table;
    void *options; /* of the table's size; NULL for a section that is not there */
    unsigned line;
};

struct recipe {
    struct winnow_list input;
    struct winnow_corpus_options corpus; /* output and all other options of CORPUS_TABLE */
    struct recipe_common common;
    struct recipe_part *stages;
    size_t stage_count;
    struct recipe_part *sections; /* one for each section table, in their order */
    size_t section_count;
    struct arena keep; /* owns all of it */
};

/* What a recipe may hold: both lists end with NULL. */
struct recipe_tables {
    const struct option_table *const *stages;
    const struct option_table *const *sections;
};

winnow_status recipe_read(const char *path, const struct recipe_tables *tables, struct recipe *out,
                          struct winnow_error *err);

/* The same from memory; name stands for the file in sentences. */
winnow_status recipe_parse(struct str text, const char *name, const struct recipe_tables *tables,
                           struct recipe *out, struct winnow_error *err);

/* Accepts a zeroed one and what a failed read left. */
void recipe_release(struct recipe *r);

#endif /* WINNOW_OPTION_RECIPE_H */
