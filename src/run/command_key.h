/* command_key.h -- what the result of a command depends on, as one key.
 *
 * The values of its options (but of those that say how only), the content of every
 * file, folder and corpus that they name, the content of the corpora given, the seed,
 * and the kernel table where the command computes in floating point.  A second call
 * with the same key would do the same again.
 */
#ifndef WINNOW_RUN_COMMAND_KEY_H
#define WINNOW_RUN_COMMAND_KEY_H

#include "base/prints.h"
#include "option/option.h"

/* What a path that is read stands for: of a run its documents, else the path.  out
 * holds the text where it is another one. */
const char *read_as(const char *path, struct buf *out);

/* The member "files" of the object that w has open: {"option number": print}. */
winnow_status key_add_files(struct prints *prints, const struct option_table *table,
                            const void *options, struct json_writer *w, struct winnow_error *err);

struct command_inputs {
    const struct option_table *table;
    const void *options;
    struct winnow_list paths; /* "-" has no print: the same pipe is never known again */
    const char *kernels;      /* NULL: none */
    uint64_t seed;
};

/* settings: the same without the content of anything: of what command with which
 * options the result is. */
winnow_status command_key(struct prints *prints, const struct command_inputs *in, char settings[33],
                          char key[33], struct winnow_error *err);

/* The hash of a command's name, its options and what else they are called with. */
void settings_key(const struct option_table *table, const void *options, struct str more,
                  char out[33]);

#endif /* WINNOW_RUN_COMMAND_KEY_H */
